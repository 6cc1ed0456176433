//! `intake` and `tick`: what is there is taken in, and they end.

use std::time::Duration;

use rungs::clock::Stopwatch;
use serde_json::json;

use super::{Counter, event, of_group, start, stop, until};
use crate::{databases::Kind, every_database::on_every_database, fakes::sqs::Sqs};

on_every_database!(
    what_is_in_the_queue_is_taken_in_and_deleted,
    a_tick_takes_in_evaluates_and_delivers,
    a_wrong_message_ends_among_the_dead_letters_alone,
);

async fn what_is_in_the_queue_is_taken_in_and_deleted(kind: Kind) {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 30, json!({})).await;
    let counter = Counter::on(kind, &queue).await;
    let first =
        of_group("a", &[start("a", "listen"), event("a", "ping"), "no JSON".to_owned(), stop("a")]);
    queue.send(&first).await;
    // The sender was not sure, and sent it again: SQS drops what it knows.
    queue.send(&first[..1]).await;
    queue.send(&of_group("b", &[start("b", "listen")])).await;

    let said = counter.ask(&["intake"]).await;
    let expected = json!({
        "messages": 5, "started": 2, "stopped": 1, "told": 1,
        "ignored": 0, "repeated": 0, "invalid": 1, "left": 0,
    });
    assert_eq!(said, expected);
    assert_eq!(queue.length().await, 0);
    let store = counter.store().await;
    assert_eq!(store.process("a").await.unwrap().unwrap().status.as_str(), "stopped");
    assert_eq!(store.process("b").await.unwrap().unwrap().status.as_str(), "active");

    assert_eq!(counter.ask(&["intake"]).await["messages"], 0);
}

async fn a_tick_takes_in_evaluates_and_delivers(kind: Kind) {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 30, json!({})).await;
    let mut counter = Counter::on(kind, &queue).await;
    queue.send(&of_group("a", &[start("a", "ring")])).await;
    let said = counter.ask(&["tick"]).await;
    assert_eq!((&said["queue"]["started"], &said["sent"]), (&json!(1), &json!(1)), "{said:#}");

    // Whatever becomes of the queue, who waits for a call is called.
    counter.ask(&["start", "ring", "--id", "b"]).await;
    queue.delete().await;
    let said = counter.run(&["--format", "json", "tick"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.err.contains("let RUNGS_SQS_QUEUE_URL name another"), "{said:#?}");
    assert!(said.out.contains("\"sent\":1"), "{said:#?}");

    // No new message is received once the time is over.
    counter.set("RUNGS_INTAKE_MAX_SECONDS", 0);
    let watch = Stopwatch::start();
    assert_eq!(counter.ask(&["intake"]).await["messages"], 0);
    assert!(watch.elapsed() < Duration::from_secs(20));
}

async fn a_wrong_message_ends_among_the_dead_letters_alone(kind: Kind) {
    let sqs = Sqs::start();
    let (queue, dead) = sqs.queue_with_dead_letters(1, 3).await;
    let mut counter = Counter::on(kind, &queue).await;
    counter.set("RUNGS_INTAKE_INVALID", "dead-letter");
    let wrong = "{\"type\": \"begin\"}".to_owned();
    queue
        .send(&of_group(
            "a",
            &[start("a", "listen"), wrong.clone(), stop("a"), start("c", "listen")],
        ))
        .await;
    queue.send(&of_group("b", &[start("b", "listen")])).await;

    until("it is laid aside", async || {
        counter.ask(&["intake"]).await;
        dead.length().await > 0
    })
    .await;
    assert_eq!((queue.length().await, dead.receive().await), (0, vec![wrong]));
    let store = counter.store().await;
    assert_eq!(store.process("a").await.unwrap().unwrap().status.as_str(), "stopped");
    assert!(store.process("c").await.unwrap().is_some());
}
