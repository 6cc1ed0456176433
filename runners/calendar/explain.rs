//! The arithmetic of a wait, in words: what was added to what, and what the clocks did
//! meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{
    CalendarError, Unit, add,
    matching::{REACH, next_change, offset},
    spell,
    unit::Measure,
};

/// How far a change of clocks is looked for: a year has two, where it has any.
const MOST_HOPS: usize = 200;

/// How one comes from `from` to the moment `amount` units later, in one sentence without a
/// full stop.
///
/// # Errors
/// As for [`add()`].
pub fn sum(
    from: DateTime<Utc>,
    amount: f64,
    unit: Unit,
    zone: Tz,
) -> Result<String, CalendarError> {
    let end = add(from, amount, unit, zone)?;
    let (first, last) = (spell(from, zone), spell(end, zone));
    let start = format!("{} from {first}", unit.spell(amount));
    let (before, after) = (from.with_timezone(&zone), end.with_timezone(&zone));
    let is_calendar = !matches!(unit.measure(amount), Measure::Milliseconds(_));
    if !is_calendar {
        return Ok(match clocks_between(from, end, zone) {
            Some(clocks) => format!("{start} pass by {last} on the wall clock, since {clocks}"),
            None => format!("{start}: {last}"),
        });
    }
    let Some(clocks) = clocks_between(from, end, zone) else {
        return Ok(format!("{start}: {last}"));
    };
    let later = hours(end - from);
    Ok(if before.time() == after.time() {
        format!("{start} keeps the wall clock: {last}, {later} later, since {clocks}")
    } else {
        let time = before.format("%H:%M");
        format!("{start}: {last}, {later} later, since {clocks} and skip {time}")
    })
}

/// `the clocks go forward by 1 hour on 2026-03-29`, if they show another offset from UTC at
/// `to` than at `from`.
pub fn clocks_between(from: DateTime<Utc>, to: DateTime<Utc>, zone: Tz) -> Option<String> {
    let by = offset(to, zone) - offset(from, zone);
    if by == TimeDelta::zero() {
        return None;
    }
    let way = if by > TimeDelta::zero() { "forward" } else { "back" };
    let mut place = from;
    let mut on = String::new();
    for _ in 0..MOST_HOPS {
        if let Some(change) = next_change(place, zone) {
            on = format!(" on {}", change.with_timezone(&zone).format("%Y-%m-%d"));
            break;
        }
        place = place.checked_add_signed(REACH).filter(|place| *place <= to)?;
    }
    Some(format!("the clocks go {way} by {}{on}", hours(by.abs())))
}

/// `47 hours`, `1 hour`, `30 minutes`.
fn hours(length: TimeDelta) -> String {
    let minutes = length.num_minutes();
    if minutes % 60 != 0 && minutes < 60 {
        return Unit::Minutes.spell(minutes as f64);
    }
    // To two digits: 23.5 hours; nobody counts the seconds of a week.
    Unit::Hours.spell((minutes as f64 / 60.0 * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse;

    const ZAGREB: Tz = Tz::Europe__Zagreb;

    fn told(from: &str, amount: f64, unit: Unit, zone: Tz) -> String {
        sum(parse(from, zone).unwrap(), amount, unit, zone).unwrap()
    }

    #[test]
    fn two_days_across_the_spring_change_are_47_hours() {
        assert_eq!(
            told("2026-03-28T09:00", 2.0, Unit::Days, ZAGREB),
            "2 days from 2026-03-28 09:00 CET keeps the wall clock: 2026-03-30 09:00 CEST, \
             47 hours later, since the clocks go forward by 1 hour on 2026-03-29"
        );
        assert_eq!(
            told("2026-10-24T09:00", 1.0, Unit::Days, ZAGREB),
            "1 day from 2026-10-24 09:00 CEST keeps the wall clock: 2026-10-25 09:00 CET, \
             25 hours later, since the clocks go back by 1 hour on 2026-10-25"
        );
    }

    #[test]
    fn hours_pass_whatever_the_clocks_show() {
        assert_eq!(
            told("2026-03-28T09:00", 24.0, Unit::Hours, ZAGREB),
            "24 hours from 2026-03-28 09:00 CET pass by 2026-03-29 10:00 CEST on the wall clock, \
             since the clocks go forward by 1 hour on 2026-03-29"
        );
        assert_eq!(
            told("2026-05-04T09:00", 3.0, Unit::Minutes, ZAGREB),
            "3 minutes from 2026-05-04 09:00 CEST: 2026-05-04 09:03 CEST"
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_said() {
        assert_eq!(
            told("2026-03-28T02:30", 1.0, Unit::Days, ZAGREB),
            "1 day from 2026-03-28 02:30 CET: 2026-03-29 03:30 CEST, 24 hours later, since the \
             clocks go forward by 1 hour on 2026-03-29 and skip 02:30"
        );
    }

    #[test]
    fn on_lord_howe_it_is_half_an_hour_and_in_a_year_nothing() {
        let lord_howe = Tz::Australia__Lord_Howe;
        assert!(told("2026-10-03T09:00", 1.0, Unit::Days, lord_howe).ends_with(
            "23.5 hours later, since the clocks go forward by 30 minutes on 2026-10-04"
        ));
        assert_eq!(
            told("2026-01-31T09:00", 1.0, Unit::Months, ZAGREB),
            "1 month from 2026-01-31 09:00 CET: 2026-02-28 09:00 CET"
        );
    }

    #[test]
    fn the_longest_wait_is_told_in_no_time() {
        let far = told("2026-01-31T09:00", 7_000.0, Unit::Years, ZAGREB);
        assert!(far.starts_with("7000 years from 2026-01-31 09:00 CET"), "{far}");
    }
}
