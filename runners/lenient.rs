//! Values that a rendered template can only give as text.
//!
//! `amount: "{{minutes}}"` renders to the text `"5"`, so a config reads numbers and
//! booleans out of text as well. Its schema does not say so: a literal `amount: "5"` is
//! refused when the sequence is checked, where only templates are excused. An optional
//! value whose template renders to nothing is absent.
//! Called by: the configs of the runners, in `#[serde(deserialize_with = "...")]`.

use std::fmt::Display;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::{quote::quoted, template::is_template};

/// A number.
///
/// # Errors
/// It is neither a number nor text that is one; NaN and infinities are none.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(from)?;
    let number = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| no("number", &value))
}

/// A whole number.
///
/// # Errors
/// It is neither a whole number nor text that is one.
pub fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(from)?;
    to_integer(&value).ok_or_else(|| no("whole number", &value))
}

/// A whole number, or nothing.
///
/// # Errors
/// As for [`integer`].
pub fn optional_integer<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    if is_nothing(&value) {
        return Ok(None);
    }
    to_integer(&value).map(Some).ok_or_else(|| no("whole number", &value))
}

/// One whole number or a list of them. As text, a list is written as templates render
/// one: `1, 2` or `[1, 2]`.
///
/// # Errors
/// One of them is no whole number.
pub fn integers<'de, D: Deserializer<'de>>(from: D) -> Result<OneOrMany<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    let all = |items: &[Value]| {
        let read = |item| to_integer(item).ok_or_else(|| no("whole number", item));
        items.iter().map(read).collect::<Result<_, _>>()
    };
    match &value {
        Value::Array(items) => all(items).map(OneOrMany::Many),
        Value::String(text) => {
            let text = text.trim();
            let text = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
            let items: Vec<Value> =
                text.split(',').filter(|item| !item.trim().is_empty()).map(Value::from).collect();
            all(&items).map(OneOrMany::Many)
        }
        one => to_integer(one).map(OneOrMany::One).ok_or_else(|| no("whole number", one)),
    }
}

/// One text or a list of them, of which each may hold several: `mon, wed`, or as templates
/// render a list, `[mon, wed]`. Whole numbers are taken for their digits.
///
/// # Errors
/// One of them is neither.
pub fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<OneOrMany<String>, D::Error> {
    let value = Value::deserialize(from)?;
    let items = match &value {
        Value::Null => return Ok(OneOrMany::default()),
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::Number(number) if number.is_i64() => all.push(number.to_string()),
            // A template that is not rendered yet stays in one piece.
            Value::String(text) if is_template(text) => all.push(text.clone()),
            Value::String(text) => all.extend(parts(text).map(str::to_owned)),
            other => return Err(no("text", other)),
        }
    }
    // Alone, it has no place in a list where a mistake could be shown.
    Ok(match all.pop() {
        Some(one) if all.is_empty() && !value.is_array() => OneOrMany::One(one),
        last => OneOrMany::Many(all.into_iter().chain(last).collect()),
    })
}

/// The parts of a list that is written as text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.split(',').map(|part| part.trim().trim_matches('"')).filter(|part| !part.is_empty())
}

/// A boolean. Text that is empty or `0` is false, as it is to a template.
///
/// # Errors
/// It is neither a boolean nor text that is one.
pub fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(from)?;
    match &value {
        Value::Bool(yes) => Ok(*yes),
        Value::String(text) => match text.trim() {
            "true" | "1" => Ok(true),
            "false" | "0" | "" => Ok(false),
            _ => Err(no("boolean", &value)),
        },
        _ => Err(no("boolean", &value)),
    }
}

/// Text, or nothing: blank text is nothing.
///
/// # Errors
/// It is no text.
pub fn optional_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

fn to_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            // 3.0 is whole as well. The bound keeps the cast exact.
            let number = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e15)?;
            Some(number as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn no<E: Error>(wanted: impl Display, value: &Value) -> E {
    let given = match value {
        Value::String(text) => quoted(text),
        other => other.to_string().chars().take(60).collect(),
    };
    E::custom(format_args!("{given} is no {wanted}"))
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// Written alone.
    One(T),
    /// Written as a list.
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    /// The values, whichever way they were written.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    /// Each value with its JSON pointer, if all of it stands at `pointer`.
    pub fn places(&self, pointer: &str) -> impl Iterator<Item = (String, &T)> {
        let one = matches!(self, Self::One(_));
        self.as_slice().iter().enumerate().map(move |(index, value)| {
            (if one { pointer.to_owned() } else { format!("{pointer}/{index}") }, value)
        })
    }
}

/// Schema of a whole number or a list of them.
pub fn integers_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "array"], "items": { "type": "integer" }, "minItems": 1 })
}

