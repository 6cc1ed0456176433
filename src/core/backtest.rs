//! Backtest: what a process that was recorded would have done under another version.
//!
//! Promises: pure. The start, the events and what came of deliveries are replayed as they were
//! recorded, at their times; what the other version asks that was never asked is answered as
//! usual, and counted. Steps are the same if they bear the same id, or `moved:` says so.
//! Does not: know what would have happened after the recording ends: a process that was stopped
//! or held is followed until then.
//! Called by: intake, for `backtest`.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rungs_runners::{DeliveryStatus, builtin::process};
use serde_json::{Map, Value};

use crate::{
    Entry, Event, InputProblem, Process, Sequence, Start, Status,
    contacts::{self, Contact, Difference},
    happening::Happening,
    simulate::{self, Answers, Asked, End, Fate, Told},
};

/// How far apart two contacts may be that are the same: a replay knows no waiting for a turn.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// What is recorded of a process.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The process as it is now.
    pub process: Process,
    /// The data with which it started, defaults filled in.
    pub data: Map<String, Value>,
    /// What happened to it, in order.
    pub events: Vec<Event>,
    /// Its history, in order.
    pub history: Vec<(DateTime<Utc>, Vec<Entry>)>,
    /// Its deliveries, in order.
    pub deliveries: Vec<Sent>,
}

/// A delivery that was recorded.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// Who was to be reached, when, and how.
    pub contact: Contact,
    /// Whether an attempt was begun.
    pub begun: bool,
    /// Whether it is a question to a runner that lives elsewhere.
    pub is_question: bool,
    /// How it ended, if it did.
    pub ended: Option<(DateTime<Utc>, DeliveryStatus)>,
}

/// What became of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Who was reached.
    pub before: Vec<Contact>,
    /// Who would have been.
    pub after: Vec<Contact>,
    /// How the two differ.
    pub difference: Difference,
    /// Deliveries of the replay.
    pub asked: usize,
    /// Those whose answer is not recorded.
    pub assumed: usize,
    /// The process as the other version would have left it.
    pub process: Process,
    /// Why it was not followed to its end, if it was not.
    pub cut: Option<Cut>,
}

/// Why a replay was broken off before its end: what would have followed is compared with nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// It was stopped then.
    Stopped,
    /// It was held then, or let go.
    Paused,
    /// It has come as far as the present.
    Now,
    /// It was too long to go on with.
    TooLong,
}

impl Cut {
    /// A word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Now => "now",
            Self::TooLong => "too-long",
        }
    }
}

/// Replays a process through a version of its sequence, up to `now` at the latest. `timezone` is
/// where it would climb if that names no zone, as a start of today would.
///
/// # Errors
/// Where the data with which it started would have been refused.
pub fn backtest(
    sequence: &Sequence,
    recorded: &Recorded,
    timezone: Tz,
    now: DateTime<Utc>,
) -> Result<Replayed, Vec<InputProblem>> {
    let Process { key, process_id, version, started_at, .. } = &recorded.process;
    let ends = recorded.ends_known().into_iter().chain([(now, Cut::Now)]);
    let (until, cut) = ends.min_by_key(|(at, _)| *at).unwrap_or((now, Cut::Now));
    let start = Start {
        key: key.clone(),
        process_id: process_id.clone(),
        version: *version,
        data: Value::Object(recorded.data.clone()),
        default_timezone: timezone,
        now: *started_at,
    };
    let happenings: Vec<Happening> = recorded
        .events
        .iter()
        .filter(|event| event.at < until)
        .map(|event| Happening {
            after: event.at - started_at,
            r#type: event.r#type.clone(),
            data: event.data.clone(),
            says: String::new(),
        })
        .collect();
    let mut record = Record::of(recorded, sequence, until);
    let simulation = simulate::replay(sequence, start, &happenings, until, &mut record)?;
    let before: Vec<Contact> = recorded.contacts(until).cloned().collect();
    let mut after = contacts::of_sent(&simulation, sequence, |id| !record.waiting.contains(id));
    after.retain(|contact| contact.at < until);
    Ok(Replayed {
        difference: contacts::difference(&before, &after, TOLERANCE),
        before,
        after,
        asked: record.asked,
        assumed: record.assumed,
        cut: (simulation.end == End::Endless).then_some(if simulation.ended_at < until {
            Cut::TooLong
        } else {
            cut
        }),
        process: simulation.process,
    })
}

impl Recorded {
    /// What ends what is known of it: nobody knows what it would have done while it was held, and
    /// after it was stopped.
    fn ends_known(&self) -> Vec<(DateTime<Utc>, Cut)> {
        let is_held = |entry: &Entry| matches!(entry, Entry::Paused | Entry::Resumed);
        let held = self.history.iter().find(|(_, entries)| entries.iter().any(is_held));
        // What a ladder does to itself, another would not have done.
        let Process { process_id, reason, status, ended_at, .. } = &self.process;
        let by_itself = reason.as_ref() == Some(&process::by(process_id));
        let stopped = ended_at.filter(|_| *status == Status::Stopped && !by_itself);
        let held = held.map(|(at, _)| (*at, Cut::Paused));
        held.into_iter().chain(stopped.map(|at| (at, Cut::Stopped))).collect()
    }

    /// Who was reached before `until`.
    fn contacts(&self, until: DateTime<Utc>) -> impl Iterator<Item = &Contact> {
        let reached = self.deliveries.iter().filter(|sent| sent.begun && !sent.is_question);
        reached.map(|sent| &sent.contact).filter(move |contact| contact.at < until)
    }
}

