use chrono::TimeDelta;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::*;
use crate::calendar::{parse, spell};

fn window(days: &str, from: &str, to: &str, except: &[&str]) -> Window {
    Window {
        days: days.parse().unwrap(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        except: except.iter().map(|dates| dates.parse().unwrap()).collect(),
    }
}

fn at(text: &str, zone: Tz) -> DateTime<Utc> {
    parse(text, zone).unwrap()
}

/// The window that is open at a moment, or the next, as the clocks there show it.
fn found(window: &Window, now: &str, zone: Tz) -> String {
    let within = WindowIn { window, zone, calendar: None };
    within.now_or_next(at(now, zone)).map_or_else(
        || "never".to_owned(),
        |found| format!("{} to {}", spell(found.from, zone), spell(found.to, zone)),
    )
}

const DAILY: &str = "sun-sat";

#[test]
fn office_hours_end_with_friday_and_begin_with_monday() {
    let office = window("mon-fri", "09:00", "17:00", &[]);
    for (now, expected) in [
        ("2026-05-08T08:59", "2026-05-08 09:00 CEST to 2026-05-08 17:00 CEST"),
        ("2026-05-08T09:00", "2026-05-08 09:00 CEST to 2026-05-08 17:00 CEST"),
        ("2026-05-08T17:00", "2026-05-11 09:00 CEST to 2026-05-11 17:00 CEST"),
        ("2026-05-10T12:00", "2026-05-11 09:00 CEST to 2026-05-11 17:00 CEST"),
    ] {
        assert_eq!(found(&office, now, Tz::Europe__Zagreb), expected, "{now}");
    }
}

#[test]
fn a_night_belongs_to_the_evening_on_which_it_begins() {
    let fridays = window("fri", "22:00", "06:00", &[]);
    let night = "2026-05-08 22:00 UTC to 2026-05-09 06:00 UTC";
    assert_eq!(found(&fridays, "2026-05-09T05:59", Tz::UTC), night, "Saturday morning");
    assert_eq!(found(&fridays, "2026-05-08T01:00", Tz::UTC), night, "not the night before");
    let but = window("fri", "22:00", "06:00", &["2026-05-08"]);
    assert_eq!(
        found(&but, "2026-05-09T01:00", Tz::UTC),
        "2026-05-15 22:00 UTC to 2026-05-16 06:00 UTC"
    );
}

#[test]
fn times_that_the_spring_change_skips_open_nothing() {
    let zone = Tz::Europe__Zagreb;
    for (from, to, expected) in [
        // Wholly in the gap: not that day.
        ("02:15", "02:45", "2026-03-30 02:15 CEST to 2026-03-30 02:45 CEST"),
        ("02:30", "03:30", "2026-03-29 03:00 CEST to 2026-03-29 03:30 CEST"),
        ("01:30", "02:30", "2026-03-29 01:30 CET to 2026-03-29 03:00 CEST"),
    ] {
        let window = window(DAILY, from, to, &[]);
        assert_eq!(found(&window, "2026-03-29T01:00", zone), expected, "{from} to {to}");
    }
    let window = window(DAILY, "02:10", "04:00", &[]);
    assert_eq!(
        found(&window, "2026-10-04T00:00", Tz::Australia__Lord_Howe),
        "2026-10-04 02:30 +11 to 2026-10-04 04:00 +11",
        "half an hour is skipped there"
    );
}

#[test]
fn times_that_come_twice_open_once() {
    let zone = Tz::Europe__Zagreb;
    let early = window(DAILY, "02:15", "02:45", &[]);
    assert_eq!(
        found(&early, "2026-10-25T00:00", zone),
        "2026-10-25 02:15 CEST to 2026-10-25 02:45 CEST"
    );
    assert_eq!(
        found(&early, "2026-10-25T01:30:00Z", zone),
        "2026-10-26 02:15 CET to 2026-10-26 02:45 CET",
        "02:30 for the second time"
    );
    let night = window(DAILY, "22:00", "06:00", &[]);
    let within = WindowIn { window: &night, zone, calendar: None };
    let found = within.now_or_next(at("2026-10-25T03:00", zone)).unwrap();
    assert_eq!((found.to - found.from).num_hours(), 9);
}

#[test]
fn around_the_day_that_samoa_left_out_a_night_is_a_night() {
    let night = window(DAILY, "22:00", "06:00", &[]);
    let zone = Tz::Pacific__Apia;
    let within = WindowIn { window: &night, zone, calendar: None };
    // Thursday the 29th was followed by Saturday the 31st.
    let over_at = within.over_at(at("2011-12-29T23:00", zone)).unwrap();
    assert_eq!(spell(over_at, zone), "2011-12-31 06:00 +14");
    let noon = window("fri", "11:00", "13:00", &[]);
    assert_eq!(
        self::found(&noon, "2011-12-29T23:00", zone),
        "2012-01-06 11:00 +14 to 2012-01-06 13:00 +14",
        "there was no Friday"
    );
}

#[test]
fn a_window_that_is_always_left_out_is_never_found() {
    let never = window("mon", "09:00", "17:00", &["01-01..12-31"]);
    assert_eq!(found(&never, "2026-05-04T09:00", Tz::UTC), "never");
    assert!(!never.ever_opens());
    let late = window("mon", "09:00", "17:00", &["2020-01-01..2030-12-31"]);
    assert!(late.ever_opens());
    assert!(window(DAILY, "09:00", "17:00", &["01-01..02-28", "03-01..12-31"]).ever_opens());
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let office = window("mon-fri", "22:00", "06:00", &[]);
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        for zone in [Tz::Pacific__Kiritimati, Tz::America__Adak] {
            let within = WindowIn { window: &office, zone, calendar: None };
            let _ = (within.now_or_next(now), within.over_at(now), within.begins_after(now));
        }
    }
}

