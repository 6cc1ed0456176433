//! Moments and durations as people say them.

use chrono::{DateTime, LocalResult, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
pub(super) use rungs_core::bounds::duration;

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
    shown(at, timezone, "%H:%M:%S")
}

/// A moment: `2026-07-31 14:03:00`.
pub(super) fn moment(at: DateTime<Utc>, timezone: Tz) -> String {
    shown(at, timezone, "%Y-%m-%d %H:%M:%S")
}

/// With its offset, where the clocks show the same time twice.
fn shown(at: DateTime<Utc>, timezone: Tz, format: &str) -> String {
    let local = at.with_timezone(&timezone);
    let twice = timezone.from_local_datetime(&local.naive_local());
    let offset = if let LocalResult::Ambiguous(..) = twice { "%:z" } else { "" };
    local.format(&format!("{format}{offset}")).to_string()
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
    fn a_moment_of_another_day_names_the_day() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (zagreb, evening) = (Tz::Europe__Zagreb, at("2026-07-31T20:00:00Z"));
        assert_eq!(seen_from(at("2026-07-31T21:30:00Z"), evening, zagreb), "23:30:00");
        let next_day = seen_from(at("2026-07-31T22:30:00Z"), evening, zagreb);
        assert_eq!(next_day, "Sat 1 Aug 2026, 00:30:00");
        let twice = ["2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z"].map(|it| time(at(it), zagreb));
        assert_eq!(twice, ["02:15:00+02:00", "02:15:00+01:00"]);
    }
}
