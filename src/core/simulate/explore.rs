//! Explore: every combination of what can become of each delivery, up to a bound.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::TimeDelta;
use rungs_runners::Action;
use serde_json::Value;

use crate::{Entry, InputProblem, Sequence, Start, Status, happening::Happening};

use super::{Answer, Answers, Asked, End, Fate, Simulation, What, interest::Interest, simulate};

/// What became of one delivery: step, stay, channel, and how far it came or what was answered.
pub type Given = (String, u32, String, &'static str);

/// One way that a process can take.
#[derive(Debug, Clone)]
pub struct Way {
    /// What became of each delivery, in order: step, stay, channel, status.
    pub answers: Vec<Given>,
    /// How it ended.
    pub end: End,
    /// The process's status then.
    pub status: Status,
    /// The step at which it stood then.
    pub cursor: Option<String>,
    /// From its start to its end.
    pub length: TimeDelta,
    /// How many combinations take this way.
    pub combinations: usize,
}

/// Every way.
#[derive(Debug, Clone)]
pub struct Explored {
    /// Different ways, in the order in which they were found.
    pub ways: Vec<Way>,
    /// Combinations that were tried.
    pub tried: usize,
    /// Why there are more combinations than were tried.
    pub cut: Option<Cut>,
    /// Steps that go by what a server answers in JSON, of which nothing was given: that is not
    /// varied.
    pub unvaried: Vec<String>,
}

/// Why not all combinations are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// There are more than were to be tried.
    Combinations,
    /// Together they would tell too much.
    Lines,
}

/// Lines that all combinations may tell together: those of a ladder without end are long.
const MOST_LINES: usize = 300_000;

/// Tries up to `most` combinations for a sequence that is `written` so (see
/// [`check::written`](crate::check::written)). What `given` says of a step is not varied.
///
/// # Errors
/// Every place where the data does not fit.
pub fn explore(
    sequence: &Sequence,
    written: &Value,
    new: &Start,
    happenings: &[Happening],
    given: &[Answer],
    most: usize,
) -> Result<Explored, Vec<InputProblem>> {
    let mut explored = Explored { ways: Vec::new(), tried: 0, cut: None, unvaried: Vec::new() };
    let mut known: HashMap<(u64, u64), usize> = HashMap::new();
    let interest = Interest::of(sequence, written, !happenings.is_empty());
    let is_given = |step: &&str| given.iter().any(|one| one.step == *step && one.said.is_some());
    explored.unvaried =
        interest.unvaried().filter(|step| !is_given(step)).map(str::to_owned).collect();
    let mut choices = Choices { given, interest, made: Vec::new(), at: 0, answers: Vec::new() };
    let mut told = 0;
    loop {
        choices.at = 0;
        choices.answers.clear();
        let simulation = simulate(sequence, new.clone(), happenings, &mut choices)?;
        explored.tried += 1;
        told += simulation.lines.len();
        let trace = trace(&choices.interest, &simulation);
        let found = known.get(&trace).and_then(|place| explored.ways.get_mut(*place));
        if let Some(way) = found {
            way.combinations += 1;
        } else {
            known.insert(trace, explored.ways.len());
            explored.ways.push(Way::of(&simulation, choices.answers.clone()));
        }
        if !choices.turn() {
            return Ok(explored);
        }
        explored.cut = match () {
            () if explored.tried >= most => Some(Cut::Combinations),
            () if told >= MOST_LINES => Some(Cut::Lines),
            () => continue,
        };
        return Ok(explored);
    }
}

impl Way {
    fn of(simulation: &Simulation, answers: Vec<Given>) -> Self {
        let process = &simulation.process;
        Self {
            answers,
            end: simulation.end,
            status: process.status,
            cursor: process.cursor.clone(),
            length: simulation.ended_at - process.started_at,
            combinations: 1,
        }
    }
}

/// What makes two climbs the same: the steps they leave, and how. Hashed twice, since there may be
/// millions of steps in all climbs together.
fn trace(interest: &Interest<'_>, simulation: &Simulation) -> (u64, u64) {
    let mut hashers = [0_u8, 1].map(|seed| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        hasher
    });
    let left = simulation.lines.iter().filter_map(|line| match &line.what {
        What::Did(Entry::Visited { action: Action::Noop, .. }) => None,
        What::Did(Entry::Visited { step, action: Action::AltNext, .. })
            if !interest.is_told_apart(step) =>
        {
            // It goes the same way as by `next`.
            Some((step.as_str(), Action::Next.as_str()))
        }
        What::Did(Entry::Visited { step, action, .. }) => Some((step.as_str(), action.as_str())),
        What::Did(Entry::Achieved { step, .. }) => Some((step.as_str(), "achieved")),
        What::Wrote { step, .. } => Some((step.as_str(), "wrote")),
        _ => None,
    });
    let cursor = simulation.process.cursor.as_deref().unwrap_or_default();
    for one in left.chain([(cursor, simulation.process.status.as_str())]) {
        for hasher in &mut hashers {
            one.hash(hasher);
        }
    }
    hashers.map(|hasher| hasher.finish()).into()
}

/// The choices of one combination: a number of the possible ends for each delivery.
struct Choices<'a> {
    given: &'a [Answer],
    interest: Interest<'a>,
    /// The choice, of how many.
    made: Vec<(usize, usize)>,
    at: usize,
    answers: Vec<Given>,
}

impl Choices<'_> {
    /// The next combination, counted like a number whose last digit turns first. False after
    /// the last.
    fn turn(&mut self) -> bool {
        self.made.truncate(self.at);
        while let Some((choice, of)) = self.made.pop() {
            if choice + 1 < of {
                self.made.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

impl Answers for Choices<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        let is_given = self
            .given
            .iter()
            .any(|one| one.step == asked.step && one.stay.is_none_or(|stay| stay == asked.stay));
        let fate = if is_given {
            let mut given = self.given;
            given.answer(asked)
        } else {
            let ends = self.interest.ends(asked);
            if self.at == self.made.len() {
                self.made.push((0, ends.len()));
            }
            let (choice, _) = self.made.get(self.at).copied().unwrap_or_default();
            self.at += 1;
            ends.get(choice).copied().unwrap_or_else(|| Fate::usual(asked))
        };
        let Asked { step, stay, channel, .. } = asked;
        let what = fate.action.map_or(fate.status.as_str(), Action::as_str);
        self.answers.push(((*step).to_owned(), *stay, (*channel).to_owned(), what));
        fate
    }

    fn said(&mut self, asked: &Asked<'_>) -> Option<Value> {
        let mut given = self.given;
        given.said(asked)
    }
}