fn office() -> Calendar {
    Calendar {
        timezone: Some(Tz::Europe__Zagreb),
        hours: Some(vec![
            window("mon-thu", "08:00", "16:00", &[]),
            window("fri", "08:00", "12:00", &[]),
            window("fri", "13:00", "15:00", &[]),
        ]),
        holidays: vec![Holiday {
            when: Occasion::Dates("05-01".parse().unwrap()),
            name: Some("Labour Day".to_owned()),
        }],
        ..Calendar::default()
    }
}

#[test]
fn a_window_is_open_while_its_calendar_is() {
    let (calendar, morning) = (office(), window(DAILY, "07:00", "14:00", &[]));
    let zone = Tz::Europe__Zagreb;
    let within =
        WindowIn { window: &morning, zone, calendar: Some(calendar.in_zone(Tz::Asia__Tokyo)) };
    let next = |now: &str| {
        let found = within.now_or_next(at(now, zone)).unwrap();
        format!("{} to {}", spell(found.from, zone), spell(found.to, zone))
    };
    // Friday the 1st is a holiday.
    assert_eq!(next("2026-04-30T14:00"), "2026-05-04 08:00 CEST to 2026-05-04 14:00 CEST");
    assert_eq!(next("2026-05-08T12:30"), "2026-05-08 13:00 CEST to 2026-05-08 14:00 CEST");
    assert_eq!(calendar.holiday("2026-05-01".parse().unwrap()), Some("Labour Day"));
}

#[test]
fn what_is_closed_is_cut_out_of_the_hours() {
    let closure = |on: Occasion, from: &str, seconds: u32| Closure {
        on,
        from: from.parse().unwrap(),
        seconds,
        timezone: None,
    };
    let first_monday = Recurrence {
        start: "2026-01-05".parse().unwrap(),
        until: None,
        frequency: Frequency::Monthly,
        interval: 1,
        months: vec![],
        month_days: vec![],
        weekdays: vec![(Some(1), chrono::Weekday::Mon)],
        except: vec![],
    };
    let calendar = Calendar {
        closed: vec![
            closure(Occasion::Rule { rule: first_monday, days: 1 }, "09:00:00", 3_600),
            closure(Occasion::Dates("2026-05-04".parse().unwrap()), "15:00:00", 86_400),
        ],
        ..office()
    };
    let zone = Tz::Europe__Zagreb;
    let open: Vec<String> = calendar
        .in_zone(Tz::UTC)
        .of_day("2026-05-04".parse().unwrap())
        .iter()
        .map(|open| format!("{} to {}", spell(open.from, zone), spell(open.to, zone)))
        .collect();
    assert_eq!(
        open,
        [
            "2026-05-04 08:00 CEST to 2026-05-04 09:00 CEST",
            "2026-05-04 10:00 CEST to 2026-05-04 15:00 CEST"
        ]
    );
    let next = calendar.in_zone(Tz::UTC).now_or_next(at("2026-05-04T15:00", zone)).unwrap();
    assert_eq!(spell(next.from, zone), "2026-05-05 15:00 CEST", "a whole day later");
}

fn nights() -> Quiet {
    Quiet {
        timezone: Tz::Europe__Zagreb,
        window: Some(window(DAILY, "22:00", "07:00", &[])),
        calendar: None,
    }
}

#[test]
fn what_is_written_at_night_leaves_in_the_morning() {
    let (quiet, zone) = (nights(), Tz::Europe__Zagreb);
    for (now, leaves) in [
        ("2026-05-04T21:59:59", "2026-05-04 21:59:59 CEST"),
        ("2026-05-04T22:00", "2026-05-05 07:00 CEST"),
        ("2026-05-05T06:59", "2026-05-05 07:00 CEST"),
        ("2026-05-05T07:00", "2026-05-05 07:00 CEST"),
        ("2026-03-28T23:00", "2026-03-29 07:00 CEST"),
    ] {
        assert_eq!(spell(quiet.leaves_at(at(now, zone)).unwrap(), zone), leaves, "{now}");
    }
    let falls_at = quiet.falls_at(at("2026-05-04T22:00", zone)).unwrap();
    assert_eq!(spell(falls_at, zone), "2026-05-05 22:00 CEST");
}