/// Schema of days of the week: a name or a number, or a list of these.
pub fn days_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "integer", "array"],
        "items": { "type": ["string", "integer"] },
        "minItems": 1,
    })
}

/// Schema of a text or a list of them.
pub fn texts_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all<T>(read: fn(Value) -> serde_json::Result<T>, values: &[Value]) -> Vec<Option<T>> {
        values.iter().map(|value| read(value.clone()).ok()).collect()
    }

    #[test]
    fn a_number_is_read_from_what_a_template_renders() {
        let good = [json!(5), json!(2.5), json!("5"), json!(" 2.5 "), json!("-1e3")];
        let read = all(number, &good);
        assert_eq!(read, [Some(5.0), Some(2.5), Some(5.0), Some(2.5), Some(-1000.0)]);
        let bad = [json!(""), json!("five"), json!("NaN"), json!("inf"), json!(null), json!([1])];
        assert!(all(number, &bad).iter().all(Option::is_none));
    }

    #[test]
    fn a_whole_number_has_no_fraction() {
        let good = [json!(5), json!(5.0), json!("5"), json!("-5")];
        assert_eq!(all(integer, &good), [Some(5), Some(5), Some(5), Some(-5)]);
        let bad =
            [json!(5.5), json!("5.5"), json!(1e300), json!("99999999999999999999"), json!("")];
        assert!(all(integer, &bad).iter().all(Option::is_none));
    }

    #[test]
    fn an_optional_value_that_renders_to_nothing_is_absent() {
        let values = [json!(" "), json!(null), json!("30"), json!("soon")];
        assert_eq!(all(optional_integer, &values), [Some(None), Some(None), Some(Some(30)), None]);
        let values = [json!(" "), json!(null), json!("x")];
        assert_eq!(
            all(optional_text, &values),
            [Some(None), Some(None), Some(Some("x".to_owned()))]
        );
    }

    #[test]
    fn a_list_is_read_as_templates_render_it() {
        let listed = |values: &[i64]| Some(OneOrMany::Many(values.to_vec()));
        let values = [json!([1, "2"]), json!("[1, 2]"), json!("1,2"), json!(""), json!("[]")];
        assert_eq!(
            all(integers, &values),
            [listed(&[1, 2]), listed(&[1, 2]), listed(&[1, 2]), listed(&[]), listed(&[])]
        );
        assert_eq!(all(integers, &[json!(3)]), [Some(OneOrMany::One(3))]);
        assert!(
            all(integers, &[json!("a,b"), json!([1.5]), json!({})]).iter().all(Option::is_none)
        );
    }

    #[test]
    fn texts_are_read_alone_in_a_list_and_as_templates_render_them() {
        let listed = |texts: &[&str]| {
            Some(OneOrMany::Many(texts.iter().map(|text| (*text).to_owned()).collect()))
        };
        let values = [json!("mon, 2"), json!(["mon", 2, "[wed, thu]"]), json!([]), json!(null)];
        assert_eq!(
            all(texts, &values),
            [listed(&["mon", "2"]), listed(&["mon", "2", "wed", "thu"]), listed(&[]), listed(&[])]
        );
        assert_eq!(all(texts, &[json!("mon")]), [Some(OneOrMany::One("mon".to_owned()))]);
        assert!(all(texts, &[json!([true]), json!(1.5), json!({})]).iter().all(Option::is_none));
    }

    #[test]
    fn a_boolean_is_read_from_what_a_template_renders() {
        let values = [json!(true), json!("true"), json!("1"), json!("false"), json!(""), json!(2)];
        assert_eq!(
            all(boolean, &values),
            [Some(true), Some(true), Some(true), Some(false), Some(false), None]
        );
    }

    #[test]
    fn the_message_quotes_what_was_given() {
        let error = integer(json!("soon")).unwrap_err().to_string();
        assert_eq!(error, "\"soon\" is no whole number");
    }

    #[test]
    fn a_value_alone_has_no_index_in_its_pointer() {
        let pointers = |values: OneOrMany<i64>| -> Vec<String> {
            values.places("/values").map(|(pointer, _)| pointer).collect()
        };
        assert_eq!(pointers(OneOrMany::One(1)), ["/values"]);
        assert_eq!(pointers(OneOrMany::Many(vec![1, 2])), ["/values/0", "/values/1"]);
    }
}
