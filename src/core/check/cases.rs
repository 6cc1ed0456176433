//! A file of cases: `NAME.test.yml`.
//!
//! ```yaml
//! sequence: order-escalation.yml        # without it: NAME.yml beside NAME.test.yml
//! given: { at: 2026-11-28T21:30 }       # of all cases
//! cases:
//!   - case: The kitchen picks up the second time
//!     given: { with: { order: { count: 5 } } }
//!     when:
//!       ring: busy
//!       ring#2: answered
//!       +7m: order.status=confirmed
//!     then:
//!       - +3m: ring
//!       - +3m 5s: text-manager to +385917654321
//!       - "21:35:05": ring says "5 new orders"
//!       - +7m: completed
//! ```
//!
//! Promises: as for a sequence: everything that is wrong, each at its place.

use serde_json::Value;

use super::{
    at::At,
    compose::compose,
    node::{Data, Entry, Node, quoted},
    report::Report,
};
use crate::{
    Diagnostic, Sequence,
    cases::{Case, Expected, Given, Wanted, When, verdict::is_time_of_day},
    diagnostic::Place,
    happening::{self, Happening},
    simulate::{Answer, answer},
};

const TOP: [&str; 3] = ["sequence", "given", "cases"];
const CASE: [&str; 4] = ["case", "given", "when", "then"];
const GIVEN: [&str; 4] = ["data", "with", "at", "timezone"];
/// What ends a process, in the words of a case.
const ENDS: [&str; 4] = ["completed", "failed", "stopped", "waits at STEP"];

/// Cases that were read.
#[derive(Debug)]
pub struct CheckedCases {
    /// The cases, in order; nothing of them if there was an error.
    pub cases: Vec<Case>,
    /// Everything there is to say.
    pub diagnostics: Vec<Diagnostic>,
}

/// The sequence that a file of cases is about, where it says so.
pub fn subject(source: &str) -> Option<String> {
    let mut report = Report::new(source);
    let root = compose(&mut report)?;
    root.entry("sequence")?.value.text().map(str::to_owned)
}

/// Reads cases of `sequence`.
pub fn cases(source: &str, sequence: &Sequence) -> CheckedCases {
    let mut report = Report::new(source);
    let cases = compose(&mut report).map(|root| read(&root, sequence, &mut report));
    if cases.is_none() && report.len() == 0 {
        report.add(
            Diagnostic::error("empty", Place::default(), "there are no cases in here")
                .help("a file of cases begins with `cases:`".to_owned()),
        );
    }
    let cases = cases.filter(|_| !report.has_errors()).unwrap_or_default();
    CheckedCases { cases, diagnostics: report.close() }
}

fn read(root: &Node, sequence: &Sequence, report: &mut Report<'_>) -> Vec<Case> {
    let at = At::root(root);
    if !at.is_mapping(report) {
        return Vec::new();
    }
    at.refuse_unknown_keys(&TOP, |_| None, report);
    let common = at.field("given").map(|at| given(&at, report)).unwrap_or_default();
    let Some(field) = at.required("cases", "a list of cases, each with `case` and `then`", report)
    else {
        return Vec::new();
    };
    let each = items(&field, "a list of cases", report);
    if each.is_empty() && !report.has_errors() {
        let message = "there are no cases in this list";
        report.add(Diagnostic::error("empty", field.place(), message));
    }
    each.iter().filter_map(|at| case(at, &common, sequence, report)).collect()
}

fn case(at: &At<'_>, common: &Given, sequence: &Sequence, report: &mut Report<'_>) -> Option<Case> {
    if !at.is_mapping(report) {
        return None;
    }
    at.refuse_unknown_keys(&CASE, |_| None, report);
    let name = at.required("case", "what it is about, in your own words", report)?;
    let name = name.text(report)?.to_owned();
    let own = at.field("given").map(|at| given(&at, report)).unwrap_or_default();
    let mut case = Case {
        name,
        line: report.line(at.node.span.start),
        given: own.or(common),
        answers: Vec::new(),
        happenings: Vec::new(),
        then: Vec::new(),
    };
    if let Some(when) = at.field("when")
        && when.is_mapping(report)
    {
        for entry in when.node.entries() {
            happens(&mut case, entry, &when, sequence, report);
        }
    }
    let then = at.required("then", "what shall happen, such as `- +3m: ring`", report)?;
    for line in items(&then, "a list of what shall happen", report) {
        case.then.extend(expected(&line, sequence, report));
    }
    Some(case)
}

