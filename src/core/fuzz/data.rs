//! Data to start with: those that are there, changed, or drawn from `input`, so that every
//! template gets something of use and every condition is met from both sides.

use rungs_runners::data::merge;
use serde_json::{Map, Value, json};

use super::{
    Base,
    chance::Chance,
    mentions::{Mentions, Use},
};
use crate::Sequence;

/// How deep schemas are followed.
const DEEPEST: usize = 8;
/// How many values are drawn at most: lists may lie in lists.
const MOST_VALUES: usize = 10_000;
/// A text of which nothing else is known.
const TEXT: &str = "text";
/// How often data are drawn until some fit.
const TRIES: usize = 10;

/// Draws data for a run. They fit `input`, or are those of the base.
pub(super) fn draw(
    sequence: &Sequence,
    mentions: &Mentions,
    base: &Base,
    chance: &mut Chance,
) -> Value {
    if base.fixed {
        return base.data.clone();
    }
    for _ in 0..TRIES {
        let data = once(sequence, mentions, base, chance);
        let fits = sequence.input.as_ref().is_none_or(|input| {
            let mut filled = data.clone();
            crate::start::fill_defaults(&mut filled, &input.schema);
            input.validator.is_valid(&filled)
        });
        if fits {
            return data;
        }
    }
    base.data.clone()
}

fn once(sequence: &Sequence, mentions: &Mentions, base: &Base, chance: &mut Chance) -> Value {
    let given = if base.data.is_object() { base.data.clone() } else { json!({}) };
    let schema = sequence.input.as_ref().map(|input| &input.schema);
    let mut data = match schema {
        // Mostly what is known to be good, with what the schema allows otherwise.
        Some(schema) => {
            Draw { root: schema, chance, left: MOST_VALUES }.object(schema, Some(&given), DEEPEST)
        }
        None => given,
    };
    for (path, is) in &mentions.uses {
        let at = |all: &Value| path.iter().try_fold(all, |at, key| at.get(key)).cloned();
        // With a schema, what it left out stays so, and what it drew is as good as anything, unless
        // that is any text.
        let is_open = match at(&data) {
            Some(drawn) => schema.is_some() && drawn == TEXT && *is != Use::Text,
            None => schema.is_none(),
        };
        if is_open && at(&base.data).is_none() {
            put(&mut data, path, sample(*is, chance));
        }
    }
    if !mentions.values.is_empty()
        && chance.once_in(2)
        && let Some((path, value)) = chance.of(&mentions.values)
    {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        put(&mut data, &path, value.clone());
    }
    data
}

fn put(data: &mut Value, path: &[String], value: Value) {
    let nested = path.iter().rev().fold(value, |inner, key| json!({ key.as_str(): inner }));
    if let (Value::Object(data), Value::Object(nested)) = (data, nested) {
        merge(data, &nested);
    }
}

fn sample(is: Use, chance: &mut Chance) -> Value {
    match is {
        Use::Phone => json!("+385911234567"),
        Use::Mailbox => json!("ana@example.com"),
        Use::Date => {
            let dates =
                ["2026-03-29T02:30", "2026-12-31T23:59", "2026-01-06T09:00", "2027-06-01T12:00"];
            json!(chance.of(&dates))
        }
        Use::Zone => {
            let zones = ["Europe/Zagreb", "UTC", "America/New_York", "Australia/Lord_Howe"];
            json!(chance.of(&zones))
        }
        Use::Number => json!(chance.below(4)),
        Use::Address => json!("https://example.com/"),
        Use::Text => json!(TEXT),
    }
}

/// Values that a schema allows.
struct Draw<'d> {
    root: &'d Value,
    chance: &'d mut Chance,
    /// How many more.
    left: usize,
}

impl Draw<'_> {
    /// An object that a schema allows: what is given, what is drawn, and without some of what may
    /// be left out.
    fn object(&mut self, schema: &Value, given: Option<&Value>, deeper: usize) -> Value {
        let mut all = Map::new();
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|all| all.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        if let Some(Value::Object(given)) = given {
            all.extend(given.clone());
        }
        let Some(Value::Object(properties)) = schema.get("properties") else {
            return Value::Object(all);
        };
        for (name, property) in properties {
            let optional = !required.contains(&name.as_str());
            if optional && self.chance.once_in(6) {
                all.shift_remove(name);
                continue;
            }
            let known = all.get(name).cloned();
            if known.is_none() && optional && self.chance.once_in(2) {
                continue;
            }
            let drawn = self.value(property, known.as_ref(), deeper.saturating_sub(1));
            all.insert(name.clone(), drawn);
        }
        Value::Object(all)
    }

    fn value(&mut self, schema: &Value, given: Option<&Value>, deeper: usize) -> Value {
        if deeper == 0 || self.left == 0 {
            return given.cloned().unwrap_or(Value::Null);
        }
        self.left -= 1;
        let local = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix('#'));
        if let Some(schema) = local.and_then(|pointer| self.root.pointer(pointer)) {
            return self.value(schema, given, deeper - 1);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(all)) = schema.get(key)
                && let Some(one) = self.chance.of(all)
            {
                return self.value(one, given, deeper - 1);
            }
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(Value::Array(all)) = schema.get("enum") {
            return self.chance.of(all).cloned().unwrap_or_default();
        }
        let r#type = match schema.get("type") {
            Some(Value::String(one)) => Some(one.as_str()),
            Some(Value::Array(all)) => self.chance.of(all).and_then(Value::as_str),
            _ => schema.get("properties").map(|_| "object"),
        };
        if r#type == Some("object") {
            return self.object(schema, given, deeper);
        }
        if let Some(given) = given
            && !self.chance.once_in(8)
        {
            return given.clone();
        }
        let number = |key: &str| schema.get(key).and_then(Value::as_i64);
        match r#type {
            Some("integer" | "number") => {
                let least =
                    number("minimum").or(number("exclusiveMinimum").map(|n| n.saturating_add(1)));
                let most =
                    number("maximum").or(number("exclusiveMaximum").map(|n| n.saturating_sub(1)));
                let near = least.or(most).unwrap_or(0);
                let all = [near, near.saturating_add(1), most.unwrap_or(near.saturating_add(100))];
                json!(self.chance.of(&all).copied().unwrap_or(near).max(least.unwrap_or(i64::MIN)))
            }
            Some("boolean") => json!(self.chance.once_in(2)),
            Some("array") => {
                let length = self
                    .chance
                    .below(3)
                    .max(usize::try_from(number("minItems").unwrap_or(0)).unwrap_or(0));
                let items = schema.get("items").unwrap_or(&Value::Null);
                (0..length.min(10)).map(|_| self.value(items, None, deeper - 1)).collect()
            }
            Some("null") => Value::Null,
            Some("string") => text(schema, given, self.chance),
            _ => given.cloned().unwrap_or_else(|| json!(TEXT)),
        }
    }
}

fn text(schema: &Value, given: Option<&Value>, chance: &mut Chance) -> Value {
    if let Some(Value::Array(examples)) = schema.get("examples")
        && let Some(example) = chance.of(examples)
    {
        return example.clone();
    }
    if let Some(given) = given {
        return given.clone();
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("email") => json!("ana@example.com"),
        Some("date") => json!("2026-03-29"),
        Some("date-time") => json!("2026-03-29T02:30:00Z"),
        Some("uri") => json!("https://example.com/"),
        Some("uuid") => json!("01900000-0000-7000-8000-000000000001"),
        _ => schema.get("default").cloned().unwrap_or_else(|| json!(TEXT)),
    }
}
