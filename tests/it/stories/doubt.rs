//! Attempts of which nobody knows whether they arrived.

use serde_json::json;

use super::{RESTAURANT, RING, phone};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::twilio::{Fate, Mood},
    harness::{Setup, TestApp},
};

on_every_database!(
    a_call_whose_answer_got_lost_is_found_at_the_provider_and_not_repeated,
    a_call_that_never_arrived_is_placed_again,
    a_call_of_a_program_that_died_is_found_and_not_repeated,
    of_two_calls_in_doubt_to_one_number_each_finds_its_own,
    what_another_delivery_may_have_made_is_not_taken_for_ones_own,
    a_provider_that_cannot_be_asked_either_is_asked_again,
    a_stop_during_a_doubt_repeats_nothing,
    where_nobody_can_be_asked_the_step_decides,
);

/// Two texts to one number.
const TEXT: &str = r#"
sequence: text
steps:
  - id: text
    run: SMS
    config: { to: "{{phone}}", message: "{{words}}" }
"#;

async fn a_call_whose_answer_got_lost_is_found_at_the_provider_and_not_repeated(kind: Kind) {
    let app = Setup { callbacks: false, ..Setup::on(kind) }.start().await;
    app.twilio.next(Mood::HangUpAfter);
    app.climb(RING, "r1", phone()).await;
    let delivery = app.process("r1").await["deliveries"][0].clone();
    assert_eq!(delivery["status"], "in-doubt", "{delivery:#}");
    assert_eq!(app.stands("r1").await, "active at ring");

    app.clock_shows("09:00:15").await;
    let delivery = app.process("r1").await["deliveries"][0].clone();
    assert_eq!(delivery["status"], "sent", "{delivery:#}");
    app.twilio.ring(&app.twilio.calls()[0].sid, Fate::Answered).await;
    app.clock_shows("09:30").await;

    assert_eq!(app.called(), [RESTAURANT], "once");
    assert_eq!(app.stands("r1").await, "completed at answered");
    app.finish().await;
}

async fn a_call_that_never_arrived_is_placed_again(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::HangUpBefore);
    app.climb(RING, "r1", phone()).await;
    app.clock_shows("09:00:14").await;
    assert!(app.called().is_empty());

    app.clock_shows("09:01").await;

    assert_eq!(app.called(), [RESTAURANT]);
    let log = app.process("r1").await["deliveries"][0]["log"].clone();
    let log: Vec<&str> =
        log.as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(log, ["in-doubt", "not-found", "sent"]);
    app.finish().await;
}

async fn a_call_of_a_program_that_died_is_found_and_not_repeated(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.start_process("ring", "r1", phone()).await;
    app.engine.evaluate().await.unwrap();
    // A program places the call and is killed before it can write that down.
    let lease_until = app.now() + app.engine.options.lease;
    let begun = app.engine.store.begin_attempts("phone", 10, app.now(), lease_until).await.unwrap();
    let outgoing = rungs::channels::Outgoing {
        id: begun[0].id.clone(),
        process_id: "r1".to_owned(),
        step: "ring".to_owned(),
        attempt: 1,
        request: serde_json::from_str(&begun[0].request).unwrap(),
        now: app.now(),
    };
    app.engine.channels.get("phone").unwrap().channel.send(&outgoing).await.unwrap();

    app.clock_shows("09:02").await;

    assert_eq!(app.called(), [RESTAURANT], "once");
    let delivery = app.process("r1").await["deliveries"][0].clone();
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&"sent".into(), &1.into()));
    app.finish().await;
}

async fn of_two_calls_in_doubt_to_one_number_each_finds_its_own(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.twilio.next(Mood::HangUpAfter);
    app.twilio.next(Mood::HangUpBefore);
    for id in ["r1", "r2"] {
        app.start_process("ring", id, phone()).await;
        app.settle().await;
    }
    assert_eq!(app.called().len(), 1, "one arrived, and nobody knows which");

    app.clock_shows("09:01").await;

    assert_eq!(app.called().len(), 2, "one for each of them");
    for id in ["r1", "r2"] {
        assert_eq!(app.process(id).await["deliveries"][0]["status"], "sent");
    }
    app.finish().await;
}

