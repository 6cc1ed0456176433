//! Calendars: `calendars:` of a sequence, and the files that it names.
//!
//! ```yaml
//! calendars:
//!   office:
//!     timezone: Europe/Zagreb
//!     hours:
//!       mon-thu: 08:00-16:00
//!       fri: 08:00-12:00, 13:00-15:00
//!     holidays:
//!       - 12-25                                      # every year
//!       - { date: 2026-12-24..2027-01-02, name: Winter break }
//! ```
//!
//! A file `calendars/office.yml` holds what stands under `office:` here; `calendars/office.ics`
//! is read by [`crate::check::ics`].

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use rungs_runners::hours::{
    Calendar, Calendars, Dates, Days, Holiday, Hours, Occasion, Time, Window,
};

use super::{
    at::At,
    compose::compose,
    ics,
    node::{Data, Entry, Node, quoted},
    parts::Part,
    quiet::{one, several},
    report::Report,
    timezone,
};
use crate::{Diagnostic, Files, diagnostic::Place};

const KEYS: [&str; 4] = ["description", "timezone", "hours", "holidays"];
/// Holidays, and hours, of a calendar at most: a search goes through all of them every day.
pub(super) const MOST: usize = 1_000;
/// No process lives until then.
const LAST_YEAR: i32 = 9_999;

/// Reads all calendars of a sequence. One with a mistake in it stands there open, so that
/// nobody complains of it twice.
pub(super) fn read<'a>(at: &At<'_>, files: &'a Files, report: &mut Report<'a>) -> Calendars {
    let mut calendars = Calendars::new();
    if let Some(field) = at.field("calendars")
        && field.is_mapping(report)
    {
        for entry in field.node.entries() {
            check_name(&entry.key, field.place_of_key(&entry.key), report);
            if let Some(at) = field.field(&entry.key) {
                calendars.insert(entry.key.clone(), calendar(&at, report));
            }
        }
    }
    for name in files.calendar_names() {
        let Some(file) = files.calendar(name).filter(|_| !calendars.contains_key(name)) else {
            continue;
        };
        let read = match &file.text {
            Ok(text) => of_file(&file.path, text, report),
            Err(reason) => {
                let place = use_of(at.node, name).unwrap_or_else(|| at.key_place());
                let message = format!("{} cannot be read: {reason}", quoted(&file.path));
                report.add(Diagnostic::error("calendar", place, message));
                Calendar::default()
            }
        };
        calendars.insert(name.to_owned(), read);
    }
    calendars
}

/// A calendar for every name that is written literally, for a text that has none of its own.
pub(super) fn assumed(node: &Node) -> Calendars {
    match &node.data {
        Data::List(items) => items.iter().flat_map(assumed).collect(),
        Data::Mapping(entries) => {
            let name = |entry: &Entry| Some(entry.value.text()?.to_owned());
            let named = entries.iter().filter(|entry| entry.key == "calendar").filter_map(name);
            let below = entries.iter().flat_map(|entry| assumed(&entry.value));
            named.map(|name| (name, Calendar::default())).chain(below).collect()
        }
        _ => Calendars::new(),
    }
}

/// Where a sequence names a calendar.
fn use_of(node: &Node, name: &str) -> Option<Place> {
    match &node.data {
        Data::List(items) => items.iter().find_map(|item| use_of(item, name)),
        Data::Mapping(entries) => entries.iter().find_map(|entry| {
            if entry.key == "calendar" && entry.value.text() == Some(name) {
                return Some(Place::new("", entry.value.span.clone()));
            }
            use_of(&entry.value, name)
        }),
        _ => None,
    }
}

/// A file: iCalendar, or YAML.
fn of_file<'a>(path: &'a str, text: &'a str, report: &mut Report<'a>) -> Calendar {
    let base = report.include(Part::file(path, text));
    if path.rsplit_once('.').is_some_and(|(_, ending)| ending == "ics") {
        return ics::read(text, base, report);
    }
    let mut alone = Report::new(text);
    let root = compose(&mut alone);
    let is_silent = alone.len() == 0;
    report.absorb(alone, base);
    let Some(root) = root.map(|root| root.moved(base)) else {
        if is_silent {
            let message = "there is no calendar in here";
            report.add(Diagnostic::error("empty", Place::new("", base..base), message));
        }
        return Calendar::default();
    };
    calendar(&At::root(&root), report)
}

fn check_name(name: &str, place: Place, report: &mut Report<'_>) {
    let is_name = name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !is_name {
        let message = format!("{} cannot be the name of a calendar", quoted(name));
        let help =
            "up to 100 letters, digits, `-`, `_` and `.`, beginning with a letter or a digit";
        report.add(Diagnostic::error("name", place, message).help(help.to_owned()));
    }
}

