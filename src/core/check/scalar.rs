//! What a plain scalar means: YAML 1.2's core schema, in which `yes`, `no` and `on` are
//! text.

use serde_json::Number;

use super::node::Data;

/// A plain scalar that has no value in JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFinite;

/// Reads a plain (unquoted, untagged) scalar.
pub(super) fn plain(text: &str) -> Result<Data, NotFinite> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        _ => match number(text)? {
            Some(number) => Data::Number(number),
            None => Data::Text(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Result<Option<Number>, NotFinite> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(NotFinite);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.starts_with('+')
        {
            return Ok(u64::from_str_radix(digits, radix).ok().map(Number::from));
        }
    }
    if is_integer(unsigned) {
        let text = text.strip_prefix('+').unwrap_or(text);
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Some(number.into()));
        }
        if let Ok(number) = text.parse::<u64>() {
            return Ok(Some(number.into()));
        }
    } else if !is_float(unsigned) {
        return Ok(None);
    }
    let Ok(number) = text.parse::<f64>() else { return Ok(None) };
    Number::from_f64(number).map(Some).ok_or(NotFinite)
}

fn is_integer(unsigned: &str) -> bool {
    !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit())
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => is_integer(fraction),
        Some((whole, fraction)) => {
            is_integer(whole) && (fraction.is_empty() || is_integer(fraction))
        }
        None => is_integer(mantissa),
    };
    mantissa && exponent.is_none_or(|e| is_integer(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_are_read_as_the_core_schema_says() {
        let number = |value: serde_json::Value| match value {
            serde_json::Value::Number(number) => Data::Number(number),
            other => panic!("{other} is no number"),
        };
        for (text, value) in [
            ("0", json!(0)),
            ("-7", json!(-7)),
            ("+385", json!(385)),
            ("007", json!(7)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-1.5e3", json!(-1500.0)),
            ("1e3", json!(1000.0)),
        ] {
            assert_eq!(plain(text), Ok(number(value)), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_value_only_elsewhere_is_text() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "1_000",
            "12:30",
            "2024-01-01",
            "0b11",
            "1e",
            ".",
            "-",
            "+",
            "e3",
            "0x",
            "0xG",
            "0x+1",
            "1.2.3",
            "inf",
            "nan",
            "tRUE",
            "++1",
            "+.nan",
            "1 000",
        ] {
            assert_eq!(plain(text), Ok(Data::Text(text.into())), "{text}");
        }
    }

    #[test]
    fn numbers_without_a_value_are_refused() {
        for text in [".inf", "-.Inf", ".nan", "1e999"] {
            assert_eq!(plain(text), Err(NotFinite), "{text}");
        }
    }
}
