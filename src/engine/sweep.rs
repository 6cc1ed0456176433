//! Sweep: attempts whose owner is gone, deliveries that are late, and processes that ended
//! long ago.

use chrono::TimeDelta;
use rungs_core::Report;

use crate::store::Result;

use super::{Engine, Swept};

/// Rows handled in one transaction.
const BATCH: u64 = 500;
/// How long it is remembered that a message was taken in: SQS keeps none for longer than
/// fourteen days.
const MESSAGES_FOR: TimeDelta = TimeDelta::days(15);

impl Engine {
    /// Takes attempts from their owners whose lease has run out: they are in doubt.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_leases(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        loop {
            let now = self.clock.now();
            let expired = self.store.expired(now, BATCH).await?;
            if expired.is_empty() {
                return Ok(swept);
            }
            swept.leases += expired.len();
            self.metrics.leases_expired(expired.len());
            tracing::warn!(
                count = expired.len(),
                "attempts ended without a result: it is looked whether they arrived"
            );
            let ask_at =
                |channel: &str| self.channels.get(channel)?.channel.searches().map(|_| now);
            let reports = expired
                .into_iter()
                .map(|one| (one.id, Report::LeaseExpired { ask_at: ask_at(&one.channel) }))
                .collect();
            let known = self.report(reports, now).await?;
            self.wake.dispatchers();
            // Rows that cannot be read are left to who can read them.
            if known == 0 {
                return Ok(swept);
            }
        }
    }

    /// Skips or fails what could not leave in time.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_late(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        loop {
            let now = self.clock.now();
            let late = self.store.late(now, BATCH).await?;
            if late.is_empty() {
                return Ok(swept);
            }
            swept.late += late.len();
            self.metrics.late(late.len());
            tracing::warn!(count = late.len(), "deliveries are late; they are not sent");
            let reports = late.into_iter().map(|id| (id, Report::Late)).collect();
            let known = self.report(reports, now).await?;
            self.wake.evaluator();
            if known == 0 {
                return Ok(swept);
            }
        }
    }

    /// Forgets processes that ended longer ago than the retention time, and messages that
    /// cannot come again.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_ended(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        let before = self.clock.now() - self.options.retention;
        loop {
            match self.store.sweep_processes(before, BATCH).await? {
                0 => break,
                count => swept.processes += count,
            }
        }
        // One that is used again is marked so once an hour.
        let unused_since = before.min(self.clock.now() - TimeDelta::hours(2));
        self.store.sweep_inline_sequences(unused_since).await?;
        let old = self.clock.now() - MESSAGES_FOR;
        while self.store.sweep_messages(old, BATCH).await? >= BATCH {}
        Ok(swept)
    }
}
