//! The store, on every database.

use chrono::{DateTime, TimeDelta, Utc};
use rungs::store::Store;
use rungs_core::{
    Advanced, Delivery, Process, Remedy, Status,
    process::{Priority, State},
};
use rungs_runners::NewDelivery;
use serde_json::json;
use uuid::Uuid;

mod changes;
mod claims;
mod deliveries;
pub mod migrations;
mod moves;
mod sequences;
mod sweep;
mod tls;

/// 09:00 on an ordinary day.
pub fn nine() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

pub fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

/// A process that is due at nine.
pub fn process(process_id: &str) -> Process {
    // The name gives the key, so that a test can tell them apart when it fails.
    let key = Uuid::new_v5(&Uuid::NAMESPACE_OID, process_id.as_bytes()).to_string();
    Process {
        key,
        process_id: process_id.to_owned(),
        sequence: "ladder".to_owned(),
        version: 1,
        priority: Priority::Normal,
        status: Status::Active,
        cursor: Some("ring".to_owned()),
        timezone: chrono_tz::Europe::Zagreb,
        data: json!({ "order": { "count": 2 } }).as_object().unwrap().clone(),
        state: State::default(),
        due_at: Some(nine()),
        reason: None,
        started_at: nine(),
        ended_at: None,
    }
}

pub async fn insert(store: &Store, process_ids: &[&str]) {
    let processes: Vec<Process> = process_ids.iter().map(|id| process(id)).collect();
    assert!(store.insert(&processes, nine()).await.unwrap().into_iter().all(|born| born));
}

/// What a cycle makes of a process that writes a delivery and waits for it.
pub fn ringing(process: Process) -> Advanced {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{} ring", process.process_id).as_bytes());
    Advanced {
        process: Process { due_at: None, ..process },
        deliveries: vec![Delivery {
            in_doubt: Remedy::Send,
            late: None,
            held: None,
            id: id.to_string(),
            step: "ring".to_owned(),
            what: NewDelivery { channel: "phone", request: json!({ "to": "+385911234567" }) },
            retry: None,
        }],
        withdrawn: vec![],
        superseded: vec![],
        data_changed: false,
        history: vec![],
        visits: 1,
    }
}

/// Claims everything that is due and makes it ring.
pub async fn ring_all(store: &Store, now: DateTime<Utc>) -> usize {
    let mut cycle = store.claim(now, 100).await.unwrap();
    let claimed = std::mem::take(&mut cycle.claimed);
    let advanced: Vec<Advanced> =
        claimed.into_iter().map(|claimed| ringing(claimed.process)).collect();
    cycle.commit(&advanced, &[], now).await.unwrap();
    advanced.len()
}
