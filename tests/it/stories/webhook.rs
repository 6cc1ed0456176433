//! Webhooks: what a server answers, and what becomes of a ladder when it does not.

use serde_json::{Value, json};

use super::{RESTAURANT, delivery_of};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::{
        endpoint::Mood,
        web::{self, FakeWeb},
    },
    harness::{Setup, TestApp},
};

on_every_database!(
    the_answer_is_there_for_the_steps_that_follow,
    a_server_in_trouble_is_tried_again_under_the_same_key,
    a_refusal_takes_the_other_way,
    a_request_in_doubt_is_repeated_or_not_as_the_step_says,
    answers_that_together_are_too_long_are_a_failure,
);

const HOOK: &str = r#"
sequence: hook
steps:
  - id: hook
    run: Webhook
    config:
      url: "{{server}}/orders/{{order.id}}"
      body: { order: { type: get, value: order }, note: "for {{order.id}}" }
      await: answered
    altNext: refused
  - id: tell
    run: SMS
    config: { to: "{{phone}}", message: "{{steps.hook.httpStatus}}: {{steps.hook.answer.by}}" }
    next: end
  - id: refused
    run: SMS
    config: { to: "{{phone}}", message: "{{steps.hook.error}}" }
"#;

async fn app(kind: Kind) -> TestApp {
    Setup { webhook: Some(web::config(&json!({}))), ..Setup::on(kind) }.start().await
}

fn about(fake: &FakeWeb) -> Value {
    json!({ "server": fake.url(""), "phone": RESTAURANT, "order": { "id": 7, "count": 2 } })
}

async fn the_answer_is_there_for_the_steps_that_follow(kind: Kind) {
    let fake = FakeWeb::start().await;
    let app = app(kind).await;
    fake.says(200, json!({ "by": "Ana" }));
    app.climb(HOOK, "p1", about(&fake)).await;
    let request = fake.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/orders/7"));
    assert_eq!(request.json(), json!({ "order": { "id": 7, "count": 2 }, "note": "for 7" }));
    assert_eq!(app.texted(), [format!("{RESTAURANT}: 200: Ana")]);
    let process = app.process("p1").await;
    assert_eq!(process["data"], about(&fake), "an answer is no data");
    assert_eq!(delivery_of(&process, "hook")["id"], request.header("idempotency-key"));
    let history = app.history("p1").await;
    let expected = ["hook wrote webhook", "hook heard completed", "hook next", "tell noop"];
    assert_eq!(history[2..6], expected.map(|line| format!("09:00 {line}")));
    app.finish().await;
}

async fn a_server_in_trouble_is_tried_again_under_the_same_key(kind: Kind) {
    let fake = FakeWeb::start().await;
    let app = app(kind).await;
    fake.next(Mood::Busy(503, "120"));
    fake.says(200, json!({ "by": "Ivo" }));
    app.climb(HOOK, "p1", about(&fake)).await;
    app.clock_shows("09:01").await;
    assert_eq!(fake.requests().len(), 1, "it asked to be left alone for two minutes");
    app.clock_shows("09:03").await;
    let keys: Vec<String> =
        fake.requests().iter().map(|it| it.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    assert_eq!(app.texted(), [format!("{RESTAURANT}: 200: Ivo")]);
    app.finish().await;
}

async fn a_refusal_takes_the_other_way(kind: Kind) {
    let fake = FakeWeb::start().await;
    let app = app(kind).await;
    fake.says(404, json!({ "detail": "there is no such order" }));
    app.climb(HOOK, "p1", about(&fake)).await;
    assert_eq!(app.texted(), [format!("{RESTAURANT}: HTTP 404 Not Found: there is no such order")]);
    app.finish().await;
}

async fn a_request_in_doubt_is_repeated_or_not_as_the_step_says(kind: Kind) {
    let fake = FakeWeb::start().await;
    let app = app(kind).await;
    fake.next(Mood::HangUp);
    app.climb(HOOK, "p1", about(&fake)).await;
    app.clock_shows("09:05").await;
    assert_eq!(fake.requests().len(), 2, "the second is answered with nothing");
    let once = HOOK.replace("sequence: hook", "sequence: once");
    let once = once.replace("    altNext: refused\n", "    altNext: refused\n    inDoubt: fail\n");
    fake.next(Mood::HangUp);
    app.climb(&once, "p2", about(&fake)).await;
    app.clock_shows("09:30").await;
    assert_eq!(fake.requests().len(), 3, "not repeated");
    assert!(app.texted()[1].contains("in doubt, and not repeated"), "{:?}", app.texted());
    app.finish().await;
}

async fn answers_that_together_are_too_long_are_a_failure(kind: Kind) {
    let fake = FakeWeb::start().await;
    let app = app(kind).await;
    let steps: Vec<String> = (0..5)
        .map(|at| {
            fake.says(200, json!("x".repeat(60_000)));
            format!("  - {{ id: h{at}, run: Webhook, config: {{ url: '{{{{server}}}}', await: answered }} }}\n")
        })
        .collect();
    app.climb(&format!("sequence: many\nsteps:\n{}", steps.concat()), "p1", about(&fake)).await;
    assert_eq!(app.stands("p1").await, "completed at h4");
    let deliveries = app.process("p1").await["deliveries"].clone();
    assert_eq!(deliveries.as_array().unwrap().len(), 5);
    let history = app.get("/v1/processes/p1/history?limit=200").await["history"].clone();
    let heard: Vec<&Value> =
        history.as_array().unwrap().iter().filter(|it| it["kind"] == "heard").collect();
    assert_eq!(heard[3]["status"], "completed");
    assert_eq!(heard[4]["status"], "failed");
    let error = heard[4]["error"].as_str().unwrap();
    assert_eq!(error, "with the answer the results of the steps would pass 262144 bytes");
    app.finish().await;
}
