//! Simulate: a whole climb under a virtual clock.
//!
//! Promises: pure, and by the same [`advance`] that the engine goes by, so that what is shown
//! is what will happen. It always comes to an end: of the process, of what could move it, or
//! of [`MOST_CYCLES`] and [`MOST_LINES`].
//! Does not: send, or stand for a provider's whims: each delivery gets the answer that it is
//! given here, once. Retries, channel limits and lateness of our own do not occur.
//! Called by: the command line (`simulate`, `test`, `fuzz`), and `explain`, which goes on from
//! where a process stands.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use rungs_runners::{DeliveryStatus, DeliveryView};
use serde_json::Value;

use crate::{
    Advanced, Delivery, Entry, Event, InputProblem, News, Process, Sequence, Start, Status,
    advance, happening::Happening, start,
};

pub mod answer;
pub mod explore;
pub mod recorded;

pub use answer::{Answer, Answers, Asked, Fate, Told};
pub use explore::{Explored, Way, explore};
pub use recorded::{ahead, replay};

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
    /// It wrote a delivery.
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
    /// It was still going after [`MOST_CYCLES`], or had told [`MOST_LINES`], or came to where
    /// it was to be broken off.
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
    /// Or before the first cycle at or after this moment.
    pub until: Option<DateTime<Utc>>,
}

impl Default for Most {
    fn default() -> Self {
        Self { cycles: MOST_CYCLES, lines: MOST_LINES, until: None }
    }
}

/// Something of which the process will be told.
struct Coming {
    at: DateTime<Utc>,
    what: What,
    news: News,
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

/// Follows a process that lives already, from `now` on: `coming` is what it will be told
/// besides, and when.
pub(crate) fn go_on(
    sequence: &Sequence,
    process: Process,
    now: DateTime<Utc>,
    coming: Vec<(DateTime<Utc>, News)>,
    answers: &mut dyn Answers,
    most: Most,
) -> Simulation {
    let mut climb = Climb::of(sequence, now);
    for (at, news) in coming {
        let what = What::of(&news);
        climb.comes(Coming { at, what, news });
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
                channel: "",
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
    /// Deliveries that were withdrawn before they left.
    withdrawn: BTreeSet<String>,
    lines: Vec<Line>,
}

impl<'a> Climb<'a> {
    fn of(sequence: &'a Sequence, now: DateTime<Utc>) -> Self {
        let (coming, withdrawn) = (VecDeque::new(), BTreeSet::new());
        Self { sequence, now, coming, withdrawn, lines: Vec::new() }
    }

    fn started(sequence: &'a Sequence, process: &Process) -> Self {
        let started = Line { at: process.started_at, what: What::Did(Entry::Started) };
        Self { lines: vec![started], ..Self::of(sequence, process.started_at) }
    }

    fn plan(&mut self, happening: &Happening) {
        let Some(at) = self.now.checked_add_signed(happening.after) else { return };
        let event = Event { r#type: happening.r#type.clone(), data: happening.data.clone(), at };
        let news = News::Event(event);
        self.comes(Coming { at, what: What::of(&news), news });
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
            if most.until.is_some_and(|until| next >= until) {
                break;
            }
            self.now = self.now.max(next);
            let told = self.lines.len();
            let news = self.hear();
            let advanced = advance(self.sequence, process, news, self.now);
            process = self.take(advanced, answers);
            answers.watch(&process, self.lines.get(told..).unwrap_or_default());
            if !process.status.is_live() {
                return self.end(process, End::Ended);
            }
            if self.lines.len() >= most.lines {
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
            news.push(coming.news);
        }
        news
    }

    /// Tells what a cycle did, and sends what it wrote.
    fn take(&mut self, advanced: Advanced, answers: &mut dyn Answers) -> Process {
        let Advanced { process, deliveries, withdrawn, history, .. } = advanced;
        self.withdrawn.extend(withdrawn);
        let mut deliveries = deliveries.into_iter();
        for entry in history {
            match entry {
                Entry::Wrote { .. } => {
                    if let Some(delivery) = deliveries.next() {
                        self.send(&process, delivery, answers);
                    }
                }
                // Both are told when they come.
                Entry::Heard { .. } | Entry::Happened { .. } => {}
                entry => self.lines.push(Line { at: self.now, what: What::Did(entry) }),
            }
        }
        process
    }

    fn send(&mut self, process: &Process, delivery: Delivery, answers: &mut dyn Answers) {
        let Delivery { id, step, what, .. } = delivery;
        let stay = process.state.stays(&step);
        let position = self.sequence.position(&step);
        let kind = position.and_then(|at| self.sequence.steps.get(at)).map(|step| step.kind);
        let asked = Asked {
            step: &step,
            stay,
            channel: what.channel,
            is_question: kind.is_some_and(|kind| kind.asks),
            request: &what.request,
        };
        let all = answers.told(&asked);
        self.lines.push(Line {
            at: self.now,
            what: What::Wrote {
                step: step.clone(),
                delivery: id.clone(),
                channel: what.channel,
                request: what.request,
            },
        });
        for told in all {
            self.hears(&id, &step, what.channel, told);
        }
    }

    /// Something will be heard of a delivery that is written now.
    fn hears(&mut self, id: &str, step: &str, channel: &'static str, told: Told) {
        let Told { after, status, error, answer } = told;
        let Some(at) = self.now.checked_add_signed(after) else { return };
        let answer =
            answer.map(|answer| rungs_runners::Answer { at: at.timestamp_millis(), ..answer });
        let news = News::Delivery(DeliveryView {
            id: id.to_owned(),
            step: step.to_owned(),
            status,
            attempts: 1,
            provider_id: None,
            error,
            answer,
        });
        let (step, delivery) = (step.to_owned(), id.to_owned());
        let what = What::Heard { step, delivery, channel, status };
        self.comes(Coming { at, what, news });
    }
}

#[cfg(test)]
mod tests;
