//! A process as JSON, for `ps` and `show`, in the shapes of the API.

use chrono::{DateTime, Utc};
use rungs_core::{Process, delivery::LogLine, process::iso};
use rungs_runners::Answer;
use serde_json::{Value, json};

use crate::store::entity::delivery;

/// What a list says of a process.
pub(super) fn summary(process: &Process) -> Value {
    json!({
        "process_id": process.process_id,
        "key": process.key,
        "sequence": process.sequence,
        "version": process.version,
        "priority": process.priority.as_str(),
        "status": process.status.as_str(),
        "cursor": process.cursor,
        "timezone": process.timezone.name(),
        "due_at": process.due_at.map(iso),
        "reason": process.reason,
        "started_at": iso(process.started_at),
        "ended_at": process.ended_at.map(iso),
    })
}

/// A delivery and everything that was reported of it.
pub(super) fn delivery(delivery: &delivery::Model) -> Value {
    let mut shown = json!({
        "id": delivery.id,
        "step": delivery.step,
        "channel": delivery.channel,
        "request": request(delivery),
        "status": delivery.status,
        "attempts": delivery.attempts,
        "withdrawn": delivery.withdrawn,
        "provider_id": delivery.provider_id,
        "error": delivery.error,
        "created_at": millis(Some(delivery.created_at)).map(iso),
        "due_at": millis(delivery.due_at).map(iso),
        "late_at": millis(delivery.late_at).map(iso),
        "begun_at": millis(delivery.begun_at).map(iso),
        "settled_at": millis(delivery.settled_at).map(iso),
        "log": log(delivery).iter().map(log_line).collect::<Vec<_>>(),
    });
    if let Some(answer) = answer(delivery) {
        shown["answer"] = answer.shown();
    }
    shown
}

fn log_line(line: &LogLine) -> Value {
    let mut shown = json!({ "at": millis(Some(line.at)).map(iso) });
    if let (Value::Object(shown), Value::Object(line)) = (&mut shown, json!(line)) {
        shown.extend(line.into_iter().filter(|(key, _)| key != "at"));
    }
    shown
}

/// What is to be sent.
pub(super) fn request(delivery: &delivery::Model) -> Value {
    serde_json::from_str(&delivery.request).unwrap_or_default()
}

/// What was answered, where it is a question.
pub(super) fn answer(delivery: &delivery::Model) -> Option<Answer> {
    serde_json::from_str(delivery.answer.as_deref()?).ok()
}

/// What was reported of it.
pub(super) fn log(delivery: &delivery::Model) -> Vec<LogLine> {
    serde_json::from_str(&delivery.log).unwrap_or_default()
}

/// Unix milliseconds as a moment.
pub(super) fn millis(at: Option<i64>) -> Option<DateTime<Utc>> {
    at.and_then(DateTime::from_timestamp_millis)
}
