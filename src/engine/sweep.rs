//! Sweep: attempts whose owner is gone, and processes that ended long ago.

use chrono::TimeDelta;
use rungs_core::Report;

use crate::store::Result;

use super::{Engine, Swept};

/// Rows handled in one transaction.
const BATCH: u64 = 500;

impl Engine {
    /// Gives attempts back whose lease has run out.
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
                "attempts ended without a result; they are repeated"
            );
            let reports = expired.into_iter().map(|id| (id, Report::LeaseExpired)).collect();
            self.store.report(reports, now).await?;
            self.wake.dispatchers();
        }
    }

    /// Forgets processes that ended longer ago than the retention time.
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
        Ok(swept)
    }
}
