//! `Set`: put values into the process's data.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Failure, Outcome, Problem, Runner, Visit, data,
    prepare::{is_looked_up, literal},
    quote::quoted,
};

/// Puts values into the process's data, and goes on.
///
/// ```yaml
/// - id: remember
///   run: Set
///   config:
///     values:
///       attempts: 3                                   # stays a number
///       who: "{{restaurant.name}}"                    # a template is text
///       order:                                        # merged into what is there (RFC 7396)
///         first: { type: get, value: "order.items[0]" } # any value, with its type
///         rush: null                                  # is removed
/// ```
///
/// A value that is not found is `null`, so what it was to set is removed. `values` itself may
/// be looked up as well: `values: { type: get, value: steps.credit.answer }`; if nothing is found
/// there, nothing is set. What is found and is no mapping fails the process.
#[derive(JsonSchema)]
pub struct Set;

/// The config of `Set`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What to merge into the data: a name and its value each. Numbers, booleans, lists and
    /// mappings stay what they are; `{ type: get, value: PATH }` stands for the value at a path.
    #[schemars(with = "Map<String, Value>")]
    values: Value,
}

/// Names that a history shows.
const MOST_SHOWN: usize = 5;

impl Runner for Set {
    const NAME: &'static str = "Set";
    const TYPED: &'static [&'static str] = &["values"];
    const WRITES: Option<&'static str> = Some("values");
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        false
    }

    fn check(config: &Config) -> Vec<Problem> {
        if is_looked_up(&config.values) {
            return Vec::new();
        }
        let Value::Object(values) = literal(&config.values) else {
            let help = "write a name and its value, such as `values: { attempts: 1 }`";
            return vec![Problem::at("/values", "expected names and their values").help(help)];
        };
        let mut problems = Vec::new();
        if let Some(name) = data::reserved(values) {
            let message = format!("`{name}` is a reserved name, beside the data");
            problems.push(Problem::at(format!("/values/{name}"), message));
        }
        if values.is_empty() {
            problems.push(Problem::at("/values", "there is nothing to set"));
        }
        let dotted =
            values.keys().find(|name| name.contains(['.', '[']) && !name.contains(['~', '/']));
        problems.extend(dotted.map(|name| {
            let help = "nest it, as in `order: { status: confirmed }`";
            Problem::at(format!("/values/{name}"), format!("{} is no path here", quoted(name)))
                .help(help)
        }));
        problems.extend(
            data::check_size(&config.values).err().map(|reason| Problem::at("/values", reason)),
        );
        problems
    }

    fn visit(config: &Config, _: &Visit<'_>) -> Result<Outcome, Failure> {
        if config.values.is_null() {
            return Ok(Outcome::next("nothing was found to set"));
        }
        let Value::Object(values) = &config.values else {
            let found = quoted(&config.values.to_string());
            return Err(Failure(format!(
                "config.values: {found} is no mapping of names and values"
            )));
        };
        if let Some(name) = data::reserved(values) {
            return Err(Failure(format!("config.values: `{name}` is a reserved name")));
        }
        data::check_size(&config.values).map_err(|why| Failure(format!("config.values: {why}")))?;
        Ok(Outcome::set(values.clone(), told(values)))
    }
}

