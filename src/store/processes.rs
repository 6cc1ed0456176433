//! Processes: their birth, and what is done to them from outside.

use chrono::{DateTime, Utc};
use rungs_core::{
    Entry, Process, Status,
    process::{Priority, State},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{
    Result, Store, StoreError, clean,
    dialect::Column,
    entity::{delivery, process},
};

/// Which processes to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this status.
    pub status: Option<Status>,
    /// Of this sequence.
    pub sequence: Option<String>,
    /// Under this id: the live one and those before it.
    pub process_id: Option<String>,
    /// Only those born before the one with this key.
    pub before: Option<String>,
}

/// What came of a change from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It took effect.
    Done(Box<Process>),
    /// There was nothing to do: it is so already, or the process has ended.
    Unchanged(Box<Process>),
    /// No process bears or bore that id.
    Unknown,
    /// It cannot be, since another live process bears the id now.
    Taken,
}

impl Store {
    /// Inserts processes that are not live yet, and says of each whether it was.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert(&self, processes: &[Process], now: DateTime<Utc>) -> Result<Vec<bool>> {
        let columns = [
            ("key", Column::Text),
            ("process_id", Column::Text),
            ("sequence", Column::Text),
            ("version", Column::Integer),
            ("status", Column::Text),
            ("cursor", Column::Text),
            ("timezone", Column::Text),
            ("data", Column::Text),
            ("state", Column::Text),
            ("due_at", Column::BigInt),
            ("woken", Column::Boolean),
            ("started_at", Column::BigInt),
            ("priority", Column::Integer),
        ];
        let names = columns.map(|(name, _)| name).join(", ");
        // `WHERE true`: without it SQLite takes ON CONFLICT for a join condition. In the order
        // of the ids: two batches that name the same ones must not wait for each other.
        let sql = format!(
            "INSERT INTO processes ({names}) SELECT {names} FROM {} WHERE true
             ORDER BY process_id
             ON CONFLICT (process_id) WHERE status IN ('active', 'paused') DO NOTHING
             RETURNING key",
            self.dialect.relation(&columns)
        );
        let rows: Vec<_> = processes.iter().map(row).collect();
        let rows = serde_json::Value::Array(rows).to_string();
        let tx = self.begin().await?;
        let born = self.rows(&tx, &sql, [rows.into()]).await?;
        let born: std::collections::HashSet<String> =
            born.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        let started = [Entry::Started];
        let history = processes
            .iter()
            .filter(|process| born.contains(&process.key))
            .map(|process| (process.key.as_str(), started.as_slice()));
        self.append(&tx, history, now).await?;
        self.commit(tx).await?;
        Ok(processes.iter().map(|process| born.contains(&process.key)).collect())
    }

    /// The process that bears an id: the live one, else the last one that did.
    ///
    /// # Errors
    /// The database's.
    pub async fn process(&self, process_id: &str) -> Result<Option<Process>> {
        self.process_on(self.reader().await, process_id).await
    }

    async fn process_on(
        &self,
        db: &impl ConnectionTrait,
        process_id: &str,
    ) -> Result<Option<Process>> {
        let found = process::Entity::find()
            .filter(process::Column::ProcessId.eq(process_id))
            // Keys follow the clock, and a clock may go back: the live one is the one.
            .order_by_desc(process::Column::Status.is_in(["active", "paused"]))
            .order_by_desc(process::Column::Key)
            .one(db)
            .await?;
        found.map(read).transpose()
    }

    /// The process with a key.
    ///
    /// # Errors
    /// The database's.
    pub async fn process_by_key(&self, key: &str) -> Result<Option<Process>> {
        let found = process::Entity::find_by_id(key.to_owned()).one(self.reader().await).await?;
        found.map(read).transpose()
    }

    /// Processes, youngest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn processes(&self, filter: &Filter, most: u64) -> Result<Vec<Process>> {
        let mut query = process::Entity::find();
        if let Some(status) = filter.status {
            query = query.filter(process::Column::Status.eq(status.as_str()));
        }
        if let Some(sequence) = &filter.sequence {
            query = query.filter(process::Column::Sequence.eq(sequence));
        }
        if let Some(process_id) = &filter.process_id {
            query = query.filter(process::Column::ProcessId.eq(process_id));
        }
        if let Some(before) = &filter.before {
            query = query.filter(process::Column::Key.lt(before));
        }
        let rows =
            query.order_by_desc(process::Column::Key).limit(most).all(self.reader().await).await?;
        // One row that cannot be read must not hide the others.
        let readable = rows.into_iter().filter_map(|row| {
            read(row).inspect_err(|error| tracing::error!(%error, "left out of a list")).ok()
        });
        Ok(readable.collect())
    }

    /// Every delivery a process wrote, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn deliveries_of(&self, key: &str) -> Result<Vec<delivery::Model>> {
        Ok(delivery::Entity::find()
            .filter(delivery::Column::ProcessKey.eq(key))
            .order_by_asc(delivery::Column::CreatedAt)
            .order_by_asc(delivery::Column::Id)
            .all(self.reader().await)
            .await?)
    }

    /// Stops a process. Once this has answered, no delivery of it begins.
    ///
    /// # Errors
    /// The database's.
    pub async fn stop(
        &self,
        process_id: &str,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Change> {
        let tx = self.begin().await?;
        let at = now.timestamp_millis();
        let stopped = self
            .rows(
                &tx,
                "UPDATE processes SET status = 'stopped', due_at = NULL, ended_at = $1, reason = $2
                 WHERE process_id = $3 AND status IN ('active', 'paused') RETURNING key",
                [at.into(), reason.map(clean).into(), process_id.into()],
            )
            .await?;
        if let Some(row) = stopped.first() {
            let key: String = row.try_get_by_index(0)?;
            // What has begun cannot be called back, but it is not tried again.
            self.run(
                &tx,
                "UPDATE deliveries SET withdrawn = TRUE,
                   settled_at = CASE WHEN status = 'pending' THEN $1 ELSE settled_at END,
                   status = CASE WHEN status = 'pending' THEN 'cancelled' ELSE status END
                 WHERE process_key = $2 AND status IN ('pending', 'sending', 'in-doubt')",
                [at.into(), key.as_str().into()],
            )
            .await?;
            let entry = [Entry::Stopped { reason: reason.map(str::to_owned) }];
            self.append(&tx, [(key.as_str(), entry.as_slice())], now).await?;
        }
        let found = self.process_on(&tx, process_id).await?;
        self.commit(tx).await?;
        Ok(Change::of(found, !stopped.is_empty()))
    }

    /// Holds a process where it is. Deliveries that have not begun are held with it.
    ///
    /// # Errors
    /// The database's.
    pub async fn pause(&self, process_id: &str, now: DateTime<Utc>) -> Result<Change> {
        let sql = "UPDATE processes SET status = 'paused'
                   WHERE process_id = $1 AND status = 'active' RETURNING key";
        self.change(sql, vec![process_id.into()], process_id, &Entry::Paused, now).await
    }

    /// Lets a paused process go on, and tries a failed one again.
    ///
    /// # Errors
    /// The database's.
    pub async fn resume(&self, process_id: &str, now: DateTime<Utc>) -> Result<Change> {
        let sql = "UPDATE processes SET status = 'active', due_at = $1, woken = TRUE,
                     ended_at = NULL, reason = NULL
                   WHERE key = (SELECT key FROM processes WHERE process_id = $2
                                ORDER BY status IN ('active', 'paused') DESC, key DESC LIMIT 1)
                     AND status IN ('paused', 'failed') RETURNING key";
        let values = vec![now.timestamp_millis().into(), process_id.into()];
        self.change(sql, values, process_id, &Entry::Resumed, now).await
    }

    async fn change(
        &self,
        sql: &str,
        values: Vec<sea_orm::Value>,
        process_id: &str,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<Change> {
        let tx = self.begin().await?;
        let changed = match self.rows(&tx, sql, values).await {
            Ok(changed) => changed,
            Err(StoreError::Database(error)) if error.sql_err().is_some() => {
                return Ok(Change::Taken);
            }
            Err(error) => return Err(error),
        };
        if let Some(row) = changed.first() {
            let key: String = row.try_get_by_index(0)?;
            self.append(&tx, [(key.as_str(), std::slice::from_ref(entry))], now).await?;
        }
        let found = self.process_on(&tx, process_id).await?;
        self.commit(tx).await?;
        Ok(Change::of(found, !changed.is_empty()))
    }
}

impl Change {
    fn of(found: Option<Process>, changed: bool) -> Self {
        match found {
            None => Self::Unknown,
            Some(process) if changed => Self::Done(Box::new(process)),
            Some(process) => Self::Unchanged(Box::new(process)),
        }
    }
}

/// A process as a row of a bulk parameter.
pub(super) fn row(process: &Process) -> serde_json::Value {
    json!({
        "key": process.key,
        "process_id": process.process_id,
        "sequence": process.sequence,
        "version": process.version,
        "status": process.status.as_str(),
        "cursor": process.cursor,
        "timezone": process.timezone.name(),
        "data": document(&process.data),
        "state": document(&process.state),
        "due_at": process.due_at.map(|at| at.timestamp_millis()),
        "woken": false,
        "reason": process.reason.as_deref().map(clean),
        "started_at": process.started_at.timestamp_millis(),
        "priority": process.priority.rank(),
        "ended_at": process.ended_at.map(|at| at.timestamp_millis()),
    })
}

fn document(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// A row as a process.
pub(super) fn read(row: process::Model) -> Result<Process> {
    let unreadable = |what: &str, why: String| {
        StoreError::Unreadable(format!("process {}: its {what} cannot be read: {why}", row.key))
    };
    let state: State =
        serde_json::from_str(&row.state).map_err(|error| unreadable("state", error.to_string()))?;
    Ok(Process {
        status: Status::parse(&row.status)
            .ok_or_else(|| unreadable("status", row.status.clone()))?,
        timezone: row.timezone.parse().map_err(|_| unreadable("timezone", row.timezone.clone()))?,
        data: serde_json::from_str(&row.data)
            .map_err(|error| unreadable("data", error.to_string()))?,
        state,
        due_at: row.due_at.and_then(DateTime::from_timestamp_millis),
        started_at: DateTime::from_timestamp_millis(row.started_at).unwrap_or_default(),
        ended_at: row.ended_at.and_then(DateTime::from_timestamp_millis),
        key: row.key,
        process_id: row.process_id,
        sequence: row.sequence,
        version: row.version,
        // A rank that a newer program knows is none that holds anybody up.
        priority: Priority::of_rank(row.priority).unwrap_or_default(),
        cursor: row.cursor,
        reason: row.reason,
    })
}
