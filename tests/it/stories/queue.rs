//! Messages of a queue: what they ask for happens once, and in order.

use rungs::{
    config::{self, Invalid},
    engine::{Engine, TakenIn},
    intake::{Batch, Message, Rules, Verdict, take_in},
};
use serde_json::{Value, json};

use super::{ORDER_ESCALATION, RESTAURANT, RING, phone};
use crate::{databases::Kind, every_database::on_every_database, harness::TestApp};

on_every_database!(
    every_example_of_the_schema_fits_it_and_is_taken_in,
    what_the_schema_refuses_is_wrong,
    bodies_that_are_no_requests_hold_nobody_up,
    moments_at_the_ends_of_time,
    ids_of_any_script_and_of_any_length,
    a_message_of_256_kib_is_taken_in,
    a_start_that_comes_again_after_its_process_was_stopped_starts_nothing,
    two_programs_that_are_given_the_same_messages_take_each_in_once,
    an_event_is_told_once_by_its_own_id_or_by_its_messages,
    what_has_nothing_to_do_is_done,
    messages_of_a_group_are_taken_in_in_their_order,
    a_wrong_message_is_ignored_and_those_behind_it_go_on,
    a_wrong_message_is_left_to_the_dead_letters_and_takes_none_along,
    a_sequence_that_this_program_cannot_read_loses_no_start,
    while_the_database_is_in_trouble_messages_come_again,
    a_message_is_remembered_for_longer_than_it_can_come_again,
);

const SCHEMA: &str = include_str!("../../../docs/queue.schema.json");

fn rules(invalid: Invalid) -> Rules {
    Rules { roesc: config::Roesc::default(), invalid }
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are made where they are given")]
fn message(id: &str, group: &str, body: impl ToString) -> Message {
    let (id, group) = (id.to_owned(), Some(group.to_owned()));
    Message { id, group, body: body.to_string(), receives: 1 }
}

/// The same messages, given once more.
fn again(messages: &[Message]) -> Vec<Message> {
    let again = |one: &Message| Message { receives: one.receives + 1, ..one.clone() };
    messages.iter().map(again).collect()
}

async fn given(engine: &Engine, invalid: Invalid, messages: &[Message]) -> (Vec<Verdict>, TakenIn) {
    let Batch { verdicts, tally, trouble } = take_in(engine, &rules(invalid), messages).await;
    assert!(trouble.is_none(), "{trouble:?}");
    let left = verdicts.iter().filter(|verdict| **verdict != Verdict::Done).count();
    assert_eq!((tally.messages, tally.left), (messages.len(), left));
    (verdicts, tally)
}

/// Takes in messages of which none comes again.
async fn take(app: &TestApp, messages: &[Message]) -> TakenIn {
    let (verdicts, tally) = given(&app.engine, Invalid::Ignore, messages).await;
    assert_eq!(verdicts, vec![Verdict::Done; messages.len()]);
    tally
}

/// Takes in one message, and says in a word what came of it.
async fn word(app: &TestApp, id: &str, body: impl ToString) -> &'static str {
    let tally = take(app, &[message(id, id, body)]).await;
    let words = [
        (tally.started, "started"),
        (tally.stopped, "stopped"),
        (tally.told, "told"),
        (tally.ignored, "ignored"),
        (tally.repeated, "repeated"),
        (tally.invalid, "invalid"),
    ];
    let said: Vec<&str> =
        words.into_iter().filter(|(count, _)| *count == 1).map(|(_, word)| word).collect();
    assert_eq!(said.len(), 1, "{tally:?}");
    said[0]
}

fn start(process_id: &str) -> Value {
    json!({ "type": "start", "process_id": process_id, "sequence": "ring", "data": phone() })
}

fn stop(process_id: &str) -> Value {
    json!({ "type": "stop", "process_id": process_id })
}

/// A request of roesc for one call.
fn call_at(process_id: &str, at: &str) -> String {
    let request = json!({
        "process-id": process_id,
        "action": "start",
        "notifications": [{ "channel": "phone", "at": "AT", "phone-number": RESTAURANT }],
    });
    request.to_string().replace("\"AT\"", at)
}

