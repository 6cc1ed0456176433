//! What is said of single variables, and of those in whole sequences.

use serde_json::json;

use super::*;
use crate::check::node::{Data, Node};

mod types;

/// What is said of a variable, given as `a.b`, and with what help.
fn said(path: &str, schema: &Value) -> Option<(String, Option<String>)> {
    let source = format!("'{{{{{path}}}}}'");
    let node = Node { data: Data::Text(String::new()), span: 0..source.len() };
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    let mut report = Report::new(&source);
    let ids = vec!["ring", "nap"];
    let facts = Facts { ids, input: Some(schema), written: Written::default() };
    variable(&path, &At::root(&node), &facts, &mut report);
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
    assert_eq!(said("anything", &json!({ "properties": {}, "additionalProperties": {} })), None);
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