fn calendar(at: &At<'_>, report: &mut Report<'_>) -> Calendar {
    if !at.is_mapping(report) {
        return Calendar::default();
    }
    let before = report.len();
    at.refuse_unknown_keys(&KEYS, |_| None, report);
    if let Some(field) = at.field("description") {
        field.text(report);
    }
    let calendar = Calendar {
        timezone: at.field("timezone").and_then(|field| zone(&field, report)),
        hours: at.field("hours").map(|field| hours(&field, report)),
        holidays: at.field("holidays").map(|field| holidays(&field, report)).unwrap_or_default(),
        ..Calendar::default()
    };
    if report.len() == before && !opens(&calendar) {
        let message = "this calendar never opens";
        let help = "hours are written as `hours: { mon-fri: 09:00-17:00 }`; without `hours` it is \
                    open around the clock"
            .to_owned();
        report.add(Diagnostic::error("never-opens", at.key_place(), message).help(help));
    }
    if report.len() > before { Calendar::default() } else { calendar }
}

/// What the hours of a sequence are told by.
pub(super) struct Almanac {
    /// Its calendars.
    pub calendars: Calendars,
    /// Its zone, if that is known before there is a process.
    pub zone: Option<Tz>,
}

/// Whether it opens at all.
pub(super) fn opens(calendar: &Calendar) -> bool {
    let opens = calendar.in_zone(Tz::UTC).now_or_next(calendar.settled_at());
    opens.is_some_and(|open| is_foreseen(open.from))
}

/// Whether a moment lies in the years of which Rungs knows.
pub(super) fn is_foreseen(at: DateTime<Utc>) -> bool {
    at.year() <= LAST_YEAR
}

/// The zone of a calendar is no template: no process's data are at hand.
fn zone(at: &At<'_>, report: &mut Report<'_>) -> Option<Tz> {
    let name = at.text(report)?;
    if rungs_runners::template::is_template(name) {
        let message = "the time zone of a calendar cannot be a template";
        let help =
            "leave it out, and it is that of the window or quiet hours that name it".to_owned();
        report.add(Diagnostic::error("literal", at.place(), message).help(help));
        return None;
    }
    timezone::read(at, report)?;
    name.parse().ok()
}

fn hours(at: &At<'_>, report: &mut Report<'_>) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    if !at.is_mapping(report) {
        return windows;
    }
    let mut known = Days::NONE;
    for entry in at.node.entries() {
        let place = at.place_of_key(&entry.key);
        let days = match Days::try_from(entry.key.clone()) {
            Ok(days) => days,
            Err(wrong) => {
                report.add(Diagnostic::error("out-of-range", place, wrong));
                continue;
            }
        };
        if known.meets(days) {
            let message = "one of these days has its hours above already";
            let help = "several hours of a day stand together: `08:00-12:00, 13:00-16:00`";
            report.add(Diagnostic::error("duplicate", place, message).help(help.to_owned()));
        }
        known = known.and(days);
        let Some(field) = at.field(&entry.key) else { continue };
        if field.node.data == Data::Null || field.node.text() == Some("closed") {
            continue;
        }
        let spans: Vec<Span> = several(&field, report);
        windows.extend(spans.into_iter().map(|Span(from, to)| Window {
            days,
            from,
            to,
            except: Vec::new(),
        }));
    }
    if windows.len() > MOST {
        let message = format!("a calendar has at most {MOST} hours");
        report.add(Diagnostic::error("too-large", at.place(), message));
    }
    windows
}

/// `09:00-17:00`.
struct Span(Time, Time);

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text
            .split_once('-')
            .ok_or_else(|| format!("{} are no hours such as 09:00-17:00", quoted(text)))?;
        let (from, to) = (from.parse()?, to.parse()?);
        match Window::check_times(from, to, true) {
            Some((_, wrong)) => Err(wrong),
            None => Ok(Self(from, to)),
        }
    }
}

fn holidays(at: &At<'_>, report: &mut Report<'_>) -> Vec<Holiday> {
    let Data::List(items) = &at.node.data else {
        at.expected("a list of dates", report);
        return Vec::new();
    };
    if items.len() > MOST {
        let message =
            format!("a calendar has at most {MOST} holidays, and this has {}", items.len());
        report.add(Diagnostic::error("too-large", at.place(), message));
    }
    let each = items.iter().take(MOST).enumerate().filter_map(|(index, node)| {
        holiday(&At { node, pointer: format!("{}/{index}", at.pointer), key_span: None }, report)
    });
    each.collect()
}

fn holiday(at: &At<'_>, report: &mut Report<'_>) -> Option<Holiday> {
    let dates = |dates: Dates| Occasion::Dates(dates);
    if !matches!(at.node.data, Data::Mapping(_)) {
        return Some(Holiday { when: dates(one(at, report)?), name: None });
    }
    at.refuse_unknown_keys(&["date", "name"], |_| None, report);
    let date = at.required("date", "such as `{ date: 12-25, name: Christmas }`", report)?;
    let name = at.field("name").and_then(|field| field.text(report)).map(str::to_owned);
    Some(Holiday { when: dates(one(&date, report)?), name })
}
