//! A provider that misbehaves.

use rungs::channels::Limits;

use super::{RESTAURANT, RING, phone};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::twilio::{Fate, Mood},
    harness::{Setup, TestApp},
};

on_every_database!(
    a_provider_that_is_down_is_tried_again_later_and_later,
    a_provider_that_stays_down_is_given_up_and_the_ladder_goes_on,
    a_provider_may_ask_for_a_pause,
    a_number_that_is_refused_is_not_tried_again,
    a_call_that_was_taken_without_an_answer_is_settled_by_its_callback,
    callbacks_may_come_twice_and_in_any_order,
    a_lost_callback_is_asked_for,
    without_callbacks_the_provider_is_asked,
    a_forged_callback_is_refused,
    an_attempt_of_a_program_that_died_is_repeated,
    a_paced_channel_keeps_its_pace,
);

async fn a_provider_that_is_down_is_tried_again_later_and_later(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::Unavailable);
    app.twilio.next(Mood::HangUpBefore);
    app.climb(RING, "r1", phone()).await;
    app.clock_shows("09:05").await;

    assert_eq!(app.called(), [RESTAURANT], "the third attempt was taken");
    let delivery = app.process("r1").await["deliveries"][0].clone();
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&"sent".into(), &3.into()));
    let log = delivery["log"].as_array().unwrap();
    assert!(log[0]["error"].as_str().unwrap().contains("503"), "{log:#?}");
    app.finish().await;
}

async fn a_provider_that_stays_down_is_given_up_and_the_ladder_goes_on(kind: Kind) {
    let app = TestApp::on(kind).await;
    (0..5).for_each(|_| app.twilio.next(Mood::Unavailable));
    app.climb(RING, "r1", phone()).await;
    app.clock_shows("10:00").await;

    assert_eq!(app.texted().len(), 1, "the ladder does not stop because a channel is down");
    let process = app.process("r1").await;
    assert_eq!(process["steps"]["ring"]["status"], "failed");
    assert!(process["steps"]["ring"]["error"].as_str().unwrap().contains("503"), "{process:#}");
    app.finish().await;
}

async fn a_provider_may_ask_for_a_pause(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::TooMany("600"));
    app.climb(RING, "r1", phone()).await;
    app.clock_shows("09:09:59").await;
    assert!(app.called().is_empty());
    app.clock_shows("09:10").await;
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn a_number_that_is_refused_is_not_tried_again(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::Refusal(400, 21211, "The 'To' number is not a valid phone number."));
    app.climb(RING, "r1", phone()).await;

    assert_eq!(app.twilio.requests().len(), 2, "one call refused, one text taken");
    let process = app.process("r1").await;
    let error = process["steps"]["ring"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("21211"), "{error}");
    app.finish().await;
}

async fn a_call_that_was_taken_without_an_answer_is_settled_by_its_callback(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.twilio.next(Mood::HangUpAfter);
    app.climb(RING, "r1", phone()).await;
    let log = app.process("r1").await["deliveries"][0]["log"].clone();
    assert_eq!(log[0]["what"], "in-doubt", "{log:#}");

    let call = app.twilio.calls().remove(0);
    app.twilio.ring(&call.sid, Fate::Answered).await;
    app.clock_shows("10:00").await;

    assert_eq!(app.called().len(), 1, "the callback came before the repetition was due");
    assert_eq!(app.stands("r1").await, "completed at answered");
    app.finish().await;
}

async fn callbacks_may_come_twice_and_in_any_order(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(RING, "r1", phone()).await;
    let call = app.twilio.calls().remove(0);
    let callbacks = app.twilio.happens(&call.sid, Fate::Answered);
    for callback in callbacks.iter().rev().chain(&callbacks) {
        assert_eq!(app.twilio.call_back(callback).await, 204);
        app.settle().await;
    }

    assert_eq!(app.stands("r1").await, "completed at answered");
    assert!(app.texted().is_empty());
    let delivery = app.process("r1").await["deliveries"][0].clone();
    assert_eq!(delivery["status"], "completed");
    app.finish().await;
}

async fn a_lost_callback_is_asked_for(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(RING, "r1", phone()).await;
    let call = app.twilio.calls().remove(0);
    drop(app.twilio.happens(&call.sid, Fate::NoAnswer));
    app.clock_shows("09:01").await;
    assert_eq!(app.stands("r1").await, "active at ring");

    app.clock_shows("09:03").await;

    assert_eq!(app.texted().len(), 1, "the provider was asked and said that nobody answered");
    app.finish().await;
}

async fn without_callbacks_the_provider_is_asked(kind: Kind) {
    let app = Setup { callbacks: false, ..Setup::on(kind) }.start().await;
    app.climb(RING, "r1", phone()).await;
    let call = app.twilio.calls().remove(0);
    assert_eq!(call.field("StatusCallback"), None);
    app.clock_shows("09:00:20").await;
    assert_eq!(app.stands("r1").await, "active at ring");
    drop(app.twilio.happens(&call.sid, Fate::Answered));

    app.clock_shows("09:01").await;

    assert_eq!(app.stands("r1").await, "completed at answered");
    app.finish().await;
}

async fn a_forged_callback_is_refused(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(RING, "r1", phone()).await;
    let call = app.twilio.calls().remove(0);
    let mut callback = app.twilio.happens(&call.sid, Fate::Answered).pop().unwrap();
    callback.form.retain(|(name, _)| name != "CallStatus");
    callback.form.push(("CallStatus".into(), "busy".into()));

    assert_eq!(app.twilio.call_back(&callback).await, 403);

    app.settle().await;
    assert_eq!(app.stands("r1").await, "active at ring");
    app.finish().await;
}

async fn an_attempt_of_a_program_that_died_is_repeated(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    app.start_process("ring", "r1", phone()).await;
    app.engine.evaluate().await.unwrap();
    // Somebody begins the attempt and is never heard of again.
    let now = app.now();
    let lease_until = now + app.engine.options.lease;
    let begun = app.engine.store.begin_attempts("phone", 10, now, lease_until).await.unwrap();
    assert_eq!(begun.len(), 1);

    app.clock_shows("09:01:59").await;
    assert!(app.called().is_empty());
    app.clock_shows("09:02").await;

    assert_eq!(app.called(), [RESTAURANT], "the provider knew of no call");
    app.finish().await;
}

async fn a_paced_channel_keeps_its_pace(kind: Kind) {
    let limits = Limits { max_in_flight: 4, per_second: Some(2.0) };
    let app = Setup { limits: vec![("phone", limits)], ..Setup::on(kind) }.start().await;
    app.publish(RING).await;
    for number in 0..10 {
        app.start_process("ring", &format!("r{number}"), phone()).await;
    }
    let mut calls = Vec::new();
    for second in 0..6 {
        app.engine.clock.set(app.now() + chrono::TimeDelta::seconds(i64::from(second > 0)));
        app.engine.drain().await.unwrap();
        calls.push(app.called().len());
    }
    assert_eq!(calls, [2, 4, 6, 8, 10, 10]);
    app.finish().await;
}
