//! JSON as JavaScript sees it: `undefined`, one kind of number, and the coercions.
//!
//! Promises: nothing is copied; numbers are f64, whatever digits the JSON had.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A JavaScript value that JSON can hold, or undefined.
///
/// Lists and objects are compared by identity, as `===` does: the same place in the data
/// is the same value, and a copy of it is another one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Js<'a> {
    /// What is missing.
    Undefined,
    /// JSON's null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number. NaN and the infinities come only out of coercions: JSON has none.
    Number(f64),
    /// A string.
    String(&'a str),
    /// A list. The `Vec` and not its slice, since all empty slices are in one place.
    Array(&'a Vec<Value>),
    /// An object.
    Object(&'a Map<String, Value>),
}

impl<'a> From<&'a Value> for Js<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::Array(items),
            Value::Object(entries) => Self::Object(entries),
        }
    }
}

impl<'a> From<Option<&'a Value>> for Js<'a> {
    fn from(value: Option<&'a Value>) -> Self {
        value.map_or(Self::Undefined, Self::from)
    }
}

impl<'a> Js<'a> {
    /// Null or undefined.
    pub(crate) fn is_nil(self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// `===`.
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            #[expect(clippy::float_cmp, reason = "JavaScript compares numbers exactly")]
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => std::ptr::eq(a, b),
            (Self::Object(a), Self::Object(b)) => std::ptr::eq(a, b),
            _ => false,
        }
    }

    pub(crate) fn is_nan(self) -> bool {
        matches!(self, Self::Number(number) if number.is_nan())
    }

    /// Element `index` of a list, a string or an object with such keys.
    pub(crate) fn at(self, index: usize) -> Option<Js<'a>> {
        match self {
            Self::Array(items) => items.get(index).map(Js::from),
            Self::String(text) => unit_at(text, index).map(Js::String),
            Self::Object(entries) => entries.get(&index.to_string()).map(Js::from),
            _ => None,
        }
    }

    /// lodash's `toNumber`.
    pub(crate) fn number(self) -> f64 {
        match self {
            Self::Undefined | Self::Object(_) => f64::NAN,
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(value)),
            Self::Number(number) => number,
            Self::String(text) => number(text),
            // The number of its text: of two elements or more, a comma stands in that.
            Self::Array(items) => match items.as_slice() {
                [] => 0.0,
                [item] => match Js::from(item) {
                    Self::Null => 0.0,
                    Self::Bool(_) => f64::NAN,
                    // `String(-0)` is "0".
                    Self::Number(number) => number + 0.0,
                    item => item.number(),
                },
                _ => f64::NAN,
            },
        }
    }

    /// JavaScript's `String(value)`.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Undefined => "undefined".into(),
            Self::Null => "null".into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Number(number) => number_text(number).into(),
            Self::String(text) => text.into(),
            Self::Array(items) => join(items, |item| match item {
                Self::Null => "".into(),
                item => item.text(),
            }),
            Self::Object(_) => "[object Object]".into(),
        }
    }

    /// lodash's own way to a string, in which null and -0 keep their names in lists.
    pub(crate) fn lodash_text(self) -> Cow<'a, str> {
        match self {
            Self::Array(items) => join(items, Self::lodash_text),
            other => other.key_text(),
        }
    }

    /// lodash's `toKey`: the name of a property.
    pub(crate) fn key_text(self) -> Cow<'a, str> {
        match self {
            Self::Number(number) if number == 0.0 && number.is_sign_negative() => "-0".into(),
            other => other.text(),
        }
    }
}

fn join<'a>(items: &'a [Value], text: impl Fn(Js<'a>) -> Cow<'a, str>) -> Cow<'a, str> {
    match items {
        [item] => text(item.into()),
        _ => items.iter().map(|item| text(item.into())).collect::<Vec<_>>().join(",").into(),
    }
}

