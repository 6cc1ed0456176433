//! Simulate: a whole climb under a virtual clock.
//!
//! Promises: pure, and by the same [`advance`] that the engine goes by, so that what is shown
//! is what will happen. It always comes to an end: of the process, of what could move it, or
//! of [`MOST_CYCLES`] and [`MOST_LINES`].
//! Does not: send, or stand for a provider's whims: each delivery gets the answer that it is
//! given here, once, and leaves at once, or when its quiet hours are over. Retries, channel limits
//! and lateness of our own do not occur.
//! Called by: the command line (`simulate`, `test`, `fuzz`).

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use rungs_runners::{
    Action, DeliveryStatus, DeliveryView,
    builtin::process::{self, Act},
};
use serde_json::{Value, json};

use crate::{
    Advanced, Delivery, Entry, Event, InputProblem, News, Process, Sequence, Start, Status,
    advance, happening::Happening, start,
};

pub mod answer;
pub mod explore;

pub use answer::{Answer, Answers, Asked, Fate};
pub use explore::{Explored, Way, explore};

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
        channel: &'static str,
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
        channel: &'static str,
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
    /// It was still going after [`MOST_CYCLES`], or had told [`MOST_LINES`].
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

/// Something that will happen, and what the process will be told of it.
struct Coming {
    at: DateTime<Utc>,
    what: What,
    news: Option<News>,
}

impl Coming {
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
    let process = start(sequence, new)?;
    let mut climb = Climb::new(sequence, process);
    for happening in happenings {
        climb.plan(happening);
    }
    Ok(climb.run(answers))
}

struct Climb<'a> {
    sequence: &'a Sequence,
    process: Process,
    now: DateTime<Utc>,
    /// In the order of time; at the same moment, in the order in which it was known.
    coming: VecDeque<Coming>,
    lines: Vec<Line>,
}

impl<'a> Climb<'a> {
    fn new(sequence: &'a Sequence, process: Process) -> Self {
        let now = process.started_at;
        let lines = vec![Line { at: now, what: What::Did(Entry::Started) }];
        Self { sequence, process, now, coming: VecDeque::new(), lines }
    }

    fn plan(&mut self, happening: &Happening) {
        let Some(at) = self.now.checked_add_signed(happening.after) else { return };
        let event = Event { r#type: happening.r#type.clone(), data: happening.data.clone(), at };
        let what = What::Did(Entry::Happened { event: event.r#type.clone() });
        self.comes(Coming { at, what, news: Some(News::Event(event)) });
    }

    fn comes(&mut self, coming: Coming) {
        let place = self.coming.partition_point(|earlier| earlier.at <= coming.at);
        self.coming.insert(place, coming);
    }

    fn run(mut self, answers: &mut dyn Answers) -> Simulation {
        for _ in 0..MOST_CYCLES {
            let news = self.hear();
            let is_due = self.process.due_at.is_some_and(|due_at| due_at <= self.now);
            // That something held has left is nothing to the process.
            if is_due || !news.is_empty() {
                let advanced = advance(self.sequence, self.process.clone(), news, self.now);
                self.take(advanced, answers);
            }
            if !self.process.status.is_live() {
                return self.end(End::Ended);
            }
            if self.lines.len() >= MOST_LINES {
                break;
            }
            let due_at = self.process.due_at.filter(|_| self.process.status == Status::Active);
            let comes_at = self.coming.front().map(|coming| coming.at);
            let Some(next) = due_at.into_iter().chain(comes_at).min() else {
                return self.end(End::Waits);
            };
            self.now = self.now.max(next);
        }
        self.end(End::Endless)
    }

    fn end(self, end: End) -> Simulation {
        let entered_at = self.process.state.entered_at.and_then(DateTime::from_timestamp_millis);
        let ended_at = entered_at.filter(|_| end == End::Waits).unwrap_or(self.now);
        Simulation { process: self.process, lines: self.lines, end, ended_at }
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

    fn take(&mut self, advanced: Advanced, answers: &mut dyn Answers) {
        let Advanced { process, deliveries, withdrawn, history, .. } = advanced;
        self.process = process;
        for id in withdrawn {
            self.withdraw(&id);
        }
        let mut deliveries = deliveries.into_iter();
        for entry in history {
            match entry {
                Entry::Wrote { .. } => {
                    if let Some(delivery) = deliveries.next() {
                        self.send(delivery, answers);
                    }
                }
                // Both are told when they come.
                Entry::Heard { .. } | Entry::Happened { .. } => {}
                entry => self.lines.push(Line { at: self.now, what: What::Did(entry) }),
            }
        }
    }

    /// A delivery that is still held will not leave, and nothing will be heard of it.
    fn withdraw(&mut self, id: &str) {
        let is_its = |coming: &Coming| coming.delivery() == Some(id);
        if self.coming.iter().any(|coming| is_its(coming) && coming.is_leaving()) {
            self.coming.retain(|coming| !is_its(coming));
        }
    }

    /// It has stopped itself.
    fn stop(&mut self) {
        self.process.status = Status::Stopped;
        (self.process.due_at, self.process.ended_at) = (None, Some(self.now));
        let reason = Some(process::by(&self.process.process_id));
        self.process.reason.clone_from(&reason);
        self.lines.push(Line { at: self.now, what: What::Did(Entry::Stopped { reason }) });
    }

    fn send(&mut self, delivery: Delivery, answers: &mut dyn Answers) {
        let Delivery { id, step, what, held, .. } = delivery;
        let leaves_at = held.map_or(self.now, |held| held.leaves_at);
        let stay = self.process.state.stays(&step);
        let position = self.sequence.position(&step);
        let kind = position.and_then(|at| self.sequence.steps.get(at)).map(|step| step.kind);
        let asked = Asked {
            step: &step,
            stay,
            channel: what.channel,
            is_question: kind.is_some_and(|kind| kind.asks),
            request: &what.request,
        };
        let (fate, said) = (answers.answer(&asked), answers.said(&asked));
        let answer = asked.answered(&id, fate, said, self.now);
        let stops_itself = what.channel == process::CHANNEL
            && what.request == json!(Act::Stop { process_id: self.process.process_id.clone() });
        let leaves = What::Wrote {
            step: step.clone(),
            delivery: id.clone(),
            channel: what.channel,
            request: what.request,
        };
        if leaves_at > self.now {
            self.comes(Coming { at: leaves_at, what: leaves, news: None });
        } else {
            self.lines.push(Line { at: self.now, what: leaves });
        }
        for (after, status) in fate.story(what.channel) {
            let Some(at) = leaves_at.checked_add_signed(after) else { continue };
            let (step, delivery, channel) = (step.clone(), id.clone(), what.channel);
            let news = News::Delivery(DeliveryView {
                id: id.clone(),
                step: step.clone(),
                status,
                attempts: 1,
                provider_id: None,
                error: None,
                answer: answer.clone(),
            });
            let what = What::Heard { step, delivery, channel, status };
            self.comes(Coming { at, what, news: Some(news) });
        }
        if stops_itself && fate.action != Some(Action::AltNext) {
            self.stop();
        }
    }
}

#[cfg(test)]
mod tests;
