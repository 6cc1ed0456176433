//! Whether a case did what it should, line beside line.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::simulate::Simulation;

use super::{Case, Expected, Happened, Wanted, When, happened, moment};

/// What came of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Expected and actual, side by side.
    pub rows: Vec<Row>,
}

/// What was expected, and what happened in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was expected; nothing if it happened unasked.
    pub expected: Option<Expected>,
    /// What happened; nothing if it did not.
    pub happened: Option<Happened>,
    /// When it was expected.
    pub expected_at: Option<DateTime<Utc>>,
    /// Whether they are the same.
    pub fits: bool,
}

impl Verdict {
    /// Whether everything was as it should be.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.fits)
    }

    /// The line of the case that was the first not to come true.
    pub fn line(&self) -> Option<usize> {
        let place = self.rows.iter().position(|row| !row.fits)?;
        // Something that happened unasked is told at the line before which it happened.
        let rest = self.rows.get(place..)?;
        let below = rest.iter().find_map(|row| row.expected.as_ref());
        let above = || self.rows.iter().rev().find_map(|row| row.expected.as_ref());
        below.or_else(above).map(|expected| expected.line)
    }
}

/// Compares what a case expects with what happened.
///
/// # Errors
/// A moment that is none, in words.
pub(super) fn judge(case: &Case, simulation: &Simulation) -> Result<Verdict, String> {
    let process = &simulation.process;
    let mut wanted = Vec::with_capacity(case.then.len());
    for expected in &case.then {
        let at = expected_at(&expected.when, process.started_at, process.timezone)
            .map_err(|wrong| format!("line {}: {wrong}", expected.line))?;
        wanted.push((expected, at.with_timezone(&process.timezone)));
    }
    let mut happened = happened(simulation);
    let speaks_of_end = case.then.iter().any(|one| !matches!(one.what, Wanted::Contact { .. }));
    let is_told = |last: &Happened| matches!(last.what, Wanted::Failed | Wanted::GoesOn(_));
    if !speaks_of_end && !happened.last().is_some_and(is_told) {
        // How it ends is not what this case is about; but that it fails is never passed over.
        happened.pop();
    }
    Ok(Verdict { rows: align(&wanted, &happened) })
}

/// Pairs that are compared with each other. More of them are put side by side as they come.
const MOST_PAIRS: usize = 1_000_000;

/// What fits from the beginning on, and then the rest.
fn align(wanted: &[(&Expected, DateTime<Tz>)], happened: &[Happened]) -> Vec<Row> {
    let places = wanted.len().min(happened.len());
    let same = (0..places).take_while(|at| fits_at(wanted, happened, *at, *at)).count();
    let mut rows: Vec<Row> =
        (0..same).map(|at| beside(wanted.get(at), happened.get(at), true)).collect();
    let wanted = wanted.get(same..).unwrap_or_default();
    let happened = happened.get(same..).unwrap_or_default();
    if wanted.len().saturating_mul(happened.len()) <= MOST_PAIRS {
        rows.extend(align_rest(wanted, happened));
        return rows;
    }
    rows.extend(
        (0..wanted.len().max(happened.len()))
            .map(|at| beside(wanted.get(at), happened.get(at), fits_at(wanted, happened, at, at))),
    );
    rows
}

/// The longest common part of both stands side by side, the rest above or below it.
fn align_rest(wanted: &[(&Expected, DateTime<Tz>)], happened: &[Happened]) -> Vec<Row> {
    let (rows, columns) = (wanted.len(), happened.len());
    let mut longest = vec![vec![0_usize; columns + 1]; rows + 1];
    let get = |table: &[Vec<usize>], row: usize, column: usize| {
        table.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0)
    };
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let value = if fits_at(wanted, happened, row, column) {
                get(&longest, row + 1, column + 1) + 1
            } else {
                get(&longest, row + 1, column).max(get(&longest, row, column + 1))
            };
            if let Some(cell) = longest.get_mut(row).and_then(|row| row.get_mut(column)) {
                *cell = value;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut aligned = Vec::new();
    while row < rows || column < columns {
        if fits_at(wanted, happened, row, column) {
            aligned.push(beside(wanted.get(row), happened.get(column), true));
            (row, column) = (row + 1, column + 1);
        } else if row < rows
            && (column == columns
                || get(&longest, row + 1, column) >= get(&longest, row, column + 1))
        {
            aligned.push(beside(wanted.get(row), None, false));
            row += 1;
        } else {
            aligned.push(beside(None, happened.get(column), false));
            column += 1;
        }
    }
    paired(&aligned)
}

/// What is missing and what came instead stand in one row, each in its own order.
fn paired(rows: &[Row]) -> Vec<Row> {
    let mut paired: Vec<Row> = Vec::with_capacity(rows.len());
    for run in rows.chunk_by(|one, next| one.fits == next.fits) {
        if run.first().is_some_and(|row| row.fits) {
            paired.extend_from_slice(run);
            continue;
        }
        let mut missing = run.iter().filter(|row| row.expected.is_some());
        let mut instead = run.iter().filter_map(|row| row.happened.clone());
        loop {
            let (row, happened) = (missing.next(), instead.next());
            if row.is_none() && happened.is_none() {
                break;
            }
            paired.push(Row {
                expected: row.and_then(|row| row.expected.clone()),
                expected_at: row.and_then(|row| row.expected_at),
                happened,
                fits: false,
            });
        }
    }
    paired
}

