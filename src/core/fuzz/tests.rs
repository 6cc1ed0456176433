//! Planted flaws are found and made small; ladders without one are left in peace.

use rungs_runners::builtin::KINDS;

use super::*;
use crate::check::{self, check};

mod sound;

/// Climbs that a test makes at most.
const RUNS: u64 = 300;

fn base() -> Base {
    Base {
        data: Value::Null,
        fixed: false,
        beside: false,
        timezone: None,
        usual: chrono_tz::Tz::UTC,
    }
}

fn search(source: &str, base: Base) -> Vec<Found> {
    let checked = check(source, KINDS);
    let sequence = checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let written = check::written(source, KINDS).unwrap();
    let mut search = Search::new(&sequence, &written, base, 7);
    let mut found = Vec::new();
    while search.runs() < RUNS {
        found.extend(search.step());
    }
    found
}

/// The lines of a case below `when` and `then`.
fn body(found: &Found) -> Vec<&str> {
    let lines = found.case.lines().skip_while(|line| !line.starts_with("    given:"));
    lines.skip(1).map(str::trim).collect()
}

/// What was found, in short.
fn kinds(found: &[Found]) -> Vec<(&'static str, Option<&str>)> {
    found.iter().map(|one| (one.flaw.as_str(), one.step.as_deref())).collect()
}

const GOAL: &str = "
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: order.status }
      compareTo: { type: raw, value: confirmed }
      otherwise: end
";

fn with_goal(steps: &str) -> String {
    format!("sequence: ladder\nsteps:{steps}{GOAL}")
}

#[test]
fn data_without_a_number_contact_nobody() {
    let ladder = r"
sequence: ladder
input: { type: object, properties: { phone: { type: string } } }
steps:
  - { id: ring, run: Phone, config: { to: '{{phone}}', say: Hello } }
";
    let found = search(ladder, base());
    assert_eq!(kinds(&found), [("nobody", None)]);
    assert_eq!(
        body(&found[0]),
        ["then: # what happens today; write here what should", "- +0s: completed"]
    );
    assert!(
        found[0].case.contains("given: { at: 2026-01-05T09:00, data: {} }"),
        "{}",
        found[0].case
    );
    let required = ladder.replace("properties", "required: [phone], properties");
    assert_eq!(kinds(&search(&required, base())), []);
}

#[test]
fn a_branch_that_passes_by_everybody_is_found_with_the_event_that_takes_it() {
    let ladder = r"
sequence: ladder
steps:
  - { id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }
  - id: open
    run: Conditional
    config:
      not: { lodashCommand: eq, value: { type: get, value: shop }, compareTo: { type: raw, value: closed } }
    altNext: pause
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minute } }
";
    let found = search(ladder, base());
    assert_eq!(kinds(&found), [("nobody", None)]);
    let given = found[0].case.contains("\"shop\":\"closed\"");
    let happened = body(&found[0])[..2] == ["when:", "+0s: shop=closed"];
    assert!(given || happened, "{}", found[0].case);
    // An `end` that the author wrote is meant.
    assert_eq!(kinds(&search(&ladder.replace("altNext: pause", "altNext: end"), base())), []);
}

#[test]
fn a_text_below_the_goal_is_sent_although_somebody_has_confirmed() {
    let ladder = format!(
        "sequence: ladder\nsteps:{}{}{}",
        r"
  - id: ring
    run: Phone
    config: { to: '+385911234567', say: Hello, await: answered }
    altNext: pause
  - { id: settle, run: WaitForDuration, config: { amount: 5, unit: minutes } }
",
        GOAL,
        r"
  - { id: pause, run: WaitForDuration, config: { amount: 2, unit: minutes } }
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
"
    );
    let found = search(&ladder, base());
    assert_eq!(kinds(&found), [("after-goal", Some("text"))]);
    assert_eq!(
        body(&found[0]),
        ["when:", "+60s: order.status=confirmed",]
            .map(|line| line.replace("60s", "1m"))
            .iter()
            .map(String::as_str)
            .chain([
                "then: # what happens today; write here what should",
                "- +0s: ring",
                "- +2m30s: text # after `confirmed` was achieved",
                "- +2m30s: completed",
            ])
            .collect::<Vec<_>>()
    );
    assert!(found[0].holds);
}

