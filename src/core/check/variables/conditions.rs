//! Conditions that `input` rules out: operands at paths where nothing is, and comparisons that
//! are never so.
//!
//! Promises: no false alarm for data that only an event brings, as long as its name is not
//! nearly one that `input` lists, and its values fit those that `input` lists.

use rungs_runners::{path::Path, template::is_template};
use serde_json::Value;

use super::{
    super::{
        at::At,
        node::{Data, quoted},
        report::Report,
        suggest,
    },
    ABOUT, Facts,
    known::{Known, type_of},
    rendered::inside_of_nothing,
};
use crate::Diagnostic;

/// Where conditions stand in each other, or in a config.
const NESTING: [&str; 4] = ["all", "any", "not", "where"];
/// How deep conditions are followed; the runners take fewer.
const DEPTH: usize = 20;

/// An operand that is a path.
struct Operand<'a> {
    at: At<'a>,
    path: Vec<String>,
}

/// Warns of what is wrong with the conditions in a config.
pub(super) fn check(at: &At<'_>, facts: &Facts<'_>, depth: usize, report: &mut Report<'_>) {
    look(at, facts, (depth, false), report);
}

/// `of_event`: they look at an event that comes.
fn look(at: &At<'_>, facts: &Facts<'_>, (depth, of_event): (usize, bool), report: &mut Report<'_>) {
    if depth > DEPTH {
        return;
    }
    match &at.node.data {
        Data::List(items) => {
            for index in 0..items.len() {
                look(&at.find(&format!("/{index}")), facts, (depth + 1, of_event), report);
            }
        }
        Data::Mapping(_) => {
            if at.field("lodashCommand").is_some() {
                test(at, facts, of_event, report);
            }
            for (key, nested) in NESTING.iter().filter_map(|key| Some((key, at.field(key)?))) {
                look(&nested, facts, (depth + 1, of_event || *key == "where"), report);
            }
        }
        _ => {}
    }
}

fn test(at: &At<'_>, facts: &Facts<'_>, of_event: bool, report: &mut Report<'_>) {
    let sides = [at.field("value"), at.field("compareTo")];
    let [left, right] = sides.map(|side| side.as_ref().and_then(operand));
    for operand in [&left, &right].into_iter().flatten() {
        if !(of_event && is_of_event(operand, report)) {
            exists(operand, facts, report);
        }
    }
    let Some(command) = at.field("lodashCommand").and_then(|field| field.node.text()) else {
        return;
    };
    if let ("eq" | "isEqual", Some(value), Some(compared)) =
        (command, at.field("value"), at.field("compareTo"))
    {
        match (&left, &right) {
            (Some(path), None) => equal(path, facts, &compared, report),
            (None, Some(path)) => equal(path, facts, &value, report),
            _ => {}
        }
    }
    if let Some((types, path)) = wanted(command).zip(left) {
        let Some(known) = follow(&path, facts) else { return };
        if known.types().is_some_and(|found| !found.iter().any(|one| types.contains(one))) {
            let name = quoted(&path.path.join("."));
            let message =
                format!("this is never so: `input` says that {name} is {}", known.words());
            let place = at.field("lodashCommand").map(|field| field.place()).unwrap_or_default();
            report.add(Diagnostic::warning("never-true", place, message));
        }
    }
}

/// The types that a predicate of one value is true of.
fn wanted(command: &str) -> Option<&'static [&'static str]> {
    Some(match command {
        "isString" => &["string"],
        "isNumber" | "isInteger" | "isFinite" => &["number"],
        "isBoolean" => &["boolean"],
        "isArray" => &["array"],
        "isPlainObject" => &["object"],
        "isObject" => &["object", "array"],
        _ => return None,
    })
}

/// An operand that looks something up by a path that is known by now.
fn operand<'a>(at: &At<'a>) -> Option<Operand<'a>> {
    let is_get = at.field("type")?.node.text() == Some("get");
    let at = at.field("value").filter(|_| is_get)?;
    let value = at.node.to_json();
    if value.as_str().is_some_and(is_template) {
        return None;
    }
    let path = Path::from_config(&value).ok()?.keys().map(str::to_owned).collect();
    Some(Operand { at, path })
}

/// What `input` says of the value an operand looks up.
fn follow<'a>(operand: &Operand<'_>, facts: &Facts<'a>) -> Option<Known<'a>> {
    facts.data(&operand.path)?.follow(&operand.path)
}

/// Whether it looks at the event that comes, or was meant to; what is wrong with it then.
fn is_of_event(Operand { at, path }: &Operand<'_>, report: &mut Report<'_>) -> bool {
    const KEYS: [&str; 3] = ["type", "data", "at"];
    let written = quoted(&path.join("."));
    let (message, help) = match (path.first().map(String::as_str), path.get(1)) {
        (Some("event"), Some(key)) if !KEYS.contains(&key.as_str()) => (
            format!("{written} is never there: an event has `type`, `data` and `at`"),
            Some(format!("what it brings is `event.data.{key}`")),
        ),
        (Some("event"), _) => return true,
        (Some(root), Some(key))
            if KEYS.contains(&key.as_str()) && suggest::nearest(root, ["event"]).is_some() =>
        {
            (
                format!("{written} is never there, unless the data have it"),
                Some("did you mean `event`?".to_owned()),
            )
        }
        _ => return false,
    };
    report.add(Diagnostic::warning("unknown-variable", at.place(), message).help(help));
    true
}

