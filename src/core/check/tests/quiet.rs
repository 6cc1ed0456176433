//! Quiet hours and calendars.

use chrono_tz::Tz;
use rungs_runners::hours::Hours;

use super::*;
use crate::files::{File, Files, Wanted};

fn with_top(top: &str) -> String {
    format!(
        "sequence: q\n{top}\nsteps:\n  - {{ id: text, run: SMS, config: {{ to: '+385911234567', message: Hi }} }}\n"
    )
}

/// What is said of a top-level key that stands on line 2.
#[track_caller]
fn says_of_top(top: &str, expected: &[(&str, usize, &str)]) {
    let at_2: Vec<_> =
        expected.iter().map(|(code, column, part)| (*code, 2, *column, *part)).collect();
    says(&with_top(top), &at_2);
}

#[test]
fn a_step_keeps_the_quiet_hours_of_its_sequence_or_says_its_own() {
    let sequence = check(
        "
sequence: q
quietHours: { from: 22:00, to: 07:00 }
steps:
  - { id: as-all, run: SMS, config: { to: '+385911234567', message: Hi } }
  - { id: urgent, run: SMS, config: { to: '+385911234567', message: Hi }, quietHours: none }
  - id: longer
    run: SMS
    config: { to: '+385911234567', message: Hi }
    quietHours: { from: '20:00', to: '09:00', days: [fri, 6], timezone: '{{zone}}' }
  - { id: nap, run: Nap }
",
        &kinds(),
    );
    let sequence = sequence.sequence.unwrap_or_else(|| panic!("{:#?}", sequence.diagnostics));
    let windows: Vec<Option<String>> = sequence
        .steps
        .iter()
        .map(|step| {
            let window = step.quiet.as_ref()?.window.as_ref()?;
            Some(format!("{} {} {}", window.days, window.from, window.to))
        })
        .collect();
    let all = Some("sun,mon,tue,wed,thu,fri,sat 22:00 07:00".to_owned());
    assert_eq!(windows, [all, None, Some("fri,sat 20:00 09:00".to_owned()), None]);
}

#[test]
fn quiet_hours_that_cannot_be_are_refused_at_their_place() {
    for (top, code, column, message) in [
        ("quietHours: nights", "wrong-type", 13, "a mapping with `from` and `to`, or `none`"),
        ("quietHours: {}", "missing-key", 1, "say no time"),
        ("quietHours: { timezone: UTC }", "missing-key", 1, "say no time"),
        ("quietHours: { from: 22 }", "out-of-range", 21, "no time of day"),
        ("quietHours: { from: 22:00, to: 22:00 }", "out-of-range", 32, "never or always"),
        ("quietHours: { from: 22:00, too: 07:00 }", "unknown-key", 28, "no key `too`"),
        ("quietHours: { days: [sat, sunnday] }", "out-of-range", 27, "no day"),
        ("quietHours: { days: [] }", "out-of-range", 21, "nothing in this list"),
        ("quietHours: { days: sat, except: [x] }", "out-of-range", 35, "no date"),
        ("quietHours: { days: sat, timezone: Mars }", "timezone", 36, "no time zone"),
        ("quietHours: { calendar: office }", "unknown-calendar", 25, "no calendar"),
        ("quietHours: { days: sun-sat }", "always-quiet", 1, "nothing would ever leave"),
    ] {
        says_of_top(top, &[(code, column, message)]);
    }
}

#[test]
fn what_sends_nothing_takes_no_quiet_hours() {
    says_of_steps(
        "  - { id: a, run: Nap, quietHours: { from: 22:00, to: 07:00 } }",
        &[("no-delivery", 3, 24, "`Nap` sends nothing")],
    );
}

#[test]
fn calendars_are_described_in_the_sequence() {
    let top = "calendars: { office: { timezone: Europe/Zagreb, hours: { mon-thu: 08:00-16:00, \
               fri: '08:00-12:00, 13:00-15:00', sat: closed }, holidays: [12-25, { date: \
               2026-12-24..2027-01-02, name: Winter }] } }";
    let checked = check(&with_top(top), &kinds());
    let sequence = checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let office = &sequence.calendars["office"];
    assert_eq!(office.timezone, Some(Tz::Europe__Zagreb));
    assert_eq!(office.hours.as_ref().map(Vec::len), Some(3));
    assert_eq!(office.holiday("2026-12-30".parse().unwrap()), Some("Winter"));
    let friday = office.in_zone(Tz::UTC).of_day("2026-05-08".parse().unwrap());
    assert_eq!(friday.len(), 2);
}

