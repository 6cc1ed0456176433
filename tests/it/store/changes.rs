//! What is done to processes from outside.

use rungs::store::{
    cycle::Broken,
    events::Received,
    processes::{Change, Filter},
};
use rungs_core::{Entry, Event, Process, Status};
use serde_json::json;

use super::{insert, minutes, nine, process, ring_all};
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    a_start_that_repeats_a_live_id_changes_nothing,
    an_id_may_be_borne_again_after_its_process_ended,
    a_batch_that_names_an_id_twice_starts_it_once,
    a_stop_withdraws_what_has_not_begun,
    stopping_pausing_and_resuming_twice_changes_nothing,
    a_paused_process_is_not_claimed_until_it_is_resumed,
    a_failed_process_can_be_tried_again_unless_its_id_is_borne_anew,
    a_failed_process_that_is_stopped_is_not_resumed,
    the_live_one_bears_the_id_even_if_the_clock_went_back,
    what_a_process_was_told_while_it_could_not_hear_is_heard_when_it_is_resumed,
    data_does_not_grow_without_bound,
    the_same_event_again_changes_nothing,
    lists_are_paged_without_gap_or_repeat,
);

fn is_done(change: &Change) -> bool {
    matches!(change, Change::Done(_))
}

async fn a_start_that_repeats_a_live_id_changes_nothing(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["order-7"]).await;
    let before = store.process("order-7").await.unwrap();

    let again = Process {
        key: uuid::Uuid::nil().to_string(),
        data: json!({ "other": true }).as_object().unwrap().clone(),
        ..process("order-7")
    };
    assert_eq!(store.insert(&[again, process("order-8")], nine()).await.unwrap(), [false, true]);

    assert_eq!(store.process("order-7").await.unwrap(), before);
}

async fn an_id_may_be_borne_again_after_its_process_ended(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let older = Process { key: "00000000-0000-7000-8000-000000000001".into(), ..process("a") };
    let newer = Process { key: "00000000-0000-7000-8000-000000000002".into(), ..process("a") };
    store.insert(std::slice::from_ref(&older), nine()).await.unwrap();
    assert!(is_done(&store.stop("a", Some("served"), nine()).await.unwrap()));

    assert_eq!(store.insert(std::slice::from_ref(&newer), nine()).await.unwrap(), [true]);

    assert_eq!(store.process("a").await.unwrap().unwrap().key, newer.key);
    let stopped = store.process_by_key(&older.key).await.unwrap().unwrap();
    assert_eq!((stopped.status, stopped.reason.as_deref()), (Status::Stopped, Some("served")));
    let filter = Filter { process_id: Some("a".into()), ..Filter::default() };
    assert_eq!(store.processes(&filter, 10).await.unwrap().len(), 2, "both can be looked up");
}

async fn a_batch_that_names_an_id_twice_starts_it_once(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let twin = Process { key: uuid::Uuid::nil().to_string(), ..process("a") };
    let born = store.insert(&[process("a"), twin], nine()).await.unwrap();
    assert_eq!(born.iter().filter(|born| **born).count(), 1);
    assert_eq!(store.processes(&Filter::default(), 10).await.unwrap().len(), 1);
}

async fn a_stop_withdraws_what_has_not_begun(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["pending", "begun"]).await;
    ring_all(&store, nine()).await;
    store.stop("pending", None, nine()).await.unwrap();
    let lease = nine() + minutes(2);
    let begun = store.begin_attempts("phone", 10, nine(), lease).await.unwrap();
    assert_eq!(begun.len(), 1, "what was stopped does not begin");
    assert_eq!(begun[0].process_id, "begun");

    store.stop("begun", None, nine()).await.unwrap();

    for (id, status) in [("pending", "cancelled"), ("begun", "sending")] {
        let process = store.process(id).await.unwrap().unwrap();
        let delivery = store.deliveries_of(&process.key).await.unwrap().remove(0);
        assert_eq!((delivery.status.as_str(), delivery.withdrawn), (status, true), "{id}");
    }
}