/// Warns of what is looked up under a key with its type, and is not there, and of what looks as if
/// it were meant so.
pub(super) fn looked_up(at: &At<'_>, facts: &Facts<'_>, depth: usize, report: &mut Report<'_>) {
    const TYPES: [&str; 3] = ["get", "jsonpath", "raw"];
    if depth > DEPTH {
        return;
    }
    match &at.node.data {
        Data::List(items) => {
            for index in 0..items.len() {
                looked_up(&at.find(&format!("/{index}")), facts, depth + 1, report);
            }
        }
        Data::Mapping(entries) => {
            let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let r#type = at.field("type");
            let said = r#type.as_ref().and_then(|field| field.node.text());
            let is_whole = keys.len() == 2 && keys.contains(&"value");
            match said {
                Some(said) if is_whole && TYPES.contains(&said) => {
                    if let Some(operand) = operand(at) {
                        exists(&operand, facts, report);
                    }
                    return;
                }
                Some(said) if is_whole => {
                    if let Some(meant) = suggest::nearest(&said.to_lowercase(), TYPES) {
                        let place = r#type.map(|field| field.place()).unwrap_or_default();
                        let message = "this mapping is written as it stands, and looks nothing up";
                        let help = format!("did you mean `{meant}`?");
                        report.add(Diagnostic::warning("operand", place, message).help(Some(help)));
                    }
                }
                _ => {}
            }
            for key in keys {
                if let Some(nested) = at.field(key) {
                    looked_up(&nested, facts, depth + 1, report);
                }
            }
        }
        _ => {}
    }
}

/// Whether there can be anything at its path.
fn exists(Operand { at, path }: &Operand<'_>, facts: &Facts<'_>, report: &mut Report<'_>) {
    let written = quoted(&path.join("."));
    let (message, help) = match (path.first().map(String::as_str), path.get(1)) {
        (Some("steps"), Some(id)) if !facts.ids.contains(&id.as_str()) => (
            format!("{written} is never there: there is no step {}", quoted(id)),
            report.suggest(id, "steps", facts.ids.iter().copied()),
        ),
        (Some("process"), Some(key)) if !ABOUT.contains(&key.as_str()) => {
            (format!("{written} is never there"), report.suggest(key, "names", ABOUT))
        }
        _ => {
            let Some(data) = facts.data(path) else { return };
            if let Some((parent, words)) = inside_of_nothing(path, data) {
                (format!("{written} is never there: `input` says that {parent} is {words}"), None)
            } else if let Some((name, known)) = unlisted(path, data) {
                (
                    format!("{written} may not be there: `input` has no {}", quoted(name)),
                    report.suggest(name, "names", known),
                )
            } else {
                return;
            }
        }
    };
    report.add(Diagnostic::warning("unknown-variable", at.place(), message).help(help));
}

/// A name on a path that `input` does not list, where it says that it lists all, or lists one
/// that is nearly the same; and those that it lists.
fn unlisted<'p, 'a>(path: &'p [String], data: Known<'a>) -> Option<(&'p str, Vec<&'a str>)> {
    let mut known = data;
    for name in path {
        let Some(next) = known.at(name) else {
            let keys = known.keys();
            let is_meant = suggest::nearest(name, keys.iter().copied()).is_some();
            return (!keys.is_empty() && (is_meant || known.is_closed())).then_some((name, keys));
        };
        known = next;
    }
    None
}

/// Whether what an operand looks up can be equal to a value that stands there.
fn equal(operand: &Operand<'_>, facts: &Facts<'_>, other: &At<'_>, report: &mut Report<'_>) {
    let is_raw = other.field("type").is_some_and(|field| field.node.text() == Some("raw"));
    let Some(at) = other.field("value").filter(|_| is_raw) else { return };
    let value = at.node.to_json();
    if value.as_str().is_some_and(is_template) || value.is_array() || value.is_object() {
        return;
    }
    let Some(known) = follow(operand, facts) else { return };
    let name = quoted(&operand.path.join("."));
    let differs = known.types().is_some_and(|types| !types.contains(&type_of(&value)));
    // One value alone is what it begins with; an event will change it.
    let listed = known.values().filter(|values| values.len() > 1);
    let (message, help) = match (differs, listed) {
        (true, _) => {
            let help = match &value {
                Value::Null => Some("`isNil` tells whether there is nothing".to_owned()),
                Value::String(_) => None,
                _ => Some("a text never equals a number or a boolean".to_owned()),
            };
            let help = help.filter(|_| value.is_null() || known.is_one_of(&["string", "null"]));
            (format!("they are never equal: `input` says that {name} is {}", known.words()), help)
        }
        (false, Some(values)) if !values.iter().any(|one| is_same(one, &value)) => {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            let help = value.as_str().and_then(|text| report.suggest(text, "values", words));
            let message =
                format!("they are never equal: `input` says that {name} is {}", known.words());
            (message, help)
        }
        _ => return,
    };
    report.add(Diagnostic::warning("never-true", at.place(), message).help(help));
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON,
        _ => one == other,
    }
}