async fn every_example_of_the_schema_fits_it_and_is_taken_in(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(ORDER_ESCALATION).await;
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let examples = schema["examples"].as_array().unwrap();
    for example in examples {
        assert!(validator.is_valid(example), "{example:#}");
    }
    let messages: Vec<Message> = (0..)
        .zip(examples)
        .map(|(number, example)| message(&format!("m{number}"), "all", example))
        .collect();
    let tally = take(&app, &messages).await;
    assert_eq!((tally.started, tally.told, tally.stopped, tally.invalid), (3, 1, 2, 0));

    app.settle().await;
    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    let stopped = app.process("table-4").await;
    assert_eq!(
        (&stopped["status"], &stopped["reason"]),
        (&json!("stopped"), &json!("somebody came"))
    );
    assert_eq!(stopped["timezone"], "Europe/Zagreb");
    assert_eq!(app.process("order-8").await["status"], "stopped");
    app.finish().await;
}

async fn what_the_schema_refuses_is_wrong(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let steps =
        json!([{ "id": "ring", "run": "Phone", "config": { "to": RESTAURANT, "say": "x" } }]);
    for (number, body) in (0..).zip([
        json!({}),
        json!({ "type": "begin", "process_id": "p" }),
        json!({ "type": 1 }),
        json!({ "type": "start", "process_id": "p" }),
        json!({ "type": "start", "process_id": 7, "sequence": "ring" }),
        json!({ "type": "start", "process_id": "", "sequence": "ring" }),
        json!({ "type": "start", "process_id": "p", "sequence": "ring", "version": "1" }),
        json!({ "type": "start", "process_id": "p", "sequence": "ring", "steps": steps }),
        json!({ "type": "start", "process_id": "p", "sequence": "ring", "timezone": "UTC" }),
        json!({ "type": "start", "process_id": "p", "steps": steps, "version": 1 }),
        json!({ "type": "start", "process_id": "p", "steps": [] }),
        json!({ "type": "start", "process_id": "p", "sequence": "ring", "data": [] }),
        json!({ "type": "start", "process_id": "p", "sequence": "ring", "data": { "steps": 1 } }),
        json!({ "type": "start", "process_id": "p", "sequence": "ring", "dat": {} }),
        json!({ "type": "stop" }),
        json!({ "type": "stop", "process_id": "a\u{7}b" }),
        json!({ "type": "stop", "process_id": "p", "reason": 3 }),
        json!({ "type": "event", "process_id": "p" }),
        json!({ "type": "event", "process_id": "p", "event": "" }),
        json!({ "type": "event", "process_id": "p", "event": "e", "data": 3 }),
        json!({ "type": "event", "process_id": "p", "event": "e", "data": { "events": 3 } }),
        json!({ "process-id": "p" }),
        json!({ "action": "stop" }),
        json!({ "process-id": "p", "action": "start", "notifications": [] }),
        json!({ "process-id": "p", "action": "start", "notifications": [{ "channel": "fax", "at": 1 }] }),
    ]) {
        assert!(!validator.is_valid(&body), "{body}");
        assert_eq!(word(&app, &format!("m{number}"), &body).await, "invalid", "{body}");
    }
    app.finish().await;
}

