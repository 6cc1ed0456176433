//! Quiet hours: when nothing may leave.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Calendar, Hours, Stretch, Window, joined, local_day, whole};

/// How far ahead a delivery carries what it needs of its calendar. Beyond that, the hours of
/// the week go on, and holidays are not known any more.
const AHEAD: TimeDelta = TimeDelta::days(400);
/// Quiet hours that lateness is counted around. More of them are not lateness, but years.
const MOST_PAUSES: usize = 1_000;

/// The quiet hours of one delivery: a window, and what lies outside the hours of a calendar.
/// It stands for itself, so that whoever tries the delivery again needs no sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// The zone of the window.
    pub timezone: Tz,
    /// When it is quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// When this is not open, it is quiet as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
}

/// Quiet hours as they are searched.
#[derive(Debug, Clone, Copy)]
pub struct QuietIn<'a> {
    /// The zone of the window.
    pub timezone: Tz,
    /// When it is quiet.
    pub window: Option<&'a Window>,
    /// When this is not open, it is quiet as well.
    pub calendar: Option<&'a Calendar>,
}

impl QuietIn<'_> {
    /// The first moment from `at` on at which it is not quiet. `None` if it never is.
    pub fn leaves_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.over_at(at)
    }
}

impl Hours for QuietIn<'_> {
    fn zone(&self) -> Tz {
        self.timezone
    }

    fn of_day(&self, day: NaiveDate) -> Vec<Stretch> {
        let window = self.window.and_then(|window| window.of_day(day, self.timezone));
        let Some(calendar) = self.calendar else { return window.into_iter().collect() };
        // The day is one of this zone; the calendar may count its days in another.
        let mut quiet = match whole(day, self.timezone) {
            Some(day) => calendar.in_zone(self.timezone).closed_within(day),
            None => Vec::new(),
        };
        quiet.extend(window);
        joined(quiet)
    }
}

impl Quiet {
    fn to_search(&self) -> QuietIn<'_> {
        let Self { timezone, window, calendar } = self;
        QuietIn { timezone: *timezone, window: window.as_ref(), calendar: calendar.as_ref() }
    }

    /// The same for a delivery that is written at `now`: without what is long over in its
    /// calendar, or far ahead.
    #[must_use]
    pub fn around(&self, now: DateTime<Utc>) -> Self {
        let from = local_day(now - TimeDelta::days(3), self.timezone);
        let to = local_day(now + AHEAD, self.timezone);
        let calendar = self.calendar.as_ref().map(|calendar| calendar.between(from, to));
        Self { timezone: self.timezone, window: self.window.clone(), calendar }
    }

    /// The first moment from `at` on at which it is not quiet. `None` if it never is.
    pub fn leaves_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.to_search().leaves_at(at)
    }

    /// The next moment after `at` at which it becomes quiet.
    pub fn falls_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.to_search().begins_after(at)
    }

    /// The moment at which `most` have passed since `at`, quiet hours not counted.
    pub fn after(&self, at: DateTime<Utc>, most: TimeDelta) -> Option<DateTime<Utc>> {
        let (mut at, mut left) = (self.leaves_at(at)?, most);
        for _ in 0..MOST_PAUSES {
            let end = at.checked_add_signed(left)?;
            match self.falls_at(at) {
                Some(falls_at) if falls_at < end => {
                    left -= falls_at - at;
                    at = self.leaves_at(falls_at)?;
                }
                _ => return Some(end),
            }
        }
        at.checked_add_signed(left)
    }
}