#[test]
fn calendars_that_cannot_be_are_refused_at_their_place() {
    for (top, code, column, message) in [
        ("calendars: [x]", "wrong-type", 12, "a mapping"),
        ("calendars: { ../x: {} }", "name", 14, "cannot be the name"),
        ("calendars: { x: { hous: {} } }", "unknown-key", 19, "no key `hous`"),
        ("calendars: { x: { hours: {} } }", "never-opens", 14, "never opens"),
        ("calendars: { x: { hours: { mun: 9:00-17:00 } } }", "out-of-range", 28, "no day"),
        ("calendars: { x: { hours: { mon: 9-17 } } }", "out-of-range", 33, "no time of day"),
        ("calendars: { x: { hours: { mon: 09:00 } } }", "out-of-range", 33, "no hours"),
        (
            "calendars: { x: { hours: { mon-fri: 09:00-17:00, fri: 09:00-12:00 } } }",
            "duplicate",
            50,
            "has its hours above",
        ),
        ("calendars: { x: { holidays: 12-25 } }", "wrong-type", 29, "a list of dates"),
        ("calendars: { x: { holidays: [12-32] } }", "out-of-range", 30, "no date"),
        ("calendars: { x: { holidays: [{ name: y }] } }", "missing-key", 30, "`date` is missing"),
        ("calendars: { x: { holidays: [01-01..12-31] } }", "never-opens", 14, "never opens"),
        (
            "calendars: { x: { holidays: [0001-01-01..9999-12-31] } }",
            "never-opens",
            14,
            "never opens",
        ),
        ("calendars: { x: { timezone: '{{z}}' } }", "literal", 29, "cannot be a template"),
    ] {
        says_of_top(top, &[(code, column, message)]);
    }
}

#[test]
fn a_calendar_that_is_not_there_is_answered_with_the_one_that_was_meant() {
    let source = "
sequence: q
calendars: { office: { hours: { mon-fri: 09:00-17:00 } } }
steps:
  - { id: a, run: WaitForWindow, config: { calendar: ofice } }
  - { id: b, run: WaitForWindow, config: { calendar: office, days: sun } }
";
    says(
        source,
        &[
            ("calendar", 5, 54, "there is no calendar \"ofice\""),
            ("calendar", 6, 54, "never open while `office` is"),
        ],
    );
    assert_eq!(helps(source), ["did you mean `office`?"]);
}

/// Checks with a file for the calendar `holidays`.
fn check_with_file(path: &str, text: &str) -> Checked {
    let source = "
sequence: q
quietHours: { calendar: holidays }
steps:
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hi } }
";
    let files = Files::gather(source, |wanted| {
        assert_eq!(*wanted, Wanted::Calendar("holidays".into()));
        Some(File { path: path.into(), text: Ok(text.into()) })
    });
    check_with(source, &files, &kinds())
}

fn calendar_of(path: &str, text: &str) -> rungs_runners::hours::Calendar {
    let checked = check_with_file(path, text);
    let sequence = checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    sequence.calendars["holidays"].clone()
}

#[test]
fn a_calendar_is_a_file_as_well() {
    let calendar = calendar_of("calendars/holidays.yml", "hours: { mon-fri: 09:00-17:00 }\n");
    assert_eq!(calendar.hours.map(|hours| hours.len()), Some(1));
    let checked = check_with_file("calendars/holidays.yml", "hours:\n  mon: 9-17\n");
    let found = &checked.diagnostics[0];
    assert_eq!((found.code, found.line, found.column), ("out-of-range", 2, 8));
    assert_eq!(found.included.as_ref().unwrap().file, "calendars/holidays.yml");
    for (text, code) in [("", "empty"), ("[]", "wrong-type"), ("a: b: c", "yaml")] {
        let checked = check_with_file("calendars/holidays.yml", text);
        assert_eq!(checked.diagnostics[0].code, code, "{text:?}: {:#?}", checked.diagnostics);
    }
}