impl Given {
    /// What a case does not say, all cases say.
    fn or(self, common: &Self) -> Self {
        Self {
            data: self.data.or_else(|| common.data.clone()),
            with: self.with.or_else(|| common.with.clone()),
            at: self.at.or_else(|| common.at.clone()),
            timezone: self.timezone.or(common.timezone),
        }
    }
}

fn given(at: &At<'_>, report: &mut Report<'_>) -> Given {
    if !at.is_mapping(report) {
        return Given::default();
    }
    at.refuse_unknown_keys(&GIVEN, |_| None, report);
    let timezone = at.field("timezone").and_then(|field| {
        let name = field.text(report)?;
        let zone = name.parse().ok();
        if zone.is_none() {
            let message = format!("{} is no IANA time zone", quoted(name));
            report.add(Diagnostic::error("timezone", field.place(), message));
        }
        zone
    });
    let moment = at.field("at").and_then(|field| {
        let text = field.text(report)?;
        if let Err(wrong) = crate::cases::moment(text, chrono_tz::UTC) {
            let help = "write it as 2026-03-29T00:30".to_owned();
            report.add(Diagnostic::error("moment", field.place(), wrong).help(help));
        }
        Some(text.to_owned())
    });
    let value = |key: &str| at.field(key).map(|field| field.node.to_json());
    let data = value("data").filter(|data| !data.is_null());
    let is_data = match &data {
        Some(Value::String(text)) => text.starts_with('@'),
        other => other.as_ref().is_none_or(Value::is_object),
    };
    if let (false, Some(field)) = (is_data, at.field("data")) {
        field.expected("a mapping, or a text such as `@order.json`", report);
    }
    let with = value("with").filter(|with| !with.is_null());
    if let (false, Some(field)) = (with.as_ref().is_none_or(Value::is_object), at.field("with")) {
        field.expected("a mapping, which is merged into the data", report);
    }
    Given { data, with, at: moment, timezone }
}

/// `ring#2: answered`, or `+7m: order.status=confirmed`.
fn happens(
    case: &mut Case,
    entry: &Entry,
    when: &At<'_>,
    sequence: &Sequence,
    report: &mut Report<'_>,
) {
    let key_place = when.place_of_key(&entry.key);
    if entry.key.starts_with('+') {
        match happening(entry) {
            Ok(happening) => case.happenings.push(happening),
            Err(wrong) => report.add(Diagnostic::error("event", key_place, wrong)),
        }
        return;
    }
    let Some(field) = when.field(&entry.key) else { return };
    // What a server answers is written as what it is.
    let text = match &field.node.data {
        Data::Mapping(_) | Data::List(_) => field.node.to_json().to_string(),
        _ => match field.text(report) {
            Some(text) => text.to_owned(),
            None => return,
        },
    };
    // No step begins so.
    if entry.key.starts_with(|c: char| c.is_ascii_digit()) {
        let key = quoted(&entry.key);
        let wrong = format!("{key} is no step; what happens, happens at a time such as `+5m`");
        report.add(Diagnostic::error("answer", key_place, wrong));
        return;
    }
    let fits = format!("{}={text}", entry.key).parse::<Answer>().and_then(|answer| {
        answer::fit(std::slice::from_ref(&answer), sequence)?;
        answer::alone(&answer, &case.answers)?;
        Ok(answer)
    });
    match fits {
        Ok(answer) => case.answers.push(answer),
        Err(wrong) => report.add(Diagnostic::error("answer", key_place, wrong)),
    }
}

/// An event: a text, or a mapping with its type and its data.
fn happening(entry: &Entry) -> Result<Happening, String> {
    let time = entry.key.replace(' ', "");
    match &entry.value.data {
        Data::Text(text) => format!("{time}:{text}").parse(),
        Data::Mapping(_) => {
            let json = entry.value.to_json();
            let name = json.get("event").and_then(Value::as_str);
            let name = name.ok_or("expected `event`, its type, and perhaps `data`")?;
            let mut keys = entry.value.entries().iter().map(|entry| entry.key.as_str());
            if let Some(key) = keys.find(|key| !["event", "data"].contains(key)) {
                let key = quoted(key);
                return Err(format!("there is no key {key} here; an event has `event` and `data`"));
            }
            let after = happening::duration(&time)
                .ok_or_else(|| format!("{} is no time such as +7m", quoted(&time)))?;
            Happening::event(after, name, json.get("data").cloned().unwrap_or(Value::Null))
        }
        _ => Err("expected what happens, such as `order.status=confirmed`".to_owned()),
    }
}

