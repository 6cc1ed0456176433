//! One climb of a search: what it begins with, what becomes of what it sends, what happens.

use chrono::TimeDelta;
use chrono_tz::Tz;
use rungs_runners::{DeliveryStatus, data::merge, path::Path};
use serde_json::{Value, json};

use super::{
    Search,
    chance::Chance,
    data,
    judge::{Verdict, Watch},
};
use crate::{
    Start, cases,
    happening::Happening,
    simulate::{Answer, Answers, Asked, Fate, Most, answer::ends_on, simulate_within},
};

/// The process of a case, so that its deliveries have the same ids there and here.
pub(super) const KEY: &str = "01900000-0000-7000-8000-000000000001";
/// When a case starts that has no reason for another moment: a Monday.
pub(super) const PLAIN_START: &str = "2026-01-05T09:00";
/// Starts near changes of clocks, ends of months and of years, and at night.
const STARTS: [&str; 14] = [
    PLAIN_START,
    "2026-03-28T02:30",
    "2026-03-29T00:30",
    "2026-03-29T01:59",
    "2026-10-24T02:30",
    "2026-10-25T01:30",
    "2026-03-08T00:30",
    "2026-11-01T00:30",
    "2026-10-04T01:30",
    "2026-12-31T23:50",
    "2026-02-28T23:50",
    "2028-02-29T09:00",
    "2026-01-31T17:00",
    "2026-05-02T03:00",
];
/// Zones for sequences that name none.
const ZONES: [Tz; 5] = [
    Tz::Europe__Zagreb,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kolkata,
    Tz::Pacific__Apia,
];
/// How long people take, in seconds.
const DELAYS: [i64; 5] = [1, 20, 60, 600, 7_200];
/// How far a climb of the search is followed.
pub(super) const MOST: Most = Most { cycles: 150, lines: 2_000, until: None };
/// Answers of one climb that are drawn; those after them are the usual ones.
const MOST_ANSWERS: usize = 60;

/// What a climb is made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub data: Value,
    /// In the process's zone.
    pub at: String,
    /// Of sequences that name none.
    pub timezone: Tz,
    pub answers: Vec<Answer>,
    /// Each at another second.
    pub happenings: Vec<Happening>,
}

impl Trial {
    /// What its process starts with, at no moment yet.
    fn begin(&self) -> Start {
        Start {
            key: KEY.to_owned(),
            process_id: "tested".to_owned(),
            version: 1,
            data: self.data.clone(),
            default_timezone: self.timezone,
            now: chrono::DateTime::UNIX_EPOCH,
        }
    }
}

