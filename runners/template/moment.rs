//! Moment's date formats, in English; `vectors/dates.tsv` holds them to Moment's own.
//!
//! Left out: `N`, the era, and `y`, the year in it.

use std::fmt::Write;

use chrono::{
    DateTime, Datelike, Offset, Timelike, Weekday,
    format::{Item, StrftimeItems},
};
use chrono_tz::Tz;

use crate::quote::quoted;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Formats that stand for longer ones, the longest first.
const LONG: [(&str, &str); 10] = [
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

/// Tokens, of each letter the longest first.
const TOKENS: [&str; 59] = [
    "Hmmss", "hmmss", "Hmm", "hmm", "HH", "H", "hh", "h", "kk", "k", "mm", "m", "ss", "s", "MMMM",
    "MMM", "MM", "Mo", "M", "DDDo", "DDDD", "DDD", "DD", "Do", "D", "dddd", "ddd", "dd", "do", "d",
    "wo", "ww", "w", "Wo", "WW", "W", "Qo", "Q", "YYYYYY", "YYYYY", "YYYY", "YY", "Y", "ggggg",
    "gggg", "gg", "GGGGG", "GGGG", "GG", "e", "E", "a", "A", "x", "X", "zz", "z", "ZZ", "Z",
];

/// A moment as Moment's `format` writes it.
pub(super) fn format(at: &DateTime<Tz>, format: &str) -> String {
    let mut text = String::new();
    write_all(at, format, true, &mut text);
    text
}

fn write_all(at: &DateTime<Tz>, format: &str, long: bool, text: &mut String) {
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some((literal, after)) = bracketed(rest) {
            text.push_str(literal);
            rest = after;
        } else if let Some((long, after)) = long.then(|| long_format(rest)).flatten() {
            write_all(at, long, false, text);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('\\') {
            let (literal, after) = escaped(after);
            text.push_str(literal);
            rest = after;
        } else if let Some(token) = token(rest) {
            write_token(at, token, text);
            rest = &rest[token.len()..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
}

/// `[literal]`, up to the last bracket that closes before the next one opens.
fn bracketed(format: &str) -> Option<(&str, &str)> {
    let inside = format.strip_prefix('[')?;
    let until = inside.find('[').unwrap_or(inside.len());
    let end = inside.get(..until)?.rfind(']')?;
    Some((inside.get(..end)?, inside.get(end + 1..)?))
}

/// What follows a backslash stands for itself: a whole token, or one character.
fn escaped(format: &str) -> (&str, &str) {
    let long = || LONG.iter().map(|(short, _)| *short).find(|short| format.starts_with(short));
    let length = match token(format).or_else(long) {
        Some(token) => token.len(),
        None => format.chars().next().map_or(0, char::len_utf8),
    };
    format.split_at_checked(length).unwrap_or((format, ""))
}

fn long_format(format: &str) -> Option<(&'static str, &str)> {
    LONG.iter().find_map(|(short, long)| Some((*long, format.strip_prefix(short)?)))
}

fn token(format: &str) -> Option<&str> {
    if format.starts_with('S') {
        let length = format.bytes().take(9).take_while(|byte| *byte == b'S').count();
        return format.get(..length);
    }
    TOKENS
        .iter()
        .find(|token| format.starts_with(**token))
        .and_then(|token| format.get(..token.len()))
}

fn write_token(at: &DateTime<Tz>, token: &str, text: &mut String) {
    let hour = at.hour();
    let (_, twelve) = at.hour12();
    let sunday = at.weekday().num_days_from_sunday();
    let monday = at.weekday().number_from_monday();
    // Writing to a string cannot fail.
    let _ = match token {
        "YYYYYY" => write!(text, "{:+07}", at.year()),
        "Y" | "YYYY" => write!(text, "{:04}", at.year()),
        "YYYYY" => write!(text, "{:05}", at.year()),
        "YY" => write!(text, "{:02}", at.year() % 100),
        "Q" => write!(text, "{}", at.month0() / 3 + 1),
        "Qo" => ordinal(at.month0() / 3 + 1, text),
        "MMMM" => write!(text, "{}", month(at)),
        "MMM" => write!(text, "{:.3}", month(at)),
        "M" | "MM" => padded(at.month(), token, text),
        "Mo" => ordinal(at.month(), text),
        "D" | "DD" => padded(at.day(), token, text),
        "Do" => ordinal(at.day(), text),
        "DDD" => write!(text, "{}", at.ordinal()),
        "DDDD" => write!(text, "{:03}", at.ordinal()),
        "DDDo" => ordinal(at.ordinal(), text),
        "dddd" => write!(text, "{}", day(at)),
        "ddd" => write!(text, "{:.3}", day(at)),
        "dd" => write!(text, "{:.2}", day(at)),
        "d" | "e" => write!(text, "{sunday}"),
        "do" => ordinal(sunday, text),
        "E" => write!(text, "{monday}"),
        "w" | "ww" => padded(week(at).1, token, text),
        "wo" => ordinal(week(at).1, text),
        "gg" => write!(text, "{:02}", week(at).0 % 100),
        "gggg" => write!(text, "{:04}", week(at).0),
        "ggggg" => write!(text, "{:05}", week(at).0),
        "W" | "WW" => padded(at.iso_week().week(), token, text),
        "Wo" => ordinal(at.iso_week().week(), text),
        "GG" => write!(text, "{:02}", at.iso_week().year() % 100),
        "GGGG" => write!(text, "{:04}", at.iso_week().year()),
        "GGGGG" => write!(text, "{:05}", at.iso_week().year()),
        "a" => write!(text, "{}", if hour < 12 { "am" } else { "pm" }),
        "A" => write!(text, "{}", if hour < 12 { "AM" } else { "PM" }),
        "H" | "HH" => padded(hour, token, text),
        "h" | "hh" => padded(twelve, token, text),
        "k" | "kk" => padded(if hour == 0 { 24 } else { hour }, token, text),
        "m" | "mm" => padded(at.minute(), token, text),
        "s" | "ss" => padded(at.second(), token, text),
        "Hmm" => write!(text, "{hour}{:02}", at.minute()),
        "hmm" => write!(text, "{twelve}{:02}", at.minute()),
        "Hmmss" => write!(text, "{hour}{:02}{:02}", at.minute(), at.second()),
        "hmmss" => write!(text, "{twelve}{:02}{:02}", at.minute(), at.second()),
        "X" => write!(text, "{}", at.timestamp()),
        "x" => write!(text, "{}", at.timestamp_millis()),
        "z" | "zz" => write!(text, "{}", at.format("%Z")),
        "Z" => offset(at, ":", text),
        "ZZ" => offset(at, "", text),
        fraction => write_fraction(at, fraction.len(), text),
    };
}

/// A number with as many digits as its token has letters.
fn padded(number: u32, token: &str, text: &mut String) -> std::fmt::Result {
    write!(text, "{number:0width$}", width = token.len())
}

fn ordinal(number: u32, text: &mut String) -> std::fmt::Result {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    write!(text, "{number}{suffix}")
}

fn month(at: &DateTime<Tz>) -> &'static str {
    MONTHS.get(at.month0() as usize).unwrap_or(&"")
}

fn day(at: &DateTime<Tz>) -> &'static str {
    DAYS.get(at.weekday().num_days_from_sunday() as usize).unwrap_or(&"")
}

/// The year and number of the week in English: weeks begin on Sunday, and the first is the
/// one with January 1st in it.
fn week(at: &DateTime<Tz>) -> (i32, u32) {
    let to_saturday = Weekday::Sat.days_since(at.weekday());
    let days = if at.date_naive().leap_year() { 366 } else { 365 };
    if at.ordinal() + to_saturday > days {
        return (at.year() + 1, 1);
    }
    (at.year(), (at.ordinal() + to_saturday).div_ceil(7))
}

fn offset(at: &DateTime<Tz>, colon: &str, text: &mut String) -> std::fmt::Result {
    let minutes = at.offset().fix().local_minus_utc() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    write!(text, "{sign}{:02}{colon}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// The fraction of a second, of which milliseconds are known.
fn write_fraction(at: &DateTime<Tz>, digits: usize, text: &mut String) -> std::fmt::Result {
    let fraction = format!("{:03}000000", at.timestamp_subsec_millis().min(999));
    write!(text, "{}", fraction.get(..digits).unwrap_or_default())
}

/// The items of a strftime format.
///
/// # Errors
/// One of its specifiers is none.
pub(super) fn strftime(format: &str) -> Result<Vec<Item<'_>>, String> {
    StrftimeItems::new(format)
        .parse()
        .map_err(|_| format!("{} is no strftime format", quoted(format)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{calendar, lodash::vectors};

    #[test]
    fn every_row_of_moments_own_table_is_equal() {
        let mut wrong = Vec::new();
        let mut rows = 0;
        for [zone, seconds, pattern, expected] in
            vectors::rows(include_str!("../vectors/dates.tsv"))
        {
            let at = calendar::from_seconds(seconds.parse().unwrap()).unwrap();
            let pattern = vectors::json(pattern);
            let text = format(
                &at.with_timezone(&calendar::zone(zone).unwrap()),
                pattern.as_str().unwrap(),
            );
            if vectors::json(expected) != text {
                wrong.push(format!("{zone} {seconds} {pattern}: {text}, not {expected}"));
            }
            rows += 1;
        }
        assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
        assert!(rows > 2_000, "{rows} rows");
    }

    proptest::proptest! {
        #[test]
        fn any_format_is_written(seconds in -62e9..254e9, pattern in r"[\\\[\]%A-Za-zč ]{0,12}") {
            if let Ok(at) = calendar::from_seconds(seconds) {
                let at = at.with_timezone(&Tz::Pacific__Kiritimati);
                format(&at, &pattern);
                if let Ok(items) = strftime(&pattern) {
                    let _ = at.format_with_items(items.iter()).to_string();
                }
            }
        }
    }
}