/// What came of the deliveries of each stay, one after the other: answers for a replay.
struct Record {
    courses: HashMap<(String, u32), Vec<Vec<Told>>>,
    /// How often each has been asked for.
    rounds: HashMap<(String, u32), usize>,
    /// Of each stay and round, whether it waits for its turn to this day.
    waits: HashSet<(String, u32, usize)>,
    /// Deliveries of the replay that wait so.
    waiting: HashSet<String>,
    asked: usize,
    assumed: usize,
}

impl Record {
    fn of(recorded: &Recorded, sequence: &Sequence, until: DateTime<Utc>) -> Self {
        let mut walk = Walk { sequence, stays: HashMap::new(), open: None, written: vec![] };
        for (at, entries) in &recorded.history {
            for entry in entries {
                walk.take(*at, entry);
            }
        }
        let rows: HashMap<&str, &Sent> =
            recorded.deliveries.iter().map(|sent| (sent.id.as_str(), sent)).collect();
        let mut courses: HashMap<_, Vec<Vec<Told>>> = HashMap::new();
        let mut waits = HashSet::new();
        for Written { place, id, at, mut told } in walk.written {
            let ended = rows.get(id.as_str()).and_then(|sent| sent.ended);
            // It ended after the process did, so that nobody heard of it.
            if let Some((ended_at, status)) = ended
                && !told.iter().any(|told| told.status.is_final())
                && status != DeliveryStatus::Cancelled
            {
                let after = (ended_at - at).max(TimeDelta::zero());
                told.push(Told { after, status, error: None, answer: None });
            }
            let rounds = courses.entry(place.clone()).or_default();
            // It was due and has not left; one that is held is not due.
            let waits_still =
                |sent: &&Sent| !sent.begun && sent.ended.is_none() && sent.contact.at < until;
            if rows.get(id.as_str()).is_some_and(waits_still) {
                waits.insert((place.0, place.1, rounds.len()));
            }
            rounds.push(told);
        }
        let (rounds, waiting) = (HashMap::new(), HashSet::new());
        Self { courses, rounds, waits, waiting, asked: 0, assumed: 0 }
    }
}

impl Answers for Record {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        Fate::usual(asked)
    }

    fn told(&mut self, asked: &Asked<'_>) -> Vec<Told> {
        self.asked += 1;
        let place = (asked.step.to_owned(), asked.stay);
        let round = self.rounds.entry(place.clone()).or_default();
        let told = self.courses.get(&place).and_then(|rounds| rounds.get(*round)).cloned();
        if self.waits.contains(&(place.0, place.1, *round)) {
            self.waiting.insert(asked.delivery.to_owned());
            return Vec::new();
        }
        *round += 1;
        match told {
            // What was withdrawn before anything was heard of it was never asked.
            Some(told) if !told.is_empty() => told,
            _ => {
                self.assumed += 1;
                asked.told(Fate::usual(asked), None)
            }
        }
    }
}

/// A delivery of the history.
struct Written {
    /// The step, by the name that it bears now, and which stay at it.
    place: (String, u32),
    id: String,
    at: DateTime<Utc>,
    told: Vec<Told>,
}

/// A walk along a history, which counts the stays.
struct Walk<'a> {
    sequence: &'a Sequence,
    stays: HashMap<String, u32>,
    /// The step of the stay that goes on.
    open: Option<String>,
    written: Vec<Written>,
}

impl Walk<'_> {
    fn take(&mut self, at: DateTime<Utc>, entry: &Entry) {
        match entry {
            Entry::Visited { step, action, .. } => {
                if self.open.as_ref() != Some(step) {
                    *self.stays.entry(self.name(step)).or_default() += 1;
                }
                let stays = *action == rungs_runners::Action::Noop;
                self.open = stays.then(|| step.clone());
            }
            Entry::Wrote { step, delivery, .. } => {
                let name = self.name(step);
                let stay = self.stays.get(&name).copied().unwrap_or_default();
                let (place, id) = ((name, stay), delivery.clone());
                self.written.push(Written { place, id, at, told: vec![] });
            }
            // Nothing is heard of it before it has left.
            Entry::Held { delivery, until, .. } => {
                let written = self.written.iter_mut().rev().find(|it| it.id == *delivery);
                if let (Some(it), Some(until)) = (written, DateTime::from_timestamp_millis(*until))
                {
                    it.at = it.at.max(until);
                }
            }
            Entry::Heard { delivery, status, error, answer, .. } => {
                let written = self.written.iter_mut().rev().find(|it| it.id == *delivery);
                if let (Some(it), Some(status)) = (written, DeliveryStatus::parse(status)) {
                    let (error, answer) = (error.clone(), answer.clone());
                    let after = (at - it.at).max(TimeDelta::zero());
                    it.told.push(Told { after, status, error, answer });
                }
            }
            Entry::Moved { step, .. } if self.open.is_some() => self.open = Some(step.clone()),
            Entry::Achieved { .. } | Entry::Failed { .. } => self.open = None,
            _ => {}
        }
    }

    fn name(&self, step: &str) -> String {
        self.sequence.moved.get(step).cloned().unwrap_or_else(|| step.to_owned())
    }
}

/// Whether the data with which a process started is that which it has: nothing that it was
/// told has changed any of it.
pub fn is_as_started(events: &[Event], history: &[(DateTime<Utc>, Vec<Entry>)]) -> bool {
    let told = events.iter().any(|event| event.data.as_object().is_some_and(|it| !it.is_empty()));
    let heard = history.iter().flat_map(|(_, entries)| entries).any(|entry| match entry {
        Entry::Heard { answer: Some(answer), .. } => {
            answer.data.as_ref().is_some_and(|data| !data.is_empty())
        }
        Entry::Visited { runner, .. } => runner == "Set",
        _ => false,
    });
    !told && !heard
}

#[cfg(test)]
mod tests;
