//! `evaluate`: what is due, as long as there is time.

use std::time::Duration;

use serde_json::json;

use super::{Account, schedule, start_all};
use crate::fakes::lambda::timed;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_what_is_due_and_says_what_it_did() {
    let account = Account::new().await;
    start_all(&account, 30).await;
    let mut evaluate = account.function("evaluate").await;
    let tally = evaluate.invoke(&schedule()).await.unwrap();
    assert_eq!((&tally["sent"], &tally["completed"]), (&json!(30), &json!(30)), "{tally:#}");
    assert_eq!(account.twilio.calls().len(), 30);
    let tally = evaluate.invoke(&schedule()).await.unwrap();
    assert_eq!((&tally["processes"], &tally["sent"]), (&json!(0), &json!(0)), "{tally:#}");
    eprintln!("evaluate: {} KiB", evaluate.resident());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_call_everybody_once() {
    let account = Account::new().await;
    start_all(&account, 60).await;
    let (mut one, mut two) =
        (account.function("evaluate").await, account.function("evaluate").await);
    let event = schedule();
    let (first, second) = tokio::join!(one.invoke(&event), two.invoke(&event));
    let sent = |tally: &serde_json::Value| tally["sent"].as_u64().unwrap();
    assert_eq!(sent(&first.unwrap()) + sent(&second.unwrap()), 60);
    assert_eq!(account.twilio.calls().len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_the_time_is_left_to_the_next_run() {
    let account = Account::new().await;
    start_all(&account, 60).await;
    // Twelve seconds of work, and nine seconds for it.
    let slow = [("RUNGS_PHONE_PER_SECOND", "5"), ("RUNGS_PHONE_MAX_IN_FLIGHT", "5")];
    let mut evaluate = account.function_with("evaluate", &slow).await;
    let time = Duration::from_secs(9);
    let told = evaluate.begin(&schedule(), time);
    let (tally, took) = timed(told).await;
    let tally = tally.unwrap().unwrap();
    let sent = tally["sent"].as_u64().unwrap();
    assert!(took < time, "{took:?}");
    assert!((10..60).contains(&sent), "{tally:#}");
    assert_eq!(account.twilio.calls().len() as u64, sent, "what was begun has ended");

    let tally = evaluate.invoke(&schedule()).await.unwrap();
    assert_eq!(tally["sent"].as_u64().unwrap() + sent, 60, "{tally:#}");
    assert_eq!(account.twilio.calls().len(), 60);
}

/// Lambda freezes a function as soon as it has answered, and may never let it go on.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_under_way_when_a_run_has_answered() {
    let account = Account::new().await;
    account.twilio.takes_its_time(Duration::from_millis(300));
    start_all(&account, 40).await;
    let mut evaluate = account.function("evaluate").await;
    let tally = evaluate.invoke(&schedule()).await.unwrap();
    evaluate.freeze();
    assert_eq!(tally["sent"], 40, "{tally:#}");
    let store = account.store().await;
    let open = store.count_open_deliveries().await.unwrap();
    assert!(open.iter().all(|(_, count)| *count == 0), "{open:?}");
    evaluate.kill();
    assert_eq!(account.twilio.calls().len(), 40);
}

/// One that took too long is killed; its attempts are looked for, not repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cut_off_is_gone_on_with_by_the_next() {
    let account = Account::new().await;
    account.twilio.takes_its_time(Duration::from_millis(1_500));
    start_all(&account, 10).await;
    let short = [("RUNGS_LEASE_SECONDS", "3"), ("RUNGS_TWILIO_TIMEOUT", "2")];
    let mut evaluate = account.function_with("evaluate", &short).await;
    let told = evaluate.begin(&schedule(), Duration::from_secs(30));
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    evaluate.kill();
    drop(told);
    tokio::time::sleep(Duration::from_secs(3)).await;

    let mut evaluate = account.function_with("evaluate", &short).await;
    let tally = evaluate.invoke(&schedule()).await.unwrap();
    assert_eq!(tally["completed"], 10, "{tally:#}");
    assert_eq!(account.twilio.calls().len(), 10, "each was called once");
}
