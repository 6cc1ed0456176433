//! lodash's predicates on JSON, with lodash's own results.
//!
//! Promises: `_[command](value, compareTo)`, JavaScript's coercions included, for each
//! command in [`LodashCommand`]; `vectors/predicates.tsv`, written by lodash itself, holds
//! it to that. Never panics; allocates only where JavaScript would make a string.
//! Where it departs:
//! - JSON has neither NaN nor an infinity (YAML's `.nan` is null in JSON), so an operand
//!   never is one, and `isNaN` is always false; coercions know them (`gt("x", 1)`).
//! - `inRange` takes a pair as well: `compareTo: [start, end]`. In lodash such a range is
//!   empty. A number alone is the end, as in lodash, and the start is 0.
//! - Where JavaScript would throw (an object whose own `toString` is no function), the
//!   object has its usual text.
//!
//! Called by: conditions.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use js::Js;

mod equality;
pub(crate) mod js;
mod kind;
mod order;
mod search;

/// A predicate, by lodash's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LodashCommand {
    /// The same value: `SameValueZero`, by which lists and objects equal only themselves.
    Eq,
    /// Equal, deeply.
    IsEqual,
    /// Greater.
    Gt,
    /// Greater or the same.
    Gte,
    /// Less.
    Lt,
    /// Less or the same.
    Lte,
    /// A list or an object has `compareTo` among its values; a string contains it.
    Includes,
    /// The text begins with `compareTo`.
    StartsWith,
    /// The text ends with `compareTo`.
    EndsWith,
    /// The path `compareTo` leads somewhere.
    Has,
    /// From 0, or from the first of a pair, up to and without `compareTo`.
    InRange,
    /// Has everything that `compareTo` has, deeply.
    IsMatch,
    /// A list.
    IsArray,
    /// True or false.
    IsBoolean,
    /// An empty list, object or string, or what has no length at all: a number, null.
    IsEmpty,
    /// A number. JSON has no others than finite ones.
    IsFinite,
    /// A number without a fraction.
    IsInteger,
    /// Never true: JSON has no NaN.
    #[serde(rename = "isNaN")]
    IsNan,
    /// Null or missing.
    IsNil,
    /// Null.
    IsNull,
    /// A number.
    IsNumber,
    /// A list or an object.
    IsObject,
    /// An object.
    IsPlainObject,
    /// A string.
    IsString,
    /// Missing.
    IsUndefined,
}

impl LodashCommand {
    /// Whether it looks at `value` alone.
    pub fn is_unary(self) -> bool {
        self >= Self::IsArray
    }

    /// lodash's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::IsEqual => "isEqual",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Includes => "includes",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Has => "has",
            Self::InRange => "inRange",
            Self::IsMatch => "isMatch",
            Self::IsArray => "isArray",
            Self::IsBoolean => "isBoolean",
            Self::IsEmpty => "isEmpty",
            Self::IsFinite => "isFinite",
            Self::IsInteger => "isInteger",
            Self::IsNan => "isNaN",
            Self::IsNil => "isNil",
            Self::IsNull => "isNull",
            Self::IsNumber => "isNumber",
            Self::IsObject => "isObject",
            Self::IsPlainObject => "isPlainObject",
            Self::IsString => "isString",
            Self::IsUndefined => "isUndefined",
        }
    }

    /// `_[command](value, compareTo)`, where `None` is undefined. `compare_to` is nothing
    /// to a unary command.
    pub fn test(self, value: Option<&Value>, compare_to: Option<&Value>) -> bool {
        self.on(value.into(), value, compare_to.into())
    }

    /// `json` is `value` once more, for the one command that goes into it by a path.
    fn on(self, value: Js<'_>, json: Option<&Value>, compare_to: Js<'_>) -> bool {
        match self {
            Self::Eq => equality::eq(value, compare_to),
            Self::IsEqual => equality::is_equal(value, compare_to),
            Self::IsMatch => equality::is_match(value, compare_to),
            Self::Gt => order::compare(value, compare_to).is_some_and(std::cmp::Ordering::is_gt),
            Self::Gte => order::compare(value, compare_to).is_some_and(std::cmp::Ordering::is_ge),
            Self::Lt => order::compare(value, compare_to).is_some_and(std::cmp::Ordering::is_lt),
            Self::Lte => order::compare(value, compare_to).is_some_and(std::cmp::Ordering::is_le),
            Self::InRange => order::in_range(value, compare_to),
            Self::Includes => search::includes(value, compare_to),
            Self::StartsWith => search::starts_with(value, compare_to),
            Self::EndsWith => search::ends_with(value, compare_to),
            Self::Has => json.is_some_and(|json| search::has(json, compare_to)),
            unary => kind::test(unary, value),
        }
    }
}

