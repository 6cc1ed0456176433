//! Dates that are left out: `2026-12-25`, `2026-12-24..2027-01-02`, and every year `12-25` or
//! `12-24..01-02`.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::quote::quoted;

/// A date, or the dates from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Dates {
    /// Of certain years.
    Once(NaiveDate, NaiveDate),
    /// Of every year: month and day. A 29th of February comes only in leap years.
    Yearly((u32, u32), (u32, u32)),
}

impl Dates {
    /// A single day.
    pub fn on(day: NaiveDate) -> Self {
        Self::Once(day, day)
    }

    /// Whether a day is one of them.
    pub fn contain(&self, day: NaiveDate) -> bool {
        match *self {
            Self::Once(first, last) => (first..=last).contains(&day),
            Self::Yearly(first, last) => {
                let day = (day.month(), day.day());
                // Over the turn of the year, it is what does not lie between them.
                if first <= last {
                    (first..=last).contains(&day)
                } else {
                    day >= first || day <= last
                }
            }
        }
    }

    /// The last of them, unless they come again every year.
    pub fn last(&self) -> Option<NaiveDate> {
        match self {
            Self::Once(_, last) => Some(*last),
            Self::Yearly(..) => None,
        }
    }
}

enum Day {
    Of(NaiveDate),
    Every(u32, u32),
}

fn day(text: &str) -> Option<Day> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return None;
    }
    match text.len() {
        10 => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Day::Of),
        5 => {
            // Of a leap year, so that it may be the 29th of February.
            let day = NaiveDate::parse_from_str(&format!("2000-{text}"), "%Y-%m-%d").ok()?;
            Some(Day::Every(day.month(), day.day()))
        }
        _ => None,
    }
}

impl FromStr for Dates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let dates = match (day(first), day(last)) {
            (Some(Day::Of(first)), Some(Day::Of(last))) if first <= last => Self::Once(first, last),
            (Some(Day::Of(_)), Some(Day::Of(_))) => {
                return Err(format!("{} ends before it begins", quoted(text)));
            }
            (Some(Day::Every(month, day)), Some(Day::Every(last_month, last_day))) => {
                Self::Yearly((month, day), (last_month, last_day))
            }
            _ => {
                return Err(format!(
                    "{} is no date such as 2026-12-25, 12-25 (every year) or 2026-12-24..2027-01-02",
                    quoted(text)
                ));
            }
        };
        Ok(dates)
    }
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(first, last) if first == last => write!(f, "{first}"),
            Self::Once(first, last) => write!(f, "{first}..{last}"),
            Self::Yearly((month, day), last) if (month, day) == (&last.0, &last.1) => {
                write!(f, "{month:02}-{day:02}")
            }
            Self::Yearly((month, day), (last_month, last_day)) => {
                write!(f, "{month:02}-{day:02}..{last_month:02}-{last_day:02}")
            }
        }
    }
}

impl TryFrom<String> for Dates {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Dates> for String {
    fn from(dates: Dates) -> Self {
        dates.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(dates: &str, day: &str) -> bool {
        dates.parse::<Dates>().unwrap().contain(day.parse().unwrap())
    }

    #[test]
    fn dates_are_one_day_several_or_the_same_every_year() {
        assert!(contains("2026-12-25", "2026-12-25") && !contains("2026-12-25", "2027-12-25"));
        assert!(contains("12-25", "2027-12-25") && !contains("12-25", "2027-12-24"));
        for (day, inside) in [("2026-12-23", false), ("2026-12-24", true), ("2027-01-02", true)] {
            assert_eq!(contains("2026-12-24..2027-01-02", day), inside, "{day}");
            assert_eq!(contains("12-24..01-02", day), inside, "{day}");
        }
        assert!(contains("02-29", "2028-02-29") && !contains("02-29", "2027-03-01"));
    }

    #[test]
    fn dates_are_shown_as_they_are_read() {
        for text in ["2026-12-25", "2026-12-24..2027-01-02", "12-25", "12-24..01-02"] {
            assert_eq!(text.parse::<Dates>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_are_no_dates_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "02-30",
            "2027-01-02..2026-12-24",
            "2026-12-25..12-26",
            "25.12.2026",
            "2026-12",
            "..",
            "2026-12-25..",
            "+2026-12-2",
            "99999-01-01",
            "Christmas",
        ] {
            assert!(text.parse::<Dates>().is_err(), "{text}");
        }
    }
}
