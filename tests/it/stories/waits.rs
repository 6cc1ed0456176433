//! Waiting, by the calendar of the place.

use serde_json::json;

use super::{RESTAURANT, phone};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    harness::{Setup, TestApp},
};

on_every_database!(
    a_day_keeps_the_wall_clock_when_clocks_go_forward,
    a_date_without_an_offset_is_meant_where_the_process_is,
    the_next_office_hour_is_computed,
    a_year_that_is_over_fails_the_process_with_the_reason,
    a_process_that_was_down_for_a_day_goes_on,
    a_window_opens_when_the_calendar_does,
    whoever_acknowledges_in_time_spares_the_manager_a_call,
    an_acknowledgement_is_not_hidden_by_the_next_event_of_its_type,
);

/// Waits as `config` says, then rings.
fn ladder(run: &str, config: &str) -> String {
    format!(
        "
sequence: wait
timezone: '{{{{zone}}}}'
steps:
  - {{ id: wait, run: {run}, config: {config} }}
  - {{ id: ring, run: Phone, config: {{ to: '{RESTAURANT}', say: Hello }} }}
"
    )
}

async fn started(kind: Kind, now: &'static str, yaml: &str, zone: &str) -> TestApp {
    let app = Setup { now, ..Setup::on(kind) }.start().await;
    app.climb(yaml, "w", json!({ "zone": zone })).await;
    app
}

async fn due(app: &TestApp) -> String {
    app.process("w").await["due_at"].as_str().unwrap().to_owned()
}

async fn a_day_keeps_the_wall_clock_when_clocks_go_forward(kind: Kind) {
    let yaml = ladder("WaitForDuration", "{ amount: 1, unit: day }");
    // Noon on Saturday in Zagreb; that night 02:00 becomes 03:00.
    let app = started(kind, "2026-03-28T11:00:00Z", &yaml, "Europe/Zagreb").await;
    assert_eq!(due(&app).await, "2026-03-29T10:00:00.000Z", "noon again, 23 hours later");
    app.advance_to("2026-03-29T09:59:59Z".parse().unwrap()).await;
    assert!(app.called().is_empty());
    app.advance_to("2026-03-29T10:00:00Z".parse().unwrap()).await;
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn a_date_without_an_offset_is_meant_where_the_process_is(kind: Kind) {
    let yaml = ladder("WaitForDate", "{ date: '2026-11-24T08:30' }");
    let app = started(kind, "2026-11-23T09:00:00Z", &yaml, "America/New_York").await;
    assert_eq!(due(&app).await, "2026-11-24T13:30:00.000Z");
    app.advance_to("2026-11-24T13:30:00Z".parse().unwrap()).await;
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn the_next_office_hour_is_computed(kind: Kind) {
    let yaml = ladder("WaitForDateComparison", "{ attribute: hour, values: [9, 10, 11] }");
    let app = started(kind, "2026-11-23T22:00:00Z", &yaml, "Australia/Lord_Howe").await;
    assert_eq!(app.called(), [RESTAURANT], "it is nine in the morning there");
    app.finish().await;

    let app = started(kind, "2026-11-23T12:00:00Z", &yaml, "UTC").await;
    assert_eq!(due(&app).await, "2026-11-24T09:00:00.000Z");
    app.finish().await;
}

async fn a_year_that_is_over_fails_the_process_with_the_reason(kind: Kind) {
    let yaml = ladder("WaitForDateComparison", "{ attribute: year, values: [2020] }");
    let app = started(kind, "2026-11-23T12:00:00Z", &yaml, "UTC").await;
    let process = app.process("w").await;
    assert_eq!(process["status"], "failed");
    assert!(process["reason"].as_str().unwrap().starts_with("step `wait`:"), "{process:#}");
    app.finish().await;
}

async fn a_process_that_was_down_for_a_day_goes_on(kind: Kind) {
    let yaml = ladder("WaitForDuration", "{ amount: 3, unit: minutes }");
    let app = started(kind, "2026-11-23T09:00:00Z", &yaml, "UTC").await;
    // Nothing ran for a day: the clock jumps.
    app.engine.clock.set("2026-11-24T09:00:00Z".parse().unwrap());
    app.settle().await;
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

const WINDOW: &str = r#"
sequence: window
timezone: Europe/Zagreb
calendars:
  office:
    hours: { mon-fri: 08:00-18:00 }
    holidays: [{ date: 2026-11-23, name: Inventory }]
steps:
  - { id: open, run: WaitForWindow, config: { from: 09:00, to: 17:00, calendar: office } }
  - { id: ring, run: Phone, config: { to: "{{phone}}", say: Hello } }
"#;

async fn a_window_opens_when_the_calendar_does(kind: Kind) {
    // Friday evening there; Monday is a holiday.
    let app = Setup { now: "2026-11-20T17:00:00Z", ..Setup::on(kind) }.start().await;
    app.climb(WINDOW, "w", phone()).await;
    assert_eq!(due(&app).await, "2026-11-24T08:00:00.000Z", "Tuesday at nine");
    app.advance_to("2026-11-24T07:59:59Z".parse().unwrap()).await;
    assert!(app.called().is_empty());
    app.advance_to("2026-11-24T08:00:00Z".parse().unwrap()).await;
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

const ACKNOWLEDGE: &str = r#"
sequence: acknowledge
steps:
  - { id: text, run: SMS, config: { to: "{{phone}}", message: It burns } }
  - id: acknowledged
    run: WaitForEvent
    config:
      event: acknowledged
      where:
        lodashCommand: eq
        value: { type: get, value: event.data.level }
        compareTo: { type: raw, value: 2 }
      timeout: 15 minutes
    altNext: ring
  - { id: fine, run: GoTo, config: { step: end } }
  - { id: ring, run: Phone, config: { to: "{{phone}}", say: It still burns } }
"#;

async fn whoever_acknowledges_in_time_spares_the_manager_a_call(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ACKNOWLEDGE, "seen", phone()).await;
    app.climb(ACKNOWLEDGE, "unseen", phone()).await;
    app.clock_shows("09:10").await;
    app.event("seen", "acknowledged", json!({ "level": 2 })).await;
    app.event("unseen", "acknowledged", json!({ "level": 1 })).await;
    app.settle().await;
    assert_eq!(app.stands("seen").await, "completed at fine");

    app.clock_shows("09:14:59").await;
    assert!(app.called().is_empty());
    app.clock_shows("09:15").await;

    assert_eq!(app.called(), [RESTAURANT], "the other one was of the wrong level");
    let history = app.history("unseen").await;
    assert!(history.contains(&"09:15 acknowledged altNext".to_owned()), "{history:#?}");
    app.finish().await;
}

async fn an_acknowledgement_is_not_hidden_by_the_next_event_of_its_type(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ACKNOWLEDGE, "w", phone()).await;
    // Both come before anybody looks.
    app.event("w", "acknowledged", json!({ "level": 2 })).await;
    app.event("w", "acknowledged", json!({ "level": 1 })).await;
    app.settle().await;
    assert_eq!(app.stands("w").await, "completed at fine");
    app.finish().await;
}
