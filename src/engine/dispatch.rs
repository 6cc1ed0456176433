//! Dispatch: begin attempts, send, and write down what became of them.
//!
//! To begin an attempt is to claim it, and only as many are claimed as can leave at once:
//! so the look that claims is the last look before sending, and after an answered stop
//! nothing begins.

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{
    FutureExt,
    future::{BoxFuture, OptionFuture, join_all},
};
use rungs_core::{Attempt, Report};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    channels::{Heard, Outgoing, SendError, SendsMany, Sent, Way},
    clock::Clock,
    store::{Result, deliveries::Begun},
};

use super::{Dispatched, Engine, ask};

mod together;

/// How long results are held in memory while the database is away.
const LONGEST_HOLD: Duration = Duration::from_mins(10);

/// How many deliveries are put off at a time when their quiet hours have come.
const PORTION: u64 = 1_000;
/// How many portions of them are put off before others have their turn again.
const MOST_PORTIONS: usize = 10;

/// How many attempts were to begin, and what came of it.
type Beginning = (usize, Result<Started>);
/// What came of one attempt: its reports, in order.
type Ended = (Vec<(String, Report)>, Dispatched);

/// What a look for deliveries to begin came to.
#[derive(Default)]
struct Started {
    begun: Vec<Begun>,
    /// How many were put off until their quiet hours are over.
    put_off: usize,
}

impl Engine {
    /// Sends everything that may be sent now, on all channels beside each other, and
    /// waits for the results.
    ///
    /// # Errors
    /// The database's.
    pub async fn dispatch(&self) -> Result<Dispatched> {
        self.dispatch_until(&CancellationToken::new()).await
    }

    /// The same; after `shutdown` nothing more begins.
    pub(super) async fn dispatch_until(&self, shutdown: &CancellationToken) -> Result<Dispatched> {
        let passes = self.channels.iter().map(|(name, way)| self.carry(name, way, shutdown));
        let mut total = Dispatched::default();
        let (acted, carried) = futures::join!(self.act_until(shutdown), join_all(passes));
        total += acted?;
        for dispatched in carried {
            total += dispatched?;
        }
        Ok(total)
    }

    /// Sends what one channel may send now, until nothing is left and nothing is under way.
    /// After `shutdown` nothing more begins.
    ///
    /// Three things go on beside each other: attempts are under way, results of others are
    /// written down, and the next ones begin. None of them waits for another, and of the
    /// latter two one transaction at a time is enough: what comes meanwhile is its next batch.
    pub(super) async fn carry(
        &self,
        name: &'static str,
        way: &Way,
        shutdown: &CancellationToken,
    ) -> Result<Dispatched> {
        let mut under_way = JoinSet::new();
        let mut ended = Vec::new();
        let mut writing: Option<BoxFuture<'_, Dispatched>> = None;
        let mut beginning: Option<BoxFuture<'_, Beginning>> = None;
        // Whether there may be something to begin, and trouble met in finding out.
        let (mut is_more, mut trouble) = (true, None);
        let mut total = Dispatched::default();
        loop {
            let free = way.limits.max_in_flight.saturating_sub(under_way.len());
            if is_more && free > 0 && beginning.is_none() && !shutdown.is_cancelled() {
                is_more = false;
                beginning = Some(async move { (free, self.begin(name, way, free).await) }.boxed());
            }
            if writing.is_none() && !ended.is_empty() {
                writing = Some(self.write_down(name, std::mem::take(&mut ended)).boxed());
            }
            if under_way.is_empty() && writing.is_none() && beginning.is_none() {
                let now = self.clock.now();
                total.again_at = self.paces.next_at(name, now).filter(|at| *at > now);
                return trouble.map_or(Ok(total), Err);
            }
            tokio::select! {
                // Always in this order: the same happenings give the same run.
                biased;
                Some(first) = under_way.join_next() => {
                    ended.extend(first.ok());
                    ended.extend(std::iter::from_fn(|| under_way.try_join_next()).flatten());
                }
                Some(written) = OptionFuture::from(writing.as_mut()) => {
                    writing = None;
                    total += written;
                }
                Some((asked, begun)) = OptionFuture::from(beginning.as_mut()) => {
                    beginning = None;
                    // What is under way comes first; the trouble will show again.
                    let (started, error) =
                        begun.map_or_else(|e| (Started::default(), Some(e)), |it| (it, None));
                    trouble = error;
                    let Started { begun, put_off } = started;
                    total.attempts += begun.len();
                    total.put_off += put_off;
                    // Others may lie behind them.
                    is_more |= put_off > 0;
                    let (way, clock, lease) = (way.clone(), self.clock.clone(), self.options.lease);
                    if way.channel.sends_many().is_some() {
                        // They are of one step; there may be more, of this one and of others.
                        is_more |= !begun.is_empty();
                        if !begun.is_empty() {
                            under_way.spawn(together::attempts(name, way, clock, lease, begun));
                        }
                        continue;
                    }
                    // All that was asked for: there may be more.
                    is_more |= begun.len() >= asked;
                    for begun in begun {
                        let span = span(name, &begun);
                        let attempt = attempt(way.clone(), clock.clone(), lease, begun);
                        under_way.spawn(attempt.instrument(span));
                    }
                }
                () = self.wake.dispatcher_woken(name) => is_more = true,
                // A retry may fall due, a token may come in, another program may have written.
                () = self.clock.sleep_until(self.look_again_at(name)) => is_more = true,
            }
        }
    }

