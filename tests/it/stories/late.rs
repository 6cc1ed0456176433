//! After downtime: what is late, and who goes first.

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
    a_call_that_is_hours_late_is_skipped_and_so_is_what_follows_at_once,
    a_late_call_may_fail_and_a_late_text_may_go_all_the_same,
    what_waits_for_its_provider_too_long_is_late_as_well,
    a_late_call_in_an_endless_ladder_goes_round_slowly,
    after_downtime_the_most_urgent_go_first,
);

fn ladder(lateness: &str) -> String {
    format!(
        r#"
sequence: night
defaults: {{ lateness: {lateness} }}
steps:
  - {{ id: wait, run: WaitForDuration, config: {{ amount: 1, unit: hour }} }}
  - id: ring
    run: Phone
    config: {{ to: "{{{{phone}}}}", say: Hello }}
    altNext: failed
  - {{ id: text, run: SMS, config: {{ to: "{{{{phone}}}}", message: Hello }} }}
  - {{ id: done, run: GoTo, config: {{ step: end }} }}
  - {{ id: failed, run: SMS, config: {{ to: "{{{{phone}}}}", message: Too late }}, lateness: {{ most: 1 day, then: fail }} }}
"#
    )
}

/// Nobody looks at the processes until then.
async fn down_until(app: &TestApp, hours: i64) {
    app.engine.clock.set(app.now() + TimeDelta::hours(hours));
    app.settle().await;
}

async fn a_call_that_is_hours_late_is_skipped_and_so_is_what_follows_at_once(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(&ladder("{ most: 1 hour, then: skip }"), "r1", phone()).await;
    down_until(&app, 19).await;

    assert!(app.called().is_empty() && app.texted().is_empty(), "nobody is woken at 4 a.m.");
    assert_eq!(app.stands("r1").await, "completed at done");
    let page = app.get("/v1/processes/r1/history?limit=200").await;
    assert!(page.to_string().contains("skipped, late: it was to leave by"), "{page:#}");
    app.finish().await;
}

async fn a_late_call_may_fail_and_a_late_text_may_go_all_the_same(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(&ladder("{ most: 30 minutes, then: fail }"), "fails", phone()).await;
    down_until(&app, 2).await;
    assert_eq!(app.texted(), [format!("{RESTAURANT}: Too late")], "a day had been allowed");

    app.climb(&ladder("{ most: 30 minutes, then: send }"), "goes", phone()).await;
    down_until(&app, 2).await;
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn what_waits_for_its_provider_too_long_is_late_as_well(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::TooMany("7200"));
    app.climb(&ladder("{ most: 1 hour, then: skip }"), "r1", phone()).await;
    app.clock_shows("10:59").await;
    let delivery = app.process("r1").await["deliveries"][0].clone();
    assert_eq!(delivery["status"], "pending", "it is to be tried again at 12:00");

    app.clock_shows("11:00").await;

    let process = app.process("r1").await;
    assert_eq!(process["deliveries"][0]["status"], "skipped", "{process:#}");
    let error = process["deliveries"][0]["error"].as_str().unwrap();
    assert!(error.contains("it was to leave by 2026-11-23T11:00"), "{error}");
    assert_eq!(app.texted().len(), 1, "the text is in time: the ladder came to it just now");
    app.clock_shows("13:00").await;
    assert!(app.called().is_empty());
    app.finish().await;
}

async fn a_late_call_in_an_endless_ladder_goes_round_slowly(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = r#"
sequence: night
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: hour } }
  - id: ring
    run: Phone
    config: { to: "{{phone}}", say: Hello, await: answered }
    lateness: { most: 5 minutes, then: skip }
  - { id: again, run: GoTo, config: { step: ring } }
"#;
    app.climb(yaml, "r1", phone()).await;
    down_until(&app, 5).await;
    assert_eq!(app.stands("r1").await, "active at ring");
    assert!(app.called().is_empty());
    app.clock_shows("14:01").await;
    assert_eq!(app.called(), [RESTAURANT], "after a pause the ladder is in time again");
    app.finish().await;
}

async fn after_downtime_the_most_urgent_go_first(kind: Kind) {
    let limits = Limits { max_in_flight: 1, per_second: None };
    let app = Setup { limits: vec![("sms", limits)], ..Setup::on(kind) }.start().await;
    for priority in ["low", "normal", "high"] {
        let yaml = format!(
            r#"
sequence: {priority}
priority: {priority}
steps:
  - {{ id: wait, run: WaitForDuration, config: {{ amount: 1, unit: hour }} }}
  - {{ id: text, run: SMS, config: {{ to: "{{{{phone}}}}", message: "{{{{words}}}}" }} }}
"#
        );
        app.publish(&yaml).await;
        for number in 1..=3 {
            let data = json!({ "phone": RESTAURANT, "words": format!("{priority} {number}") });
            app.start_process(priority, &format!("{priority}-{number}"), data).await;
            app.settle().await;
            app.engine.clock.set(app.now() + TimeDelta::seconds(1));
        }
    }
    down_until(&app, 3).await;

    let expected: Vec<String> = ["high", "normal", "low"]
        .iter()
        .flat_map(|priority| {
            (1..=3).map(move |number| format!("{RESTAURANT}: {priority} {number}"))
        })
        .collect();
    assert_eq!(app.texted(), expected);
    app.finish().await;
}
