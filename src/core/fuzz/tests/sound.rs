//! Ladders that are sound, whatever it is that they wait for or are given.

use super::{base, kinds, search};

#[test]
fn what_may_come_true_is_no_end_whatever_it_is_that_has_to_come() {
    let goal = |condition: &str| {
        format!(
            "
sequence: ladder
steps:
  - {{ id: ring, run: Phone, config: {{ to: '+385911234567', say: Hi }} }}
  - {{ id: done, run: Goal, config: {{ {condition} }} }}
"
        )
    };
    let get = |path: &str| format!("{{ type: get, value: {path} }}");
    let status = get("order.status");
    for condition in [
        format!("lodashCommand: includes, value: {{ type: raw, value: [a, b] }}, compareTo: {status}"),
        format!("lodashCommand: lt, value: {}, compareTo: {{ type: raw, value: -17.5 }}", get("x.y")),
        format!("lodashCommand: gt, value: {}, compareTo: {}", get("a"), get("b")),
        format!("lodashCommand: eq, value: {}, compareTo: {{ type: raw, value: x }}", get("'items[0].s'")),
        format!("lodashCommand: gte, value: {}, compareTo: {{ type: raw, value: 4 }}", get("events.ack.count")),
        format!("lodashCommand: eq, value: {}, compareTo: {{ type: raw, value: 2 }}", get("events.ack.data.level")),
        "lodashCommand: eq, value: { type: jsonpath, value: '$..status' }, compareTo: { type: raw, value: done }".to_owned(),
        format!("lodashCommand: eq, value: {status}, compareTo: {{ type: raw, value: '{{{{wanted}}}}!' }}"),
    ] {
        assert_eq!(kinds(&search(&goal(&condition), base())), [], "{condition}");
    }
    let never = "lodashCommand: eq, value: { type: get, value: process.sequence }, compareTo: { type: raw, value: x }";
    assert_eq!(kinds(&search(&goal(never), base())), [("endless", Some("done"))]);
}

#[test]
fn a_provider_that_falls_silent_is_no_end() {
    let ladder = "
sequence: ladder
steps:
  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hi, await: answered } }
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hi, await: delivered } }
  - { id: hook, run: Webhook, config: { url: 'https://example.com/', await: answered } }
";
    assert_eq!(kinds(&search(ladder, base())), []);
}

#[test]
fn what_the_input_allows_is_drawn_as_it_allows_it() {
    let ladder = "
sequence: ladder
input:
  required: [slot, grace, vip]
  properties:
    slot: { type: string, format: date-time }
    grace: { type: integer, minimum: 5 }
    vip: { type: boolean }
steps:
  - { id: wait, run: WaitForDate, config: { date: '{{slot}}' } }
  - { id: grace, run: WaitForDuration, config: { amount: '{{grace}}', unit: minutes } }
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hi } }
  - { id: more, run: WaitForDuration, config: { amount: '{{#if vip}}soon{{else}}5{{/if}}', unit: minutes } }
";
    assert_eq!(kinds(&search(ladder, base())), [("fails", Some("more"))]);
}
