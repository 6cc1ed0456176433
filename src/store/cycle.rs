//! The hot path: claim what is due, and write what became of it, in one transaction.
//!
//! Any number of evaluators may claim beside each other: on PostgreSQL each passes by the
//! rows that another holds, on SQLite they take turns.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rungs_core::{Advanced, Delivery, Entry, News, Process, Remedy};
use rungs_runners::{DeliveryStatus, DeliveryView};
use sea_orm::{DatabaseTransaction, FromQueryResult, QueryResult};
use serde_json::{Value, json};

use super::{
    Result, Store, clean,
    dialect::Column,
    entity::{event, process, sequence},
    events, processes,
};

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
        let sql = self.dialect.due_processes(
            "key, process_id, sequence, version, status, cursor, timezone, data, state,
             due_at, woken, reason, started_at, ended_at, priority",
        );
        let at = now.timestamp_millis();
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.rows(&tx, &sql, [at.into(), most.into()]).await?;
        let rows: Vec<process::Model> = models(&rows)?;
        let mut readable = Vec::with_capacity(rows.len());
        for row in rows {
            let (key, woken, due_at) = (row.key.clone(), row.woken, row.due_at.unwrap_or(at));
            match processes::read(row) {
                Ok(process) => readable.push((process, woken, due_at)),
                Err(error) => {
                    self.fail(&tx, &key, &error.to_string(), &Taken::default(), now).await?;
                }
            }
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
             RETURNING process_key, id, step, status, attempts, provider_id, error"
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
        let list = self.dialect.list();
        let events = format!("UPDATE events SET applied = FALSE WHERE CAST(seq AS TEXT) IN {list}");
        let deliveries = format!("UPDATE deliveries SET news = TRUE WHERE id IN {list}");
        let seqs: Vec<String> = unheard.events.iter().map(i64::to_string).collect();
        for (sql, ids) in [(events, &seqs), (deliveries, &unheard.deliveries)] {
            if !ids.is_empty() {
                self.run(tx, &sql, [json!(ids).to_string().into()]).await?;
            }
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

    /// Writes cursors, deliveries and history, and commits. `broken` are processes that
    /// cannot be advanced at all.
    ///
    /// # Errors
    /// The database's; then nothing of it has happened.
    pub async fn commit(
        self,
        advanced: &[Advanced],
        broken: &[Broken],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Self { store, tx, .. } = self;
        for Broken { key, reason, taken } in broken {
            store.fail(&tx, key, reason, taken, now).await?;
        }
        if !advanced.is_empty() {
            store.write_processes(&tx, advanced).await?;
            store.write_deliveries(&tx, advanced, now).await?;
            store.withdraw(&tx, advanced, now).await?;
            let history = advanced
                .iter()
                .map(|advanced| (advanced.process.key.as_str(), advanced.history.as_slice()));
            store.append(&tx, history, now).await?;
        }
        store.commit(tx).await
    }
}

impl Store {
    async fn write_processes(&self, tx: &DatabaseTransaction, advanced: &[Advanced]) -> Result<()> {
        let rows: Vec<Value> =
            advanced.iter().map(|advanced| processes::row(&advanced.process)).collect();
        let sql = format!(
            "UPDATE processes SET status = r.status, cursor = r.cursor, data = r.data,
               state = r.state, due_at = r.due_at, woken = FALSE, reason = r.reason,
               ended_at = r.ended_at
             FROM {} WHERE processes.key = r.key",
            self.dialect.relation(&[
                ("key", Column::Text),
                ("status", Column::Text),
                ("cursor", Column::Text),
                ("data", Column::Text),
                ("state", Column::Text),
                ("due_at", Column::BigInt),
                ("reason", Column::Text),
                ("ended_at", Column::BigInt),
            ])
        );
        self.run(tx, &sql, [Value::Array(rows).to_string().into()]).await?;
        Ok(())
    }

    async fn write_deliveries(
        &self,
        tx: &DatabaseTransaction,
        advanced: &[Advanced],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let rows: Vec<Value> = advanced
            .iter()
            .flat_map(|advanced| {
                let process = &advanced.process;
                advanced.deliveries.iter().map(move |delivery| row(process, delivery))
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        // The same climb gives the same id, so a conflict is the same delivery.
        let sql = format!(
            "INSERT INTO deliveries (id, process_key, step, channel, request, retry, in_doubt,
               late_at, late_then, priority, status, attempts, due_at, withdrawn, log, news,
               created_at)
             SELECT r.id, r.process_key, r.step, r.channel, r.request, r.retry, r.in_doubt,
               r.late_at, r.late_then, r.priority, 'pending', 0, $2, FALSE, '[]', FALSE, $2
             FROM {} WHERE true ON CONFLICT (id) DO NOTHING",
            self.dialect.relation(&[
                ("id", Column::Text),
                ("process_key", Column::Text),
                ("step", Column::Text),
                ("channel", Column::Text),
                ("request", Column::Text),
                ("retry", Column::Text),
                ("in_doubt", Column::Text),
                ("late_at", Column::BigInt),
                ("late_then", Column::Text),
                ("priority", Column::Integer),
            ])
        );
        let rows = Value::Array(rows).to_string();
        self.run(tx, &sql, [rows.into(), now.timestamp_millis().into()]).await?;
        Ok(())
    }

    async fn withdraw(
        &self,
        tx: &DatabaseTransaction,
        advanced: &[Advanced],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let ids: Vec<&String> = advanced.iter().flat_map(|advanced| &advanced.withdrawn).collect();
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
}

fn row(process: &Process, delivery: &Delivery) -> Value {
    let late = delivery.late.as_ref();
    // What says nothing is sent all the same, and needs no note.
    let in_doubt = Some(delivery.in_doubt).filter(|remedy| *remedy != Remedy::Send);
    json!({
        "id": delivery.id,
        "process_key": process.key,
        "priority": process.priority.rank(),
        "in_doubt": in_doubt.map(Remedy::as_str),
        "late_at": late.map(|(late_at, _)| late_at.timestamp_millis()),
        "late_then": late.map(|(_, then)| then.as_str()),
        "step": delivery.step,
        "channel": delivery.what.channel,
        "request": delivery.what.request.to_string(),
        "retry": delivery.retry.and_then(|retry| serde_json::to_string(&retry).ok()),
    })
}

fn view(row: &QueryResult) -> Result<DeliveryView> {
    let status: String = row.try_get("", "status")?;
    Ok(DeliveryView {
        id: row.try_get("", "id")?,
        step: row.try_get("", "step")?,
        // A status that a newer program wrote is at least a sign of life.
        status: DeliveryStatus::parse(&status).unwrap_or(DeliveryStatus::Sending),
        attempts: u32::try_from(row.try_get::<i32>("", "attempts")?).unwrap_or(0),
        provider_id: row.try_get("", "provider_id")?,
        error: row.try_get("", "error")?,
    })
}

pub(super) fn models<M: FromQueryResult>(rows: &[QueryResult]) -> Result<Vec<M>> {
    Ok(rows.iter().map(|row| M::from_query_result(row, "")).collect::<Result<_, _>>()?)
}
