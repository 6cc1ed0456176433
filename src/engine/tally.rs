//! What passes did, for the command line, the log, the metrics and the tests.

use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What evaluating did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Evaluated {
    /// Processes looked at.
    pub processes: usize,
    /// Steps visited.
    pub visits: usize,
    /// Deliveries written.
    pub deliveries: usize,
    /// Processes that came to their end.
    pub completed: usize,
    /// Processes that cannot go on.
    pub failed: usize,
}

/// What dispatching did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Dispatched {
    /// Attempts begun.
    pub attempts: usize,
    /// Attempts that a provider took.
    pub sent: usize,
    /// Attempts that met temporary trouble.
    pub trouble: usize,
    /// Attempts that were refused for good.
    pub refused: usize,
    /// Attempts of which nobody knows whether they arrived.
    pub in_doubt: usize,
    /// Attempts that were not the first of their delivery.
    pub retries: usize,
    /// Deliveries put off because their quiet hours had come.
    pub put_off: usize,
    /// When a channel that is paced may go on, if there was more to do.
    #[serde(skip)]
    pub again_at: Option<DateTime<Utc>>,
}

/// What asking did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Deliveries asked about.
    pub asked: usize,
    /// Those of them that were looked for, being in doubt.
    #[serde(skip)]
    pub in_doubt: usize,
}

/// What sweeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Attempts whose lease had run out.
    pub leases: usize,
    /// Deliveries that were late.
    pub late: usize,
    /// Ended processes forgotten.
    pub processes: usize,
}

/// What taking in messages of a queue did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TakenIn {
    /// Messages that came.
    pub messages: usize,
    /// Processes started.
    pub started: usize,
    /// Processes stopped.
    pub stopped: usize,
    /// Processes told of an event.
    pub told: usize,
    /// Messages that had nothing to do: a start for a live id, a stop of what has ended.
    pub ignored: usize,
    /// Messages that had been taken in before.
    pub repeated: usize,
    /// Messages that are wrong.
    pub invalid: usize,
    /// Messages that come again: those that wait behind another, the wrong ones if they are
    /// left to the queue, and all that the database did not take.
    pub left: usize,
}

/// What a whole round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Of evaluating.
    #[serde(flatten)]
    pub evaluated: Evaluated,
    /// Of dispatching.
    #[serde(flatten)]
    pub dispatched: Dispatched,
    /// Of asking.
    #[serde(flatten)]
    pub asked: Asked,
    /// Of sweeping.
    #[serde(skip)]
    pub swept: Swept,
}

impl Tally {
    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        self.evaluated.processes == 0
            && self.dispatched.attempts == 0
            && self.dispatched.put_off == 0
            && self.asked.asked == 0
            && self.swept.leases == 0
            && self.swept.late == 0
    }
}

impl AddAssign for Evaluated {
    fn add_assign(&mut self, other: Self) {
        self.processes += other.processes;
        self.visits += other.visits;
        self.deliveries += other.deliveries;
        self.completed += other.completed;
        self.failed += other.failed;
    }
}

impl AddAssign for Dispatched {
    fn add_assign(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.put_off += other.put_off;
        self.sent += other.sent;
        self.trouble += other.trouble;
        self.refused += other.refused;
        self.in_doubt += other.in_doubt;
        self.retries += other.retries;
        self.again_at = [self.again_at, other.again_at].into_iter().flatten().min();
    }
}

impl AddAssign for TakenIn {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.started += other.started;
        self.stopped += other.stopped;
        self.told += other.told;
        self.ignored += other.ignored;
        self.repeated += other.repeated;
        self.invalid += other.invalid;
        self.left += other.left;
    }
}

impl AddAssign for Swept {
    fn add_assign(&mut self, other: Self) {
        self.leases += other.leases;
        self.late += other.late;
        self.processes += other.processes;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.evaluated += other.evaluated;
        self.dispatched += other.dispatched;
        self.asked.asked += other.asked.asked;
        self.asked.in_doubt += other.asked.in_doubt;
        self.swept += other.swept;
    }
}
