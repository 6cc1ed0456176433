//! Types: each sequence says of itself what is found in it.

use rungs_runners::builtin::KINDS;

use crate::check;

const INPUT: &str = "sequence: x
input:
  type: object
  properties:
    order:
      type: object
      properties:
        count: { type: integer }
        note: { type: string }
        status: { enum: [open, paid, disputed] }
        paid: { type: boolean }
        lines: { type: array, items: { type: object, properties: { sku: { type: string } } } }
        tags: { type: array, items: { type: string } }
        minutes: { type: string, pattern: '^[0-9]+$' }
        more: {}
    zone: { type: string, default: Europe/Zagrb }
    shift: { type: integer }
";

/// What is said of a sequence with such a step: code, what stands at its place, message, help.
fn found(top: &str, step: &str) -> Vec<(&'static str, String, String, String)> {
    let source = format!("{INPUT}{top}steps:\n  - {{ id: a, {step} }}\n");
    let checked = check(&source, KINDS);
    assert!(!checked.has_errors(), "{:#?}", checked.diagnostics);
    let found = checked
        .diagnostics
        .into_iter()
        .map(|it| (it.code, source[it.span].to_owned(), it.message, it.help.unwrap_or_default()));
    found.collect()
}

fn texted(message: &str) -> String {
    format!("run: SMS, config: {{ to: '112', message: \"{message}\" }}")
}

fn asked(condition: &str) -> String {
    format!("run: Goal, config: {{ {condition}, otherwise: end }}")
}

