//! The hot path: claim what is due, and write what became of it, in one transaction.
//!
//! Any number of evaluators may claim beside each other: on PostgreSQL each passes by the
//! rows that another holds, on SQLite they take turns.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use rungs_core::{Advanced, Delivery, Entry, News, Process, Remedy};
use rungs_runners::{DeliveryStatus, DeliveryView};
use sea_orm::{DatabaseTransaction, FromQueryResult, QueryResult, StreamTrait, Value};
use serde_json::json;

use super::{
    Result, Store,
    bulk::Bulk,
    clean,
    dialect::Column,
    entity::{event, sequence},
    events, history,
    processes::{self, Due},
};

/// Takes one of three places for cycles beside each other, until the transaction ends. More
/// of them look past more rows that others hold than they move. Numbers that nothing else
/// uses.
const PLACE: &str = "SELECT CASE WHEN pg_try_advisory_xact_lock(7447101) THEN TRUE
    WHEN pg_try_advisory_xact_lock(7447102) THEN TRUE
    ELSE pg_try_advisory_xact_lock(7447103) END";

/// A transaction that holds processes which are due.
pub struct Cycle<'a> {
    store: &'a Store,
    tx: DatabaseTransaction,
    /// What was claimed: the most urgent first, then the longest overdue.
    pub claimed: Vec<Claimed>,
}

/// A process that is due, with what it has not heard yet.
#[derive(Debug)]
pub struct Claimed {
    /// The process.
    pub process: Process,
    /// Its news, oldest first: events, then deliveries.
    pub news: Vec<News>,
    /// The same, as it is marked in the database.
    pub taken: Taken,
    /// When it had become due.
    pub due_at: DateTime<Utc>,
}

/// News that a cycle took, and marked as heard.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    events: Vec<i64>,
    deliveries: Vec<String>,
}

/// A process that cannot be advanced, and why. It has not heard what was taken for it.
#[derive(Debug)]
pub struct Broken {
    /// Its key.
    pub key: String,
    /// Why.
    pub reason: String,
    /// What it has not heard after all.
    pub taken: Taken,
}

impl Store {
    /// Claims up to `most` processes that are due at `now`: the most urgent first, and of
    /// those the longest overdue.
    /// Rows that cannot be read are failed on the spot, so that they hold up nobody.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim(&self, now: DateTime<Utc>, most: u64) -> Result<Cycle<'_>> {
        let tx = self.begin().await?;
        self.claim_on(tx, now, most).await
    }

    /// The same while there is much to do, in one of the places for cycles that all programs
    /// on the database share; if none is free, it is `None` for one that needs it. On SQLite,
    /// whose writers take turns, there is always one.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_beside(
        &self,
        now: DateTime<Utc>,
        most: u64,
        needs_place: bool,
    ) -> Result<Option<Cycle<'_>>> {
        let tx = self.begin().await?;
        if !self.is_sqlite() {
            let row = self.rows(&tx, PLACE, []).await?;
            let has_place = row.first().is_some_and(|row| row.try_get_by_index(0) == Ok(true));
            if needs_place && !has_place {
                return Ok(None);
            }
        }
        self.claim_on(tx, now, most).await.map(Some)
    }

    async fn claim_on(
        &self,
        tx: DatabaseTransaction,
        now: DateTime<Utc>,
        most: u64,
    ) -> Result<Cycle<'_>> {
        let sql = self.dialect.due_processes(processes::DUE);
        let at = now.timestamp_millis();
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        let statement = self.statement(&sql, [at.into(), most.into()]);
        {
            // Each is read while the database looks for the next.
            let mut rows = tx.stream_raw(statement).await?;
            while let Some(row) = rows.try_next().await? {
                let Due { process, woken, since } = processes::due(&row)?;
                match process {
                    Ok(process) => readable.push((process, woken, since)),
                    Err(error) => unreadable.push(error),
                }
            }
        }
        for (key, error) in unreadable {
            tracing::error!(%error, "a process is failed");
            self.fail(&tx, &key, &error.to_string(), &Taken::default(), now).await?;
        }
        let woken = readable.iter().filter(|(_, woken, _)| *woken);
        let woken = woken.map(|(process, ..)| process.key.clone()).collect();
        let mut news = self.take_news(&tx, woken).await?;
        let claimed = readable
            .into_iter()
            .map(|(process, _, due_at)| {
                let (news, taken) = news.remove(&process.key).unwrap_or_default();
                let due_at = DateTime::from_timestamp_millis(due_at).unwrap_or(now);
                Claimed { process, news, taken, due_at }
            })
            .collect();
        Ok(Cycle { store: self, tx, claimed })
    }

    async fn take_news(
        &self,
        tx: &DatabaseTransaction,
        keys: Vec<String>,
    ) -> Result<HashMap<String, (Vec<News>, Taken)>> {
        let mut all: HashMap<String, (Vec<News>, Taken)> = HashMap::new();
        if keys.is_empty() {
            return Ok(all);
        }
        let keys = json!(keys).to_string();
        let list = self.dialect.list();
        let sql = format!(
            "UPDATE events SET applied = TRUE WHERE NOT applied AND process_key IN {list}
             RETURNING seq, process_key, id, type, data, at, applied"
        );
        let mut happened: Vec<event::Model> =
            models(&self.rows(tx, &sql, [keys.clone().into()]).await?)?;
        happened.sort_by_key(|event| event.seq);
        for row in happened {
            let (news, taken) = all.entry(row.process_key.clone()).or_default();
            taken.events.push(row.seq);
            news.push(News::Event(events::read(row)));
        }
        let sql = format!(
            "UPDATE deliveries SET news = FALSE WHERE news AND process_key IN {list}
             RETURNING process_key, id, step, status, attempts, provider_id, error, answer"
        );
        for row in self.rows(tx, &sql, [keys.into()]).await? {
            let (news, taken) = all.entry(row.try_get_by_index(0)?).or_default();
            let view = view(&row)?;
            taken.deliveries.push(view.id.clone());
            news.push(News::Delivery(view));
        }
        Ok(all)
    }

    /// Fails a live process that no cycle can advance.
    ///
    /// # Errors
    /// The database's.
    pub async fn fail_process(&self, key: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        let tx = self.begin().await?;
        self.fail(&tx, key, reason, &Taken::default(), now).await?;
        self.commit(tx).await
    }

    async fn fail(
        &self,
        tx: &DatabaseTransaction,
        key: &str,
        reason: &str,
        unheard: &Taken,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if !unheard.events.is_empty() {
            let numbers = self.dialect.numbers();
            let sql = format!("UPDATE events SET applied = FALSE WHERE seq IN {numbers}");
            self.run(tx, &sql, [json!(unheard.events).to_string().into()]).await?;
        }
        if !unheard.deliveries.is_empty() {
            let list = self.dialect.list();
            let sql = format!("UPDATE deliveries SET news = TRUE WHERE id IN {list}");
            self.run(tx, &sql, [json!(unheard.deliveries).to_string().into()]).await?;
        }
        let sql =
            "UPDATE processes SET status = 'failed', due_at = NULL, ended_at = $1, reason = $2
                   WHERE key = $3 AND status IN ('active', 'paused')";
        let values = [now.timestamp_millis().into(), clean(reason).into(), key.into()];
        if self.run(tx, sql, values).await? == 0 {
            return Ok(());
        }
        let entry = [Entry::Failed { reason: reason.to_owned() }];
        self.append(tx, [(key, entry.as_slice())], now).await
    }
}

