//! A calendar written as iCalendar (RFC 5545): its events are the days and times at which
//! nobody is there.
//!
//! Promises: what is not understood is said, with its line; nothing that would change when it
//! is closed is passed over. An event of whole days closes those days, one with times closes
//! those times; `TRANSP:TRANSPARENT` and `STATUS:CANCELLED` close nothing. Events come again by
//! `RRULE` (yearly, monthly, weekly, daily, with `INTERVAL`, `COUNT`, `UNTIL`, `BYMONTH`,
//! `BYMONTHDAY`, `BYDAY`) but for their `EXDATE`s. Times are those of their `TZID`, if that is
//! an IANA name, of UTC with `Z`, or of the calendar's `X-WR-TIMEZONE`, or else that of who names it.
//! Does not: read `VTIMEZONE` (the tz database knows better), to-dos and journals.
//!
//! The crates for this format need the machine's clock and tell no lines, so it is read here.

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use rungs_runners::hours::{Calendar, Closure, Dates, Holiday, Occasion, Recurrence};

use super::{calendars, node::quoted, report::Report};
use crate::{Diagnostic, diagnostic::Place};

mod line;
mod rule;

use line::{Line, lines};

/// What a calendar is made of: events, and what never says when somebody is there.
const PARTS: [&str; 4] = ["VEVENT", "VTIMEZONE", "VTODO", "VJOURNAL"];
/// Days of one event at most: it closes one stretch, and is looked for so far back.
const LONGEST: u32 = 366;
/// The same of one that comes again.
const LONGEST_AGAIN: u32 = 31;
/// The same of all of these in a calendar together.
const LONGEST_TOGETHER: u32 = 5_000;

/// Reads the text of a file whose spans begin at `base`.
pub(super) fn read(text: &str, base: usize, report: &mut Report<'_>) -> Calendar {
    let before = report.len();
    let mut reader = Reader { base, report, calendar: Calendar::default(), events: 0, again: 0 };
    let lines = reader.lines(text);
    let is_one = lines.first().is_some_and(|line| line.is("BEGIN", "VCALENDAR"));
    if is_one || reader.report.len() == before {
        reader.calendar(&lines);
    }
    let Reader { calendar, .. } = reader;
    if report.len() == before && !calendars::opens(&calendar) {
        let message = "this calendar never opens";
        report.add(Diagnostic::error("never-opens", Place::new("", base..base), message));
    }
    // One mistake is told once.
    if report.len() > before { Calendar::default() } else { calendar }
}

struct Reader<'r, 'a> {
    base: usize,
    report: &'r mut Report<'a>,
    calendar: Calendar,
    /// How many have been looked at, those included in which something is wrong.
    events: usize,
    /// How many days those that come again last, together.
    again: u32,
}

/// A date, or a moment in a zone.
#[derive(Clone, Copy)]
enum When {
    Day(NaiveDate),
    Moment(NaiveDateTime, Option<Tz>),
}

impl When {
    fn day(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Moment(moment, _) => moment.date(),
        }
    }

    /// The last day on which it may begin again, where it does so until `until`.
    fn last_day(self, until: &str) -> Option<NaiveDate> {
        match (self, moment(until, None)?) {
            (_, When::Day(day)) => Some(day),
            (Self::Day(_), When::Moment(until, _)) => Some(until.date()),
            (Self::Moment(from, _), until) => {
                let until = until.on_the_clock_of(self);
                if until.time() >= from.time() {
                    Some(until.date())
                } else {
                    until.date().pred_opt()
                }
            }
        }
    }

    /// What the clock of another shows then.
    fn on_the_clock_of(self, other: Self) -> NaiveDateTime {
        match (self, other) {
            (Self::Day(day), _) => day.and_time(NaiveTime::MIN),
            (Self::Moment(moment, Some(zone)), Self::Moment(_, Some(other))) if zone != other => {
                let at = moment.and_local_timezone(zone).earliest();
                at.map_or(moment, |at| at.with_timezone(&other).naive_local())
            }
            (Self::Moment(moment, _), _) => moment,
        }
    }
}

impl Reader<'_, '_> {
    fn wrong(&mut self, span: &Range<usize>, message: impl Into<String>) {
        let span = span.start + self.base..span.end + self.base;
        self.report.add(Diagnostic::error("ics", Place::new("", span), message.into()));
    }

    fn lines(&mut self, text: &str) -> Vec<Line> {
        let mut read = Vec::new();
        for line in lines(text) {
            match line {
                Ok(line) => read.push(line),
                Err((span, wrong)) => self.wrong(&span, wrong),
            }
        }
        read
    }

