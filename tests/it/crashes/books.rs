//! The books, when everything is over: what was promised, held against what the database,
//! the provider and whoever asked have written down.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use rungs::store::entity::{delivery, history, process};
use rungs_core::Entry;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::Value;

use super::{TEXTS, load::Asked, phone, site::Site};
use crate::fakes::twilio::Resource;

/// An attempt that has begun is over, one way or the other, after its lease.
const LEASE: TimeDelta = TimeDelta::seconds(3);

/// What is to be told of a run.
#[derive(Debug)]
pub struct Figures {
    /// Processes that ran.
    pub processes: usize,
    /// Texts that the provider took.
    pub texts: usize,
    /// Texts that it took twice.
    pub doubles: usize,
    /// Deliveries of which nobody knew at first whether they arrived.
    pub in_doubt: usize,
    /// Those of them that had, and were taken for sent without another attempt.
    pub adopted: usize,
}

struct Books {
    processes: Vec<process::Model>,
    deliveries: HashMap<String, Vec<delivery::Model>>,
    entries: HashMap<String, Vec<Entry>>,
    /// By delivery.
    messages: HashMap<String, Vec<Resource>>,
}

/// Reads the books, and finds nothing wrong.
pub async fn balance(site: &Site, asked: &Asked) -> Figures {
    let books = Books::read(site).await;
    let ids: HashSet<&str> = books.processes.iter().map(|p| p.process_id.as_str()).collect();
    assert_eq!((ids.len(), books.processes.len()), (asked.processes, asked.processes));
    for number in 0..asked.processes {
        assert!(ids.contains(format!("p{number}").as_str()), "p{number} was lost");
    }
    for process in &books.processes {
        books.agree_on(process, asked);
    }
    let known: HashSet<&String> = books.deliveries().map(|delivery| &delivery.id).collect();
    let strangers: Vec<_> = books.messages.keys().filter(|id| !known.contains(id)).collect();
    assert!(strangers.is_empty(), "texts of no delivery: {strangers:?}");
    books.figures()
}

impl Books {
    async fn read(site: &Site) -> Self {
        let db = sea_orm::Database::connect(&site.url).await.unwrap();
        let mut books = Self {
            processes: process::Entity::find().all(&db).await.unwrap(),
            deliveries: HashMap::new(),
            entries: HashMap::new(),
            messages: HashMap::new(),
        };
        for row in delivery::Entity::find().all(&db).await.unwrap() {
            books.deliveries.entry(row.process_key.clone()).or_default().push(row);
        }
        let moments = history::Entity::find().order_by_asc(history::Column::Seq);
        for row in moments.all(&db).await.unwrap() {
            let entries: Vec<Entry> = serde_json::from_str(&row.entries).unwrap();
            books.entries.entry(row.process_key).or_default().extend(entries);
        }
        for message in site.twilio.messages() {
            let delivery = message.delivery().unwrap().to_owned();
            books.messages.entry(delivery).or_default().push(message);
        }
        db.close().await.unwrap();
        books
    }

    fn deliveries(&self) -> impl Iterator<Item = &delivery::Model> {
        self.deliveries.values().flatten()
    }

    fn messages_of(&self, delivery: &delivery::Model) -> &[Resource] {
        self.messages.get(&delivery.id).map_or(&[], Vec::as_slice)
    }

    /// Cursor, history and deliveries of a process agree, and so does what left.
    fn agree_on(&self, process: &process::Model, asked: &Asked) {
        let none = Vec::new();
        let id = &process.process_id;
        let number: usize = id.strip_prefix('p').unwrap().parse().unwrap();
        let entries = &self.entries[&process.key];
        let deliveries = self.deliveries.get(&process.key).unwrap_or(&none);
        let count = |kind: fn(&&Entry) -> bool| entries.iter().filter(kind).count();
        assert_eq!(count(|entry| matches!(entry, Entry::Started)), 1, "{id}: {entries:#?}");
        let ended = match entries.last() {
            Some(Entry::Completed) => "completed",
            Some(Entry::Stopped { .. }) => "stopped",
            other => panic!("{id} ends with {other:?}: {entries:#?}"),
        };
        assert_eq!((process.status.as_str(), process.due_at), (ended, None), "{id}");

        let wrote: BTreeMap<&String, usize> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Wrote { delivery, .. } => Some(delivery),
                _ => None,
            })
            .fold(BTreeMap::new(), |mut wrote, id| {
                *wrote.entry(id).or_default() += 1;
                wrote
            });
        let written: BTreeMap<&String, usize> = deliveries.iter().map(|one| (&one.id, 1)).collect();
        assert_eq!(wrote, written, "{id}: what the history says was written, and what was");
        let state: Value = serde_json::from_str(&process.state).unwrap();
        let visits = state["steps"]["text"]["visits"].as_u64().unwrap_or(0);
        assert_eq!(visits, wrote.len() as u64, "{id}");
        let silenced_at = asked.silenced.get(&number);
        if silenced_at.is_none() {
            assert_eq!((ended, wrote.len()), ("completed", TEXTS), "{id} runs to its end");
        }
        for delivery in deliveries {
            self.agree_on_delivery(delivery, number, silenced_at);
        }
    }

    fn agree_on_delivery(
        &self,
        delivery: &delivery::Model,
        number: usize,
        silenced_at: Option<&DateTime<Utc>>,
    ) {
        let messages = self.messages_of(delivery);
        if delivery.status == "cancelled" {
            assert!(silenced_at.is_some() && messages.is_empty(), "{delivery:#?} {messages:#?}");
            return;
        }
        assert_eq!(delivery.status, "sent", "{delivery:#?}");
        assert!(!messages.is_empty(), "never sent: {delivery:#?}");
        let its_own = messages.iter().any(|one| Some(&one.sid) == delivery.provider_id.as_ref());
        assert!(its_own, "another's was adopted: {delivery:#?} {messages:#?}");
        assert!(messages.iter().all(|one| one.field("To") == Some(phone(number).as_str())));
        if let Some(silenced_at) = silenced_at {
            let begun_at = delivery.begun_at.unwrap();
            let late = begun_at > silenced_at.timestamp_millis();
            assert!(!late, "begun after a stop was answered at {silenced_at}: {delivery:#?}");
            let late = messages.iter().any(|one| one.created_at > *silenced_at + LEASE);
            assert!(!late, "contacted after a stop was answered at {silenced_at}: {messages:#?}");
        }
    }

    fn figures(&self) -> Figures {
        let times: Vec<usize> = self.messages.values().map(Vec::len).collect();
        let was_in_doubt = |delivery: &&delivery::Model| {
            let log: Vec<Value> = serde_json::from_str(&delivery.log).unwrap();
            log.iter().any(|line| line["what"] == "lease-expired" || line["what"] == "in-doubt")
        };
        Figures {
            processes: self.processes.len(),
            texts: times.iter().sum(),
            doubles: times.iter().map(|times| times - 1).sum(),
            in_doubt: self.deliveries().filter(was_in_doubt).count(),
            adopted: self.deliveries().filter(was_in_doubt).filter(|one| one.attempts == 1).count(),
        }
    }
}
