//! Adding an amount of a unit to a moment.

use chrono::{DateTime, Months, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{CalendarError, Unit, at, instant, unit::Measure, whole};
use crate::quote::figure;

/// The moment `amount` units after `from`.
///
/// Days and longer units are counted on the calendar of `zone` and keep the wall clock,
/// so that a day may last 23 or 25 hours; a month from the 31st ends on the last day of
/// a shorter month. Hours and shorter units are exact. As in Moment, a fraction of a day
/// or of a month is rounded, halves away from zero (1.5 weeks are 11 days); fractions of
/// an hour and below count, to the millisecond. No amount at all changes nothing.
///
/// # Errors
/// The result lies outside the years 1 to 9999, or the amount is no number.
pub fn add(
    from: DateTime<Utc>,
    amount: f64,
    unit: Unit,
    zone: Tz,
) -> Result<DateTime<Utc>, CalendarError> {
    let out_of_range =
        || CalendarError::OutOfRange(format!("{} {} after {from}", figure(amount), unit.plural()));
    let from = whole(from).ok_or_else(out_of_range)?;
    let local = || from.with_timezone(&zone).naive_local();
    let later = match unit.measure(amount) {
        Measure::Milliseconds(count) => {
            let count = bounded(count).ok_or_else(out_of_range)?;
            return instant(from.timestamp_millis().saturating_add(count)).ok_or_else(out_of_range);
        }
        Measure::Days(count) => match bounded(count).ok_or_else(out_of_range)? {
            0 => return Ok(from),
            count => TimeDelta::try_days(count).and_then(|days| local().checked_add_signed(days)),
        },
        Measure::Months(count) => match bounded(count).ok_or_else(out_of_range)? {
            0 => return Ok(from),
            count => add_months(local(), count),
        },
    };
    at(later.ok_or_else(out_of_range)?, zone).map_err(|_| out_of_range())
}

/// The nearest whole number, if it is one that could stay within the range at all.
fn bounded(count: f64) -> Option<i64> {
    let count = count.round();
    // A cast below this bound is exact; a comparison with NaN is false.
    if count.abs() < 1e15 { Some(count as i64) } else { None }
}

fn add_months(local: NaiveDateTime, count: i64) -> Option<NaiveDateTime> {
    let months = Months::new(u32::try_from(count.unsigned_abs()).ok()?);
    if count < 0 { local.checked_sub_months(months) } else { local.checked_add_months(months) }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, LocalResult, TimeZone, Timelike};
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{parse, spell, tests::CHANGES};

    const ZAGREB: Tz = Tz::Europe__Zagreb;

    fn sum(from: &str, amount: f64, unit: Unit, zone: Tz) -> String {
        spell(add(parse(from, zone).unwrap(), amount, unit, zone).unwrap(), zone)
    }

    #[test]
    fn a_day_across_the_spring_change_ends_at_the_same_wall_clock() {
        assert_eq!(sum("2026-03-28T09:00", 1.0, Unit::Days, ZAGREB), "2026-03-29 09:00 CEST");
        assert_eq!(sum("2026-10-24T09:00", 1.0, Unit::Days, ZAGREB), "2026-10-25 09:00 CET");
        assert_eq!(sum("2026-03-28T09:00", 24.0, Unit::Hours, ZAGREB), "2026-03-29 10:00 CEST");
    }

    #[test]
    fn a_day_that_ends_inside_the_gap_ends_an_hour_later() {
        assert_eq!(sum("2026-03-28T02:30", 1.0, Unit::Days, ZAGREB), "2026-03-29 03:30 CEST");
    }

    #[test]
    fn the_31st_clamps() {
        assert_eq!(sum("2026-01-31T09:00", 1.0, Unit::Months, ZAGREB), "2026-02-28 09:00 CET");
        assert_eq!(sum("2028-01-31T09:00", 1.0, Unit::Months, ZAGREB), "2028-02-29 09:00 CET");
        assert_eq!(sum("2028-02-29T09:00", 1.0, Unit::Years, ZAGREB), "2029-02-28 09:00 CET");
        assert_eq!(sum("2026-05-31T09:00", 1.0, Unit::Quarters, ZAGREB), "2026-08-31 09:00 CEST");
    }

    #[test]
    fn fractions_of_a_day_are_rounded_as_in_moment_and_those_of_an_hour_count() {
        assert_eq!(sum("2026-01-01T09:00", 1.5, Unit::Weeks, ZAGREB), "2026-01-12 09:00 CET");
        assert_eq!(sum("2026-01-01T09:00", 0.4, Unit::Days, ZAGREB), "2026-01-01 09:00 CET");
        assert_eq!(sum("2026-01-01T09:00", 0.5, Unit::Years, ZAGREB), "2026-07-01 09:00 CEST");
        assert_eq!(sum("2026-01-01T09:00", 1.5, Unit::Hours, ZAGREB), "2026-01-01 10:30 CET");
    }

    #[test]
    fn nothing_added_changes_nothing_even_in_the_second_of_two_equal_hours() {
        let second = parse("2026-10-25T02:30+01:00", ZAGREB).unwrap();
        for unit in Unit::ALL {
            assert_eq!(add(second, 0.0, unit, ZAGREB), Ok(second), "{unit:?}");
        }
    }

    #[test]
    fn amounts_beyond_all_time_are_errors() {
        let now = parse("2026-01-01", ZAGREB).unwrap();
        for unit in Unit::ALL {
            for amount in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300, -1e300, 1e15, -1e15] {
                assert!(add(now, amount, unit, ZAGREB).is_err(), "{amount} {unit:?}");
            }
            assert!(add(DateTime::<Utc>::MAX_UTC, 1.0, unit, ZAGREB).is_err());
            assert!(add(DateTime::<Utc>::MIN_UTC, 1.0, unit, ZAGREB).is_err());
        }
    }

    fn zones() -> impl Strategy<Value = Tz> {
        prop::sample::select(vec![
            Tz::Europe__Zagreb,
            Tz::America__New_York,
            Tz::Australia__Lord_Howe,
            Tz::Pacific__Apia,
        ])
    }

    fn units() -> impl Strategy<Value = Unit> {
        prop::sample::select(Unit::ALL.to_vec())
    }

    /// A zone, a moment and a number of days, which after it lead to within three hours of
    /// a change of clocks.
    fn days_to_a_change() -> impl Strategy<Value = (Tz, DateTime<Utc>, i32)> {
        (prop::sample::select(CHANGES.to_vec()), -10_800_i64..10_800, 1_i32..800).prop_map(
            |((zone, change), seconds, days)| {
                let change = parse(change, Tz::UTC).unwrap() + TimeDelta::seconds(seconds);
                (zone, change - TimeDelta::days(days.into()), days)
            },
        )
    }

    fn moments() -> impl Strategy<Value = DateTime<Utc>> {
        (631_152_000_i64..2_840_140_800).prop_map(|s| DateTime::from_timestamp(s, 0).unwrap())
    }

    proptest! {
        #[test]
        fn days_keep_the_wall_clock_where_it_exists((zone, from, days) in days_to_a_change()) {
            let was = from.with_timezone(&zone).naive_local();
            let wanted = was + TimeDelta::days(days.into());
            let is = add(from, days.into(), Unit::Days, zone).unwrap();
            let shown = is.with_timezone(&zone).naive_local();
            if zone.from_local_datetime(&wanted) == LocalResult::None {
                prop_assert!(shown > wanted, "{} is before {}", shown, wanted);
            } else {
                prop_assert_eq!(shown, wanted);
            }
        }

        #[test]
        fn months_keep_the_day_or_clamp_to_the_last(
            from in moments(), months in 1_i32..240, zone in zones(),
        ) {
            let was = from.with_timezone(&zone).naive_local();
            let is = add(from, months.into(), Unit::Months, zone).unwrap();
            let shown = is.with_timezone(&zone).naive_local();
            let count = |at: NaiveDateTime| i64::from(at.year()) * 12 + i64::from(at.month0());
            prop_assert_eq!(count(shown), count(was) + i64::from(months));
            let next_day = shown.date().succ_opt().unwrap();
            prop_assert!(
                shown.day() == was.day() || next_day.day() == 1 || shown.hour() != was.hour(),
                "{} after {}", shown, was
            );
        }

        #[test]
        fn hours_pass_exactly(from in moments(), hours in 0_i32..100_000, zone in zones()) {
            let is = add(from, hours.into(), Unit::Hours, zone).unwrap();
            prop_assert_eq!(is - from, TimeDelta::hours(hours.into()));
        }

        #[test]
        fn more_is_never_earlier(
            from in moments(), one in 0_u16..2000, other in 0_u16..2000,
            unit in units(), zone in zones(),
        ) {
            let (less, more) = (one.min(other), one.max(other));
            let sooner = add(from, less.into(), unit, zone).unwrap();
            let later = add(from, more.into(), unit, zone).unwrap();
            prop_assert!(from <= sooner && sooner <= later);
        }

        #[test]
        fn anything_added_to_any_moment_is_answered(
            ms in any::<i64>(), amount in any::<f64>(), unit in units(), zone in zones(),
        ) {
            let from = DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC);
            let _ = add(from, amount, unit, zone);
        }
    }
}
