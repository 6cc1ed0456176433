//! Reading a date: ISO 8601, or Unix seconds.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{CalendarError, at, instant, whole};
use crate::quote::figure;

/// Reads a moment from ISO 8601 with or without an offset, or from Unix seconds.
///
/// Without an offset it is read in `zone`; a date alone is its local midnight. `T` may be
/// a space, seconds may be left out or have a fraction, of which milliseconds count.
/// Anything that is a number is Unix seconds, `"2026"` too.
///
/// # Errors
/// The text is no date, or one outside the years 1 to 9999.
pub fn parse(text: &str, zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
    Written::read(text)?.moment(zone)
}

/// A date as it was written: what it is once it is known where.
#[derive(Debug, Clone)]
pub struct Written {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Seconds(f64),
    Local(NaiveDateTime),
    Exact(NaiveDateTime, FixedOffset),
}

impl Written {
    /// Reads a text as [`parse`] does.
    ///
    /// # Errors
    /// The text is no date.
    pub fn read(text: &str) -> Result<Self, CalendarError> {
        let text = text.trim();
        let form = match number(text) {
            Some(seconds) => Form::Seconds(seconds),
            None => match iso(text).ok_or_else(|| CalendarError::NoDate(text.to_owned()))? {
                (local, None) => Form::Local(local),
                (local, Some(offset)) => Form::Exact(local, offset),
            },
        };
        Ok(Self { text: text.to_owned(), form })
    }

    /// The moment, in `zone` if it names no offset.
    ///
    /// # Errors
    /// It lies outside the years 1 to 9999.
    pub fn moment(&self, zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
        match self.form {
            Form::Seconds(seconds) => from_seconds(seconds),
            Form::Local(local) => at(local, zone),
            Form::Exact(local, offset) => local
                .checked_sub_offset(offset)
                .and_then(|moment| whole(moment.and_utc()))
                .ok_or_else(|| CalendarError::OutOfRange(self.text.clone())),
        }
    }
}

/// The moment at these Unix seconds, to the millisecond.
///
/// # Errors
/// It lies outside the years 1 to 9999, or the number is none.
pub fn from_seconds(seconds: f64) -> Result<DateTime<Utc>, CalendarError> {
    let milliseconds = (seconds * 1000.0).round();
    // The bound keeps the cast exact; a comparison with NaN is false.
    let known = if milliseconds.abs() < 1e15 { instant(milliseconds as i64) } else { None };
    known.ok_or_else(|| {
        let hint = if instant(seconds as i64).is_some() && seconds.abs() > 1e11 {
            " (these look like milliseconds, and are read as seconds)"
        } else {
            ""
        };
        CalendarError::OutOfRange(format!("{} Unix seconds{hint}", figure(seconds)))
    })
}

/// A plain number. Rust also reads `inf` and `nan`, which are words to us.
fn number(text: &str) -> Option<f64> {
    let digits = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if text.bytes().all(digits) { text.parse().ok() } else { None }
}

fn iso(text: &str) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    let Some((day, rest)) = text.split_once(['T', 't', ' ']) else {
        return Some((date(text)?.and_time(NaiveTime::MIN), None));
    };
    let (day, (clock, offset)) = (date(day)?, split_offset(rest.trim())?);
    let clock = clock.trim_end().replace(',', ".");
    let local = if matches!(clock.as_str(), "24:00" | "24:00:00" | "2400" | "240000") {
        day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN)
    } else {
        day.and_time(time(&clock)?)
    };
    Some((local, offset))
}

/// Calendar dates, week dates and ordinal dates. Their lengths are fixed, so that no
/// half-written one is taken for another: `2026-03` is not the third day of 2026.
fn date(text: &str) -> Option<NaiveDate> {
    let known = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'W';
    if !text.bytes().all(known) {
        return None;
    }
    let formats: &[&str] = match text.len() {
        10 => &["%Y-%m-%d", "%G-W%V-%u"],
        8 => &["%Y-%j", "%Y%m%d"],
        _ => &[],
    };
    formats.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok())
}

fn time(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// Splits `02:30+02:00` into the time and its offset, if it has one. `None`: what stands
/// in the offset's place is none.
fn split_offset(text: &str) -> Option<(&str, Option<FixedOffset>)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, FixedOffset::east_opt(0)));
    }
    let Some((time, offset)) = text.rfind(['+', '-']).and_then(|sign| text.split_at_checked(sign))
    else {
        return Some((text, None));
    };
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits = offset.get(1..)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => digits.split_at_checked(2)?,
    };
    let hours = two_digits(hours)?;
    let minutes = if minutes.is_empty() { 0 } else { two_digits(minutes)? };
    if minutes > 59 {
        return None;
    }
    Some((time, Some(FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))?)))
}

