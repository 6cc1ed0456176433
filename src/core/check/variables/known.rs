//! What `input` says of the value at a path.
//!
//! Promises: no type is left out that `input` allows; what it leaves open is not known. It
//! speaks of the data a process starts with: events may bring others, so what is concluded
//! from it is a warning and never an error.

use rungs_runners::template::ENTRY;
use serde_json::Value;

use super::super::expect;

/// The types of JSON, by their names in a schema.
const TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// What is known of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    root: &'a Value,
    schema: &'a Value,
}

impl<'a> Known<'a> {
    /// The data of a process.
    pub fn data(schema: &'a Value) -> Self {
        Self { root: schema, schema: expect::resolved(schema, schema) }
    }

    /// The value under a key, or at an index.
    pub fn at(self, name: &str) -> Option<Self> {
        if name == ENTRY {
            return self.item();
        }
        let listed = self.schema.get("properties").and_then(|properties| properties.get(name));
        let item = || self.schema.get("items").filter(|_| name.parse::<usize>().is_ok());
        let schema = listed.or_else(item)?;
        Some(Self { schema: expect::resolved(self.root, schema), ..self })
    }

    /// The value at a path.
    pub fn follow(self, path: &[String]) -> Option<Self> {
        path.iter().try_fold(self, |known, name| known.at(name))
    }

    /// An entry of a list.
    pub fn item(self) -> Option<Self> {
        let schema = self.schema.get("items")?;
        Some(Self { schema: expect::resolved(self.root, schema), ..self })
    }

    /// The types it may have; none if nobody knows.
    pub fn types(self) -> Option<Vec<&'static str>> {
        if let Some(values) = self.values() {
            return Some(values.iter().map(|value| type_of(value)).collect());
        }
        let types: Vec<&str> = match self.schema.get("type")? {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let known = |name: &str| {
            let is_it = |of: &&str| *of == name || (*of == "number" && name == "integer");
            TYPES.into_iter().find(is_it)
        };
        types.into_iter().map(known).collect()
    }

    /// Whether it is known to be one of these types.
    pub fn is_one_of(self, types: &[&str]) -> bool {
        self.types().is_some_and(|known| known.iter().all(|known| types.contains(known)))
    }

    /// All the values it may have, if they are listed.
    pub fn values(self) -> Option<&'a [Value]> {
        match self.schema.get("const") {
            Some(value) => Some(std::slice::from_ref(value)),
            None => self.schema.get("enum")?.as_array().map(Vec::as_slice),
        }
    }

    /// The value it has if a start leaves it out.
    pub fn default(self) -> Option<&'a Value> {
        self.schema.get("default")
    }

    /// Whether a text has to have a certain form.
    pub fn has_form(self) -> bool {
        ["pattern", "format"].iter().any(|keyword| self.schema.get(keyword).is_some())
    }

    /// The keys that are listed.
    pub fn keys(self) -> Vec<&'a str> {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(|keys| keys.keys().map(String::as_str)).collect()
    }

    /// Whether there are no other keys than those.
    pub fn is_closed(self) -> bool {
        self.schema.get("additionalProperties") == Some(&Value::Bool(false))
            && self.schema.get("patternProperties").is_none()
    }

    /// What is expected, in words.
    pub fn words(self) -> String {
        expect::of(self.root, self.schema)
    }
}

/// The type of a value, as a schema names it.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
