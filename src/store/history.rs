//! History: written once, read by people who ask why.

use chrono::{DateTime, Utc};
use rungs_core::Entry;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Result, Store, StoreError, bulk::Bulk, dialect::Column, entity};

/// What happened to a process at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Order of writing; the cursor for paging.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What, in order.
    pub entries: Vec<Entry>,
}

impl Store {
    /// The history of a process after the moment `after`, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn history(&self, key: &str, after: i64, most: u64) -> Result<Vec<Moment>> {
        let rows = entity::history::Entity::find()
            .filter(entity::history::Column::ProcessKey.eq(key))
            .filter(entity::history::Column::Seq.gt(after))
            .order_by_asc(entity::history::Column::Seq)
            .limit(most)
            .all(self.reader().await)
            .await?;
        rows.iter().map(moment).collect()
    }

    /// The last moments of a process's history, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn history_end(&self, key: &str, most: u64) -> Result<Vec<Moment>> {
        let rows = entity::history::Entity::find()
            .filter(entity::history::Column::ProcessKey.eq(key))
            .order_by_desc(entity::history::Column::Seq)
            .limit(most)
            .all(self.reader().await)
            .await?;
        rows.iter().rev().map(moment).collect()
    }

    /// Appends to the history of each of these processes.
    pub(super) async fn append<'a>(
        &self,
        db: &impl ConnectionTrait,
        entries: impl IntoIterator<Item = (&'a str, &'a [Entry])>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut bulk = Bulk::new(COLUMNS, 0);
        for (key, entries) in entries {
            if !entries.is_empty() {
                bulk.push(row(key, entries, now));
            }
        }
        self.append_bulk(db, bulk).await
    }

    pub(super) async fn append_bulk(&self, db: &impl ConnectionTrait, bulk: Bulk<3>) -> Result<()> {
        let sql = "INSERT INTO history (process_key, at, entries)
                   SELECT r.process_key, r.at, r.entries FROM ROWS";
        self.run_bulk(db, sql, bulk).await
    }
}

/// The columns of a row that is appended.
pub(super) const COLUMNS: &[(&str, Column); 3] =
    &[("process_key", Column::Text), ("at", Column::BigInt), ("entries", Column::Text)];

/// What happened to a process, as a row.
pub(super) fn row(key: &str, entries: &[Entry], now: DateTime<Utc>) -> [sea_orm::Value; 3] {
    [key.into(), now.timestamp_millis().into(), text(entries).into()]
}

fn moment(row: &entity::history::Model) -> Result<Moment> {
    let entries = serde_json::from_str(&row.entries)
        .map_err(|error| StoreError::Unreadable(format!("history row {}: {error}", row.seq)))?;
    let at = DateTime::from_timestamp_millis(row.at).unwrap_or_default();
    Ok(Moment { seq: row.seq, at, entries })
}

fn text(entries: &[Entry]) -> String {
    serde_json::to_string(entries).unwrap_or_else(|_| "[]".to_owned())
}
