//! What happens next if nothing happens: the climb, simulated from where the process stands.
//!
//! Nobody picks up, everything else arrives, no event comes. Of deliveries that are under way
//! the rest is told when it usually comes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rungs_runners::{Action, DeliveryStatus};
use serde::Serialize;
use serde_json::Value;

use super::{Moment, Subject, Written, contacts, words};
use crate::{
    Entry, News, Process, Sequence, Status,
    simulate::{self, Asked, End, Fate, Most, Simulation, What, go_on},
};

/// Lines that are told.
const MOST_LINES: usize = 12;
/// How far it is followed: who asks waits for it.
const MOST: Most = Most { cycles: 500, lines: 1_000, until: None };

/// How a wait begins.
const WAITS: &str = "waits until ";

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// Whether it happens only once somebody resumes the process.
    pub after_resume: bool,
    /// The first things that happen.
    pub next: Vec<Next>,
    /// Whether more happens after those.
    pub more: bool,
    /// How many deliveries follow in all, by channel.
    pub contacts: BTreeMap<String, usize>,
    /// `completed`, `failed`, `waits`, or `goes-on` if it was not followed to an end.
    pub end: &'static str,
    /// When that is.
    pub end_at: Moment,
    /// All of it in a sentence.
    pub says: String,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// When.
    #[serde(flatten)]
    pub at: Moment,
    /// At which step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What.
    pub says: String,
}

impl Ahead {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.says.clone()];
        lines.extend(self.next.iter().map(|next| {
            let step = next.step.as_ref().map_or(String::new(), |step| format!("`{step}` "));
            format!("  {}: {step}{}", next.at.local, next.says)
        }));
        if self.more {
            lines.push("  and so on".to_owned());
        }
        lines
    }
}

pub(super) fn follow(subject: Subject<'_>) -> Option<Ahead> {
    let Subject { process, sequence, now, .. } = subject;
    let sequence = sequence.ok()?;
    let after_resume = match process.status {
        Status::Active => false,
        Status::Paused | Status::Failed => true,
        Status::Completed | Status::Stopped => return None,
    };
    let mut begins = process.clone();
    if after_resume {
        begins.status = Status::Active;
        begins.due_at = Some(now);
        (begins.ended_at, begins.reason) = (None, None);
    }
    let coming = coming(subject, sequence);
    let mut usual: &[simulate::Answer] = &[];
    let simulation = go_on(sequence, begins, now, coming, &mut usual, MOST);
    Some(told(subject, &simulation, after_resume))
}

/// What the process will hear of deliveries that are under way, or has not heard yet.
fn coming(subject: Subject<'_>, sequence: &Sequence) -> Vec<(DateTime<Utc>, News)> {
    let Subject { process, now, .. } = subject;
    let mut coming = Vec::new();
    for written in subject.deliveries {
        let record = &written.record;
        let result = process.state.steps.get(&record.step);
        let text = |key: &str| result.and_then(|result| result.get(key)).and_then(Value::as_str);
        // Of an earlier one of its step nothing is remembered.
        if text("delivery") != Some(record.id.as_str()) {
            continue;
        }
        let is_left_in_doubt = record.status == DeliveryStatus::InDoubt && record.due_at.is_none();
        let is_settled = record.status.is_final() || is_left_in_doubt;
        if is_settled && text("status") != Some(record.status.as_str()) {
            coming.push((now, News::Delivery(record.view())));
        }
        if !is_settled && !record.withdrawn {
            coming.extend(rest(written, sequence, process, now));
        }
    }
    coming
}

/// The usual rest of a delivery's story.
fn rest(
    written: &Written,
    sequence: &Sequence,
    process: &Process,
    now: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, News)> {
    let Written { record, request } = written;
    let kind = sequence.position(&record.step).and_then(|at| sequence.steps.get(at));
    let asked = Asked {
        delivery: &record.id,
        step: &record.step,
        stay: process.state.stays(&record.step),
        channel: &record.channel,
        is_question: kind.is_some_and(|step| step.kind.asks),
        request,
    };
    let fate = match record.status {
        DeliveryStatus::Answered => Fate::of(DeliveryStatus::Completed),
        _ => Fate::usual(&asked),
    };
    // From when it is to be tried, or was.
    let begins = record.begun_at.filter(|_| record.status != DeliveryStatus::Pending);
    let begins = begins.or(record.due_at).unwrap_or(record.created_at);
    let rest = asked.told(fate, None).into_iter().filter(|told| told.status > record.status);
    let news = rest.filter_map(|told| {
        let at = begins.checked_add_signed(told.after)?.max(now);
        Some((at, told.news(&record.id, &record.step, at)))
    });
    news.collect()
}

