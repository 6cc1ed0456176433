//! roesc's requests: start and stop with timed notifications.
//!
//! A start becomes a process with inline steps in the order of `at`. What differs between
//! two requests goes into the data, so that all requests of the same shape share their
//! steps. A start for a live id and a stop for an unknown one are accepted and ignored.

use rungs_runners::{address, builtin::pubnub};
use serde_json::{Map, Value, json};

use crate::{config::Roesc, engine::Engine};

use super::{Climb, NewProcess, Refusal, check_id, start, stop};

/// Notifications in one request.
const MOST_NOTIFICATIONS: usize = 300;
/// `at` from here on is in milliseconds: as seconds it would be the year 10000. What is
/// smaller, read as milliseconds, would lie before 1978: nobody means that.
const FIRST_MILLISECONDS: f64 = 253_402_300_800.0;

/// A request of roesc that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum RoescRequest {
    /// Start a process.
    Start {
        /// Its id.
        process_id: String,
        /// Whom to reach and when, in the order of time.
        notifications: Vec<Notification>,
    },
    /// Stop it.
    Stop {
        /// Its id.
        process_id: String,
    },
}

/// Somebody to reach at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Unix seconds.
    pub at: f64,
    /// Whom.
    pub to: To,
}

/// Whom to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// By phone.
    Phone(String),
    /// By mail.
    Email(String),
    /// By a message to a channel of PubNub.
    PubNub(String),
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A process was started.
    Started,
    /// A process was stopped.
    Stopped,
    /// There was nothing to do.
    Ignored,
}

/// Takes in a request of roesc.
///
/// # Errors
/// What is wrong with it.
pub async fn roesc(
    engine: &Engine,
    settings: &Roesc,
    request: &Value,
) -> Result<Answered, Refusal> {
    match RoescRequest::read(request)? {
        RoescRequest::Start { process_id, notifications } => {
            let started = start(engine, climbing(settings, process_id, &notifications)).await?;
            Ok(if started.new { Answered::Started } else { Answered::Ignored })
        }
        RoescRequest::Stop { process_id } => match stop(engine, &process_id, None).await {
            Ok((_, true)) => Ok(Answered::Stopped),
            Ok((_, false)) | Err(Refusal::UnknownProcess(_)) => Ok(Answered::Ignored),
            Err(refusal) => Err(refusal),
        },
    }
}

/// The process that a start asks for.
pub(super) fn climbing(
    settings: &Roesc,
    process_id: String,
    notifications: &[Notification],
) -> NewProcess {
    NewProcess {
        process_id: Some(process_id),
        climb: Climb::Inline(steps(settings, notifications)),
        data: data(notifications),
    }
}

impl RoescRequest {
    /// Understands a request.
    ///
    /// # Errors
    /// The first thing that is wrong, with its JSON pointer.
    pub fn read(request: &Value) -> Result<Self, Refusal> {
        let Value::Object(request) = request else {
            return Err(Refusal::invalid("", "expected an object"));
        };
        let process_id = text(request, "", "process-id")?;
        check_id("/process-id", &process_id)?;
        match text(request, "", "action")?.as_str() {
            "stop" => Ok(Self::Stop { process_id }),
            "start" => Ok(Self::Start { process_id, notifications: notifications(request)? }),
            _ => Err(Refusal::invalid("/action", "expected `start` or `stop`")),
        }
    }
}

fn notifications(request: &Map<String, Value>) -> Result<Vec<Notification>, Refusal> {
    let Some(Value::Array(list)) = request.get("notifications") else {
        return Err(Refusal::invalid("/notifications", "expected a list"));
    };
    if list.is_empty() || list.len() > MOST_NOTIFICATIONS {
        let expected = format!("expected 1 to {MOST_NOTIFICATIONS} notifications");
        return Err(Refusal::invalid("/notifications", expected));
    }
    let mut notifications = list
        .iter()
        .enumerate()
        .map(|(index, one)| notification(&format!("/notifications/{index}"), one))
        .collect::<Result<Vec<_>, _>>()?;
    // Stable: at the same moment, the order of the request.
    notifications.sort_by(|a, b| a.at.total_cmp(&b.at));
    Ok(notifications)
}