#[test]
fn what_follows_a_goal_that_was_reached_is_no_flaw() {
    let thanks = r"
  - { id: thanks, run: SMS, config: { to: '+385911234567', message: Thanks } }
";
    let ladder = with_goal(
        r"
  - { id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }
  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hello, await: answered } }
",
    );
    assert_eq!(kinds(&search(&(ladder + thanks), base())), []);
}

#[test]
fn one_goal_after_another_is_no_flaw() {
    let second = GOAL.replace("confirmed", "delivered").replace("order.status", "courier.status");
    let ladder = format!(
        "sequence: ladder\nsteps:{}{}{}{}",
        r"
  - { id: ring-kitchen, run: Phone, config: { to: '+385911234567', say: Hello, await: answered } }
",
        GOAL.replace("otherwise: end", "otherwise: continue"),
        r"
  - { id: wait, run: WaitForDuration, config: { amount: 3, unit: minutes } }
  - { id: ring-courier, run: Phone, config: { to: '+385911234567', say: Hello, await: answered } }
",
        second
    );
    assert_eq!(kinds(&search(&ladder, base())), []);
}

#[test]
fn a_ladder_that_nothing_stops_is_found_and_one_that_a_goal_stops_is_not() {
    let steps = r"
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minute } }
  - { id: again, run: GoTo, config: { step: text } }
";
    let stopped = with_goal(steps);
    assert_eq!(kinds(&search(&stopped, base())), []);
    // Nobody can be both.
    let never = r"
  - id: confirmed
    run: Goal
    config:
      all:
        - { lodashCommand: eq, value: { type: get, value: a }, compareTo: { type: raw, value: x } }
        - { lodashCommand: eq, value: { type: get, value: a }, compareTo: { type: raw, value: y } }
";
    let found = search(&format!("sequence: ladder\nsteps:{steps}{never}"), base());
    let kinds = kinds(&found);
    assert!(!kinds.is_empty() && kinds.iter().all(|one| one.0 == "endless"), "{kinds:?}");
    assert_eq!(body(&found[0]), ["then: # what should happen, and does not", "- +1d: completed"]);
    assert!(!found[0].holds);
}

#[test]
fn a_wait_for_what_cannot_come_is_found_and_one_for_an_event_is_not() {
    let wait = |second: &str| {
        format!(
            r"
sequence: ladder
steps:
  - {{ id: text, run: SMS, config: {{ to: '+385911234567', message: Hello }} }}
  - id: confirmed
    run: Goal
    config:
      all:
        - {{ lodashCommand: eq, value: {{ type: get, value: a }}, compareTo: {{ type: raw, value: x }} }}
        - {{ lodashCommand: eq, value: {{ type: get, value: {second} }}, compareTo: {{ type: raw, value: y }} }}
"
        )
    };
    assert_eq!(kinds(&search(&wait("b"), base())), []);
    let found = search(&wait("a"), base());
    assert_eq!(kinds(&found), [("endless", Some("confirmed"))]);
    assert_eq!(body(&found[0])[1..], ["- +0s: text", "- +0s: waits at confirmed"]);
}

#[test]
fn an_event_that_is_waited_for_can_come() {
    let ladder = r"
sequence: ladder
steps:
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - id: acknowledged
    run: Goal
    config: { lodashCommand: gte, value: { type: get, value: events.ack.count }, compareTo: { type: raw, value: 1 } }
";
    assert_eq!(kinds(&search(ladder, base())), []);
}

#[test]
fn a_long_ladder_is_not_an_endless_one() {
    let ladder = r"
sequence: ladder
steps:
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minute } }
  - { id: again, run: GoTo, config: { step: text, times: 100000 } }
";
    assert_eq!(kinds(&search(ladder, base())), []);
}

#[test]
fn a_date_that_the_input_does_not_ask_for_fails_the_process() {
    let ladder = r"
sequence: ladder
input: { type: object, required: [phone], properties: { phone: { type: string }, at: { type: string } } }
steps:
  - { id: ring, run: Phone, config: { to: '{{phone}}', say: Hello } }
  - { id: later, run: WaitForDate, config: { date: '{{at}}' } }
";
    let found = search(ladder, base());
    assert_eq!(kinds(&found), [("fails", Some("later"))]);
    assert!(
        found[0].says.starts_with("it fails: step `later`: date: \"\" is no date"),
        "{}",
        found[0].says
    );
    assert!(found[0].case.contains(r#"data: {"phone":"+385911234567"}"#), "{}", found[0].case);
}

#[test]
fn a_step_may_fail_its_process_if_it_says_so() {
    let ladder = with_goal(
        r"
  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hello, await: answered }, onFailure: fail }
",
    );
    assert_eq!(kinds(&search(&ladder, base())), []);
}

