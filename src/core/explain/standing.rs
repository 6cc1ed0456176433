//! Where a process stands and since when, which clause holds it there, and when it will be
//! looked at next.

use chrono::{DateTime, TimeDelta, Utc};
use rungs_runners::{Action, DeliveryView, calendar, explain::Clause};
use serde::Serialize;

use super::{Moment, Subject, contacts, explained, goals, words};
use crate::{Entry, Process, Status, Step};

/// What is due is taken up within a second or two; later than that it is overdue.
const OVERDUE: TimeDelta = TimeDelta::seconds(5);

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stands {
    /// The step; of one that has ended, how far it came.
    pub step: Option<String>,
    /// The step's runner, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<&'static str>,
    /// How many times it has come to that step.
    pub stay: u32,
    /// Since when: of one that has ended, its end.
    pub since: Option<Moment>,
    /// Why it failed or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence.
    pub says: String,
}

/// What holds it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What its runner answered at the last visit, in a clause.
    pub message: Option<String>,
    /// When that was.
    pub visited_at: Option<Moment>,
    /// The condition it waits for, clause by clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Clause>,
    /// How the moment until which it waits was found.
    pub arithmetic: Vec<String>,
    /// The same in a sentence.
    pub says: String,
}

/// When it is looked at next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookedAt {
    /// Then; nothing, if something must happen first, or it never is.
    pub at: Option<Moment>,
    /// Whether it should have been looked at already.
    pub overdue: bool,
    /// The same in a sentence, and why then.
    pub says: String,
}

impl Held {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.says.clone()];
        let condition = self.condition.as_ref();
        // A single clause is said already, but of a wait for an event.
        match condition.filter(|clause| clause.test.is_some() && !self.says.contains(&clause.says))
        {
            Some(clause) => lines.extend(clause.lines().iter().map(|line| format!("  {line}"))),
            None => lines.extend(goals::below(condition)),
        }
        lines.extend(self.arithmetic.iter().map(|sum| format!("  {}.", words::capital(sum))));
        lines
    }
}

pub(super) struct Seen {
    pub stands: Stands,
    pub held: Option<Held>,
    pub looked_at: LookedAt,
}

pub(super) fn see(subject: Subject<'_>) -> Seen {
    let held = subject.process.status.is_live().then(|| held(subject)).flatten();
    Seen { stands: stands(subject), held, looked_at: looked_at(subject) }
}

fn step(subject: Subject<'_>) -> Option<(usize, &Step)> {
    let sequence = subject.sequence.ok()?;
    let position = sequence.position(subject.process.cursor.as_deref()?)?;
    Some((position, sequence.steps.get(position)?))
}

fn stands(subject: Subject<'_>) -> Stands {
    let Subject { process, now, .. } = subject;
    let Process { process_id, cursor, state, timezone, status, .. } = process;
    let entered_at = state.entered_at.and_then(DateTime::from_timestamp_millis);
    let since = if status.is_live() { entered_at } else { process.ended_at };
    let stay = cursor.as_deref().map_or(0, |step| state.stays(step));
    let runner = step(subject).map(|(_, step)| step.kind.name);
    let reason = process.reason.as_deref().map(words::clipped);
    let at = match cursor {
        Some(step) => {
            let runner = runner.map_or(String::new(), |runner| format!(" ({runner})"));
            format!("`{step}`{runner}")
        }
        None => "no step".to_owned(),
    };
    let when = since.map(|since| {
        format!("{}, {} ago", Moment::of(since, *timezone).local, words::length(now - since))
    });
    let why = reason.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let says = match (status, when) {
        (Status::Active | Status::Paused, when) => {
            let stay = if stay > 1 {
                format!(", for the {} time", words::ordinal(stay))
            } else {
                String::new()
            };
            let since = match when {
                Some(when) => format!("It came there at {when}."),
                None => "It has not been looked at there yet.".to_owned(),
            };
            format!("{process_id} is {} at {at}{stay}. {since}", status.as_str())
        }
        (Status::Completed, when) => {
            format!("{process_id} completed at {at}{}.", on(when))
        }
        (Status::Stopped, when) => {
            format!("{process_id} was stopped at {at}{}{why}.", on(when))
        }
        (Status::Failed, when) => format!("{process_id} failed at {at}{}{why}.", on(when)),
    };
    let since = since.map(|since| Moment::of(since, *timezone));
    Stands { step: cursor.clone(), runner, stay, since, reason, says }
}

fn on(when: Option<String>) -> String {
    when.map_or(String::new(), |when| format!(" on {when}"))
}

/// The last visit of a stay.
struct Visit<'a> {
    at: DateTime<Utc>,
    message: &'a str,
    /// The version to which the process has been moved since: it may answer otherwise.
    moved_to: Option<i32>,
}

