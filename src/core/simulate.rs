//! Simulate: a whole climb under a virtual clock.
//!
//! Promises: pure, and by the same [`advance`] that the engine goes by, so that what is shown
//! is what will happen. It always comes to an end: of the process, of what could move it, or
//! of [`MOST_CYCLES`] and [`MOST_LINES`].
//! Does not: send, or stand for a provider's whims: each delivery gets the answer that it is
//! given here, once, and leaves at once, or when its quiet hours are over. Retries, channel limits
//! and lateness of our own do not occur.
//! Called by: the command line (`simulate`, `test`, `fuzz`); `explain` and `plan`, which go on
//! from where a process stands; `backtest`, which goes through what was recorded.

use std::{borrow::Cow, collections::VecDeque};

use chrono::{DateTime, Utc};
use rungs_runners::{
    DeliveryStatus,
    builtin::process::{self, Act},
};
use serde_json::{Value, json};

use crate::{
    Advanced, Delivery, Entry, Event, InputProblem, News, Process, Sequence, Start, Status,
    advance, happening::Happening, start,
};

pub mod answer;
pub mod explore;
mod interest;
pub mod recorded;
mod under_way;

use answer::awaited;
pub use answer::{Answer, Answers, Asked, Fate, Told};
pub use explore::{Cut, Explored, Way, explore};
pub use recorded::{ahead, replay};
pub use under_way::Written;

/// Cycles after which a simulation is given up: a ladder that goes round every minute gets a
/// week.
pub const MOST_CYCLES: usize = 10_000;
/// Lines after which it is given up as well: a loop inside a cycle tells hundreds at a time.
pub const MOST_LINES: usize = 200_000;

/// One line of a climb.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When.
    pub at: DateTime<Utc>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The process did something, or something was done to it.
    Did(Entry),
    /// A delivery left: as soon as it was written, or once its quiet hours were over.
    Wrote {
        /// The step that wrote it.
        step: String,
        /// Its id.
        delivery: String,
        /// Its channel.
        channel: Cow<'static, str>,
        /// What is sent.
        request: Value,
    },
    /// Something was heard of a delivery.
    Heard {
        /// The step that wrote it.
        step: String,
        /// Its id.
        delivery: String,
        /// Its channel.
        channel: Cow<'static, str>,
        /// How far it has come.
        status: DeliveryStatus,
    },
}

/// How a simulation came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The process has ended.
    Ended,
    /// It waits for an event, and nobody sends one.
    Waits,
    /// It was still going after [`MOST_CYCLES`], or had told [`MOST_LINES`], or came to where it
    /// was to be broken off.
    Endless,
}

/// A climb that was simulated.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The process as it was in the end.
    pub process: Process,
    /// What happened, in order.
    pub lines: Vec<Line>,
    /// How it came to its end.
    pub end: End,
    /// When that was: where it waits, when it came there.
    pub ended_at: DateTime<Utc>,
}

/// After how much a simulation is given up.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// After so many cycles.
    pub cycles: usize,
    /// Or after the cycle in which it told the last of so many lines.
    pub lines: usize,
    /// Or before what happens from then on.
    pub until: Option<DateTime<Utc>>,
}

impl Default for Most {
    fn default() -> Self {
        Self { cycles: MOST_CYCLES, lines: MOST_LINES, until: None }
    }
}

/// Something that will happen, and what the process will be told of it.
struct Coming {
    at: DateTime<Utc>,
    what: What,
    news: Option<News>,
}

impl Coming {
    /// News of something that happens then.
    fn of(at: DateTime<Utc>, news: News) -> Self {
        Self { at, what: What::of(&news), news: Some(news) }
    }

    /// The delivery that it is about.
    fn delivery(&self) -> Option<&str> {
        match &self.what {
            What::Wrote { delivery, .. } | What::Heard { delivery, .. } => Some(delivery),
            What::Did(_) => None,
        }
    }

