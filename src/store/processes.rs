//! Processes: their birth, and what is done to them from outside.

use std::{borrow::Borrow, sync::Arc};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use rungs_core::{
    Entry, Process, Status,
    process::{Priority, State},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait, RuntimeErr,
    sea_query::{Expr, SelectStatement, UnionType},
    sqlx::Row,
};

use super::{
    Result, Store, StoreError, bulk::Bulk, clean, cycle::models, dialect::Column, entity::process,
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

/// Who bears the id `$1`: first the live one, then the last that ended. Each has an index
/// of its own. The columns by name: PostgreSQL refuses a prepared `SELECT *` for ever once a
/// newer program has added a column.
pub(super) const BEARER: &str = "
    SELECT * FROM (SELECT key, process_id, sequence, version, status, cursor, timezone, data, state, due_at,
        woken, reason, started_at, ended_at, priority FROM processes
      WHERE process_id = $1 AND status IN ('active', 'paused') LIMIT 1) AS live
    UNION ALL SELECT * FROM (SELECT key, process_id, sequence, version, status, cursor, timezone, data, state, due_at,
        woken, reason, started_at, ended_at, priority FROM processes
      WHERE process_id = $1 AND ended_at IS NOT NULL ORDER BY key DESC LIMIT 1) AS ended";

impl Store {
    /// Inserts processes that are not live yet, and says of each whether it was.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert(
        &self,
        processes: &[impl Borrow<Process>],
        now: DateTime<Utc>,
    ) -> Result<Vec<bool>> {
        let processes: Vec<&Process> = processes.iter().map(Borrow::borrow).collect();
        let bulk = births(&processes);
        let tx = self.begin().await?;
        let born = self.insert_on(&tx, &processes, bulk, now).await?;
        self.commit(tx).await?;
        Ok(born)
    }

    /// `bulk` is what [`births`] makes of the processes.
    pub(super) async fn insert_on(
        &self,
        tx: &DatabaseTransaction,
        processes: &[&Process],
        bulk: Bulk<12>,
        now: DateTime<Utc>,
    ) -> Result<Vec<bool>> {
        // `WHERE true`: without it SQLite takes ON CONFLICT for a join condition. In the order
        // of the ids: two batches that name the same ones must not wait for each other.
        let sql = "INSERT INTO processes (key, process_id, sequence, version, status, cursor,
                     timezone, data, state, due_at, woken, started_at, priority)
                   SELECT key, process_id, sequence, version, status, cursor, timezone, data,
                     state, due_at, FALSE, started_at, priority FROM ROWS WHERE true
                   ORDER BY process_id
                   ON CONFLICT (process_id) WHERE status IN ('active', 'paused') DO NOTHING
                   RETURNING key";
        let born = self.rows_of_bulk(tx, sql, bulk).await?;
        let born: std::collections::HashSet<String> =
            born.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        let started = [Entry::Started];
        let history = processes
            .iter()
            .filter(|process| born.contains(&process.key))
            .map(|process| (process.key.as_str(), started.as_slice()));
        self.append(tx, history, now).await?;
        Ok(processes.iter().map(|process| born.contains(&process.key)).collect())
    }

    /// Inserts a process that is not live yet, and says whether it was: with others that are
    /// being born at this moment, in one commit.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert_one(&self, process: Arc<Process>, now: DateTime<Utc>) -> Result<bool> {
        let work =
            |all: Vec<Arc<Process>>| async move { self.insert_each(&all, now).await }.boxed();
        self.births.call(process, work).await
    }

    async fn insert_each(&self, all: &[Arc<Process>], now: DateTime<Utc>) -> Vec<Result<bool>> {
        match self.insert(all, now).await {
            Ok(born) => born.into_iter().map(Ok).collect(),
            // One of them is to blame, and the others shall not suffer for it.
            Err(error) if error.is_about_data() && all.len() > 1 => {
                let mut each = Vec::with_capacity(all.len());
                for one in all.chunks(1) {
                    each.push(self.insert(one, now).await.map(|born| born.contains(&true)));
                }
                each
            }
            Err(error) => vec![Err(error); all.len()],
        }
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
        let rows: Vec<process::Model> = models(&self.rows(db, BEARER, [process_id.into()]).await?)?;
        rows.into_iter().next().map(read).transpose()
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
            query = query.filter(process::Column::Key.in_subquery(keys_of(process_id)));
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

    /// Stops a process. Once this has answered, no delivery of it begins: also one that has
    /// failed is stopped, so that nobody who resumes what failed resumes it.
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
        let change = self.stop_on(&tx, process_id, reason, now).await?;
        self.commit(tx).await?;
        Ok(change)
    }

    pub(super) async fn stop_on(
        &self,
        tx: &DatabaseTransaction,
        process_id: &str,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Change> {
        let at = now.timestamp_millis();
        let sql = format!(
            "UPDATE processes SET status = 'stopped', due_at = NULL, ended_at = $2, reason = $3
             WHERE key = (SELECT key FROM ({BEARER}) AS bearer LIMIT 1)
               AND status IN ('active', 'paused', 'failed') RETURNING key"
        );
        let values = [process_id.into(), at.into(), reason.map(clean).into()];
        let stopped = self.rows(tx, &sql, values).await?;
        if let Some(row) = stopped.first() {
            let key: String = row.try_get_by_index(0)?;
            // What has begun cannot be called back, but it is not tried again.
            self.run(
                tx,
                "UPDATE deliveries SET withdrawn = TRUE,
                   settled_at = CASE WHEN status = 'pending' THEN $1 ELSE settled_at END,
                   status = CASE WHEN status = 'pending' THEN 'cancelled' ELSE status END
                 WHERE process_key = $2 AND status IN ('pending', 'sending', 'in-doubt')",
                [at.into(), key.as_str().into()],
            )
            .await?;
            let entry = [Entry::Stopped { reason: reason.map(str::to_owned) }];
            self.append(tx, [(key.as_str(), entry.as_slice())], now).await?;
        }
        let found = self.process_on(tx, process_id).await?;
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
        let sql = format!(
            "UPDATE processes SET status = 'active', due_at = $2, woken = TRUE,
               ended_at = NULL, reason = NULL
             WHERE key = (SELECT key FROM ({BEARER}) AS bearer LIMIT 1)
               AND status IN ('paused', 'failed') RETURNING key"
        );
        let values = vec![process_id.into(), now.timestamp_millis().into()];
        self.change(&sql, values, process_id, &Entry::Resumed, now).await
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

/// Keys of the processes that bear or bore an id: each of two indexes knows some of them.
fn keys_of(process_id: &str) -> SelectStatement {
    let keys = |which: &'static str| {
        let keys = process::Entity::find().select_only().column(process::Column::Key);
        let keys = keys.filter(process::Column::ProcessId.eq(process_id));
        keys.filter(Expr::cust(which)).into_query()
    };
    let mut all = keys("status IN ('active', 'paused')");
    all.union(UnionType::All, keys("ended_at IS NOT NULL"));
    all
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

const BIRTH: &[(&str, Column); 12] = &[
    ("key", Column::Text),
    ("process_id", Column::Text),
    ("sequence", Column::Text),
    ("version", Column::Integer),
    ("status", Column::Text),
    ("cursor", Column::MaybeText),
    ("timezone", Column::Text),
    ("data", Column::Text),
    ("state", Column::Text),
    ("due_at", Column::MaybeBigInt),
    ("started_at", Column::BigInt),
    ("priority", Column::Integer),
];

/// Processes as rows to insert.
pub(super) fn births(processes: &[&Process]) -> Bulk<12> {
    let mut bulk = Bulk::new(BIRTH, processes.len());
    for process in processes {
        bulk.push(birth(process));
    }
    bulk
}

fn birth(process: &Process) -> [sea_orm::Value; 12] {
    [
        process.key.as_str().into(),
        process.process_id.as_str().into(),
        process.sequence.as_str().into(),
        process.version.into(),
        process.status.as_str().into(),
        process.cursor.as_deref().into(),
        process.timezone.name().into(),
        document(&process.data).into(),
        document(&process.state).into(),
        millis(process.due_at).into(),
        process.started_at.timestamp_millis().into(),
        process.priority.rank().into(),
    ]
}

/// The columns that a cycle writes. `data` only where it has changed.
pub(super) const CLIMBED: &[(&str, Column); 9] = &[
    ("key", Column::Text),
    ("status", Column::Text),
    ("cursor", Column::MaybeText),
    ("data", Column::MaybeText),
    ("state", Column::Text),
    ("due_at", Column::MaybeBigInt),
    ("awaits_word", Column::Boolean),
    ("reason", Column::MaybeText),
    ("ended_at", Column::MaybeBigInt),
];

/// What a cycle made of a process, as a row.
pub(super) fn climbed(process: &Process, data_changed: bool) -> [sea_orm::Value; 9] {
    [
        process.key.as_str().into(),
        process.status.as_str().into(),
        process.cursor.as_deref().into(),
        data_changed.then(|| document(&process.data)).into(),
        document(&process.state).into(),
        millis(process.due_at).into(),
        (process.due_at.is_none() && process.state.delivery.is_some()).into(),
        process.reason.as_deref().map(clean).into(),
        millis(process.ended_at).into(),
    ]
}

fn millis(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(|at| at.timestamp_millis())
}

pub(super) fn document(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// The columns of a claim, in the order in which [`due`] reads them.
pub(super) const DUE: &str = "key, process_id, sequence, version, cursor, timezone, data, state,
    due_at, woken, started_at, priority";

/// A process that is due, as it was claimed.
pub(super) struct Due {
    /// The process; or, if it cannot be read, its key and why.
    pub process: Result<Process, (String, StoreError)>,
    /// There is news it has not heard.
    pub woken: bool,
    /// Since when, in Unix milliseconds.
    pub since: i64,
}

/// Reads a row of a claim: by place, and without copies of what is parsed at once.
pub(super) fn due(row: &QueryResult) -> Result<Due> {
    let since: i64 = row.try_get_by_index(8)?;
    Ok(Due { process: climbing(row, since)?, woken: row.try_get_by_index(9)?, since })
}

fn climbing(row: &QueryResult, due_at: i64) -> Result<Result<Process, (String, StoreError)>> {
    let key: String = row.try_get_by_index(0)?;
    let timezone = text(row, 5)?.parse().map_err(|_| ("timezone", text_of(row, 5)));
    let data = serde_json::from_str(text(row, 6)?).map_err(|error| ("data", error.to_string()));
    let state = serde_json::from_str(text(row, 7)?).map_err(|error| ("state", error.to_string()));
    let (timezone, data, state) = match (timezone, data, state) {
        (Ok(timezone), Ok(data), Ok(state)) => (timezone, data, state),
        (Err((what, why)), ..) | (_, Err((what, why)), _) | (.., Err((what, why))) => {
            let error = unreadable(&key, what, &why);
            return Ok(Err((key, error)));
        }
    };
    let started_at: i64 = row.try_get_by_index(10)?;
    Ok(Ok(Process {
        key,
        process_id: row.try_get_by_index(1)?,
        sequence: row.try_get_by_index(2)?,
        version: row.try_get_by_index(3)?,
        priority: Priority::of_rank(row.try_get_by_index(11)?).unwrap_or_default(),
        status: Status::Active,
        cursor: row.try_get_by_index(4)?,
        timezone,
        data,
        state,
        due_at: DateTime::from_timestamp_millis(due_at),
        reason: None,
        started_at: DateTime::from_timestamp_millis(started_at).unwrap_or_default(),
        ended_at: None,
    }))
}

fn text(row: &QueryResult, index: usize) -> Result<&str> {
    let text = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
        (Some(row), _) => row.try_get(index),
        (_, Some(row)) => row.try_get(index),
        _ => Ok(""),
    };
    Ok(text.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?)
}

fn text_of(row: &QueryResult, index: usize) -> String {
    text(row, index).unwrap_or_default().to_owned()
}

fn unreadable(key: &str, what: &str, why: &str) -> StoreError {
    StoreError::Unreadable(format!("process {key}: its {what} cannot be read: {why}"))
}

/// A row as a process.
pub(super) fn read(row: process::Model) -> Result<Process> {
    let unreadable = |what: &str, why: String| unreadable(&row.key, what, &why);
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
