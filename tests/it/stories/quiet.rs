//! Quiet hours: what is written at night leaves in the morning.

use chrono::TimeDelta;
use rungs::channels::Limits;
use serde_json::json;

use super::{RESTAURANT, phone};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::twilio::Mood,
    harness::{Setup, TestApp},
};

on_every_database!(
    a_text_of_the_night_leaves_in_the_morning,
    a_step_that_cannot_wait_rings_at_night,
    a_stop_at_night_leaves_nothing_for_the_morning,
    a_goal_achieved_at_night_leaves_nothing_for_the_morning,
    a_repetition_that_falls_into_the_night_waits_for_the_morning,
    what_dispatch_did_not_come_to_by_ten_waits_for_the_morning,
    many_that_are_held_do_not_keep_back_one_that_is_not,
    a_slow_channel_is_not_kept_busy_by_what_is_held,
    lateness_counts_from_the_morning,
);

/// Waits as long as `wait` says, then texts, with `more` about that step.
fn ladder(wait: &str, more: &str) -> String {
    format!(
        r#"
sequence: night
quietHours: {{ from: 22:00, to: 07:00 }}
steps:
  - {{ id: wait, run: WaitForDuration, config: {wait} }}
  - {{ id: text, run: SMS, config: {{ to: "{{{{phone}}}}", message: Hello }}{more} }}
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: {{ type: get, value: status }}
      compareTo: {{ type: raw, value: confirmed }}
      otherwise: end
"#
    )
}

const UNTIL_ELEVEN: &str = "{ amount: 2, unit: hours }";

/// A process that starts at 21:00 and comes to its text at eleven.
async fn at_eleven(kind: Kind, more: &str) -> TestApp {
    let app = Setup { now: "2026-11-23T21:00:00Z", ..Setup::on(kind) }.start().await;
    app.climb(&ladder(UNTIL_ELEVEN, more), "n", phone()).await;
    app.clock_shows("23:00").await;
    app
}

async fn a_text_of_the_night_leaves_in_the_morning(kind: Kind) {
    let app = at_eleven(kind, "").await;
    let delivery = app.process("n").await["deliveries"][0].clone();
    assert_eq!(delivery["status"], "pending");
    assert_eq!(delivery["due_at"], "2026-11-24T07:00:00.000Z");
    assert_eq!(app.history("n").await.last().unwrap(), "23:00 text held", "the visit was not");
    let page = app.get("/v1/processes/n/history?limit=200").await;
    assert!(page.to_string().contains("\"until\":\"2026-11-24T07:00:00.000Z\""), "{page:#}");

    app.clock_shows("06:59:59").await;
    assert!(app.texted().is_empty());
    app.clock_shows("07:00").await;

    assert_eq!(app.texted(), [format!("{RESTAURANT}: Hello")]);
    assert_eq!(app.stands("n").await, "completed at confirmed");
    app.finish().await;
}

async fn a_step_that_cannot_wait_rings_at_night(kind: Kind) {
    let app = at_eleven(kind, ", quietHours: none").await;
    assert_eq!(app.texted().len(), 1);
    app.finish().await;
}

async fn a_stop_at_night_leaves_nothing_for_the_morning(kind: Kind) {
    let app = at_eleven(kind, "").await;
    let (status, answer) = app.post("/v1/processes/n/stop", &json!({})).await;
    assert_eq!(status, 200, "{answer:#}");
    app.clock_shows("12:00").await;
    assert!(app.texted().is_empty());
    assert_eq!(app.process("n").await["deliveries"][0]["status"], "cancelled");
    app.finish().await;
}

async fn a_goal_achieved_at_night_leaves_nothing_for_the_morning(kind: Kind) {
    let app = at_eleven(kind, "").await;
    app.clock_shows("03:00").await;
    app.event("n", "confirmed", json!({ "status": "confirmed" })).await;
    app.clock_shows("12:00").await;
    assert!(app.texted().is_empty());
    assert_eq!(app.stands("n").await, "completed at confirmed");
    app.finish().await;
}

async fn a_repetition_that_falls_into_the_night_waits_for_the_morning(kind: Kind) {
    let app = Setup { now: "2026-11-23T21:00:00Z", ..Setup::on(kind) }.start().await;
    app.twilio.next(Mood::TooMany("600"));
    app.climb(&ladder("{ amount: 55, unit: minutes }", ""), "n", phone()).await;
    app.clock_shows("21:55").await;
    let process = app.process("n").await;
    let delivery = &process["deliveries"][0];
    assert_eq!(delivery["attempts"], 1);
    assert_eq!(delivery["due_at"], "2026-11-24T07:00:00.000Z", "and not at 22:05");
    assert_eq!(delivery["log"][1]["what"], "held", "{delivery:#}");
    let before = app.texted().len();
    app.clock_shows("06:59:59").await;
    assert_eq!(app.texted().len(), before);
    app.clock_shows("07:00").await;
    assert_eq!(app.texted().len(), before + 1);
    app.finish().await;
}