impl Search<'_> {
    /// A climb by chance. Its answers are drawn while it climbs.
    pub(super) fn draw(&mut self) -> Trial {
        let Self { sequence, mentions, base, chance, .. } = self;
        let data = data::draw(sequence, mentions, base, chance);
        let at = chance.of(&STARTS).map_or(PLAIN_START, |at| at).to_owned();
        let is_open = sequence.timezone.is_none() && base.timezone.is_none();
        let is_free = is_open && chance.once_in(3);
        let zone = chance.of(&ZONES).copied().filter(|_| is_free);
        let timezone = zone.or(self.base.timezone).unwrap_or(self.base.usual);
        let number =
            [0, 0, 0, 1, 1, 1, 1, 2, 2, 3].get(self.chance.below(10)).copied().unwrap_or(0);
        let mut happenings: Vec<Happening> = Vec::new();
        for _ in 0..number {
            let after = self.moment();
            happenings.extend(self.happening(after, &happenings, &data));
        }
        let mut trial = Trial { data, at, timezone, answers: Vec::new(), happenings };
        if self.chance.once_in(3) {
            self.bring_about(&mut trial);
        }
        trial
    }

    /// Something that a step asks for happens, or its contrary.
    fn bring_about(&mut self, trial: &mut Trial) {
        let (after, wanted) = (self.moment(), !self.chance.once_in(4));
        let Self { sequence, asks, chance, .. } = self;
        let (Some(ask), Ok(process)) = (chance.of(asks), crate::start(sequence, trial.begin()))
        else {
            return;
        };
        let brought = ask.happenings(&process, wanted, after, &mut |most| chance.below(most));
        let is_free = |one: &Happening| {
            trial
                .happenings
                .iter()
                .all(|other| other.after.num_seconds() != one.after.num_seconds())
        };
        let brought: Vec<Happening> =
            brought.unwrap_or_default().into_iter().filter(is_free).collect();
        trial.happenings.extend(brought);
    }

    /// Seconds after the start at which something may happen.
    pub(super) fn moment(&mut self) -> i64 {
        let at = self.chance.of(&self.moments).copied().unwrap_or(0) / 1_000;
        let beside = [-1, 0, 1, 1, 30, 300].get(self.chance.below(6)).copied().unwrap_or(0);
        (at + beside).max(0)
    }

    /// Something that the sequence speaks of, at a second at which nothing else happens.
    pub(super) fn happening(
        &mut self,
        after: i64,
        besides: &[Happening],
        data: &Value,
    ) -> Option<Happening> {
        let is_event = self.mentions.values.is_empty() || self.chance.once_in(4);
        let says = if is_event {
            // An event that nobody asks for makes the process look again.
            self.chance.of(&self.mentions.events).cloned().unwrap_or_else(|| "event".to_owned())
        } else {
            let (path, value) = self.chance.of(&self.mentions.values)?;
            format!("{path}={}", spelled(value))
        };
        let (mut after, is_named) = (after, is_event && !self.mentions.events.is_empty());
        while besides.iter().any(|one| one.after.num_seconds() == after) {
            after += 1;
        }
        let mut happening = if is_event {
            event(after, &says, Value::Null)?
        } else {
            format!("+{after}s:{says}").parse().ok()?
        };
        if is_named && !self.mentions.event_values.is_empty() && !self.chance.once_in(4) {
            happening.data = self.patch(true, data);
        }
        Some(happening)
    }

    /// A value for every path that is compared with one: in the data of events, or of the
    /// process, which has `data`.
    pub(super) fn patch(&mut self, of_event: bool, data: &Value) -> Value {
        let Self { mentions, chance, .. } = self;
        let (values, likes) = if of_event {
            (&mentions.event_values, &mentions.event_likes)
        } else {
            (&mentions.values, &mentions.likes)
        };
        let mut patch = patch(values, chance);
        for (path, other) in likes {
            let found = Path::parse(other).get(data);
            if let Some(found) = found.filter(|_| !chance.once_in(4)) {
                put(&mut patch, path, found.into_owned());
            }
        }
        patch
    }

    /// Climbs a trial and draws its answers on the way.
    pub(super) fn climb_drawing(&mut self, trial: &mut Trial) -> Option<Verdict> {
        let mut drawn = Drawn { chance: self.chance.clone(), answers: Vec::new() };
        let verdict = self.climb_with(trial, &mut drawn, MOST);
        (self.chance, trial.answers) = (drawn.chance, drawn.answers);
        verdict
    }

    /// Climbs a trial as it is.
    pub(super) fn climb(&mut self, trial: &Trial) -> Option<Verdict> {
        self.climb_with(trial, &mut &trial.answers[..], MOST)
    }

    /// The same, followed so far. `None`: the data do not fit, or the start is none.
    pub(super) fn climb_with(
        &mut self,
        trial: &Trial,
        answers: &mut dyn Answers,
        most: Most,
    ) -> Option<Verdict> {
        self.runs += 1;
        let mut new = trial.begin();
        let timezone = crate::start(self.sequence, new.clone()).ok()?.timezone;
        new.now = cases::moment(&trial.at, timezone).ok()?;
        let mut watch = Watch::new(self.sequence, answers);
        let simulation =
            simulate_within(self.sequence, new, &trial.happenings, &mut watch, most).ok()?;
        Some(watch.judge(simulation))
    }
}

/// An event so many seconds after the start.
pub(super) fn event(after: i64, name: &str, data: Value) -> Option<Happening> {
    Happening::event(TimeDelta::seconds(after), name, data).ok()
}

/// A value that is put to a place in the data so many seconds after the start.
pub(super) fn put_at(after: i64, path: &str, value: &Value) -> Option<Happening> {
    format!("+{after}s:{path}={}", spelled(value)).parse().ok()
}

/// A value for every path.
fn patch(values: &[(String, Value)], chance: &mut Chance) -> Value {
    let mut patch = json!({});
    let mut paths: Vec<&str> = values.iter().map(|one| one.0.as_str()).collect();
    paths.dedup();
    for path in paths {
        let wanted: Vec<&Value> =
            values.iter().filter(|one| one.0 == path).map(|one| &one.1).collect();
        let Some(value) = chance.of(&wanted).copied().cloned() else { continue };
        put(&mut patch, path, value);
    }
    patch
}

fn put(into: &mut Value, path: &str, value: Value) {
    let nested = path.rsplit('.').fold(value, |inner, key| json!({ key: inner }));
    if let (Value::Object(into), Value::Object(nested)) = (into, nested) {
        merge(into, &nested);
    }
}

/// A value as an event has it: as it is, or as JSON where it would be read as something else.
fn spelled(value: &Value) -> String {
    match value {
        Value::String(text)
            if serde_json::from_str::<Value>(text).is_err() && !text.contains('\n') =>
        {
            text.clone()
        }
        other => json!(other).to_string(),
    }
}

/// Draws what becomes of each delivery, and notes it.
struct Drawn {
    chance: Chance,
    answers: Vec<Answer>,
}

impl Answers for Drawn {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        if self.answers.len() >= MOST_ANSWERS {
            return Fate::usual(asked);
        }
        let mut possible = Fate::possible(asked).to_vec();
        if asked.is_question {
            possible.push(Fate::of(DeliveryStatus::Failed));
        } else {
            possible.extend(ends_on(asked).iter().map(|status| Fate::of(*status)));
        }
        let mut fate = self.chance.of(&possible).copied().unwrap_or_else(|| Fate::usual(asked));
        if self.chance.once_in(3) {
            fate.after = self.chance.of(&DELAYS).map(|seconds| TimeDelta::seconds(*seconds));
        }
        if fate != Fate::usual(asked) {
            let (step, stay) = (asked.step.to_owned(), Some(asked.stay));
            self.answers.push(Answer { step, stay, fate, said: None });
        }
        fate
    }
}
