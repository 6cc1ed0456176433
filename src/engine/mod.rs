//! The cycle: evaluate, dispatch, ask, sweep.
//!
//! Promises: every pass may run at any time, beside any number of others like it, on one
//! machine or many, and returns a tally of what it did. A pass decides nothing about a
//! process that rungs-core does not decide; it claims, calls, and writes down.
//! Does not: know who is at the door.
//! Called by: `serve`, which runs the passes for ever, `evaluate` and `run`, which run
//! them until nothing is due, and tests, which run them one by one.

use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use rungs_runners::{Kind, builtin::process::CHANNEL};
use tokio_util::sync::CancellationToken;

use crate::{
    channels::Channels,
    clock::Clock,
    store::{self, Store},
};

mod acts;
mod ask;
mod caller_ids;
mod dispatch;
mod evaluate;
mod facts;
pub mod heartbeat;
mod keys;
mod metrics;
mod most;
mod pace;
mod pulse;
mod run;
mod scrape;
mod sequences;
mod sweep;
mod tally;
mod wake;

pub use acts::Acts;
pub use keys::Keys;
pub use metrics::Metrics;
pub use sequences::Sequences;
pub use tally::{Asked, Dispatched, Evaluated, Swept, TakenIn, Tally};
pub use wake::Wake;

/// What the engine is told by its configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long an attempt belongs to whoever began it. Longer than any channel takes.
    pub lease: TimeDelta,
    /// How long ended processes are kept.
    pub retention: TimeDelta,
    /// The time zone of sequences that name none.
    pub timezone: Tz,
    /// The longest a sleeping evaluator takes to see what another program wrote.
    pub poll: TimeDelta,
    /// Tells an outside watcher that all is well.
    pub heart: Option<heartbeat::Heart>,
    /// The runners that sequences may name.
    pub kinds: Vec<Kind>,
    /// Who starts and stops processes for steps. Without anybody, that is left to other
    /// programs.
    pub acts: Option<Arc<dyn Acts>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: TimeDelta::seconds(120),
            retention: TimeDelta::days(90),
            timezone: Tz::UTC,
            poll: TimeDelta::seconds(1),
            heart: None,
            kinds: rungs_runners::builtin::KINDS.to_vec(),
            acts: None,
        }
    }
}

/// Everything a pass needs.
pub struct Engine {
    /// Where processes live.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The ways out.
    pub channels: Channels,
    /// The runners there are.
    pub kinds: Vec<Kind>,
    /// Sequences, parsed.
    pub sequences: Sequences,
    /// Who sleeps, and can be woken.
    pub wake: Wake,
    /// Where fresh ids come from.
    pub keys: Keys,
    /// What is counted.
    pub metrics: Metrics,
    /// What it was told.
    pub options: Options,
    brought: caller_ids::Brought,
    paces: pace::Paces,
    pulse: pulse::Pulse,
    counted: scrape::Counted,
}

impl Engine {
    /// An engine over a store.
    pub fn new(store: Store, clock: Clock, channels: Channels, options: Options) -> Arc<Self> {
        Self::with_keys(store, clock, channels, options, Keys::random())
    }

    /// The same, with another source of ids.
    pub fn with_keys(
        store: Store,
        clock: Clock,
        channels: Channels,
        options: Options,
        keys: Keys,
    ) -> Arc<Self> {
        let kinds = options.kinds.clone();
        let wake = Wake::new(channels.iter().map(|(name, _)| name).chain([CHANNEL]));
        let paces = pace::Paces::new(&channels);
        Arc::new(Self {
            store,
            clock,
            channels,
            kinds,
            sequences: Sequences::default(),
            wake,
            keys,
            metrics: Metrics::new(),
            options,
            brought: caller_ids::Brought::default(),
            paces,
            pulse: pulse::Pulse::new(),
            counted: scrape::Counted::default(),
        })
    }

    /// Every pass once, in the order in which one feeds the next.
    ///
    /// # Errors
    /// The database's.
    pub async fn pass(&self) -> store::Result<Tally> {
        self.pass_until(&CancellationToken::new()).await
    }

    async fn pass_until(&self, shutdown: &CancellationToken) -> store::Result<Tally> {
        let mut swept = self.sweep_leases().await?;
        let evaluated = self.evaluate_until(shutdown).await?;
        swept += self.sweep_late().await?;
        let dispatched = self.dispatch_until(shutdown).await?;
        let asked = self.ask_until(shutdown).await?;
        Ok(Tally { evaluated, dispatched, asked, swept })
    }

    /// Passes until nothing is due any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn drain(&self) -> store::Result<Tally> {
        let never = CancellationToken::new();
        let mut total = Tally::default();
        while self.drained(&mut total, &never).await? {}
        Ok(total)
    }

    /// The same, and what a paced channel could not begin yet is waited for. After `shutdown`
    /// nothing more is begun, and what is under way is waited for.
    ///
    /// # Errors
    /// The database's.
    pub async fn drain_until(&self, shutdown: &CancellationToken) -> store::Result<Tally> {
        let mut total = Tally::default();
        while !shutdown.is_cancelled() {
            total.dispatched.again_at = None;
            while !shutdown.is_cancelled() && self.drained(&mut total, shutdown).await? {}
            let Some(at) = total.dispatched.again_at else { break };
            shutdown.run_until_cancelled(self.clock.sleep_until(at)).await;
        }
        Ok(total)
    }

    /// One more pass; false if there was nothing to do.
    async fn drained(
        &self,
        total: &mut Tally,
        shutdown: &CancellationToken,
    ) -> store::Result<bool> {
        let tally = self.pass_until(shutdown).await?;
        *total += tally;
        Ok(!tally.is_idle())
    }
}
