//! Records: everything that is kept of a process, for replaying it.
//!
//! Called by: intake, for `backtest`.

use chrono::{DateTime, Utc};
use rungs_core::{Event, Process};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value};

use super::{
    Result, Store, StoreError,
    entity::{delivery, event},
    events,
    history::Moment,
};

/// The setting that says which events came before the data at the start were kept: those up to
/// this number.
const KEPT_SINCE: &str = "started_with_since";

/// What is kept of a process.
#[derive(Debug, Clone)]
pub struct Record {
    /// The process.
    pub process: Process,
    /// The data with which it started, if that has changed since, and is known for sure.
    pub started_with: Option<Map<String, Value>>,
    /// What happened to it and was heard, in order.
    pub events: Vec<Event>,
    /// Its history, in order.
    pub history: Vec<Moment>,
    /// What it wrote, in order.
    pub deliveries: Vec<delivery::Model>,
}

impl Store {
    /// How many processes of a sequence were started since then.
    ///
    /// # Errors
    /// The database's.
    pub async fn started_since(&self, sequence: &str, since: DateTime<Utc>) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM processes WHERE sequence = $1 AND started_at >= $2";
        let values = [sequence.into(), since.timestamp_millis().into()];
        let rows = self.rows(self.reader().await, sql, values).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Keys of processes of a sequence that were started since then, the youngest first,
    /// before the one named.
    ///
    /// # Errors
    /// The database's.
    pub async fn keys_since(
        &self,
        sequence: &str,
        since: DateTime<Utc>,
        before: Option<&str>,
        most: u64,
    ) -> Result<Vec<String>> {
        let before = before.unwrap_or_default();
        let sql = "SELECT key FROM processes
                   WHERE sequence = $1 AND started_at >= $2 AND ($3 = '' OR key < $3)
                   ORDER BY key DESC LIMIT $4";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values = [sequence.into(), since.timestamp_millis().into(), before.into(), most.into()];
        let rows = self.rows(self.reader().await, sql, values).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// What is kept of a process, unless its history or its events are longer than `most`.
    ///
    /// # Errors
    /// The database's, and what cannot be read.
    pub async fn record(&self, key: &str, most: u64) -> Result<Option<Record>> {
        let Some(process) = self.process_by_key(key).await? else { return Ok(None) };
        let sql = "SELECT started_with FROM processes WHERE key = $1";
        let rows = self.rows(self.reader().await, sql, [key.into()]).await?;
        let text: Option<String> = rows.first().map_or(Ok(None), |row| row.try_get_by_index(0))?;
        let kept = text.as_deref().map(serde_json::from_str).transpose().map_err(|error| {
            StoreError::Unreadable(format!(
                "process {key}: the data with which it started cannot be read: {error}"
            ))
        })?;
        let happened = event::Entity::find()
            .filter(event::Column::ProcessKey.eq(key))
            .filter(event::Column::Applied.eq(true))
            .order_by_asc(event::Column::Seq)
            .limit(most + 1)
            .all(self.reader().await)
            .await?;
        let history = self.history(key, 0, most + 1).await?;
        if history.len() as u64 > most || happened.len() as u64 > most {
            return Ok(None);
        }
        // What it was told before data were kept may have changed them unseen.
        let since: i64 =
            self.setting(KEPT_SINCE).await?.and_then(|seq| seq.parse().ok()).unwrap_or_default();
        let started_with = kept.filter(|_| happened.iter().all(|event| event.seq > since));
        let events = happened.into_iter().map(events::read).collect();
        let deliveries = self.deliveries_of(key).await?;
        Ok(Some(Record { process, started_with, events, history, deliveries }))
    }
}
