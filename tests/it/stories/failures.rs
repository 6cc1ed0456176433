//! What an author, or the data, got wrong.

use serde_json::json;

use super::{RESTAURANT, RING};
use crate::{databases::Kind, every_database::on_every_database, harness::TestApp};

on_every_database!(
    a_number_that_is_none_does_not_stop_the_ladder,
    a_template_error_fails_its_process_and_no_other,
    a_failed_process_can_be_resumed_once_its_data_is_mended,
    an_unknown_time_zone_in_the_data_is_refused_at_the_start,
    a_missing_caller_id_is_a_reason_in_the_history,
);

async fn a_number_that_is_none_does_not_stop_the_ladder(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = r#"
sequence: two-numbers
steps:
  - id: first
    run: Phone
    config: { to: "{{first}}", say: Hello }
  - id: second
    run: Phone
    config: { to: "{{second}}", say: Hello }
"#;
    app.climb(yaml, "p", json!({ "first": "extension seven", "second": RESTAURANT })).await;

    assert_eq!(app.called(), [RESTAURANT]);
    let process = app.process("p").await;
    assert_eq!(process["status"], "completed");
    assert_eq!(process["steps"]["first"]["status"], "failed");
    let error = process["steps"]["first"]["error"].as_str().unwrap();
    assert!(error.contains("extension seven"), "{error}");
    app.finish().await;
}

const DATED: &str = r#"
sequence: dated
steps:
  - id: ring
    run: Phone
    config: { to: "{{phone}}", say: "Your appointment is on {{date appointment 'D MMMM'}}." }
"#;

async fn a_template_error_fails_its_process_and_no_other(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(DATED).await;
    for (id, appointment) in [("bad", "soon"), ("good", "2026-12-01")] {
        app.start_process("dated", id, json!({ "phone": RESTAURANT, "appointment": appointment }))
            .await;
    }
    app.settle().await;

    assert_eq!(app.stands("good").await, "completed at ring");
    let bad = app.process("bad").await;
    assert_eq!(bad["status"], "failed");
    let reason = bad["reason"].as_str().unwrap();
    assert!(reason.starts_with("step `ring`: config") && reason.contains("soon"), "{reason}");
    app.finish().await;
}

async fn a_failed_process_can_be_resumed_once_its_data_is_mended(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(DATED, "p", json!({ "phone": RESTAURANT, "appointment": "soon" })).await;
    let (status, problem) =
        app.post("/v1/processes/p/events", &json!({ "type": "data", "data": {} })).await;
    assert_eq!(status, 409, "it has ended: {problem:#}");

    let (status, process) = app.post("/v1/processes/p/resume", &json!({})).await;
    assert_eq!((status, &process["status"]), (200, &json!("active")));
    app.event("p", "data", json!({ "appointment": "2026-12-01" })).await;
    app.settle().await;

    assert_eq!(app.stands("p").await, "completed at ring");
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn an_unknown_time_zone_in_the_data_is_refused_at_the_start(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = RING.replace("steps:", "timezone: \"{{zone}}\"\nsteps:");
    app.publish(&yaml).await;
    let body =
        json!({ "sequence": "ring", "data": { "phone": RESTAURANT, "zone": "Mars/Olympus" } });
    let (status, problem) = app.post("/v1/processes", &body).await;
    assert_eq!(status, 422);
    assert!(problem.to_string().contains("Mars/Olympus"), "{problem:#}");
    app.finish().await;
}

async fn a_missing_caller_id_is_a_reason_in_the_history(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = r#"
sequence: sip
steps:
  - id: ring
    run: Phone
    config: { to: "sip:kitchen@galija.example", from: "{{from}}", say: Hello }
"#;
    app.climb(yaml, "p", json!({ "from": "+38515550100" })).await;
    let delivery = app.process("p").await["deliveries"][0].clone();
    assert_eq!(delivery["status"], "sent", "{delivery:#}");
    app.finish().await;
}