impl Cycle<'_> {
    /// A version of a sequence, read inside the transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn sequence(&self, name: &str, version: i32) -> Result<Option<sequence::Model>> {
        self.store.sequence_on(&self.tx, name, Some(version)).await
    }

    /// What is to be written of a process that was advanced joins `rows`.
    pub fn put(&self, rows: &mut Rows, advanced: &Advanced, now: DateTime<Utc>) {
        let process = &advanced.process;
        rows.processes.push(processes::climbed(process, advanced.data_changed));
        for delivery in &advanced.deliveries {
            rows.deliveries.push(wrote(process, delivery, now));
        }
        rows.withdrawn.extend(advanced.withdrawn.iter().cloned());
        rows.superseded.extend(advanced.superseded.iter().cloned());
        if !advanced.history.is_empty() {
            rows.history.push(history::row(&process.key, &advanced.history, now));
        }
    }

    /// Writes cursors, deliveries and history of some of the processes.
    ///
    /// # Errors
    /// The database's; then nothing of this cycle has happened.
    pub async fn write(&self, rows: Rows, now: DateTime<Utc>) -> Result<()> {
        let Rows { processes, deliveries, withdrawn, superseded, history } = rows;
        let (store, tx) = (self.store, &self.tx);
        let sql = "UPDATE processes SET status = r.status, cursor = r.cursor,
                     started_with = CASE WHEN r.data IS NULL THEN processes.started_with
                       ELSE COALESCE(processes.started_with, processes.data) END,
                     data = COALESCE(r.data, processes.data), state = r.state,
                     due_at = r.due_at, awaits_word = r.awaits_word, woken = FALSE,
                     reason = r.reason, ended_at = r.ended_at
                   FROM ROWS WHERE processes.key = r.key";
        store.run_bulk(tx, sql, processes).await?;
        // The same climb gives the same id, so a conflict is the same delivery.
        let sql = "INSERT INTO deliveries (id, process_key, step, channel, request, retry,
                     in_doubt, late_at, late_then, priority, status, attempts, due_at, quiet,
                     quiet_at, withdrawn, log, news, created_at)
                   SELECT r.id, r.process_key, r.step, r.channel, r.request, r.retry, r.in_doubt,
                     r.late_at, r.late_then, r.priority, 'pending', 0, r.due_at, r.quiet,
                     r.quiet_at, FALSE, '[]', FALSE, r.created_at
                   FROM ROWS WHERE true ON CONFLICT (id) DO NOTHING";
        store.run_bulk(tx, sql, deliveries).await?;
        store.withdraw(tx, &withdrawn, now).await?;
        store.forget_deliveries(tx, &superseded).await?;
        store.append_bulk(tx, history).await
    }

    /// Writes what was not written yet, and commits. `broken` are processes that cannot be
    /// advanced at all.
    ///
    /// # Errors
    /// The database's; then nothing of it has happened.
    pub async fn commit(
        self,
        advanced: &[Advanced],
        broken: &[Broken],
        now: DateTime<Utc>,
    ) -> Result<()> {
        for Broken { key, reason, taken } in broken {
            self.store.fail(&self.tx, key, reason, taken, now).await?;
        }
        let mut rows = Rows::default();
        for one in advanced {
            self.put(&mut rows, one, now);
        }
        self.write(rows, now).await?;
        self.store.commit(self.tx).await
    }
}

