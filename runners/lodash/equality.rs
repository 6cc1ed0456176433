//! `eq`, `isEqual`, `isMatch`.

use serde_json::Value;

use super::js::{Js, units};

/// `SameValueZero`: `===`, but that NaN is NaN.
pub(super) fn eq(value: Js<'_>, other: Js<'_>) -> bool {
    value.is(other) || (value.is_nan() && other.is_nan())
}

pub(super) fn is_equal(value: Js<'_>, other: Js<'_>) -> bool {
    match (value, other) {
        (Js::Array(a), Js::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a.into(), b.into()))
        }
        (Js::Object(a), Js::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_equal(a.into(), b.into())))
        }
        _ => eq(value, other),
    }
}

/// Whether `object` has each own property of `source`. What is no object counts as one here:
/// a string or a list by its elements, anything else as empty.
pub(super) fn is_match(object: Js<'_>, source: Js<'_>) -> bool {
    match source {
        Js::Object(entries) if object.is_nil() => entries.is_empty(),
        Js::Object(entries) => {
            entries.iter().all(|(key, source)| matches_property(member(object, key), source.into()))
        }
        Js::Array(items) => items
            .iter()
            .enumerate()
            .all(|(index, source)| matches_property(object.at(index), source.into())),
        Js::String(text) => starts_with_units(object, text),
        _ => true,
    }
}

fn matches_property(property: Option<Js<'_>>, source: Js<'_>) -> bool {
    property.is_some_and(|property| is_part(source, property))
}

/// Deep equality in which `value` may have less than `other`, and lists no order.
fn is_part(value: Js<'_>, other: Js<'_>) -> bool {
    match (value, other) {
        (Js::Array(a), Js::Array(b)) => is_part_of_list(a, b),
        (Js::Object(a), Js::Object(b)) => {
            a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_part(a.into(), b.into())))
        }
        _ => eq(value, other),
    }
}

/// Each item takes the first that it fits and that no earlier one took. As in lodash, none
/// gives way to a later one.
fn is_part_of_list(items: &[Value], list: &[Value]) -> bool {
    let mut taken = vec![false; list.len()];
    items.len() <= list.len()
        && items.iter().all(|item| {
            let fits = |(candidate, taken): (&Value, &bool)| {
                !taken && is_part(item.into(), candidate.into())
            };
            let found = list.iter().zip(&taken).position(fits);
            found.and_then(|index| taken.get_mut(index)).map(|taken| *taken = true).is_some()
        })
}

/// `object[key]` of anything.
fn member<'a>(object: Js<'a>, key: &str) -> Option<Js<'a>> {
    let index = || key.parse().ok().filter(|index: &usize| index.to_string() == key);
    match object {
        Js::Object(entries) => entries.get(key).map(Js::from),
        Js::Array(items) if key == "length" => Some(Js::Number(items.len() as f64)),
        Js::String(text) if key == "length" => Some(Js::Number(units(text) as f64)),
        Js::Array(_) | Js::String(_) => object.at(index()?),
        _ => None,
    }
}

/// Whether the elements of `object` begin with the code units of `text`.
fn starts_with_units(object: Js<'_>, text: &str) -> bool {
    if let Js::String(other) = object {
        return other.starts_with(text);
    }
    text.chars().enumerate().all(|(index, character)| {
        let mut buffer = [0; 4];
        let unit = Js::String(character.encode_utf8(&mut buffer));
        // Half of a surrogate pair is no string that data could hold.
        character.len_utf16() == 1 && object.at(index).is_some_and(|element| element.is(unit))
    })
}
