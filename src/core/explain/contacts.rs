//! What a process wrote to whom, how far each has come, and why somebody was not reached.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rungs_runners::{
    DeliveryStatus,
    builtin::process,
    hours::{Quiet, Window},
};
use serde::Serialize;
use serde_json::Value;

use super::{Moment, Subject, Written, words};
use crate::{DeliveryRecord, Entry, Remedy, Status, cases::verdict::addresses};

/// Contacts that are told: the last ones.
pub const MOST_CONTACTS: usize = 30;
/// What is due leaves within seconds; after this long that is worth a word.
const A_WHILE: TimeDelta = TimeDelta::minutes(1);
/// Addresses of one of them.
const MOST_ADDRESSES: usize = 3;

/// One attempt to reach somebody, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The step.
    pub step: String,
    /// The delivery's id; nothing, if none was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// Its channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DeliveryStatus>,
    /// Whether somebody or something was reached, as far as that is known.
    pub reached: Option<bool>,
    /// When it was written.
    pub at: Option<Moment>,
    /// When its last attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Moment>,
    /// What became of it, and why, in a sentence.
    pub says: String,
}

/// Those that were written, and those of the last stays that were not even that; and how many
/// earlier ones are left out.
pub(super) fn all(subject: Subject<'_>) -> (Vec<Contact>, usize) {
    let left_out = subject.last.len().saturating_sub(MOST_CONTACTS);
    let last = subject.last.iter().skip(left_out);
    let mut contacts: Vec<Contact> = last.map(|one| contact(subject, one)).collect();
    contacts.extend(passed_by(subject));
    (contacts, subject.earlier_contacts.saturating_add(left_out))
}

fn contact(subject: Subject<'_>, written: &Written) -> Contact {
    let Written { record, request } = written;
    let zone = subject.process.timezone;
    let at = Moment::of(record.created_at, zone);
    let what = words::clipped(&what(&record.channel, request));
    let fate = fate(subject, written);
    // What has a provider's id was sent, by a program that knows the provider.
    let is_printed = subject.printed.contains(&record.channel.as_str());
    let printed = if is_printed && record.provider_id.is_none() {
        format!(" ({} is not configured here: this program would only print it)", record.channel)
    } else {
        String::new()
    };
    Contact {
        step: record.step.clone(),
        delivery: Some(record.id.clone()),
        channel: Some(record.channel.clone()),
        status: Some(record.status),
        reached: reached(record.status),
        begun_at: record.begun_at.map(|at| Moment::of(at, zone)),
        says: format!(
            "{}: `{}`, {what}{printed}, {}{fate}.",
            at.local,
            record.step,
            left(record, zone)
        ),
        at: Some(at),
    }
}

/// `left at 2026-11-24 07:00 CET and `, if that was not when it was written.
fn left(record: &DeliveryRecord, zone: Tz) -> String {
    let DeliveryRecord { status, attempts, begun_at, created_at, .. } = record;
    let is_told = *status >= DeliveryStatus::InDoubt && *status != DeliveryStatus::Cancelled;
    match begun_at {
        Some(at) if is_told && *at - created_at >= A_WHILE => {
            let local = Moment::of(*at, zone).local;
            let left = if *attempts > 1 { "was last tried at" } else { "left at" };
            format!("{left} {local} and ")
        }
        _ => String::new(),
    }
}

/// `a call to +385911234567`, `a request to stop order-7`.
pub(super) fn what(channel: &str, request: &Value) -> String {
    let noun = words::noun(channel);
    if channel != process::CHANNEL {
        return format!("a {noun}{}", whom(request));
    }
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let (act, id) = (text("do").unwrap_or("act on"), text("process_id"));
    match (text("sequence"), id) {
        (Some(sequence), Some(id)) => format!("a {noun} to {act} {sequence} as {id}"),
        (one, other) => {
            format!("a {noun} to {act} {}", one.or(other).unwrap_or("a process"))
        }
    }
}

