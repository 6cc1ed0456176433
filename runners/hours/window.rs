//! A window of the wall clock: from one time of day to another, on some days of the week.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Dates, Days, Hours, Stretch, Time, calendar::CalendarIn, joined, moment};

/// A window. It belongs to the day on which it begins: one from 22:00 to 06:00 on Fridays
/// ends on Saturday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// On which days of the week it begins.
    pub days: Days,
    /// When it begins.
    pub from: Time,
    /// When it ends: on the next day, if that is no later than `from`.
    pub to: Time,
    /// Days on which it does not begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Dates>,
}

impl Window {
    /// Every day, around the clock.
    pub const ALWAYS: Self =
        Self { days: Days::ALL, from: Time::FIRST, to: Time::LAST, except: Vec::new() };

    /// What is wrong with its times, and under which key. `both` tells whether both are known.
    pub fn check_times(from: Time, to: Time, both: bool) -> Option<(&'static str, String)> {
        if from == Time::LAST {
            return Some(("from", "24:00 is the end of a day: write 00:00".to_owned()));
        }
        (both && from == to).then(|| {
            (
                "to",
                format!(
                    "it ends at {to}, when it begins: nobody knows whether that is never or always"
                ),
            )
        })
    }

    /// Whether there is a day on which it begins.
    pub fn ever_opens(&self) -> bool {
        // Once the last of the dated exceptions is over, a leap cycle shows every year there is.
        let last = self.except.iter().filter_map(Dates::last).max();
        let first = last.and_then(|last| last.succ_opt()).or(NaiveDate::from_ymd_opt(2000, 1, 1));
        let mut days = first.into_iter().flat_map(|first| first.iter_days().take(1_470));
        // No process lives beyond that year.
        days.any(|day| day.year() <= 9_999 && self.of_day(day, Tz::UTC).is_some())
    }

    /// What begins on a day, in a zone.
    pub fn of_day(&self, day: NaiveDate, zone: Tz) -> Option<Stretch> {
        if !self.days.contains(day) || self.except.iter().any(|dates| dates.contain(day)) {
            return None;
        }
        let last_day = if self.to > self.from { day } else { day.succ_opt()? };
        Stretch::new(moment(self.from.on(day)?, zone)?, moment(self.to.on(last_day)?, zone)?)
    }
}

/// `mon,tue 22:00 to 07:00, except 12-25`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // More of them are no help.
        const MOST: usize = 10;
        if self.days != Days::ALL {
            write!(f, "{} ", self.days)?;
        }
        write!(f, "{} to {}", self.from, self.to)?;
        for (place, dates) in self.except.iter().take(MOST).enumerate() {
            write!(f, "{}{dates}", if place == 0 { ", except " } else { ", " })?;
        }
        f.write_str(if self.except.len() > MOST { ", ..." } else { "" })
    }
}

/// A window, within the hours of a calendar.
pub struct WindowIn<'a> {
    /// The window.
    pub window: &'a Window,
    /// The zone in which it is meant.
    pub zone: Tz,
    /// The calendar, where there is one.
    pub calendar: Option<CalendarIn<'a>>,
}

impl Hours for WindowIn<'_> {
    fn zone(&self) -> Tz {
        self.zone
    }

    fn of_day(&self, day: NaiveDate) -> Vec<Stretch> {
        let Some(stretch) = self.window.of_day(day, self.zone) else { return Vec::new() };
        match &self.calendar {
            Some(calendar) => joined(calendar.open_within(stretch)),
            None => vec![stretch],
        }
    }
}
