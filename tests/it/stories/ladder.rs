//! The main job: a ladder is climbed.

use serde_json::json;

use super::{MANAGER, ORDER_ESCALATION, RESTAURANT, two_orders};
use crate::{
    databases::Kind, every_database::on_every_database, fakes::twilio::Fate, harness::TestApp,
};

on_every_database!(
    nobody_picks_up,
    the_order_is_confirmed_while_the_phone_rings,
    somebody_picks_up_and_confirms,
    somebody_picks_up_and_forgets,
    a_confirmed_order_rings_nobody,
);

async fn nobody_picks_up(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::NoAnswer);
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;
    assert_eq!(app.stands("order-7").await, "active at grace");

    app.clock_shows("09:02:59").await;
    assert!(app.called().is_empty(), "three minutes of grace");

    app.clock_shows("09:03").await;
    assert_eq!(app.called(), [RESTAURANT]);
    assert_eq!(
        app.texted(),
        [format!("{MANAGER}: Orders are waiting at Galija, and nobody picks up the phone.")]
    );

    app.clock_shows("09:30").await;
    assert_eq!(app.called().len(), 4, "the first call and three more");
    assert_eq!(app.texted().len(), 4);
    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    let history = app.history("order-7").await;
    let start = [
        "09:00 started",
        "09:00 grace noop",
        "09:03 grace next",
        "09:03 ring noop",
        "09:03 ring wrote phone",
        "09:03 ring heard sent",
        "09:03 ring noop",
        "09:03 ring heard no-answer",
        "09:03 ring altNext",
        "09:03 text-manager noop",
        "09:03 text-manager wrote sms",
    ];
    assert_eq!(history[..start.len()], start);
    assert_eq!(history.last().unwrap(), "09:11 completed");
    app.finish().await;
}

async fn the_order_is_confirmed_while_the_phone_rings(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;
    app.clock_shows("09:03").await;
    assert_eq!(app.stands("order-7").await, "active at ring");

    app.event("order-7", "order.status", json!({ "order": { "status": "confirmed" } })).await;
    app.settle().await;

    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    let call = app.twilio.calls().remove(0);
    assert_eq!(app.twilio.ring(&call.sid, Fate::NoAnswer).await, [204, 204, 204]);
    app.clock_shows("10:00").await;
    assert!(app.texted().is_empty(), "nobody else is bothered");
    let history = app.history("order-7").await;
    assert!(history.contains(&"09:03 confirmed achieved from ring".to_owned()), "{history:#?}");
    app.finish().await;
}

async fn somebody_picks_up_and_confirms(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::Answered);
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;
    app.clock_shows("09:07").await;
    assert_eq!(app.stands("order-7").await, "active at settle");

    app.event("order-7", "order.status", json!({ "order": { "status": "confirmed" } })).await;
    app.settle().await;

    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    assert_eq!((app.called().len(), app.texted().len()), (1, 0));
    let process = app.process("order-7").await;
    assert_eq!(process["data"]["order"], json!({ "count": 2, "status": "confirmed" }));
    assert_eq!(process["steps"]["ring"]["status"], "completed");
    app.finish().await;
}

async fn somebody_picks_up_and_forgets(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::Answered);
    app.climb(ORDER_ESCALATION, "order-7", two_orders()).await;

    app.clock_shows("09:08").await;
    assert_eq!(app.called().len(), 2, "five minutes later the phone rings again");
    app.clock_shows("10:00").await;
    assert_eq!(app.called().len(), 4);
    assert!(app.texted().is_empty());
    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    app.finish().await;
}

async fn a_confirmed_order_rings_nobody(kind: Kind) {
    let app = TestApp::on(kind).await;
    let mut data = two_orders();
    data["order"]["status"] = json!("confirmed");
    app.climb(ORDER_ESCALATION, "order-7", data).await;
    assert_eq!(app.stands("order-7").await, "completed at confirmed");
    app.clock_shows("10:00").await;
    assert!(app.called().is_empty());
    app.finish().await;
}
