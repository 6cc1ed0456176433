//! What happened, told to the log: one line for each fact, and the same names on all of
//! them: `process` (the caller's id), `sequence`, `step`, `delivery`, `channel`.
//!
//! Promises: what an operator should look at is a warning, what did not reach somebody is
//! `info`, and everything else is `debug`, where it costs nothing unless somebody listens.
//! Neither data of a process nor what was sent to whom is shown.
//! Called by: the passes, after the commit that made it a fact.

use chrono::{DateTime, Utc};
use rungs_core::{Advanced, Entry, Process, Report, Status};
use rungs_runners::DeliveryStatus;

use super::Engine;
use crate::store::{Result, deliveries::Told};

impl Engine {
    /// Tells deliveries their reports, and the log and the metrics what became of them.
    /// Returns how many of the deliveries are known.
    ///
    /// # Errors
    /// The database's.
    pub async fn report(
        &self,
        reports: Vec<(String, Report)>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let told = self.store.report(reports, now).await?;
        self.note(&told);
        Ok(told.len())
    }

    /// Logs and counts what became of deliveries.
    pub(super) fn note(&self, told: &[Told]) {
        for one in told.iter().filter(|one| one.status != one.before) {
            if one.status.is_final() {
                self.metrics.settled(&one.channel, one.status.as_str());
            }
            delivery(one);
        }
    }
}

fn delivery(told: &Told) {
    let Told { id, process_id, step, channel, status, error, .. } = told;
    let (process, delivery, status) = (process_id, id, *status);
    if status == DeliveryStatus::InDoubt {
        tracing::warn!(process, step, delivery, channel, %status, error, "a delivery is in doubt");
    } else if status.is_failure() {
        tracing::info!(process, step, delivery, channel, %status, error, "a delivery failed");
    } else {
        tracing::debug!(process, step, delivery, channel, %status, "a delivery went on");
    }
}

/// Logs what a cycle made of processes.
pub(super) fn cycle(advanced: &[Advanced]) {
    let everything = tracing::enabled!(tracing::Level::DEBUG);
    for one in advanced {
        if everything {
            one.history.iter().for_each(|entry| happened(&one.process, entry));
        }
        if one.process.status == Status::Failed {
            failed(&one.process);
        }
    }
}

fn failed(process: &Process) {
    let Process { process_id, sequence, cursor, reason, .. } = process;
    tracing::warn!(process = process_id, sequence, step = cursor, reason, "a process failed");
}

fn happened(process: &Process, entry: &Entry) {
    let Process { process_id, sequence, .. } = process;
    let process = process_id;
    match entry {
        Entry::Visited { step, runner, action, until, .. } => {
            tracing::debug!(process, sequence, step, runner, ?action, until, "a step was visited");
        }
        Entry::Achieved { step, from } => {
            tracing::debug!(process, sequence, step, from, "a goal was achieved");
        }
        Entry::Wrote { step, delivery, channel } => {
            tracing::debug!(process, sequence, step, delivery, channel, "a delivery was written");
        }
        Entry::Held { step, delivery, until } => {
            tracing::debug!(process, sequence, step, delivery, until, "a delivery is held");
        }
        Entry::Heard { step, delivery, status, .. } => {
            tracing::debug!(process, sequence, step, delivery, status, "a delivery was heard of");
        }
        Entry::Happened { event } => {
            tracing::debug!(process, sequence, event, "an event was heard of");
        }
        Entry::Completed => tracing::debug!(process, sequence, "a process completed"),
        // Told elsewhere: by what failed, and by whoever changed it from outside.
        _ => {}
    }
}
