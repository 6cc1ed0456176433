//! Audit: what no healthy engine leaves lying about.
//!
//! Promises: one statement, and so one moment; each of its three parts reads an index that
//! holds little else than what is wrong, however many processes sleep.
//!
//! What counts:
//! - *forgotten*: active, with no moment at which it is due, and either there is news that
//!   nobody will tell it, or it waits for word of a delivery and no delivery of it is open
//!   that will still be heard of. A process that rests at a goal waits for an event: that
//!   is what it is for. One that is paused is held by somebody.
//! - *orphaned*: an attempt whose lease ran out a minute ago. The sweep, which looks every
//!   second, gives such attempts back.
//! - *overdue*: due for more than a minute.
//!
//! Does not: mend anything.
//! Called by: `rungs audit`, `/readyz`, `/metrics`, the heartbeat, and tests.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::QueryResult;
use serde::Serialize;

use super::{Result, Store};

/// How long something may be due, or a lease be over, before it counts.
pub const GRACE: TimeDelta = TimeDelta::minutes(1);

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Processes that nothing will ever wake.
    pub forgotten: Found,
    /// Attempts that outlived whoever began them.
    pub orphaned: Found,
    /// Processes that have been due for more than a minute.
    pub overdue: Found,
}

/// What was found of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How many.
    pub count: i64,
    /// The first of them.
    pub first: Vec<Finding>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The caller's id of the process.
    pub process_id: String,
    /// The sequence's name.
    pub sequence: String,
    /// The step at which it stands, or that wrote the delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The delivery's id, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// Its channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Since when it is due, or its lease is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}

impl Audit {
    /// Each kind with its name.
    pub fn kinds(&self) -> [(&'static str, &Found); 3] {
        [("forgotten", &self.forgotten), ("orphaned", &self.orphaned), ("overdue", &self.overdue)]
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.kinds().iter().all(|(_, found)| found.count == 0)
    }
}

/// `$1`: what is older counts. `$2`: how many of each are shown.
///
/// The conditions are written as in the partial indexes (`m0009_audit`), or the databases
/// would not see that they may use them.
const SQL: &str = "
    SELECT * FROM (
      SELECT 'forgotten' AS kind, p.process_id, p.sequence, p.cursor AS step,
        CAST(NULL AS TEXT) AS delivery, CAST(NULL AS TEXT) AS channel,
        CAST(NULL AS BIGINT) AS since, COUNT(*) OVER () AS found
      FROM processes p
      WHERE p.status = 'active' AND p.due_at IS NULL
        AND (p.woken OR p.awaits_word)
        AND (p.woken OR NOT EXISTS (
          SELECT 1 FROM deliveries d WHERE d.process_key = p.key
            AND (d.status IN ('pending', 'sending')
              OR (d.status IN ('sent', 'answered', 'in-doubt') AND d.due_at IS NOT NULL))))
      ORDER BY p.key LIMIT $2) AS forgotten
    UNION ALL SELECT * FROM (
      SELECT 'orphaned', p.process_id, p.sequence, d.step, d.id, d.channel, d.lease_until,
        COUNT(*) OVER ()
      FROM deliveries d JOIN processes p ON p.key = d.process_key
      WHERE d.status = 'sending' AND d.lease_until < $1
      ORDER BY d.lease_until LIMIT $2) AS orphaned
    UNION ALL SELECT * FROM (
      SELECT 'overdue', p.process_id, p.sequence, p.cursor, NULL, NULL, p.due_at,
        COUNT(*) OVER ()
      FROM processes p
      WHERE p.status = 'active' AND p.due_at IS NOT NULL AND p.priority IN (0, 1, 2)
        AND p.due_at < $1
      ORDER BY p.due_at LIMIT $2) AS overdue";

impl Store {
    /// Looks for what is wrong at `now`, and names up to `most` of each kind.
    ///
    /// # Errors
    /// The database's.
    pub async fn audit(&self, now: DateTime<Utc>, most: u64) -> Result<Audit> {
        // One row of a kind carries its count.
        let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
        let values = [(now - GRACE).timestamp_millis().into(), most.into()];
        let mut audit = Audit::default();
        for row in self.rows(self.reader().await, SQL, values).await? {
            let kind: String = row.try_get("", "kind")?;
            let found = match kind.as_str() {
                "forgotten" => &mut audit.forgotten,
                "orphaned" => &mut audit.orphaned,
                _ => &mut audit.overdue,
            };
            found.count = row.try_get("", "found")?;
            found.first.push(finding(&row)?);
        }
        Ok(audit)
    }
}

fn finding(row: &QueryResult) -> Result<Finding> {
    let since: Option<i64> = row.try_get("", "since")?;
    Ok(Finding {
        process_id: row.try_get("", "process_id")?,
        sequence: row.try_get("", "sequence")?,
        step: row.try_get("", "step")?,
        delivery: row.try_get("", "delivery")?,
        channel: row.try_get("", "channel")?,
        since: since.and_then(DateTime::from_timestamp_millis),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::Options;

    /// What SQLite reads to answer it: through indexes only, and of processes only through
    /// those that leave out who sleeps.
    #[tokio::test]
    async fn it_reads_no_table_from_end_to_end() {
        let options = Options {
            url: "sqlite::memory:".to_owned(),
            max_connections: 1,
            acquire_timeout: Duration::from_secs(10),
        };
        let store = Store::connect(&options).await.unwrap();
        store.migrate().await.unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {SQL}");
        let rows = store.rows(&store.reader, &explain, [0_i64.into(), 1_i64.into()]).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        let uses = |words: &str| plan.iter().any(|line| line.contains(words));
        assert!(uses("p USING INDEX processes_awaiting_word"), "{plan:#?}");
        assert!(uses("SEARCH d USING INDEX deliveries_of_process"), "{plan:#?}");
        assert!(uses("SEARCH d USING INDEX deliveries_sending"), "{plan:#?}");
        assert!(uses("SEARCH p USING INDEX processes_due (priority=?"), "{plan:#?}");
        let scans = |line: &&String| line.starts_with("SCAN p") || line.starts_with("SCAN d");
        let scanned: Vec<_> = plan.iter().filter(scans).collect();
        assert!(scanned.iter().all(|line| line.contains("processes_awaiting_word")), "{plan:#?}");
    }
}
