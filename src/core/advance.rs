//! One cycle of one process: it hears its news, its goals are looked at, and its cursor
//! goes as far as it can.
//!
//! Promises: pure, and it always comes to rest: after [`MOST_VISITS`] steps a process
//! that still has not is `failed`. Deliveries get ids made from the climb itself, so
//! that the same cycle, run again after a crash, writes the same ones.
//! One file, although a long one: a cycle reads from top to bottom, and each of its parts
//! changes the same process.
//! Called by: the engine, inside the cycle's transaction; tests and simulations.

use chrono::{DateTime, TimeDelta, Utc};
use rungs_runners::{
    Action, Answer, DeliveryStatus, DeliveryView, Failure, NewDelivery, Outcome, Visit, data,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Entry, News, Process, Remedy, Retry, Sequence, Status, Step, Target, process::iso, quiet::Held,
};

mod listen;

pub use listen::take_in;

/// Visits a process may make in one cycle. One that makes more would never rest.
pub const MOST_VISITS: usize = 1_000;

/// What a cycle made of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// The process as it is now.
    pub process: Process,
    /// Deliveries to write.
    pub deliveries: Vec<Delivery>,
    /// Ids of deliveries to withdraw, where no attempt has begun.
    pub withdrawn: Vec<String>,
    /// Ids of deliveries that were settled and gave way to another of the same stay. The
    /// history says what they came to, so they need not be kept.
    pub superseded: Vec<String>,
    /// Whether the process's data have changed.
    pub data_changed: bool,
    /// What happened, in order.
    pub history: Vec<Entry>,
    /// Steps visited.
    pub visits: usize,
}

/// A delivery to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Made from the process's key, the step, the stay and the round, so that the same climb
    /// always gives the same id.
    pub id: String,
    /// The step that writes it.
    pub step: String,
    /// Through which channel, and what.
    pub what: NewDelivery,
    /// How often to try, where the step says so.
    pub retry: Option<Retry>,
    /// What to do if nobody knows whether it arrived.
    pub in_doubt: Remedy,
    /// From when on it is late, and what becomes of it then.
    pub late: Option<(DateTime<Utc>, Remedy)>,
    /// Its quiet hours, and until when they hold it back now.
    pub held: Option<Held>,
}

/// Tells a process its news and moves its cursor as far as it goes.
///
/// A process that is not active hears its news and stays where it is.
pub fn advance(
    sequence: &Sequence,
    process: Process,
    news: Vec<News>,
    now: DateTime<Utc>,
) -> Advanced {
    let mut climb = Climb::new(sequence, process, now);
    for news in news {
        climb.hear(news);
    }
    if climb.process.status == Status::Active {
        climb.go();
    }
    climb.advanced
}

/// A process that cannot be advanced at all, for instance because its sequence is gone.
/// It hears its news all the same, so that nothing is lost when it is resumed.
pub fn fail(process: Process, news: Vec<News>, reason: String, now: DateTime<Utc>) -> Advanced {
    let mut advanced = Advanced::unchanged(process);
    for news in news {
        advanced.hear(news);
    }
    advanced.fail(reason, now);
    advanced
}

/// Where a visit leads.
enum Move {
    Rest,
    To(Target),
    Fail(String),
}

struct Climb<'a> {
    sequence: &'a Sequence,
    now: DateTime<Utc>,
    /// When the process was to be looked at: earlier than now if everything was late.
    due_at: DateTime<Utc>,
    /// Now, once it has been spelled.
    spelled: Option<String>,
    advanced: Advanced,
}

impl std::ops::Deref for Climb<'_> {
    type Target = Advanced;
    fn deref(&self) -> &Advanced {
        &self.advanced
    }
}

impl std::ops::DerefMut for Climb<'_> {
    fn deref_mut(&mut self) -> &mut Advanced {
        &mut self.advanced
    }
}

impl<'a> Climb<'a> {
    fn new(sequence: &'a Sequence, process: Process, now: DateTime<Utc>) -> Self {
        let due_at = process.due_at.map_or(now, |due_at| due_at.min(now));
        Self { sequence, now, due_at, spelled: None, advanced: Advanced::unchanged(process) }
    }

    /// Hears news, and lets the steps that wait for events hear it as well: each one as it
    /// comes, since of several of a type only the last is remembered.
    fn hear(&mut self, news: News) {
        let listeners = &self.sequence.listeners;
        let event = match &news {
            News::Event(event) if !listeners.is_empty() => Some(event.clone()),
            _ => None,
        };
        self.advanced.hear(news);
        if let Some(event) = event {
            listen::hear(self.sequence, &mut self.advanced.process, &event);
        }
    }

