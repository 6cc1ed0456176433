//! Settings that are changed while programs run: one JSON document under a name.

use chrono::{DateTime, Utc};

use super::{Result, Store, clean};

impl Store {
    /// The setting with this name, as JSON text.
    ///
    /// # Errors
    /// The database's.
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM settings WHERE name = $1";
        let rows = self.rows(self.reader().await, sql, [name.into()]).await?;
        Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?)
    }

    /// Sets it, or with `None` takes it away.
    ///
    /// # Errors
    /// The database's.
    pub async fn set(&self, name: &str, value: Option<&str>, now: DateTime<Utc>) -> Result<()> {
        let (sql, values) = match value {
            Some(value) => (
                "INSERT INTO settings (name, value, changed_at) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value,
                   changed_at = excluded.changed_at",
                vec![name.into(), clean(value).into(), now.timestamp_millis().into()],
            ),
            None => ("DELETE FROM settings WHERE name = $1", vec![name.into()]),
        };
        self.rows_alone(sql, values).await?;
        Ok(())
    }
}