    fn calendar(&mut self, lines: &[Line]) {
        match lines.first() {
            Some(line) if line.is("BEGIN", "VCALENDAR") => {}
            first => {
                let span = first.map_or(0..0, |line| line.span.clone());
                return self.wrong(&span, "an iCalendar file begins with BEGIN:VCALENDAR");
            }
        }
        // Before any event, since their times may be meant in it.
        if let Some(line) = lines.iter().find(|line| line.name == "X-WR-TIMEZONE") {
            self.calendar.timezone = self.zone(&line.value, &line.span);
        }
        let mut open: Vec<&Line> = Vec::new();
        let mut event: Vec<&Line> = Vec::new();
        for line in lines {
            match line.name.as_str() {
                _ if open.is_empty() && !line.is("BEGIN", "VCALENDAR") => {
                    return self
                        .wrong(&line.span, "this stands outside of BEGIN:VCALENDAR and its END");
                }
                "BEGIN" => {
                    if open.len() == 1 && !PARTS.contains(&line.value.as_str()) {
                        let message = format!("{} is not understood here", quoted(&line.value));
                        self.wrong(&line.span, message);
                    }
                    if open.len() == 1 && line.value == "VEVENT" {
                        event.clear();
                    }
                    open.push(line);
                }
                "END" => match open.pop() {
                    Some(begin) if begin.value == line.value => {
                        if open.len() == 1 && line.value == "VEVENT" {
                            self.event(begin, &event);
                        }
                    }
                    _ => return self.wrong(&line.span, "this ends what has not begun"),
                },
                // What stands deeper inside an event is an alarm.
                _ if open.len() == 2 && open.last().is_some_and(|it| it.value == "VEVENT") => {
                    event.push(line);
                }
                _ => {}
            }
        }
        if let Some(line) = open.last() {
            let span = line.span.clone();
            self.wrong(&span, format!("this BEGIN:{} has no END", line.value));
        }
    }

    fn event(&mut self, begin: &Line, lines: &[&Line]) {
        let find = |name: &str| lines.iter().find(|line| line.name == name);
        let says = |name: &str, value: &str| {
            find(name).is_some_and(|line| line.value.eq_ignore_ascii_case(value))
        };
        if says("TRANSP", "TRANSPARENT") || says("STATUS", "CANCELLED") {
            return;
        }
        self.events += 1;
        if self.events > calendars::MOST {
            if self.events == calendars::MOST + 1 {
                let message = format!("a calendar has at most {} events", calendars::MOST);
                self.wrong(&begin.span, message);
            }
            return;
        }
        let unknown = ["RDATE", "EXRULE", "RECURRENCE-ID"];
        if let Some(line) = lines.iter().find(|line| unknown.contains(&line.name.as_str())) {
            let message =
                format!("{} is not understood; write it as an event of its own", line.name);
            return self.wrong(&line.span, message);
        }
        for name in ["DTSTART", "DTEND", "DURATION", "RRULE"] {
            if let Some(again) = lines.iter().filter(|line| line.name == name).nth(1) {
                return self.wrong(&again.span, format!("{name} stands here a second time"));
            }
        }
        let Some(start) = find("DTSTART") else {
            return self.wrong(&begin.span, "this event has no DTSTART");
        };
        let Some(from) = self.when(start) else { return };
        let Some(seconds) = self.length(from, find("DTEND").copied(), find("DURATION").copied())
        else {
            return;
        };
        let name = find("SUMMARY").map(|line| line::unescaped(&line.value));
        let rule = match find("RRULE") {
            Some(line) => match self.rule(line, from, lines) {
                Some(rule) => Some(rule),
                None => return,
            },
            None => None,
        };
        self.close(from, seconds, rule, name, start);
    }

