//! What is to be found out about deliveries: what became of those that were sent, whether
//! those in doubt arrived, whose owner is gone, which are late.

use chrono::{DateTime, Utc};
use rungs_core::{Found, Report};
use sea_orm::{DatabaseTransaction, FromQueryResult};
use serde_json::{Value, json};

use super::{Result, Store, cycle::models, deliveries::Told, dialect::Dialect};

/// A delivery whose provider is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct ToAsk {
    /// The delivery's id.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// Its status: `in-doubt` if it is to be looked for.
    pub status: String,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// JSON of what was sent.
    pub request: String,
    /// When the last attempt began, in Unix milliseconds.
    pub begun_at: Option<i64>,
}

/// An attempt whose lease has run out.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Expired {
    /// The delivery's id.
    pub id: String,
    /// Its channel.
    pub channel: String,
}

/// Serialises adoptions on PostgreSQL. Any number that nothing else uses.
const ADOPTING: &str = "SELECT pg_advisory_xact_lock(7447001)";

impl Store {
    /// Attempts whose lease has run out: whoever began them is gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn expired(&self, now: DateTime<Utc>, most: u64) -> Result<Vec<Expired>> {
        let sql = "SELECT id, channel FROM deliveries
                   WHERE status = 'sending' AND lease_until <= $1 ORDER BY lease_until LIMIT $2";
        self.found(sql, now, most).await
    }

    /// Ids of deliveries that wait to be sent and are late by now.
    ///
    /// # Errors
    /// The database's.
    pub async fn late(&self, now: DateTime<Utc>, most: u64) -> Result<Vec<String>> {
        let sql = "SELECT id FROM deliveries
                   WHERE status = 'pending' AND late_at <= $1 ORDER BY late_at LIMIT $2";
        let values = [now.timestamp_millis().into(), limit(most).into()];
        let rows = self.rows(self.reader().await, sql, values).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    async fn found<M: FromQueryResult>(
        &self,
        sql: &str,
        now: DateTime<Utc>,
        most: u64,
    ) -> Result<Vec<M>> {
        let values = [now.timestamp_millis().into(), limit(most).into()];
        models(&self.rows(self.reader().await, sql, values).await?)
    }

    /// Deliveries whose provider is to be asked now. Each is handed out once until
    /// `again_at`, so that several evaluators do not ask the same.
    ///
    /// # Errors
    /// The database's.
    pub async fn to_ask(
        &self,
        now: DateTime<Utc>,
        again_at: DateTime<Utc>,
        most: u64,
    ) -> Result<Vec<ToAsk>> {
        let sql = format!(
            "WITH due AS (
               SELECT id FROM deliveries
               WHERE status IN ('sent', 'answered', 'in-doubt') AND due_at <= $1
               ORDER BY due_at LIMIT $2{})
             UPDATE deliveries SET due_at = $3 WHERE id IN (SELECT id FROM due)
             RETURNING id, channel, status, provider_id, request, begun_at",
            self.dialect.for_update_skip_locked()
        );
        let values =
            [now.timestamp_millis().into(), limit(most).into(), again_at.timestamp_millis().into()];
        models(&self.rows_alone(&sql, values).await?)
    }

    /// Settles a delivery in doubt by what its provider has: the first of `candidates` that
    /// is not another delivery's is taken for it; if there is none, it did not arrive.
    ///
    /// While another delivery to the same address is being sent, a candidate may be that
    /// one's, and nothing is settled: ask again.
    ///
    /// # Errors
    /// The database's.
    pub async fn adopt(
        &self,
        asked: &ToAsk,
        candidates: Vec<(String, Found)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Told>> {
        let tx = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            self.rows(&tx, ADOPTING, []).await?;
        }
        let found = self.choose(&tx, asked, candidates).await?;
        let reports = vec![(asked.id.clone(), Report::Searched(found))];
        let told = self.report_on(&tx, reports, now).await?;
        self.commit(tx).await?;
        Ok(told)
    }

    async fn choose(
        &self,
        tx: &DatabaseTransaction,
        asked: &ToAsk,
        candidates: Vec<(String, Found)>,
    ) -> Result<Found> {
        let ids: Vec<&str> = candidates.iter().map(|(id, _)| id.as_str()).collect();
        let sql = format!(
            "SELECT provider_id FROM deliveries WHERE provider_id IN {}",
            self.dialect.list()
        );
        let rows = self.rows(tx, &sql, [json!(ids).to_string().into()]).await?;
        let taken: Vec<String> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        let Some((_, free)) = candidates.into_iter().find(|(id, _)| !taken.contains(id)) else {
            return Ok(Found::Nothing);
        };
        if self.another_is_on_its_way(tx, asked).await? {
            let reason = "another delivery to the same address is being sent".to_owned();
            return Ok(Found::Unanswered { reason });
        }
        Ok(free)
    }

    async fn another_is_on_its_way(&self, tx: &DatabaseTransaction, asked: &ToAsk) -> Result<bool> {
        let sql = "SELECT request FROM deliveries
                   WHERE status = 'sending' AND channel = $1 AND id <> $2";
        let values = [asked.channel.as_str().into(), asked.id.as_str().into()];
        let to = recipient(&asked.request);
        for row in self.rows(tx, sql, values).await? {
            let request: String = row.try_get_by_index(0)?;
            if recipient(&request) == to {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn recipient(request: &str) -> Option<Value> {
    serde_json::from_str::<Value>(request).ok()?.get_mut("to").map(Value::take)
}

fn limit(most: u64) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
