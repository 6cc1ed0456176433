//! Runners that live elsewhere: questions, answers, batches, and what comes in between.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::RESTAURANT;
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::endpoint::{FakeEndpoint, Mood},
    harness::{Setup, TestApp},
};

mod trouble;

on_every_database!(
    a_visit_is_asked_about_and_the_answer_moves_the_process,
    alt_next_takes_the_other_way,
    a_noop_is_asked_anew_when_it_said_so_and_leaves_one_delivery,
    an_event_makes_it_ask_anew_with_the_data_as_they_are_then,
    many_events_are_one_question,
    visits_go_in_batches_of_one_step,
    a_pace_is_kept,
    two_programs_ask_about_each_visit_once,
    a_stop_while_it_is_asked_about_is_the_last_word,
    a_goal_that_is_achieved_meanwhile_leaves_the_answer_unheard,
    a_program_that_dies_before_it_has_written_the_answer_down_asks_again,
    an_answer_with_more_data_than_there_is_room_for_is_a_failure,
);

const CREDIT: &str = r#"
sequence: credit
steps:
  - id: check
    run: Credit
    config: { most: "{{most}}", currency: EUR }
    altNext: refused
  - id: granted
    run: SMS
    config: { to: "{{phone}}", message: "You have credit, with a score of {{score}}." }
    next: end
  - id: refused
    run: WaitForDuration
    config: { amount: 1, unit: hour }
"#;

/// The same without another way.
const ONE_WAY: &str = "
sequence: one-way
steps:
  - id: check
    run: Credit
    retry: { attempts: 2, first: 1 second }
";

async fn app(kind: Kind, fake: &FakeEndpoint, more: &Value) -> TestApp {
    Setup { runners: vec![("Credit", fake.config_with(more))], ..Setup::on(kind) }.start().await
}

fn about() -> Value {
    json!({ "most": 500, "phone": RESTAURANT })
}

impl TestApp {
    async fn after(&self, seconds: i64) {
        self.advance_to(self.now() + TimeDelta::seconds(seconds)).await;
    }

    /// The delivery that asks about a process. There is one at most.
    async fn visit(&self, process: &str) -> Value {
        let deliveries = self.process(process).await["deliveries"].clone();
        let mut of_check = deliveries.as_array().unwrap().iter().filter(|it| it["step"] == "check");
        let visit = of_check.next().expect("a visit").clone();
        assert_eq!(of_check.next(), None, "what gave way to another is not kept");
        visit
    }
}