const HOLIDAYS: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
X-WR-TIMEZONE:Europe/Zagreb\r
BEGIN:VTIMEZONE\r
TZID:Europe/Zagreb\r
BEGIN:STANDARD\r
DTSTART:19701025T030000\r
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20201225\r
DTEND;VALUE=DATE:20201227\r
RRULE:FREQ=YEARLY\r
SUMMARY:Christmas\\, both \r
 days\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;TZID=Europe/Zagreb:20260504T120000\r
DURATION:PT1H30M\r
RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260531T000000Z\r
EXDATE;TZID=Europe/Zagreb:20260506T120000\r
BEGIN:VALARM\r
DURATION:nonsense\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260601\r
TRANSP:TRANSPARENT\r
END:VEVENT\r
END:VCALENDAR\r
";

#[test]
fn a_calendar_may_be_written_as_icalendar() {
    let calendar = calendar_of("calendars/holidays.ics", HOLIDAYS);
    assert_eq!(calendar.timezone, Some(Tz::Europe__Zagreb));
    for (day, name) in [
        ("2026-12-25", Some("Christmas, both days")),
        ("2030-12-26", Some("Christmas, both days")),
        ("2026-12-27", None),
        ("2026-06-01", None),
    ] {
        assert_eq!(calendar.holiday(day.parse().unwrap()), name, "{day}");
    }
    let opens = |day: &str| {
        let open = calendar.in_zone(Tz::UTC).of_day(day.parse().unwrap());
        open.iter().map(|open| open.from.format("%H:%M").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(opens("2026-05-04"), ["22:00", "11:30"], "a lunch on Mondays and Wednesdays");
    assert_eq!(opens("2026-05-06"), ["22:00"], "but for that one");
    assert_eq!(opens("2026-06-03"), ["22:00"], "and until the end of May");
}

/// The hours of Zagreb on a day at which a calendar with this event opens and closes.
fn hours_around(event: &str, day: &str) -> Vec<String> {
    let head = "BEGIN:VCALENDAR\nX-WR-TIMEZONE:Europe/Zagreb\nBEGIN:VEVENT\n";
    let text = format!("{head}{event}\nEND:VEVENT\nEND:VCALENDAR\n");
    let calendar = calendar_of("calendars/holidays.ics", &text);
    let open = calendar.in_zone(Tz::UTC).of_day(day.parse().unwrap());
    let clock = |at: chrono::DateTime<chrono::Utc>| {
        at.with_timezone(&Tz::Europe__Zagreb).format("%H:%M").to_string()
    };
    open.iter().map(|open| format!("{}-{}", clock(open.from), clock(open.to))).collect()
}

#[test]
fn moments_of_icalendar_count_on_the_clock_of_their_event() {
    let whole = ["00:00-00:00"];
    let broken = ["00:00-00:30", "01:30-00:00"];
    let daily = |rest: &str| {
        format!("DTSTART;TZID=Europe/Zagreb:20260105T003000\nDURATION:PT1H\nRRULE:FREQ=DAILY{rest}")
    };
    // The 31st at 00:30 in Zagreb is the 30th in UTC.
    let until = daily(";UNTIL=20260130T233000Z");
    assert_eq!(hours_around(&until, "2026-01-31"), broken);
    assert_eq!(hours_around(&until, "2026-02-01"), whole);
    assert_eq!(hours_around(&daily(";UNTIL=20260131T000000"), "2026-01-31"), whole);
    assert_eq!(hours_around(&daily(";UNTIL=20260131"), "2026-01-31"), broken);
    let except = daily("\nEXDATE:20260112T233000Z");
    assert_eq!(hours_around(&except, "2026-01-12"), broken);
    assert_eq!(hours_around(&except, "2026-01-13"), whole);
    // The clocks go back in this night, and it ends at six all the same.
    let night =
        "DTSTART;TZID=Europe/Zagreb:20261024T180000\nDTEND;TZID=Europe/Zagreb:20261025T060000";
    assert_eq!(hours_around(night, "2026-10-25"), ["06:00-00:00"]);
}

#[test]
fn what_of_icalendar_is_not_understood_is_said_with_its_line() {
    let event = |lines: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
    };
    for (text, line, message) in [
        ("junk".to_owned(), 1, "NAME:VALUE"),
        ("BEGIN:VCARD\nEND:VCARD".to_owned(), 1, "begins with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n".to_owned(), 2, "has no END"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n".to_owned(), 2, "has not begun"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\njunk:x".to_owned(), 3, "stands outside"),
        (format!("{}BEGIN:VEVENT\nEND:VEVENT\n", event("DTSTART:20261225")), 6, "stands outside"),
        (
            "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nEND:VFREEBUSY\nEND:VCALENDAR".into(),
            2,
            "not understood",
        ),
        (event("SUMMARY:x"), 2, "no DTSTART"),
        (
            event(
                &"DTSTART:20260101\nDURATION:P31D\nRRULE:FREQ=YEARLY\nEND:VEVENT\nBEGIN:VEVENT\n"
                    .repeat(200),
            )
            .replace("BEGIN:VEVENT\n\nEND:VEVENT\n", ""),
            808,
            "5000 days",
        ),
        // One more, and as many again of which nothing is said.
        (
            event(&vec!["DTSTART:20261225"; 2_000].join("\nEND:VEVENT\nBEGIN:VEVENT\n")),
            3_002,
            "1000",
        ),
        (event("DTSTART:2026-12-25"), 3, "is no date"),
        (event("DTSTART:20260230"), 3, "is no date"),
        (event("DTSTART;TZID=Mitteleuropa:20261225T100000"), 3, "no time zone"),
        (event("DTSTART:20261225\nDTEND:20261224"), 4, "ends before it begins"),
        (event("DTSTART:20261225\nDTEND:20261225T100000"), 4, "as DTSTART is"),
        (event("DTSTART:20261225\nDTEND:20281225"), 3, "731 days"),
        (event("DTSTART:20261225\nDURATION:1h"), 4, "is no duration"),
        (event("DTSTART:20261225\nRDATE:20270101"), 4, "RDATE is not understood"),
        (event("DTSTART:20261225\nRRULE:FREQ=HOURLY"), 4, "not understood"),
        (event("DTSTART:20261225\nRRULE:BYMONTH=3"), 4, "no FREQ"),
        (event("DTSTART:20261225\nDTSTART:20261226"), 4, "a second time"),
        (event("DTSTART:20261225\nRRULE:FREQ=WEEKLY;interval=2;WKST=SU"), 4, "not understood"),
        (event("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYDAY=2MO"), 4, "BYDAY with a number"),
        (event("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYSETPOS=1"), 4, "not understood"),
        (event("DTSTART:20261225\nRRULE:FREQ=YEARLY;COUNT=1000"), 4, "a hundred years"),
        (event("DTSTART:20261225\nRRULE:FREQ=YEARLY\nEXDATE:tomorrow"), 5, "is no date"),
        (
            event("DTSTART:20260101\nRRULE:FREQ=DAILY").replace("20260101", "19700101"),
            1,
            "never opens",
        ),
    ] {
        let checked = check_with_file("calendars/holidays.ics", &text);
        let found: Vec<_> =
            checked.diagnostics.iter().map(|d| (d.line, d.message.as_str())).collect();
        assert!(
            found.len() == 1 && found[0].0 == line && found[0].1.contains(message),
            "{text}\n{line} {message}: {found:?}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_where_it_is_named() {
    let source = "
sequence: q
quietHours: { calendar: holidays }
steps:
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hi } }
";
    let files = Files::gather(source, |_| {
        Some(File { path: "calendars/holidays.yml".into(), text: Err("it is a folder".into()) })
    });
    let found = check_with(source, &files, &kinds()).diagnostics;
    assert_eq!((found.len(), found[0].line, found[0].column), (1, 3, 25));
    assert_eq!(found[0].message, "`calendars/holidays.yml` cannot be read: it is a folder");
}