impl std::fmt::Display for LodashCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reading the tables in `vectors/`.
#[cfg(test)]
pub(crate) mod vectors {
    use serde_json::Value;

    /// The rows of a table with four columns.
    pub(crate) fn rows(table: &str) -> impl Iterator<Item = [&str; 4]> {
        table.lines().filter(|line| !line.starts_with('#')).map(|line| {
            line.split('\t').collect::<Vec<_>>().try_into().expect("a row has four columns")
        })
    }

    /// A JSON text.
    pub(crate) fn json(text: &str) -> Value {
        serde_json::from_str(text).expect(text)
    }

    /// A JSON text, or `undefined`.
    pub(crate) fn operand(text: &str) -> Option<Value> {
        (text != "undefined").then(|| json(text))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn command(name: &str) -> LodashCommand {
        serde_json::from_value(name.into()).expect(name)
    }

    /// Calls a command with operands as the table writes them; some are not JSON.
    fn call(name: &str, value: &str, compare_to: &str) -> bool {
        let number = |text: &str| match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        };
        let parse = |text| if number(text).is_some() { None } else { vectors::operand(text) };
        let (left, right) = (parse(value), parse(compare_to));
        let js = |text, json| number(text).map_or(Js::from(json), Js::Number);
        command(name).on(js(value, left.as_ref()), left.as_ref(), js(compare_to, right.as_ref()))
    }

    #[test]
    fn every_row_of_lodashs_own_table_is_equal() {
        let mut rows: HashMap<&str, usize> = HashMap::new();
        let mut wrong = Vec::new();
        for [name, value, compare_to, expected] in
            vectors::rows(include_str!("vectors/predicates.tsv"))
        {
            if call(name, value, compare_to).to_string() != expected {
                wrong.push(format!("{name}({value}, {compare_to}) is {expected}"));
            }
            *rows.entry(name).or_default() += 1;
        }
        assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
        assert!(rows.values().sum::<usize>() >= 2_000);
        assert_eq!(rows.len(), 25, "every command is in the table");
        for (name, rows) in rows {
            assert!(rows > 100, "{name}: {rows} rows");
            assert_eq!(command(name).as_str(), name);
        }
    }

    #[test]
    fn javascript_is_coerced_as_javascript_does() {
        let test = |name, a: &Value, b: &Value| command(name).test(Some(a), Some(b));
        assert!(test("gt", &json!("10"), &json!(9)));
        assert!(test("gt", &json!("b"), &json!("a")));
        assert!(!test("gt", &json!("10"), &json!("9")));
        assert!(call("eq", "NaN", "NaN"));
        assert!(test("gte", &json!(9_007_199_254_740_993i64), &json!(9_007_199_254_740_992i64)));
        assert!(test("lte", &json!(9_007_199_254_740_993i64), &json!(9_007_199_254_740_992i64)));
    }

    #[test]
    fn lists_and_objects_are_the_same_only_in_the_same_place() {
        let list = json!([{ "a": 1 }, []]);
        let copy = list.clone();
        assert!(LodashCommand::Eq.test(Some(&list), Some(&list)));
        assert!(!LodashCommand::Eq.test(Some(&list), Some(&copy)));
        assert!(LodashCommand::IsEqual.test(Some(&list), Some(&copy)));
        assert!(LodashCommand::Includes.test(Some(&list), list.get(0)));
        assert!(!LodashCommand::Includes.test(Some(&list), copy.get(0)));
        assert!(!LodashCommand::Eq.test(list.get(1), copy.get(1)));
    }

    #[test]
    fn unary_commands_are_those_that_look_at_one_value() {
        let unary = |name| command(name).is_unary();
        assert!(["isArray", "isNaN", "isUndefined"].into_iter().all(unary));
        assert!(!["eq", "isEqual", "isMatch", "inRange"].into_iter().any(unary));
        assert!(serde_json::from_value::<LodashCommand>(json!("isNan")).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            r#"[ a-c0-9xe.+\-😀é\[\]"]{0,6}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-b01]|length", inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_operands_are_too_odd(a in any_json(), b in prop::option::of(any_json())) {
            for name in [
                "eq", "isEqual", "gt", "gte", "lt", "lte", "includes", "startsWith", "endsWith",
                "has", "inRange", "isMatch", "isEmpty", "isInteger",
            ] {
                command(name).test(Some(&a), b.as_ref());
                command(name).test(b.as_ref(), Some(&a));
            }
            prop_assert!(LodashCommand::IsEqual.test(Some(&a), Some(&a.clone())));
            prop_assert!(LodashCommand::IsMatch.test(Some(&a), Some(&a.clone())));
        }
    }
}