#[test]
fn the_shipped_ladders_are_clean_with_their_data() {
    for (sequence, data) in [
        (
            include_str!("../../../sequences/order-escalation.yml"),
            include_str!("../../../sequences/order-escalation.data.json"),
        ),
        (
            include_str!("../../../sequences/on-call.yml"),
            include_str!("../../../sequences/on-call.data.json"),
        ),
        (
            include_str!("../../../sequences/appointment-reminder.yml"),
            include_str!("../../../sequences/appointment-reminder.data.json"),
        ),
        (
            include_str!("../../../sequences/invoice-dunning.yml"),
            include_str!("../../../sequences/invoice-dunning.data.json"),
        ),
        (
            include_str!("../../../sequences/lead-follow-up.yml"),
            include_str!("../../../sequences/lead-follow-up.data.json"),
        ),
    ] {
        let data = serde_json::from_str(data).unwrap();
        let found = search(sequence, Base { data, fixed: true, beside: true, ..base() });
        assert_eq!(kinds(&found), [], "{found:#?}");
    }
}

#[test]
fn the_same_seed_finds_the_same() {
    let ladder = with_goal(
        r"
  - { id: ring, run: Phone, config: { to: '{{phone}}', say: Hello, await: answered }, altNext: pause }
  - { id: settle, run: WaitForDuration, config: { amount: 5, unit: minutes } }
",
    ) + r"
  - { id: pause, run: WaitForDate, config: { date: '{{at}}' } }
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
";
    let once = search(&ladder, base());
    assert!(!once.is_empty());
    assert_eq!(once, search(&ladder, base()));
}

#[test]
fn odd_names_and_values_make_cases_that_can_be_read() {
    let ladder = r#"
sequence: ladder
steps:
  - { id: pause, run: WaitForDuration, config: { amount: 2, unit: minutes } }
  - id: odd
    run: Conditional
    config:
      not: { lodashCommand: eq, value: { type: get, value: note }, compareTo: { type: raw, value: "a: b # 'c' \"d\" = 1" } }
    altNext: last
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - { id: last, run: WaitForDuration, config: { amount: 2, unit: minutes } }
"#;
    assert_eq!(kinds(&search(ladder, base())), [("nobody", None)]);
}

#[test]
fn a_ladder_that_goes_on_for_ever_after_its_goal_is_told_as_it_should_be() {
    let ladder = format!(
        "sequence: ladder\nsteps:{}{}{}",
        r"
  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hello, await: answered }, altNext: pause }
",
        GOAL,
        r"
  - { id: pause, run: WaitForDuration, config: { amount: 2, unit: minutes } }
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - { id: again, run: GoTo, config: { step: pause } }
"
    );
    let found = search(&ladder, base());
    assert_eq!(kinds(&found)[..2], [("endless", Some("again")), ("after-goal", Some("text"))]);
    assert_eq!(
        body(&found[1]),
        [
            "when:",
            "+1m: order.status=confirmed",
            "then: # what should happen, and does not",
            "- +0s: ring",
            "- +1m: completed",
        ]
    );
}