async fn stopping_pausing_and_resuming_twice_changes_nothing(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    assert!(is_done(&store.pause("a", nine()).await.unwrap()));
    assert!(!is_done(&store.pause("a", nine()).await.unwrap()));
    assert!(is_done(&store.resume("a", nine()).await.unwrap()));
    assert!(!is_done(&store.resume("a", nine()).await.unwrap()));
    assert!(is_done(&store.stop("a", None, nine()).await.unwrap()));
    assert!(!is_done(&store.stop("a", None, nine()).await.unwrap()));
    assert!(!is_done(&store.resume("a", nine()).await.unwrap()), "stopped is stopped");
    assert_eq!(store.stop("nobody", None, nine()).await.unwrap(), Change::Unknown);

    let key = process("a").key;
    let entries: Vec<Entry> =
        store.history(&key, 0, 10).await.unwrap().into_iter().flat_map(|one| one.entries).collect();
    let expected = [Entry::Started, Entry::Paused, Entry::Resumed, Entry::Stopped { reason: None }];
    assert_eq!(entries, expected);
}

async fn a_paused_process_is_not_claimed_until_it_is_resumed(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    store.pause("a", nine()).await.unwrap();
    let event = Event { r#type: "data".into(), data: json!({}), at: nine() };
    assert_eq!(store.receive("a", "e", &event, 1_000_000, nine()).await.unwrap(), Received::Taken);

    let later = nine() + minutes(60);
    assert!(store.claim(later, 10).await.unwrap().claimed.is_empty());
    let lease = later + minutes(2);
    assert!(store.begin_attempts("phone", 10, later, lease).await.unwrap().is_empty());

    store.resume("a", later).await.unwrap();
    let cycle = store.claim(later, 10).await.unwrap();
    assert_eq!(cycle.claimed[0].news.len(), 1, "it hears what happened in the meantime");
}

async fn a_failed_process_can_be_tried_again_unless_its_id_is_borne_anew(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let older = Process { key: "00000000-0000-7000-8000-000000000001".into(), ..process("a") };
    store.insert(std::slice::from_ref(&older), nine()).await.unwrap();
    let fail = async |key: &str| {
        store.fail_process(key, "defect", nine()).await.unwrap();
    };
    fail(&older.key).await;

    let Change::Done(retried) = store.resume("a", nine()).await.unwrap() else { panic!() };
    assert_eq!((retried.status, retried.reason, retried.ended_at), (Status::Active, None, None));

    fail(&older.key).await;
    let newer = Process { key: "00000000-0000-7000-8000-000000000002".into(), ..process("a") };
    store.insert(std::slice::from_ref(&newer), nine()).await.unwrap();
    let Change::Unchanged(live) = store.resume("a", nine()).await.unwrap() else { panic!() };
    assert_eq!(live.key, newer.key, "the id belongs to the newer one");
}

/// Whoever stops an order does not know that its process has failed; whoever resumes what has
/// failed, in the morning, does not know that the order was stopped.
async fn a_failed_process_that_is_stopped_is_not_resumed(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    let failed = store.process("a").await.unwrap().unwrap();
    store.fail_process(&failed.key, "defect", nine()).await.unwrap();

    let later = nine() + minutes(60);
    let Change::Done(stopped) = store.stop("a", Some("confirmed"), later).await.unwrap() else {
        panic!()
    };
    assert_eq!((stopped.status, stopped.ended_at), (Status::Stopped, Some(later)));
    assert_eq!(stopped.reason.as_deref(), Some("confirmed"));
    assert!(matches!(store.resume("a", later).await.unwrap(), Change::Unchanged(_)));
    assert!(matches!(store.stop("a", None, later).await.unwrap(), Change::Unchanged(_)));
}

async fn the_live_one_bears_the_id_even_if_the_clock_went_back(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let first = Process { key: "00000000-0000-7000-8000-000000000009".into(), ..process("a") };
    let second = Process { key: "00000000-0000-7000-8000-000000000001".into(), ..process("a") };
    store.insert(std::slice::from_ref(&first), nine()).await.unwrap();
    store.stop("a", None, nine()).await.unwrap();
    store.insert(std::slice::from_ref(&second), nine()).await.unwrap();

    assert_eq!(store.process("a").await.unwrap().unwrap().key, second.key);
    store.pause("a", nine()).await.unwrap();
    let Change::Done(resumed) = store.resume("a", nine()).await.unwrap() else { panic!() };
    assert_eq!(resumed.key, second.key);
}

async fn what_a_process_was_told_while_it_could_not_hear_is_heard_when_it_is_resumed(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    let event = Event { r#type: "confirmed".into(), data: json!({ "x": 1 }), at: nine() };
    store.receive("a", "e", &event, 1_000_000, nine()).await.unwrap();
    let mut cycle = store.claim(nine(), 10).await.unwrap();
    let claimed = cycle.claimed.remove(0);
    let broken = Broken { key: claimed.process.key, reason: "defect".into(), taken: claimed.taken };
    cycle.commit(&[], &[broken], nine()).await.unwrap();
    assert_eq!(store.process("a").await.unwrap().unwrap().status, Status::Failed);

    store.resume("a", nine()).await.unwrap();

    let cycle = store.claim(nine(), 10).await.unwrap();
    assert_eq!(cycle.claimed[0].news, [rungs_core::News::Event(event)]);
}

async fn data_does_not_grow_without_bound(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    let mut received = Vec::new();
    for number in 0..4 {
        let data = json!({ format!("k{number}"): "x".repeat(400) });
        let event = Event { r#type: "data".into(), data, at: nine() };
        received
            .push(store.receive("a", &number.to_string(), &event, 1_000, nine()).await.unwrap());
    }
    assert_eq!(received, [Received::Taken, Received::Taken, Received::TooMuch, Received::TooMuch]);
    let data = json!({ "k1": "x".repeat(400) });
    let again = Event { r#type: "data".into(), data, at: nine() };
    assert_eq!(store.receive("a", "1", &again, 1_000, nine()).await.unwrap(), Received::Repeated);
    let other = json!({ "k1": "y".repeat(450) });
    let other = Event { r#type: "data".into(), data: other, at: nine() };
    let received = store.receive("a", "5", &other, 1_000, nine()).await.unwrap();
    assert_eq!(received, Received::Taken, "it takes the place of what was there");
    assert_eq!(store.unheard_events(&process("a").key).await.unwrap().len(), 3);
}

async fn the_same_event_again_changes_nothing(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a", "b"]).await;
    let event = Event { r#type: "ack".into(), data: json!(null), at: nine() };
    assert_eq!(store.receive("a", "e1", &event, 1_000_000, nine()).await.unwrap(), Received::Taken);
    assert_eq!(
        store.receive("a", "e1", &event, 1_000_000, nine()).await.unwrap(),
        Received::Repeated
    );
    assert_eq!(store.receive("b", "e1", &event, 1_000_000, nine()).await.unwrap(), Received::Taken);
    assert_eq!(
        store.receive("nobody", "e1", &event, 1_000_000, nine()).await.unwrap(),
        Received::NotLive
    );
    assert_eq!(store.unheard_events(&process("a").key).await.unwrap(), [event]);
}

async fn lists_are_paged_without_gap_or_repeat(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let processes: Vec<Process> = (0..25)
        .map(|number| Process {
            key: format!("00000000-0000-7000-8000-{number:012}"),
            ..process(&format!("p{number}"))
        })
        .collect();
    store.insert(&processes, nine()).await.unwrap();
    store.pause("p7", nine()).await.unwrap();

    let mut filter = Filter { status: Some(Status::Active), ..Filter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.processes(&filter, 10).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.key.clone());
        seen.extend(page.into_iter().map(|process| process.process_id));
    }
    let expected: Vec<String> =
        (0..25).rev().filter(|number| *number != 7).map(|number| format!("p{number}")).collect();
    assert_eq!(seen, expected);
}
