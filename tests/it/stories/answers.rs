//! What `await` waits for.

use serde_json::json;

use super::RESTAURANT;
use crate::{
    databases::Kind, every_database::on_every_database, fakes::twilio::Fate, harness::TestApp,
};

on_every_database!(
    placed_goes_on_at_once_and_hears_the_rest_later,
    answered_goes_on_while_they_still_listen,
    a_machine_is_nobody_if_one_looks_for_it,
    a_text_that_does_not_arrive_takes_the_other_way,
);

fn ladder(config: &str) -> String {
    format!(
        "
sequence: call
steps:
  - id: ring
    run: Phone
    config: {{ to: '{RESTAURANT}', say: Hello, {config} }}
    altNext: missed
  - {{ id: reached, run: WaitForDuration, config: {{ amount: 1, unit: hour }}, next: end }}
  - {{ id: missed, run: WaitForDuration, config: {{ amount: 1, unit: hour }} }}
"
    )
}

async fn placed_goes_on_at_once_and_hears_the_rest_later(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(&ladder("await: placed"), "p", json!({})).await;
    assert_eq!(app.stands("p").await, "active at reached");

    let call = app.twilio.calls().remove(0);
    app.twilio.ring(&call.sid, Fate::Busy).await;
    app.settle().await;

    let process = app.process("p").await;
    assert_eq!(process["cursor"], "reached");
    assert_eq!(process["steps"]["ring"]["status"], "busy");
    app.finish().await;
}

async fn answered_goes_on_while_they_still_listen(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::PickedUp);
    app.climb(&ladder("await: answered"), "answered", json!({})).await;
    app.climb(&ladder("await: completed"), "completed", json!({})).await;
    assert_eq!(app.stands("answered").await, "active at reached");
    assert_eq!(app.stands("completed").await, "active at ring");
    app.finish().await;
}

async fn a_machine_is_nobody_if_one_looks_for_it(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::Machine);
    app.climb(&ladder("await: answered, detectMachine: true"), "looking", json!({})).await;
    app.climb(&ladder("await: answered"), "trusting", json!({})).await;
    assert_eq!(app.stands("looking").await, "active at missed");
    assert_eq!(app.stands("trusting").await, "active at reached");
    app.finish().await;
}

async fn a_text_that_does_not_arrive_takes_the_other_way(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = format!(
        "
sequence: text
steps:
  - id: text
    run: SMS
    config: {{ to: '{RESTAURANT}', message: Hello, await: delivered }}
    altNext: ring
  - {{ id: reached, run: GoTo, config: {{ step: end }} }}
  - {{ id: ring, run: Phone, config: {{ to: '{RESTAURANT}', say: Hello }} }}
"
    );
    app.twilio.script(RESTAURANT, Fate::Undelivered);
    app.climb(&yaml, "lost", json!({})).await;
    assert_eq!(app.called(), [RESTAURANT]);
    let process = app.process("lost").await;
    assert_eq!(process["steps"]["text"]["status"], "undelivered");
    assert!(process["steps"]["text"]["error"].as_str().unwrap().contains("30003"), "{process:#}");

    app.twilio.script(RESTAURANT, Fate::Delivered);
    app.climb(&yaml, "arrived", json!({})).await;
    assert_eq!(app.called().len(), 1, "nobody is called");
    app.finish().await;
}
