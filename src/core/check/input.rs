//! `input:`, the JSON Schema of the data a process starts with.

use jsonschema::Draft;
use serde_json::Value;

use super::{
    at::At,
    node::{Data, Node, join, quoted},
    report::Report,
    schema::Validated,
    weight,
};
use crate::{Diagnostic, diagnostic::Place, sequence::Input, start};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Reads the schema; `None` if it is none.
pub(super) fn read(at: &At<'_>, report: &mut Report<'_>) -> Option<Input> {
    if !at.is_mapping(report) {
        return None;
    }
    let before = report.len();
    let schema = at.node.to_json();
    draft(at, report);
    object(at, report);
    references(at.node, &at.pointer, &schema, report);
    if let Some(excess) = weight::excess(&schema) {
        let message = format!("this schema is too much: {excess}");
        report.add(Diagnostic::error("too-large", at.key_place(), message));
    }
    let validated = Validated { schema: &Value::Null, at, templates: false };
    validated.report(jsonschema::draft202012::meta::validator().iter_errors(&schema), report);
    if report.len() > before || at.node.is_broken() {
        return None;
    }
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .offline();
    match options.build(&schema) {
        Ok(validator) => Some(Input { schema, validator }),
        Err(error) if error.instance_path().as_str().is_empty() => {
            let message = format!("this is no JSON Schema: {error}");
            report.add(Diagnostic::error("input", at.key_place(), message));
            None
        }
        Err(error) => {
            validated.report([error], report);
            None
        }
    }
}

/// Reports each default that its own schema refuses: with it no data would fit. An error, or else
/// a warning, since who gives all data is not concerned.
pub(super) fn defaults(at: &At<'_>, input: &Input, is_error: bool, report: &mut Report<'_>) {
    let mut filled = Value::Object(serde_json::Map::new());
    start::fill_defaults(&mut filled, &input.schema);
    for error in input.validator.iter_errors(&filled) {
        let mut pointer = String::new();
        let path = error.instance_path().to_string();
        let default = path.split('/').skip(1).find_map(|key| {
            pointer = format!("{pointer}/properties/{key}");
            let default = format!("{pointer}/default");
            input.schema.pointer(&default).map(|_| default)
        });
        // What is missing is not the defaults' fault.
        let Some(default) = default else { continue };
        let place = at.find(&default).place();
        let message = format!("this default does not fit: {error}");
        report.add(if is_error {
            Diagnostic::error("default", place, message)
        } else {
            Diagnostic::warning("default", place, message)
        });
    }
}

/// One draft is enough, and a schema that is written for another would be read wrongly.
fn draft(at: &At<'_>, report: &mut Report<'_>) {
    if let Some(field) = at.field("$schema")
        && let Some(draft) = field.node.text()
        && draft.trim_end_matches('#') != DRAFT
    {
        report.add(
            Diagnostic::error("input", field.place(), "this is another draft of JSON Schema")
                .help(format!("leave it out, or say {DRAFT}")),
        );
    }
}

/// The data of a process has names, so a schema that wants anything else fits no start.
fn object(at: &At<'_>, report: &mut Report<'_>) {
    let Some(field) = at.field("type") else { return };
    let is_other = |text: &str| {
        text != "object"
            && matches!(text, "string" | "number" | "integer" | "boolean" | "array" | "null")
    };
    if let Some(of_type) = field.node.text().filter(|text| is_other(text)) {
        let message = format!("the data of a process is an object, never {}", quoted(of_type));
        report.add(
            Diagnostic::error("input", field.place(), message).help("type: object".to_owned()),
        );
    }
}

/// Reports references that lead out of the schema, or nowhere.
fn references(node: &Node, pointer: &str, root: &Value, report: &mut Report<'_>) {
    match &node.data {
        Data::Mapping(entries) => {
            for entry in entries {
                let pointer = join(pointer, &entry.key);
                match (entry.key.as_str(), entry.value.text()) {
                    // Data, not schema.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    ("$ref" | "$dynamicRef", Some(target)) => {
                        let place = Place::new(pointer, entry.value.span.clone());
                        reference(target, place, root, report);
                    }
                    _ => references(&entry.value, &pointer, root, report),
                }
            }
        }
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                references(item, &format!("{pointer}/{index}"), root, report);
            }
        }
        _ => {}
    }
}

fn reference(target: &str, place: Place, root: &Value, report: &mut Report<'_>) {
    let Some(inside) = target.strip_prefix('#') else {
        let message = format!("{} leads out of this schema; nothing is fetched", quoted(target));
        report.add(
            Diagnostic::error("reference", place, message)
                .help("put it under `$defs` and refer to it as `#/$defs/its-name`".to_owned()),
        );
        return;
    };
    if inside.starts_with('/') && !inside.contains('%') && root.pointer(inside).is_none() {
        let message = format!("there is nothing at {} in this schema", quoted(target));
        report.add(Diagnostic::error("reference", place, message));
    }
}
