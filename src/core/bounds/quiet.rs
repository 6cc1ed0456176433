//! How long quiet hours hold back what a step sends.

use std::{collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use rungs_runners::hours::longest_quiet;

use super::{fixed, weight::Weight};
use crate::{QuietHours, Sequence, Step};

/// How long one attempt of each step is held at most.
pub(super) fn holds(sequence: &Sequence, zone: Option<Tz>) -> Vec<Weight> {
    // Most steps have those of their sequence, which are looked at once.
    let mut known = BTreeMap::new();
    let mut hold = |(at, step): (usize, &Step)| {
        let Some(quiet) = &step.quiet else { return Weight::ZERO };
        let found = known.entry(Arc::as_ptr(quiet));
        found.or_insert_with(|| longest(quiet, sequence, zone)).unwrap_or(Weight::held(at))
    };
    sequence.steps.iter().enumerate().map(&mut hold).collect()
}

fn longest(quiet: &QuietHours, sequence: &Sequence, zone: Option<Tz>) -> Option<Weight> {
    let zone = match &quiet.timezone {
        Some(template) => fixed(template),
        None => zone,
    };
    let calendar = match &quiet.calendar {
        Some(name) => Some(sequence.calendars.get(name)?),
        None => None,
    };
    longest_quiet(quiet.window.as_ref(), calendar, zone).map(Weight::of_duration)
}

/// Why there is no bound, after the name of the step.
pub(super) fn does(step: Option<&Step>) -> String {
    let quiet = step.and_then(|step| step.quiet.as_ref());
    match quiet.and_then(|quiet| quiet.calendar.as_ref()) {
        Some(name) => format!("is held by quiet hours, while `{name}` is not open"),
        None => "is held by quiet hours that hardly ever end".to_owned(),
    }
}