/// The length of a string in JavaScript: UTF-16 code units.
pub(crate) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The code unit at `index` as a string. Half of a surrogate pair, which is no text, gives
/// what JavaScript writes for it in UTF-8: the replacement character.
pub(crate) fn unit_at(text: &str, index: usize) -> Option<&str> {
    let mut end = 0;
    for (at, character) in text.char_indices() {
        end += character.len_utf16();
        if index < end {
            let whole = character.len_utf16() == 1;
            return Some(if whole { &text[at..at + character.len_utf8()] } else { "\u{fffd}" });
        }
    }
    None
}

/// JavaScript's `Number(text)`.
fn number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let based = |prefixes: [&str; 2], base| {
        prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).map(|d| integer(d, base))
    };
    if text.is_empty() {
        return 0.0;
    }
    based(["0x", "0X"], 16)
        .or_else(|| based(["0o", "0O"], 8))
        .or_else(|| based(["0b", "0B"], 2))
        .unwrap_or_else(|| decimal(text))
}

/// What JavaScript trims: Unicode's white space, except for U+0085, and the byte order mark.
fn is_space(character: char) -> bool {
    character == '\u{feff}' || (character.is_whitespace() && character != '\u{85}')
}

/// The value of digits in a base that is a power of two, rounded once, to even.
fn integer(digits: &str, base: u32) -> f64 {
    let bits = base.trailing_zeros();
    let mut value: u128 = 0;
    let mut shifted: u32 = 0;
    for digit in digits.chars().map(|character| character.to_digit(base)) {
        let Some(digit) = digit else { return f64::NAN };
        if value >> 120 == 0 {
            value = (value << bits) | u128::from(digit);
        } else {
            // More digits than an f64 holds: they count only for the rounding.
            value |= u128::from(digit != 0);
            shifted = shifted.saturating_add(bits);
        }
    }
    if digits.is_empty() {
        return f64::NAN;
    }
    value as f64 * 2f64.powi(i32::try_from(shifted).unwrap_or(i32::MAX))
}

/// A decimal number. Rust's own parser reads it once it is sure that JavaScript would.
fn decimal(text: &str) -> f64 {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "Infinity" {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = are_digits(whole)
        && are_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && are_digits(digits)
        });
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// JavaScript's `String(number)`: the shortest digits that give the number back, written
/// out between 1e-7 and 1e21.
fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    if number == 0.0 {
        return "0".into();
    }
    let size = number.abs();
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    // Rust writes `1.5e21` and `1e-7`; JavaScript has a plus sign before the 21.
    let scientific = format!("{number:e}");
    if size < 1.0 { scientific } else { scientific.replace('e', "e+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (0.000_001, "0.000001"),
            (1e-7, "1e-7"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn digits_beyond_an_f64_are_rounded_once() {
        assert_eq!(number("0x20000000000001").to_bits(), 9_007_199_254_740_992f64.to_bits());
        assert_eq!(number("0x20000000000003").to_bits(), 9_007_199_254_740_996f64.to_bits());
        let long = format!("0x{}1", "8".repeat(60));
        assert!(
            (number(&long) / (0x8888_8888_8888_8888u64 as f64 * 16f64.powi(45)) - 1.0).abs()
                < 1e-15
        );
        assert!(number(&format!("0x{}", "f".repeat(400))).is_infinite());
        assert!(number("0x").is_nan());
    }

    #[test]
    fn an_emoji_is_two_units_of_which_neither_is_a_text() {
        assert_eq!(units("a😀b"), 4);
        assert_eq!(unit_at("a😀b", 0), Some("a"));
        assert_eq!(unit_at("a😀b", 1), Some("\u{fffd}"));
        assert_eq!(unit_at("a😀b", 2), Some("\u{fffd}"));
        assert_eq!(unit_at("a😀b", 3), Some("b"));
        assert_eq!(unit_at("a😀b", 4), None);
    }
}
