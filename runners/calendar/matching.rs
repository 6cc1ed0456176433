//! The next moment at which an attribute of the local time has one of some values.
//!
//! Found by arithmetic under one offset from UTC at a time: while the offset of a zone
//! does not change, its local time is a plain calendar. A walk over the changes of clocks
//! that lie near joins these pieces, so gaps and overlaps need no rules of their own.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

use super::{Attribute, instant, whole};

/// Whether, and when, a date matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextMatch {
    /// It does now.
    Now,
    /// It does not now, and then it does for the first time: the start of the year,
    /// month, day, hour or minute.
    At(DateTime<Utc>),
    /// It never does again.
    Never,
}

/// How far the walk looks for a change of clocks at once. It is wider than any two offsets
/// from UTC differ, so that a match under one of them is less than this away from the same
/// match under another.
pub(super) const REACH: TimeDelta = TimeDelta::days(2);

/// Whether `attribute` of the local time in `zone` is one of `values`, or when it is next.
///
/// Values that the attribute cannot have never match. A moment outside the years 1 to
/// 9999 counts as never.
pub fn next_match(attribute: Attribute, values: &[i64], now: DateTime<Utc>, zone: Tz) -> NextMatch {
    let Some(mut from) = whole(now) else { return NextMatch::Never };
    if values.contains(&attribute.of(from.with_timezone(&zone).naive_local())) {
        return NextMatch::Now;
    }
    loop {
        let offset = offset(from, zone);
        let found = from
            .naive_utc()
            .checked_add_signed(offset)
            .and_then(|local| first(attribute, values, local))
            .and_then(|local| local.checked_sub_signed(offset))
            .and_then(|moment| whole(moment.and_utc()));
        let change = next_change(from, zone);
        from = match (found, change) {
            (Some(found), Some(change)) if found < change => return NextMatch::At(found),
            (_, Some(change)) => change,
            (None, None) => return NextMatch::Never,
            (Some(found), None) if found - from < REACH => return NextMatch::At(found),
            // Far away: none lies between, and the clocks may change on the way there.
            (Some(found), None) => (from + REACH).max(found - REACH),
        };
    }
}

pub(super) fn offset(at: DateTime<Utc>, zone: Tz) -> TimeDelta {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    TimeDelta::seconds(offset.local_minus_utc().into())
}

