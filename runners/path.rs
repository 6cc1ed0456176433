//! Paths into data, as lodash's `_.get` and `_.has` take them.
//!
//! Promises: a path is parsed once and looked up without allocating, except for the one
//! character that an index into a string gives. Missing is `None`, which is lodash's
//! undefined and not null. Equal to lodash on JSON; `vectors/paths.tsv` holds it to that.
//! Does not: know what JavaScript's values inherit (`constructor`, `toString`): there it
//! finds nothing.
//! Called by: conditions, for `get` operands and the `has` predicate.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    Scope,
    lodash::js::{Js, unit_at, units},
};

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The text of a path with dots or brackets: lodash first tries it as one key.
    whole: Option<Key>,
    keys: Vec<Key>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    text: String,
    /// The index it is in a list or a string, where it is written as one.
    index: Option<usize>,
}

impl Path {
    /// Parses the textual form: `a.b[0].c`, `["a"]`, `a['b.c']`. Every text is a path.
    pub fn parse(text: &str) -> Self {
        if is_deep(text) {
            let keys = split(text).into_iter().map(Key::new).collect();
            Self { whole: Some(Key::new(text.to_owned())), keys }
        } else {
            Self { whole: None, keys: vec![Key::new(text.to_owned())] }
        }
    }

    /// Takes a path as a config gives it: a string, or a list of keys, in which a dot is
    /// only a dot.
    ///
    /// # Errors
    /// What it is instead.
    pub fn from_config(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self::parse(text)),
            Value::Array(keys) if keys.iter().all(|key| key.is_string() || key.is_number()) => {
                Ok(Self::from_keys(keys))
            }
            Value::Array(_) => Err("each key of a path is a string or a number".into()),
            _ => Err("a path is a string, or a list of keys".into()),
        }
    }

    /// Takes any value as lodash takes it for a path.
    pub(crate) fn cast(value: Js<'_>) -> Self {
        match value {
            Js::Array(keys) => Self::from_keys(keys),
            Js::String(text) => Self::parse(text),
            other => Self::parse(&other.key_text()),
        }
    }

    fn from_keys(keys: &[Value]) -> Self {
        let keys = keys.iter().map(|key| Key::new(Js::from(key).key_text().into_owned()));
        Self { whole: None, keys: keys.collect() }
    }

    /// `_.get` on one value.
    pub fn get<'a>(&self, value: &'a Value) -> Option<Cow<'a, Value>> {
        if let Some(whole) = self.whole_key_of(value) {
            return Some(Cow::Borrowed(whole));
        }
        let (first, rest) = self.keys.split_first()?;
        descend(property(value, first)?, rest)
    }

    /// `_.get` on everything a visit sees.
    pub fn get_in<'a>(&self, scope: &'a Scope<'_>) -> Option<Cow<'a, Value>> {
        if let Some(found) = self.whole.as_ref().and_then(|whole| scope.root(&whole.text)) {
            return Some(Cow::Borrowed(found));
        }
        let (first, rest) = self.keys.split_first()?;
        descend(Cow::Borrowed(scope.root(&first.text)?), rest)
    }

    /// The beginning of the path up to the first key that is not there, with dots between.
    pub(crate) fn lacks(&self, scope: &Scope<'_>) -> Option<String> {
        let (first, _) = self.keys.split_first()?;
        let mut at = scope.root(&first.text).map(Cow::Borrowed);
        for (place, key) in self.keys.iter().enumerate() {
            if place > 0 {
                at = at.and_then(|value| descend(value, std::slice::from_ref(key)));
            }
            if at.is_none() {
                let keys = self.keys.iter().take(place + 1).map(|key| key.text.as_str());
                return Some(keys.collect::<Vec<_>>().join("."));
            }
        }
        None
    }

    /// `_.has` on one value.
    pub fn has(&self, value: &Value) -> bool {
        self.get(value).is_some()
    }

    fn whole_key_of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.as_object()?.get(&self.whole.as_ref()?.text)
    }
}

impl Key {
    fn new(text: String) -> Self {
        let index = index(&text);
        Self { text, index }
    }
}

/// The number that a text is as the name of an element: `0`, `12`, but not `01` or `-1`.
fn index(text: &str) -> Option<usize> {
    let canonical = text == "0"
        || (!text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

fn descend<'a>(value: Cow<'a, Value>, keys: &[Key]) -> Option<Cow<'a, Value>> {
    keys.iter().try_fold(value, |value, key| match value {
        Cow::Borrowed(value) => property(value, key),
        Cow::Owned(value) => property(&value, key).map(|found| Cow::Owned(found.into_owned())),
    })
}

