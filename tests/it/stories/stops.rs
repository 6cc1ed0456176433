//! Stop, pause, resume.

use serde_json::json;

use super::{ORDER_ESCALATION, RESTAURANT, RING, phone, two_orders};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::twilio::{Fate, Mood},
    harness::TestApp,
};

on_every_database!(
    a_stopped_process_contacts_nobody,
    a_stop_holds_back_a_delivery_that_was_written_and_not_begun,
    a_stop_ends_the_retries,
    a_paused_process_waits_and_goes_on,
    a_name_is_free_again_after_a_stop,
);

async fn a_stopped_process_contacts_nobody(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;
    app.clock_shows("09:02").await;

    let (status, process) =
        app.post("/v1/processes/order-7/stop", &json!({ "reason": "cancelled" })).await;
    assert_eq!(
        (status, &process["status"], &process["reason"]),
        (200, &json!("stopped"), &json!("cancelled"))
    );
    let (status, again) = app.post("/v1/processes/order-7/stop", &json!({})).await;
    assert_eq!((status, &again["reason"]), (200, &json!("cancelled")), "again changes nothing");

    app.clock_shows("10:00").await;
    assert!(app.called().is_empty());
    let (status, _) = app.post("/v1/processes/nobody/stop", &json!({})).await;
    assert_eq!(status, 404);
    let (status, _) = app.post("/v1/processes/order-7/resume", &json!({})).await;
    assert_eq!(status, 409, "stopped is stopped");
    app.finish().await;
}

async fn a_stop_holds_back_a_delivery_that_was_written_and_not_begun(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.start_process("ring", "r1", phone()).await;
    app.engine.evaluate().await.unwrap();

    let (status, _) = app.post("/v1/processes/r1/stop", &json!({})).await;
    assert_eq!(status, 200);
    app.settle().await;

    assert!(app.twilio.requests().is_empty());
    let process = app.process("r1").await;
    assert_eq!(process["deliveries"][0]["status"], "cancelled");
    app.finish().await;
}

async fn a_stop_ends_the_retries(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::Unavailable);
    app.climb(RING, "r1", phone()).await;
    assert_eq!(app.twilio.requests().len(), 1);

    app.post("/v1/processes/r1/stop", &json!({})).await;
    app.clock_shows("12:00").await;

    assert_eq!(app.twilio.requests().len(), 1);
    app.finish().await;
}

async fn a_paused_process_waits_and_goes_on(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::Answered);
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;
    let (status, process) = app.post("/v1/processes/order-7/pause", &json!({})).await;
    assert_eq!((status, &process["status"]), (200, &json!("paused")));
    app.clock_shows("09:30").await;
    assert!(app.called().is_empty());

    let (status, _) = app.post("/v1/processes/order-7/resume", &json!({})).await;
    assert_eq!(status, 200);
    app.settle().await;

    assert_eq!(app.called(), [RESTAURANT], "the grace was over long ago");
    app.finish().await;
}

async fn a_name_is_free_again_after_a_stop(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;
    let body =
        json!({ "sequence": "order-escalation", "process_id": "order-7", "data": two_orders() });
    let (status, answer) = app.post("/v1/processes", &body).await;
    assert_eq!((status, &answer["started"]), (200, &json!(false)), "it is live: nothing changed");

    app.post("/v1/processes/order-7/stop", &json!({})).await;
    let (status, answer) = app.post("/v1/processes", &body).await;
    assert_eq!((status, &answer["started"]), (201, &json!(true)));

    let both = app.get("/v1/processes?process_id=order-7").await;
    assert_eq!(both["processes"].as_array().unwrap().len(), 2);
    app.finish().await;
}