async fn what_dispatch_did_not_come_to_by_ten_waits_for_the_morning(kind: Kind) {
    let app = Setup { now: "2026-11-23T21:00:00Z", ..Setup::on(kind) }.start().await;
    app.climb(&ladder("{ amount: 59, unit: minutes }", ""), "n", phone()).await;
    app.engine.clock.set("2026-11-23T21:59:00Z".parse().unwrap());
    app.engine.evaluate().await.unwrap();
    assert_eq!(app.process("n").await["deliveries"][0]["due_at"], "2026-11-23T21:59:00.000Z");

    // Dispatch stood still for two hours.
    app.engine.clock.set("2026-11-23T23:59:00Z".parse().unwrap());
    app.settle().await;

    let delivery = app.process("n").await["deliveries"][0].clone();
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(delivery["due_at"], "2026-11-24T07:00:00.000Z");
    let told = delivery["log"][0]["error"].as_str().unwrap();
    assert_eq!(told, "until Tue 2026-11-24 07:00 UTC: quiet hours");
    // And again for a whole day, into the next night.
    app.engine.clock.set("2026-11-25T01:00:00Z".parse().unwrap());
    app.settle().await;
    assert!(app.texted().is_empty());
    app.clock_shows("07:00").await;
    assert_eq!(app.texted().len(), 1);
    app.finish().await;
}

async fn many_that_are_held_do_not_keep_back_one_that_is_not(kind: Kind) {
    let app = Setup { now: "2026-11-23T21:00:00Z", ..Setup::on(kind) }.start().await;
    app.publish(&ladder("{ amount: 59, unit: minutes }", "")).await;
    for number in 0..50 {
        app.start_process("night", &format!("n-{number}"), phone()).await;
    }
    let urgent = ladder("{ amount: 1, unit: hour }", ", quietHours: none");
    app.climb(&urgent.replace("sequence: night", "sequence: urgent"), "u", phone()).await;
    app.engine.clock.set("2026-11-23T21:59:00Z".parse().unwrap());
    app.engine.evaluate().await.unwrap();
    app.engine.clock.set("2026-11-23T22:00:00Z".parse().unwrap());
    app.settle().await;
    assert_eq!(app.texted().len(), 1, "the one that has no quiet hours");
    app.clock_shows("07:00").await;
    assert_eq!(app.texted().len(), 51);
    app.finish().await;
}

async fn a_slow_channel_is_not_kept_busy_by_what_is_held(kind: Kind) {
    let limits = vec![("sms", Limits { max_in_flight: 1, per_second: Some(1.0) })];
    let app = Setup { now: "2026-11-23T21:00:00Z", limits, ..Setup::on(kind) }.start().await;
    app.publish(&ladder("{ amount: 59, unit: minutes }", "")).await;
    for number in 0..150 {
        app.start_process("night", &format!("n-{number}"), phone()).await;
    }
    let urgent = ladder("{ amount: 1, unit: hour }", ", quietHours: none");
    app.climb(&urgent.replace("sequence: night", "sequence: urgent"), "u", phone()).await;
    app.engine.clock.set("2026-11-23T21:59:00Z".parse().unwrap());
    app.engine.evaluate().await.unwrap();
    app.engine.clock.set("2026-11-23T22:00:00Z".parse().unwrap());
    let tally = app.engine.drain().await.unwrap();
    assert_eq!((app.texted().len(), tally.dispatched.put_off), (1, 150));
    app.finish().await;
}

async fn lateness_counts_from_the_morning(kind: Kind) {
    let late = ", lateness: { most: 1 hour, then: skip }";
    let app = at_eleven(kind, late).await;
    assert_eq!(app.process("n").await["deliveries"][0]["late_at"], "2026-11-24T08:00:00.000Z");
    app.clock_shows("07:00").await;
    assert_eq!(app.texted().len(), 1);
    app.finish().await;

    let app = at_eleven(kind, late).await;
    app.engine.clock.set(app.now() + TimeDelta::hours(10));
    app.settle().await;
    assert!(app.texted().is_empty(), "nobody looked until nine");
    assert_eq!(app.process("n").await["deliveries"][0]["status"], "skipped");
    app.finish().await;
}