fn notification(pointer: &str, value: &Value) -> Result<Notification, Refusal> {
    let Value::Object(map) = value else {
        return Err(Refusal::invalid(pointer, "expected an object"));
    };
    let at = map.get("at").and_then(Value::as_f64).ok_or_else(|| {
        Refusal::invalid(format!("{pointer}/at"), "expected a Unix time as a number")
    })?;
    let seconds = if at.abs() >= FIRST_MILLISECONDS { at / 1000.0 } else { at };
    let representable = chrono::DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
        .is_some_and(|at| (1..=9999).contains(&chrono::Datelike::year(&at)));
    if !representable {
        return Err(Refusal::invalid(
            format!("{pointer}/at"),
            "it is no time before the year 10000",
        ));
    }
    let to = match text(map, pointer, "channel")?.as_str() {
        "phone" => {
            let number = text(map, pointer, "phone-number")?;
            let problem =
                || Refusal::invalid(format!("{pointer}/phone-number"), "expected a phone number");
            To::Phone(address::callee(&number).ok_or_else(problem)?)
        }
        "email" => {
            let email = text(map, pointer, "email")?;
            let problem =
                || Refusal::invalid(format!("{pointer}/email"), "expected a mail address");
            To::Email(address::mailbox(&email).ok_or_else(problem)?)
        }
        "pubnub" => {
            let channel = text(map, pointer, "pubnub-channel")?;
            if !pubnub::is_channel(&channel) {
                let expected = "expected a channel of PubNub";
                return Err(Refusal::invalid(format!("{pointer}/pubnub-channel"), expected));
            }
            To::PubNub(channel)
        }
        _ => {
            let expected = "expected `phone`, `email` or `pubnub`";
            return Err(Refusal::invalid(format!("{pointer}/channel"), expected));
        }
    };
    Ok(Notification { at: seconds, to })
}

fn text(map: &Map<String, Value>, pointer: &str, key: &str) -> Result<String, Refusal> {
    match map.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(Refusal::invalid(format!("{pointer}/{key}"), "expected a text")),
    }
}

pub(super) fn data(notifications: &[Notification]) -> Value {
    let list: Vec<Value> = notifications
        .iter()
        .map(|one| match &one.to {
            To::Phone(to) | To::Email(to) | To::PubNub(to) => json!({ "at": one.at, "to": to }),
        })
        .collect();
    json!({ "notifications": list })
}

pub(super) fn steps(settings: &Roesc, notifications: &[Notification]) -> Value {
    let steps: Vec<Value> = notifications
        .iter()
        .enumerate()
        .flat_map(|(index, one)| {
            let number = index + 1;
            let to = format!("{{{{notifications.[{index}].to}}}}");
            let wait = json!({
                "id": format!("wait-{number}"),
                "run": "WaitForDate",
                "config": { "date": format!("{{{{notifications.[{index}].at}}}}") },
            });
            [wait, reach(settings, number, &one.to, &to)]
        })
        .collect();
    json!({ "steps": steps })
}

fn reach(settings: &Roesc, number: usize, whom: &To, to: &str) -> Value {
    match whom {
        To::Phone(_) => {
            let content = match &settings.call_url {
                Some(url) => json!({ "to": to, "url": url }),
                None => json!({ "to": to, "say": settings.say }),
            };
            json!({ "id": format!("call-{number}"), "run": "Phone", "config": content })
        }
        To::Email(_) => json!({
            "id": format!("mail-{number}"),
            "run": "Email",
            "config": { "to": to, "subject": settings.mail_subject, "text": settings.mail_body },
        }),
        To::PubNub(_) => json!({
            "id": format!("publish-{number}"),
            "run": "PubNub",
            "config": { "channel": to },
        }),
    }
}
