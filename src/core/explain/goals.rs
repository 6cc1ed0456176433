//! The goals that lie ahead, and how far each condition is from true.

use rungs_runners::explain::Clause;
use serde::Serialize;

use super::{
    Subject, explained,
    words::{self, capital},
};

/// Goals that are told.
const MOST_GOALS: usize = 20;

/// A goal below the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoalAhead {
    /// Its step.
    pub step: String,
    /// Whether it is achieved. The furthest of those that are is where the next cycle takes the
    /// process.
    pub achieved: bool,
    /// Its condition, clause by clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Clause>,
    /// Why it cannot be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same in a sentence.
    pub says: String,
}

impl GoalAhead {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.says.clone()];
        lines.extend(below(self.condition.as_ref()));
        lines
    }
}

/// The clauses of a condition that is made of several, indented.
pub(super) fn below(condition: Option<&Clause>) -> Vec<String> {
    let several = condition.filter(|clause| clause.test.is_none());
    let lines = several.map(Clause::lines).unwrap_or_default();
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// Those that lie ahead of a process that may still come to them.
pub(super) fn ahead(subject: Subject<'_>) -> Vec<GoalAhead> {
    use crate::Status::{Active, Failed, Paused};
    let Subject { process, sequence, .. } = subject;
    let Ok(sequence) = sequence else { return Vec::new() };
    let cursor = process.cursor.as_deref().and_then(|cursor| sequence.position(cursor));
    let (Some(cursor), Active | Paused | Failed) = (cursor, process.status) else {
        return Vec::new();
    };
    let below = sequence.goals.iter().copied().filter(|goal| *goal > cursor);
    let looks: Vec<Look> = below.filter_map(|position| look(subject, position)).collect();
    // As the engine does: the furthest that is achieved, or cannot be looked at, decides.
    let has_say = |(_, look): &(usize, &Look)| !matches!(look.found, Ok((false, _)));
    let decides = looks.iter().enumerate().rfind(has_say);
    let resumed = if process.status == Active { "" } else { "once the process is resumed, " };
    let goal = |(number, look): (usize, &Look)| {
        let next = match decides {
            Some((place, _)) if place == number => Next::This { resumed },
            Some((place, other)) if place > number => Next::Other(&other.step),
            _ => Next::None,
        };
        look.tell(next)
    };
    looks.iter().enumerate().take(MOST_GOALS).map(goal).collect()
}

/// A goal, and what its condition says.
struct Look {
    step: String,
    found: Result<(bool, Option<Clause>), String>,
}

/// What the next cycle does.
#[derive(Clone, Copy)]
enum Next<'a> {
    /// It goes by this goal, once the process is resumed or at once.
    This { resumed: &'static str },
    /// It goes by another, further down.
    Other(&'a str),
    /// It goes by none of them.
    None,
}

fn look(subject: Subject<'_>, position: usize) -> Option<Look> {
    let step = subject.sequence.ok()?.steps.get(position)?;
    let scope = subject.process.scope();
    let found = explained(subject, position).and_then(|explained| {
        let achieved = step.config.achieved(&scope).map_err(|failure| failure.0)?;
        Ok((achieved, explained.condition))
    });
    Some(Look { step: step.id.clone(), found })
}

impl Look {
    fn tell(&self, next: Next<'_>) -> GoalAhead {
        let Self { step, found } = self;
        let (achieved, condition, error) = match found {
            Ok((achieved, condition)) => (*achieved, condition.clone(), None),
            Err(error) => (false, None, Some(words::clipped(error))),
        };
        let why = match &condition {
            None => String::new(),
            Some(clause) if clause.test.is_some() => format!(": {}", clause.says),
            Some(clause) => {
                let (so, all) = clause.count();
                format!(": {so} of {all} clauses are as they should be")
            }
        };
        let so = match &error {
            Some(error) => format!("lies ahead and cannot be looked at: {error}"),
            None if achieved => format!("is achieved{why}"),
            None => format!("lies ahead and is not achieved{why}"),
        };
        let then = match next {
            Next::This { resumed } if achieved => {
                capital(&format!("{resumed}the next cycle takes the process there."))
            }
            Next::This { resumed } => {
                capital(&format!("{resumed}the next cycle fails the process with that."))
            }
            Next::Other(other) if achieved || error.is_some() => {
                format!("`{other}`, further down, comes first.")
            }
            Next::Other(_) | Next::None => String::new(),
        };
        let says = format!("The goal `{step}` {so}. {then}").trim_end().to_owned();
        GoalAhead { step: step.clone(), achieved, condition, error, says }
    }
}
