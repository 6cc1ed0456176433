//! How long an amount of a unit can last, and how long it can be until an attribute matches,
//! whatever the moment from which it is counted.
//!
//! Promises: never too narrow for moments from 2020 on. A day lasts 24 hours, and longer or
//! shorter by what the clocks of the zone change; where the zone is not known, by as much as
//! they change anywhere.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::{Attribute, Unit, unit::Measure};

/// The most by which the clocks of a zone change: two hours, at Troll in Antarctica.
const WIDEST: TimeDelta = TimeDelta::hours(2);

/// From when on zones are looked at, and for how many fortnights.
const SINCE: i64 = 1_577_836_800;
const FORTNIGHTS: i64 = 26 * 20;

/// The shortest and the longest time that `amount` units can last. `None` if that is no
/// amount, or nobody gets as old.
pub fn span(amount: f64, unit: Unit, zone: Option<Tz>) -> Option<(TimeDelta, TimeDelta)> {
    if !(0.0..1e15).contains(&amount) {
        return None;
    }
    let days = |count: f64| (count < 3_700_000.0).then_some(count.round() as i64);
    let (least, most) = match unit.measure(amount) {
        Measure::Milliseconds(count) => {
            let exact = (count < 1e15).then_some(count)?;
            return Some((
                TimeDelta::milliseconds(exact.floor() as i64),
                TimeDelta::milliseconds(exact.ceil() as i64),
            ));
        }
        Measure::Days(count) => (days(count)?, days(count)?),
        Measure::Months(count) => of_months(u32::try_from(days(count)?).ok()?),
    };
    if most == 0 {
        return Some((TimeDelta::zero(), TimeDelta::zero()));
    }
    let swing = swing(zone);
    let least = (TimeDelta::days(least) - swing).max(TimeDelta::zero());
    Some((least, TimeDelta::days(most) + swing))
}

/// How many days `count` months can have.
fn of_months(count: u32) -> (i64, i64) {
    let (years, rest) = (i64::from(count / 12), Months::new(count % 12));
    // Each month of four years, one of which has a leap day. Up to the 28th, all days of a month
    // are alike.
    let months = (2023..2027).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let starts = months.flat_map(|(year, month)| {
        [1, 29, 30, 31].into_iter().filter_map(move |day| NaiveDate::from_ymd_opt(year, month, day))
    });
    let lengths =
        starts.filter_map(|from| Some((from.checked_add_months(rest)? - from).num_days()));
    let (least, most) = if count.is_multiple_of(12) {
        (0, 0)
    } else {
        lengths.fold((i64::MAX, 0), |(least, most), days| (least.min(days), most.max(days)))
    };
    let (fewest, mostly) = match years {
        0 => (0, 0),
        _ => ((years / 4 - years / 100 - 1).max(0), years / 4 + 1),
    };
    (least + 365 * years + fewest, most + 365 * years + mostly)
}

/// The longest time until `attribute` is one of `values`, from a moment at which it is not.
/// `None` where that depends on the year, or it never is.
pub fn longest_wait(attribute: Attribute, values: &[i64], zone: Option<Tz>) -> Option<TimeDelta> {
    let swing = swing(zone);
    let range = attribute.range();
    match attribute {
        Attribute::Year => None,
        Attribute::Minute | Attribute::Hour => {
            let (unit, larger) = match attribute {
                Attribute::Hour => (TimeDelta::hours(1), TimeDelta::hours(24)),
                _ => (TimeDelta::minutes(1), TimeDelta::hours(1)),
            };
            let matching: Vec<bool> = range.map(|value| values.contains(&value)).collect();
            let without = runs(&matching, false)?.into_iter().max().unwrap_or(0);
            let with = runs(&matching, true).and_then(|runs| runs.into_iter().min());
            // Where the clocks go forward, all that matches may be left out of a day.
            let is_skipped = with.is_some_and(|with| unit * with <= swing);
            let again = if is_skipped { larger } else { TimeDelta::zero() };
            Some(unit * without + again + swing)
        }
        Attribute::Day => {
            let matching: Vec<bool> = range.map(|value| values.contains(&value)).collect();
            let without = runs(&matching, false)?.into_iter().max().unwrap_or(0);
            Some(TimeDelta::days(without.into()) + swing)
        }
        // Within three years lies every wait there is, those with a leap day as well.
        Attribute::Month | Attribute::Date => {
            let possible: Vec<bool> = (0..=31).map(|value| values.contains(&value)).collect();
            let first = NaiveDate::from_ymd_opt(2023, 1, 1)?;
            let days = (0..3 * 366).filter_map(|day| first.checked_add_days(Days::new(day)));
            let matching: Vec<bool> = days
                .map(|day| {
                    let value =
                        if attribute == Attribute::Month { day.month0() } else { day.day() };
                    possible.get(value as usize) == Some(&true)
                })
                .collect();
            let without = matching.split(|matches| *matches).map(<[bool]>::len).max();
            let days = i64::try_from(without.unwrap_or(0)).ok()?;
            matching.contains(&true).then(|| TimeDelta::days(days) + swing)
        }
    }
}

/// The lengths of the runs of `value`, the list taken as a ring; `None` if there is nothing
/// else.
fn runs(matching: &[bool], value: bool) -> Option<Vec<i32>> {
    let start = matching.iter().position(|matches| *matches != value)?;
    let mut runs = Vec::new();
    let mut run = 0;
    for matches in matching.iter().cycle().skip(start).take(matching.len() + 1) {
        if *matches == value {
            run += 1;
        } else if run > 0 {
            runs.push(std::mem::take(&mut run));
        }
    }
    Some(runs)
}

