//! Simulations of processes that exist: what one would do from here on, and what one would
//! have done under another version.
//!
//! Promises: as for all simulations; broken off where it is said, so that many can be looked at.
//! Called by: intake, for `plan`, and `backtest`.

use chrono::{DateTime, Utc};

use super::{Answers, MOST_CYCLES, Most, Simulation, Written, go_on, simulate_within};
use crate::{InputProblem, Process, Sequence, Start, happening::Happening};

/// Follows a process from where it stands at `now`, for so many cycles at most, if nothing
/// happens to it. `written` is what it has under way, which is answered as usual.
pub fn ahead(
    sequence: &Sequence,
    process: Process,
    written: &[Written],
    now: DateTime<Utc>,
    cycles: usize,
    answers: &mut dyn Answers,
) -> Simulation {
    let most = Most { cycles: cycles.min(MOST_CYCLES), ..Most::default() };
    go_on(sequence, process, written, now, answers, most)
}

/// Starts a process and follows it until `until`, while what happened happens.
///
/// # Errors
/// Every place where the data does not fit.
pub fn replay(
    sequence: &Sequence,
    new: Start,
    happenings: &[Happening],
    until: DateTime<Utc>,
    answers: &mut dyn Answers,
) -> Result<Simulation, Vec<InputProblem>> {
    let most = Most { until: Some(until), ..Most::default() };
    simulate_within(sequence, new, happenings, answers, most)
}