/// The first moment after `from`, less than [`REACH`] away, at which the offset changes.
pub(super) fn next_change(from: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    const PROBES: i64 = 8;
    let now = offset(from, zone);
    let changed = |seconds: i64| {
        instant(seconds.saturating_mul(1000)).is_some_and(|at| offset(at, zone) != now)
    };
    let start = from.timestamp();
    let step = REACH.num_seconds() / PROBES;
    let mut after = (1..=PROBES).map(|probe| start + probe * step).find(|at| changed(*at))?;
    let mut before = after - step;
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if changed(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    instant(after.saturating_mul(1000))
}

/// The first local time from `local` on that matches, in a calendar without changes of
/// clocks: `local` itself, or the start of a later year, month, day, hour or minute.
fn first(attribute: Attribute, values: &[i64], local: NaiveDateTime) -> Option<NaiveDateTime> {
    if values.contains(&attribute.of(local)) {
        return Some(local);
    }
    let day = local.date();
    let least = |from: i64| {
        let possible = attribute.range();
        values.iter().copied().filter(|v| *v >= from && possible.contains(v)).min()
    };
    match attribute {
        Attribute::Year => {
            let year = i32::try_from(least(attribute.of(local))?).ok()?;
            NaiveDate::from_ymd_opt(year, 1, 1).map(midnight)
        }
        Attribute::Month => (1..=12).find_map(|months| {
            let month = midnight(day.with_day(1)?.checked_add_months(Months::new(months))?);
            values.contains(&attribute.of(month)).then_some(month)
        }),
        // No day of the month is more than two months away.
        Attribute::Date | Attribute::Day => (1..=62).find_map(|days| {
            let day = midnight(day.checked_add_days(Days::new(days))?);
            values.contains(&attribute.of(day)).then_some(day)
        }),
        Attribute::Hour => {
            let (day, hour) = match least(local.hour().into()) {
                Some(hour) => (day, hour),
                None => (day.succ_opt()?, least(0)?),
            };
            day.and_hms_opt(u32::try_from(hour).ok()?, 0, 0)
        }
        Attribute::Minute => {
            let hour = day.and_hms_opt(local.hour(), 0, 0)?;
            let (hour, minute) = match least(local.minute().into()) {
                Some(minute) => (hour, minute),
                None => (hour.checked_add_signed(TimeDelta::hours(1))?, least(0)?),
            };
            hour.checked_add_signed(TimeDelta::minutes(minute))
        }
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{parse, spell, tests::CHANGES};

    const ZAGREB: Tz = Tz::Europe__Zagreb;

    fn next(attribute: Attribute, values: &[i64], now: &str, zone: Tz) -> String {
        match next_match(attribute, values, parse(now, zone).unwrap(), zone) {
            NextMatch::Now => "now".into(),
            NextMatch::At(at) => spell(at, zone),
            NextMatch::Never => "never".into(),
        }
    }

    #[test]
    fn office_hours_begin_at_the_start_of_the_hour() {
        let hours = [9, 10, 11];
        assert_eq!(next(Attribute::Hour, &hours, "2026-05-04T09:59:59", ZAGREB), "now");
        assert_eq!(
            next(Attribute::Hour, &hours, "2026-05-04T08:15", ZAGREB),
            "2026-05-04 09:00 CEST"
        );
        assert_eq!(
            next(Attribute::Hour, &hours, "2026-05-04T12:00", ZAGREB),
            "2026-05-05 09:00 CEST"
        );
    }

    #[test]
    fn an_hour_that_the_spring_change_skips_comes_the_day_after() {
        assert_eq!(
            next(Attribute::Hour, &[2], "2026-03-29T00:30", ZAGREB),
            "2026-03-30 02:00 CEST"
        );
    }

    #[test]
    fn a_minute_comes_again_in_the_repeated_hour() {
        assert_eq!(
            next(Attribute::Minute, &[15], "2026-10-25T02:16", ZAGREB),
            "2026-10-25 02:15 CET"
        );
    }

    #[test]
    fn on_lord_howe_the_hour_of_the_change_begins_at_half_past() {
        let zone = Tz::Australia__Lord_Howe;
        assert_eq!(next(Attribute::Hour, &[2], "2026-10-04T01:30", zone), "2026-10-04 02:30 +11");
        assert_eq!(
            next(Attribute::Minute, &[45], "2026-04-05T01:46", zone),
            "2026-04-05 01:45 +1030"
        );
    }

    #[test]
    fn a_day_without_a_midnight_begins_at_one() {
        let zone = Tz::America__Sao_Paulo;
        assert_eq!(next(Attribute::Date, &[4], "2018-11-03T12:00", zone), "2018-11-04 01:00 -02");
    }

    #[test]
    fn a_day_that_the_clocks_return_to_is_still_to_come() {
        // St. John's went from 00:01 back to 23:01 of the day before.
        let zone = Tz::America__St_Johns;
        assert_eq!(
            next(Attribute::Date, &[28], "2006-10-29T00:00:30", zone),
            "2006-10-28 23:01 NST"
        );
    }

    #[test]
    fn the_day_that_samoa_left_out_is_a_month_away() {
        let zone = Tz::Pacific__Apia;
        assert_eq!(next(Attribute::Date, &[30], "2011-12-29T10:00", zone), "2012-01-30 00:00 +14");
    }

    #[test]
    fn the_31st_skips_the_months_that_have_none() {
        assert_eq!(
            next(Attribute::Date, &[31], "2026-02-01T10:00", ZAGREB),
            "2026-03-31 00:00 CEST"
        );
        assert_eq!(
            next(Attribute::Date, &[29], "2027-01-30T10:00", ZAGREB),
            "2027-03-29 00:00 CEST"
        );
    }

    #[test]
    fn months_and_weekdays_are_numbered_as_in_moment() {
        assert_eq!(
            next(Attribute::Month, &[0], "2026-05-04T10:00", ZAGREB),
            "2027-01-01 00:00 CET"
        );
        assert_eq!(next(Attribute::Day, &[0], "2026-05-04T10:00", ZAGREB), "2026-05-10 00:00 CEST");
        assert_eq!(next(Attribute::Day, &[1], "2026-05-04T10:00", ZAGREB), "now");
    }

    #[test]
    fn a_year_that_is_over_never_matches_again() {
        assert_eq!(next(Attribute::Year, &[2020, 2025], "2026-05-04", ZAGREB), "never");
        assert_eq!(
            next(Attribute::Year, &[2020, 2040], "2026-05-04", ZAGREB),
            "2040-01-01 00:00 CET"
        );
        assert_eq!(next(Attribute::Year, &[9999], "2026-05-04", ZAGREB), "9999-01-01 00:00 CET");
    }

    #[test]
    fn values_that_are_none_never_match() {
        for attribute in Attribute::ALL {
            assert_eq!(next(attribute, &[], "2026-05-04", ZAGREB), "never");
            assert_eq!(next(attribute, &[-1, i64::MAX, i64::MIN], "2026-05-04", ZAGREB), "never");
        }
    }

    /// A zone, and a moment within four days of one of its changes.
    fn near_a_change() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
        (prop::sample::select(CHANGES.to_vec()), -345_600_i64..345_600).prop_map(
            |((zone, change), seconds)| {
                (zone, parse(change, Tz::UTC).unwrap() + TimeDelta::seconds(seconds))
            },
        )
    }

    fn matches(attribute: Attribute, values: &[i64], at: DateTime<Utc>, zone: Tz) -> bool {
        values.contains(&attribute.of(at.with_timezone(&zone).naive_local()))
    }

    /// What `next_match` computes, found by looking at every minute of `days` days.
    fn scan(
        attribute: Attribute,
        values: &[i64],
        now: DateTime<Utc>,
        zone: Tz,
        days: i64,
    ) -> Option<NextMatch> {
        if matches(attribute, values, now, zone) {
            return Some(NextMatch::Now);
        }
        let minute = now.timestamp().div_euclid(60);
        (minute + 1..=minute + days * 1440)
            .map(|minute| DateTime::from_timestamp(minute * 60, 0).unwrap())
            .find(|at| matches(attribute, values, *at, zone))
            .map(NextMatch::At)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_minute_before_the_one_found_matches(
            (zone, now) in near_a_change(),
            attribute in prop::sample::select(Attribute::ALL.to_vec()),
            values in prop::collection::vec(-1_i64..62, 0..4),
        ) {
            let days = if attribute == Attribute::Date { 64 } else { 9 };
            let computed = next_match(attribute, &values, now, zone);
            match scan(attribute, &values, now, zone, days) {
                Some(seen) => prop_assert_eq!(computed, seen),
                None => if let NextMatch::At(at) = computed {
                    prop_assert!(at - now > TimeDelta::days(days) - TimeDelta::minutes(1));
                    prop_assert!(matches(attribute, &values, at, zone));
                }
            }
        }

        #[test]
        fn the_moment_found_matches_and_the_one_before_does_not(
            seconds in 0_i64..4_000_000_000,
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            attribute in prop::sample::select(Attribute::ALL.to_vec()),
            value in 0_i64..60, later in 1_i64..100,
        ) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let value = match attribute {
                Attribute::Year => attribute.of(now.naive_utc()) + later,
                _ => value,
            };
            if let NextMatch::At(at) = next_match(attribute, &[value], now, zone) {
                prop_assert!(at > now);
                prop_assert!(matches(attribute, &[value], at, zone));
                let before = at - TimeDelta::milliseconds(1);
                prop_assert!(!matches(attribute, &[value], before, zone));
            }
        }

        #[test]
        fn any_moment_and_any_values_are_answered(
            ms in any::<i64>(),
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            attribute in prop::sample::select(Attribute::ALL.to_vec()),
            values in prop::collection::vec(any::<i64>(), 0..4),
        ) {
            for now in [
                DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC),
                DateTime::from_timestamp_millis(ms % super::super::LAST).unwrap(),
            ] {
                next_match(attribute, &values, now, zone);
            }
        }
    }

    #[test]
    fn the_last_and_the_first_moments_are_answered() {
        for ms in [super::super::LAST, super::super::LAST - 90_000, super::super::FIRST] {
            let now = instant(ms).unwrap();
            for attribute in Attribute::ALL {
                for zone in [ZAGREB, Tz::Pacific__Kiritimati, Tz::America__Adak] {
                    let answers: Vec<NextMatch> =
                        (0..60).map(|value| next_match(attribute, &[value], now, zone)).collect();
                    assert!(answers.iter().all(|answer| match answer {
                        NextMatch::At(at) => *at > now,
                        NextMatch::Now | NextMatch::Never => true,
                    }));
                }
            }
        }
    }
}