/// ` to +385911234567`.
fn whom(request: &Value) -> String {
    let mut all = addresses(request);
    let told: Vec<&str> = all.by_ref().take(MOST_ADDRESSES).collect();
    let more = if all.next().is_some() { ", ..." } else { "" };
    if told.is_empty() {
        String::new()
    } else {
        words::clipped(&format!(" to {}{more}", told.join(", ")))
    }
}

fn reached(status: DeliveryStatus) -> Option<bool> {
    use DeliveryStatus::{Answered, Completed, Delivered, Skipped};
    match status {
        Answered | Completed | Delivered => Some(true),
        Skipped => Some(false),
        status if status.is_failure() => Some(false),
        _ => None,
    }
}

/// How far it has come, and why no further.
fn fate(subject: Subject<'_>, written: &Written) -> String {
    use DeliveryStatus as S;
    let record = &written.record;
    let zone = subject.process.timezone;
    let local = |at: DateTime<Utc>| Moment::of(at, zone).local;
    let why = record.error.as_deref().map(words::clipped);
    let because = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    match record.status {
        S::Pending => pending(subject, written, &because),
        S::Sending => {
            let begun = record.begun_at.map_or(String::new(), |at| format!(" since {}", local(at)));
            let attempt = words::ordinal(record.attempts.max(1));
            format!("is being sent{begun}, the {attempt} attempt")
        }
        S::InDoubt => match (record.due_at, record.in_doubt) {
            (Some(at), _) => {
                format!(
                    "is in doubt, since nobody knows whether it arrived{because}; the provider is asked at {}",
                    local(at)
                )
            }
            (None, _) => format!("is left in doubt: nobody knows whether it arrived{because}"),
        },
        S::Sent => match record.due_at {
            Some(at) => format!(
                "was sent; what became of it is not known yet, and is asked for at {}",
                local(at)
            ),
            None => "was sent".to_owned(),
        },
        S::Answered => "was answered".to_owned(),
        S::Completed => completed(record),
        S::Delivered => "was delivered".to_owned(),
        S::Skipped => format!("was skipped{because}"),
        S::Busy => format!("reached nobody, the line was busy{because}"),
        S::NoAnswer => format!("reached nobody, there was no answer{because}"),
        S::Rejected => format!("reached nobody, it was declined{because}"),
        S::Machine => format!("reached nobody, a machine answered{because}"),
        S::Undelivered => format!("was not delivered{because}"),
        S::Failed => format!("failed after {}{because}", attempts(record.attempts)),
        S::Cancelled => "was withdrawn before it left: nobody wanted it any more".to_owned(),
    }
}

/// A call is over; what was asked has an answer.
fn completed(record: &DeliveryRecord) -> String {
    let done = match record.channel.as_str() {
        "phone" => "was answered and is over",
        process::CHANNEL => "was done",
        _ => "was answered",
    };
    let told = record.answer.as_ref().and_then(|answer| answer.message.as_deref());
    let told = told.map_or(String::new(), |told| format!(": {}", words::clipped(told)));
    format!("{done}{told}")
}

/// Until when its quiet hours hold it, if they do.
pub(super) fn held_until(record: &DeliveryRecord, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if record.status != DeliveryStatus::Pending || record.withdrawn {
        return None;
    }
    let due_at = record.due_at?.max(now);
    // It is due when they are over: just before, they are not.
    let before = due_at.checked_sub_signed(TimeDelta::seconds(1))?;
    let leaves_at = record.quiet.as_ref()?.leaves_at(before)?;
    (leaves_at > now && leaves_at >= due_at).then_some(leaves_at)
}

