//! Days of the week: `mon-fri`, `sat, sun`, or numbers from Sunday = 0.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::quote::quoted;

/// Names, from Sunday on.
const NAMES: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Days(u8);

impl Days {
    /// All of them.
    pub const ALL: Self = Self(0b111_1111);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These and those.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether some of these are among those.
    pub fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether this day is one of them.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.0 & (1 << day.weekday().num_days_from_sunday()) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The number of one day, by its number, its name or the first three letters of it.
fn number(text: &str) -> Option<u8> {
    let text = text.trim().to_lowercase();
    if let Some(digit) = text.bytes().next().filter(|_| text.len() == 1) {
        return digit.checked_sub(b'0').filter(|number| *number <= 6);
    }
    let is_meant = |name: &&str| **name == *text || (text.len() >= 3 && name.starts_with(&text));
    NAMES.iter().position(is_meant).and_then(|number| u8::try_from(number).ok())
}

impl FromStr for Days {
    type Err = String;

    /// One day, or the days from one to another: `fri-mon` goes over the weekend.
    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Err(format!(
                "{} is no day such as mon, or mon-fri, or 0 (Sunday)",
                quoted(text)
            ));
        };
        let count = (last + 7 - first) % 7;
        Ok((0..=count).fold(Self::NONE, |days, more| Self(days.0 | 1 << ((first + more) % 7))))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = (0..7).filter(|number| self.0 & (1 << number) != 0);
        let names: Vec<&str> = names.filter_map(|number| NAMES.get(number)?.get(..3)).collect();
        f.write_str(&names.join(","))
    }
}

impl TryFrom<String> for Days {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let each = text.split(',').filter(|day| !day.trim().is_empty());
        each.map(str::parse).try_fold(Self::NONE, |days, day: Result<Self, _>| Ok(days.and(day?)))
    }
}

impl From<Days> for String {
    fn from(days: Days) -> Self {
        days.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_by_name_by_number_and_from_one_to_another() {
        for (text, days) in [
            ("mon", "mon"),
            ("Monday", "mon"),
            ("0", "sun"),
            ("6", "sat"),
            ("1-5", "mon,tue,wed,thu,fri"),
            ("Mon - Fri", "mon,tue,wed,thu,fri"),
            ("fri-mon", "sun,mon,fri,sat"),
            ("sun-sat", "sun,mon,tue,wed,thu,fri,sat"),
        ] {
            assert_eq!(text.parse::<Days>().unwrap().to_string(), days, "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "7", "mo", "m", "mon-", "-fri", "mon-fri-sun", "10", "-1", "ponedjeljak"] {
            assert!(text.parse::<Days>().is_err(), "{text}");
        }
    }
}
