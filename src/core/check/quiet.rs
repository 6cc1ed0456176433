//! `quietHours: { from, to, days, except, timezone, calendar }`, or `none`.

use std::sync::Arc;

use chrono::DateTime;
use chrono_tz::Tz;
use rungs_runners::{
    Kind,
    hours::{self, Calendar, Calendars, Dates, Days, QuietIn, Time, Window},
};

use super::{
    at::At,
    calendars::{Almanac, is_foreseen},
    node::Data,
    report::Report,
    timezone,
};
use crate::{Diagnostic, QuietHours};

const KEYS: [&str; 6] = ["from", "to", "days", "except", "timezone", "calendar"];

/// What a step or a sequence says: none, or these.
pub(super) type Said = Option<Arc<QuietHours>>;

/// Reads `quietHours` under `at`; `None` if nothing is said, or nothing that can be read.
pub(super) fn read(at: &At<'_>, almanac: &Almanac, report: &mut Report<'_>) -> Option<Said> {
    let field = at.field("quietHours")?;
    match &field.node.data {
        Data::Text(text) if text == "none" || text == "off" => Some(None),
        Data::Mapping(_) => hours_of(&field, almanac, report).map(Arc::new).map(Some),
        _ => {
            field.expected("a mapping with `from` and `to`, or `none`", report);
            None
        }
    }
}

/// A step that sends nothing has nothing to hold back.
pub(super) fn refuse(at: &At<'_>, kind: &Kind, report: &mut Report<'_>) {
    if at.field("quietHours").is_some() {
        let what = if kind.asks { "asks a program" } else { "sends nothing that could disturb" };
        let message = format!("`{}` {what}, so it takes no `quietHours`", kind.name);
        let help = "to wait until a time of day, use `WaitForWindow`".to_owned();
        report.add(
            Diagnostic::error("no-delivery", at.place_of_key("quietHours"), message).help(help),
        );
    }
}

fn hours_of(at: &At<'_>, almanac: &Almanac, report: &mut Report<'_>) -> Option<QuietHours> {
    let (before, calendars) = (report.len(), &almanac.calendars);
    at.refuse_unknown_keys(&KEYS, |_| None, report);
    let calendar = at.field("calendar").and_then(|field| {
        let name = field.text(report)?;
        if !calendars.contains_key(name) {
            let problem = hours::no_calendar("", name, calendars);
            report.add(
                Diagnostic::error("unknown-calendar", field.place(), problem.message)
                    .help(problem.help),
            );
        }
        Some(name.to_owned())
    });
    let own = at.field("timezone");
    let timezone = own.as_ref().and_then(|field| timezone::read(field, report));
    let window = window(at, report);
    if at.node.entries().iter().all(|entry| entry.key == "timezone") && report.len() == before {
        report.add(
            Diagnostic::error("missing-key", at.key_place(), "these quiet hours say no time")
                .help("such as `quietHours: { from: 22:00, to: 07:00 }`".to_owned()),
        );
    }
    if report.len() > before {
        return None;
    }
    let quiet = QuietHours { window, timezone, calendar };
    let zone = match own {
        Some(own) => timezone::literal(&own),
        None => almanac.zone,
    };
    refuse_without_end(&quiet, at, zone, calendars, report);
    Some(quiet)
}

/// Of hours that never end nothing ever leaves.
fn refuse_without_end(
    quiet: &QuietHours,
    at: &At<'_>,
    zone: Option<Tz>,
    calendars: &Calendars,
    report: &mut Report<'_>,
) {
    let calendar = quiet.calendar.as_ref().and_then(|name| calendars.get(name));
    let settled_at = calendar.map_or(DateTime::UNIX_EPOCH, Calendar::settled_at);
    // What is told in one zone meets in any other as well.
    let any = calendar.is_none_or(|calendar| calendar.timezone.is_none()).then_some(Tz::UTC);
    let Some(timezone) = zone.or(any) else { return };
    let sample = QuietIn { timezone, window: quiet.window.as_ref(), calendar };
    if !sample.leaves_at(settled_at).is_some_and(is_foreseen) {
        let message = "it is always quiet then: nothing would ever leave";
        report.add(Diagnostic::error("always-quiet", at.key_place(), message));
    }
}

fn window(at: &At<'_>, report: &mut Report<'_>) -> Option<Window> {
    let keys = ["from", "to", "days", "except"];
    if keys.iter().all(|key| at.field(key).is_none()) {
        return None;
    }
    let mut time = |key: &str, otherwise: Time| match at.field(key) {
        Some(field) => one(&field, report),
        None => Some(otherwise),
    };
    let (from, to) = (time("from", Time::FIRST), time("to", Time::LAST));
    let days: Option<Days> = match at.field("days") {
        Some(field) => {
            let each: Vec<Days> = several(&field, report);
            each.into_iter().reduce(Days::and).filter(|days| !days.is_empty())
        }
        None => Some(Days::ALL),
    };
    let except: Vec<Dates> =
        at.field("except").map(|field| several(&field, report)).unwrap_or_default();
    let (from, to, days) = (from?, to?, days?);
    if let Some((key, wrong)) = Window::check_times(from, to, true) {
        let place = at.field(key).map_or_else(|| at.key_place(), |field| field.place());
        report.add(Diagnostic::error("out-of-range", place, wrong));
    }
    Some(Window { days, from, to, except })
}

/// A word that can be read, such as a time of day.
pub(super) fn one<T: std::str::FromStr<Err = String>>(
    at: &At<'_>,
    report: &mut Report<'_>,
) -> Option<T> {
    let text = match &at.node.data {
        Data::Number(number) => number.to_string(),
        _ => at.text(report)?.to_owned(),
    };
    text.parse()
        .map_err(|wrong| report.add(Diagnostic::error("out-of-range", at.place(), wrong)))
        .ok()
}

/// Words that can be read: a list of them, or one text with commas.
pub(super) fn several<T: std::str::FromStr<Err = String>>(
    at: &At<'_>,
    report: &mut Report<'_>,
) -> Vec<T> {
    let mut found = Vec::new();
    let mut add = |text: &str, at: &At<'_>, report: &mut Report<'_>| {
        for part in text.split(',') {
            match part.trim().parse() {
                Ok(one) => found.push(one),
                Err(wrong) => report.add(Diagnostic::error("out-of-range", at.place(), wrong)),
            }
        }
    };
    match &at.node.data {
        Data::List(items) if items.is_empty() => {
            report.add(Diagnostic::error(
                "out-of-range",
                at.place(),
                "there is nothing in this list",
            ));
        }
        Data::List(items) => {
            for (index, node) in items.iter().enumerate() {
                let pointer = format!("{}/{index}", at.pointer);
                let item = At { node, pointer, key_span: None };
                match &node.data {
                    Data::Number(number) => add(&number.to_string(), &item, report),
                    _ => {
                        if let Some(text) = item.text(report) {
                            add(text, &item, report);
                        }
                    }
                }
            }
        }
        Data::Number(number) => add(&number.to_string(), at, report),
        _ => {
            if let Some(text) = at.text(report) {
                add(text, at, report);
            }
        }
    }
    found
}
