//! Who watches the watcher: what is found that nobody will do, and who is told.

use rungs::{
    engine::heartbeat::{Beat, Illness},
    store::audit::Audit,
};
use serde_json::{Value, json};

use super::{RING, phone};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::{
        twilio::{Fate, Mood},
        watcher::FakeWatcher,
    },
    harness::{Setup, TestApp},
};

on_every_database!(
    a_process_that_waits_for_word_that_came_already_is_found_and_an_event_wakes_it,
    news_that_nobody_would_tell_is_found,
    who_waits_for_an_event_or_for_word_is_not_forgotten,
    an_attempt_that_outlived_its_program_is_found_until_it_is_swept,
    what_is_overdue_makes_the_heart_stop_until_it_is_done,
    what_was_tried_again_in_doubt_and_settled_is_counted,
);

/// Rests at its goal until somebody confirms.
const CONFIRM: &str = r"
sequence: confirm
steps:
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: delivery.status }
      compareTo: { type: raw, value: confirmed }
";

async fn audit(app: &TestApp) -> Audit {
    app.engine.store.audit(app.now(), 10).await.unwrap()
}

/// What `/readyz` gives as reasons, and `/metrics` as counts.
async fn shown(app: &TestApp) -> (Vec<String>, Vec<String>) {
    let ready = app.http.get(format!("{}/readyz", app.url)).send().await.unwrap();
    let ready: Value = ready.json().await.unwrap();
    let codes = ready["errors"].as_array().into_iter().flatten();
    let codes = codes.map(|error| error["code"].as_str().unwrap().to_owned()).collect();
    let figures = app.engine.scrape().await.unwrap();
    let found = figures.lines().filter(|line| line.starts_with("rungs_audit_found"));
    (codes, found.filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect())
}

async fn a_process_that_waits_for_word_that_came_already_is_found_and_an_event_wakes_it(
    kind: Kind,
) {
    let app = TestApp::on(kind).await;
    app.climb(RING, "r1", phone()).await;
    assert!(audit(&app).await.is_clean(), "the call is open");

    // The callback came, and its process was not told: a defect.
    app.sabotage("UPDATE deliveries SET status = 'no-answer', due_at = NULL").await;
    let found = audit(&app).await.forgotten;
    assert_eq!((found.count, found.first.len()), (1, 1));
    let finding = serde_json::to_value(&found.first[0]).unwrap();
    assert_eq!(finding, json!({ "process_id": "r1", "sequence": "ring", "step": "ring" }));
    let expected = vec!["rungs_audit_found{kind=\"forgotten\"} 1".to_owned()];
    assert_eq!(shown(&app).await, (vec!["forgotten".to_owned()], expected));

    app.event("r1", "look", Value::Null).await;
    assert!(audit(&app).await.is_clean(), "it will be looked at");
    app.sabotage("UPDATE deliveries SET news = TRUE").await;
    app.settle().await;
    assert_eq!(app.texted().len(), 1, "and goes on");
    app.finish().await;
}

async fn news_that_nobody_would_tell_is_found(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(CONFIRM, "c1", json!({})).await;
    app.event("c1", "data", json!({ "delivery": { "status": "confirmed" } })).await;
    app.sabotage("UPDATE processes SET due_at = NULL").await;
    assert_eq!(audit(&app).await.forgotten.count, 1);
    app.event("c1", "look", Value::Null).await;
    app.settle().await;
    assert_eq!(app.stands("c1").await, "completed at confirmed");
    app.finish().await;
}

async fn who_waits_for_an_event_or_for_word_is_not_forgotten(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(CONFIRM, "at its goal", json!({})).await;
    // What an event brings may look like a delivery.
    app.event("at its goal", "data", json!({ "delivery": { "id": "7" } })).await;
    app.climb(RING, "called", phone()).await;
    app.start_process("ring", "held", phone()).await;
    app.post("/v1/processes/held/pause", &Value::Null).await;
    app.settle().await;
    assert_eq!(audit(&app).await, Audit::default());
    assert_eq!(shown(&app).await, (vec![], vec![]));
    app.finish().await;
}

async fn an_attempt_that_outlived_its_program_is_found_until_it_is_swept(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.start_process("ring", "r1", phone()).await;
    app.engine.evaluate().await.unwrap();
    let lease_until = app.now() + app.engine.options.lease;
    let begun = app.engine.store.begin_attempts("phone", 1, app.now(), lease_until).await.unwrap();

    app.engine.clock.set(lease_until + chrono::TimeDelta::minutes(1));
    assert!(audit(&app).await.is_clean(), "a sweep may still be on its way");
    app.engine.clock.set(app.now() + chrono::TimeDelta::milliseconds(1));
    let found = audit(&app).await.orphaned;
    let finding = &found.first[0];
    assert_eq!((found.count, finding.since), (1, Some(lease_until)));
    assert_eq!(finding.delivery.as_deref(), Some(begun[0].id.as_str()));
    assert_eq!(shown(&app).await.0, ["orphaned"]);

    app.engine.sweep_leases().await.unwrap();
    assert!(audit(&app).await.is_clean());
    app.settle().await;
    app.finish().await;
}