/// `held until 2026-11-24 07:00 CET: quiet hours, 22:00 to 07:00`.
pub(super) fn held(record: &DeliveryRecord, now: DateTime<Utc>, zone: Tz) -> Option<String> {
    let until = Moment::of(held_until(record, now)?, zone).local;
    let Quiet { timezone, window, calendar } = record.quiet.as_ref()?;
    let window = window.as_ref().map(Window::to_string);
    // It keeps no name of it.
    let closed = calendar.as_ref().map(|_| "outside of the hours of its calendar".to_owned());
    let hours: Vec<String> = window.into_iter().chain(closed).collect();
    let there = if *timezone == zone { String::new() } else { format!(" in {timezone}") };
    Some(format!("held until {until}: quiet hours, {}{there}", hours.join(" and ")))
}

fn attempts(number: u32) -> String {
    words::count(usize::try_from(number).unwrap_or(usize::MAX), "attempt")
}

/// Not under way: why not yet.
fn pending(subject: Subject<'_>, written: &Written, because: &str) -> String {
    let Subject { process, now, .. } = subject;
    let record = &written.record;
    let local = |at: DateTime<Utc>| Moment::of(at, process.timezone).local;
    if record.withdrawn {
        return "was withdrawn and is not sent".to_owned();
    }
    let late = match record.late {
        Some((at, Remedy::Skip)) => format!("; from {} on it is late and skipped", local(at)),
        Some((at, Remedy::Fail)) => format!("; from {} on it is late and fails", local(at)),
        _ => String::new(),
    };
    if process.status != Status::Active {
        return format!("is held back while the process is {}{late}", process.status.as_str());
    }
    let tried = if record.attempts == 0 {
        String::new()
    } else {
        let (made, of) = (record.attempts, record.retry.attempts);
        let of = if of == u32::MAX { String::new() } else { format!(" of {of}") };
        format!(" after attempt {made}{of} failed{because}")
    };
    if let Some(held) = held(record, now, process.timezone) {
        return format!("is {held}{tried}{late}");
    }
    let when = match record.due_at {
        Some(at) if at > now => format!("at {}", local(at)),
        // Before the process has heard everything nothing of it leaves.
        Some(at) if now - at >= A_WHILE && process.due_at.is_none_or(|due_at| due_at > now) => {
            let late_by = words::length(now - at);
            format!(
                "as soon as its channel has a place; it has been due for {late_by}: its channel has \
                 more to send than it may, or nobody is sending"
            )
        }
        _ => "as soon as its channel has a place".to_owned(),
    };
    if record.attempts == 0 {
        format!("is sent {when}{late}")
    } else {
        format!("is tried again {when}{tried}{late}")
    }
}

/// Steps that should have reached somebody and wrote nothing in their last stay.
fn passed_by(subject: Subject<'_>) -> Vec<Contact> {
    let Subject { process, sequence, .. } = subject;
    let Ok(sequence) = sequence else { return Vec::new() };
    let mut found = Vec::new();
    for step in sequence.steps.iter().filter(|step| step.kind.delivers) {
        let Some(result) = process.state.steps.get(&step.id) else { continue };
        let text = |key: &str| result.get(key).and_then(Value::as_str);
        if text("delivery").is_some() || text("action").is_none() {
            continue;
        }
        let told = subject.history.iter().rev().find_map(|(_, entry)| match entry {
            Entry::Visited { step: id, message, .. } if *id == step.id => Some(message.as_str()),
            _ => None,
        });
        let why = text("error").or(told).map(words::clipped);
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        let at = text("at").and_then(|at| at.parse::<DateTime<Utc>>().ok());
        let at = at.map(|at| Moment::of(at, process.timezone));
        let when = at.as_ref().map_or(String::new(), |at| format!("{}: ", at.local));
        let is_last = process.cursor.as_ref() == Some(&step.id);
        let failed = is_last && process.status == Status::Failed;
        let passed = if failed { "" } else { " and was passed by" };
        found.push(Contact {
            step: step.id.clone(),
            delivery: None,
            channel: None,
            status: None,
            reached: Some(false),
            at,
            begun_at: None,
            says: format!("{when}`{}` sent nothing{passed}{why}.", step.id),
        });
        if found.len() >= MOST_CONTACTS {
            break;
        }
    }
    found
}
