//! History: written once, read by people who ask why.

use chrono::{DateTime, Utc};
use rungs_core::Entry;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

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
    let unreadable = |error| StoreError::Unreadable(format!("history row {}: {error}", row.seq));
    let entries = if WRAPPED.iter().any(|key| row.entries.contains(&format!("\"{key}\":{{"))) {
        let all: Vec<Value> = serde_json::from_str(&row.entries).map_err(unreadable)?;
        let all = all.into_iter().map(|entry| serde_json::from_value(unwrapped(entry)));
        all.collect::<Result<_, _>>().map_err(unreadable)?
    } else {
        serde_json::from_str(&row.entries).map_err(unreadable)?
    };
    let at = DateTime::from_timestamp_millis(row.at).unwrap_or_default();
    Ok(Moment { seq: row.seq, at, entries })
}

fn text(entries: &[Entry]) -> String {
    let young = |entry: &Entry| matches!(entry, Entry::Moved { .. } | Entry::Held { .. });
    let text = if entries.iter().any(young) {
        serde_json::to_string(&entries.iter().map(wrapped).collect::<Vec<Value>>())
    } else {
        serde_json::to_string(entries)
    };
    text.unwrap_or_else(|_| "[]".to_owned())
}

/// The keys under which entries stand that older programs do not know. Nobody else's words are
/// keys of an entry.
const WRAPPED: [&str; 2] = ["moved", "held"];

/// A program that does not know a kind of entry cannot read it, nor the rest of its moment. So
/// it is written as an event of that name, with what it is beside it.
fn wrapped(entry: &Entry) -> Value {
    let written = json!(entry);
    match entry {
        Entry::Moved { from, to, .. } => json!({
            "kind": "happened", "event": format!("moved from version {from} to {to}"),
            "moved": written,
        }),
        Entry::Held { step, .. } => json!({
            "kind": "happened", "event": format!("{step} held by quiet hours"), "held": written,
        }),
        _ => written,
    }
}

fn unwrapped(mut entry: Value) -> Value {
    match WRAPPED.into_iter().find(|key| entry.get(key).is_some_and(Value::is_object)) {
        Some(key) => entry.get_mut(key).map(Value::take).unwrap_or_default(),
        None => entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_younger_than_a_program_is_an_event_to_it() {
        let moved = Entry::Moved { from: 1, to: 2, step_from: "a".into(), step: "b".into() };
        let held = Entry::Held { step: "b".into(), delivery: "d".into(), until: 1 };
        let entries =
            vec![Entry::Started, moved, held, Entry::Happened { event: "\"moved\":{".into() }];
        let row = entity::history::Model {
            seq: 1,
            process_key: String::new(),
            at: 0,
            entries: text(&entries),
        };
        assert_eq!(moment(&row).unwrap().entries, entries);
        // As every program reads entries.
        let older: Vec<Entry> = serde_json::from_str(&row.entries).unwrap();
        assert_eq!(older[1], Entry::Happened { event: "moved from version 1 to 2".into() });
        assert_eq!(older[2], Entry::Happened { event: "b held by quiet hours".into() });
    }
}
