//! Everything that an endpoint can do wrong: each holds its own processes back, and is asked again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CREDIT, ONE_WAY, about, app, ids};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::endpoint::{FakeEndpoint, Mood},
};

on_every_database!(
    an_entry_that_is_wrong_holds_back_its_own_process_and_no_other,
    whatever_comes_in_the_place_of_an_answer_it_is_asked_again,
    an_endpoint_may_ask_for_a_pause,
    an_endpoint_that_is_down_for_a_day_is_asked_until_it_is_back,
    a_step_that_limits_its_attempts_goes_the_other_way_or_fails,
);

async fn an_entry_that_is_wrong_holds_back_its_own_process_and_no_other(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    fake.next(Mood::Spoiled(|mut answers| {
        let second = answers[1].clone();
        answers.push(second);
        answers[2]["id"] = json!("nobody");
        answers[3]["action"] = json!("stop");
        answers[4]["data"] = json!({ "process": "reserved" });
        answers.remove(0);
        json!(answers)
    }));
    app.publish(CREDIT).await;
    for number in 0..8 {
        app.start_process("credit", &format!("c{number}"), about()).await;
    }
    app.settle().await;

    let first = fake.requests().remove(0);
    let order = first.each("process");
    let (held, free) = order.split_at(5);
    let reasons = [
        "leaves it out, and speaks of 1 it was not asked about",
        "speaks of it 2 times",
        "leaves it out, and speaks of 1 it was not asked about",
        r#"its `action` is "stop"; expected "next", "noop" or "altNext""#,
        "its `data` has `process`, which is a reserved name",
    ];
    for (process, reason) in held.iter().zip(reasons) {
        assert_eq!(app.stands(process).await, "active at check");
        let delivery = app.visit(process).await;
        assert_eq!(delivery["status"], "pending");
        assert!(delivery["error"].as_str().unwrap().contains(reason), "{delivery:#}");
    }
    for process in free {
        assert_eq!(app.stands(process).await, "completed at granted");
    }
    app.after(15).await;
    let again: BTreeSet<String> = ids(&fake).drain(8..).collect();
    let held_ids: BTreeSet<String> =
        first.each("id")[..5].iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(again, held_ids);
    for process in held {
        assert_eq!(app.stands(process).await, "completed at granted");
    }
    app.finish().await;
}

async fn whatever_comes_in_the_place_of_an_answer_it_is_asked_again(kind: Kind) {
    let moods = [
        (Mood::Status(500), "HTTP 500"),
        (Mood::Status(401), "HTTP 401"),
        (Mood::Status(204), "the answer is empty"),
        (Mood::Redirect, "HTTP 307 Temporary Redirect: a redirect is not followed"),
        (Mood::Text("<!doctype html><p>Hello"), "the answer is HTML"),
        (Mood::Text("fine"), "the answer is no JSON"),
        (Mood::Megabytes(10), "the answer is longer than 4194304 bytes"),
        (Mood::HangUp, "body"),
        (Mood::Spoiled(|answers| json!({ "runners": answers })), "the answer is JSON, but no list"),
    ];
    tried_again(kind, &json!({}), &moods).await;
    // Only who says nothing at all is not waited for long.
    let silent = [(Mood::Silent, "no answer within 0.3 s")];
    tried_again(kind, &json!({ "timeout": 0.3 }), &silent).await;
}

/// In each of these moods the endpoint is asked again, and then answers.
async fn tried_again(kind: Kind, config: &Value, moods: &[(Mood, &str)]) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, config).await;
    app.publish(CREDIT).await;
    for (number, (mood, reason)) in moods.iter().enumerate() {
        let process = format!("c{number}");
        fake.next(mood.clone());
        app.start_process("credit", &process, about()).await;
        app.settle().await;
        let delivery = app.visit(&process).await;
        assert_eq!(delivery["status"], "pending", "{mood:?}: {delivery:#}");
        let error = delivery["error"].as_str().unwrap();
        assert!(error.contains(reason) && !error.contains("hush"), "{mood:?}: {error}");
        app.after(15).await;
        assert_eq!(app.stands(&process).await, "completed at granted", "{mood:?}");
        let asked = fake.asked();
        let [first, second] = &asked[asked.len() - 2..] else { panic!("{asked:#?}") };
        assert_eq!(first["id"], second["id"], "{mood:?}");
        assert_eq!((&first["attempt"], &second["attempt"]), (&1.into(), &2.into()));
    }
    let metrics = app.http.get(format!("{}/metrics", app.url)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let count = moods.len();
    let trouble = format!(r#"rungs_attempts_total{{channel="Credit",outcome="trouble"}} {count}"#);
    assert!(metrics.contains(&trouble), "{metrics}");
    app.finish().await;
}

async fn an_endpoint_may_ask_for_a_pause(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    fake.next(Mood::Busy(429, "600"));
    app.climb(CREDIT, "c1", about()).await;
    app.clock_shows("09:09:59").await;
    assert_eq!(fake.requests().len(), 1);
    app.clock_shows("09:10").await;
    assert_eq!(app.stands("c1").await, "completed at granted");
    app.finish().await;
}

async fn an_endpoint_that_is_down_for_a_day_is_asked_until_it_is_back(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    fake.always(Some(Mood::Status(503)));
    app.climb(CREDIT, "c1", about()).await;
    app.after(24 * 3600).await;
    let delivery = app.visit("c1").await;
    assert_eq!(delivery["error"], "HTTP 503 Service Unavailable", "{delivery:#}");
    let attempts = delivery["attempts"].as_i64().unwrap();
    assert!((200..400).contains(&attempts), "{attempts}: five minutes apart, after a while");
    assert_eq!(app.stands("c1").await, "active at check", "without an answer there is no next");

    fake.always(None);
    app.after(400).await;
    assert_eq!(app.stands("c1").await, "completed at granted");
    app.finish().await;
}

async fn a_step_that_limits_its_attempts_goes_the_other_way_or_fails(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    fake.always(Some(Mood::Status(503)));
    app.climb(ONE_WAY, "c1", about()).await;
    let other_way = CREDIT.replace("    altNext", "    retry: { attempts: 1 }\n    altNext");
    app.climb(&other_way, "c2", about()).await;
    app.after(10).await;

    assert_eq!(app.stands("c2").await, "active at refused");
    let process = app.process("c1").await;
    assert_eq!(process["status"], "failed", "there is no other way, and `next` was not answered");
    let reason = process["reason"].as_str().unwrap();
    assert!(reason.contains("gave up after attempt 2: HTTP 503"), "{reason}");
    fake.always(None);
    assert_eq!(app.post("/v1/processes/c1/resume", &json!({})).await.0, 200);
    app.settle().await;
    assert_eq!(app.stands("c1").await, "completed at check");
    app.finish().await;
}
