//! What a step asks for, done to another process.
//!
//! Promises: what is done and the record that it was done are one transaction. Whoever lost
//! the attempt, or whose process no longer wants it, does nothing.
//! Called by: intake.

use chrono::{DateTime, Utc};
use rungs_core::{Attempt, Process, Report};
use rungs_runners::Answer;
use sea_orm::DatabaseTransaction;

use super::{
    Result, Store,
    deliveries::{Begun, Told},
    dialect::Dialect,
    processes::{BEARER, Change, births},
};

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Act<'a> {
    /// Insert this process, unless its id is live.
    Start(&'a Process),
    /// Stop the process that bears this id, for this reason.
    Stop(&'a str, String),
    /// Nothing, for this reason, now or ever.
    Refuse(String),
}

/// How often somebody may be in the way.
const MOST_TRIES: u32 = 5;

impl Store {
    /// Does what a delivery asks for, and tells it so. `answer` makes the answer of whether
    /// there was anything to do.
    ///
    /// # Errors
    /// The database's; then nothing has happened.
    pub async fn act(
        &self,
        begun: &Begun,
        act: &Act<'_>,
        answer: impl Fn(bool) -> Answer,
        now: DateTime<Utc>,
    ) -> Result<Vec<Told>> {
        for _ in 1..MOST_TRIES {
            match self.try_to_act(begun, act, &answer, now).await {
                Err(error) if error.is_contention() => {}
                done => return done,
            }
        }
        self.try_to_act(begun, act, &answer, now).await
    }

    async fn try_to_act(
        &self,
        begun: &Begun,
        act: &Act<'_>,
        answer: &impl Fn(bool) -> Answer,
        now: DateTime<Utc>,
    ) -> Result<Vec<Told>> {
        let tx = self.begin().await?;
        let result = match self.still_wanted(&tx, begun, act).await? {
            None => return Ok(Vec::new()),
            // Reported so, it is cancelled.
            Some(false) => Attempt::Temporary { reason: "withdrawn".to_owned(), retry_after: None },
            Some(true) => match act {
                Act::Start(process) => {
                    let born = self.insert_on(&tx, &[*process], births(&[*process]), now).await?;
                    Attempt::Answered(answer(born.contains(&true)))
                }
                Act::Stop(process_id, reason) => {
                    let change = self.stop_on(&tx, process_id, Some(reason), now).await?;
                    Attempt::Answered(answer(matches!(change, Change::Done(_))))
                }
                Act::Refuse(reason) => Attempt::Refused {
                    status: rungs_runners::DeliveryStatus::Failed,
                    reason: reason.clone(),
                },
            },
        };
        let attempt = u32::try_from(begun.attempts).unwrap_or(1);
        let report = Report::Attempted { attempt, result };
        let told = self.report_on(&tx, vec![(begun.id.clone(), report)], now).await?;
        self.commit(tx).await?;
        Ok(told)
    }

    /// Whether the attempt is still under way (`None` if not) and its process wants it.
    /// Locks what is going to be changed: both processes, in the order of their keys, so that
    /// two that stop each other do not wait for each other, and then the delivery.
    async fn still_wanted(
        &self,
        tx: &DatabaseTransaction,
        begun: &Begun,
        act: &Act<'_>,
    ) -> Result<Option<bool>> {
        if self.dialect == Dialect::Postgres {
            let other = match act {
                Act::Stop(process_id, _) => *process_id,
                Act::Start(_) | Act::Refuse(_) => "",
            };
            let sql = format!(
                "SELECT key FROM processes
                 WHERE key = $2 OR key = (SELECT key FROM ({BEARER}) AS bearer LIMIT 1)
                 ORDER BY key FOR UPDATE"
            );
            self.rows(tx, &sql, [other.into(), begun.process_key.as_str().into()]).await?;
        }
        let sql = format!(
            "SELECT withdrawn FROM deliveries WHERE id = $1 AND status = 'sending' AND attempts = $2{}",
            self.dialect.for_update()
        );
        let rows = self.rows(tx, &sql, [begun.id.as_str().into(), begun.attempts.into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let withdrawn: bool = row.try_get_by_index(0)?;
        Ok(Some(!withdrawn))
    }
}
