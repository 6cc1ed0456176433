//! Evaluate: claim what is due, advance it, commit.

use std::{
    iter::{once, repeat_n},
    panic::{AssertUnwindSafe, catch_unwind},
};

use chrono::{DateTime, Utc};
use futures::{future::try_join_all, join};
use rungs_core::{Advanced, Status, advance};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, field::Empty};

use crate::{
    clock::Stopwatch,
    store::{
        Result,
        cycle::{Broken, Claimed, Cycle, Rows},
    },
};

use super::{Engine, Evaluated, facts, sequences::Parsed};

/// Who is blamed if a cycle cannot be written.
struct Suspect {
    key: String,
    process_id: String,
}

/// Processes that are advanced while those before them are being written: enough that a
/// statement is worth its journey.
const PART: usize = 512;
/// The first part, during which the database has nothing to do.
const FIRST_PART: usize = 32;
/// Processes that are advanced between two looks whether the database is ready for more.
const BREATH: usize = 16;
/// Processes of one cycle. SQLite has one writer, to whom a commit is what costs; on
/// PostgreSQL others look past what one holds.
const MOST_ON_SQLITE: u64 = 2_000;
const MOST_ON_POSTGRES: u64 = 1_000;
/// Cycles that one program has beside its first, while there is more to do and a place is
/// free for them.
const BESIDE: usize = 2;

/// Whether a cycle asks for one of the places that all programs on the database share.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It asks for none: it is the only one of its program.
    None,
    /// It takes one if it can, so that others see it, and goes on in any case.
    Asked,
    /// It goes only if one is free.
    Needed,
}

impl Engine {
    /// Advances everything that is due, in batches. What becomes due meanwhile is left to
    /// the next time, so that this comes to an end.
    ///
    /// # Errors
    /// The database's; what was committed before stays.
    pub async fn evaluate(&self) -> Result<Evaluated> {
        self.evaluate_until(&CancellationToken::new()).await
    }

    /// The same; after `shutdown` no further batch begins.
    pub(super) async fn evaluate_until(&self, shutdown: &CancellationToken) -> Result<Evaluated> {
        let due_until = self.clock.now();
        let mut total = self.batch(due_until, Place::None).await?;
        if !self.is_full(&total) {
            return Ok(total);
        }
        let beside = if self.store.is_sqlite() { 0 } else { BESIDE };
        let places = once(Place::Asked).chain(repeat_n(Place::Needed, beside));
        let lanes = places.map(|place| self.lane(due_until, place, shutdown));
        for evaluated in try_join_all(lanes).await? {
            total += evaluated;
        }
        Ok(total)
    }

    /// Batch after batch, until one is not full.
    async fn lane(
        &self,
        due_until: DateTime<Utc>,
        place: Place,
        shutdown: &CancellationToken,
    ) -> Result<Evaluated> {
        let mut total = Evaluated::default();
        while !shutdown.is_cancelled() {
            let evaluated = self.batch(due_until, place).await?;
            total += evaluated;
            if !self.is_full(&evaluated) {
                break;
            }
        }
        Ok(total)
    }

    /// Whether there may be more where these came from.
    fn is_full(&self, evaluated: &Evaluated) -> bool {
        evaluated.processes as u64 >= self.most()
    }

    fn most(&self) -> u64 {
        if self.store.is_sqlite() { MOST_ON_SQLITE } else { MOST_ON_POSTGRES }
    }

    async fn batch(&self, due_until: DateTime<Utc>, place: Place) -> Result<Evaluated> {
        match self.cycle(due_until, self.most(), place, &mut None).await {
            Err(error) if error.is_about_data() => self.isolate(due_until).await,
            evaluated => evaluated,
        }
    }

