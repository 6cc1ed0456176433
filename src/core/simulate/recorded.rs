//! Simulations of processes that exist: what one would do from here on, and what one would
//! have done under another version.
//!
//! Promises: as for all simulations; broken off where it is said, so that many can be looked at.
//! Called by: intake, for `plan`, and `backtest`.

use chrono::{DateTime, Utc};

use super::{Answers, Asked, MOST_CYCLES, Most, Simulation, go_on, simulate_within};
use crate::{InputProblem, Process, Sequence, Start, happening::Happening};

/// Follows a process from where it stands at `now`, for so many cycles at most, if nothing
/// happens to it. What it has sent is answered as well.
pub fn ahead(
    sequence: &Sequence,
    process: Process,
    now: DateTime<Utc>,
    cycles: usize,
    answers: &mut dyn Answers,
) -> Simulation {
    let open = process.state.delivery.clone().filter(|open| !open.status.is_final());
    let kind = open.as_ref().and_then(|open| sequence.position(&open.step));
    let kind = kind.and_then(|position| sequence.steps.get(position)).map(|step| step.kind);
    let mut coming = Vec::new();
    if let (Some(open), Some(kind)) = (open, kind) {
        // What it sent is not known here; the channels bear the names of their runners.
        let channel = kind.name.to_lowercase();
        let asked = Asked {
            delivery: &open.id,
            step: &open.step,
            stay: process.state.stays(&open.step),
            channel: if kind.asks { kind.name } else { &channel },
            is_question: kind.asks,
            request: &serde_json::Value::Null,
        };
        let all = answers.told(&asked).into_iter().filter(|told| told.status > open.status);
        coming.extend(all.filter_map(|told| {
            let at = now.checked_add_signed(told.after)?;
            Some((at, told.news(&open.id, &open.step, at)))
        }));
    }
    let most = Most { cycles: cycles.min(MOST_CYCLES), ..Most::default() };
    go_on(sequence, process, now, coming, answers, most)
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