fn told(subject: Subject<'_>, simulation: &Simulation, after_resume: bool) -> Ahead {
    let Subject { process, deliveries, .. } = subject;
    let zone = process.timezone;
    let mut contacts: BTreeMap<String, usize> = BTreeMap::new();
    let mut next: Vec<Next> = Vec::new();
    let mut more = false;
    for line in &simulation.lines {
        if let What::Wrote { channel, .. } = &line.what {
            *contacts.entry((*channel).to_owned()).or_default() += 1;
        }
        if next.len() >= MOST_LINES {
            more = true;
            continue;
        }
        let Some((step, says)) = says(&line.what, zone) else { continue };
        let one = Next { at: Moment::of(line.at, zone), step, says };
        // Whatever comes makes it look again, and mostly it waits on as before.
        let is_wait = one.says.starts_with(WAITS);
        if !is_wait || !next.iter().any(|told| (&told.step, &told.says) == (&one.step, &one.says)) {
            next.push(one);
        }
    }
    let end_at = Moment::of(simulation.ended_at, zone);
    let step = simulation.process.cursor.as_deref().unwrap_or_default();
    let reason = simulation.process.reason.as_deref().map(words::clipped).unwrap_or_default();
    let (end, how) = match (simulation.end, simulation.process.status) {
        (End::Waits, _) => ("waits", format!("then it waits at `{step}` until an event comes")),
        (End::Endless, _) => ("goes-on", format!("it still goes on at {}", end_at.local)),
        (End::Ended, Status::Failed) => {
            ("failed", format!("it fails at {}: {reason}", end_at.local))
        }
        (End::Ended, Status::Stopped) => {
            ("stopped", format!("it stops itself at {}", end_at.local))
        }
        (End::Ended, _) => ("completed", format!("it completes at {}", end_at.local)),
    };
    let all: Vec<String> = contacts
        .iter()
        .map(|(channel, number)| words::count(*number, words::noun(channel)))
        .collect();
    let all = if all.is_empty() {
        // What is written already is told with the contacts, and leaves all the same.
        let leaves =
            |one: &Written| one.record.status == DeliveryStatus::Pending && !one.record.withdrawn;
        let who = if deliveries.iter().any(leaves) { "nobody else" } else { "nobody" };
        format!("{who} is contacted")
    } else {
        let follow = if contacts.values().sum::<usize>() == 1 { "follows" } else { "follow" };
        format!("{} {follow}", and(&all))
    };
    let when = if after_resume {
        "If somebody resumes it and nothing happens"
    } else {
        "If nothing happens"
    };
    let says =
        format!("{when} (nobody picks up, all else arrives, no event comes), {all}, and {how}.");
    Ahead { after_resume, next, more, contacts, end, end_at, says }
}

/// `2 calls, 1 text and 1 mail`.
fn and(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A line that is worth telling: who is reached, what waits, where it takes the other way.
fn says(what: &What, zone: chrono_tz::Tz) -> Option<(Option<String>, String)> {
    Some(match what {
        What::Wrote { step, channel, request, .. } => {
            let what = contacts::what(channel, request);
            (Some(step.clone()), words::clipped(&format!("writes {what}")))
        }
        What::Did(Entry::Held { step, until, .. }) => {
            let until = Moment::of(DateTime::from_timestamp_millis(*until)?, zone).local;
            (Some(step.clone()), format!("is held until {until}: quiet hours"))
        }
        What::Did(Entry::Visited { step, runner, message, .. }) if runner == "Set" => {
            (Some(step.clone()), words::clipped(message))
        }
        What::Heard { step, status, .. } if status.is_final() => {
            (Some(step.clone()), format!("hears: {status}"))
        }
        What::Did(Entry::Visited { step, action: Action::Noop, until: Some(until), .. }) => {
            let until = DateTime::from_timestamp_millis(*until)?;
            (Some(step.clone()), format!("{WAITS}{}", Moment::of(until, zone).local))
        }
        What::Did(Entry::Visited { step, action: Action::AltNext, message, .. }) => {
            (Some(step.clone()), format!("takes altNext: {}", words::clipped(message)))
        }
        What::Did(Entry::Achieved { step, .. }) => {
            (Some(step.clone()), "is achieved and pulls the process to itself".to_owned())
        }
        What::Did(Entry::Completed) => (None, "completed".to_owned()),
        What::Did(Entry::Failed { reason }) => {
            (None, format!("failed: {}", words::clipped(reason)))
        }
        _ => return None,
    })
}
