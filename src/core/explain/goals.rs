//! The goals that lie ahead, and how far each condition is from true.

use rungs_runners::explain::Clause;
use serde::Serialize;

use super::{Subject, explained, words};

/// Goals that are told.
const MOST_GOALS: usize = 20;

/// A goal below the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoalAhead {
    /// Its step.
    pub step: String,
    /// Whether it is achieved, so that the next cycle takes the process there.
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
    below.take(MOST_GOALS).filter_map(|position| goal(subject, position)).collect()
}

fn goal(subject: Subject<'_>, position: usize) -> Option<GoalAhead> {
    let step = subject.sequence.ok()?.steps.get(position)?;
    let id = step.id.clone();
    let scope = subject.process.scope();
    let condition = explained(subject, position).and_then(|explained| {
        let achieved = step.config.achieved(&scope).map_err(|failure| failure.0)?;
        Ok((achieved, explained.condition))
    });
    let (achieved, condition) = match condition {
        Ok(found) => found,
        Err(error) => {
            let error = words::clipped(&error);
            let says = format!(
                "The goal `{id}` lies ahead and cannot be looked at: {error}. The next cycle fails the process with that."
            );
            return Some(GoalAhead {
                step: id,
                achieved: false,
                condition: None,
                error: Some(error),
                says,
            });
        }
    };
    let why = match &condition {
        None => String::new(),
        Some(clause) if clause.test.is_some() => format!(": {}", clause.says),
        Some(clause) => {
            let (so, all) = clause.count();
            format!(": {so} of {all} clauses are as they should be")
        }
    };
    let says = if achieved {
        format!("The goal `{id}` is achieved, and the next cycle takes the process there{why}.")
    } else {
        format!("The goal `{id}` lies ahead and is not achieved{why}.")
    };
    Some(GoalAhead { step: id, achieved, condition, error: None, says })
}
