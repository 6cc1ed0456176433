//! Variables that nothing will ever fill, or whose type is not what is made of them: in
//! templates and in conditions, held against `input`.
//!
//! Promises: no warning of data that a step of the sequence may have written itself.

use rungs_runners::{Template, scope::RESERVED, template::ENTRY};
use serde_json::Value;

mod conditions;
mod known;
mod rendered;
#[cfg(test)]
mod tests;
mod written;

use known::Known;
use rendered::{Configs, Used};
use written::Written;

use super::{at::At, expect, node::quoted, report::Report, step::Draft};
use crate::{Diagnostic, diagnostic::Place, sequence::Input};

/// What is known of a process under `process`.
const ABOUT: [&str; 5] = ["id", "sequence", "version", "timezone", "startedAt"];

/// What variables are held against.
struct Facts<'a> {
    /// The ids of the steps.
    ids: Vec<&'a str>,
    input: Option<&'a Value>,
    written: Written,
}

impl<'a> Facts<'a> {
    /// What `input` says of the data, as far as it has the last word on this path.
    fn input(&self, path: &[String]) -> Option<&'a Value> {
        let root = path.first()?;
        let is_data = !RESERVED.contains(&root.as_str());
        self.input.filter(|_| is_data && !self.written.touches(path))
    }

    fn data(&self, path: &[String]) -> Option<Known<'a>> {
        self.input(path).map(Known::data)
    }
}

/// Warns of every variable that `input` rules out, and of results of steps that are not
/// there.
pub(super) fn check(
    steps: &[Option<Draft<'_>>],
    timezone: Option<(&At<'_>, &Template)>,
    input: Option<&Input>,
    report: &mut Report<'_>,
) {
    let ids: Vec<&str> =
        steps.iter().flatten().filter_map(|step| step.id.as_ref()).map(|id| id.text).collect();
    let facts = Facts { ids, input: input.map(|input| &input.schema), written: Written::by(steps) };
    let mut configs = Configs::default();
    if let Some((at, template)) = timezone {
        for (path, used) in template.uses() {
            variable(path, at, &facts, report);
            if let Some(data) = facts.data(path) {
                let used = Used { path, becomes: *used, at: at.clone() };
                used.check(data, report);
                used.check_zone(data, report);
            }
        }
    }
    for step in steps.iter().flatten() {
        let Some((prepared, config)) = step.prepared.as_ref().zip(step.at.field("config")) else {
            continue;
        };
        for (pointer, path, used) in prepared.uses() {
            let at = config.find(&pointer);
            variable(&path, &at, &facts, report);
            if let Some((data, kind)) = facts.data(&path).zip(step.kind) {
                let used = Used { path: &path, becomes: used, at };
                used.check(data, report);
                used.check_wanted(data, (&kind, &pointer), &mut configs, report);
                if pointer == "/timezone" {
                    used.check_zone(data, report);
                }
            }
        }
        let typed = step.kind.map_or(&[][..], |kind| kind.typed);
        for field in typed.iter().filter_map(|key| config.field(key)) {
            conditions::looked_up(&field, &facts, 0, report);
        }
        // What a runner that lives elsewhere makes of its config, nobody knows.
        if step.kind.is_some_and(|kind| !kind.asks) {
            conditions::check(&config, &facts, 0, report);
        }
    }
}

fn variable(path: &[String], at: &At<'_>, facts: &Facts<'_>, report: &mut Report<'_>) {
    let written = quoted(&path.join("."));
    let Some(root) = path.first() else { return };
    let (message, help) = match (root.as_str(), path.get(1)) {
        // Each of them is there.
        ("steps", Some(id)) if id == ENTRY => return,
        ("steps", Some(id)) if !facts.ids.contains(&id.as_str()) => (
            format!("{written} is always empty: there is no step {}", quoted(id)),
            report.suggest(id, "steps", facts.ids.iter().copied()),
        ),
        ("process", Some(key)) if key != ENTRY && !ABOUT.contains(&key.as_str()) => {
            (format!("{written} is always empty"), report.suggest(key, "names", ABOUT))
        }
        _ => match facts.input(path).and_then(|schema| ruled_out(schema, path)) {
            Some(RuledOut { name, known }) => (
                format!("{written} may be empty: `input` has no {}", quoted(name)),
                report.suggest(name, "names", known),
            ),
            None => return,
        },
    };
    report
        .add(Diagnostic::warning("unknown-variable", place(path, at, report), message).help(help));
}

/// The variable itself within its text, where it is written in one piece.
fn place(path: &[String], at: &At<'_>, report: &Report<'_>) -> Place {
    let mut place = at.place();
    let variable = report.plain(place.span.start, path.join("."));
    if let Some(offset) = offset_in(report.written(&place.span), &variable) {
        let start = place.span.start + offset;
        place.span = start..start + variable.len();
    }
    place
}

/// Where a variable stands in a template as a whole word, not as a part of one or as text.
fn offset_in(written: &str, variable: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    written
        .match_indices(variable)
        .find(|(offset, _)| {
            let (before, after) = written.split_at_checked(*offset).unwrap_or_default();
            let after = after.get(variable.len()..).unwrap_or_default();
            before.contains("{{") && !before.ends_with(is_part) && !after.starts_with(is_part)
        })
        .map(|(offset, _)| offset)
}

/// A name that a schema does not know, and those it knows at that place.
struct RuledOut<'a> {
    name: &'a str,
    known: Vec<&'a str>,
}

/// Follows a path through the schemas that list their properties.
fn ruled_out<'a>(root: &'a Value, path: &'a [String]) -> Option<RuledOut<'a>> {
    let mut schema = root;
    for name in path {
        schema = expect::resolved(root, schema);
        if is_open(schema) {
            return None;
        }
        if name == ENTRY {
            schema = schema.get("items")?;
        } else if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let Some(next) = properties.get(name) else {
                let known = properties.keys().map(String::as_str).collect();
                return Some(RuledOut { name, known });
            };
            schema = next;
        } else {
            // An entry of a list; anything else may have any name in it.
            schema = schema.get("items").filter(|_| name.parse::<usize>().is_ok())?;
        }
    }
    None
}

/// Whether a schema may allow more than the properties it lists.
fn is_open(schema: &Value) -> bool {
    let says_so =
        schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    let elsewhere = ["allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef", "patternProperties"];
    says_so || elsewhere.iter().any(|keyword| schema.get(keyword).is_some())
}
