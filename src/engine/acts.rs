//! Acts: what steps do to processes, `Start` and `Stop`.
//!
//! Promises: an act and the record that it was done are one transaction, so it is done once,
//! whatever crashes: before the commit nothing has happened, and after it the step has its
//! answer. There is no doubt to be settled, and nobody to be asked.
//! Does not: know how a process is born, or may be stopped (intake does, behind [`Acts`]).
//! Called by: the passes of dispatch.

use std::fmt::Debug;

use async_trait::async_trait;
use futures::future::join_all;
use rungs_core::{Attempt, Report};
use rungs_runners::builtin::process::CHANNEL;
use tokio_util::sync::CancellationToken;

use crate::store::{
    Result,
    deliveries::{Begun, Told},
};

use super::{Dispatched, Engine};

/// Acts that are done beside each other.
const AT_ONCE: u64 = 16;

/// Who does what steps ask for. Intake does.
#[async_trait]
pub trait Acts: Debug + Send + Sync {
    /// Does what a delivery asks for, and writes down what came of it, in one transaction.
    ///
    /// # Errors
    /// The database's; then nothing has happened.
    async fn act(&self, engine: &Engine, begun: &Begun) -> Result<Vec<Told>>;
}

impl Engine {
    /// Does everything that steps have asked for, until nothing is left. After `shutdown`
    /// nothing more begins.
    pub(super) async fn act_until(&self, shutdown: &CancellationToken) -> Result<Dispatched> {
        let mut total = Dispatched::default();
        let Some(acts) = &self.options.acts else { return Ok(total) };
        while !shutdown.is_cancelled() {
            let now = self.clock.now();
            let lease_until = now + self.options.lease;
            let mut begun = self.store.begin_attempts(CHANNEL, AT_ONCE, now, lease_until).await?;
            // Acts have no quiet hours; a row that says otherwise is nothing to do, for ever.
            begun.retain(|one| !one.is_held);
            if begun.is_empty() {
                break;
            }
            let done = join_all(begun.iter().map(|begun| self.act(acts.as_ref(), begun))).await;
            let mut tally = Dispatched { attempts: begun.len(), ..Dispatched::default() };
            for (begun, told) in begun.iter().zip(done) {
                tally.retries += usize::from(begun.attempts > 1);
                match told? {
                    Some(told) if told.iter().any(|one| one.status.is_failure()) => {
                        tally.refused += 1;
                    }
                    Some(_) => tally.sent += 1,
                    None => tally.trouble += 1,
                }
            }
            self.metrics.dispatched(CHANNEL, &tally);
            total += tally;
            self.wake.evaluator();
        }
        Ok(total)
    }

    /// One act; `None` if the database had trouble with it and will be asked again.
    async fn act(&self, acts: &dyn Acts, begun: &Begun) -> Result<Option<Vec<Told>>> {
        let error = match acts.act(self, begun).await {
            Ok(told) => {
                self.note(&told);
                return Ok(Some(told));
            }
            Err(error) => error,
        };
        let Begun { id, process_id, step, attempts, .. } = begun;
        tracing::info!(delivery = id, process = process_id, step, %error, "not done");
        let (reason, attempt) = (error.to_string(), u32::try_from(*attempts).unwrap_or(1));
        let result = if error.is_about_data() {
            let status = rungs_runners::DeliveryStatus::Failed;
            Attempt::Refused { status, reason: format!("the database refuses it: {reason}") }
        } else {
            Attempt::Temporary {
                reason: "the database was in trouble".to_owned(),
                retry_after: None,
            }
        };
        // If this does not get through either, the lease runs out, and it is asked for again.
        let report = Report::Attempted { attempt, result };
        self.report(vec![(id.clone(), report)], self.clock.now()).await?;
        Ok(None)
    }
}