    /// Begins as many attempts as there is room for; where one request takes many, as many as
    /// it takes.
    async fn begin(&self, name: &str, way: &Way, free: usize) -> Result<Started> {
        let now = self.clock.now();
        let many = way.channel.sends_many();
        let allowed = self.paces.take(name, many.map_or(free, SendsMany::most), now);
        if allowed == 0 {
            return Ok(Started::default());
        }
        let (most, together) = (allowed as u64, many.is_some());
        let begun = match self.bring_caller_ids().await {
            Ok(()) => self.begin_attempts(name, most, together, now).await,
            Err(error) => Err(error),
        };
        let used = begun.as_ref().map_or(0, |started| started.begun.len());
        self.paces.give_back(name, allowed.saturating_sub(used));
        begun
    }

    /// Begins attempts. Those whose quiet hours have come are put off until these are over, and
    /// others take their places.
    async fn begin_attempts(
        &self,
        name: &str,
        most: u64,
        together: bool,
        now: DateTime<Utc>,
    ) -> Result<Started> {
        let lease_until = now + self.options.lease;
        let store = &self.store;
        let begun = if together {
            store.begin_attempts_of_a_step(name, most, now, lease_until).await?
        } else {
            store.begin_attempts(name, most, now, lease_until).await?
        };
        let (held, begun): (Vec<_>, Vec<_>) = begun.into_iter().partition(|one| one.is_held);
        if held.is_empty() {
            return Ok(Started { begun, put_off: 0 });
        }
        match self.put_off(name, held.into_iter().map(|one| one.id).collect(), now).await {
            Ok(put_off) => Ok(Started { begun, put_off }),
            Err(error) if begun.is_empty() => Err(error),
            // What has begun must be sent; those that are held will be looked at again.
            Err(_) => Ok(Started { begun, put_off: 0 }),
        }
    }

    /// Puts off deliveries whose quiet hours have come, and others like them: where some are,
    /// there may be thousands, and they are no matter of the channel's pace.
    async fn put_off(
        &self,
        name: &str,
        mut held: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let mut put_off = 0;
        for _ in 0..MOST_PORTIONS {
            put_off += held.len();
            let reports = held.into_iter().map(|id| (id, Report::Quiet)).collect();
            self.report(reports, now).await?;
            held = self.store.quiet_may_have_come(name, PORTION, now).await?;
            if held.is_empty() {
                break;
            }
        }
        Ok(put_off)
    }

    fn look_again_at(&self, name: &str) -> DateTime<Utc> {
        let now = self.clock.now();
        let latest = now + self.options.poll;
        match self.paces.next_at(name, now) {
            Some(at) if at > now => at.min(latest),
            _ => latest,
        }
    }

