//! Hours: windows of the wall clock, calendars of opening hours and holidays, quiet hours; and
//! the search for the next moment that lies in them.
//!
//! Promises: pure, no panic, and every search ends after [`MOST_DAYS`] days.
//! A time counts as it stands on the clock of the zone. A window belongs to the day on which
//! it begins, also the part of it after midnight. A time that the clocks skip is over when
//! they have skipped it: in a gap from 02:00 to 03:00, a window from 02:30 opens at 03:00, and
//! one from 02:15 to 02:45 does not open. Of a time that comes twice, the earlier is meant, so
//! that nothing opens twice. Of a day that a zone left out, the night before and the night
//! after are one.
//! Called by: `WaitForWindow`, the core's quiet hours, the check of calendars.

use std::collections::BTreeMap;

use chrono::{DateTime, Days as DayCount, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

use crate::{Problem, quote::quoted};

mod calendar;
mod dates;
mod days;
mod longest;
mod quiet;
mod recurrence;
mod time;
mod window;

pub use calendar::{Calendar, CalendarIn, Closure, Holiday, Occasion, Told};
pub use dates::Dates;
pub use days::Days;
pub use longest::longest_quiet;
pub(crate) use longest::longest_wait;
pub use quiet::{Quiet, QuietIn};
pub use recurrence::{Frequency, Recurrence};
pub use time::Time;
pub use window::{Window, WindowIn};

/// Days that are looked through for an opening, or for the end of something: ten years.
pub const MOST_DAYS: usize = 3_660;

/// The calendars of a sequence, by name.
pub type Calendars = BTreeMap<String, Calendar>;

/// A stretch of time, its end not included. It is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    /// Its first moment.
    pub from: DateTime<Utc>,
    /// The moment after it.
    pub to: DateTime<Utc>,
}

impl Stretch {
    /// From the one to the other, if that is a stretch at all.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    fn common(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }
}

/// Where nobody knows a calendar of this name.
pub fn no_calendar(pointer: &str, name: &str, calendars: &Calendars) -> Problem {
    let problem = Problem::at(pointer, format!("there is no calendar {}", quoted(name)));
    let nearest = calendars
        .keys()
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()), known))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .filter(|(likeness, _)| *likeness > 0.8);
    problem.help(match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!(
            "describe it under `calendars:` at the top of the sequence, or in `calendars/{name}.yml`"
        ),
    })
}

/// Stretches of time, day after day.
pub trait Hours {
    /// The zone whose days these are.
    fn zone(&self) -> Tz;

    /// What begins on this day, in order; none of them touches another.
    fn of_day(&self, day: NaiveDate) -> Vec<Stretch>;

    /// The stretch in which `now` lies, or else the next one. `None`: none within
    /// [`MOST_DAYS`].
    fn now_or_next(&self, now: DateTime<Utc>) -> Option<Stretch> {
        let mut days = days_from(now, self.zone());
        days.find_map(|day| self.of_day(day).into_iter().find(|stretch| stretch.to > now))
    }

    /// From when on none of them lasts any more, if one does at `now`: `now` if none does.
    /// `None` if they go on and on for [`MOST_DAYS`].
    fn over_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut over_at = now;
        for day in days_from(now, self.zone()) {
            // Nothing that begins on a day after the end can touch it.
            if beginning(day, self.zone()).is_none_or(|midnight| midnight > over_at) {
                return Some(over_at);
            }
            for stretch in self.of_day(day) {
                if stretch.from > over_at {
                    return Some(over_at);
                }
                over_at = over_at.max(stretch.to);
            }
        }
        None
    }

    /// When the next of them begins after `now`.
    fn begins_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut days = days_from(now, self.zone());
        let next = |day| self.of_day(day).into_iter().find(|stretch| stretch.from > now);
        days.find_map(next).map(|stretch| stretch.from)
    }
}

/// The days whose stretches may last at `now` or begin after it.
fn days_from(now: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = NaiveDate> {
    let today = local_day(now, zone);
    let first = today.checked_sub_days(DayCount::new(1)).unwrap_or(today);
    first.iter_days().take(MOST_DAYS)
}

/// The day it is at a moment.
pub fn local_day(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    // Beyond what chrono can show in a zone, the day in UTC is as good as any.
    now.naive_utc()
        .checked_add_offset(chrono::Offset::fix(&zone.offset_from_utc_datetime(&now.naive_utc())))
        .map_or_else(|| now.date_naive(), |local| local.date())
}

/// The moment at which the clocks of `zone` have come to `local`.
fn moment(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(moment) => Some(moment.to_utc()),
        chrono::LocalResult::Ambiguous(one, other) => Some(one.min(other).to_utc()),
        chrono::LocalResult::None => {
            GapInfo::new(&local, &zone).and_then(|gap| gap.end).map(|end| end.to_utc())
        }
    }
}

/// The first moment of a day.
fn beginning(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    moment(day.and_time(chrono::NaiveTime::MIN), zone)
}

/// A day, from its first moment to that of the next. `None` if the zone leaves it out.
fn whole(day: NaiveDate, zone: Tz) -> Option<Stretch> {
    Stretch::new(beginning(day, zone)?, beginning(day.succ_opt()?, zone)?)
}

/// In order, with what touches or overlaps made one.
fn joined(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut joined: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        match joined.last_mut().filter(|last| last.to >= stretch.from) {
            Some(last) => last.to = last.to.max(stretch.to),
            None => joined.push(stretch),
        }
    }
    joined
}

/// What is left of `whole` without `taken`, which is in order and joined.
fn without(whole: Stretch, taken: &[Stretch]) -> Vec<Stretch> {
    let mut left = Vec::new();
    let mut from = whole.from;
    for gone in taken {
        left.extend(Stretch::new(from, gone.from.min(whole.to)));
        from = from.max(gone.to);
    }
    left.extend(Stretch::new(from, whole.to));
    left
}

#[cfg(test)]
mod tests;