    fn go(&mut self) {
        let sequence = self.sequence;
        while self.visits < MOST_VISITS {
            let Some(position) = self.position() else {
                let cursor = self.process.cursor.clone().unwrap_or_default();
                return self.fail_now(format!("the sequence has no step `{cursor}`"));
            };
            let position = match self.goal_ahead(position) {
                Ok(None) => position,
                Ok(Some(goal)) => {
                    self.pull(position, goal);
                    goal
                }
                Err(reason) => return self.fail_now(reason),
            };
            let Some(step) = sequence.steps.get(position) else { return };
            if self.process.state.entered_at.is_none() {
                self.enter(position);
            }
            match self.visit(step) {
                Move::Rest => return,
                Move::To(Target::Step(next)) => self.enter(next),
                Move::To(Target::End) => return self.complete(),
                Move::Fail(reason) => {
                    return self.fail_now(format!("step `{}`: {reason}", step.id));
                }
            }
        }
        self.fail_now(format!("visited {MOST_VISITS} steps in one cycle and came to no rest"));
    }

    fn position(&self) -> Option<usize> {
        self.sequence.position(self.process.cursor.as_deref()?)
    }

    /// The furthest goal below `position` that is achieved.
    fn goal_ahead(&self, position: usize) -> Result<Option<usize>, String> {
        let ahead = self.sequence.goals.iter().rev().take_while(|goal| **goal > position);
        let mut scope = None;
        for &goal in ahead {
            let Some(step) = self.sequence.steps.get(goal) else { continue };
            let scope = scope.get_or_insert_with(|| self.process.scope());
            if step
                .config
                .achieved(scope)
                .map_err(|Failure(reason)| format!("step `{}`: {reason}", step.id))?
            {
                return Ok(Some(goal));
            }
        }
        Ok(None)
    }

    /// The cursor leaves its step for a goal; what that step had not sent yet is withdrawn.
    fn pull(&mut self, from: usize, goal: usize) {
        let (Some(from), Some(to)) = (self.sequence.steps.get(from), self.sequence.steps.get(goal))
        else {
            return;
        };
        self.history.push(Entry::Achieved { step: to.id.clone(), from: from.id.clone() });
        self.withdraw();
        self.enter(goal);
    }

    /// A stay begins.
    fn enter(&mut self, position: usize) {
        let Some(step) = self.sequence.steps.get(position) else { return };
        let now = self.now;
        self.process.cursor = Some(step.id.clone());
        self.process.state.enter(&step.id, now);
    }

    fn visit(&mut self, step: &Step) -> Move {
        self.visits += 1;
        match self.ask(step) {
            Ok(outcome) => self.follow(step, outcome),
            Err(Failure(reason)) => Move::Fail(reason),
        }
    }

    fn ask(&self, step: &Step) -> Result<Outcome, Failure> {
        let process = &self.process;
        let entered_at =
            process.state.entered_at.and_then(DateTime::from_timestamp_millis).unwrap_or(self.now);
        let scope = process.scope();
        step.config.visit(&Visit {
            now: self.now,
            timezone: process.timezone,
            entered_at,
            stay: process.state.stays(&step.id),
            delivery: process.state.delivery.as_ref(),
            stirred: process.state.stirred,
            heard: process.state.heard(&step.id),
            calendars: &self.sequence.calendars,
            scope: &scope,
        })
    }

    /// Does what a runner answered.
    fn follow(&mut self, step: &Step, outcome: Outcome) -> Move {
        let held = match outcome.deliver.as_ref().map(|_| self.held(step)).transpose() {
            Ok(held) => held.flatten(),
            Err(reason) => return Move::Fail(reason),
        };
        let late_at = self.late_at(step, held.as_ref());
        let outcome = self.with_a_pause(step, self.in_time(step, outcome, late_at));
        // A wait that ends now or earlier would spin; a runner that asks for one is
        // looked at again in the next millisecond, so it costs a cycle and no more.
        let soonest = self.now + TimeDelta::milliseconds(1);
        let until = outcome.until.map(|until| until.max(soonest));
        self.history.push(Entry::Visited {
            step: step.id.clone(),
            runner: step.kind.name.to_owned(),
            action: outcome.action,
            message: outcome.message.into_owned(),
            until: until.map(|until| until.timestamp_millis()),
        });
        if let Some(patch) = &outcome.set
            && let Err(reason) = self.merge(patch, "the data it sets")
        {
            return Move::Fail(reason);
        }
        if outcome.action == Action::Noop {
            self.process.due_at = until;
            if let Some(what) = outcome.deliver {
                self.write(step, what, late_at, held);
            }
            return Move::Rest;
        }
        let now = self.spelled.take().unwrap_or_else(|| iso(self.now));
        self.process.state.leave(&step.id, outcome.action, &now, outcome.failed.as_deref());
        self.spelled = Some(now);
        match outcome.failed {
            Some(reason) if step.fail_on_failure => Move::Fail(reason),
            _ => self.target(step, outcome.action, outcome.to.as_deref()),
        }
    }

