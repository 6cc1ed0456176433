//! The outbox.

use std::collections::HashSet;

use rungs::store::questions::Expired;
use rungs_core::{Attempt, Event, News, Report};
use rungs_runners::DeliveryStatus;
use serde_json::json;

use super::{insert, minutes, nine, ring_all};
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    a_delivery_begins_once,
    eight_dispatchers_begin_each_delivery_once,
    a_process_that_has_not_heard_everything_sends_nothing,
    news_from_a_clock_that_is_ahead_is_heard_before_anything_is_sent,
    what_became_of_a_delivery_wakes_its_process,
    temporary_trouble_is_no_news,
    an_attempt_that_never_reported_comes_back_when_its_lease_is_over,
    questions_are_handed_out_once,
);

fn sent(attempt: u32) -> Report {
    let result = Attempt::Sent {
        provider_id: Some("CA1".into()),
        status: DeliveryStatus::Sent,
        ask_at: Some(nine() + minutes(1)),
    };
    Report::Attempted { attempt, result }
}

async fn a_delivery_begins_once(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    let lease = nine() + minutes(2);
    assert!(store.begin_attempts("sms", 10, nine(), lease).await.unwrap().is_empty());

    let begun = store.begin_attempts("phone", 10, nine(), lease).await.unwrap();

    assert_eq!((begun.len(), begun[0].attempts, begun[0].step.as_str()), (1, 1, "ring"));
    assert_eq!(begun[0].request, json!({ "to": "+385911234567" }).to_string());
    assert!(store.begin_attempts("phone", 10, nine(), lease).await.unwrap().is_empty());
}

async fn eight_dispatchers_begin_each_delivery_once(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let ids: Vec<String> = (0..100).map(|number| format!("p{number}")).collect();
    insert(&store, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    while ring_all(&store, nine()).await > 0 {}

    let dispatchers = (0..8).map(|_| async {
        let store = database.store().await;
        let (mut begun, mut idle) = (Vec::new(), 0);
        while idle < 3 {
            let more = store.begin_attempts("phone", 5, nine(), nine() + minutes(2)).await.unwrap();
            idle = if more.is_empty() { idle + 1 } else { 0 };
            begun.extend(more.into_iter().map(|one| one.id));
        }
        begun
    });
    let begun: Vec<String> = futures::future::join_all(dispatchers).await.concat();

    assert_eq!(begun.len(), 100);
    assert_eq!(begun.iter().collect::<HashSet<_>>().len(), 100);
}

async fn a_process_that_has_not_heard_everything_sends_nothing(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    let event = Event { r#type: "confirmed".into(), data: json!({}), at: nine() };
    store.receive("a", "e", &event, 1_000_000, nine()).await.unwrap();

    let begun = store.begin_attempts("phone", 10, nine(), nine() + minutes(2)).await.unwrap();

    assert!(begun.is_empty(), "the event may have achieved the goal");
}

/// Another machine, whose clock is five minutes ahead, took in an event.
async fn news_from_a_clock_that_is_ahead_is_heard_before_anything_is_sent(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    let ahead = nine() + minutes(5);
    let event = Event { r#type: "confirmed".into(), data: json!({}), at: ahead };
    store.receive("a", "e", &event, 1_000_000, ahead).await.unwrap();

    let begun = store.begin_attempts("phone", 10, nine(), nine() + minutes(2)).await.unwrap();

    assert!(begun.is_empty());
}

async fn what_became_of_a_delivery_wakes_its_process(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a", "b"]).await;
    ring_all(&store, nine()).await;
    let begun = store.begin_attempts("phone", 10, nine(), nine() + minutes(2)).await.unwrap();
    let a = begun.iter().find(|one| one.process_id == "a").unwrap();

    assert_eq!(store.report(vec![(a.id.clone(), sent(1))], nine()).await.unwrap(), 1);

    let cycle = store.claim(nine(), 10).await.unwrap();
    assert_eq!(cycle.claimed.len(), 1, "b still waits");
    let [News::Delivery(view)] = cycle.claimed[0].news.as_slice() else { panic!() };
    assert_eq!((view.status, view.provider_id.as_deref()), (DeliveryStatus::Sent, Some("CA1")));
    drop(cycle);
    let unknown = store.report(vec![("unknown".into(), sent(1))], nine()).await.unwrap();
    assert_eq!(unknown, 0);
}

async fn temporary_trouble_is_no_news(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    let begun = store.begin_attempts("phone", 10, nine(), nine() + minutes(2)).await.unwrap();
    let result = Attempt::Temporary { reason: "503".into(), retry_after: None };
    let report = Report::Attempted { attempt: 1, result };
    store.report(vec![(begun[0].id.clone(), report)], nine()).await.unwrap();

    assert!(store.claim(nine(), 10).await.unwrap().claimed.is_empty());
    let again_at = store.next_due_at(nine()).await.unwrap().unwrap();
    assert!(again_at > nine());
    let lease = again_at + minutes(2);
    let again = store.begin_attempts("phone", 10, again_at, lease).await.unwrap();
    assert_eq!(again[0].attempts, 2);
}

async fn an_attempt_that_never_reported_comes_back_when_its_lease_is_over(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    let lease = nine() + minutes(2);
    let begun = store.begin_attempts("phone", 10, nine(), lease).await.unwrap();
    assert_eq!(store.next_due_at(nine()).await.unwrap(), Some(lease));
    assert!(store.expired(nine() + minutes(1), 10).await.unwrap().is_empty());

    let expired = store.expired(lease, 10).await.unwrap();
    assert_eq!(expired, [Expired { id: begun[0].id.clone(), channel: "phone".into() }]);
    store
        .report(vec![(begun[0].id.clone(), Report::LeaseExpired { ask_at: None })], lease)
        .await
        .unwrap();

    let again = store.begin_attempts("phone", 10, lease, lease + minutes(2)).await.unwrap();
    assert_eq!((again.len(), again[0].attempts), (1, 2));
}

async fn questions_are_handed_out_once(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    ring_all(&store, nine()).await;
    let begun = store.begin_attempts("phone", 10, nine(), nine() + minutes(2)).await.unwrap();
    store.report(vec![(begun[0].id.clone(), sent(1))], nine()).await.unwrap();
    let (now, again_at) = (nine() + minutes(1), nine() + minutes(2));
    assert!(store.to_ask(nine(), again_at, 10).await.unwrap().is_empty(), "not yet");

    let asked = store.to_ask(now, again_at, 10).await.unwrap();

    assert_eq!((asked.len(), asked[0].provider_id.as_deref()), (1, Some("CA1")));
    assert!(store.to_ask(now, again_at, 10).await.unwrap().is_empty(), "somebody asks already");
    assert_eq!(store.to_ask(again_at, again_at + minutes(1), 10).await.unwrap().len(), 1);
}
