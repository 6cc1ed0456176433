//! Cases: what a sequence shall do, given data, answers and events, as an author writes it in
//! `NAME.test.yml`; and whether it does.
//!
//! Promises: pure. A case that passes was climbed by [`simulate`](crate::simulate), to its end.
//! Does not: read files. `check::cases` reads the source of cases, the command line runs them.

use std::{borrow::Cow, collections::BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rungs_runners::{Action, calendar};
use serde_json::Value;

use crate::{
    Entry, InputProblem, Process, Sequence, Start,
    happening::Happening,
    simulate::{Answer, Answers, Asked, End, Fate, Line, Most, Simulation, What, simulate_within},
};

pub mod coverage;
pub mod verdict;

pub use coverage::Coverage;
pub use verdict::{Row, Verdict};

/// What one process shall do.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is about, in the author's words.
    pub name: String,
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// What the process starts with.
    pub given: Given,
    /// What becomes of what it sends.
    pub answers: Vec<Answer>,
    /// What happens to it.
    pub happenings: Vec<Happening>,
    /// What it shall do.
    pub then: Vec<Expected>,
}

/// What a process starts with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// Its data, or `@FILE`; without it, what lies beside the sequence.
    pub data: Option<Value>,
    /// What is merged into that (RFC 7396).
    pub with: Option<Value>,
    /// When it starts, in its own zone.
    pub at: Option<String>,
    /// The zone of sequences that name none.
    pub timezone: Option<Tz>,
}

/// One line of what shall happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// When.
    pub when: When,
    /// What.
    pub what: Wanted,
}

/// When something shall happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// So long after the start.
    After(TimeDelta),
    /// At this time of day, on the day of the start or a later one; or at this moment. In the
    /// process's zone.
    At(String),
}

/// What shall happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A step reaches somebody.
    Contact {
        /// The step.
        step: String,
        /// Whom, where that is said.
        to: Option<String>,
        /// What it says among other things, where that is said.
        says: Option<String>,
    },
    /// The process completes.
    Completed,
    /// It fails.
    Failed,
    /// It stops itself.
    Stopped,
    /// It waits at this step for an event that does not come.
    Waits(String),
    /// It was still going, at this step, when it was given up. No case asks for that, and none
    /// passes over it: what would have come is not known.
    GoesOn(String),
}

/// What happened of that kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// When.
    pub at: DateTime<Utc>,
    /// What, in the words of a case.
    pub what: Wanted,
    /// What was sent.
    pub request: Value,
    /// Through which channel.
    pub channel: Cow<'static, str>,
    /// Why it failed, if it did.
    pub why: Option<String>,
}

/// Starts of processes that are the same in every case.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// Key of every process.
    pub key: &'a str,
    /// When they start, where a case does not say so.
    pub now: DateTime<Utc>,
    /// The zone of sequences that name none, where a case names none either.
    pub timezone: Tz,
}

/// Why a case cannot be run.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfit {
    /// The data does not fit the sequence.
    Data(Vec<InputProblem>),
    /// A moment that is none, in words.
    Moment(String),
}

/// A case that was run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it did.
    pub simulation: Simulation,
    /// Whether that was what it should do.
    pub verdict: Verdict,
    /// Goals at which it stood, and that were achieved.
    goals: BTreeSet<String>,
}

/// Runs a case with its data.
///
/// # Errors
/// It cannot be run.
pub fn run(sequence: &Sequence, case: &Case, data: Value, stage: Stage<'_>) -> Result<Ran, Unfit> {
    run_within(sequence, case, data, stage, Most::default())
}

/// The same, given up earlier.
pub(crate) fn run_within(
    sequence: &Sequence,
    case: &Case,
    data: Value,
    stage: Stage<'_>,
    most: Most,
) -> Result<Ran, Unfit> {
    let mut new = Start {
        key: stage.key.to_owned(),
        process_id: "tested".to_owned(),
        version: 1,
        data,
        default_timezone: case.given.timezone.unwrap_or(stage.timezone),
        now: stage.now,
    };
    let timezone = crate::start(sequence, new.clone()).map_err(Unfit::Data)?.timezone;
    if let Some(at) = &case.given.at {
        new.now = moment(at, timezone).map_err(Unfit::Moment)?;
    }
    let mut answers = Goals { answers: &case.answers, sequence, achieved: BTreeSet::new() };
    let simulation = simulate_within(sequence, new, &case.happenings, &mut answers, most);
    let simulation = simulation.map_err(Unfit::Data)?;
    let verdict = verdict::judge(case, &simulation).map_err(Unfit::Moment)?;
    Ok(Ran { simulation, verdict, goals: answers.achieved })
}

/// The answers of a case, and which goals are achieved once the cycle is over in which it left
/// them: the history of one that stood there says no more than that it went on.
struct Goals<'a> {
    answers: &'a [Answer],
    sequence: &'a Sequence,
    achieved: BTreeSet<String>,
}

impl Answers for Goals<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        self.answers.answer(asked)
    }

    fn said(&mut self, asked: &Asked<'_>) -> Option<Value> {
        self.answers.said(asked)
    }

    fn watch(&mut self, process: &Process, told: &[Line]) {
        for line in told {
            let What::Did(Entry::Visited { step, action: Action::Next, .. }) = &line.what else {
                continue;
            };
            let goal = self.sequence.position(step).and_then(|at| self.sequence.steps.get(at));
            if let Some(goal) = goal.filter(|goal| goal.kind.goal)
                && goal.config.achieved(&process.scope()).unwrap_or(false)
            {
                self.achieved.insert(step.clone());
            }
        }
    }
}

/// A moment as an author writes it.
///
/// # Errors
/// It is none.
pub fn moment(text: &str, timezone: Tz) -> Result<DateTime<Utc>, String> {
    calendar::parse(text, timezone).map_err(|error| error.to_string())
}

/// What a case can speak of, in order.
pub(crate) fn happened(simulation: &Simulation) -> Vec<Happened> {
    let mut all: Vec<Happened> = simulation
        .lines
        .iter()
        .filter_map(|line| match &line.what {
            What::Wrote { step, channel, request, .. } => Some(Happened {
                at: line.at,
                what: Wanted::Contact { step: step.clone(), to: None, says: None },
                request: request.clone(),
                channel: channel.clone(),
                why: None,
            }),
            _ => None,
        })
        .collect();
    let process = &simulation.process;
    let cursor = || process.cursor.clone().unwrap_or_default();
    let what = match simulation.end {
        End::Ended if process.status == crate::Status::Completed => Wanted::Completed,
        End::Ended if process.status == crate::Status::Stopped => Wanted::Stopped,
        End::Ended => Wanted::Failed,
        End::Waits => Wanted::Waits(cursor()),
        End::Endless => Wanted::GoesOn(cursor()),
    };
    let why = simulation.lines.iter().rev().find_map(|line| match &line.what {
        What::Did(Entry::Failed { reason }) => Some(reason.clone()),
        _ => None,
    });
    let (at, request) = (simulation.ended_at, Value::Null);
    all.push(Happened { at, what, request, channel: "".into(), why });
    all
}

#[cfg(test)]
mod tests;
