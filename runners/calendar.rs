//! Calendar arithmetic in a time zone: reading a date, adding to it, finding the next
//! moment that matches.
//!
//! Promises: pure, and no panic on any input. Every instant that comes out is a whole
//! millisecond within the years 1 to 9999 UTC; what would lie outside is an error.
//! Where the clocks change, a local time that is skipped is read with the offset from
//! before the gap (02:30 in a gap of one hour is 03:30), and one that comes twice is the
//! earlier of the two.
//! Does not: know what time it is. The rules of a zone are those of the tz database that
//! chrono-tz was built with; after the last change it lists, a zone keeps its offset.
//! Called by: the runners that wait, the check of `timezone:`, templates that show dates.

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{GapInfo, Tz};

mod add;
mod attribute;
mod explain;
mod matching;
mod parse;
mod span;
mod unit;

pub use add::add;
pub use attribute::Attribute;
pub use explain::{clocks_between, sum};
pub use matching::{NextMatch, next_match};
pub use parse::{Written, from_seconds, parse};
pub(crate) use span::swing;
pub use span::{longest_wait, span};
pub use unit::Unit;

use crate::quote::quoted;

/// Why there is no such moment, in one clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The text is neither ISO 8601 nor a number.
    #[error(
        "{} is no date: expected ISO 8601 such as 2026-03-29T09:00, or Unix seconds",
        quoted(.0)
    )]
    NoDate(String),
    /// It would lie before the year 1 or after the year 9999.
    #[error("{0} lies outside the years 1 to 9999")]
    OutOfRange(String),
    /// The tz database has no such zone.
    #[error("there is no time zone {}", quoted(.name))]
    NoZone {
        /// The name that was given.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<&'static str>,
    },
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z, in Unix milliseconds.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

/// The instant at these Unix milliseconds, if it lies in the range.
fn instant(milliseconds: i64) -> Option<DateTime<Utc>> {
    (FIRST..=LAST)
        .contains(&milliseconds)
        .then(|| DateTime::from_timestamp_millis(milliseconds))
        .flatten()
}

/// The same instant in whole milliseconds, if it lies in the range.
fn whole(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    instant(at.timestamp_millis())
}

/// The moment at which the clocks of `zone` show `local`. See the head of this file for
/// local times that are skipped or come twice.
///
/// # Errors
/// It lies outside the years 1 to 9999.
pub fn at(local: NaiveDateTime, zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
    let moment = match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(moment) => Some(moment.to_utc()),
        chrono::LocalResult::Ambiguous(one, other) => Some(one.min(other).to_utc()),
        chrono::LocalResult::None => GapInfo::new(&local, &zone)
            .and_then(|gap| gap.begin)
            .and_then(|(_, before)| local.checked_sub_offset(before.fix()))
            .map(|moment| moment.and_utc()),
    };
    moment.and_then(whole).ok_or_else(|| CalendarError::OutOfRange(local.to_string()))
}

/// A moment as people in `zone` write it: `2026-03-29 03:00 CEST`, with seconds where
/// there are any.
pub fn spell(at: DateTime<Utc>, zone: Tz) -> String {
    let seconds = if at.timestamp() % 60 == 0 { "" } else { ":%S" };
    let local = at.with_timezone(&zone);
    if !(1..9999).contains(&at.year()) {
        return local.format(&format!("%Y-%m-%d %H:%M{seconds} %Z")).to_string();
    }
    // By hand: every wait is spelled, and a format is read anew each time.
    let (date, time) = (local.date_naive(), local.time());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let seconds = if seconds.is_empty() { String::new() } else { format!(":{second:02}") };
    let zone = local.offset();
    format!(
        "{:04}-{:02}-{:02} {hour:02}:{minute:02}{seconds} {zone}",
        date.year(),
        date.month(),
        date.day()
    )
}

/// The same with the day of the week before it: `Mon 2026-05-04 09:00 CEST`.
pub fn spell_with_weekday(at: DateTime<Utc>, zone: Tz) -> String {
    format!("{} {}", crate::hours::local_day(at, zone).weekday(), spell(at, zone))
}

/// The zone of an IANA name such as `Europe/Zagreb`.
///
/// # Errors
/// [`CalendarError::NoZone`], with the name that was probably meant.
pub fn zone(name: &str) -> Result<Tz, CalendarError> {
    let name = name.trim();
    name.parse().map_err(|_| CalendarError::NoZone {
        name: name.to_owned(),
        suggestion: similar_zone(name),
    })
}