fn beside(
    wanted: Option<&(&Expected, DateTime<Tz>)>,
    happened: Option<&Happened>,
    fits: bool,
) -> Row {
    Row {
        expected: wanted.map(|(expected, _)| (*expected).clone()),
        expected_at: wanted.map(|(_, at)| at.with_timezone(&Utc)),
        happened: happened.cloned(),
        fits,
    }
}

fn fits_at(
    wanted: &[(&Expected, DateTime<Tz>)],
    happened: &[Happened],
    row: usize,
    column: usize,
) -> bool {
    let (Some((expected, at)), Some(happened)) = (wanted.get(row), happened.get(column)) else {
        return false;
    };
    is_moment(&expected.when, *at, happened.at) && is_wanted(&expected.what, happened)
}

/// A case speaks of seconds, and of the day only where it says so.
fn is_moment(when: &When, expected: DateTime<Tz>, happened: DateTime<Utc>) -> bool {
    if expected.timestamp() == happened.timestamp() {
        return true;
    }
    match when {
        // As the wall clock shows it: on that day, and if a time is all that is said, on any later
        // one. It may show it twice.
        When::At(text) => {
            let local = happened.with_timezone(&expected.timezone());
            let is_time = local.time().with_nanosecond(0) == expected.time().with_nanosecond(0);
            let days = local.date_naive() - expected.date_naive();
            let is_day = days.is_zero() && !has_offset(text, expected);
            let is_later = is_time_of_day(text).is_some() && days > TimeDelta::zero();
            is_time && (is_day || is_later)
        }
        When::After(_) => false,
    }
}

fn is_wanted(wanted: &Wanted, happened: &Happened) -> bool {
    match (wanted, &happened.what) {
        (Wanted::Contact { step, to, says }, Wanted::Contact { step: actual, .. }) => {
            let reaches = |to: &String| addresses(&happened.request).any(|one| names(one, to));
            let tells = |text: &String| said(&happened.request).any(|one| one.contains(text));
            step == actual && to.as_ref().is_none_or(reaches) && says.as_ref().is_none_or(tells)
        }
        (wanted, actual) => wanted == actual,
    }
}

/// Whether an address is meant by a text: it is that, or whole words of it, such as a mailbox
/// beside its owner's name, or the host of a URL.
pub(super) fn names(address: &str, text: &str) -> bool {
    let is_inside = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    address.match_indices(text).any(|(at, found)| {
        let (before, after) = (address.get(..at), address.get(at + found.len()..));
        !is_inside(before.and_then(|before| before.chars().next_back()))
            && !is_inside(after.and_then(|after| after.chars().next()))
    })
}

/// What a request says to whom it reaches: its texts beside the addresses, and beside what says
/// how it is carried.
fn said(request: &Value) -> impl Iterator<Item = &str> {
    const CARRIED: [&str; 6] = ["from", "replyTo", "method", "headers", "do", "written"];
    let carries = |key: &str| ADDRESSES.contains(&key) || CARRIED.contains(&key);
    // A question has the process's data with it.
    let is_question = request.get("config").is_some();
    let entries = request.as_object().into_iter().flatten();
    let content = entries
        .filter(move |(key, _)| !(carries(key.as_str()) || is_question && key.as_str() == "data"));
    content.flat_map(move |(key, value)| match value.get("say").filter(|_| key == "content") {
        Some(call) => texts(call.get("text").unwrap_or(&Value::Null)),
        None => texts(value),
    })
}

/// Under which keys a request has addresses.
const ADDRESSES: [&str; 6] = ["to", "cc", "bcc", "channel", "url", "process_id"];

/// Whom a request reaches: what stands under `to`, `cc`, `bcc` and `channel`, `url` of a
/// webhook, and `process_id`.
pub(crate) fn addresses(request: &Value) -> impl Iterator<Item = &str> {
    let under = move |key: &str| request.get(key).into_iter().flat_map(texts);
    ADDRESSES.into_iter().flat_map(under)
}

/// Every text in a value.
fn texts(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(items) => Box::new(items.iter().flat_map(texts)),
        Value::Object(entries) => Box::new(entries.values().flat_map(texts)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Whether a moment says itself which of two it is.
fn has_offset(text: &str, at: DateTime<Tz>) -> bool {
    let as_it_stands = moment(text, Tz::UTC).map(|it| it.naive_utc());
    is_time_of_day(text).is_none() && as_it_stands != Ok(at.naive_local())
}

/// `21:30` or `21:30:15`.
pub(crate) fn is_time_of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

fn expected_at(
    when: &When,
    started_at: DateTime<Utc>,
    timezone: Tz,
) -> Result<DateTime<Utc>, String> {
    let text = match when {
        When::After(after) => {
            return started_at
                .checked_add_signed(*after)
                .ok_or_else(|| "that is beyond the year 9999".to_owned());
        }
        When::At(text) => text,
    };
    let Some(time) = is_time_of_day(text) else { return moment(text, timezone) };
    let mut day = started_at.with_timezone(&timezone).date_naive();
    for _ in 0..3 {
        let local = timezone.from_local_datetime(&day.and_time(time));
        let both = local.earliest().into_iter().chain(local.latest());
        let mut both = both.map(|at| at.with_timezone(&Utc));
        if let Some(at) = both.find(|at| *at >= started_at) {
            return Ok(at);
        }
        day = day.checked_add_days(Days::new(1)).unwrap_or(day);
    }
    Err(format!("{text} does not come on the days after the start"))
}
