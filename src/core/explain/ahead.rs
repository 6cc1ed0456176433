//! What happens next if nothing happens: the climb, simulated from where the process stands.
//!
//! Nobody picks up, everything else arrives, no event comes. Of deliveries that are under way
//! the rest is told when it usually comes.

use std::collections::BTreeMap;

use chrono::DateTime;
use rungs_runners::Action;
use serde::Serialize;

use super::{Moment, Subject, contacts, words};
use crate::{
    Entry, Status,
    simulate::{self, End, Most, Simulation, What, go_on},
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
    let Subject { process, sequence, under_way, now, .. } = subject;
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
    let mut usual: &[simulate::Answer] = &[];
    let simulation = go_on(sequence, begins, under_way, now, &mut usual, MOST);
    Some(told(subject, &simulation, after_resume))
}

fn told(subject: Subject<'_>, simulation: &Simulation, after_resume: bool) -> Ahead {
    let zone = subject.process.timezone;
    let mut contacts: BTreeMap<String, usize> = BTreeMap::new();
    let mut next: Vec<Next> = Vec::new();
    let mut more = false;
    for line in &simulation.lines {
        if let What::Wrote { channel, .. } = &line.what {
            *contacts.entry(channel.to_string()).or_default() += 1;
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
        "nobody is contacted".to_owned()
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
            (Some(step.clone()), words::clipped(&format!("sends {what}")))
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
        What::Did(Entry::Stopped { .. }) => (None, "stops itself".to_owned()),
        What::Did(Entry::Completed) => (None, "completed".to_owned()),
        What::Did(Entry::Failed { reason }) => {
            (None, format!("failed: {}", words::clipped(reason)))
        }
        _ => return None,
    })
}