async fn bodies_that_are_no_requests_hold_nobody_up(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{{\"type\":\"start\",\"data\":{}{}}}", "[".repeat(70), "]".repeat(70));
    let bodies = [
        "",
        " ",
        "hello",
        "{",
        "[]",
        "null",
        "7",
        "\u{0}",
        "\"start\"",
        "<html></html>",
        "{\"type\":\"stop\",\"process_id\":\"p\"} {}",
        "{\"type\":\"stop\",\"process_id\":\"\\ud800\"}",
        &deep,
        &nested,
    ];
    let mut messages: Vec<Message> =
        (0..).zip(bodies).map(|(number, body)| message(&format!("m{number}"), "g", body)).collect();
    messages.push(message("last", "g", start("p")));
    let tally = take(&app, &messages).await;
    assert_eq!((tally.invalid, tally.started), (bodies.len(), 1));

    let unknown = json!({ "type": "start", "process_id": "u", "sequence": "nobody" });
    assert_eq!(word(&app, "unknown", unknown).await, "invalid");
    let fone = json!({ "type": "start", "steps": [{ "id": "a", "run": "Fone", "config": {} }] });
    assert_eq!(word(&app, "fone", fone).await, "invalid");
    app.finish().await;
}

async fn moments_at_the_ends_of_time(kind: Kind) {
    let app = TestApp::on(kind).await;
    for (number, at) in (0..).zip([
        "18446744073709551616",
        "-18446744073709551616",
        "1e400",
        "1e300",
        "-1e30",
        "99999999999999999999",
        "253402300800000",
        "\"1970\"",
        "null",
        "[0]",
        "true",
    ]) {
        let id = format!("m{number}");
        assert_eq!(word(&app, &id, call_at(&id, at)).await, "invalid", "{at}");
    }
    assert_eq!(word(&app, "first", call_at("first", "0")).await, "started");
    assert_eq!(word(&app, "second", call_at("second", "1.5")).await, "started");
    assert_eq!(word(&app, "far", call_at("far", "253402300799")).await, "started");
    assert_eq!(word(&app, "far-too", call_at("far-too", "253402300799000")).await, "started");
    app.settle().await;
    assert_eq!(app.called().len(), 2, "what is past is done at once, and what is far waits");
    for id in ["far", "far-too"] {
        let due_at = app.process(id).await["due_at"].clone();
        assert!(due_at.as_str().unwrap().starts_with("9999-12-31T23:59:59"), "{due_at}");
    }
    app.finish().await;
}

async fn ids_of_any_script_and_of_any_length(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let (long, longest) = ("x".repeat(10_000), "😀".repeat(255));
    for (number, id) in
        (0..).zip(["🍕", "наруџба 7", "a/b?c=d&e", "'; DROP TABLE processes; --", &longest])
    {
        assert_eq!(word(&app, &format!("a{number}"), start(id)).await, "started", "{id}");
        let named = app.engine.store.process(id).await.unwrap().unwrap();
        assert_eq!(named.process_id, id);
        assert_eq!(word(&app, &format!("b{number}"), stop(id)).await, "stopped", "{id}");
    }
    let event = json!({ "type": "event", "process_id": long, "event": "e" });
    for (number, body) in (0..).zip([start(&long), stop(&long), event, start("a\u{0}b")]) {
        assert_eq!(word(&app, &format!("c{number}"), body).await, "invalid");
    }
    assert_eq!(word(&app, "roesc", call_at(&long, "0")).await, "invalid");
    app.finish().await;
}

async fn a_message_of_256_kib_is_taken_in(kind: Kind) {
    const MOST: usize = 256 * 1024;
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let with = |filling: usize| {
        let mut body = start("big");
        body["data"]["note"] = json!("ž".repeat(filling));
        body.to_string()
    };
    let filling = (MOST - with(0).len()) / 2;
    let body = with(filling);
    assert!((MOST - 1..=MOST).contains(&body.len()));
    assert_eq!(word(&app, "big", body).await, "started");
    let event = json!({ "type": "event", "process_id": "big", "event": "e",
                        "data": { "more": "ž".repeat(filling) } });
    assert_eq!(word(&app, "more", event).await, "invalid", "a process has so much data at most");
    assert_eq!(word(&app, "stop", stop("big")).await, "stopped");
    app.finish().await;
}

async fn a_start_that_comes_again_after_its_process_was_stopped_starts_nothing(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let messages = [message("m1", "g", start("p")), message("m2", "g", stop("p"))];
    let tally = take(&app, &messages).await;
    assert_eq!((tally.started, tally.stopped), (1, 1));

    // Whoever took them in ended before the queue heard of it.
    let other = app.another_engine().await;
    let (_, tally) = given(&other, Invalid::Ignore, &again(&messages)).await;
    assert_eq!((tally.repeated, tally.started, tally.stopped), (2, 0, 0));
    app.clock_shows("10:00").await;
    assert!(app.called().is_empty());
    assert_eq!(app.stands("p").await, "stopped at ring");
    app.finish().await;
}

async fn two_programs_that_are_given_the_same_messages_take_each_in_once(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let other = app.another_engine().await;
    let messages: Vec<Message> = (0..40)
        .flat_map(|number| {
            let (id, group) = (format!("p{number}"), format!("g{}", number % 7));
            [
                message(&format!("{id}-start"), &group, start(&id)),
                message(&format!("{id}-stop"), &group, stop(&id)),
                message(&format!("{id}-again"), &group, start(&id)),
            ]
        })
        .collect();
    let twice = again(&messages);
    let (one, two) = tokio::join!(
        given(&app.engine, Invalid::Ignore, &messages),
        given(&other, Invalid::Ignore, &twice),
    );
    let (one, two) = (one.1, two.1);
    assert_eq!(one.started + two.started, 80, "{one:?} {two:?}");
    assert_eq!(one.stopped + two.stopped, 40, "{one:?} {two:?}");
    assert_eq!(one.repeated + two.repeated, 120, "{one:?} {two:?}");
    app.finish().await;
}

async fn an_event_is_told_once_by_its_own_id_or_by_its_messages(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    assert_eq!(word(&app, "start", start("p")).await, "started");
    let event = |id: Option<&str>| {
        let mut event =
            json!({ "type": "event", "process_id": "p", "event": "ping", "data": { "n": 1 } });
        if let Some(id) = id {
            event["id"] = json!(id);
        }
        event
    };
    let mut words = Vec::new();
    for (message, id) in [
        ("m1", None),
        ("m1", None),
        ("m2", None),
        ("m3", Some("e")),
        ("m3", Some("e")),
        ("m4", Some("e")),
        ("m4", Some("e")),
    ] {
        words.push(word(&app, message, event(id)).await);
    }
    assert_eq!(words, ["told", "repeated", "told", "told", "repeated", "ignored", "repeated"]);
    app.settle().await;
    let heard =
        app.history("p").await.iter().filter(|line| line.ends_with("happened ping")).count();
    assert_eq!(heard, 3);
    app.finish().await;
}

async fn what_has_nothing_to_do_is_done(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let event = json!({ "type": "event", "process_id": "p", "event": "ping" });
    let roesc = json!({ "process-id": "p", "action": "stop" });
    let mut words = Vec::new();
    for (number, body) in (0..).zip([
        stop("p"),
        event.clone(),
        roesc,
        start("p"),
        start("p"),
        stop("p"),
        stop("p"),
        event,
    ]) {
        words.push(word(&app, &format!("m{number}"), body).await);
    }
    let expected =
        ["ignored", "ignored", "ignored", "started", "ignored", "stopped", "ignored", "ignored"];
    assert_eq!(words, expected);
    app.finish().await;
}

async fn messages_of_a_group_are_taken_in_in_their_order(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    // Ten restaurants, and what happens at each: it would be another story in another order.
    let messages: Vec<Message> = (0..6)
        .flat_map(|turn| {
            (0..10).map(move |number| {
                let id = format!("p{number}");
                let body = match turn {
                    0 | 2 | 4 => start(&id),
                    1 | 3 => stop(&id),
                    _ => json!({ "type": "event", "process_id": id, "event": "last" }),
                };
                message(&format!("{id}-{turn}"), &id, body)
            })
        })
        .collect();
    let tally = take(&app, &messages).await;
    assert_eq!((tally.started, tally.stopped, tally.told), (30, 20, 10));
    app.settle().await;
    assert_eq!(app.called().len(), 10, "once each: those before were stopped");
    app.finish().await;
}

async fn a_wrong_message_is_ignored_and_those_behind_it_go_on(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let messages = [
        message("m1", "g", start("a")),
        message("m2", "g", "{\"type\":\"stop\""),
        message("m3", "g", stop("a")),
        message("m4", "h", start("b")),
    ];
    let tally = take(&app, &messages).await;
    assert_eq!((tally.started, tally.stopped, tally.invalid), (2, 1, 1));
    // It is told of once, also if it comes again before it is deleted.
    let tally = take(&app, &again(&messages)).await;
    assert_eq!((tally.repeated, tally.invalid), (4, 0));
    app.finish().await;
}

async fn a_wrong_message_is_left_to_the_dead_letters_and_takes_none_along(kind: Kind) {
    use Verdict::{Behind, Done, Invalid as Wrong};
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let messages = [
        message("m1", "g", start("a")),
        message("m2", "g", json!({ "type": "stop", "process_id": "" })),
        message("m3", "g", stop("a")),
        message("m4", "h", start("b")),
        message("m5", "g", start("c")),
    ];
    let (verdicts, tally) = given(&app.engine, Invalid::DeadLetter, &messages).await;
    assert_eq!(verdicts, [Done, Wrong, Behind, Done, Behind]);
    assert_eq!((tally.started, tally.invalid, tally.left), (2, 1, 3));
    assert_eq!(app.process("a").await["status"], "active");

    // Those that were not done come again. Each has been received as often as the wrong one:
    // if they waited once more, the queue would lay them aside with it.
    let left: Vec<Message> = again(&messages[1..3]);
    let left =
        [&left[..], &[message("m5", "g", start("c"))], &[message("m6", "g", stop("c"))]].concat();
    let (verdicts, _) = given(&app.engine, Invalid::DeadLetter, &left).await;
    assert_eq!(verdicts, [Wrong, Done, Behind, Behind], "m5 and m6 come for the first time");
    assert_eq!(app.process("a").await["status"], "stopped");
    let (verdicts, _) = given(&app.engine, Invalid::DeadLetter, &again(&left)).await;
    assert_eq!(verdicts, [Wrong, Done, Done, Done]);
    assert_eq!(app.process("c").await["status"], "stopped");
    app.finish().await;
}

async fn a_sequence_that_this_program_cannot_read_loses_no_start(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    assert_eq!(word(&app, "known", start("b")).await, "started");
    // As one of a newer program looks to an older one, in the course of an upgrade.
    app.sabotage("UPDATE sequences SET source = 'sequence: ring\nsteps: [{ id: a, run: Fax }]'")
        .await;
    let messages = [message("m1", "g", start("a"))];
    let other = app.another_engine().await;
    let (verdicts, tally) = given(&other, Invalid::Ignore, &messages).await;
    assert_eq!((verdicts, tally.invalid), (vec![Verdict::Invalid], 1));
    let (_, tally) = given(&app.engine, Invalid::Ignore, &again(&messages)).await;
    assert_eq!(tally.started, 1, "the program that knows it takes it in");
    app.finish().await;
}

async fn while_the_database_is_in_trouble_messages_come_again(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let messages = [
        message("m1", "g", start("a")),
        message("m2", "g", stop("a")),
        message("m3", "h", start("b")),
        message("m4", "h", "no JSON"),
    ];
    app.alter("ALTER TABLE messages RENAME TO away").await;
    let Batch { verdicts, tally, trouble } =
        take_in(&app.engine, &rules(Invalid::Ignore), &messages).await;
    assert!(trouble.is_some());
    assert!(!verdicts.contains(&Verdict::Done), "{verdicts:?}");
    assert_eq!((tally.started, tally.invalid, tally.left), (0, 0, 4));
    assert!(app.engine.store.process("a").await.unwrap().is_none(), "all of it or nothing");

    app.alter("ALTER TABLE away RENAME TO messages").await;
    let tally = take(&app, &again(&messages)).await;
    assert_eq!((tally.started, tally.stopped, tally.invalid), (2, 1, 1));
    app.finish().await;
}

async fn a_message_is_remembered_for_longer_than_it_can_come_again(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    assert_eq!(word(&app, "m1", start("p")).await, "started");
    let at = app.now();
    for (days, remembered) in [(14, true), (16, false)] {
        app.engine.clock.set(at + chrono::TimeDelta::days(days));
        app.engine.sweep_ended().await.unwrap();
        assert_eq!(app.engine.store.has_taken("m1").await.unwrap(), remembered, "day {days}");
    }
    app.finish().await;
}
