//! Template variables that nothing will ever fill.

use rungs_runners::{Template, scope::RESERVED};
use serde_json::Value;

use super::{at::At, expect, node::quoted, report::Report, step::Draft};
use crate::{Diagnostic, diagnostic::Place, sequence::Input};

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
    let schema = input.map(|input| &input.schema);
    if let Some((at, template)) = timezone {
        for path in template.variables() {
            variable(&path, at, &ids, schema, report);
        }
    }
    for step in steps.iter().flatten() {
        let Some((prepared, config)) = step.prepared.as_ref().zip(step.at.field("config")) else {
            continue;
        };
        for (pointer, path) in prepared.variables() {
            variable(&path, &config.find(&pointer), &ids, schema, report);
        }
    }
}

fn variable(
    path: &[String],
    at: &At<'_>,
    ids: &[&str],
    schema: Option<&Value>,
    report: &mut Report<'_>,
) {
    let written = quoted(&path.join("."));
    let Some(root) = path.first() else { return };
    let (message, help) = match (root.as_str(), path.get(1)) {
        ("steps", Some(id)) if !ids.contains(&id.as_str()) => (
            format!("{written} is always empty: there is no step {}", quoted(id)),
            report.suggest(id, "steps", ids.iter().copied()),
        ),
        (root, _) if RESERVED.contains(&root) => return,
        _ => match schema.and_then(|schema| ruled_out(schema, path)) {
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
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::node::{Data, Node};

    /// What is said of a variable, given as `a.b`, and with what help.
    fn said(path: &str, schema: &Value) -> Option<(String, Option<String>)> {
        let source = format!("'{{{{{path}}}}}'");
        let node = Node { data: Data::Text(String::new()), span: 0..source.len() };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let mut report = Report::new(&source);
        variable(&path, &At::root(&node), &["ring", "nap"], Some(schema), &mut report);
        let found = report.close().pop()?;
        assert_eq!((found.code, found.column), ("unknown-variable", 4));
        Some((found.message, found.help))
    }

    fn schema() -> Value {
        json!({
            "properties": {
                "order": { "$ref": "#/$defs/order" },
                "restaurant": { "type": "object", "properties": { "phone": {} }, "additionalProperties": true },
                "lines": { "items": { "properties": { "sku": {} } } },
                "mixed": { "properties": { "a": {} }, "anyOf": [{ "properties": { "b": {} } }] },
                "free": { "type": "object" },
            },
            "$defs": { "order": { "properties": { "status": { "type": "string" } } } },
        })
    }

    #[test]
    fn a_variable_that_input_rules_out_is_told() {
        for (path, name, meant) in [
            ("ordr.status", "ordr", "order"),
            ("order.stauts", "stauts", "status"),
            ("lines.0.skuu", "skuu", "sku"),
        ] {
            let (message, help) = said(path, &schema()).unwrap();
            assert!(message.contains(&format!("`{path}`")), "{message}");
            assert!(message.ends_with(&format!("`{name}`")), "{message}");
            assert!(help.unwrap().starts_with(&format!("did you mean `{meant}`?")));
        }
    }

    #[test]
    fn a_variable_that_input_leaves_room_for_passes() {
        for path in [
            "order",
            "order.status",
            "order.status.length",
            "restaurant.anything",
            "lines.0.sku",
            "lines.length",
            "mixed.b",
            "free.x.y",
            "process.id",
            "events.reply.data",
            "steps.ring.status",
        ] {
            assert_eq!(said(path, &schema()), None, "{path}");
        }
        assert_eq!(said("anything", &json!({ "required": ["order"] })), None);
        assert_eq!(
            said("anything", &json!({ "properties": {}, "additionalProperties": {} })),
            None
        );
    }

    #[test]
    fn a_result_of_no_step_is_told() {
        let (message, help) = said("steps.rign.status", &json!({})).unwrap();
        assert_eq!(message, "`steps.rign.status` is always empty: there is no step `rign`");
        assert_eq!(help.unwrap(), "did you mean `ring`? (known steps: ring, nap)");
    }

    #[test]
    fn a_variable_is_found_as_a_word_of_its_template() {
        for (written, variable, offset) in [
            ("a {{ab}} {{b.a}} {{a}}", "a", Some(19)),
            ("{{upper a}}", "a", Some(8)),
            ("{{[a b]}}", "a.b", None),
        ] {
            assert_eq!(offset_in(written, variable), offset, "{written}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_is_followed_no_further_than_the_path() {
        let schema =
            json!({ "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#/properties/b" } } });
        assert_eq!(said("a.a.a.a.b", &schema), None);
        assert!(said("a.a.a.c", &schema).is_some());
    }
}