fn ids(fake: &FakeEndpoint) -> Vec<String> {
    fake.asked().iter().map(|visit| visit["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_visit_is_asked_about_and_the_answer_moves_the_process(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    let answer =
        json!({ "action": "next", "message": "rich", "data": { "score": 7, "most": null } });
    fake.says("c1", &[answer]);
    app.climb(CREDIT, "c1", about()).await;

    let request = fake.requests().remove(0);
    let id = request.each("id")[0].to_owned();
    assert_eq!(request.key, id, "the idempotency key of a single visit");
    let visit = json!({
        "id": id,
        "config": { "most": "500", "currency": "EUR" },
        "data": about(),
        "process": "c1",
        "step": "check",
        "attempt": 1,
    });
    let config = json!({ "most": "{{most}}", "currency": "EUR" });
    assert_eq!(request.body, json!({ "config": config, "runners": [visit] }));
    assert_eq!(app.texted(), [format!("{RESTAURANT}: You have credit, with a score of 7.")]);
    let process = app.process("c1").await;
    assert_eq!(process["data"], json!({ "phone": RESTAURANT, "score": 7 }));
    let delivery = app.visit("c1").await;
    assert_eq!(
        (&delivery["status"], &delivery["channel"]),
        (&"completed".into(), &"Credit".into())
    );
    assert_eq!(delivery["answer"]["message"], "rich");
    assert_eq!(
        app.history("c1").await[..5],
        [
            "09:00 started",
            "09:00 check noop",
            "09:00 check wrote Credit",
            "09:00 check heard completed",
            "09:00 check next",
        ]
    );
    let heard = app.get("/v1/processes/c1/history").await["history"][3].clone();
    assert_eq!(heard["answer"]["data"], json!({ "score": 7, "most": null }));
    app.finish().await;
}

async fn alt_next_takes_the_other_way(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    fake.says("c1", &[json!({ "action": "altNext", "message": "poor" })]);
    app.climb(CREDIT, "c1", about()).await;
    assert_eq!(app.stands("c1").await, "active at refused");
    assert_eq!(app.process("c1").await["steps"]["check"]["action"], "altNext");
    app.finish().await;
}

async fn a_noop_is_asked_anew_when_it_said_so_and_leaves_one_delivery(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({ "every": 30 })).await;
    let noop = |more: Value| {
        let mut noop = json!({ "action": "noop", "message": "not yet" });
        noop.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        noop
    };
    fake.says("c1", &[noop(json!({ "retryAfter": 300, "data": { "asked": 1 } })), noop(json!({}))]);
    app.climb(CREDIT, "c1", about()).await;
    assert_eq!(app.process("c1").await["data"]["asked"], 1, "also a noop may bring data");
    app.clock_shows("09:04:59").await;
    assert_eq!(fake.requests().len(), 1);
    app.clock_shows("09:05").await;
    app.clock_shows("09:05:29").await;
    assert_eq!(fake.requests().len(), 2);
    fake.says("c1", &[json!({ "action": "next" })]);
    app.clock_shows("09:05:30").await;

    assert_eq!(app.stands("c1").await, "completed at granted");
    let distinct: BTreeSet<String> = ids(&fake).into_iter().collect();
    assert_eq!((fake.requests().len(), distinct.len()), (3, 3), "each is a visit of its own");
    assert_eq!(fake.asked()[1]["data"]["asked"], 1, "with the data as they are then");
    assert_eq!(app.visit("c1").await["id"], ids(&fake)[2], "the last one is kept");
    let checked: Vec<String> = app.history("c1").await.drain(1..11).collect();
    assert_eq!(
        checked,
        [
            "09:00 check noop",
            "09:00 check wrote Credit",
            "09:00 check heard completed",
            "09:00 check noop",
            "09:05 check noop",
            "09:05 check wrote Credit",
            "09:05 check heard completed",
            "09:05 check noop",
            "09:05:30 check noop",
            "09:05:30 check wrote Credit",
        ]
    );
    app.finish().await;
}

async fn an_event_makes_it_ask_anew_with_the_data_as_they_are_then(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    let noop = json!({ "action": "noop", "retryAfter": 86_400 });
    fake.says("c1", &[noop, json!({ "action": "next" })]);
    app.climb(CREDIT, "c1", about()).await;
    app.clock_shows("09:10").await;
    assert_eq!(app.stands("c1").await, "active at check");

    app.event("c1", "paid", json!({ "paid": true })).await;
    app.settle().await;

    assert_eq!(fake.asked()[1]["data"]["paid"], true);
    assert_eq!(app.stands("c1").await, "completed at granted");
    app.finish().await;
}

async fn many_events_are_one_question(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({})).await;
    fake.says("c1", &[json!({ "action": "noop", "retryAfter": 86_400 })]);
    app.climb(CREDIT, "c1", about()).await;
    for number in 0..10 {
        app.event("c1", "counted", json!({ "count": number })).await;
        app.settle().await;
    }
    assert_eq!(fake.requests().len(), 1, "it was answered in this very second");
    app.clock_shows("12:00").await;
    assert_eq!(fake.asked()[1]["data"]["count"], 9);
    assert_eq!(fake.requests().len(), 2, "and it was told nothing since");

    // Of what happens while it is asked it knows nothing either.
    app.event("c1", "counted", json!({ "count": 10 })).await;
    app.engine.evaluate().await.unwrap();
    app.event("c1", "counted", json!({ "count": 11 })).await;
    app.clock_shows("13:00").await;
    let counts: Vec<Value> = fake.asked().iter().map(|one| one["data"]["count"].clone()).collect();
    assert_eq!(counts.last(), Some(&11.into()), "{counts:?}");
    app.finish().await;
}

async fn visits_go_in_batches_of_one_step(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({ "batch": 50 })).await;
    app.publish(CREDIT).await;
    app.publish(ONE_WAY).await;
    let processes: Vec<Value> = (0..150)
        .map(|number| {
            let sequence = if number % 5 == 0 { "one-way" } else { "credit" };
            json!({ "sequence": sequence, "process_id": format!("c{number}"), "data": about() })
        })
        .collect();
    let (status, answer) =
        app.post("/v1/processes/batch", &json!({ "processes": processes })).await;
    assert_eq!(status, 200, "{answer:#}");
    app.settle().await;

    let mut sizes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for request in fake.requests() {
        let config = request.body["config"].to_string();
        sizes.entry(config).or_default().push(request.runners().len());
    }
    for sizes in sizes.values_mut() {
        sizes.sort_unstable();
    }
    let sizes: Vec<Vec<usize>> = sizes.into_values().collect();
    assert_eq!(sizes, [vec![20, 50, 50], vec![30]]);
    let keys: BTreeSet<String> = fake.requests().into_iter().map(|request| request.key).collect();
    assert_eq!(keys.len(), 4);
    let asked: BTreeSet<String> = ids(&fake).into_iter().collect();
    assert_eq!(asked.len(), 150);
    app.finish().await;
}