    /// The quiet hours of what a step writes now.
    fn held(&self, step: &Step) -> Result<Option<Held>, String> {
        let Some(quiet) = &step.quiet else { return Ok(None) };
        let quiet = quiet.of(&self.process, &self.sequence.calendars)?;
        let held = Held::at(&quiet, self.now);
        held.map(Some).ok_or_else(|| "quietHours: it is always quiet: this can never leave".into())
    }

    /// When what a step writes now is late. Quiet hours do not count.
    fn late_at(&self, step: &Step, held: Option<&Held>) -> Option<DateTime<Utc>> {
        let lateness = step.lateness?;
        match held {
            Some(held) => {
                let most = i64::try_from(lateness.most).ok().and_then(TimeDelta::try_milliseconds);
                let counts = lateness.then != Remedy::Send;
                most.filter(|_| counts).and_then(|most| held.quiet.after(self.due_at, most))
            }
            None => lateness.late_at(self.due_at),
        }
    }

    /// What a step wants to send too late is not even written: it is skipped or failed here.
    fn in_time(&self, step: &Step, outcome: Outcome, late_at: Option<DateTime<Utc>>) -> Outcome {
        let (Some(lateness), Some(late_at), true) =
            (step.lateness, late_at, outcome.deliver.is_some())
        else {
            return outcome;
        };
        if self.now < late_at {
            return outcome;
        }
        let by = iso(late_at);
        match lateness.then {
            Remedy::Send => outcome,
            Remedy::Skip => Outcome::next(format!("skipped, late: it was to leave by {by}")),
            Remedy::Fail => Outcome::undelivered(format!("late: it was to leave by {by}")),
        }
    }

    /// A notification that cannot even be written, or is too late to be, does not rest where
    /// a loop counts on it. The second time in one cycle it is paused instead, so that the
    /// ladder goes round slowly and the process lives until its data is put right.
    fn with_a_pause(&self, step: &Step, outcome: Outcome) -> Outcome {
        let passed_by = step.kind.delivers
            && outcome.action != Action::Noop
            && self.process.state.delivery.is_none();
        let visited =
            |entry: &Entry| matches!(entry, Entry::Visited { step: id, .. } if *id == step.id);
        if !passed_by || !self.history.iter().any(visited) {
            return outcome;
        }
        let first = step.retry.unwrap_or_default().first;
        let pause = i64::try_from(first).ok().and_then(TimeDelta::try_milliseconds);
        let until = pause.and_then(|pause| self.now.checked_add_signed(pause));
        let reason = outcome.message;
        let message = format!("{reason}; a pause, since the ladder has come round to it");
        Outcome::wait_until(until.unwrap_or(self.now), message)
    }

    fn target(&self, step: &Step, action: Action, to: Option<&str>) -> Move {
        match to {
            Some("end") => Move::To(Target::End),
            Some(id) => self.sequence.position(id).map_or_else(
                || Move::Fail(format!("there is no step `{id}` to go to")),
                |position| Move::To(Target::Step(position)),
            ),
            None if action == Action::AltNext => Move::To(step.alt_next.unwrap_or(step.next)),
            None => Move::To(step.next),
        }
    }