    /// Whether a delivery leaves then that was held.
    fn is_leaving(&self) -> bool {
        matches!(self.what, What::Wrote { .. })
    }
}

/// Starts a process and follows it to its end. `happenings` are what happens to it.
///
/// # Errors
/// Every place where the data does not fit.
pub fn simulate(
    sequence: &Sequence,
    new: Start,
    happenings: &[Happening],
    answers: &mut dyn Answers,
) -> Result<Simulation, Vec<InputProblem>> {
    simulate_within(sequence, new, happenings, answers, Most::default())
}

/// The same, given up earlier or later.
pub(crate) fn simulate_within(
    sequence: &Sequence,
    new: Start,
    happenings: &[Happening],
    answers: &mut dyn Answers,
    most: Most,
) -> Result<Simulation, Vec<InputProblem>> {
    let process = start(sequence, new)?;
    let mut climb = Climb::started(sequence, &process);
    for happening in happenings {
        climb.plan(happening);
    }
    Ok(climb.run(process, answers, most))
}

/// Follows a process that lives already, from `now` on: `written` is what it has written, as far
/// as that is still under way or it has not heard of it.
pub(crate) fn go_on(
    sequence: &Sequence,
    process: Process,
    written: &[Written],
    now: DateTime<Utc>,
    answers: &mut dyn Answers,
    most: Most,
) -> Simulation {
    let mut climb = Climb::of(sequence, now);
    for coming in under_way::coming(sequence, &process, written, now) {
        climb.comes(coming);
    }
    climb.run(process, answers, most)
}

impl What {
    /// What is told of news that come from outside.
    fn of(news: &News) -> Self {
        match news {
            News::Event(event) => Self::Did(Entry::Happened { event: event.r#type.clone() }),
            News::Delivery(view) => Self::Heard {
                step: view.step.clone(),
                delivery: view.id.clone(),
                channel: Cow::Borrowed(""),
                status: view.status,
            },
        }
    }
}

struct Climb<'a> {
    sequence: &'a Sequence,
    now: DateTime<Utc>,
    /// In the order of time; at the same moment, in the order in which it was known.
    coming: VecDeque<Coming>,
    lines: Vec<Line>,
}

impl<'a> Climb<'a> {
    fn of(sequence: &'a Sequence, now: DateTime<Utc>) -> Self {
        Self { sequence, now, coming: VecDeque::new(), lines: Vec::new() }
    }

    fn started(sequence: &'a Sequence, process: &Process) -> Self {
        let started = Line { at: process.started_at, what: What::Did(Entry::Started) };
        Self { lines: vec![started], ..Self::of(sequence, process.started_at) }
    }