    /// Writes results down. They are held while the database is away: to forget that a
    /// call was placed is to place it twice.
    async fn write_down(&self, channel: &str, ended: Vec<Ended>) -> Dispatched {
        let mut tally = Dispatched::default();
        let mut reports = Vec::new();
        for (more, one) in ended {
            reports.extend(more);
            tally += one;
        }
        let (mut held, mut pause) = (Duration::ZERO, Duration::from_millis(100));
        let mut trouble = None;
        while let Err(error) = self.report(reports.clone(), self.clock.now()).await {
            let count = reports.len();
            self.metrics.database_error();
            trouble.get_or_insert_with(|| self.pulse.in_trouble());
            if error.is_about_data() || held > LONGEST_HOLD {
                // Their leases run out, and then they are in doubt.
                tracing::error!(channel, %error, count, "results could not be written down");
                break;
            }
            if held == Duration::ZERO {
                tracing::error!(channel, %error, count, "results are held until the database is back");
            }
            tokio::time::sleep(pause).await;
            held += pause;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        drop(trouble);
        self.metrics.dispatched(channel, &tally);
        self.wake.evaluator();
        tally
    }
}

/// What a trace shows of an attempt.
fn span(channel: &str, begun: &Begun) -> Span {
    let Begun { id, process_id, step, attempts, .. } = begun;
    tracing::debug_span!(
        "attempt",
        process = process_id,
        step,
        delivery = id,
        channel,
        attempt = attempts,
        outcome = Empty
    )
}

/// One attempt. It ends before its lease does: whoever stood still longer than that no
/// longer owns it, and must not send.
async fn attempt(way: Way, clock: Clock, lease: TimeDelta, begun: Begun) -> Ended {
    let now = clock.now();
    let retries = usize::from(begun.attempts > 1);
    let mut tally = Dispatched { retries, ..Dispatched::default() };
    let lease_until = begun.lease_until.and_then(DateTime::from_timestamp_millis).unwrap_or(now);
    if now >= lease_until {
        return (Vec::new(), tally);
    }
    let outgoing = outgoing(begun, now);
    let sent = patiently(lease, way.channel.send(&outgoing))
        .await
        .unwrap_or_else(|reason| Err(SendError::InDoubt { reason: reason.to_owned() }));
    Span::current().record("outcome", count(&mut tally, &sent));
    log(&outgoing, way.channel.name(), sent.as_ref().err());
    (reports(&way, &outgoing.id, outgoing.attempt, sent, clock.now()), tally)
}

fn outgoing(begun: Begun, now: DateTime<Utc>) -> Outgoing {
    Outgoing {
        id: begun.id,
        process_id: begun.process_id,
        step: begun.step,
        attempt: u32::try_from(begun.attempts).unwrap_or(1),
        request: serde_json::from_str(&begun.request).unwrap_or_default(),
        now,
    }
}

/// What a channel answers, if it does so within the lease.
async fn patiently<T>(
    lease: TimeDelta,
    sending: impl Future<Output = T>,
) -> std::result::Result<T, &'static str> {
    let patience = (lease - lease / 10).to_std().unwrap_or_default();
    match tokio::time::timeout(patience, AssertUnwindSafe(sending).catch_unwind()).await {
        Ok(Ok(sent)) => Ok(sent),
        Ok(Err(_)) => Err("the channel met a defect of its own"),
        Err(_) => Err("the channel did not answer within the attempt's lease"),
    }
}

/// Counts an attempt, and names what it came to.
fn count(tally: &mut Dispatched, sent: &std::result::Result<Sent, SendError>) -> &'static str {
    let (count, outcome) = match sent {
        Ok(_) => (&mut tally.sent, "sent"),
        Err(SendError::Temporary { .. }) => (&mut tally.trouble, "trouble"),
        Err(SendError::Refused { .. }) => (&mut tally.refused, "refused"),
        Err(SendError::InDoubt { .. }) => (&mut tally.in_doubt, "in_doubt"),
    };
    *count += 1;
    outcome
}

fn reports(
    way: &Way,
    id: &str,
    attempt: u32,
    sent: std::result::Result<Sent, SendError>,
    now: DateTime<Utc>,
) -> Vec<(String, Report)> {
    let (result, then) = match sent {
        Ok(Sent { answer: Some(answer), then, .. }) => (Attempt::Answered(answer), then),
        Ok(Sent { provider_id, status, then, answer: None }) => {
            let ask_at = ask::first_question(way, now);
            (Attempt::Sent { provider_id, status, ask_at }, then)
        }
        Err(error) => (ended(way, error, now), Vec::new()),
    };
    let heard = then.into_iter().map(|Heard { provider_id, status, error }| Report::Heard {
        status,
        provider_id,
        error,
        asked: false,
    });
    std::iter::once(Report::Attempted { attempt, result })
        .chain(heard)
        .map(|report| (id.to_owned(), report))
        .collect()
}

fn ended(way: &Way, error: SendError, now: DateTime<Utc>) -> Attempt {
    match error {
        SendError::Temporary { reason, retry_after } => Attempt::Temporary {
            reason,
            retry_after: retry_after.and_then(|pause| TimeDelta::from_std(pause).ok()),
        },
        SendError::Refused { status, reason } => Attempt::Refused { status, reason },
        SendError::InDoubt { reason } => {
            Attempt::InDoubt { reason, ask_at: ask::first_search(way, now) }
        }
    }
}

fn log(outgoing: &Outgoing, provider: &str, error: Option<&SendError>) {
    let Outgoing { id, process_id, step, attempt, .. } = outgoing;
    match error {
        None => {
            tracing::debug!(delivery = id, process = process_id, step, attempt, provider, "sent");
        }
        Some(error) => {
            tracing::info!(delivery = id, process = process_id, step, attempt, provider, %error, "not sent");
        }
    }
}
