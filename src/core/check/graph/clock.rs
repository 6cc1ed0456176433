//! Whether there is a moment at which several waits that go by the clock are over.
//!
//! Promises: where it says so, there is one; where nobody knows the zone of a process, there is one in
//! each that is whole hours from UTC. Does not: find every moment; and of waits whose configs ask for
//! data it knows none.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use rungs_runners::{Action, Heard, Prepared, Scope, Visit, hours::Calendars};
use serde_json::{Map, Value, json};

use super::Almanac;

/// A Monday.
const FROM: &str = "2026-11-23T00:00:00Z";

/// Whether all of them would let a process by at some moment.
pub(super) fn are_over_together(waits: &[&dyn Prepared], almanac: &Almanac) -> bool {
    if waits.iter().any(|wait| !wait.uses().is_empty()) {
        return false;
    }
    let (data, nothing) = (Map::new(), json!({}));
    let scope = Scope::new(&data, || Value::Null, &nothing, &nothing);
    let calendars = &almanac.calendars;
    let meet = |zone: Tz| {
        moments().any(|now| waits.iter().all(|wait| is_over(*wait, now, zone, calendars, &scope)))
    };
    match almanac.zone {
        Some(zone) => meet(zone),
        None => TZ_VARIANTS.into_iter().filter(|zone| zone.name().starts_with("Etc/GMT")).all(meet),
    }
}

fn is_over(
    wait: &dyn Prepared,
    now: DateTime<Utc>,
    timezone: Tz,
    calendars: &Calendars,
    scope: &Scope<'_>,
) -> bool {
    let visit = Visit {
        now,
        timezone,
        entered_at: now,
        stay: 1,
        delivery: None,
        stirred: false,
        heard: Heard::default(),
        calendars,
        scope,
    };
    wait.visit(&visit).is_ok_and(|outcome| outcome.action == Action::Next)
}

/// Each half hour of a week, and then some of each day of a year, at other times of the day.
fn moments() -> impl Iterator<Item = DateTime<Utc>> {
    let from: DateTime<Utc> = FROM.parse().unwrap_or_default();
    let week = (0..7 * 48).map(|half| TimeDelta::minutes(30 * half + 1));
    let year = (0..366 * 24 / 7).map(|seventh| TimeDelta::hours(7 * seventh));
    week.chain(year).filter_map(move |after| from.checked_add_signed(after))
}