/// JavaScript's `value[key]`, without what is inherited.
fn property<'a>(value: &'a Value, key: &Key) -> Option<Cow<'a, Value>> {
    match value {
        Value::Object(entries) => entries.get(&key.text).map(Cow::Borrowed),
        Value::Array(items) => match key.index {
            Some(index) => items.get(index).map(Cow::Borrowed),
            None => (key.text == "length").then(|| Cow::Owned(items.len().into())),
        },
        Value::String(text) => match key.index {
            Some(index) => unit_at(text, index).map(|unit| Cow::Owned(unit.into())),
            None => (key.text == "length").then(|| Cow::Owned(units(text).into())),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Whether a text is more than one key: lodash's `isKey`, but for the object at hand.
fn is_deep(text: &str) -> bool {
    text.contains('.')
        || text.match_indices('[').any(|(at, _)| {
            let inside = &text[at + 1..];
            inside.find(['[', ']']).is_some_and(|end| inside[end..].starts_with(']'))
                || quoted(inside).is_some()
        })
}

/// lodash's `stringToPath`, whose regular expression this follows: a run of plain
/// characters, or a number or a quoted key in brackets, or an empty key between dots.
fn split(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    if text.starts_with('.') {
        keys.push(String::new());
    }
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let plain = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        let skipped = if plain > 0 {
            keys.push(rest[..plain].to_owned());
            plain
        } else if let Some((key, length)) = bracketed(rest) {
            keys.push(key);
            length
        } else {
            if separator(rest).is_some_and(|next| next.is_empty() || separator(next).is_some()) {
                keys.push(String::new());
            }
            first.len_utf8()
        };
        rest = &rest[skipped..];
    }
    keys
}

/// What follows a separator of keys: a dot, or an empty pair of brackets.
fn separator(text: &str) -> Option<&str> {
    text.strip_prefix('.').or_else(|| text.strip_prefix("[]"))
}

/// `[12.5]` or `["key"]` at the start of a text: the key, and the bytes it takes.
fn bracketed(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(']')?;
    if is_number(&inside[..end]) {
        return Some((inside[..end].to_owned(), end + 2));
    }
    quoted(inside).map(|(key, length)| (key, length + 1))
}

/// `-?\d+(\.\d+)?`
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

/// `"key"]` or `'key']` at the start of a text: the key without its escapes, and the bytes
/// up to and with the bracket.
fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|&c| c == '"' || c == '\'')?;
    let mut key = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return text[at + 1..].starts_with(']').then_some((key, at + 2));
        }
        if character == '\\' {
            let escaped = characters.next().map(|(_, escaped)| escaped)?;
            // In a regular expression of JavaScript, a dot is not the end of a line.
            if matches!(escaped, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
                return None;
            }
            key.push(escaped);
        } else {
            key.push(character);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::lodash::{LodashCommand, vectors};

    #[test]
    fn every_row_of_lodashs_own_table_is_equal() {
        let mut rows = 0;
        for [function, object, path, expected] in vectors::rows(include_str!("vectors/paths.tsv")) {
            let object = vectors::operand(object);
            let path = Path::from_config(&vectors::json(path)).unwrap();
            let found = object.as_ref().and_then(|object| path.get(object));
            let row = || format!("{function} {object:?} {path:?}: {found:?}, not {expected}");
            if function == "has" {
                assert_eq!(found.is_some().to_string(), expected, "{}", row());
            } else {
                let expected = vectors::operand(expected);
                let equal = LodashCommand::IsEqual.test(found.as_deref(), expected.as_ref());
                assert!(equal && found.is_some() == expected.is_some(), "{}", row());
            }
            rows += 1;
        }
        assert!(rows > 2_000, "{rows} rows");
    }

    #[test]
    fn a_scope_is_looked_up_like_the_object_it_stands_for() {
        let data = json!({ "order": { "items": [{ "name": "pizza" }] }, "order.items": "whole" });
        let steps = json!({ "ring": { "status": "busy" } });
        let events = json!([]);
        let scope =
            Scope::new(data.as_object().unwrap(), || json!({ "id": "p-1" }), &steps, &events);
        for path in [
            "order.items",
            "order.items[0].name",
            "order['items'].length",
            "steps.ring.status",
            "process.id",
            "events",
            "missing.deep",
            "",
        ] {
            let path = Path::parse(path);
            assert_eq!(path.get_in(&scope), path.get(scope.value()), "{path:?}");
        }
        assert_eq!(Path::parse("order.items").get_in(&scope).unwrap().as_str(), Some("whole"));
        let keys = Path::from_config(&json!(["order", "items", 0, "name"])).unwrap();
        assert_eq!(keys.get_in(&scope).unwrap().as_str(), Some("pizza"));
    }

    #[test]
    fn null_is_found_and_missing_is_not() {
        let value = json!({ "a": null });
        assert_eq!(Path::parse("a").get(&value).as_deref(), Some(&Value::Null));
        assert_eq!(Path::parse("b").get(&value), None);
        assert_eq!(Path::parse("a.b").get(&value), None);
    }

    #[test]
    fn a_path_is_a_string_or_a_list_of_keys() {
        assert!(Path::from_config(&json!(["a", 0])).is_ok());
        assert!(Path::from_config(&json!(["a", null])).is_err());
        assert!(Path::from_config(&json!(5)).is_err());
        assert!(Path::from_config(&json!({})).is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_for_a_path(text in r#"[.\[\]"'\\a0-é😀\n]{0,24}"#) {
            let value = json!({ "a": [{ "0": "é😀" }, [null]], "": { "": 1 } });
            let path = Path::parse(&text);
            prop_assert_eq!(path.has(&value), path.get(&value).is_some());
        }
    }
}
