//! Pulse: whether the engine of this program does its work.
//!
//! Promises: told of every committed cycle and of every loop that is in trouble with the
//! database; costs two atomic words. Time is a stopwatch's: a clock that is set stops no
//! heart.
//! Called by: the passes, which tell it, and the heartbeat, which asks.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use crate::clock::Stopwatch;

/// A cycle is committed every second, also when nothing is due. One that has not been for so
/// long hangs, or cannot be committed.
const STUCK: Duration = Duration::from_secs(30);
/// Before the first cycle.
const NEVER: u64 = u64::MAX;

/// What is known of the engine's work.
#[derive(Debug)]
pub(super) struct Pulse {
    since: Stopwatch,
    /// Of the last committed cycle, in milliseconds since then.
    committed: AtomicU64,
    troubled: AtomicUsize,
}

/// A loop is in trouble as long as this lives.
#[derive(Debug)]
pub(super) struct InTrouble<'a>(&'a AtomicUsize);

impl Pulse {
    pub(super) fn new() -> Self {
        let (committed, troubled) = (AtomicU64::new(NEVER), AtomicUsize::new(0));
        Self { since: Stopwatch::start(), committed, troubled }
    }

    /// A cycle has been committed, whether anything was due or not.
    pub(super) fn committed(&self) {
        self.committed.store(self.elapsed(), Ordering::Relaxed);
    }

    /// The database does not do what it is asked.
    pub(super) fn in_trouble(&self) -> InTrouble<'_> {
        self.troubled.fetch_add(1, Ordering::Relaxed);
        InTrouble(&self.troubled)
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed) > 0
    }

    /// Whether the first cycle has yet to be committed.
    pub(super) fn is_yet_to_begin(&self) -> bool {
        self.committed.load(Ordering::Relaxed) == NEVER && !self.is_stuck()
    }

    /// Whether no cycle has been committed for long.
    pub(super) fn is_stuck(&self) -> bool {
        let at = match self.committed.load(Ordering::Relaxed) {
            NEVER => 0,
            at => at,
        };
        u128::from(self.elapsed().saturating_sub(at)) > STUCK.as_millis()
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

impl Drop for InTrouble<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_the_first_cycle_and_is_troubled_while_a_loop_is() {
        let pulse = Pulse::new();
        assert!(pulse.is_yet_to_begin() && !pulse.is_stuck());
        pulse.committed();
        assert!(!pulse.is_yet_to_begin() && !pulse.is_stuck() && !pulse.is_troubled());
        let (one, another) = (pulse.in_trouble(), pulse.in_trouble());
        drop(one);
        assert!(pulse.is_troubled(), "one of two loops still is");
        drop(another);
        assert!(!pulse.is_troubled());
    }
}