async fn what_another_delivery_may_have_made_is_not_taken_for_ones_own(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.twilio.next(Mood::HangUpBefore);
    app.start_process("ring", "lost", phone()).await;
    app.settle().await;
    // Another call to the same number is placed at this moment, and not written down yet.
    app.start_process("ring", "other", phone()).await;
    app.engine.evaluate().await.unwrap();
    let lease_until = app.now() + app.engine.options.lease;
    let begun = app.engine.store.begin_attempts("phone", 10, app.now(), lease_until).await.unwrap();
    let outgoing = rungs::channels::Outgoing {
        id: begun[0].id.clone(),
        process_id: "other".to_owned(),
        step: "ring".to_owned(),
        attempt: 1,
        request: serde_json::from_str(&begun[0].request).unwrap(),
        now: app.now(),
    };
    app.engine.channels.get("phone").unwrap().channel.send(&outgoing).await.unwrap();

    app.clock_shows("09:01").await;
    let lost = app.process("lost").await["deliveries"][0].clone();
    assert_eq!(lost["status"], "in-doubt", "the call that is there may be the other's: {lost:#}");
    app.clock_shows("09:10").await;

    assert_eq!(app.called().len(), 2, "each was placed once");
    app.finish().await;
}

async fn a_provider_that_cannot_be_asked_either_is_asked_again(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::HangUpAfter);
    (0..3).for_each(|_| app.twilio.next(Mood::Unavailable));
    app.climb(RING, "r1", phone()).await;
    app.clock_shows("09:00:20").await;
    assert_eq!(app.process("r1").await["deliveries"][0]["status"], "in-doubt");

    app.clock_shows("09:02").await;

    assert_eq!(app.process("r1").await["deliveries"][0]["status"], "sent");
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn a_stop_during_a_doubt_repeats_nothing(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(TEXT).await;
    app.twilio.next(Mood::HangUpBefore);
    app.start_process("text", "gone", json!({ "phone": RESTAURANT, "words": "One." })).await;
    app.settle().await;
    app.twilio.next(Mood::HangUpAfter);
    app.start_process("text", "there", json!({ "phone": RESTAURANT, "words": "Two." })).await;
    app.settle().await;
    for id in ["gone", "there"] {
        app.post(&format!("/v1/processes/{id}/stop"), &json!({})).await;
    }

    app.clock_shows("10:00").await;

    assert_eq!(app.texted(), [format!("{RESTAURANT}: Two.")]);
    assert_eq!(app.process("gone").await["deliveries"][0]["status"], "cancelled");
    assert_eq!(app.process("there").await["deliveries"][0]["status"], "sent");
    app.finish().await;
}

async fn where_nobody_can_be_asked_the_step_decides(kind: Kind) {
    let app = TestApp::on(kind).await;
    for (in_doubt, status, way) in
        [("repeat", "sent", "told"), ("skip", "in-doubt", "told"), ("fail", "failed", "failed")]
    {
        let yaml = format!(
            r"
sequence: mail-{in_doubt}
defaults: {{ inDoubt: {in_doubt} }}
steps:
  - id: mail
    run: Email
    config: {{ from: rungs@example.com, to: ana@example.com, subject: Orders, text: Waiting }}
    altNext: failed
  - {{ id: told, run: GoTo, config: {{ step: end }} }}
  - {{ id: failed, run: GoTo, config: {{ step: end }} }}
"
        );
        app.publish(&yaml).await;
        app.start_process(&format!("mail-{in_doubt}"), in_doubt, json!({})).await;
        app.engine.evaluate().await.unwrap();
        // The program is killed while it talks to the mail server.
        let lease_until = app.now() + app.engine.options.lease;
        app.engine.store.begin_attempts("email", 10, app.now(), lease_until).await.unwrap();
        app.advance_to(lease_until).await;

        let process = app.process(in_doubt).await;
        assert_eq!(process["deliveries"][0]["status"], status, "{process:#}");
        assert_eq!(app.stands(in_doubt).await, format!("completed at {way}"));
    }
    assert_eq!(app.printed.lock().unwrap().len(), 1, "only the first was sent again");
    app.finish().await;
}
