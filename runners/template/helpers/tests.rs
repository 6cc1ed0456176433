use serde_json::json;

use super::*;
use crate::{Scope, Template, template::TemplateError};

fn try_render(text: &str, data: &Value, html: bool) -> Result<String, TemplateError> {
    let process = || json!({ "id": "p-1", "timezone": "Europe/Zagreb" });
    let (steps, events) = (json!({}), json!([]));
    let scope = Scope::new(data.as_object().unwrap(), process, &steps, &events);
    Template::parse(text, html)?.render(&scope)
}

fn render(text: &str, data: &Value) -> String {
    try_render(text, data, false).unwrap()
}

fn refused(text: &str, data: &Value) -> String {
    try_render(text, data, false).unwrap_err().message
}

#[test]
fn a_date_is_shown_in_the_time_zone_of_the_process() {
    let data =
        json!({ "at": "2025-07-01T18:30:00Z", "seconds": 1_751_394_600, "text": "1751394600" });
    for name in ["at", "seconds", "text"] {
        let text = format!("{{{{date {name} \"dddd, MMMM Do, HH:mm\"}}}}");
        assert_eq!(render(&text, &data), "Tuesday, July 1st, 20:30", "{name}");
    }
    assert_eq!(render("{{date at \"%d.%m.%Y. %H:%M %Z\"}}", &data), "01.07.2025. 20:30 CEST");
    assert_eq!(render("{{date \"2025-07-01 20:30\" \"x\"}}", &data), "1751394600000");
}

#[test]
fn a_date_may_be_shown_in_another_time_zone() {
    let data = json!({ "at": 1_751_394_600, "restaurant": { "zone": "America/New_York" } });
    assert_eq!(render("{{date at \"LT\" timezone=restaurant.zone}}", &data), "2:30 PM");
    assert_eq!(render("{{date at \"HH:mm\" timezone=\"UTC\"}}", &data), "18:30");
    assert_eq!(render("{{date at \"HH:mm\" timezone=restaurant.none}}", &data), "20:30");
}

#[test]
fn a_date_that_is_none_is_an_error_and_a_missing_one_is_empty() {
    let data = json!({ "soon": "soon", "list": [1], "ms": 1_751_394_600_000i64, "zone": "Europe/Zagrb", "null": null });
    assert_eq!(render("[{{date missing \"LL\"}}{{date null \"LL\"}}]", &data), "[]");
    assert!(
        refused("{{date soon \"LL\"}}", &data)
            .starts_with("date: \"soon\" is no date: expected ISO 8601")
    );
    assert_eq!(refused("{{date list \"LL\"}}", &data), "date: a list is no date");
    assert!(refused("{{date ms \"LL\"}}", &data).contains("look like milliseconds"));
    assert_eq!(refused("{{date 1 list}}", &data), "date: a format is a string, not a list");
    assert_eq!(
        refused("{{date 1 \"LL\" timezone=zone}}", &data),
        "date: there is no time zone \"Europe/Zagrb\", did you mean `Europe/Zagreb`?"
    );
    assert_eq!(
        refused("{{date 1 \"LL\" timezone=list}}", &data),
        "date: a time zone is a name, not a list"
    );
    assert_eq!(
        refused("{{date 1 soon}}", &json!({ "soon": "%Y %Q" })),
        "date: \"%Y %Q\" is no strftime format"
    );
}

#[test]
fn what_stands_there_literally_is_checked_when_the_template_is_parsed() {
    let refused = |text| Template::parse(text, false).unwrap_err().message;
    assert_eq!(refused("{{date at \"%Y %Q\"}}"), "date: \"%Y %Q\" is no strftime format");
    assert_eq!(refused("{{upper (date at 5)}}"), "date: a format is a string, not a number");
    assert!(
        refused("{{date at \"LL\" timezone=\"Mars\"}}").starts_with("date: there is no time zone")
    );
}

#[test]
fn default_stands_in_for_what_is_missing_null_or_empty() {
    let data = json!({ "name": "Ana", "empty": "", "null": null, "zero": 0, "no": false });
    let text = "{{default name \"you\"}} {{default none \"you\"}} {{default empty \"you\"}} \
                {{default null name}} {{default zero 1}} {{default no 1}}";
    assert_eq!(render(text, &data), "Ana you you Ana 0 false");
    assert_eq!(render("{{default (date none \"LL\") \"soon\"}}", &data), "soon");
}