async fn what_is_overdue_makes_the_heart_stop_until_it_is_done(kind: Kind) {
    let watcher = FakeWatcher::start().await;
    let app = Setup { heart: Some(watcher.heart()), ..Setup::on(kind) }.start().await;
    assert_eq!(app.engine.beat().await, Beat::NotDue, "nothing was done yet");
    app.publish(RING).await;
    app.start_process("ring", "r1", phone()).await;
    app.settle().await;
    assert_eq!(app.engine.beat().await, Beat::Heard);

    app.start_process("ring", "r2", phone()).await;
    app.engine.clock.set(app.now() + chrono::TimeDelta::seconds(61));
    assert_eq!(app.engine.beat().await, Beat::Withheld(Illness::Found("overdue", 1)));
    assert_eq!(watcher.heard(), 1);

    app.settle().await;
    watcher.answers(503);
    let unheard = app.engine.beat().await;
    assert_eq!(
        unheard,
        Beat::Unheard("it was answered with 503 Service Unavailable".to_owned()),
        "and nothing else comes of it"
    );
    watcher.answers(200);
    assert_eq!(app.engine.beat().await, Beat::Heard);
    let figures = app.engine.scrape().await.unwrap();
    for line in [
        "rungs_heartbeats_total{outcome=\"heard\"} 2",
        "rungs_heartbeats_total{outcome=\"unheard\"} 1",
        "rungs_heartbeats_total{outcome=\"withheld\"} 1",
        "rungs_due_lag_most_seconds 61",
    ] {
        assert!(figures.lines().any(|one| one == line), "{line} in {figures}");
    }
    for call in app.twilio.calls() {
        app.twilio.ring(&call.sid, Fate::Answered).await;
    }
    app.settle().await;
    app.finish().await;
}

async fn what_was_tried_again_in_doubt_and_settled_is_counted(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::Unavailable);
    app.twilio.next(Mood::HangUpAfter);
    app.climb(RING, "r1", phone()).await;
    // The first pause is ten seconds, give or take a quarter.
    app.clock_shows("09:00:13").await;
    assert_eq!(app.twilio.calls().len(), 1, "the second attempt was taken, and not answered");
    let counts = async |lines: &[&str]| {
        let figures = app.engine.scrape().await.unwrap();
        for line in lines {
            assert!(figures.lines().any(|one| one == *line), "{line} in {figures}");
        }
    };
    counts(&[
        "rungs_attempts_total{channel=\"phone\",outcome=\"trouble\"} 1",
        "rungs_attempts_total{channel=\"phone\",outcome=\"in_doubt\"} 1",
        "rungs_retries_total{channel=\"phone\"} 1",
        "rungs_in_doubt_total 1",
        "rungs_open_deliveries{status=\"in-doubt\"} 1",
    ])
    .await;

    app.clock_shows("09:01").await;
    app.twilio.ring(&app.twilio.calls()[0].sid, Fate::Busy).await;
    app.settle().await;
    counts(&["rungs_deliveries_settled_total{channel=\"phone\",outcome=\"busy\"} 1"]).await;
    app.finish().await;
}

/// The database is pulled from under the engine, and comes back.
#[tokio::test]
async fn the_heart_stops_with_the_database_and_comes_back_with_it() {
    use crate::databases::Cluster;
    use rungs::{
        channels::{self, Channels},
        clock::Clock,
        engine::{Engine, Options},
        store::{self, Store},
    };
    let (cluster, watcher) = (Cluster::start(&[]), FakeWatcher::start().await);
    let options = store::Options {
        url: cluster.url("postgres"),
        max_connections: 2,
        acquire_timeout: std::time::Duration::from_millis(200),
    };
    let store = Store::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    let channels = Channels::open(&channels::Config::default()).unwrap();
    let told = Options { heart: Some(watcher.heart()), ..Options::default() };
    let engine = Engine::new(store, Clock::System, channels, told);
    engine.pass().await.unwrap();
    assert_eq!(engine.beat().await, Beat::Heard);

    cluster.stop_immediately();
    engine.pass().await.unwrap_err();
    assert_eq!(engine.beat().await, Beat::Withheld(Illness::Database));
    assert_eq!(watcher.heard(), 1);

    cluster.start_again();
    // The first connections that the pool hands out may be those that died.
    while engine.pass().await.is_err() {}
    assert_eq!(engine.beat().await, Beat::Heard);
    assert_eq!(watcher.heard(), 2);
}
