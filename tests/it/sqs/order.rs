//! Two thousand messages over fifty groups, and consumers that are killed at them.

use std::{
    collections::BTreeMap,
    process::{Child, Stdio},
    time::Duration,
};

use rungs::store::processes::Filter;
use rungs_core::Entry;
use serde_json::json;
use tokio::time::sleep;

use super::{Counter, event, of_group, proxy::Proxy, start, stop, until};
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::sqs::{Queue, Sqs},
};

on_every_database!(
    two_thousand_messages_over_fifty_groups_are_taken_in_in_order,
    a_consumer_that_is_killed_before_it_deletes_has_taken_in_what_it_committed_and_no_more,
    a_message_that_another_consumer_holds_holds_its_group,
);

const GROUPS: usize = 50;
/// Of each group: a start, events, a stop, and a start again.
const EACH: usize = 40;

/// A consumer that is killed when it is dropped.
struct Consumer(Child);

impl Consumer {
    fn start(counter: &Counter) -> Self {
        let mut command = counter.command(&["intake"]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // SIGKILL, as by an out-of-memory killer.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All messages, as senders send them: each group in its order, the groups at once.
async fn send_all(queue: &Queue<'_>) {
    let groups: Vec<_> = (0..GROUPS)
        .map(|number| {
            let id = format!("p{number}");
            let mut bodies = vec![start(&id, "listen")];
            bodies.extend((0..EACH - 3).map(|turn| event(&id, &format!("turn-{turn}"))));
            bodies.extend([stop(&id), start(&id, "listen")]);
            of_group(&id, &bodies)
        })
        .collect();
    let all: Vec<_> =
        (0..EACH).flat_map(|turn| groups.iter().map(move |group| group[turn].clone())).collect();
    assert_eq!(all.len(), 2_000);
    queue.send(&all).await;
}

async fn two_thousand_messages_over_fifty_groups_are_taken_in_in_order(kind: Kind) {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 3, json!({})).await;
    let counter = Counter::on(kind, &queue).await;
    send_all(&queue).await;

    // Three consumers; now and then one is killed, wherever it is, and another begins.
    let mut consumers: Vec<Consumer> = (0..3).map(|_| Consumer::start(&counter)).collect();
    let mut kills = 0;
    until("everything is taken in", async || {
        sleep(Duration::from_millis(400)).await;
        if kills < 12 {
            consumers[kills % 3] = Consumer::start(&counter);
            kills += 1;
        }
        for consumer in &mut consumers {
            if consumer.is_over() {
                *consumer = Consumer::start(&counter);
            }
        }
        queue.length().await == 0
    })
    .await;
    assert_eq!(kills, 12);
    drop(consumers);

    // Nothing was evaluated: the events are told in the order in which they were taken in.
    let store = counter.store().await;
    let mut lives: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for process in store.processes(&Filter::default(), 1_000).await.unwrap() {
        let events = store.unheard_events(&process.key).await.unwrap();
        let turns: Vec<String> = events.into_iter().map(|event| event.r#type).collect();
        let expected: Vec<String> = match process.status.as_str() {
            "stopped" => (0..EACH - 3).map(|turn| format!("turn-{turn}")).collect(),
            _ => vec![],
        };
        assert_eq!(turns, expected, "{}", process.process_id);
        let history = store.history(&process.key, 0, 1_000).await.unwrap();
        let entries = history.into_iter().flat_map(|moment| moment.entries);
        let words = entries.map(|entry| match entry {
            Entry::Started => "started",
            Entry::Stopped { .. } => "stopped",
            _ => "something else",
        });
        lives.entry(process.process_id).or_default().splice(0..0, words);
    }
    assert_eq!(lives.len(), GROUPS);
    for (id, life) in lives {
        assert_eq!(life, ["started", "stopped", "started"], "{id}");
    }
}

async fn a_consumer_that_is_killed_before_it_deletes_has_taken_in_what_it_committed_and_no_more(
    kind: Kind,
) {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 2, json!({})).await;
    let mut counter = Counter::on(kind, &queue).await;
    queue.send(&of_group("a", &[start("a", "listen"), event("a", "ping"), stop("a")])).await;

    let proxy = Proxy::holding("DeleteMessageBatch", &sqs.endpoint).await;
    counter.set("AWS_ENDPOINT_URL_SQS", &proxy.endpoint);
    let consumer = Consumer::start(&counter);
    proxy.asked().await;
    drop(consumer);
    assert_eq!(queue.length().await, 3, "nothing was deleted");
    let store = counter.store().await;
    let killed_at = store.process("a").await.unwrap().unwrap();
    assert_eq!(killed_at.status.as_str(), "stopped", "all was committed");

    proxy.let_pass();
    until("they come again", async || {
        let said = counter.ask(&["intake"]).await;
        assert_eq!(
            (&said["started"], &said["stopped"], &said["told"]),
            (&json!(0), &json!(0), &json!(0))
        );
        said["repeated"] == 3
    })
    .await;
    assert_eq!(queue.length().await, 0);
    assert_eq!(store.process("a").await.unwrap().unwrap(), killed_at);
    assert_eq!(store.processes(&Filter::default(), 10).await.unwrap().len(), 1);
}

async fn a_message_that_another_consumer_holds_holds_its_group(kind: Kind) {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 3, json!({})).await;
    let counter = Counter::on(kind, &queue).await;
    queue.send(&of_group("a", &[start("a", "listen")])).await;
    assert_eq!(queue.receive().await.len(), 1, "somebody has it");
    queue.send(&of_group("a", &[start("a", "listen"), stop("a")])[1..]).await;
    queue.send(&of_group("b", &[start("b", "listen")])).await;

    let said = counter.ask(&["intake"]).await;
    assert_eq!(
        (&said["started"], &said["messages"]),
        (&json!(1), &json!(1)),
        "only the other group's"
    );
    until("its time is over", async || {
        let said = counter.ask(&["intake"]).await;
        (&said["started"], &said["stopped"]) == (&json!(1), &json!(1))
    })
    .await;
}