/// The last visit of the stay, where the end of the history has it.
fn last_visit(subject: Subject<'_>) -> Option<Visit<'_>> {
    let Subject { process, history, .. } = subject;
    let mut name = process.cursor.as_deref()?;
    let mut moved_to = None;
    let entered_at = process.state.entered_at?;
    let of_stay = history.iter().rev().take_while(|(at, _)| at.timestamp_millis() >= entered_at);
    for (at, entry) in of_stay {
        match entry {
            Entry::Moved { to, step_from, .. } => {
                moved_to.get_or_insert(*to);
                name = step_from;
            }
            Entry::Visited { step, message, .. } if step == name => {
                return Some(Visit { at: *at, message, moved_to });
            }
            _ => {}
        }
    }
    None
}

/// Why a runner that lives elsewhere answered `noop`, if it did.
fn stays(delivery: &DeliveryView) -> Option<String> {
    let answer = delivery.answer.as_ref().filter(|answer| answer.action == Action::Noop)?;
    let why = answer.message.as_deref().map(words::clipped);
    Some(why.map_or(String::new(), |why| format!(": {why}")))
}

fn held(subject: Subject<'_>) -> Option<Held> {
    let Subject { process, now, .. } = subject;
    let (position, step) = step(subject)?;
    let zone = process.timezone;
    let Visit { at: visited_at, message, moved_to } = last_visit(subject)?;
    let more = explained(subject, position);
    let (condition, awaits, mut arithmetic) = match more {
        Ok(more) => (more.condition, more.awaits, more.arithmetic),
        Err(error) => {
            (None, None, vec![format!("a visit now would fail: {}", words::clipped(&error))])
        }
    };
    if let Some(due_at) = process.due_at.filter(|due_at| *due_at > now)
        && !arithmetic.iter().any(|sum| sum.contains("the clocks go"))
    {
        arithmetic.extend(
            calendar::clocks_between(now, due_at, zone)
                .map(|clocks| format!("until then {clocks}")),
        );
    }
    let message = words::clipped(message);
    let id = &step.id;
    let says = match (&condition, awaits, process.state.delivery.as_ref()) {
        _ if step.kind.listens && moved_to.is_none() => format!("`{id}` waits {message}."),
        (Some(clause), ..) if clause.test.is_some() => format!("`{id}` waits: {}.", clause.says),
        (Some(_), ..) => format!("`{id}` waits for its condition:"),
        (.., Some(delivery)) if let Some(why) = stays(delivery) => {
            format!("`{id}` was answered to stay{why}; it is asked anew.")
        }
        (_, awaits, Some(delivery)) => {
            let all = subject.under_way.iter().chain(subject.last);
            let written = all.into_iter().find(|one| one.record.id == delivery.id);
            let noun = written.map_or("delivery", |one| words::noun(&one.record.channel));
            let awaits = awaits.unwrap_or("to be done");
            let held = written.and_then(|one| contacts::held(&one.record, now, zone));
            let status = written.map_or(delivery.status, |one| one.record.status);
            let so_far = held.unwrap_or_else(|| format!("{status} so far"));
            format!("`{id}` waits for its {noun} {awaits}, which is {so_far}.")
        }
        _ if let Some(version) = moved_to => {
            format!("`{id}` has not been looked at since it moved to version {version}.")
        }
        _ if message.starts_with("until ") => format!("`{id}` waits {message}."),
        _ => format!("`{id}` waits: {message}."),
    };
    let visited_at = Some(Moment::of(visited_at, zone));
    let message = Some(message).filter(|_| moved_to.is_none());
    Some(Held { message, visited_at, condition, arithmetic, says })
}

fn looked_at(subject: Subject<'_>) -> LookedAt {
    let Subject { process, sequence, now, .. } = subject;
    let none = |says: &str| LookedAt { at: None, overdue: false, says: says.to_owned() };
    match process.status {
        Status::Completed | Status::Stopped => none("It has ended, and is never looked at again."),
        Status::Failed => none("It is not looked at again unless somebody resumes it."),
        Status::Paused => none("It is not looked at until somebody resumes it."),
        Status::Active if sequence.is_err() && process.due_at.is_some() => LookedAt {
            at: process.due_at.map(|at| Moment::of(at, process.timezone)),
            overdue: false,
            says: "When it is looked at next, it fails with that.".to_owned(),
        },
        Status::Active => match process.due_at {
            None if process.state.delivery.is_some() => none(
                "It is looked at as soon as there is news of that, or an event comes; no earlier.",
            ),
            None => none("It is looked at when an event comes, and not before."),
            Some(due_at) => due(subject, due_at, now),
        },
    }
}

fn due(subject: Subject<'_>, due_at: DateTime<Utc>, now: DateTime<Utc>) -> LookedAt {
    let at = Moment::of(due_at, subject.process.timezone);
    let late = now - due_at;
    let overdue = late >= OVERDUE;
    let says = if overdue {
        let long = words::length(late);
        format!(
            "It was to be looked at {}, {long} ago, and nobody has: no evaluator is at work, or more is due than it can do.",
            at.local
        )
    } else if due_at <= now {
        "It is due now: the next cycle takes it.".to_owned()
    } else {
        let long = words::length(due_at - now);
        format!(
            "It is looked at next {}, in {long}, or as soon as something happens to it.",
            at.local
        )
    };
    LookedAt { at: Some(at), overdue, says }
}
