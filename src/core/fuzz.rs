//! Fuzz: searches answers, delays, events, starts and data for a climb that nobody wants.
//!
//! What counts, and what does not:
//! - *Nobody is contacted*: it completes and wrote nothing to anybody. Not if a goal was
//!   achieved, nor if a condition led to an `end` that the author wrote.
//! - *Somebody is contacted after the goal*: a goal's condition holds, the process has not been
//!   taken there, and no other goal lies ahead for which it may be climbing. What stands below
//!   a goal that was reached is meant to follow it.
//! - *It never ends*: it goes round or waits, and no event that its conditions ask for gets
//!   it out. A ladder that rings until somebody confirms ends once they do. Where nobody here
//!   knows what would make a condition true, it counts as if it might come true.
//! - *It fails*: unless a step says `onFailure: fail` or `lateness: fail`, or `inDoubt: fail`.
//!
//! Promises: pure; the same seed finds the same. What is found was made as small as it gets, and
//! is a case that [`cases::run`](crate::cases::run) reproduces: that is tried before it is told.
//! Does not: prove that there is nothing. Retries, limits and crashes do not occur (see
//! [`simulate`](crate::simulate)).
//! Called by: the command line, which watches the clock between runs.

use std::{collections::BTreeMap, rc::Rc};

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::Sequence;

mod asks;
mod chance;
mod data;
mod judge;
mod mentions;
mod rescue;
mod shrink;
mod trial;
mod write;

use asks::Ask;
use chance::Chance;
use judge::Verdict;
use mentions::Mentions;

/// What is wrong with a climb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// It completes, and nobody was contacted.
    Nobody,
    /// Somebody is contacted although the goal has been achieved.
    AfterGoal,
    /// It goes on, or waits, for ever.
    Endless,
    /// The process fails.
    Fails,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 4] = [Self::Nobody, Self::AfterGoal, Self::Endless, Self::Fails];

    /// As it is written on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::AfterGoal => "after-goal",
            Self::Endless => "endless",
            Self::Fails => "fails",
        }
    }
}

/// A flaw that was found, in its smallest form.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What is wrong.
    pub flaw: Flaw,
    /// At which step it shows, where it does at one.
    pub step: Option<String>,
    /// In one sentence without a full stop.
    pub says: String,
    /// A file of cases with the one that shows it.
    pub case: String,
    /// Whether the case holds: it says what happens. Else it says what should, and fails.
    pub holds: bool,
}

/// What every run begins with.
#[derive(Debug, Clone)]
pub struct Base {
    /// Data to start with; without any, they are drawn from `input` and the templates.
    pub data: Value,
    /// Whether the data stay as they are.
    pub fixed: bool,
    /// Whether a case without data has these, since they lie beside the sequence.
    pub beside: bool,
    /// The zone of sequences that name none. Without one, several are tried.
    pub timezone: Option<Tz>,
    /// Their zone in a case that names none either.
    pub usual: Tz,
}

/// Flaws of one kind that are told: at different steps.
const MOST_OF_A_KIND: usize = 3;

/// Whether it is time to come to an end.
struct Over<'a>(Rc<dyn Fn() -> bool + 'a>);

impl std::fmt::Debug for Over<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Over")
    }
}

/// A search that goes on as long as it is asked to.
#[derive(Debug)]
pub struct Search<'a> {
    sequence: &'a Sequence,
    base: Base,
    mentions: Mentions,
    /// What its steps ask for.
    asks: Vec<Ask>,
    chance: Chance,
    /// Moments after the start at which something happened in a run: good ones for events.
    moments: Vec<i64>,
    /// Kinds that do not count.
    ignored: Vec<Flaw>,
    /// What was found, by kind and step.
    known: Vec<(Flaw, Option<String>)>,
    /// Steps at which a climb came to no end, and something got it out; how often.
    rescued: BTreeMap<String, u32>,
    over: Over<'a>,
    runs: u64,
    /// Those of them that could not even start.
    unfit: u64,
}

impl<'a> Search<'a> {
    /// A search in a sequence, which is written so (see [`check::written`](crate::check::written)).
    pub fn new(sequence: &'a Sequence, written: &Value, base: Base, seed: u64) -> Self {
        let data = if base.data.is_null() { json!({}) } else { base.data };
        let base = Base { data, ..base };
        Self {
            mentions: Mentions::of(written, sequence),
            asks: asks::of(written),
            chance: Chance::new(seed),
            sequence,
            base,
            moments: vec![0, 1_000, 60_000, 3_600_000],
            ignored: Vec::new(),
            known: Vec::new(),
            rescued: BTreeMap::new(),
            over: Over(Rc::new(|| false)),
            runs: 0,
            unfit: 0,
        }
    }

    /// Leaves flaws of these kinds alone.
    pub fn ignore(&mut self, kinds: &[Flaw]) {
        self.ignored.extend(kinds);
    }

    /// From when on nothing more is begun: it is asked between any two climbs. What was found is
    /// told as small as it is by then, and of a climb that came to no end nothing is said.
    pub fn until(&mut self, over: impl Fn() -> bool + 'a) {
        self.over = Over(Rc::new(over));
    }

    fn is_over(&self) -> bool {
        (self.over.0)()
    }

    /// How many climbs could not even start, since the data do not fit.
    pub fn unfit(&self) -> u64 {
        self.unfit
    }

    /// How many climbs there were, those included that made a finding smaller.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Climbs once; what is wrong with it, if that is new.
    pub fn step(&mut self) -> Option<Found> {
        let mut trial = self.draw();
        let Some(verdict) = self.climb_drawing(&mut trial) else {
            self.unfit += 1;
            return None;
        };
        self.remember(&verdict);
        let mut flaws = verdict.flaws.clone();
        flaws.retain(|(flaw, step)| !self.is_known(*flaw, step.as_ref()));
        for (flaw, step) in flaws {
            if flaw == Flaw::Endless && self.is_rescued(&trial, &verdict) {
                continue;
            }
            let small = self.shrink(trial.clone(), flaw, step.as_ref());
            if let Some(found) = self.tell(&small, flaw, step.as_ref()) {
                self.known.push((flaw, step));
                return Some(found);
            }
        }
        None
    }

    fn is_known(&self, flaw: Flaw, step: Option<&String>) -> bool {
        if self.ignored.contains(&flaw) {
            return true;
        }
        let mut alike = self.known.iter().filter(|known| known.0 == flaw);
        alike.clone().count() >= MOST_OF_A_KIND || alike.any(|known| known.1.as_ref() == step)
    }

    /// Where something happens is where an event may come in between.
    fn remember(&mut self, verdict: &Verdict) {
        const MOST_MOMENTS: usize = 200;
        for moment in &verdict.moments {
            if self.moments.len() >= MOST_MOMENTS {
                return;
            }
            if !self.moments.contains(moment) {
                self.moments.push(*moment);
            }
        }
    }
}

#[cfg(test)]
mod tests;