async fn a_pace_is_kept(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let limits = rungs::channels::Limits { max_in_flight: 4, per_second: Some(2.0) };
    let setup = Setup { limits: vec![("Credit", limits)], ..Setup::on(kind) };
    let app = Setup { runners: vec![("Credit", fake.config())], ..setup }.start().await;
    app.publish(CREDIT).await;
    for number in 0..6 {
        app.start_process("credit", &format!("c{number}"), about()).await;
    }
    let mut asked = Vec::new();
    for second in 0..3 {
        app.engine.clock.set(app.now() + TimeDelta::seconds(i64::from(second > 0)));
        app.engine.drain().await.unwrap();
        asked.push(fake.asked().len());
    }
    assert_eq!(asked, [2, 4, 6]);
    app.finish().await;
}

async fn two_programs_ask_about_each_visit_once(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let app = app(kind, &fake, &json!({ "batch": 7 })).await;
    app.publish(CREDIT).await;
    for number in 0..60 {
        app.start_process("credit", &format!("c{number}"), about()).await;
    }
    app.engine.evaluate().await.unwrap();
    let other = app.another_engine().await;
    let (one, two) = futures::join!(app.engine.dispatch(), other.dispatch());
    assert_eq!(one.unwrap().sent + two.unwrap().sent, 60);
    let asked: BTreeSet<String> = ids(&fake).into_iter().collect();
    assert_eq!((asked.len(), fake.asked().len()), (60, 60));
    app.settle().await;
    app.finish().await;
}

/// An app whose endpoint has just been asked about `c1`, and holds the answer.
async fn held(
    kind: Kind,
    fake: &FakeEndpoint,
    yaml: &str,
) -> (TestApp, tokio::task::JoinHandle<()>) {
    let app = app(kind, fake, &json!({ "timeout": 60 })).await;
    fake.next(Mood::Held);
    fake.says("c1", &[json!({ "action": "next", "data": { "score": 7 } })]);
    app.publish(yaml).await;
    app.start_process("credit", "c1", about()).await;
    app.engine.evaluate().await.unwrap();
    let engine = std::sync::Arc::clone(&app.engine);
    let dispatch = tokio::spawn(async move { engine.dispatch().await.map(|_| ()).unwrap() });
    fake.has_come(1).await;
    (app, dispatch)
}

async fn a_stop_while_it_is_asked_about_is_the_last_word(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let (app, dispatch) = held(kind, &fake, CREDIT).await;
    assert_eq!(app.post("/v1/processes/c1/stop", &json!({})).await.0, 200);
    fake.let_go();
    dispatch.await.unwrap();
    app.clock_shows("10:00").await;

    assert_eq!(app.stands("c1").await, "stopped at check");
    assert_eq!(app.process("c1").await["data"], about());
    assert_eq!((fake.requests().len(), app.texted().len()), (1, 0));
    app.finish().await;
}

async fn a_goal_that_is_achieved_meanwhile_leaves_the_answer_unheard(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let goal = "
  - id: paid
    run: Goal
    config: { lodashCommand: eq, value: { type: get, value: paid }, compareTo: { type: raw, value: true } }
  - { id: rest, run: WaitForDuration, config: { amount: 1, unit: hour } }
";
    let (app, dispatch) = held(kind, &fake, &format!("{}{goal}", CREDIT.trim_end())).await;
    app.event("c1", "paid", json!({ "paid": true })).await;
    app.engine.evaluate().await.unwrap();
    fake.let_go();
    dispatch.await.unwrap();
    app.settle().await;

    assert_eq!(app.stands("c1").await, "active at rest");
    assert_eq!(app.process("c1").await["data"].get("score"), None, "nobody waited for it any more");
    app.finish().await;
}

async fn a_program_that_dies_before_it_has_written_the_answer_down_asks_again(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let (app, dispatch) = held(kind, &fake, CREDIT).await;
    dispatch.abort();
    assert!(dispatch.await.unwrap_err().is_cancelled());
    app.clock_shows("09:01:59").await;
    assert_eq!(fake.requests().len(), 1, "it may still be asked by whoever began");
    app.clock_shows("09:02").await;

    let asked = fake.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["id"], asked[1]["id"], "so the endpoint can tell");
    assert_eq!(asked[1]["attempt"], 2);
    assert_eq!(app.stands("c1").await, "completed at granted");
    assert_eq!(app.texted().len(), 1);
    app.finish().await;
}

async fn an_answer_with_more_data_than_there_is_room_for_is_a_failure(kind: Kind) {
    let fake = FakeEndpoint::start().await;
    let (app, dispatch) = held(kind, &fake, CREDIT).await;
    // What is asked knows nothing of an event that comes meanwhile.
    app.event("c1", "grown", json!({ "large": "x".repeat(262_090) })).await;
    fake.let_go();
    dispatch.await.unwrap();
    app.settle().await;

    assert_eq!(app.stands("c1").await, "active at refused");
    let process = app.process("c1").await;
    let error = process["steps"]["check"]["error"].as_str().unwrap();
    assert!(error.contains("with the answer's data the process's would pass 262144"), "{error}");
    assert_eq!(process["data"].get("score"), None);
    app.finish().await;
}
