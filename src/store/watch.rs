//! What an operator, and a sleeping evaluator, want to know of the whole store.

use chrono::{DateTime, Utc};

use super::{Result, Store};

/// The first due moment of each priority: three looks into the index. The first entry, and not
/// a minimum: for that PostgreSQL reads every process, as long as it knows little of the table.
const NEXT_PROCESS: &str = "
    SELECT at FROM (SELECT due_at AS at FROM processes
      WHERE status = 'active' AND priority = 0 AND due_at IS NOT NULL
      ORDER BY due_at LIMIT 1) AS high
    UNION ALL SELECT at FROM (SELECT due_at AS at FROM processes
      WHERE status = 'active' AND priority = 1 AND due_at IS NOT NULL
      ORDER BY due_at LIMIT 1) AS normal
    UNION ALL SELECT at FROM (SELECT due_at AS at FROM processes
      WHERE status = 'active' AND priority = 2 AND due_at IS NOT NULL
      ORDER BY due_at LIMIT 1) AS low";

impl Store {
    /// The next moment after which there is something to do, given that everything
    /// dispatch could do at `now` has been done. In the past if a process is overdue.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_due_at(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        // A pending delivery that is due and was not begun belongs to a process that is
        // paused or due itself: waiting for its process is enough.
        let rows = self
            .rows(
                self.reader().await,
                &format!(
                    "SELECT MIN(at) FROM ({NEXT_PROCESS}
                   UNION ALL SELECT MIN(due_at) FROM deliveries
                     WHERE status = 'pending' AND due_at > $1
                   UNION ALL SELECT MIN(due_at) FROM deliveries
                     WHERE status IN ('sent', 'answered', 'in-doubt') AND due_at IS NOT NULL
                   UNION ALL SELECT MIN(late_at) FROM deliveries
                     WHERE status = 'pending' AND late_at IS NOT NULL
                   UNION ALL SELECT MIN(lease_until) FROM deliveries
                     WHERE status = 'sending') AS moments"
                ),
                [now.timestamp_millis().into()],
            )
            .await?;
        let at: Option<i64> = match rows.first() {
            Some(row) => row.try_get_by_index(0)?,
            None => None,
        };
        Ok(at.and_then(DateTime::from_timestamp_millis))
    }

    /// When the next process is due. In the past if one is overdue.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_process_due_at(&self) -> Result<Option<DateTime<Utc>>> {
        let sql = format!("SELECT MIN(at) FROM ({NEXT_PROCESS}) AS moments");
        let rows = self.rows(self.reader().await, &sql, []).await?;
        let at: Option<i64> = rows.first().map_or(Ok(None), |row| row.try_get_by_index(0))?;
        Ok(at.and_then(DateTime::from_timestamp_millis))
    }

    /// Processes by status.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_processes(&self) -> Result<Vec<(String, i64)>> {
        self.counts("SELECT status, COUNT(*) FROM processes GROUP BY status").await
    }

    /// Deliveries that are not final, by status: each from the index that holds no others.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_open_deliveries(&self) -> Result<Vec<(String, i64)>> {
        self.counts(
            "SELECT 'pending', COUNT(*) FROM deliveries WHERE status = 'pending'
             UNION ALL SELECT 'sending', COUNT(*) FROM deliveries WHERE status = 'sending'
             UNION ALL SELECT 'in-doubt', COUNT(*) FROM deliveries
               WHERE status IN ('sent', 'answered', 'in-doubt') AND due_at IS NOT NULL
                 AND status = 'in-doubt'",
        )
        .await
    }

    async fn counts(&self, sql: &str) -> Result<Vec<(String, i64)>> {
        let rows = self.rows(self.reader().await, sql, []).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }
}
