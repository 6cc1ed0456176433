//! What stands in the database, read beside the store by somebody who only looks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, FromQueryResult, Statement,
};

/// A database as it is between two commits.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub processes: BTreeMap<String, Process>,
    pub deliveries: BTreeMap<String, Delivery>,
}

#[derive(Debug, Clone, PartialEq, FromQueryResult)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
pub struct Process {
    pub key: String,
    pub process_id: String,
    pub status: String,
    pub cursor: Option<String>,
    pub due_at: Option<i64>,
    pub woken: bool,
    /// Events it has not heard.
    pub unheard: i64,
    /// Rows of its history.
    pub rows: i64,
}

#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct Delivery {
    pub id: String,
    pub process_key: String,
    pub step: String,
    pub channel: String,
    pub status: String,
    pub attempts: i32,
    pub withdrawn: bool,
    pub news: bool,
    pub due_at: Option<i64>,
    pub lease_until: Option<i64>,
    pub provider_id: Option<String>,
    pub late_at: Option<i64>,
    pub begun_at: Option<i64>,
    pub quiet: Option<String>,
    pub log: String,
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct Event {
    pub process_key: String,
    pub id: String,
    pub r#type: String,
    pub data: String,
    pub at: i64,
    pub applied: bool,
}

const PROCESSES: &str = "
    SELECT key, process_id, status, cursor, due_at, woken,
      (SELECT COUNT(*) FROM events WHERE process_key = key AND NOT applied) AS unheard,
      (SELECT COUNT(*) FROM history WHERE process_key = key) AS rows
    FROM processes";
const DELIVERIES: &str = "
    SELECT id, process_key, step, channel, status, attempts, withdrawn, news, due_at,
      lease_until, provider_id, late_at, begun_at, quiet, log
    FROM deliveries";

impl Seen {
    /// What has changed until `after`, a line each.
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (key, now) in &after.processes {
            let was = self.processes.get(key);
            if was != Some(now) {
                let due = now.due_at.map_or("no moment".to_owned(), |at| {
                    moment(at).format("%a %H:%M:%S%.3f").to_string()
                });
                let woken = if now.woken { ", woken" } else { "" };
                let at = now.cursor.as_deref().unwrap_or("-");
                let id = &now.process_id;
                lines.push(format!("  {id} is {} at {at}, due at {due}{woken}", now.status));
            }
        }
        for (id, now) in &after.deliveries {
            let was = self.deliveries.get(id);
            if was != Some(now) {
                let process =
                    after.process_of(now).map_or("?", |process| process.process_id.as_str());
                let was = was.map_or("nothing", |was| was.status.as_str());
                let withdrawn = if now.withdrawn { ", withdrawn" } else { "" };
                lines.push(format!(
                    "  {process} {}'s delivery {}: {was} -> {}, {} attempts{withdrawn}",
                    now.step,
                    id.get(..8).unwrap_or(id),
                    now.status,
                    now.attempts
                ));
            }
        }
        lines
    }

    pub fn process_of(&self, delivery: &Delivery) -> Option<&Process> {
        self.processes.get(&delivery.process_key)
    }
}

impl Process {
    pub fn is_live(&self) -> bool {
        matches!(self.status.as_str(), "active" | "paused")
    }
}

impl Delivery {
    /// Whether something will still be done about it.
    pub fn is_open(&self) -> bool {
        match self.status.as_str() {
            "pending" | "sending" => true,
            "in-doubt" | "sent" | "answered" => self.due_at.is_some(),
            _ => false,
        }
    }

    /// Whether the provider has it, and we know.
    pub fn is_taken(&self) -> bool {
        !matches!(
            self.status.as_str(),
            "pending" | "sending" | "in-doubt" | "cancelled" | "skipped"
        )
    }
}

/// A connection of its own.
pub struct Looker(DatabaseConnection);

impl Looker {
    pub async fn at(url: &str) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        Self(Database::connect(options).await.unwrap())
    }

    pub async fn look(&self) -> Seen {
        let processes: Vec<Process> = self.all(PROCESSES).await;
        let deliveries: Vec<Delivery> = self.all(DELIVERIES).await;
        Seen {
            processes: processes.into_iter().map(|one| (one.key.clone(), one)).collect(),
            deliveries: deliveries.into_iter().map(|one| (one.id.clone(), one)).collect(),
        }
    }

    /// How many calls wait for what another transaction holds (on PostgreSQL).
    pub async fn waiting_for_locks(&self) -> usize {
        #[derive(FromQueryResult)]
        struct Waiting {
            waiting: i64,
        }
        let sql = "SELECT COUNT(*) AS waiting FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let rows: Vec<Waiting> = self.all(sql).await;
        usize::try_from(rows[0].waiting).unwrap()
    }

    /// Every event, in the order in which they were kept.
    pub async fn events(&self) -> Vec<Event> {
        self.all("SELECT process_key, id, type, data, at, applied FROM events ORDER BY seq").await
    }

    /// Forgets everything, for the next scenario.
    pub async fn clear(&self) {
        for table in ["history", "events", "deliveries", "processes", "sequences"] {
            self.0.execute_unprepared(&format!("DELETE FROM {table}")).await.unwrap();
        }
    }

    async fn all<M: FromQueryResult>(&self, sql: &str) -> Vec<M> {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        let rows = self.0.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| M::from_query_result(row, "").unwrap()).collect()
    }
}

pub fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}