/// The zone whose name, or whose city alone, is most like `name`.
fn similar_zone(name: &str) -> Option<&'static str> {
    let name: String =
        name.chars().take(40).collect::<String>().to_lowercase().replace([' ', '-'], "_");
    let likeness = |zone: &str| {
        let zone = zone.to_lowercase().replace('-', "_");
        let city = zone.rsplit('/').next().unwrap_or(&zone);
        strsim::jaro_winkler(&name, &zone).max(strsim::jaro_winkler(&name, city))
    };
    chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone| (likeness(zone.name()), zone.name()))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .filter(|(likeness, _)| *likeness > 0.85)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes of clocks: by an hour, by half an hour, at midnight, by a day, by two hours.
    pub(super) const CHANGES: [(Tz, &str); 12] = [
        (Tz::Europe__Zagreb, "2026-03-29T01:00Z"),
        (Tz::Europe__Zagreb, "2026-10-25T01:00Z"),
        (Tz::America__New_York, "2026-03-08T07:00Z"),
        (Tz::America__New_York, "2026-11-01T06:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T15:00Z"),
        (Tz::Australia__Lord_Howe, "2026-10-03T15:30Z"),
        (Tz::America__St_Johns, "2006-10-29T02:31Z"),
        (Tz::America__Sao_Paulo, "2018-11-04T03:00Z"),
        (Tz::Pacific__Apia, "2011-12-30T10:00Z"),
        (Tz::Pacific__Kwajalein, "1993-08-21T12:00Z"),
        (Tz::Antarctica__Troll, "2026-03-29T01:00Z"),
        (Tz::America__Havana, "2026-11-01T05:00Z"),
    ];

    #[test]
    fn the_clocks_do_change_at_the_changes() {
        for (zone, change) in CHANGES {
            let after = parse(change, Tz::UTC).unwrap();
            let before = after - chrono::TimeDelta::seconds(1);
            let offset = |at: DateTime<Utc>| at.with_timezone(&zone).offset().fix();
            assert_ne!(offset(before), offset(after), "{zone} {change}");
        }
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn seen(text: &str, zone: Tz) -> String {
        spell(at(local(text), zone).unwrap(), zone)
    }

    #[test]
    fn a_time_that_the_spring_change_skips_is_an_hour_later() {
        assert_eq!(seen("2026-03-29T02:30:00", Tz::Europe__Zagreb), "2026-03-29 03:30 CEST");
        assert_eq!(seen("2026-03-29T01:59:00", Tz::Europe__Zagreb), "2026-03-29 01:59 CET");
        assert_eq!(seen("2026-03-08T02:30:00", Tz::America__New_York), "2026-03-08 03:30 EDT");
    }

    #[test]
    fn on_lord_howe_the_spring_change_skips_half_an_hour() {
        assert_eq!(seen("2026-10-04T02:10:00", Tz::Australia__Lord_Howe), "2026-10-04 02:40 +11");
    }

    #[test]
    fn a_time_that_comes_twice_is_the_earlier_one() {
        assert_eq!(seen("2026-10-25T02:30:00", Tz::Europe__Zagreb), "2026-10-25 02:30 CEST");
        assert_eq!(seen("2026-04-05T01:45:00", Tz::Australia__Lord_Howe), "2026-04-05 01:45 +11");
    }

    #[test]
    fn the_day_that_samoa_left_out_is_the_day_after() {
        assert_eq!(seen("2011-12-30T10:00:00", Tz::Pacific__Apia), "2011-12-31 10:00 +14");
    }

    #[test]
    fn a_local_time_at_the_end_of_all_time_is_an_error() {
        for time in [NaiveDateTime::MIN, NaiveDateTime::MAX, local("9999-12-31T23:30:00")] {
            assert!(at(time, Tz::America__New_York).is_err(), "{time}");
        }
    }

    #[test]
    fn seconds_are_shown_where_there_are_any() {
        let moment = at(local("2026-03-29T09:00:05"), Tz::UTC).unwrap();
        assert_eq!(spell(moment, Tz::UTC), "2026-03-29 09:00:05 UTC");
    }

    #[test]
    fn the_ends_of_what_chrono_knows_can_be_spelled() {
        for moment in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(!spell(moment, Tz::Pacific__Kiritimati).is_empty());
            assert!(!spell(moment, Tz::America__Adak).is_empty());
        }
    }

    #[test]
    fn a_mistyped_zone_is_answered_with_the_one_that_was_meant() {
        for (typed, meant) in [
            ("Europe/Zagrb", Some("Europe/Zagreb")),
            ("europe/zagreb", Some("Europe/Zagreb")),
            ("zagreb", Some("Europe/Zagreb")),
            ("New York", Some("America/New_York")),
            ("Mars/Olympus Mons", None),
            ("", None),
        ] {
            let Err(CalendarError::NoZone { suggestion, .. }) = zone(typed) else {
                panic!("{typed:?} is taken for a zone")
            };
            assert_eq!(suggestion, meant, "{typed:?}");
        }
        assert_eq!(zone("Europe/Zagreb"), Ok(Tz::Europe__Zagreb));
    }
}
