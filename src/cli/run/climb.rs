//! Pass after pass until the process has ended, or nothing is left that could move it.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use rungs_core::{Process, Sequence, Status, happening::Happening};

use crate::{
    channels::console::clean,
    cli::{
        Failure, Output, Result,
        output::{self, WARN},
        timeline::{Reader, Teller},
    },
    engine::Engine,
    intake::{self, NewEvent},
};

/// It waits for something that nobody will send.
const STUCK: u8 = 3;

/// A process that runs while somebody watches.
pub(super) struct Running<'a> {
    engine: &'a Engine,
    process: Process,
    /// How much faster than the clock a wait passes.
    speed: f64,
    /// What is still to happen, in the order of time.
    happenings: VecDeque<Happening>,
    reader: Reader,
    teller: Teller,
    output: Output,
}

impl<'a> Running<'a> {
    pub fn new(
        engine: &'a Engine,
        sequence: &Sequence,
        process: Process,
        speed: f64,
        output: Output,
    ) -> Self {
        let steps = sequence.steps.iter().map(|step| step.id.as_str());
        Self {
            engine,
            teller: Teller::new(&process, steps),
            process,
            speed,
            happenings: VecDeque::new(),
            reader: Reader::default(),
            output,
        }
    }

    /// The same, and these things happen to it.
    pub fn with(mut self, mut happenings: Vec<Happening>) -> Self {
        happenings.sort_by_key(|happening| happening.after);
        self.happenings = happenings.into();
        self
    }

    /// Runs it, and tells what happens.
    pub async fn run(mut self) -> Result<()> {
        loop {
            self.let_happen().await?;
            let busy = self.pass().await?;
            if let Some(process) = self.engine.store.process_by_key(&self.process.key).await? {
                self.process = process;
            }
            if !self.process.status.is_live() {
                return self.end();
            }
            if !busy {
                self.wait().await?;
            }
        }
    }

    /// Every pass once. False if there was nothing to do.
    async fn pass(&mut self) -> Result<bool> {
        let evaluated = self.engine.evaluate().await?;
        // What is about to be sent is told before it is sent.
        self.tell().await?;
        let dispatched = self.engine.dispatch().await?;
        let asked = self.engine.ask().await?;
        let mut swept = self.engine.sweep_leases().await?;
        swept += self.engine.sweep_late().await?;
        self.tell().await?;
        let swept = swept.leases + swept.late;
        Ok(evaluated.processes + dispatched.attempts + asked.asked + swept > 0)
    }

    async fn tell(&mut self) -> Result<()> {
        for line in self.reader.read(&self.engine.store, &self.process.key).await? {
            if self.output.is_json() {
                output::json(&line.json())?;
            } else if let Some(text) = self.teller.tell(&line) {
                output::text(text)?;
            }
        }
        Ok(())
    }

    /// What is to happen by now, happens.
    async fn let_happen(&mut self) -> Result<()> {
        while self.next_happens_at().is_some_and(|at| at <= self.engine.clock.now()) {
            let Some(Happening { r#type, data, says, .. }) = self.happenings.pop_front() else {
                break;
            };
            self.teller.expect_event(clean(&says));
            let new = NewEvent { id: None, r#type, data };
            intake::event(self.engine, &self.process.process_id, new)
                .await
                .map_err(|refusal| Failure::of(refusal, "--event"))?;
        }
        Ok(())
    }

    fn next_happens_at(&self) -> Option<DateTime<Utc>> {
        let next = self.happenings.front()?;
        self.process.started_at.checked_add_signed(next.after)
    }

    async fn wait(&self) -> Result<()> {
        let clock = &self.engine.clock;
        let now = clock.now();
        let deliveries = self.engine.store.deliveries_of(&self.process.key).await?;
        // What is due and was not sent is held back by its channel's pace.
        let is_due = |due_at: Option<i64>| due_at.is_none_or(|at| at <= now.timestamp_millis());
        let is_held = deliveries
            .iter()
            .any(|delivery| delivery.status == "pending" && is_due(delivery.due_at));
        let looks_again_at = is_held.then(|| now + self.engine.options.poll);
        let due_at = self.engine.store.next_due_at(now).await?;
        let moments = [due_at, self.next_happens_at(), looks_again_at];
        let Some(until) = moments.into_iter().flatten().min() else { return Err(self.stuck()) };
        // A person who is being called does not pick up faster, and a provider that is
        // asked about it shall not be asked a hundred times a second.
        let is_under_way = deliveries.iter().any(|delivery| {
            matches!(delivery.status.as_str(), "sent" | "answered" | "in-doubt")
                && delivery.due_at.is_some()
        });
        let speed = if is_under_way { 1.0 } else { self.speed };
        let ahead = (until - now).to_std().unwrap_or_default();
        tokio::time::sleep(ahead.div_f64(speed)).await;
        clock.put_forward(until);
        Ok(())
    }

    fn stuck(&self) -> Failure {
        let step = self.process.cursor.as_deref().unwrap_or_default();
        Failure::ended(
            STUCK,
            &format!(
                "\n{WARN}It waits at `{}` for an event, and nobody will send one.{WARN:#}\nTry --event, such as --event +7m:order.status=confirmed",
                clean(step)
            ),
        )
    }

    fn end(&self) -> Result<()> {
        match self.process.status {
            Status::Failed => Err(Failure::said(1)),
            _ => Ok(()),
        }
    }
}