#[track_caller]
fn says(found: &[(&'static str, String, String, String)], expected: [&str; 4]) {
    let [(code, place, message, help)] = found else { panic!("expected one: {found:#?}") };
    let [wanted, at, part, helps] = expected;
    assert_eq!((*code, place.as_str()), (wanted, at), "{message}");
    assert!(message.contains(part) && help.contains(helps), "{message}\n{help}");
}

#[test]
fn what_is_written_as_text_is_no_mapping() {
    for (message, at, part, help) in [
        ("{{order}}", "order", "a mapping, and would be written `[object]`", "such as `count`"),
        ("{{order.lines}}", "order.lines", "each would be `[object]`", "{{#each ...}}"),
        ("{{order.count.x}}", "order.count.x", "`order.count` is a whole number", ""),
        ("{{order.note.x}}", "order.note.x", "`order.note` is a string", ""),
        ("{{order.tags.k}}", "order.tags.k", "`order.tags` is a list", ""),
        ("{{#each order.note}}a{{/each}}", "order.note", "`order.note` is a string", ""),
    ] {
        says(&found("", &texted(message)), ["variable-type", at, part, help]);
    }
    for fine in [
        "{{order.count}} {{order.note}} {{json order}} {{order.tags}} {{order.note.length}}",
        "{{#each order.lines}}{{sku}}{{/each}} {{#if order}}a{{/if}} {{order.more.x}}",
        "{{#with order}}{{count}}{{/with}} {{order.lines.0.sku}} {{steps.a.status}}",
    ] {
        assert_eq!(found("", &texted(fine)), [], "{fine}");
    }
}

#[test]
fn a_number_is_wanted_where_one_is_wanted() {
    let wait = |amount: &str| {
        format!("run: WaitForDuration, config: {{ amount: \"{amount}\", unit: minutes }}")
    };
    says(
        &found("", &wait("{{order.note}}")),
        ["variable-type", "order.note", "a number is wanted here", "type: integer"],
    );
    says(&found("", &wait("{{order.paid}}")), ["variable-type", "order.paid", "true or false", ""]);
    for fine in ["{{order.count}}", "{{order.minutes}}", "{{order.more}}", "{{order.note}}0"] {
        assert_eq!(found("", &wait(fine)), [], "{fine}");
    }
    let call = "run: Phone, config: { to: '112', say: a, detectMachine: '{{order.count}}' }";
    says(&found("", call), ["variable-type", "order.count", "true or false is wanted", ""]);
}

#[test]
fn a_zone_is_one() {
    let nap = "run: WaitForDuration, config: { amount: 1, unit: days }";
    says(
        &found("timezone: '{{zone}}'\n", nap),
        ["variable-type", "zone", "which is no time zone", "did you mean `Europe/Zagreb`"],
    );
    says(
        &found("timezone: '{{shift}}'\n", nap),
        ["variable-type", "shift", "`shift` is a whole number", ""],
    );
    assert_eq!(found("timezone: '{{order.note}}'\n", nap), []);
}

fn compared(path: &str, with: &str) -> String {
    asked(&format!(
        "lodashCommand: eq, value: {{ type: get, value: {path} }}, compareTo: {{ type: raw, \
         value: {with} }}"
    ))
}

#[test]
fn what_can_never_be_equal_is_told() {
    for (path, with, part, help) in [
        ("order.status", "paide", "`open`, `paid` or `disputed`", "did you mean `paid`"),
        ("order.count", "'3'", "`order.count` is a whole number", ""),
        ("order.note", "3", "`order.note` is a string", "a text never equals a number"),
        ("order.note", "null", "`order.note` is a string", "`isNil`"),
        ("order.paid", "'true'", "`order.paid` is true or false", ""),
    ] {
        says(&found("", &compared(path, with)), ["never-true", with, part, help]);
    }
    let turned = "not: { lodashCommand: isEqual, value: { type: raw, value: paide }, compareTo: { \
                  type: get, value: [order, status] } }";
    says(&found("", &asked(turned)), ["never-true", "paide", "never equal", "paid"]);
    let never = "lodashCommand: isString, value: { type: get, value: order.count }";
    says(&found("", &asked(never)), ["never-true", "isString", "a whole number", ""]);
    for (path, with) in [
        ("order.status", "paid"),
        ("order.count", "3"),
        ("order.more", "x"),
        ("events.reply.data.text", "yes"),
        ("order.acknowledged", "true"),
        ("order.status", "'{{order.note}}'"),
    ] {
        assert_eq!(found("", &compared(path, with)), [], "{path} {with}");
    }
}

#[test]
fn an_operand_is_looked_for_where_something_is() {
    for (path, part, help) in [
        ("order.stauts", "`input` has no `stauts`", "did you mean `status`"),
        ("order.count.x", "`order.count` is a whole number", ""),
        ("steps.b.status", "there is no step `b`", "known steps: a"),
    ] {
        says(&found("", &compared(path, "1")), ["unknown-variable", path, part, help]);
    }
}

#[test]
fn what_a_step_writes_itself_is_not_held_against_input() {
    let step = |set: &str, test: &str| {
        format!(
            "run: Set, config: {{ values: {set} }} }}\n  - {{ id: b, run: SMS, config: {{ to: '112', \
             message: \"{{{{tries}}}} {{{{order.count.best}}}}\" }} }}\n  - {{ id: c, run: Conditional, altNext: end, \
             config: {{ lodashCommand: eq, value: {{ type: get, value: {test} }}, compareTo: {{ type: raw, value: done }} }}"
        )
    };
    let all = "{ tries: 1, order: { status: done, count: { type: get, value: shift } } }";
    assert_eq!(found("", &step(all, "order.status")), []);
    assert_eq!(found("", &step("{ type: get, value: order.more }", "order.status")), []);
    // A typo is one all the same, and so is what is written elsewhere.
    let told: Vec<_> = found("", &step("{ trise: 1, order: { note: done } }", "order.status"))
        .into_iter()
        .map(|(code, at, ..)| (code, at))
        .collect();
    assert_eq!(
        told,
        [
            ("unknown-variable", "tries".to_owned()),
            ("variable-type", "order.count.best".to_owned()),
            ("never-true", "done".to_owned()),
        ]
    );
}

#[test]
fn names_inside_of_blocks_are_held_against_what_those_look_at() {
    for (message, path) in [
        ("{{#with order}}{{cuont}}{{/with}}", "order.cuont"),
        ("{{#each order.lines}}{{skuu}}{{/each}}", "order.lines.*.skuu"),
        ("{{#each order.lines as |line|}}{{line.skuu}}{{/each}}", "order.lines.*.skuu"),
        ("{{#each order.lines}}{{../zoen}}{{/each}}", "zoen"),
        ("{{#each order.lines}}{{sku.length}}{{/each}}", ""),
    ] {
        let found = found("", &texted(message));
        let told: Vec<_> =
            found.iter().map(|(code, _, message, _)| (*code, message.as_str())).collect();
        if path.is_empty() {
            assert_eq!(told, [], "{message}");
            continue;
        }
        assert_eq!(told.len(), 1, "{message}: {told:?}");
        assert!(
            told[0].0 == "unknown-variable" && told[0].1.contains(&format!("`{path}`")),
            "{told:?}"
        );
    }
    for message in [
        "{{#each order.lines}}{{sku}}{{@index}}{{this.sku}}{{../shift}}{{/each}}",
        "{{#each order.tags}}{{this}}{{/each}}{{#with order.more}}{{x}}{{/with}}",
        "{{#each order}}{{anything}}{{/each}}{{#each steps}}{{status}}{{/each}}",
        "{{#each order.lines as |line n|}}{{n}}{{line.sku}}{{/each}}",
    ] {
        assert_eq!(found("", &texted(message)), [], "{message}");
    }
}

#[test]
fn what_a_step_looks_up_with_its_type_is_there() {
    let set = |value: &str| format!("run: Set, config: {{ values: {{ deep: [{value}] }} }}");
    for (step, expected) in [
        (
            set("{ type: get, value: ordr.count }"),
            ["unknown-variable", "ordr.count", "may not be there", "did you mean `order`?"],
        ),
        (
            "run: Start, config: { sequence: b, data: { a: { type: get, value: order.cuont } } }"
                .to_owned(),
            ["unknown-variable", "order.cuont", "`input` has no `cuont`", "did you mean `count`?"],
        ),
        (
            set("{ type: gett, value: order.count }"),
            ["operand", "gett", "written as it stands", "did you mean `get`?"],
        ),
        (
            set("{ type: Get, value: order.count }"),
            ["operand", "Get", "written as it stands", "did you mean `get`?"],
        ),
        (
            set("{ type: get, value: process.idd }"),
            ["unknown-variable", "process.idd", "is never there", "did you mean `id`?"],
        ),
    ] {
        says(&found("", &step), expected);
    }
    for fine in [
        "{ type: card, value: 5 }",
        "{ type: raw, value: x }",
        "{ type: get, value: order.tags.length }",
    ] {
        assert_eq!(found("", &set(fine)), [], "{fine}");
    }
}

#[test]
fn an_event_that_is_waited_for_has_its_data_under_data() {
    let wait = |path: &str| {
        format!(
            "run: WaitForEvent, config: {{ event: ack, where: {{ all: [{{ lodashCommand: eq, value: {{ type: get, value: {path} }}, compareTo: {{ type: raw, value: 2 }} }}] }} }}"
        )
    };
    let level = ["unknown-variable", "event.level", "an event has `type`", "`event.data.level`"];
    says(&found("", &wait("event.level")), level);
    let evnt = ["unknown-variable", "evnt.data.level", "is never there", "did you mean `event`?"];
    says(&found("", &wait("evnt.data.level")), evnt);
    assert_eq!(found("", &wait("event.data.level")), []);
    assert_eq!(found("", &wait("event.type")), []);
}
