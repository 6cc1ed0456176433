//! Run: the passes, for ever, each in a loop of its own.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use rungs_runners::builtin::process::CHANNEL;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::store::{Result, StoreError};

use super::{
    Engine,
    heartbeat::Beat,
    pulse::{InTrouble, Pulse},
};

/// How often ended processes are swept.
const SWEEP_EVERY: TimeDelta = TimeDelta::minutes(10);
/// A heart that is told to beat all the time still leaves time for something else.
const SHORTEST_REST: Duration = Duration::from_millis(100);

impl Engine {
    /// Runs until `shutdown`: evaluates and dispatches as things become due. Attempts that
    /// are under way then are waited for.
    pub async fn run(self: &Arc<Self>, shutdown: CancellationToken) {
        let mut loops = JoinSet::new();
        loops.spawn(Arc::clone(self).evaluator(shutdown.clone()));
        loops.spawn(Arc::clone(self).asker(shutdown.clone()));
        loops.spawn(Arc::clone(self).sweeper(shutdown.clone()));
        loops.spawn(Arc::clone(self).heart(shutdown.clone()));
        for (name, _) in self.channels.iter() {
            loops.spawn(Arc::clone(self).dispatcher(name, shutdown.clone()));
        }
        loops.spawn(Arc::clone(self).actor(shutdown.clone()));
        while let Some(ended) = loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a loop of the engine ended by a defect; the program stops");
                shutdown.cancel();
            }
        }
    }

    async fn evaluator(self: Arc<Self>, shutdown: CancellationToken) {
        let mut trouble = Trouble::new("evaluating", &self.pulse);
        while !shutdown.is_cancelled() {
            let pass = async {
                self.evaluate().await?;
                self.store.next_process_due_at().await
            };
            let pause = match pass.await {
                Ok(due_at) => {
                    trouble.over();
                    let latest = self.clock.now() + self.options.poll;
                    self.clock.sleep_until(due_at.map_or(latest, |due_at| due_at.min(latest)))
                }
                Err(error) => {
                    self.metrics.database_error();
                    tokio::time::sleep(trouble.pause(&error)).await;
                    continue;
                }
            };
            tokio::select! {
                biased;
                () = pause => {}
                () = self.wake.evaluator_woken() => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    async fn dispatcher(self: Arc<Self>, name: &'static str, shutdown: CancellationToken) {
        let Some(way) = self.channels.get(name) else { return };
        let mut trouble = Trouble::new("dispatching", &self.pulse);
        while !shutdown.is_cancelled() {
            let again_at = match self.carry(name, way, &shutdown).await {
                Ok(dispatched) => {
                    trouble.over();
                    dispatched.again_at
                }
                Err(error) => {
                    self.metrics.database_error();
                    tokio::time::sleep(trouble.pause(&error)).await;
                    continue;
                }
            };
            let latest = self.clock.now() + self.options.poll;
            tokio::select! {
                biased;
                () = self.clock.sleep_until(again_at.map_or(latest, |at| at.min(latest))) => {}
                () = self.wake.dispatcher_woken(name) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// What steps do to processes.
    async fn actor(self: Arc<Self>, shutdown: CancellationToken) {
        if self.options.acts.is_none() {
            return;
        }
        let mut trouble = Trouble::new("acting", &self.pulse);
        while !shutdown.is_cancelled() {
            if let Err(error) = self.act_until(&shutdown).await {
                self.metrics.database_error();
                tokio::time::sleep(trouble.pause(&error)).await;
                continue;
            }
            trouble.over();
            tokio::select! {
                biased;
                () = self.clock.sleep_until(self.clock.now() + self.options.poll) => {}
                () = self.wake.dispatcher_woken(CHANNEL) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    async fn asker(self: Arc<Self>, shutdown: CancellationToken) {
        let mut trouble = Trouble::new("asking", &self.pulse);
        while !shutdown.is_cancelled() {
            let asked = self.ask_until(&shutdown).await;
            self.rest(&mut trouble, asked.map(drop), &shutdown).await;
        }
    }

    async fn sweeper(self: Arc<Self>, shutdown: CancellationToken) {
        let mut trouble = Trouble::new("sweeping", &self.pulse);
        let mut sweep_at = self.clock.now();
        while !shutdown.is_cancelled() {
            let pass: Result<()> = async {
                self.sweep_leases().await?;
                self.sweep_late().await?;
                if self.clock.now() >= sweep_at {
                    sweep_at = self.clock.now() + SWEEP_EVERY;
                    self.sweep_ended().await?;
                }
                Ok(())
            }
            .await;
            self.rest(&mut trouble, pass, &shutdown).await;
        }
    }

    async fn heart(self: Arc<Self>, shutdown: CancellationToken) {
        let mut before = Beat::NotDue;
        while !shutdown.is_cancelled() {
            let beat = self.beat().await;
            let Some(rests) = self.rests_after(&beat) else { return };
            self.tell(&beat, &before);
            if beat != Beat::NotDue {
                before = beat;
            }
            tokio::select! {
                () = tokio::time::sleep(rests.max(SHORTEST_REST)) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Waits until it is time to look again.
    async fn rest(
        &self,
        trouble: &mut Trouble<'_>,
        pass: Result<()>,
        shutdown: &CancellationToken,
    ) {
        match pass {
            Ok(()) => {
                trouble.over();
                tokio::select! {
                biased;
                    () = self.clock.sleep_until(self.clock.now() + self.options.poll) => {}
                    () = shutdown.cancelled() => {}
                }
            }
            Err(error) => {
                self.metrics.database_error();
                tokio::time::sleep(trouble.pause(&error)).await;
            }
        }
    }
}

/// Trouble with the database: said once when it begins and once when it is over.
struct Trouble<'a> {
    what: &'static str,
    times: u32,
    pulse: &'a Pulse,
    told: Option<InTrouble<'a>>,
}

impl<'a> Trouble<'a> {
    fn new(what: &'static str, pulse: &'a Pulse) -> Self {
        Self { what, times: 0, pulse, told: None }
    }

    /// How long to leave the database alone.
    fn pause(&mut self, error: &StoreError) -> Duration {
        if self.times == 0 {
            tracing::error!(doing = self.what, %error, "the database is in trouble; trying again until it is not");
        }
        self.told.get_or_insert_with(|| self.pulse.in_trouble());
        self.times = self.times.saturating_add(1);
        Duration::from_millis(100 << self.times.min(5))
    }

    fn over(&mut self) {
        if self.times > 0 {
            tracing::info!(doing = self.what, failures = self.times, "the database is back");
            self.times = 0;
            self.told = None;
        }
    }
}