    fn plan(&mut self, happening: &Happening) {
        let Some(at) = self.now.checked_add_signed(happening.after) else { return };
        let event = Event { r#type: happening.r#type.clone(), data: happening.data.clone(), at };
        self.comes(Coming::of(at, News::Event(event)));
    }

    fn comes(&mut self, coming: Coming) {
        let place = self.coming.partition_point(|earlier| earlier.at <= coming.at);
        self.coming.insert(place, coming);
    }

    fn run(mut self, mut process: Process, answers: &mut dyn Answers, most: Most) -> Simulation {
        for _ in 0..most.cycles {
            let due_at = process.due_at.filter(|_| process.status == Status::Active);
            let comes_at = self.coming.front().map(|coming| coming.at);
            let Some(next) = due_at.into_iter().chain(comes_at).min() else {
                return self.end(process, End::Waits);
            };
            self.now = self.now.max(next);
            if most.until.is_some_and(|until| self.now >= until) {
                break;
            }
            let told = self.lines.len();
            let news = self.hear();
            // That something held has left is nothing to the process.
            if due_at.is_some_and(|due_at| due_at <= self.now) || !news.is_empty() {
                let advanced = advance(self.sequence, process, news, self.now);
                process = self.take(advanced, answers);
            }
            answers.watch(&process, self.lines.get(told..).unwrap_or_default());
            if !process.status.is_live() {
                return self.end(process, End::Ended);
            }
            if self.lines.len() >= most.lines || answers.enough() {
                break;
            }
        }
        self.end(process, End::Endless)
    }

    fn end(self, process: Process, end: End) -> Simulation {
        let entered_at = process.state.entered_at.and_then(DateTime::from_timestamp_millis);
        let ended_at = entered_at.filter(|_| end == End::Waits).unwrap_or(self.now);
        Simulation { process, lines: self.lines, end, ended_at }
    }

    /// What has come by now.
    fn hear(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        while let Some(coming) = self.coming.pop_front() {
            if coming.at > self.now {
                self.coming.push_front(coming);
                break;
            }
            self.lines.push(Line { at: coming.at, what: coming.what });
            news.extend(coming.news);
        }
        news
    }

    /// Tells what a cycle did, and sends what it wrote.
    fn take(&mut self, advanced: Advanced, answers: &mut dyn Answers) -> Process {
        let Advanced { mut process, deliveries, withdrawn, history, .. } = advanced;
        for id in withdrawn {
            self.withdraw(&id);
        }
        let mut deliveries = deliveries.into_iter();
        for entry in history {
            match entry {
                Entry::Wrote { .. } => {
                    if let Some(delivery) = deliveries.next() {
                        self.send(&mut process, delivery, answers);
                    }
                }
                // Both are told when they come.
                Entry::Heard { .. } | Entry::Happened { .. } => {}
                entry => self.lines.push(Line { at: self.now, what: What::Did(entry) }),
            }
        }
        process
    }

    /// A delivery that is still held will not leave, and nothing will be heard of it.
    fn withdraw(&mut self, id: &str) {
        let is_its = |coming: &Coming| coming.delivery() == Some(id);
        if self.coming.iter().any(|coming| is_its(coming) && coming.is_leaving()) {
            self.coming.retain(|coming| !is_its(coming));
        }
    }

    fn send(&mut self, process: &mut Process, delivery: Delivery, answers: &mut dyn Answers) {
        let Delivery { id, step, what, held, .. } = delivery;
        let leaves_at = held.map_or(self.now, |held| held.leaves_at);
        let position = self.sequence.position(&step);
        let writer = position.and_then(|at| self.sequence.steps.get(at));
        let kind = writer.map(|step| step.kind);
        let all = answers.told(&Asked {
            delivery: &id,
            step: &step,
            stay: process.state.stays(&step),
            channel: what.channel,
            is_question: kind.is_some_and(|kind| kind.asks),
            awaits: awaited(writer),
            request: &what.request,
        });
        let stops_itself = what.channel == process::CHANNEL
            && what.request == json!(Act::Stop { process_id: process.process_id.clone() })
            && all.iter().all(|told| !told.is_refusal());
        let leaves = What::Wrote {
            step: step.clone(),
            delivery: id.clone(),
            channel: what.channel.into(),
            request: what.request,
        };
        if leaves_at > self.now {
            self.comes(Coming { at: leaves_at, what: leaves, news: None });
        } else {
            self.lines.push(Line { at: self.now, what: leaves });
        }
        for told in all {
            let Some(at) = leaves_at.checked_add_signed(told.after) else { continue };
            let (status, news) = (told.status, told.news(&id, &step, at));
            let (step, delivery, channel) = (step.clone(), id.clone(), what.channel.into());
            let what = What::Heard { step, delivery, channel, status };
            self.comes(Coming { at, what, news: Some(news) });
        }
        if stops_itself {
            self.stop(process);
        }
    }

    /// It has stopped itself.
    fn stop(&mut self, process: &mut Process) {
        process.status = Status::Stopped;
        (process.due_at, process.ended_at) = (None, Some(self.now));
        process.reason = Some(process::by(&process.process_id));
        let reason = process.reason.clone();
        self.lines.push(Line { at: self.now, what: What::Did(Entry::Stopped { reason }) });
    }
}

#[cfg(test)]
mod tests;
