//! Moments and durations as people say them.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// The units of a duration, largest first, in milliseconds.
const UNITS: [(i64, &str); 5] =
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];

/// The two largest units of a duration: `1 h 30 min`, `3 min`, `12 s`.
pub(super) fn duration(duration: TimeDelta) -> String {
    let millis = duration.num_milliseconds().abs();
    let Some(first) = UNITS.iter().position(|(unit, _)| millis >= *unit) else {
        return "0 s".to_owned();
    };
    let mut rest = millis;
    let mut words = Vec::new();
    // Whoever waits for seconds does not care for milliseconds.
    for (unit, name) in UNITS.iter().skip(first).take(2) {
        let whole = rest / unit;
        rest %= unit;
        if whole > 0 && (words.is_empty() || *unit >= 1_000) {
            words.push(format!("{whole} {name}"));
        }
    }
    words.join(" ")
}

/// How far away a moment is, counted from `now`.
pub(super) fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if at > now {
        return duration(at - now);
    }
    // What is due is seen within a second.
    match now - at {
        late if late < TimeDelta::seconds(2) => "now".to_owned(),
        late => format!("{} overdue", duration(late)),
    }
}

/// A day: `Fri 31 Jul 2026`.
pub(super) fn day(at: DateTime<Utc>, timezone: Tz) -> String {
    at.with_timezone(&timezone).format("%a %-d %b %Y").to_string()
}

/// A time of day: `14:03:00`.
pub(super) fn time(at: DateTime<Utc>, timezone: Tz) -> String {
    at.with_timezone(&timezone).format("%H:%M:%S").to_string()
}

/// A moment: `2026-07-31 14:03:00`.
pub(super) fn moment(at: DateTime<Utc>, timezone: Tz) -> String {
    at.with_timezone(&timezone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment as it is said on the day of `seen_from`: the time, with the day if it is another.
pub(super) fn seen_from(at: DateTime<Utc>, seen_from: DateTime<Utc>, timezone: Tz) -> String {
    let same_day = day(at, timezone) == day(seen_from, timezone);
    let time = time(at, timezone);
    if same_day { time } else { format!("{}, {time}", day(at, timezone)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (millis, words) in [
            (0, "0 s"),
            (250, "250 ms"),
            (1_250, "1 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (5_400_000, "1 h 30 min"),
            (86_400_000 + 59_000, "1 d"),
            (-180_000, "3 min"),
        ] {
            assert_eq!(duration(TimeDelta::milliseconds(millis)), words, "{millis} ms");
        }
    }

    #[test]
    fn a_moment_of_another_day_names_the_day() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (zagreb, evening) = (Tz::Europe__Zagreb, at("2026-07-31T20:00:00Z"));
        assert_eq!(seen_from(at("2026-07-31T21:30:00Z"), evening, zagreb), "23:30:00");
        let next_day = seen_from(at("2026-07-31T22:30:00Z"), evening, zagreb);
        assert_eq!(next_day, "Sat 1 Aug 2026, 00:30:00");
    }
}
