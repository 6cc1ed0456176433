//! Lengths of time and small phrases, as the sentences say them.

use chrono::TimeDelta;

/// The units of a length, largest first, in seconds.
const UNITS: [(i64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// The two largest units of a length: `1 hour 30 minutes`, `3 minutes`.
pub(super) fn length(length: TimeDelta) -> String {
    let seconds = length.num_seconds().abs();
    let Some(first) = UNITS.iter().position(|(unit, _)| seconds >= *unit) else {
        return "less than a second".to_owned();
    };
    let mut rest = seconds;
    let mut words = Vec::new();
    for (unit, name) in UNITS.iter().skip(first).take(2) {
        let whole = rest / unit;
        rest %= unit;
        if whole > 0 {
            words.push(count(usize::try_from(whole).unwrap_or(usize::MAX), name));
        }
    }
    words.join(" ")
}

/// `1 call`, `2 calls`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `1st`, `2nd`, `11th`.
pub(super) fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// What a delivery on a channel is called.
pub(super) fn noun(channel: &str) -> &str {
    match channel {
        "phone" => "call",
        "sms" => "text",
        "email" => "mail",
        "pubnub" => "publication",
        // The channel of a runner that lives elsewhere bears its name.
        _ => "request",
    }
}

/// The same with a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + chars.as_str()
}

/// At most so many characters of it: a message may quote anything.
pub(super) fn clipped(text: &str) -> String {
    const MOST: usize = 500;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "less than a second"),
            (1, "1 second"),
            (90, "1 minute 30 seconds"),
            (7_200, "2 hours"),
            (86_400 + 59, "1 day"),
            (2 * 86_400 + 3_600, "2 days 1 hour"),
        ] {
            assert_eq!(length(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn stays_are_counted_as_people_count() {
        let all: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 113].map(ordinal).into();
        assert_eq!(
            all,
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "113th"]
        );
    }
}
