//! `includes`, `startsWith`, `endsWith`, `has`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{equality::eq, js::Js};
use crate::path::Path;

pub(super) fn includes(collection: Js<'_>, value: Js<'_>) -> bool {
    match collection {
        Js::String(text) => text.contains(&*value.text()),
        Js::Array(items) => items.iter().any(|item| eq(item.into(), value)),
        Js::Object(entries) => match length(entries) {
            Some(length) => includes_element(entries, length, value),
            None => entries.values().any(|item| eq(item.into(), value)),
        },
        _ => false,
    }
}

/// The length of an object that lodash takes for a list because it has one.
fn length(entries: &Map<String, Value>) -> Option<f64> {
    const MOST: f64 = 9_007_199_254_740_991.0;
    let length = entries.get("length")?.as_f64()?;
    (length > -1.0 && length <= MOST && length.fract() == 0.0).then_some(length)
}

/// Among the elements 0 to `length` of an object; those it lacks are undefined.
fn includes_element(entries: &Map<String, Value>, length: f64, value: Js<'_>) -> bool {
    let elements = entries.iter().filter(|(key, _)| {
        key.parse().is_ok_and(|index: u64| (index as f64) < length && index.to_string() == **key)
    });
    match value {
        Js::Undefined => (elements.count() as f64) < length,
        value => elements.into_iter().any(|(_, item)| eq(item.into(), value)),
    }
}

pub(super) fn starts_with(value: Js<'_>, target: Js<'_>) -> bool {
    text(value).starts_with(&*target.lodash_text())
}

pub(super) fn ends_with(value: Js<'_>, target: Js<'_>) -> bool {
    text(value).ends_with(&*target.lodash_text())
}

/// lodash's `toString`, to which null and undefined are the empty text.
fn text(value: Js<'_>) -> Cow<'_, str> {
    if value.is_nil() { "".into() } else { value.lodash_text() }
}

pub(super) fn has(value: &Value, path: Js<'_>) -> bool {
    Path::cast(path).has(value)
}
