//! How much work a JSON Schema may make.
//!
//! References let a short schema stand for an endless one: twenty that each name the next
//! one twice are held against the data a million times. Compiling and validating both
//! recurse, so that a long enough chain of references ends the whole program.

use std::collections::HashMap;

use serde_json::Value;

/// How many schemas and keywords a schema may come to with its references followed.
const MOST: u64 = 100_000;
/// How deep they may lie in each other, likewise.
const DEPTH: usize = 256;

/// Why a schema is too much, if it is. A reference back to where it stands in is counted
/// once: how often that is followed is up to the data. So there may be one of them, which
/// goes through the data once; two could double at every level of it.
pub(super) fn excess(schema: &Value) -> Option<String> {
    let mut scale = Scale { root: schema, known: HashMap::new(), open: Vec::new() };
    match scale.weigh(schema, 0) {
        None => Some(format!("its references lead more than {DEPTH} deep")),
        Some(Weight { parts, .. }) if parts > MOST => {
            Some(format!("with its references followed it has more than {MOST} parts"))
        }
        Some(Weight { recursions, .. }) if recursions > 1 => {
            Some("it refers to itself more than once".to_owned())
        }
        Some(_) => None,
    }
}

/// What a schema comes to with its references followed.
#[derive(Clone, Copy)]
struct Weight {
    parts: u64,
    height: usize,
    /// References back to what they stand in.
    recursions: u64,
}

impl Weight {
    const ONE: Self = Self { parts: 1, height: 1, recursions: 0 };

    fn over(self, part: Self) -> Self {
        Self {
            parts: self.parts.saturating_add(part.parts),
            height: self.height.max(part.height + 1),
            recursions: self.recursions.saturating_add(part.recursions),
        }
    }
}

struct Scale<'a> {
    root: &'a Value,
    /// The weight of each target.
    known: HashMap<&'a str, Weight>,
    /// Targets that are being weighed.
    open: Vec<&'a str>,
}

impl<'a> Scale<'a> {
    /// The weight of a value that lies `depth` deep; `None` if it goes too deep.
    fn weigh(&mut self, value: &'a Value, depth: usize) -> Option<Weight> {
        if depth > DEPTH {
            return None;
        }
        let mut weight = Weight::ONE;
        match value {
            Value::Array(items) => {
                for item in items {
                    weight = weight.over(self.weigh(item, depth + 1)?);
                }
            }
            Value::Object(entries) => {
                let is_root = std::ptr::eq(value, self.root);
                for (key, item) in entries {
                    weight = weight.over(match (key.as_str(), item) {
                        // What stands there is compiled, and followed only where it is meant.
                        ("$defs" | "definitions", _) if is_root => {
                            Weight { recursions: 0, ..self.weigh(item, depth + 1)? }
                        }
                        ("$ref" | "$dynamicRef", Value::String(to)) => {
                            self.target(to, depth + 1)?
                        }
                        _ => self.weigh(item, depth + 1)?,
                    });
                }
            }
            _ => {}
        }
        (weight.height <= DEPTH).then_some(weight)
    }

    fn target(&mut self, target: &'a str, depth: usize) -> Option<Weight> {
        if self.open.contains(&target) {
            return Some(Weight { recursions: 1, ..Weight::ONE });
        }
        if let Some(weight) = self.known.get(target) {
            return Some(*weight);
        }
        let Some(schema) = target.strip_prefix('#').and_then(|at| self.root.pointer(at)) else {
            return Some(Weight::ONE);
        };
        self.open.push(target);
        let weight = self.weigh(schema, depth)?;
        self.open.pop();
        self.known.insert(target, weight);
        Some(weight)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A chain of definitions, each with what `link` makes of the reference to the next.
    fn chain(length: usize, link: impl Fn(Value) -> Value) -> Value {
        let mut definitions = serde_json::Map::new();
        for n in 0..length {
            definitions
                .insert(n.to_string(), link(json!({ "$ref": format!("#/$defs/{}", n + 1) })));
        }
        definitions.insert(length.to_string(), json!({}));
        json!({ "$ref": "#/$defs/0", "$defs": definitions })
    }

    #[test]
    fn what_doubles_at_every_reference_is_too_much() {
        let doubling = chain(20, |next| json!({ "allOf": [next, next] }));
        assert!(excess(&doubling).unwrap().contains("parts"));
    }

    #[test]
    fn a_chain_without_an_end_in_sight_is_too_much() {
        assert!(excess(&chain(10_000, |next| next)).unwrap().contains("deep"));
        assert!(excess(&chain(10_000, |next| json!({ "not": next }))).unwrap().contains("deep"));
        // Nor if it is told from its end.
        let Value::Object(mut forwards) = chain(10_000, |next| next) else { panic!("no object") };
        let Some(Value::Object(definitions)) = forwards.remove("$defs") else { panic!("no $defs") };
        let backwards: serde_json::Map<_, _> = definitions.into_iter().rev().collect();
        assert!(excess(&json!({ "$defs": backwards })).unwrap().contains("deep"));
    }

    #[test]
    fn what_people_write_is_not() {
        assert_eq!(excess(&chain(20, |next| json!({ "properties": { "a": next } }))), None);
        let tree = json!({ "properties": { "children": { "items": { "$ref": "#" } } } });
        assert_eq!(excess(&tree), None);
        let list = json!({ "items": { "$ref": "#/$defs/n" } });
        for node in [json!({ "$ref": "#/$defs/n" }), list] {
            let node = json!({ "properties": { "c": node } });
            let root =
                json!({ "properties": { "t": { "$ref": "#/$defs/n" } }, "$defs": { "n": node } });
            assert_eq!(excess(&root), None, "{root}");
        }
        let other =
            |name: &str| json!({ "properties": { "x": { "$ref": format!("#/$defs/{name}") } } });
        let mutual = json!({ "properties": { "t": { "$ref": "#/$defs/a" } }, "$defs": { "a": other("b"), "b": other("a") } });
        assert_eq!(excess(&mutual), None);
    }

    #[test]
    fn what_would_double_at_every_level_of_the_data_is_too_much() {
        let twice = json!([{ "$ref": "#" }, { "$ref": "#" }]);
        let doubling = json!({ "properties": { "children": { "items": { "anyOf": twice } } } });
        assert!(excess(&doubling).unwrap().contains("more than once"));
        let hidden = json!({
            "properties": { "a": { "$ref": "#/$defs/a" } },
            "patternProperties": { "a": { "$ref": "#/$defs/a" } },
            "$defs": { "a": { "$ref": "#" } },
        });
        assert!(excess(&hidden).unwrap().contains("more than once"));
    }

    #[test]
    fn what_is_let_through_compiles_on_a_small_stack() {
        for schema in [
            chain(80, |next| json!({ "allOf": [next] })),
            chain(125, |next| json!({ "not": next })),
        ] {
            assert_eq!(excess(&schema), None);
            let validator = jsonschema::options().offline().build(&schema).unwrap();
            assert!(validator.iter_errors(&json!({})).count() <= 1);
        }
    }
}
