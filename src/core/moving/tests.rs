//! Processes that go over to another version, told as incidents.

use chrono::TimeDelta;
use rungs_runners::{DeliveryStatus, DeliveryView, builtin::KINDS};
use serde_json::json;

use super::*;
use crate::{Advanced, News, Start, advance, check};

const CALL: &str = "{ to: '+385911234567', say: Hello, await: answered }";

fn sequence(head: &str, steps: &[String]) -> Sequence {
    let source = format!("sequence: ladder\n{head}\nsteps:\n  - {}\n", steps.join("\n  - "));
    let checked = check(&source, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn wait(id: &str, minutes: u32) -> String {
    format!("{{ id: {id}, run: WaitForDuration, config: {{ amount: {minutes}, unit: minutes }} }}")
}

fn phone(id: &str) -> String {
    format!("{{ id: {id}, run: Phone, config: {CALL} }}")
}

fn nine() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn minute(minute: i64) -> DateTime<Utc> {
    nine() + TimeDelta::minutes(minute)
}

fn begun(sequence: &Sequence) -> Advanced {
    let new = Start {
        key: "01900000-0000-7000-8000-000000000001".into(),
        process_id: "order-7".into(),
        version: 1,
        data: json!({ "order": { "count": 2 } }),
        default_timezone: chrono_tz::UTC,
        now: nine(),
    };
    advance(sequence, start::start(sequence, new).unwrap(), vec![], nine())
}

fn over(from: &Sequence, to: &Sequence, process: Process) -> Result<Moved, Stranded> {
    Versions { from: Some(from), to }.move_over(process, 2, false, minute(4))
}

fn heard(process: &Process, status: DeliveryStatus) -> Vec<News> {
    let open = process.state.delivery.clone().unwrap();
    vec![News::Delivery(DeliveryView { status, ..open })]
}

#[test]
fn a_wait_goes_on_counting_and_one_that_is_shorter_now_is_over() {
    let old = sequence("", &[wait("grace", 30), phone("ring")]);
    let new = sequence("", &[wait("grace", 5), phone("ring")]);
    let moved = over(&old, &new, begun(&old).process).unwrap();
    assert_eq!(moved.process.due_at, Some(minute(4)), "it looks around at once");
    assert_eq!(
        moved.entry,
        Entry::Moved { from: 1, to: 2, step_from: "grace".into(), step: "grace".into() }
    );
    let looked = advance(&new, moved.process, vec![], minute(4));
    assert_eq!(looked.process.due_at, Some(minute(5)), "five minutes from its start");
}

#[test]
fn a_call_that_is_under_way_is_not_made_again_whatever_its_step_is_called() {
    let old = sequence("", &[phone("ring"), wait("settle", 5)]);
    let new = sequence("moved: { ring: call }", &[phone("call"), wait("settle", 5)]);
    let ringing = begun(&old);
    let id = ringing.deliveries[0].id.clone();
    let moved = over(&old, &new, ringing.process).unwrap();
    assert_eq!(moved.renamed, [("ring".to_owned(), "call".to_owned())]);

    let looked = advance(&new, moved.process, vec![], minute(4));
    assert!(looked.deliveries.is_empty() && looked.withdrawn.is_empty(), "{looked:#?}");
    assert_eq!(looked.process.cursor.as_deref(), Some("call"));
    assert_eq!(looked.process.state.stays("call"), 1);

    let news = heard(&looked.process, DeliveryStatus::Answered);
    let answered = advance(&new, looked.process, news, minute(5));
    assert_eq!(answered.process.cursor.as_deref(), Some("settle"));
    assert_eq!(answered.process.state.steps["call"]["status"], "answered");
    assert_eq!(answered.process.state.steps["call"]["delivery"], id);
    assert!(answered.process.state.steps.get("ring").is_none());
}

#[test]
fn how_often_it_has_come_to_a_step_is_not_forgotten_with_the_name() {
    let again = |id: &str, to: &str, times: u32| {
        format!("{{ id: {id}, run: GoTo, config: {{ step: {to}, times: {times} }} }}")
    };
    let old = sequence("", &[wait("nap", 1), again("again", "nap", 3)]);
    let new = sequence(
        "moved: { nap: rest, again: repeat }",
        &[wait("rest", 1), again("repeat", "rest", 3)],
    );
    let mut process = begun(&old).process;
    for at in 1..=2 {
        process = advance(&old, process, vec![], minute(at)).process;
    }
    let mut process = over(&old, &new, process).unwrap().process;
    let mut rounds = 2;
    while process.status.is_live() {
        let at = process.due_at.unwrap();
        process = advance(&new, process, vec![], at).process;
        rounds += 1;
    }
    assert_eq!(process.state.stays("rest"), 4, "once, and three times again; {rounds} cycles");
}

#[test]
fn a_step_that_is_gone_strands_whoever_stands_at_it() {
    let old = sequence("", &[wait("grace", 30), phone("ring")]);
    let new = sequence("", &[wait("pause", 30), phone("ring")]);
    let process = begun(&old).process;
    let stranded = over(&old, &new, process.clone()).unwrap_err();
    assert_eq!(stranded, Stranded::Gone { step: "grace".into() });
    let mapped = sequence("moved: { grace: pause }", &[wait("pause", 30), phone("ring")]);
    assert!(over(&old, &mapped, process).is_ok());
}

#[test]
fn a_step_that_runs_another_runner_knows_nothing_of_a_call_under_way() {
    let text = "{ id: ring, run: SMS, config: { to: '+385911234567', message: Hi } }".to_owned();
    let old = sequence("", &[wait("grace", 3), phone("ring")]);
    let new = sequence("", &[wait("grace", 3), text]);
    let versions = Versions { from: Some(&old), to: &new };
    assert_eq!(versions.stranded("ring", true).map(|why| why.code()), Some("under-way"));
    assert_eq!(versions.stranded("ring", false), None);
    assert_eq!(versions.stranded("grace", false), None);
    let waiting = begun(&old).process;
    assert!(over(&old, &new, waiting.clone()).is_ok());

    let ringing = advance(&old, waiting, vec![], minute(3)).process;
    let stranded = over(&old, &new, ringing.clone()).unwrap_err();
    assert!(stranded.to_string().contains("`ring` runs SMS now"), "{stranded}");
    // Of a version that cannot be read nobody knows what is under way.
    let versions = Versions { from: None, to: &new };
    assert!(versions.move_over(ringing, 2, false, minute(4)).is_err());
}

#[test]
fn an_id_is_never_given_twice_though_a_step_takes_the_name_that_another_bore() {
    let ids = |advanced: &Advanced| -> Vec<String> {
        advanced.deliveries.iter().map(|it| it.id.clone()).collect()
    };
    let one = sequence("", &[phone("a"), wait("z", 9)]);
    let two = sequence("moved: { a: b }", &[phone("b"), wait("z", 9)]);
    // A new step under the old name, behind the wait.
    let three = sequence("", &[phone("b"), wait("z", 9), phone("a")]);
    let first = begun(&one);
    let moved = over(&one, &two, first.process.clone()).unwrap().process;
    let news = heard(&moved, DeliveryStatus::Answered);
    let waiting = advance(&two, moved, news, minute(5)).process;
    let moved = Versions { from: Some(&two), to: &three }.move_over(waiting, 3, false, minute(6));
    let last = advance(&three, moved.unwrap().process, vec![], minute(20));
    assert_eq!((ids(&first).len(), ids(&last).len()), (1, 1));
    assert_ne!(ids(&first), ids(&last), "both are the first stay at a step `a`");
}

#[test]
fn two_steps_that_become_one_are_counted_together() {
    let old = sequence("", &[wait("one", 1), wait("two", 60), phone("ring")]);
    let new = sequence("moved: { one: two }", &[wait("two", 60), phone("ring")]);
    let process = advance(&old, begun(&old).process, vec![], minute(1)).process;
    let moved = over(&old, &new, process).unwrap().process;
    assert_eq!(moved.state.steps["two"], json!({ "visits": 2 }));
    assert_eq!(moved.state.steps.as_object().unwrap().len(), 1);
}

#[test]
fn data_that_does_not_fit_the_new_input_is_said_and_defaults_are_filled_in() {
    let input = |required: &str| {
        format!(
            "input: {{ type: object, required: [{required}], properties: {{ order: {{ type: \
             object }}, city: {{ type: string, default: Zagreb }} }} }}"
        )
    };
    let old = sequence("", &[wait("grace", 30)]);
    let fine = sequence(&input("order"), &[wait("grace", 30)]);
    let moved = over(&old, &fine, begun(&old).process).unwrap();
    assert!(moved.data_changed);
    assert_eq!(moved.process.data["city"], "Zagreb");
    // What it does not say at all is not asked for again.
    let again = over(&fine, &fine, Process { data: Map::new(), ..moved.process }).unwrap();
    assert!(!again.data_changed);

    let strict = sequence(&input("phone"), &[wait("grace", 30)]);
    let stranded = over(&old, &strict, begun(&old).process).unwrap_err();
    assert!(stranded.to_string().contains("\"phone\" is a required property"), "{stranded}");
    let versions = Versions { from: Some(&old), to: &strict };
    assert!(versions.move_over(begun(&old).process, 2, true, minute(4)).is_ok(), "it is wished so");
}

#[test]
fn a_process_keeps_its_zone_unless_the_new_version_gives_another() {
    let zone = |zone: &str| sequence(&format!("timezone: {zone}"), &[wait("grace", 30)]);
    let [zagreb, tokyo] = [zone("Europe/Zagreb"), zone("Asia/Tokyo")];
    let mut process = begun(&zagreb).process;
    let moved = over(&zagreb, &tokyo, process.clone()).unwrap();
    assert_eq!(moved.process.timezone, chrono_tz::Asia::Tokyo);
    // Somebody gave it another when it started.
    process.timezone = chrono_tz::Europe::Lisbon;
    let moved = over(&zagreb, &zagreb, process).unwrap();
    assert_eq!(moved.process.timezone, chrono_tz::Europe::Lisbon);
}

#[test]
fn what_a_wait_has_heard_counts_while_it_asks_for_the_same() {
    let asks = |event: &str, more: &str| {
        let listens = format!(
            "{{ id: ack, run: WaitForEvent, config: {{ event: {event}, timeout: 1 hour{more} }} }}"
        );
        sequence("", &[wait("grace", 30), listens])
    };
    let old = asks("seen", "");
    let event = crate::Event { r#type: "seen".into(), data: Value::Null, at: minute(1) };
    let told = advance(&old, begun(&old).process, vec![News::Event(event)], minute(1)).process;
    assert!(told.state.heard.contains_key("ack"));
    let after = |new: &Sequence| {
        let moved = over(&old, new, told.clone()).unwrap().process;
        advance(new, advance(new, moved, vec![], minute(30)).process, vec![], minute(31)).process
    };
    assert_eq!(after(&asks("seen", ", fresh: false")).status, crate::Status::Completed);
    for other in [
        asks("acked", ""),
        asks(
            "seen",
            ", where: { lodashCommand: eq, value: { type: get, value: event.data.level }, compareTo: { type: raw, value: 2 } }",
        ),
    ] {
        let waits = after(&other);
        assert_eq!((waits.status, waits.cursor.as_deref()), (crate::Status::Active, Some("ack")));
    }
}
