//! Who hears an event: the steps that listen, wherever the cursor is.
//!
//! Called by: the cycle, and those who look at a process before its next one.

use serde_json::json;

use crate::{Event, Process, Sequence, Step, process::iso};

/// A process as it will be once it has heard an event: for those who look at it before it is
/// visited.
pub fn take_in(sequence: &Sequence, process: &mut Process, event: &Event) {
    process.take_event(event.clone());
    hear(sequence, process, event);
}

/// Lets the steps that listen hear an event that the process has taken in.
pub(super) fn hear(sequence: &Sequence, process: &mut Process, event: &Event) {
    for (step, here) in listeners_of(sequence, process, event) {
        process.state.hear(step, here, event.at);
    }
}

/// Ids of the steps that hear an event, and whether the cursor stands there.
fn listeners_of(sequence: &Sequence, process: &Process, event: &Event) -> Vec<(String, bool)> {
    let seen = json!({ "type": event.r#type, "at": iso(event.at), "data": event.data });
    let outer = process.scope();
    let scope = outer.with_event(&seen);
    let hears = |step: &&Step| {
        let is_at = process.cursor.as_deref() == Some(step.id.as_str());
        let here = is_at && process.state.entered_at.is_some();
        let known = process.state.heard(&step.id);
        let is_new = known.ever.is_none() || (here && known.here.is_none());
        // What cannot be told now is said by the visit.
        let hears = is_new && step.config.hears(&event.r#type, here, &scope) == Ok(true);
        hears.then(|| (step.id.clone(), here))
    };
    let steps = sequence.listeners.iter().filter_map(|at| sequence.steps.get(*at));
    steps.filter_map(|step| hears(&step)).collect()
}
