//! `intake`: batches of SQS, and which of their messages shall come again.

use serde_json::{Value, json};

use super::{Account, start_all};
use crate::databases::Cluster;

/// A message as SQS hands it to a function.
fn record(id: &str, group: &str, receives: u32, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": receives.to_string(),
            "SentTimestamp": "1795424400000",
            "SequenceNumber": "18849496460467696128",
            "MessageGroupId": group,
            "SenderId": "AIDAIO23YVJENQZJOL4VO",
            "MessageDeduplicationId": id,
            "ApproximateFirstReceiveTimestamp": "1795424400010",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders.fifo",
        "awsRegion": "eu-central-1",
    })
}

fn failures(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|one| one["itemIdentifier"].as_str().unwrap()).collect()
}

fn start(process_id: &str) -> String {
    json!({ "type": "start", "process_id": process_id, "sequence": "ring",
            "data": { "phone": "+385911234567" } })
    .to_string()
}

fn stop(process_id: &str) -> String {
    json!({ "process-id": process_id, "action": "stop" }).to_string()
}

fn batch(receives: u32) -> Value {
    json!({ "Records": [
        record("m1", "a", receives, &start("a")),
        record("m2", "a", receives, "{\"type\": \"begin\"}"),
        record("m3", "a", receives, &stop("a")),
        record("m4", "b", receives, &start("b")),
    ] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_message_is_ignored_and_the_batch_is_done() {
    let account = Account::new().await;
    start_all(&account, 0).await;
    let mut intake = account.function("intake").await;
    for receives in [1, 2] {
        let answer = intake.invoke(&batch(receives)).await.unwrap();
        assert_eq!(failures(&answer), [] as [&str; 0]);
    }
    let store = account.store().await;
    let status = async |id: &str| store.process(id).await.unwrap().unwrap().status.as_str();
    assert_eq!((status("a").await, status("b").await), ("stopped", "active"));
    let all = rungs::store::processes::Filter::default();
    assert_eq!(store.processes(&all, 10).await.unwrap().len(), 2, "redelivery changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_to_the_dead_letters_comes_again_with_those_behind_it_once() {
    let account = Account::new().await;
    start_all(&account, 0).await;
    let dead_letter = [("RUNGS_INTAKE_INVALID", "dead-letter")];
    let mut intake = account.function_with("intake", &dead_letter).await;
    let answer = intake.invoke(&batch(1)).await.unwrap();
    assert_eq!(failures(&answer), ["m2", "m3"]);
    let answer = intake.invoke(&batch(2)).await.unwrap();
    assert_eq!(failures(&answer), ["m2"]);
    let a = account.store().await.process("a").await.unwrap().unwrap();
    assert_eq!(a.status.as_str(), "stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_all_messages_come_again() {
    let cluster = Cluster::start(&[]);
    let account = Account::over(cluster.url("postgres")).await;
    let mut intake = account.function("intake").await;
    let none = intake.invoke(&json!({ "Records": [] })).await.unwrap();
    assert_eq!(failures(&none), [] as [&str; 0]);
    start_all(&account, 0).await;

    cluster.stop_immediately();
    let answer = intake.invoke(&batch(1)).await.unwrap();
    assert_eq!(failures(&answer), ["m1", "m2", "m3", "m4"]);
    cluster.start_again();
    let answer = intake.invoke(&batch(2)).await.unwrap();
    assert_eq!(failures(&answer), [] as [&str; 0]);

    assert!(intake.invoke(&json!({ "detail": {} })).await.is_err(), "that is no batch");
}
