//! What may be data of a process, whoever gives it: who starts it, an event, an answer.

use serde_json::{Map, Value};

use crate::scope::RESERVED;

/// The most data a process may have, as JSON, in bytes. A cycle reads and writes the data of
/// hundreds of processes in one transaction.
pub const MOST: usize = 256 * 1024;
/// How deep data may nest.
pub const DEEPEST: usize = 64;

/// Why a value cannot be data at all, or a part of it.
///
/// # Errors
/// In a few words: it nests too deep, or there is too much of it.
pub fn check_size(data: &Value) -> Result<(), String> {
    check_depth(data)?;
    if length(data) > MOST {
        return Err(format!("it has more than {MOST} bytes"));
    }
    Ok(())
}

/// The half of it that also holds for what data come in.
///
/// # Errors
/// It nests too deep.
pub fn check_depth(value: &Value) -> Result<(), String> {
    match depth(value, DEEPEST) {
        Some(_) => Ok(()),
        None => Err(format!("it nests more than {DEEPEST} deep")),
    }
}

/// The reserved name that some data takes, if it takes one.
pub fn reserved(data: &Map<String, Value>) -> Option<&'static str> {
    RESERVED.into_iter().find(|name| data.contains_key(*name))
}

/// How many bytes a value has as JSON.
pub fn length(value: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

/// Merges a patch into data, by RFC 7396.
pub fn merge(data: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            data.shift_remove(key);
        } else {
            merge_value(data.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn merge_value(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        merge(target, patch);
    }
}

/// How deep a value nests; `None` if deeper than `most`.
pub fn depth(value: &Value, most: usize) -> Option<usize> {
    let below: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(entries) => Box::new(entries.values()),
        _ => return Some(0),
    };
    let most = most.checked_sub(1)?;
    let mut deepest = 0;
    for value in below {
        deepest = deepest.max(depth(value, most)?);
    }
    Some(deepest + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merge_follows_the_examples_of_rfc_7396() {
        let examples = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (mut target, patch, expected) in examples {
            merge_value(&mut target, &patch);
            assert_eq!(target, expected, "with the patch {patch}");
        }
    }

    #[test]
    fn data_has_bounds() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert_eq!(check_size(&nested(DEEPEST)), Ok(()));
        assert!(check_size(&nested(DEEPEST + 1)).unwrap_err().contains("deep"));
        // A text has two quotation marks.
        assert_eq!(check_size(&json!("a".repeat(MOST - 2))), Ok(()));
        assert!(check_size(&json!("a".repeat(MOST - 1))).unwrap_err().contains("bytes"));
    }

    #[test]
    fn the_length_is_that_of_the_text() {
        for value in [json!(null), json!({ "ž": [1, 2.5, "\u{0}\n\""] }), json!("")] {
            assert_eq!(length(&value), value.to_string().len());
        }
    }
}
