use serde_json::{Value, json};

use super::*;

fn condition(config: Value) -> Condition {
    serde_json::from_value(config).unwrap()
}

fn evaluate(data: &Value, config: Value) -> (bool, String) {
    try_evaluate(data, &condition(config)).unwrap()
}

/// Evaluates, and sees to it that `holds` says the same.
fn try_evaluate(data: &Value, condition: &Condition) -> Result<(bool, String), Failure> {
    let steps = json!({ "ring": { "status": "busy" } });
    let events = json!([]);
    let scope = Scope::new(data.as_object().unwrap(), || json!({ "id": "p-1" }), &steps, &events);
    let evaluated = condition.evaluate(&scope);
    assert_eq!(condition.holds(&scope), evaluated.clone().map(|(holds, _)| holds));
    evaluated
}

fn order() -> Value {
    json!({
        "order": { "status": "new", "count": 5, "note": null, "items": [
            { "kind": "pizza", "price": 9 }, { "kind": "wine", "price": 12 },
        ] },
        "limit": 3,
    })
}

fn messages(config: Value) -> Vec<(String, String)> {
    let problems = condition(config).check("/until");
    problems.into_iter().map(|problem| (problem.pointer, problem.message)).collect()
}

#[test]
fn a_predicate_compares_what_is_found_with_what_is_given() {
    let (holds, why) = evaluate(
        &order(),
        json!({
            "lodashCommand": "eq",
            "value": { "type": "get", "value": "order.status" },
            "compareTo": { "type": "raw", "value": "confirmed" },
        }),
    );
    assert!(!holds);
    assert_eq!(why, r#"order.status is "new", not eq "confirmed""#);
}

#[test]
fn both_operands_may_be_looked_up() {
    let (holds, why) = evaluate(
        &order(),
        json!({
            "lodashCommand": "gt",
            "value": { "type": "get", "value": ["order", "count"] },
            "compareTo": { "type": "get", "value": "limit" },
        }),
    );
    assert!(holds);
    assert_eq!(why, r#"["order","count"] is 5, gt limit (3)"#);
}

#[test]
fn a_unary_predicate_tells_missing_from_null() {
    let test = |command, path| {
        let value = json!({ "type": "get", "value": path });
        evaluate(&order(), json!({ "lodashCommand": command, "value": value }))
    };
    assert_eq!(
        test("isUndefined", "order.eta"),
        (true, "order.eta is missing, isUndefined".into())
    );
    assert_eq!(
        test("isUndefined", "order.note"),
        (false, "order.note is null, not isUndefined".into())
    );
    assert!(test("isNull", "order.note").0);
    assert!(!test("isNull", "order.eta").0);
}

#[test]
fn a_jsonpath_gives_a_value_a_list_or_nothing() {
    let test = |command, path, compare_to| {
        evaluate(
            &order(),
            json!({
                "lodashCommand": command,
                "value": { "type": "jsonpath", "value": path },
                "compareTo": { "type": "raw", "value": compare_to },
            }),
        )
    };
    assert!(test("eq", "$.order.items[?@.price > 10].kind", json!("wine")).0);
    assert!(test("isEqual", "$.order.items[*].kind", json!(["pizza", "wine"])).0);
    assert!(test("eq", "$.steps.ring.status", json!("busy")).0);
    assert!(test("eq", "$.process.id", json!("p-1")).0);
    let (holds, why) = test("includes", "$.order.items[?@.price > 99].kind", json!("wine"));
    assert!(!holds);
    assert_eq!(why, r#"$.order.items[?@.price > 99].kind is missing, not includes "wine""#);
}

#[test]
fn all_any_and_not_nest_and_say_what_decided() {
    let is = |status: &str| {
        json!({
            "lodashCommand": "eq",
            "value": { "type": "get", "value": "order.status" },
            "compareTo": { "type": "raw", "value": status },
        })
    };
    let few = json!({
        "lodashCommand": "lt",
        "value": { "type": "get", "value": "order.count" },
        "compareTo": { "type": "raw", "value": 3 },
    });
    assert_eq!(
        evaluate(&order(), json!({ "all": [is("new"), { "not": few }] })),
        (true, r#"order.status is "new", eq "new"; order.count is 5, not lt 3"#.into())
    );
    assert_eq!(
        evaluate(&order(), json!({ "all": [is("new"), few, is("old")] })),
        (false, "order.count is 5, not lt 3".into())
    );
    assert_eq!(
        evaluate(&order(), json!({ "any": [few, is("new"), is("old")] })),
        (true, r#"order.status is "new", eq "new""#.into())
    );
    assert!(!evaluate(&order(), json!({ "any": [few, { "not": is("new") }] })).0);
}

#[test]
fn long_values_are_cut_in_the_message_and_nowhere_else() {
    let long = "ä".repeat(5_000);
    let (holds, why) = evaluate(
        &json!({ "text": long }),
        json!({
            "lodashCommand": "eq",
            "value": { "type": "get", "value": "text" },
            "compareTo": { "type": "raw", "value": long },
        }),
    );
    assert!(holds);
    assert!(why.len() < 400 && why.contains('…'), "{why}");
}

#[test]
fn a_condition_is_one_thing() {
    let operand = json!({ "type": "raw", "value": 1 });
    let none = "a condition has a `lodashCommand`, or one of `all`, `any` and `not`";
    assert_eq!(messages(json!({})), [("/until".into(), none.into())]);
    assert_eq!(
        messages(json!({ "lodashCommand": "isNil", "value": operand, "not": { "all": [] } })),
        [
            ("/until".into(), "a condition is one thing, not `lodashCommand` and `not`".into()),
            ("/until/not/all".into(), "`all` is an empty list of conditions".into()),
        ]
    );
    assert_eq!(
        messages(json!({ "any": [{}], "value": operand })),
        [
            ("/until/value".into(), "`value` belongs beside a `lodashCommand`".into()),
            ("/until/any/0".into(), none.into()),
        ]
    );
}

#[test]
fn a_predicate_has_the_operands_it_looks_at() {
    let operand = json!({ "type": "raw", "value": 1 });
    assert_eq!(
        messages(json!({ "lodashCommand": "eq" })),
        [
            ("/until".into(), "`eq` has no `value` to look at".into()),
            ("/until".into(), "`eq` has no `compareTo`".into()),
        ]
    );
    assert_eq!(
        messages(json!({ "lodashCommand": "isNil", "value": operand, "compareTo": operand })),
        [(
            "/until/compareTo".into(),
            "`isNil` looks at `value` alone and takes no `compareTo`".into()
        )]
    );
}

#[test]
fn operands_are_checked_unless_they_are_templates() {
    let with = |kind, value: Value| {
        messages(json!({ "lodashCommand": "isNil", "value": { "type": kind, "value": value } }))
    };
    assert_eq!(
        with("get", json!(5)),
        [("/until/value/value".into(), "a path is a string, or a list of keys".into())]
    );
    assert_eq!(
        with("jsonpath", json!(5)),
        [("/until/value/value".into(), "a JSONPath is a string".into())]
    );
    assert_eq!(
        with("jsonpath", json!("$.a[")),
        [(
            "/until/value/value".into(),
            "this JSONPath does not parse at character 5: expected selector".into()
        )]
    );
    assert!(with("jsonpath", json!("$.{{key}}[")).is_empty());
    assert!(with("get", json!("a.{{key}}")).is_empty());
    assert!(with("raw", json!({ "any": "{{thing}}" })).is_empty());
}

#[test]
fn a_jsonpath_is_bounded_in_the_work_it_makes() {
    let refused = |path: String| {
        let operand = json!({ "type": "jsonpath", "value": path });
        messages(json!({ "lodashCommand": "isNil", "value": operand })).remove(0).1
    };
    assert_eq!(refused("$..*..*".to_owned()), "a JSONPath has `..` only once");
    assert_eq!(
        refused(format!("$[?{}", "length(".repeat(40))),
        "a JSONPath calls at most 8 functions"
    );
    assert_eq!(refused(format!("${}", ".a".repeat(500))), "a JSONPath has at most 1000 bytes");
}

#[test]
fn what_no_check_could_see_fails_the_process_with_a_reason() {
    let broken = condition(json!({
        "lodashCommand": "isNil", "value": { "type": "jsonpath", "value": "$.{{key}}[" },
    }));
    let failure = try_evaluate(&json!({}), &broken).unwrap_err();
    assert!(failure.0.starts_with("condition: `$.{{key}}[`: this JSONPath"), "{failure}");
    let broken = condition(json!({ "lodashCommand": "eq" }));
    let failure = try_evaluate(&json!({}), &broken).unwrap_err();
    assert_eq!(failure.0, "condition: `eq` has no `value` to look at");
}

#[test]
fn conditions_nest_only_so_deep() {
    let mut config = json!({ "lodashCommand": "isNil", "value": { "type": "get", "value": "a" } });
    for _ in 0..MOST_NESTED {
        config = json!({ "not": config });
    }
    assert!(messages(config.clone()).is_empty());
    let found = messages(json!({ "not": config }));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "conditions nest at most 16 deep");
}

#[test]
fn unknown_keys_and_types_are_refused() {
    let read = serde_json::from_value::<Condition>;
    assert!(read(json!({ "lodashCommand": "equals" })).is_err());
    assert!(read(json!({ "value": { "type": "get" } })).is_err());
    assert!(read(json!({ "value": { "type": "path", "value": "a" } })).is_err());
    assert!(read(json!({ "value": { "type": "get", "value": "a", "default": 1 } })).is_err());
    assert!(read(json!({ "none": [] })).is_err());
}

#[test]
fn the_schema_describes_the_operands_as_they_are_written() {
    let schema = schemars::schema_for!(Condition).to_value();
    let operand = schema.pointer("/$defs/Operand/properties/type").unwrap();
    assert!(operand.to_string().contains("OperandType"), "{operand}");
    assert_eq!(schema.pointer("/additionalProperties"), Some(&json!(false)));
}
