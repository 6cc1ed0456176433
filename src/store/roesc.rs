//! roesc's own tables, in its PostgreSQL.
//!
//! Promises: they are only read, each by one statement, and so as of one moment.
//! Called by: `rungs import roesc`, over a [`Store`] that is connected to roesc's database.
//! Source: `dev-resources/initiate.sql` of roesc.

use super::{Result, Store};

/// A row of `process`: an escalation that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The process's id.
    pub id: String,
    /// Unix seconds of its next notification.
    pub at: i64,
    /// The notifications that it still has, as EDN. roesc's older schema allows none.
    pub notifications: Option<String>,
}

impl Store {
    /// Every row of `process`, the next first; `None` if there is no such table.
    ///
    /// # Errors
    /// The database's.
    pub async fn roesc_processes(&self) -> Result<Option<Vec<Row>>> {
        if !self.has_table("process").await? {
            return Ok(None);
        }
        let sql = "SELECT id, at, notifications FROM process ORDER BY at, id";
        let rows = self.rows(self.reader().await, sql, []).await?;
        let rows = rows.iter().map(|row| {
            Ok(Row {
                id: row.try_get_by_index(0)?,
                at: row.try_get_by_index(1)?,
                notifications: row.try_get_by_index(2)?,
            })
        });
        rows.collect::<Result<_>>().map(Some)
    }

    /// The value of a property, if it has one.
    ///
    /// # Errors
    /// The database's.
    pub async fn roesc_property(&self, key: &str) -> Result<Option<String>> {
        if !self.has_table("property").await? {
            return Ok(None);
        }
        let sql = "SELECT property_value FROM property WHERE property_key = $1";
        let rows = self.rows(self.reader().await, sql, [key.into()]).await?;
        let value: Option<Option<String>> =
            rows.first().map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(value.flatten())
    }

    async fn has_table(&self, name: &str) -> Result<bool> {
        let sql = "SELECT to_regclass($1) IS NOT NULL";
        let rows = self.rows(self.reader().await, sql, [name.into()]).await?;
        Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false))
    }
}