#[test]
fn the_data_of_an_event_are_drawn_and_told_with_it() {
    // As a step writes it that waits for an event.
    let source = r"
sequence: ladder
steps:
  - id: acknowledged
    run: Goal
    config:
      event: ack
      where: { lodashCommand: eq, value: { type: get, value: event.data.level }, compareTo: { type: raw, value: 2 } }
";
    let ladder =
        with_goal("\n  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }");
    let sequence = check(&ladder, KINDS).sequence.unwrap();
    let mut search = Search::new(&sequence, &check::written(source, KINDS).unwrap(), base(), 7);
    assert_eq!(search.mentions.events, ["ack"]);
    let near = [2, 3, 1].map(|level| ("level".to_owned(), Value::from(level)));
    assert_eq!(search.mentions.event_values, near);
    let drawn = (0..100).filter_map(|_| search.happening(60, &[], &json!({})));
    assert!(drawn.into_iter().any(|one| one.data["level"] == 2 && one.r#type == "ack"));
}

#[test]
fn a_request_to_a_server_or_a_process_contacts_nobody() {
    let acts = "
  - { id: hook, run: Webhook, config: { url: 'https://hooks.example.com/a' } }
  - { id: stop, run: Stop, config: { process_id: order-6 } }";
    // Told below the goal, as servers are: nobody hears of it.
    let ladder = with_goal(&format!("{TEXT}{acts}"));
    assert_eq!(kinds(&search(&ladder, base())), []);
    let below = format!("sequence: ladder\nsteps:{TEXT}{GOAL}{acts}");
    assert_eq!(kinds(&search(&below.replace("otherwise: end", "otherwise: continue"), base())), []);
    // Where the text is passed by, nobody has heard of anything.
    let by = "
  - id: large
    run: Conditional
    config: { lodashCommand: eq, value: { type: get, value: large }, compareTo: { type: raw, value: true } }
    altNext: hook";
    let ladder = format!("sequence: ladder\nsteps:{by}{TEXT}{acts}");
    assert_eq!(kinds(&search(&ladder, base())), [("nobody", None)]);
}

const TEXT: &str = "
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }";

#[test]
fn an_event_may_have_to_speak_of_what_the_process_is_about() {
    for (value, compare_to) in [("event.data.id", "order.id"), ("order.id", "event.data.id")] {
        let ladder = format!(
            "sequence: ladder
input: {{ type: object, required: [order], properties: {{ order: {{ type: object, required: [id], properties: {{ id: {{ type: string }} }} }} }} }}
steps:{TEXT}
  - id: acked
    run: WaitForEvent
    config:
      event: order.acked
      where: {{ lodashCommand: eq, value: {{ type: get, value: {value} }}, compareTo: {{ type: get, value: {compare_to} }} }}
"
        );
        assert_eq!(kinds(&search(&ladder, base())), [], "{value}");
    }
}

#[test]
fn a_search_whose_time_is_over_begins_nothing_more() {
    let ladder = "
sequence: ladder
steps:
  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hello, await: answered } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minutes } }
  - { id: again, run: GoTo, config: { step: ring } }
";
    let sequence = check(ladder, KINDS).sequence.unwrap();
    let written = check::written(ladder, KINDS).unwrap();
    let mut search = Search::new(&sequence, &written, base(), 7);
    search.until(|| true);
    assert_eq!(search.step(), None, "there is no time to know that nothing ends it");
    assert_eq!(search.runs(), 1);
    search.until(|| false);
    assert_eq!(search.step().map(|found| found.flaw), Some(Flaw::Endless));
}

#[test]
fn lists_of_lists_are_drawn_within_bounds() {
    let list = |items: &str| format!("{{ type: array, minItems: 10, items: {items} }}");
    let deep = (0..7).fold("{ type: string }".to_owned(), |items, _| list(&items));
    let ladder = format!(
        "sequence: ladder
input: {{ type: object, required: [all], properties: {{ all: {deep} }} }}
steps:
  - {{ id: text, run: SMS, config: {{ to: '+385911234567', message: Hello }} }}
"
    );
    // Ten million of them would be needed, so no data fit.
    let sequence = check(&ladder, KINDS).sequence.unwrap();
    let written = check::written(&ladder, KINDS).unwrap();
    let mut search = Search::new(&sequence, &written, base(), 1);
    assert_eq!(search.step(), None);
    assert_eq!(search.unfit(), 1);
}

#[test]
fn an_endless_loop_behind_a_long_one_is_found() {
    let ladder = "
sequence: ladder
steps:
  - { id: text, run: SMS, config: { to: '+385911234567', message: Hello } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minutes } }
  - { id: again, run: GoTo, config: { step: text, times: 300 } }
  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hello } }
  - { id: nap, run: WaitForDuration, config: { amount: 1, unit: minutes } }
  - { id: more, run: GoTo, config: { step: ring } }
";
    let found = search(ladder, base());
    assert!(found.iter().any(|one| one.flaw == Flaw::Endless), "{:?}", kinds(&found));
}
