//! A time of day: `09:00`, to the minute.

use std::{fmt, str::FromStr};

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::quote::quoted;

/// Minutes from midnight, 24:00 included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(u16);

impl Time {
    /// 00:00.
    pub const FIRST: Self = Self(0);
    /// 24:00, which is 00:00 of the next day.
    pub const LAST: Self = Self(1_440);

    /// Minutes since the day began.
    pub(super) fn minutes(self) -> i64 {
        self.0.into()
    }

    /// That time on `day`.
    pub(super) fn on(self, day: NaiveDate) -> Option<NaiveDateTime> {
        if self == Self::LAST {
            return Some(day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN));
        }
        let time = NaiveTime::from_hms_opt(u32::from(self.0 / 60), u32::from(self.0 % 60), 0)?;
        Some(day.and_time(time))
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |part: &str, most: usize| {
            let fine = (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            fine.then(|| part.parse::<u16>().ok()).flatten()
        };
        let read = || {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute) =
                (digits(hour, 2)?, digits(minute, 2).filter(|_| minute.len() == 2)?);
            let minutes = hour * 60 + minute;
            (minute < 60 && minutes <= 1_440).then_some(Self(minutes))
        };
        read().ok_or_else(|| format!("{} is no time of day such as 09:00", quoted(text)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for Time {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_read_as_it_is_shown() {
        for text in ["00:00", "09:05", "23:59", "24:00"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        assert_eq!(" 9:30 ".parse::<Time>().unwrap().to_string(), "09:30");
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for text in
            ["", "9", "9:5", "24:01", "25:00", "12:60", "-1:00", "09:00:00", "nine", "1e:00"]
        {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
