//! Somebody asks why: the answer over HTTP, and on the command line.

use std::process::Command;

use serde_json::{Value, json};

use super::{ORDER_ESCALATION, RESTAURANT, RING, phone};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::twilio::Mood,
    harness::{Setup, TestApp},
};

on_every_database!(
    a_kitchen_that_is_let_ring_is_explained_and_then_it_happens,
    an_order_that_is_confirmed_is_told_before_the_next_cycle,
    a_provider_in_trouble_is_named,
    a_failed_process_says_why_and_that_a_resume_would_fail_again,
    a_version_that_is_not_there_any_more_is_said,
    an_unknown_process_is_a_problem,
    the_command_line_says_the_same,
);

async fn explain(app: &TestApp, process_id: &str) -> Value {
    app.get(&format!("/v1/processes/{process_id}/explain")).await
}

fn order() -> Value {
    json!({
        "restaurant": { "name": "Galija", "phone": RESTAURANT, "manager": "+385917654321" },
        "order": { "count": 2, "status": "new" },
    })
}

/// Whether one of the sentences is this one.
fn says(explanation: &Value, sentence: &str) {
    let sentences = explanation["sentences"].as_array().unwrap();
    assert!(sentences.iter().any(|one| one == sentence), "no {sentence:?} in {sentences:#?}");
}

async fn a_kitchen_that_is_let_ring_is_explained_and_then_it_happens(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ORDER_ESCALATION, "order-7", order()).await;
    app.clock_shows("09:01").await;

    let told = explain(&app, "order-7").await;
    says(
        &told,
        "order-7 is active at `grace` (WaitForDuration). It came there at 2026-11-23 10:00 CET, 1 minute ago.",
    );
    says(&told, "`grace` waits until 2026-11-23 10:03 CET.");
    says(
        &told,
        r#"The goal `confirmed` lies ahead and is not achieved: order.status is "new", wants eq "confirmed"."#,
    );
    assert_eq!(told["looked_at"]["at"]["at"], "2026-11-23T09:03:00.000Z");
    assert_eq!(told["ahead"]["next"][0]["says"], format!("sends a call to {RESTAURANT}"));

    app.clock_shows("09:03").await;
    assert_eq!(app.called(), [RESTAURANT], "as it was foretold");
    app.finish().await;
}

async fn an_order_that_is_confirmed_is_told_before_the_next_cycle(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ORDER_ESCALATION, "order-7", order()).await;
    app.event("order-7", "order.status", json!({ "order": { "status": "confirmed" } })).await;

    let told = explain(&app, "order-7").await;
    assert_eq!(told["goals"][0]["achieved"], true);
    assert_eq!(told["ahead"]["end"], "completed");
    app.settle().await;
    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    says(&explain(&app, "order-7").await, "It has ended, and is never looked at again.");
    app.finish().await;
}

async fn a_provider_in_trouble_is_named(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::Unavailable);
    app.climb(RING, "r1", phone()).await;

    let told = explain(&app, "r1").await;
    let contact = &told["contacts"][0];
    assert_eq!((&contact["status"], &contact["reached"]), (&json!("pending"), &Value::Null));
    let sentence = contact["says"].as_str().unwrap();
    assert!(
        sentence.contains("is tried again at") && sentence.contains("after attempt 1 of 5 failed"),
        "{sentence}"
    );
    assert!(told["held"]["says"].as_str().unwrap().contains("waits for its call to be answered"));
    app.finish().await;
}

async fn a_failed_process_says_why_and_that_a_resume_would_fail_again(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml =
        "sequence: visit\nsteps:\n  - { id: wait, run: WaitForDate, config: { date: '{{at}}' } }\n";
    app.climb(yaml, "v1", json!({ "at": "soon" })).await;

    let told = explain(&app, "v1").await;
    assert!(told["stands"]["reason"].as_str().unwrap().contains("\"soon\" is no date"), "{told:#}");
    assert_eq!(
        (&told["ahead"]["after_resume"], &told["ahead"]["end"]),
        (&json!(true), &json!("failed"))
    );
    app.finish().await;
}

async fn a_version_that_is_not_there_any_more_is_said(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.start_process("ring", "r1", phone()).await;
    app.sabotage("UPDATE processes SET version = 9").await;

    let told = explain(&app, "r1").await;
    says(&told, "Version 9 of `ring` is not in the database.");
    says(&told, "When it is looked at next, it fails with that.");
    app.settle().await;
    assert_eq!(app.stands("r1").await, "failed at ring");
    app.finish().await;
}

async fn an_unknown_process_is_a_problem(kind: Kind) {
    let app = Setup::on(kind).start().await;
    let url = format!("{}/v1/processes/nobody/explain", app.url);
    let response = app.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    app.finish().await;
}

async fn the_command_line_says_the_same(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ORDER_ESCALATION, "order-7", order()).await;
    let said = |args: &'static [&'static str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rungs"));
        command.args(args).env_clear().env("RUNGS_DATABASE_URL", app.database_url());
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let text = said(&["explain", "order-7"]).await.unwrap();
    assert!(text.status.success(), "{text:?}");
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("order-7 is active at `grace` (WaitForDuration)."), "{text}");
    assert!(text.contains(r#"order.status is "new", wants eq "confirmed""#), "{text}");

    let json = said(&["explain", "order-7", "--format", "json"]).await.unwrap();
    let mut json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let mut told = explain(&app, "order-7").await;
    // The program goes by its own clock.
    for one in [&mut json, &mut told] {
        assert_eq!(one["held"]["message"], "until 2026-11-23 10:03 CET");
        for of_now in ["explained_at", "looked_at", "sentences", "stands", "ahead"] {
            assert!(one.as_object_mut().unwrap().remove(of_now).is_some(), "{of_now}");
        }
    }
    assert_eq!(json, told);

    let nobody = said(&["explain", "nobody"]).await.unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no process bears the id `nobody`"));
    app.finish().await;
}