    fn close(
        &mut self,
        from: When,
        seconds: u32,
        rule: Option<Recurrence>,
        name: Option<String>,
        start: &Line,
    ) {
        let days = seconds.div_ceil(86_400).max(1);
        let most = if rule.is_some() { LONGEST_AGAIN } else { LONGEST };
        if days > most {
            let message = format!("this event has {days} days; at most {most} are understood here");
            return self.wrong(&start.span, message);
        }
        let before = self.again;
        self.again += if rule.is_some() { days } else { 0 };
        if self.again > LONGEST_TOGETHER {
            // Once is enough.
            if before <= LONGEST_TOGETHER {
                let message = format!(
                    "the events that come again have more than {LONGEST_TOGETHER} days together"
                );
                self.wrong(&start.span, message);
            }
            return;
        }
        match (from, rule) {
            (When::Day(first), None) => {
                let last = first.checked_add_days(chrono::Days::new(u64::from(days) - 1));
                let when = Occasion::Dates(Dates::Once(first, last.unwrap_or(first)));
                self.calendar.holidays.push(Holiday { when, name });
            }
            (When::Day(_), Some(rule)) => {
                self.calendar.holidays.push(Holiday { when: Occasion::Rule { rule, days }, name });
            }
            (When::Moment(from, timezone), rule) => {
                let on = rule.map_or_else(
                    || Occasion::Dates(Dates::on(from.date())),
                    |rule| Occasion::Rule { rule, days: 1 },
                );
                let closure = Closure { on, from: from.time(), seconds, timezone };
                self.calendar.closed.push(closure);
            }
        }
    }

    /// How long an event lasts, in seconds.
    fn length(&mut self, from: When, end: Option<&Line>, duration: Option<&Line>) -> Option<u32> {
        if let Some(line) = duration {
            let seconds = line::duration(&line.value);
            if seconds.is_none() {
                self.wrong(&line.span, format!("{} is no duration", quoted(&line.value)));
            }
            return seconds;
        }
        let Some(line) = end else {
            return Some(if matches!(from, When::Day(_)) { 86_400 } else { 0 });
        };
        let seconds = match (from, self.when(line)?) {
            (When::Day(from), When::Day(to)) => (to - from).num_seconds(),
            (When::Moment(from, zone), When::Moment(to, other)) if zone == other => {
                // As the clock shows it: a night that clocks change is no longer for that.
                (to - from).num_seconds()
            }
            _ => {
                self.wrong(&line.span, "DTEND must be written as DTSTART is, and in the same zone");
                return None;
            }
        };
        let seconds = u32::try_from(seconds).ok();
        if seconds.is_none() {
            self.wrong(&line.span, "this event ends before it begins, or after many years");
        }
        seconds
    }

    fn when(&mut self, line: &Line) -> Option<When> {
        let zone = match line.parameter("TZID") {
            Some(name) => Some(self.zone(name, &line.span)?),
            None => None,
        };
        let when = moment(&line.value, zone);
        if when.is_none() {
            let message =
                format!("{} is no date such as 20261225, or 20261224T120000", quoted(&line.value));
            self.wrong(&line.span, message);
        }
        when
    }

    fn zone(&mut self, name: &str, span: &Range<usize>) -> Option<Tz> {
        let zone = name.trim_start_matches('/').parse().ok();
        if zone.is_none() {
            let message = format!("there is no time zone {}; write its IANA name", quoted(name));
            self.wrong(span, message);
        }
        zone
    }

    fn rule(&mut self, line: &Line, from: When, lines: &[&Line]) -> Option<Recurrence> {
        let mut rule = match rule::read(&line.value, from.day(), |until| from.last_day(until)) {
            Ok(rule) => rule,
            Err(wrong) => {
                self.wrong(&line.span, wrong);
                return None;
            }
        };
        for line in lines.iter().filter(|line| line.name == "EXDATE") {
            let zone = match line.parameter("TZID") {
                Some(name) => Some(self.zone(name, &line.span)?),
                None => None,
            };
            for value in line.value.split(',') {
                match moment(value, zone) {
                    Some(when) => rule.except.push(when.on_the_clock_of(from).date()),
                    None => self.wrong(&line.span, format!("{} is no date", quoted(value))),
                }
            }
        }
        if rule.except.len() > calendars::MOST {
            self.wrong(&line.span, format!("an event has at most {} exceptions", calendars::MOST));
            return None;
        }
        Some(rule)
    }
}

/// `20261225`, `20261224T120000`, `20261224T120000Z`.
fn moment(text: &str, zone: Option<Tz>) -> Option<When> {
    let day = |text: &str| {
        let is_day = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_day.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok()).flatten()
    };
    let Some((date, time)) = text.trim().split_once('T') else {
        return day(text.trim()).map(When::Day);
    };
    let (time, zone) = match time.strip_suffix('Z') {
        Some(time) => (time, Some(Tz::UTC)),
        None => (time, zone),
    };
    let is_time = time.len() == 6 && time.bytes().all(|byte| byte.is_ascii_digit());
    let time = is_time.then(|| NaiveTime::parse_from_str(time, "%H%M%S").ok()).flatten()?;
    Some(When::Moment(day(date)?.and_time(time), zone))
}
