//! Evaluate: claim what is due, advance it, commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use rungs_core::{Advanced, Status, advance};
use tracing::{Instrument, field::Empty};

use crate::{
    clock::Stopwatch,
    store::{
        Result,
        cycle::{Broken, Claimed, Cycle},
    },
};

use super::{Engine, Evaluated, facts, sequences::Parsed};

/// Who is blamed if a cycle cannot be written.
struct Suspect {
    key: String,
    process_id: String,
}

impl Engine {
    /// Advances everything that is due, in batches. What becomes due meanwhile is left to
    /// the next time, so that this comes to an end.
    ///
    /// # Errors
    /// The database's; what was committed before stays.
    pub async fn evaluate(&self) -> Result<Evaluated> {
        let due_until = self.clock.now();
        let mut total = Evaluated::default();
        loop {
            let evaluated = match self.cycle(due_until, self.options.batch, &mut None).await {
                Err(error) if error.is_about_data() => self.isolate(due_until).await?,
                evaluated => evaluated?,
            };
            total += evaluated;
            if evaluated.processes == 0 {
                return Ok(total);
            }
        }
    }

    /// One process made a whole batch fail: go one by one, and fail that one.
    async fn isolate(&self, due_until: DateTime<Utc>) -> Result<Evaluated> {
        let mut total = Evaluated::default();
        for _ in 0..self.options.batch {
            let mut suspect = None;
            match self.cycle(due_until, 1, &mut suspect).await {
                Ok(evaluated) if evaluated.processes == 0 => break,
                Ok(evaluated) => total += evaluated,
                Err(error) if error.is_about_data() => {
                    let reason = format!("the database refuses what it writes: {error}");
                    if let Some(Suspect { key, process_id }) = suspect {
                        tracing::error!(process = process_id, reason, "a process is failed");
                        self.store.fail_process(&key, &reason, self.clock.now()).await?;
                        total.processes += 1;
                        total.failed += 1;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// One transaction. `first` tells which process was claimed first.
    async fn cycle(
        &self,
        due_until: DateTime<Utc>,
        most: u64,
        first: &mut Option<Suspect>,
    ) -> Result<Evaluated> {
        let (now, watch) = (self.clock.now().max(due_until), Stopwatch::start());
        let mut cycle = self.store.claim(due_until, most).await?;
        let claimed = std::mem::take(&mut cycle.claimed);
        *first = claimed.first().map(|Claimed { process, .. }| Suspect {
            key: process.key.clone(),
            process_id: process.process_id.clone(),
        });
        if claimed.is_empty() {
            cycle.commit(&[], &[], now).await?;
            self.pulse.committed();
            return Ok(Evaluated::default());
        }
        let due: Vec<DateTime<Utc>> = claimed.iter().map(|claimed| claimed.due_at).collect();
        let span = tracing::debug_span!("cycle", processes = claimed.len(), deliveries = Empty);
        let evaluated = self.climb(cycle, claimed, now).instrument(span).await?;
        self.metrics.evaluated(&evaluated, &due, now, watch.elapsed());
        // Also without new ones: a delivery is held while its process is due.
        self.wake.dispatchers();
        Ok(evaluated)
    }

    /// Advances what was claimed, and commits.
    async fn climb(
        &self,
        cycle: Cycle<'_>,
        claimed: Vec<Claimed>,
        now: DateTime<Utc>,
    ) -> Result<Evaluated> {
        let (advanced, broken) = self.advance_all(&cycle, claimed, now).await?;
        cycle.commit(&advanced, &broken, now).await?;
        self.pulse.committed();
        facts::cycle(&advanced);
        let evaluated = tally(&advanced, &broken);
        tracing::Span::current().record("deliveries", evaluated.deliveries);
        Ok(evaluated)
    }

    async fn advance_all(
        &self,
        cycle: &Cycle<'_>,
        claimed: Vec<Claimed>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Advanced>, Vec<Broken>)> {
        let (mut advanced, mut broken) = (Vec::with_capacity(claimed.len()), Vec::new());
        for Claimed { process, news, taken, .. } in claimed {
            let sequence = self.sequence(cycle, &process.sequence, process.version).await?;
            let sequence = match sequence {
                Ok(sequence) => sequence,
                Err(reason) => {
                    advanced.push(rungs_core::advance::fail(
                        process,
                        news,
                        reason.to_string(),
                        now,
                    ));
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
                let reason = "Rungs met a defect of its own in this step".to_owned();
                broken.push(Broken { key, reason, taken });
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
    }
    tally
}