/// By how much the offset of a zone from UTC changes at most; found once for each.
pub(crate) fn swing(zone: Option<Tz>) -> TimeDelta {
    static KNOWN: Mutex<BTreeMap<&'static str, TimeDelta>> = Mutex::new(BTreeMap::new());
    let Some(zone) = zone else { return WIDEST };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(zone.name()).or_insert_with(|| {
        let moments =
            (0..FORTNIGHTS).filter_map(|at| DateTime::from_timestamp(SINCE + at * 14 * 86_400, 0));
        let offsets = moments.map(|at| {
            i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc())
        });
        let (least, most) =
            offsets.fold((i64::MAX, i64::MIN), |(least, most), at| (least.min(at), most.max(at)));
        TimeDelta::seconds(most.saturating_sub(least).max(0))
    })
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{NextMatch, add, next_match, parse, tests::CHANGES};

    fn hours(amount: f64, unit: Unit, zone: Option<Tz>) -> (i64, i64) {
        let (least, most) = span(amount, unit, zone).unwrap();
        (least.num_hours(), most.num_hours())
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_make_it_and_a_month_as_its_days() {
        let (utc, zagreb) = (Some(Tz::UTC), Some(Tz::Europe__Zagreb));
        assert_eq!(hours(1.0, Unit::Days, utc), (24, 24));
        assert_eq!(hours(1.0, Unit::Days, zagreb), (23, 25));
        assert_eq!(hours(2.0, Unit::Weeks, None), (14 * 24 - 2, 14 * 24 + 2));
        assert_eq!(hours(36.0, Unit::Hours, None), (36, 36));
        assert_eq!(hours(1.0, Unit::Months, utc), (28 * 24, 31 * 24));
        assert_eq!(hours(1.0, Unit::Quarters, utc), (89 * 24, 92 * 24));
        assert_eq!(hours(1.0, Unit::Years, utc), (365 * 24, 366 * 24));
        assert_eq!(hours(0.0, Unit::Months, None), (0, 0));
        for amount in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(span(amount, Unit::Years, None), None, "{amount}");
        }
    }

    #[test]
    fn the_longest_wait_is_that_between_the_values() {
        let utc = Some(Tz::UTC);
        for (attribute, values, hours) in [
            (Attribute::Hour, &[9][..], 23),
            (Attribute::Hour, &[9, 10, 11, 12, 13, 14, 15, 16], 16),
            (Attribute::Day, &[1, 2, 3, 4, 5], 48),
            (Attribute::Day, &[0], 6 * 24),
            (Attribute::Date, &[31], 60 * 24),
            (Attribute::Month, &[0], 335 * 24),
            (Attribute::Hour, &(0..24).collect::<Vec<_>>(), 0),
        ] {
            let found = longest_wait(attribute, values, utc).unwrap();
            assert_eq!(found.num_hours(), hours, "{attribute:?} {values:?}");
        }
        assert_eq!(longest_wait(Attribute::Minute, &[0], utc), Some(TimeDelta::minutes(59)));
        assert_eq!(longest_wait(Attribute::Year, &[2030], utc), None);
        assert_eq!(longest_wait(Attribute::Hour, &[], utc), None);
    }

    fn any_zone() -> impl Strategy<Value = Tz> {
        prop::sample::select(vec![
            Tz::UTC,
            Tz::Europe__Zagreb,
            Tz::Australia__Lord_Howe,
            Tz::Antarctica__Troll,
            Tz::Africa__Casablanca,
            Tz::America__St_Johns,
        ])
    }

    /// Moments from 2020 on, many of them near a change of clocks.
    fn any_moment() -> impl Strategy<Value = DateTime<Utc>> {
        let near = prop::sample::select(CHANGES.to_vec());
        prop_oneof![
            (1_577_836_800..2_200_000_000_i64)
                .prop_map(|at| DateTime::from_timestamp(at, 0).unwrap()),
            (near, -90_000..90_000_i64).prop_map(|((_, change), seconds)| {
                parse(change, Tz::UTC).unwrap() + TimeDelta::seconds(seconds)
            }),
        ]
        .prop_filter("from 2020 on", |at| at.timestamp() >= 1_577_836_800)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn no_wait_lasts_shorter_or_longer(
            amount in prop_oneof![0..40_u32, Just(0), Just(365)],
            unit in prop::sample::select(Unit::ALL.to_vec()),
            from in any_moment(),
            zone in any_zone(),
            is_known in any::<bool>(),
        ) {
            let amount = f64::from(amount);
            let Ok(end) = add(from, amount, unit, zone) else { return Ok(()) };
            let (least, most) = span(amount, unit, is_known.then_some(zone)).unwrap();
            let lasted = end - from;
            prop_assert!(least <= lasted && lasted <= most, "{least} <= {lasted} <= {most}");
        }

        #[test]
        fn nothing_is_waited_for_longer(
            attribute in prop::sample::select(Attribute::ALL.to_vec()),
            values in prop::collection::vec(0..60_i64, 1..4),
            from in any_moment(),
            zone in any_zone(),
        ) {
            let NextMatch::At(at) = next_match(attribute, &values, from, zone) else {
                return Ok(());
            };
            let Some(most) = longest_wait(attribute, &values, Some(zone)) else { return Ok(()) };
            prop_assert!(at - from <= most, "{} <= {most}", at - from);
        }
    }
}