    /// One process made a whole batch fail: go one by one, and fail that one.
    async fn isolate(&self, due_until: DateTime<Utc>) -> Result<Evaluated> {
        let mut total = Evaluated::default();
        for _ in 0..self.most() {
            let mut suspect = None;
            match self.cycle(due_until, 1, Place::None, &mut suspect).await {
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
        place: Place,
        first: &mut Option<Suspect>,
    ) -> Result<Evaluated> {
        let (now, watch) = (self.clock.now().max(due_until), Stopwatch::start());
        let mut cycle = match place {
            Place::None => self.store.claim(due_until, most).await?,
            _ => match self.store.claim_beside(due_until, most, place == Place::Needed).await? {
                Some(cycle) => cycle,
                None => return Ok(Evaluated::default()),
            },
        };
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
        Ok(evaluated)
    }

    /// Advances what was claimed, and commits.
    async fn climb(
        &self,
        cycle: Cycle<'_>,
        claimed: Vec<Claimed>,
        now: DateTime<Utc>,
    ) -> Result<Evaluated> {
        let (mut claimed, mut done) = (claimed.into_iter(), Done::default());
        let mut part = self.advance_part(&cycle, &mut claimed, &mut done, now).await?;
        while let Some(rows) = part {
            // While the database writes these, the next are advanced.
            let next = self.advance_part(&cycle, &mut claimed, &mut done, now);
            let (written, next) = join!(cycle.write(rows, now), next);
            written?;
            part = next?;
        }
        let Done { advanced, broken } = done;
        cycle.commit(&[], &broken, now).await?;
        self.pulse.committed();
        facts::cycle(&advanced);
        let evaluated = tally(&advanced, &broken);
        tracing::Span::current().record("deliveries", evaluated.deliveries);
        // Also without new ones: a delivery is held while its process is due.
        if advanced.iter().any(|one| one.process.state.delivery.is_some()) {
            self.wake.dispatchers();
        }
        if self.is_full(&evaluated) {
            // There is more to do than to throw away a hundred thousand small values.
            tokio::task::spawn_blocking(move || drop(advanced));
        }
        Ok(evaluated)
    }

    /// Advances the next of the claimed, if there are any, and says what to write of them.
    async fn advance_part(
        &self,
        cycle: &Cycle<'_>,
        claimed: &mut std::vec::IntoIter<Claimed>,
        done: &mut Done,
        now: DateTime<Utc>,
    ) -> Result<Option<Rows>> {
        if claimed.len() == 0 {
            return Ok(None);
        }
        let mut rows = Rows::default();
        let most = if done.advanced.is_empty() { FIRST_PART } else { PART };
        for (number, one) in claimed.by_ref().take(most).enumerate() {
            if number % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
            let name = &one.process.sequence;
            let sequence = self.sequence(cycle, name, one.process.version).await?;
            match advance_one(sequence, one, now) {
                Ok(one) => {
                    cycle.put(&mut rows, &one, now);
                    done.advanced.push(one);
                }
                Err(broken) => done.broken.push(broken),
            }
        }
        Ok(Some(rows))
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

/// What a cycle has come to so far.
#[derive(Default)]
struct Done {
    advanced: Vec<Advanced>,
    broken: Vec<Broken>,
}

fn advance_one(
    sequence: Parsed,
    claimed: Claimed,
    now: DateTime<Utc>,
) -> std::result::Result<Advanced, Broken> {
    let Claimed { process, news, taken, .. } = claimed;
    let sequence = match sequence {
        Ok(sequence) => sequence,
        Err(reason) => {
            return Ok(rungs_core::advance::fail(process, news, reason.to_string(), now));
        }
    };
    let (key, process_id) = (process.key.clone(), process.process_id.clone());
    // A runner that panics costs its process, not the cycle. How long one takes is bounded by what
    // its config and the data may be.
    catch_unwind(AssertUnwindSafe(|| advance(&sequence, process, news, now))).map_err(|_| {
        tracing::error!(process = process_id, "advancing panicked; please report this");
        let reason = "Rungs met a defect of its own in this step".to_owned();
        Broken { key, reason, taken }
    })
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
