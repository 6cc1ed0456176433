//! Events: what happened to a process from outside, kept until its next cycle hears it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rungs_core::Event;
use rungs_runners::data;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value};

use super::{Result, Store, clean, entity::event};

/// How many times the data of a process may lie in its events before it hears of them.
const MOST_UNHEARD: usize = 8;

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The process will hear of it in its next cycle, and is due.
    Taken,
    /// An event with this id came before: nothing changed.
    Repeated,
    /// With it the process would have too much data: nothing changed.
    TooMuch,
    /// No live process bears that id.
    NotLive,
}

impl Store {
    /// Keeps an event for a live process and makes it due, unless its data with that of the
    /// event, and of those not heard yet, would pass
    /// `most_data`: bytes of what comes, characters of what is stored.
    ///
    /// # Errors
    /// The database's.
    pub async fn receive(
        &self,
        process_id: &str,
        event_id: &str,
        event: &Event,
        most_data: usize,
        now: DateTime<Utc>,
    ) -> Result<Received> {
        let tx = self.begin().await?;
        let received = self.receive_on(&tx, process_id, event_id, event, most_data, now).await?;
        if received == Received::Taken {
            self.commit(tx).await?;
        }
        Ok(received)
    }

    /// What else than [`Received::Taken`] or [`Received::NotLive`] it answers is only true of a
    /// transaction that is not committed.
    pub(super) async fn receive_on(
        &self,
        tx: &DatabaseTransaction,
        process_id: &str,
        event_id: &str,
        event: &Event,
        most_data: usize,
        now: DateTime<Utc>,
    ) -> Result<Received> {
        let live = self
            .rows(
                tx,
                "UPDATE processes SET woken = TRUE,
                   due_at = CASE WHEN due_at IS NULL OR due_at > $1 THEN $1 ELSE due_at END
                 WHERE process_id = $2 AND status IN ('active', 'paused')
                 RETURNING key, CAST(LENGTH(data) AS BIGINT) + (SELECT CAST(COALESCE(SUM(LENGTH(data)), 0) AS BIGINT)
                   FROM events WHERE process_key = key AND NOT applied) AS size",
                [now.timestamp_millis().into(), process_id.into()],
            )
            .await?;
        let Some(row) = live.first() else { return Ok(Received::NotLive) };
        let key: String = row.try_get("", "key")?;
        let size: i64 = row.try_get("", "size")?;
        let data = event.data.to_string();
        let size = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(data.len());
        let inserted = self
            .run(
                tx,
                "INSERT INTO events (process_key, id, type, data, at, applied)
                 VALUES ($1, $2, $3, $4, $5, FALSE) ON CONFLICT (process_key, id) DO NOTHING",
                [
                    key.clone().into(),
                    clean(event_id).into(),
                    clean(&event.r#type).into(),
                    data.into(),
                    event.at.timestamp_millis().into(),
                ],
            )
            .await?;
        if inserted == 0 {
            return Ok(Received::Repeated);
        }
        // Who tells it again shall hear that it came, however much there is by now.
        let fits = size <= most_data
            || (size <= MOST_UNHEARD * most_data && self.fits(tx, &key, most_data).await?);
        Ok(if fits { Received::Taken } else { Received::TooMuch })
    }

    /// Whether the data of a process are no more than that once it has heard of everything: what
    /// comes may take the place of what was there.
    async fn fits(&self, tx: &DatabaseTransaction, key: &str, most: usize) -> Result<bool> {
        let sql = "SELECT data FROM (
                     SELECT 0 AS seq, data FROM processes WHERE key = $1
                     UNION ALL SELECT seq, data FROM events WHERE process_key = $1 AND NOT applied) AS parts
                   ORDER BY seq";
        let mut data = Map::new();
        for row in self.rows(tx, sql, [key.into()]).await? {
            let part: String = row.try_get_by_index(0)?;
            if let Ok(Value::Object(part)) = serde_json::from_str(&part) {
                data::merge(&mut data, &part);
            }
        }
        Ok(data::length(&data) <= most)
    }

    /// Events a process has not heard of yet, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn unheard_events(&self, key: &str) -> Result<Vec<Event>> {
        let rows = event::Entity::find()
            .filter(event::Column::ProcessKey.eq(key))
            .filter(event::Column::Applied.eq(false))
            .order_by_asc(event::Column::Seq)
            .all(self.reader().await)
            .await?;
        Ok(rows.into_iter().map(read).collect())
    }
}

impl Store {
    /// The same of many processes, by their keys.
    ///
    /// # Errors
    /// The database's.
    pub async fn unheard_of(&self, keys: &[&str]) -> Result<HashMap<String, Vec<Event>>> {
        const PORTION: usize = 500;
        let mut of_each: HashMap<String, Vec<Event>> = HashMap::new();
        for portion in keys.chunks(PORTION) {
            let rows = event::Entity::find()
                .filter(event::Column::ProcessKey.is_in(portion.iter().copied()))
                .filter(event::Column::Applied.eq(false))
                .order_by_asc(event::Column::Seq)
                .all(self.reader().await)
                .await?;
            for row in rows {
                of_each.entry(row.process_key.clone()).or_default().push(read(row));
            }
        }
        Ok(of_each)
    }
}

/// A row as an event. Its data was JSON when it was taken in.
pub(super) fn read(row: event::Model) -> Event {
    Event {
        r#type: row.r#type,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        at: DateTime::from_timestamp_millis(row.at).unwrap_or_default(),
    }
}
