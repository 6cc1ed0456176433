//! What a JSON Schema expects, in words.

use serde_json::Value;

use super::node::quoted;

/// How many alternatives are named in a sentence.
pub(super) const RECITED: usize = 8;
/// How many references are followed, since a schema may refer to itself.
const HOPS: usize = 16;

/// What fits a schema, in words: `a string or a list of strings`.
pub(crate) fn of(root: &Value, schema: &Value) -> String {
    any_of(&alternatives(root, schema, HOPS))
}

/// `a`, `a or b`, `a, b or c`; of very many only the first few.
pub(super) fn any_of(words: &[String]) -> String {
    match words {
        [] => "something else".into(),
        [one] => one.clone(),
        [one, two, three, ..] if words.len() > RECITED => {
            format!("{one}, {two}, {three} or another of {}", words.len())
        }
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}

/// The word for one of JSON Schema's types; none for `null`, which is how a schema says
/// that a key may be left out.
pub(super) fn word(of_type: &str) -> Option<String> {
    let word = match of_type {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        _ => return None,
    };
    Some(word.to_owned())
}

/// A constant, as one writes it.
pub(super) fn constant(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

/// A schema with its reference followed.
pub(crate) fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..HOPS {
        let target = schema.get("$ref").and_then(Value::as_str);
        match target.and_then(|t| t.strip_prefix('#')).and_then(|p| root.pointer(p)) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn alternatives(root: &Value, schema: &Value, hops: usize) -> Vec<String> {
    let schema = resolved(root, schema);
    if hops == 0 {
        return Vec::new();
    }
    if let Some(value) = schema.get("const") {
        return vec![constant(value)];
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().filter(|v| !v.is_null()).map(constant).collect();
    }
    if let Some(branches) =
        ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)).and_then(Value::as_array)
    {
        let mut words = Vec::new();
        for word in branches.iter().flat_map(|branch| alternatives(root, branch, hops - 1)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        return words;
    }
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Vec::new(),
    };
    types
        .into_iter()
        .filter_map(|of_type| match (of_type, schema.get("items")) {
            ("array", Some(items)) => Some(list_of(&alternatives(root, items, hops - 1))),
            _ => word(of_type),
        })
        .collect()
}

fn list_of(items: &[String]) -> String {
    let plural = match items {
        [one] => match one.as_str() {
            "a string" => "strings",
            "a whole number" => "whole numbers",
            "a number" => "numbers",
            "a mapping" => "mappings",
            _ => return "a list".into(),
        },
        _ => return "a list".into(),
    };
    format!("a list of {plural}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_said_in_words() {
        let root = json!({ "$defs": {
            "Await": { "oneOf": [{ "const": "placed" }, { "const": "answered" }] },
            "Loop": { "$ref": "#/$defs/Loop" },
            "Nest": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "$ref": "#/$defs/Nest" } }] },
        }});
        for (schema, words) in [
            (json!({ "type": ["integer", "null"] }), "a whole number"),
            (
                json!({ "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" } },
                    { "type": "null" },
                ]}),
                "a string or a list of strings",
            ),
            (json!({ "$ref": "#/$defs/Await" }), "`placed` or `answered`"),
            (json!({ "enum": ["a", 1, true] }), "`a`, `1` or `true`"),
            (json!({ "$ref": "#/$defs/Loop" }), "something else"),
            (json!({ "$ref": "#/$defs/Nest" }), "a string or a list"),
            (json!(true), "something else"),
            (json!({ "enum": (0..9).collect::<Vec<_>>() }), "`0`, `1`, `2` or another of 9"),
        ] {
            assert_eq!(of(&root, &schema), words, "{schema}");
        }
    }
}
