//! Evaluate: claim what is due, advance it, commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use rungs_core::{Advanced, Status, advance};

use crate::{
    clock::Stopwatch,
    store::{
        Result, StoreError,
        cycle::{Claimed, Cycle},
    },
};

use super::{Engine, Evaluated, sequences::Parsed};

/// A process that cannot be advanced, and why.
type Broken = (String, String);

impl Engine {
    /// Advances everything that is due, in batches, until nothing is.
    ///
    /// # Errors
    /// The database's; what was committed before stays.
    pub async fn evaluate(&self) -> Result<Evaluated> {
        let mut total = Evaluated::default();
        loop {
            let evaluated = match self.cycle(self.options.batch).await {
                Err(error) if error.is_about_data() => self.isolate().await?,
                evaluated => evaluated?,
            };
            total += evaluated;
            if evaluated.processes == 0 {
                return Ok(total);
            }
        }
    }

    /// One process made a whole batch fail: go one by one, and fail that one.
    async fn isolate(&self) -> Result<Evaluated> {
        let mut total = Evaluated::default();
        for _ in 0..self.options.batch {
            match self.cycle(1).await {
                Ok(evaluated) if evaluated.processes == 0 => break,
                Ok(evaluated) => total += evaluated,
                Err(error) if error.is_about_data() => {
                    total.failed += self.fail_first(&error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    async fn fail_first(&self, error: &StoreError) -> Result<usize> {
        let now = self.clock.now();
        let cycle = self.store.claim(now, 1).await?;
        let broken: Vec<Broken> = cycle
            .claimed
            .iter()
            .map(|claimed| {
                tracing::error!(process = claimed.process.process_id, %error, "the database refuses what this process writes; it is failed");
                (claimed.process.key.clone(), format!("the database refuses what it writes: {error}"))
            })
            .collect();
        cycle.commit(&[], &broken, now).await?;
        Ok(broken.len())
    }

    /// One transaction.
    async fn cycle(&self, most: u64) -> Result<Evaluated> {
        let (now, watch) = (self.clock.now(), Stopwatch::start());
        let mut cycle = self.store.claim(now, most).await?;
        let claimed = std::mem::take(&mut cycle.claimed);
        if claimed.is_empty() {
            cycle.commit(&[], &[], now).await?;
            return Ok(Evaluated::default());
        }
        let due: Vec<DateTime<Utc>> = claimed.iter().map(|claimed| claimed.due_at).collect();
        let (advanced, broken) = self.advance_all(&cycle, claimed, now).await?;
        cycle.commit(&advanced, &broken, now).await?;
        let evaluated = tally(&advanced, &broken);
        self.metrics.evaluated(&evaluated, &due, now, watch.elapsed());
        if evaluated.deliveries > 0 {
            self.wake.dispatchers();
        }
        Ok(evaluated)
    }

    async fn advance_all(
        &self,
        cycle: &Cycle<'_>,
        claimed: Vec<Claimed>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Advanced>, Vec<Broken>)> {
        let (mut advanced, mut broken) = (Vec::with_capacity(claimed.len()), Vec::new());
        for Claimed { process, news, .. } in claimed {
            let sequence = self.sequence(cycle, &process.sequence, process.version).await?;
            let sequence = match sequence {
                Ok(sequence) => sequence,
                Err(reason) => {
                    advanced.push(rungs_core::advance::fail(process, reason.to_string(), now));
                    continue;
                }
            };
            let (key, process_id) = (process.key.clone(), process.process_id.clone());
            // A bug in a runner costs its process, not the cycle.
            if let Ok(one) =
                catch_unwind(AssertUnwindSafe(|| advance(&sequence, process, news, now)))
            {
                advanced.push(one);
            } else {
                tracing::error!(process = process_id, "advancing panicked; please report this");
                broken.push((key, "Rungs met a defect of its own in this step".to_owned()));
            }
        }
        Ok((advanced, broken))
    }

    async fn sequence(&self, cycle: &Cycle<'_>, name: &str, version: i32) -> Result<Parsed> {
        if let Some(parsed) = self.sequences.get(name, version) {
            return Ok(parsed);
        }
        Ok(match cycle.sequence(name, version).await? {
            Some(row) => self.sequences.parse(name, version, &row.source, &self.kinds),
            None => Err(format!("version {version} of `{name}` is not in the database").into()),
        })
    }
}

fn tally(advanced: &[Advanced], broken: &[Broken]) -> Evaluated {
    let mut tally = Evaluated {
        processes: advanced.len() + broken.len(),
        failed: broken.len(),
        ..Evaluated::default()
    };
    for one in advanced {
        tally.visits += one.visits;
        tally.deliveries += one.deliveries.len();
        tally.completed += usize::from(one.process.status == Status::Completed);
        tally.failed += usize::from(one.process.status == Status::Failed);
        if let (Status::Failed, Some(reason)) = (one.process.status, &one.process.reason) {
            tracing::warn!(
                process = one.process.process_id,
                sequence = one.process.sequence,
                reason,
                "a process failed"
            );
        }
    }
    tally
}
