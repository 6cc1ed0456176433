//! EDN, as Clojure prints what it once read as JSON, back as JSON.
//!
//! Promises: nothing else of EDN is taken; what is not of JSON is named. Numbers of any size
//! become numbers.

use clojure_reader::edn::{self, Edn};
use serde_json::{Map, Number, Value};

/// The deepest that values nest.
const DEEPEST: usize = 32;

/// Reads one value, and says what is wrong if there is none.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let value = edn::read_string(text).map_err(|error| format!("it is no EDN: {error}"))?;
    json(&value, DEEPEST)
}

fn json(value: &Edn<'_>, deepest: usize) -> Result<Value, String> {
    let deeper = deepest.checked_sub(1).ok_or_else(|| "it nests too deep".to_owned())?;
    Ok(match value {
        Edn::Nil => Value::Null,
        Edn::Bool(it) => Value::Bool(*it),
        Edn::Str(text) => Value::String(text.to_string()),
        Edn::Int(number) => Value::from(*number),
        Edn::Double(number) => float(number.into_inner()),
        Edn::BigInt(number) => float(number.to_string().parse().unwrap_or(f64::INFINITY)),
        Edn::BigDec(number) => float(number.to_string().parse().unwrap_or(f64::INFINITY)),
        Edn::Vector(values) | Edn::List(values) => {
            Value::Array(values.iter().map(|value| json(value, deeper)).collect::<Result<_, _>>()?)
        }
        Edn::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| match key {
                Edn::Key(name) | Edn::Str(name) => Ok((name.to_string(), json(value, deeper)?)),
                other => Err(format!("`{other}` is no key of a map")),
            });
            Value::Object(entries.collect::<Result<Map<_, _>, _>>()?)
        }
        other => return Err(format!("`{other}` is nothing that a request can have held")),
    })
}

/// A number; one beyond all bounds stays one that is refused as a moment.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::from(f64::MAX), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_roesc_writes_is_read() {
        for (edn, expected) in [
            // As it inserts them: a vector, read from JSON.
            (
                r#"[{:channel "phone", :at 1555057084, :phone-number "+3851111111"}]"#,
                json!([{ "channel": "phone", "at": 1_555_057_084, "phone-number": "+3851111111" }]),
            ),
            // As it updates them: a sequence, in parentheses.
            (r#"({:at 1 :email "a@b.c"})"#, json!([{ "at": 1, "email": "a@b.c" }])),
            // `:bigdec true` makes decimals of fractions, and whole numbers know no bounds.
            ("[1555057084.5M 1E+3M -2.5]", json!([1_555_057_084.5, 1000.0, -2.5])),
            ("[123456789012345678901234567890N]", json!([1.234_567_890_123_456_8e29])),
            (r#"["a \"b\" \\ č 🍕 \n" nil true]"#, json!(["a \"b\" \\ č 🍕 \n", null, true])),
            ("()", json!([])),
            ("", json!(null)),
        ] {
            assert_eq!(read(edn).as_ref(), Ok(&expected), "{edn}");
        }
    }

    #[test]
    fn what_it_never_writes_is_refused() {
        for (edn, words) in [
            ("[{:at 1", "it is no EDN"),
            ("[{:at #inst \"2019-04-12\"}]", "nothing that a request"),
            ("[:a]", "`:a`"),
            ("{1 2}", "is no key"),
            ("[1/2]", "1/2"),
            (&"[".repeat(2_048), "it is no EDN"),
            (&format!("{}{}", "[".repeat(1_024), "]".repeat(1_024)), "nests too deep"),
        ] {
            let error = read(edn).unwrap_err();
            assert!(error.contains(words), "{edn}: {error}");
        }
        let vast = read("[1E999999999M]").unwrap();
        assert_eq!(vast, json!([f64::MAX]));
    }
}