#[test]
fn quiet_hours_that_touch_are_one() {
    let quiet = Quiet { calendar: Some(office()), ..nights() };
    let zone = Tz::Europe__Zagreb;
    // Thursday evening, a holiday, a weekend.
    let leaves = quiet.leaves_at(at("2026-04-30T16:00", zone)).unwrap();
    assert_eq!(spell(leaves, zone), "2026-05-04 08:00 CEST");
    let always = Quiet {
        window: Some(window("mon-fri", "00:00", "24:00", &[])),
        calendar: Some(Calendar {
            hours: Some(vec![window("mon-fri", "08:00", "16:00", &[])]),
            ..Calendar::default()
        }),
        timezone: Tz::UTC,
    };
    assert_eq!(always.leaves_at(at("2026-05-04T12:00", Tz::UTC)), None);
}

#[test]
fn the_office_sleeps_by_its_own_clock() {
    // The process lives by UTC, two hours behind the office.
    let quiet = Quiet { timezone: Tz::UTC, window: None, calendar: Some(office()) };
    let zagreb = Tz::Europe__Zagreb;
    let calendar = Calendar { timezone: Some(zagreb), ..office() };
    let quiet = Quiet { calendar: Some(calendar), ..quiet };
    for evening in ["2026-05-05T22:00", "2026-05-05T23:59", "2026-05-06T00:30", "2026-05-06T01:30"]
    {
        let leaves_at = quiet.leaves_at(at(evening, zagreb)).unwrap();
        assert_eq!(spell(leaves_at, zagreb), "2026-05-06 08:00 CEST", "{evening}");
    }
    let falls_at = quiet.falls_at(at("2026-05-06T09:00", zagreb)).unwrap();
    assert_eq!(spell(falls_at, zagreb), "2026-05-06 16:00 CEST");
}

#[test]
fn lateness_does_not_count_quiet_hours() {
    let (quiet, zone) = (nights(), Tz::Europe__Zagreb);
    let late = |due: &str, minutes| {
        let late_at = quiet.after(at(due, zone), TimeDelta::minutes(minutes)).unwrap();
        spell(late_at, zone)
    };
    assert_eq!(late("2026-05-04T20:00", 60), "2026-05-04 21:00 CEST");
    assert_eq!(late("2026-05-04T21:50", 60), "2026-05-05 07:50 CEST");
    assert_eq!(late("2026-05-04T23:00", 60), "2026-05-05 08:00 CEST");
    assert_eq!(late("2026-05-04T23:00", 16 * 60), "2026-05-06 08:00 CEST");
}

#[test]
fn a_delivery_carries_its_quiet_hours_with_it() {
    let mut calendar = office();
    calendar.holidays.extend((0..50).map(|year| Holiday {
        when: Occasion::Dates(format!("{}-06-01", 2000 + year).parse().unwrap()),
        name: None,
    }));
    let quiet = Quiet { calendar: Some(calendar), ..nights() };
    let zone = Tz::Europe__Zagreb;
    let now = at("2026-05-04T12:00", zone);
    let text = serde_json::to_string(&quiet.around(now)).unwrap();
    assert!(text.len() < 600, "{} bytes: {text}", text.len());
    let read: Quiet = serde_json::from_str(&text).unwrap();
    for now in ["2026-05-04T20:00", "2026-06-01T12:00", "2027-06-01T10:00"] {
        let now = at(now, zone);
        assert_eq!(read.leaves_at(now), quiet.leaves_at(now), "{now}");
    }
}

#[test]
fn rules_hit_the_days_they_say() {
    let rule = |start: &str, change: &dyn Fn(&mut Recurrence)| {
        let mut rule = Recurrence {
            start: start.parse().unwrap(),
            until: None,
            frequency: Frequency::Yearly,
            interval: 1,
            months: vec![],
            month_days: vec![],
            weekdays: vec![],
            except: vec![],
        };
        change(&mut rule);
        rule
    };
    let hits = |rule: &Recurrence, days: &[&str]| -> Vec<bool> {
        days.iter().map(|day| rule.hits(day.parse().unwrap())).collect()
    };
    let christmas = rule("2020-12-25", &|_| {});
    assert_eq!(hits(&christmas, &["2026-12-25", "2019-12-25", "2026-12-26"]), [true, false, false]);
    let thanksgiving = rule("2020-11-26", &|rule| {
        rule.months = vec![11];
        rule.weekdays = vec![(Some(4), chrono::Weekday::Thu)];
    });
    assert_eq!(hits(&thanksgiving, &["2026-11-26", "2026-11-19"]), [true, false]);
    let last_day = rule("2026-01-31", &|rule| {
        rule.frequency = Frequency::Monthly;
        rule.month_days = vec![-1];
    });
    assert_eq!(hits(&last_day, &["2026-02-28", "2026-04-30", "2026-03-30"]), [true, true, false]);
    let alternate = rule("2026-05-06", &|rule| {
        rule.frequency = Frequency::Weekly;
        rule.interval = 2;
        rule.except = vec!["2026-06-03".parse().unwrap()];
    });
    assert_eq!(
        hits(&alternate, &["2026-05-20", "2026-05-13", "2026-06-03", "2026-06-17"]),
        [true, false, false, true]
    );
    assert_eq!(christmas.nth(3, 1_000), Some("2022-12-25".parse().unwrap()));
}
