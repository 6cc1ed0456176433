//! Forgetting what ended long ago, in bounded batches.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Result, Store};

/// Inline sequences that are forgotten at once. The rest is for the next time.
const MOST_SEQUENCES: u64 = 10_000;

impl Store {
    /// Deletes up to `most` processes that ended before `before`, with all that belongs to
    /// them. Returns how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_processes(&self, before: DateTime<Utc>, most: u64) -> Result<usize> {
        let tx = self.begin().await?;
        let sql = format!(
            "SELECT key FROM processes WHERE ended_at < $1 ORDER BY ended_at LIMIT $2{}",
            self.dialect.for_update_skip_locked()
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.rows(&tx, &sql, [before.timestamp_millis().into(), most.into()]).await?;
        let keys: Vec<String> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Ok(0);
        }
        let list = self.dialect.list();
        for (table, column) in [
            ("history", "process_key"),
            ("events", "process_key"),
            ("deliveries", "process_key"),
            ("processes", "key"),
        ] {
            let sql = format!("DELETE FROM {table} WHERE {column} IN {list}");
            self.run(&tx, &sql, [json!(keys).to_string().into()]).await?;
        }
        self.commit(tx).await?;
        Ok(keys.len())
    }

    /// Forgets up to `most` messages that were taken in before `before`. Returns how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_messages(&self, before: DateTime<Utc>, most: u64) -> Result<u64> {
        let sql = "DELETE FROM messages WHERE id IN
                     (SELECT id FROM messages WHERE taken_at < $1 LIMIT $2)";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.run(&self.writer, sql, [before.timestamp_millis().into(), most.into()]).await
    }

    /// Deletes inline sequences that came before `before` and that no process climbs any
    /// more. Returns how many.
    ///
    /// They are looked for outside the transaction, since that reads every process. Whoever
    /// starts one meanwhile marks its sequence as used now.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_inline_sequences(&self, before: DateTime<Utc>) -> Result<u64> {
        let before = before.timestamp_millis();
        let old = "inline AND created_at < $1";
        let sql = format!("SELECT name FROM sequences WHERE {old} LIMIT 1");
        if self.rows(self.reader().await, &sql, [before.into()]).await?.is_empty() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT name FROM sequences WHERE {old}
             EXCEPT SELECT sequence FROM processes LIMIT {MOST_SEQUENCES}"
        );
        let rows = self.rows(self.reader().await, &sql, [before.into()]).await?;
        let names: Vec<String> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Ok(0);
        }
        let list = self.dialect.list();
        let sql =
            format!("DELETE FROM sequences WHERE inline AND created_at < $2 AND name IN {list}");
        self.run(&self.writer, &sql, [json!(names).to_string().into(), before.into()]).await
    }
}