/// The names, and not the values: they may be long, or nobody's business.
fn told(values: &Map<String, Value>) -> String {
    let names: Vec<String> = values.keys().take(MOST_SHOWN).map(|name| quoted(name)).collect();
    match values.len().saturating_sub(MOST_SHOWN) {
        0 => format!("set {}", names.join(", ")),
        more => format!("set {} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn set(config: &Value) -> Result<Outcome, Failure> {
        Trial::at("2026-05-04T10:00")
            .data(json!({
                "name": "Galija",
                "order": { "items": [{ "kind": "pizza", "count": 2 }], "count": 2 },
                "looks": { "type": "get", "value": "name" },
                "type": "get",
                "long": "x".repeat(data::MOST / 2),
            }))
            .visit::<Set>(config)
    }

    fn patch(values: &Value) -> Value {
        Value::Object(set(&json!({ "values": values })).unwrap().set.unwrap())
    }

    #[test]
    fn values_keep_their_types_and_templates_are_text() {
        let values = json!({
            "number": 3, "yes": true, "list": [1, "{{order.count}}"], "gone": null,
            "text": "{{name}} has {{order.count}}",
            "count": { "type": "get", "value": "order.count" },
            "first": { "deep": [{ "type": "get", "value": "order.items[0]" }] },
            "kinds": { "type": "jsonpath", "value": "$.order.items[*].kind" },
            "missing": { "type": "get", "value": "nobody.there" },
            "by_name": { "type": "get", "value": "order.{{kind}}items" },
        });
        let items = json!([{ "kind": "pizza", "count": 2 }]);
        let expected = json!({
            "number": 3, "yes": true, "list": [1, "2"], "gone": null,
            "text": "Galija has 2", "count": 2, "first": { "deep": [items[0]] },
            "kinds": "pizza", "missing": null, "by_name": items,
        });
        assert_eq!(patch(&values), expected);
    }

    #[test]
    fn where_nothing_is_found_nothing_is_set() {
        let all = set(&json!({ "values": { "type": "get", "value": "nobody" } })).unwrap();
        assert_eq!(all, Outcome::next("nothing was found to set"));
        let text = set(&json!({ "values": { "type": "get", "value": "name" } })).unwrap_err();
        assert!(text.0.contains("is no mapping"), "{text}");
    }

    #[test]
    fn what_looks_like_an_operand_and_is_data_stays_data() {
        let looks = json!({ "type": "get", "value": "name" });
        // Found, rendered, or said to be itself: none of them is looked up again.
        assert_eq!(
            patch(&json!({ "a": { "type": "get", "value": "looks" } })),
            json!({ "a": looks })
        );
        let rendered = json!({ "a": { "type": "{{type}}", "value": "name" } });
        assert_eq!(patch(&rendered), json!({ "a": looks }));
        assert_eq!(
            patch(&json!({ "a": { "type": "raw", "value": looks } })),
            json!({ "a": looks })
        );
        // And so are objects that have more to them, or other types.
        for other in [json!({ "type": "get", "value": 7 }), json!({ "type": "dog", "value": "x" })]
        {
            assert_eq!(patch(&json!({ "a": other })), json!({ "a": other }));
        }
    }

    #[test]
    fn all_values_may_be_looked_up_at_once() {
        let found = set(&json!({ "values": { "type": "get", "value": "order" } })).unwrap();
        assert_eq!(found.set.unwrap()["count"], 2);
        assert_eq!(found.message, "set \"items\", \"count\"");
        let text = set(&json!({ "values": { "type": "get", "value": "name" } })).unwrap_err();
        assert!(text.0.contains("is no mapping"), "{text}");
    }

    #[test]
    fn what_cannot_be_data_fails_the_process_and_says_why() {
        let all = json!({ "values": { "type": "jsonpath", "value": "$" } });
        assert!(set(&all).unwrap_err().0.contains("`process` is a reserved name"));
        let twice = json!({ "values": { "a": ["{{long}}", "{{long}}"] } });
        assert!(set(&twice).unwrap_err().0.contains("more than 262144 bytes"));
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let many: Vec<Value> = (0..101).map(|_| json!({ "type": "get", "value": "a" })).collect();
        for (values, pointer) in [
            (json!({ "steps": 1 }), "/values/steps"),
            (json!({}), "/values"),
            (json!({ "order.status": 1 }), "/values/order.status"),
            (json!({ "a": "{{#if}}" }), "/values/a"),
            (json!({ "a": { "type": "jsonpath", "value": "nope" } }), "/values/a/value"),
            (json!({ "a": many }), "/values/a/100"),
            (json!([1]), "/values"),
        ] {
            let found = problems::<Set>(&json!({ "values": values }));
            assert_eq!(found.len(), 1, "{values}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{values}");
        }
        assert_eq!(problems::<Set>(&json!({ "values": { "type": "get", "value": "a" } })), []);
    }
}