#[test]
fn json_writes_the_value_whole() {
    let data = json!({ "order": { "items": ["a", null, 1.5], "b": true } });
    assert_eq!(
        render("{{json order}} {{json none}}", &data),
        r#"{"items":["a",null,1.5],"b":true} null"#
    );
}

#[test]
fn a_part_of_an_address_stays_one_part() {
    let data = json!({ "id": "7/../../admin?a=b#ž", "plain": "a-b_c.d~1", "count": 5 });
    assert_eq!(render("/orders/{{url id}}", &data), "/orders/7%2F..%2F..%2Fadmin%3Fa%3Db%23%C5%BE");
    assert_eq!(render("{{url plain}} {{url count}} {{url none}}", &data), "a-b_c.d~1 5 ");
}

#[test]
fn letters_are_made_large_and_small() {
    let data = json!({ "name": "Željko", "count": 5 });
    assert_eq!(
        render("{{upper name}} {{lower name}} {{upper count}} {{lower none}}", &data),
        "ŽELJKO željko 5 "
    );
    assert_eq!(render("{{upper (lower name)}}", &data), "ŽELJKO");
}

#[test]
fn one_order_is_singular_and_all_other_counts_are_plural() {
    for (count, word) in [
        (json!(1), "order"),
        (json!("1"), "order"),
        (json!(1.0), "order"),
        (json!(0), "orders"),
        (json!(2), "orders"),
        (json!(1.5), "orders"),
        (json!(null), "orders"),
    ] {
        let text = "{{plural order.count \"order\" \"orders\"}}";
        assert_eq!(render(text, &json!({ "order": { "count": count } })), word, "{count}");
    }
    assert_eq!(
        refused("{{plural a \"b\" \"c\"}}", &json!({ "a": "many" })),
        "plural: \"many\" is no count"
    );
    assert_eq!(
        refused("{{plural a \"b\" \"c\"}}", &json!({ "a": [1] })),
        "plural: \"[1]\" is no count"
    );
}

#[test]
fn in_html_helpers_are_escaped_like_any_other_text_and_once() {
    let data = json!({ "name": "<b>&", "list": ["\""] });
    let html = |text| try_render(text, &data, true).unwrap();
    assert_eq!(html("{{upper name}}"), "&lt;B&gt;&amp;");
    assert_eq!(
        html("{{default none name}} {{default (lower name) \"\"}}"),
        "&lt;b&gt;&amp; &lt;b&gt;&amp;"
    );
    assert_eq!(html("{{json list}}"), "[&quot;\\&quot;&quot;]");
    assert_eq!(html("{{plural 1 name name}} {{date 0 \"[<]\"}}"), "&lt;b&gt;&amp; &lt;");
    assert_eq!(html("{{{upper name}}} {{{name}}}"), "<B>& <b>&");
    assert_eq!(render("{{upper name}} {{json list}}", &data), r#"<B>& ["\""]"#);
}

#[test]
fn a_variable_may_have_the_name_of_a_helper() {
    let data = json!({ "date": "today", "json": { "upper": 5 }, "list": [{ "default": "x" }] });
    assert_eq!(
        render("{{date}} {{json.upper}} {{upper}} {{#each list}}{{default}}{{/each}}", &data),
        "today 5  x"
    );
}

#[test]
fn loops_in_loops_come_to_an_end() {
    let data = json!({ "list": vec!["0123456789"; 1_000] });
    let text =
        "{{#each list}}{{#each @root.list}}{{#each @root.list}}{{this}}{{/each}}{{/each}}{{/each}}";
    assert!(refused(text, &data).contains("more than 10000 rounds"));
}

fn any_value() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9TZ:%+.-]{0,20}".prop_map(Value::from),
        Just(json!([1, { "a": null }])),
    ]
}

proptest::proptest! {
    #[test]
    fn no_parameters_are_too_odd(a in any_value(), b in any_value(), c in any_value()) {
        let data = json!({ "a": a, "b": b, "c": c });
        for text in [
            "{{date a b timezone=c}}", "{{default a b}}", "{{json a}}", "{{upper a}}", "{{lower a}}",
            "{{url a}}", "{{plural a b c}}", "{{date (default a b) (upper c)}}",
        ] {
            let _ = try_render(text, &data, true);
        }
    }

    #[test]
    fn no_template_is_too_odd(text in r#"(\{\{[#/~^]?|\}\}|if|each|date|a|\.\./|@root\.|this|else|[ ()"'=|\[\]\\.&>]|%Y){0,20}"#) {
        let _ = try_render(&text, &json!({ "a": [1, { "a": 2 }] }), true);
    }
}