    fn write(
        &mut self,
        step: &Step,
        what: NewDelivery,
        late_at: Option<DateTime<Utc>>,
        held: Option<Held>,
    ) {
        self.give_way();
        let id = delivery_id(&self.process, &step.id);
        self.process.state.take_delivery_of_stay(DeliveryView {
            id: id.clone(),
            step: step.id.clone(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            provider_id: None,
            error: None,
            answer: None,
        });
        self.history.push(Entry::Wrote {
            step: step.id.clone(),
            delivery: id.clone(),
            channel: what.channel.to_owned(),
        });
        if let Some(held) = held.as_ref().filter(|held| held.leaves_at > self.now) {
            self.history.push(Entry::Held {
                step: step.id.clone(),
                delivery: id.clone(),
                until: held.leaves_at.timestamp_millis(),
            });
        }
        let late = late_at.zip(step.lateness.map(|lateness| lateness.then));
        let (retry, in_doubt, step) = (step.retry, step.in_doubt, step.id.clone());
        self.deliveries.push(Delivery { id, step, what, retry, in_doubt, late, held });
    }

    /// What this stay wrote before makes room for what it writes now.
    fn give_way(&mut self) {
        let Some(before) = self.process.state.delivery.take() else { return };
        self.process.state.round = self.process.state.round.saturating_add(1);
        if before.status.is_final() {
            self.superseded.push(before.id);
        } else {
            self.withdrawn.push(before.id);
        }
    }

    fn complete(&mut self) {
        let now = self.now;
        self.history.push(Entry::Completed);
        self.end(Status::Completed, now);
    }

    fn fail_now(&mut self, reason: String) {
        let now = self.now;
        self.fail(reason, now);
    }
}

impl Advanced {
    fn unchanged(process: Process) -> Self {
        Self {
            process,
            deliveries: vec![],
            withdrawn: vec![],
            superseded: vec![],
            data_changed: false,
            history: vec![],
            visits: 0,
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Event(event) => {
                self.history.push(Entry::Happened { event: event.r#type.clone() });
                self.data_changed |= event.data.is_object();
                self.process.take_event(event);
            }
            News::Delivery(view) => self.hear_of_delivery(view),
        }
    }

    fn hear_of_delivery(&mut self, mut view: DeliveryView) {
        let answer = view.answer.clone();
        if let Err(reason) = self.take_answer(&mut view) {
            (view.status, view.error, view.answer) = (DeliveryStatus::Failed, Some(reason), None);
        }
        self.history.push(Entry::Heard {
            step: view.step.clone(),
            delivery: view.id.clone(),
            status: view.status.to_string(),
            error: view.error.clone(),
            answer,
        });
        self.process.state.take_delivery(view);
    }

    /// Merges the data of an answer into those of the process and keeps its result, if the
    /// stay that asked goes on. An answer that comes later is noted, and changes nothing.
    fn take_answer(&mut self, view: &mut DeliveryView) -> Result<(), String> {
        let Some(Answer { data: patch, result, .. }) = &mut view.answer else { return Ok(()) };
        // They need not be remembered beside what they were merged into.
        let (patch, result) = (patch.take(), result.take());
        let open = self.process.state.delivery.as_ref();
        if open.is_none_or(|open| open.id != view.id) {
            return Ok(());
        }
        if let Some(patch) = patch {
            self.merge(&patch, "the answer's data")?;
        }
        if let Some(result) = result {
            self.process.state.keep(&view.step, *result)?;
        }
        Ok(())
    }

    /// Merges a patch into the process's data, if there is room for it.
    fn merge(&mut self, patch: &Map<String, Value>, what: &str) -> Result<(), String> {
        let mut merged = self.process.data.clone();
        data::merge(&mut merged, patch);
        if data::length(&merged) > data::MOST {
            let most = data::MOST;
            return Err(format!("with {what} the process's would pass {most} bytes"));
        }
        self.process.data = merged;
        self.data_changed = true;
        Ok(())
    }

    fn fail(&mut self, reason: String, now: DateTime<Utc>) {
        self.history.push(Entry::Failed { reason: reason.clone() });
        self.process.reason = Some(reason);
        self.withdraw();
        // Tried again, it comes to the step anew, and writes a delivery anew.
        self.process.state.entered_at = None;
        self.end(Status::Failed, now);
    }

    fn end(&mut self, status: Status, now: DateTime<Utc>) {
        self.process.status = status;
        self.process.due_at = None;
        self.process.ended_at = Some(now);
    }

    /// Withdraws what the present stay wrote and what may not have begun.
    fn withdraw(&mut self) {
        let open = self.process.state.forget_delivery();
        self.withdrawn.extend(open.filter(|open| !open.status.is_final()).map(|open| open.id));
    }
}

/// The same process, step, stay and round always give the same id. A process that was moved to
/// another version may come to a step whose name another step bore before.
fn delivery_id(process: &Process, step: &str) -> String {
    let namespace = Uuid::parse_str(&process.key).unwrap_or(Uuid::NAMESPACE_OID);
    let (stay, round) = (process.state.stays(step), process.state.round);
    let mut name = match round {
        0 => format!("{step}#{stay}"),
        round => format!("{step}#{stay}#{round}"),
    };
    if process.state.moves > 0 {
        name = format!("{name}@{}", process.state.moves);
    }
    Uuid::new_v5(&namespace, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests;