/// What a cycle writes.
pub struct Rows {
    processes: Bulk<9>,
    deliveries: Bulk<14>,
    withdrawn: Vec<String>,
    superseded: Vec<String>,
    history: Bulk<3>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            processes: Bulk::new(processes::CLIMBED, 0),
            deliveries: Bulk::new(WROTE, 0),
            withdrawn: Vec::new(),
            superseded: Vec::new(),
            history: Bulk::new(history::COLUMNS, 0),
        }
    }
}

impl Store {
    async fn withdraw(
        &self,
        tx: &DatabaseTransaction,
        ids: &[String],
        now: DateTime<Utc>,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "UPDATE deliveries SET withdrawn = TRUE,
               settled_at = CASE WHEN status = 'pending' THEN $2 ELSE settled_at END,
               status = CASE WHEN status = 'pending' THEN 'cancelled' ELSE status END
             WHERE status IN ('pending', 'sending', 'in-doubt') AND id IN {}",
            self.dialect.list()
        );
        self.run(tx, &sql, [json!(ids).to_string().into(), now.timestamp_millis().into()]).await?;
        Ok(())
    }

    /// A question that is asked every minute for weeks shall not leave a row each time.
    async fn forget_deliveries(&self, tx: &DatabaseTransaction, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let list = self.dialect.list();
        let sql = format!("DELETE FROM deliveries WHERE settled_at IS NOT NULL AND id IN {list}");
        self.run(tx, &sql, [json!(ids).to_string().into()]).await?;
        Ok(())
    }
}

const WROTE: &[(&str, Column); 14] = &[
    ("id", Column::Text),
    ("process_key", Column::Text),
    ("step", Column::Text),
    ("channel", Column::Text),
    ("request", Column::Text),
    ("retry", Column::MaybeText),
    ("in_doubt", Column::MaybeText),
    ("late_at", Column::MaybeBigInt),
    ("late_then", Column::MaybeText),
    ("priority", Column::Integer),
    ("due_at", Column::BigInt),
    ("quiet", Column::MaybeText),
    ("quiet_at", Column::MaybeBigInt),
    ("created_at", Column::BigInt),
];

/// A delivery that a process wrote, as a row.
fn wrote(process: &Process, delivery: &Delivery, now: DateTime<Utc>) -> [Value; 14] {
    let (late, held) = (delivery.late.as_ref(), delivery.held.as_ref());
    let due_at = held.map_or(now, |held| held.leaves_at.max(now));
    // What says nothing is sent all the same, and needs no note.
    let in_doubt = Some(delivery.in_doubt).filter(|remedy| *remedy != Remedy::Send);
    [
        delivery.id.as_str().into(),
        process.key.as_str().into(),
        delivery.step.as_str().into(),
        delivery.what.channel.into(),
        delivery.what.request.to_string().into(),
        delivery.retry.and_then(|retry| serde_json::to_string(&retry).ok()).into(),
        in_doubt.map(Remedy::as_str).into(),
        late.map(|(late_at, _)| late_at.timestamp_millis()).into(),
        late.map(|(_, then)| then.as_str()).into(),
        process.priority.rank().into(),
        due_at.timestamp_millis().into(),
        held.and_then(|held| serde_json::to_string(&held.quiet).ok()).into(),
        held.and_then(|held| held.falls_at).map(|at| at.timestamp_millis()).into(),
        now.timestamp_millis().into(),
    ]
}

fn view(row: &QueryResult) -> Result<DeliveryView> {
    let status: String = row.try_get("", "status")?;
    let answer: Option<String> = row.try_get("", "answer")?;
    Ok(DeliveryView {
        id: row.try_get("", "id")?,
        step: row.try_get("", "step")?,
        // A status that a newer program wrote is at least a sign of life.
        status: DeliveryStatus::parse(&status).unwrap_or(DeliveryStatus::Sending),
        attempts: u32::try_from(row.try_get::<i32>("", "attempts")?).unwrap_or(0),
        provider_id: row.try_get("", "provider_id")?,
        error: row.try_get("", "error")?,
        answer: answer.and_then(|answer| serde_json::from_str(&answer).ok()),
    })
}

pub(super) fn models<M: FromQueryResult>(rows: &[QueryResult]) -> Result<Vec<M>> {
    Ok(rows.iter().map(|row| M::from_query_result(row, "")).collect::<Result<_, _>>()?)
}