fn two_digits(text: &str) -> Option<i32> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> String {
        let moment = parse(text, Tz::Europe__Zagreb).unwrap();
        moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    }

    #[test]
    fn an_offset_says_what_is_meant() {
        for text in [
            "2026-07-01T09:00:00Z",
            "2026-07-01t09:00z",
            "2026-07-01 11:00+02:00",
            "2026-07-01T11:00:00.000+0200",
            "2026-07-01T11:00:00 +02",
            "20260701T0400-0500",
            " 2026-07-01T09:00:00+00:00 ",
        ] {
            assert_eq!(utc(text), "2026-07-01T09:00:00Z", "{text}");
        }
    }

    #[test]
    fn without_an_offset_it_is_read_in_the_zone() {
        assert_eq!(utc("2026-07-01T09:00"), "2026-07-01T07:00:00Z");
        assert_eq!(utc("2026-01-01 09:00:30"), "2026-01-01T08:00:30Z");
        assert_eq!(utc("2026-W01-4T09:00"), "2026-01-01T08:00:00Z");
        assert_eq!(utc("2026-001T09:00"), "2026-01-01T08:00:00Z");
        assert_eq!(utc("2026-01-01T09:00:00,2509"), "2026-01-01T08:00:00.250Z");
    }

    #[test]
    fn a_date_alone_is_its_local_midnight() {
        assert_eq!(utc("2026-07-01"), "2026-06-30T22:00:00Z");
        assert_eq!(utc("2026-06-30T24:00"), "2026-06-30T22:00:00Z");
    }

    #[test]
    fn a_number_is_unix_seconds() {
        assert_eq!(utc("0"), "1970-01-01T00:00:00Z");
        assert_eq!(utc("1774746000"), "2026-03-29T01:00:00Z");
        assert_eq!(utc(" 1774746000.25 "), "2026-03-29T01:00:00.250Z");
        assert_eq!(utc("-1"), "1969-12-31T23:59:59Z");
        assert_eq!(utc("1.774746e9"), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn a_leap_second_is_the_second_after() {
        assert_eq!(utc("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            " ",
            "soon",
            "NaN",
            "inf",
            "-",
            "+",
            "e",
            "2026-03",
            "2026-3-9",
            "2026-02-30",
            "2026-13-01",
            "26-03-29",
            "2026-03-29T",
            "2026-03-29T25:00",
            "2026-03-29T09",
            "2026-03-29T09:00+",
            "2026-03-29T09:00+2",
            "2026-03-29T09:00+02:60",
            "2026-03-29T09:00+99:00",
            "2026-03-29Z",
            "T09:00",
            "29.03.2026",
            "03/29/2026",
            "2026-03-29T09:00:00+0ž:00",
            "٢٠٢٦-٠٣-٢٩",
            "{{date}}",
        ] {
            let answer = parse(text, Tz::Europe__Zagreb);
            assert!(matches!(answer, Err(CalendarError::NoDate(_))), "{text:?} gives {answer:?}");
        }
    }

    #[test]
    fn the_year_9999_is_in_and_the_next_is_out() {
        assert_eq!(utc("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z");
        assert_eq!(utc("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00Z");
        for text in ["9999-12-31T23:59:59-01:00", "0000-12-31T00:00Z", "253402300800", "1e300"] {
            let answer = parse(text, Tz::Europe__Zagreb);
            assert!(matches!(answer, Err(CalendarError::OutOfRange(_))), "{text} gives {answer:?}");
        }
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN] {
            assert!(from_seconds(seconds).is_err(), "{seconds}");
        }
    }

    #[test]
    fn milliseconds_taken_for_seconds_are_recognised() {
        let error = parse("1774746000000", Tz::UTC).unwrap_err().to_string();
        assert!(error.contains("look like milliseconds"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = parse(&text, Tz::Australia__Lord_Howe);
        }

        #[test]
        fn anything_like_a_date_is_answered(text in "[-+]?[0-9]{1,6}-?[0-9W]{1,3}-?[0-9]{0,2}[T ]?[0-9:.,]{0,12}[-+Z]?[0-9:]{0,5}") {
            let _ = parse(&text, Tz::America__New_York);
        }

        #[test]
        fn any_number_is_answered(seconds in any::<f64>()) {
            let _ = from_seconds(seconds);
        }

        #[test]
        fn what_is_written_is_read_again(ms in super::super::FIRST..=super::super::LAST) {
            let moment = instant(ms).unwrap();
            prop_assert_eq!(parse(&moment.to_rfc3339(), Tz::Europe__Zagreb), Ok(moment));
        }
    }
}
