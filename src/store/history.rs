//! History: written once, read by people who ask why.

use chrono::{DateTime, Utc};
use rungs_core::Entry;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Result, Store, StoreError, dialect::Column, entity};

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

    /// Appends to the history of each of these processes.
    pub(super) async fn append<'a>(
        &self,
        db: &impl ConnectionTrait,
        entries: impl IntoIterator<Item = (&'a str, &'a [Entry])>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let rows: Vec<_> = entries
            .into_iter()
            .filter(|(_, entries)| !entries.is_empty())
            .map(|(key, entries)| json!({ "process_key": key, "entries": text(entries) }))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO history (process_key, at, entries) SELECT r.process_key, $2, r.entries FROM {}",
            self.dialect.relation(&[("process_key", Column::Text), ("entries", Column::Text)])
        );
        let rows = serde_json::Value::Array(rows).to_string();
        self.run(db, &sql, [rows.into(), now.timestamp_millis().into()]).await?;
        Ok(())
    }
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