/// `- +3m: ring to +385911234567`.
fn expected(at: &At<'_>, sequence: &Sequence, report: &mut Report<'_>) -> Option<Expected> {
    let [Entry { key, value, .. }] = at.node.entries() else {
        at.expected("a time and what shall happen then, such as `+3m: ring`", report);
        return None;
    };
    let line = report.line(at.node.span.start);
    let place = at.place_of_key(key);
    let when = match when(key) {
        Ok(when) => when,
        Err(wrong) => {
            report
                .add(Diagnostic::error("moment", place, wrong).help(
                    "such as `+3m`, `+1h 30m`, `\"21:30\"` or `2026-03-29T00:30`".to_owned(),
                ));
            return None;
        }
    };
    let Some(text) = value.text() else {
        at.field(key)?.expected("what shall happen, such as `ring` or `completed`", report);
        return None;
    };
    match wanted(text, sequence) {
        Ok(what) => Some(Expected { line, when, what }),
        Err(wrong) => {
            report.add(Diagnostic::error("then", at.field(key)?.place(), wrong));
            None
        }
    }
}

fn when(text: &str) -> Result<When, String> {
    if text.starts_with('+') {
        let after = happening::duration(&text.replace(' ', ""));
        return after.map(When::After).ok_or_else(|| format!("{} is no time", quoted(text)));
    }
    if is_time_of_day(text).is_none() {
        crate::cases::moment(text, chrono_tz::UTC)?;
    }
    Ok(When::At(text.to_owned()))
}

/// `ring`, `ring to +385...`, `ring says "..."`, `completed`, `failed`, `stopped`,
/// `waits at STEP`.
fn wanted(text: &str, sequence: &Sequence) -> Result<Wanted, String> {
    let text = text.trim();
    if ENDS.contains(&text) && sequence.position(text).is_some() {
        return Err(format!(
            "`{text}` is an end, and a step of this sequence; cases can only speak of it once the \
             step has another name"
        ));
    }
    match text {
        "completed" => return Ok(Wanted::Completed),
        "failed" => return Ok(Wanted::Failed),
        "stopped" => return Ok(Wanted::Stopped),
        _ => {}
    }
    if let Some(step) = text.strip_prefix("waits at ") {
        known(step.trim(), sequence)?;
        return Ok(Wanted::Waits(step.trim().to_owned()));
    }
    let (rest, says) = match text.split_once(" says ") {
        Some((rest, says)) => (rest, Some(said(says)?)),
        None => (text, None),
    };
    let (step, to) = match rest.split_once(" to ") {
        Some((step, to)) => (step, Some(to.trim().to_owned())),
        None => (rest, None),
    };
    let step = step.trim();
    let position = known(step, sequence)?;
    if sequence.steps.get(position).is_some_and(|step| !step.kind.delivers) {
        return Err(format!("step `{step}` reaches nobody, so nobody sees it happen"));
    }
    Ok(Wanted::Contact { step: step.to_owned(), to, says })
}

/// What is said, in quotation marks or without.
fn said(text: &str) -> Result<String, String> {
    let text = text.trim();
    for quote in ['"', '\''] {
        let Some(inside) = text.strip_prefix(quote) else { continue };
        return match inside.strip_suffix(quote) {
            Some(said) => Ok(said.to_owned()),
            None => Err(format!(
                "after `says` stands a text in quotation marks and nothing more; whom it reaches \
                 stands before it, as in `ring to +385911234567 says {text}`"
            )),
        };
    }
    Ok(text.to_owned())
}

fn known(step: &str, sequence: &Sequence) -> Result<usize, String> {
    sequence.position(step).ok_or_else(|| {
        let steps = sequence.steps.iter().map(|step| step.id.as_str());
        match super::nearest(step, steps.chain(ENDS)) {
            Some(meant) => format!("there is no step {}; did you mean `{meant}`?", quoted(step)),
            None => format!(
                "there is no step {}, and it is no end either ({})",
                quoted(step),
                ENDS.join(", ")
            ),
        }
    })
}

/// Each item of a list, with its pointer.
fn items<'a>(at: &At<'a>, expected: &str, report: &mut Report<'_>) -> Vec<At<'a>> {
    let Data::List(items) = &at.node.data else {
        at.expected(expected, report);
        return Vec::new();
    };
    let each = items.iter().enumerate();
    each.map(|(index, node)| At {
        node,
        pointer: format!("{}/{index}", at.pointer),
        key_span: None,
    })
    .collect()
}
