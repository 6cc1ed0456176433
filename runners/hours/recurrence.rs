//! What comes again, by the rules of iCalendar (RFC 5545) that holidays and closed days are
//! written with: yearly, monthly, weekly, daily; `BYMONTH`, `BYMONTHDAY`, `BYDAY`.
//!
//! A rule is asked whether it hits a day; nothing is listed in advance, so that one without
//! an end costs no more than another.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// Every year.
    Yearly,
    /// Every month.
    Monthly,
    /// Every week.
    Weekly,
    /// Every day.
    Daily,
}

/// On which days something begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The first of them.
    pub start: NaiveDate,
    /// None begins after this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// How often.
    pub frequency: Frequency,
    /// In each, each second, ... year, month, week, day. At least 1.
    pub interval: u32,
    /// Only in these months, from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<u32>,
    /// Only on these days of the month, from 1; negative ones count from its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub month_days: Vec<i32>,
    /// Only on these days of the week; with a number, only on that one of the month, negative
    /// ones from its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<(Option<i32>, Weekday)>,
    /// Not on these days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<NaiveDate>,
}

impl Recurrence {
    /// Whether it begins on a day.
    pub fn hits(&self, day: NaiveDate) -> bool {
        self.is_in_rule(day) && !self.except.contains(&day)
    }

    /// The day of its `count`th time, if that comes within `most` days.
    pub fn nth(&self, count: u32, most: usize) -> Option<NaiveDate> {
        let skipped = usize::try_from(count.checked_sub(1)?).ok()?;
        self.start.iter_days().take(most).filter(|day| self.is_in_rule(*day)).nth(skipped)
    }

    fn is_in_rule(&self, day: NaiveDate) -> bool {
        day >= self.start
            && self.until.is_none_or(|until| day <= until)
            && self.is_in_interval(day)
            && (self.months.is_empty() || self.months.contains(&day.month()))
            && self.is_day(day)
    }

    fn is_in_interval(&self, day: NaiveDate) -> bool {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let monday = |day: NaiveDate| {
            let since = u64::from(day.weekday().num_days_from_monday());
            day.checked_sub_days(Days::new(since)).unwrap_or(day)
        };
        let past = match self.frequency {
            Frequency::Yearly => i64::from(day.year()) - i64::from(self.start.year()),
            Frequency::Monthly => months(day) - months(self.start),
            Frequency::Weekly => (monday(day) - monday(self.start)).num_days() / 7,
            Frequency::Daily => (day - self.start).num_days(),
        };
        past % i64::from(self.interval.max(1)) == 0
    }

    fn is_day(&self, day: NaiveDate) -> bool {
        let length = i32::from(day.num_days_in_month());
        let number = i32::try_from(day.day()).unwrap_or(1);
        let is_month_day = self.month_days.is_empty()
            || self.month_days.iter().any(|one| *one == number || *one == number - length - 1);
        let is_weekday = self.weekdays.is_empty()
            || self.weekdays.iter().any(|(nth, weekday)| {
                let (from_first, from_last) = ((number - 1) / 7 + 1, -((length - number) / 7 + 1));
                *weekday == day.weekday()
                    && nth.is_none_or(|nth| nth == from_first || nth == from_last)
            });
        // What the rule leaves open is as on the first day.
        let is_open = self.month_days.is_empty() && self.weekdays.is_empty();
        let is_like_first = match self.frequency {
            Frequency::Yearly => {
                day.day() == self.start.day()
                    && (!self.months.is_empty() || day.month() == self.start.month())
            }
            Frequency::Monthly => day.day() == self.start.day(),
            Frequency::Weekly => day.weekday() == self.start.weekday(),
            Frequency::Daily => true,
        };
        is_month_day && is_weekday && (!is_open || is_like_first)
    }
}
