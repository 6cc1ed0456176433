//! Processes and deliveries as the API shows them. Moments are ISO 8601 in UTC.

use chrono::DateTime;
use rungs_core::{Process, delivery::LogLine, process::iso};
use rungs_runners::Answer;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::store::entity::delivery;

/// A process, in short.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProcessSummary {
    /// The caller's id of it.
    process_id: String,
    /// Rungs' own id of it, never used twice.
    key: String,
    /// The sequence's name.
    sequence: String,
    /// The version of the sequence it climbs.
    version: i32,
    /// `high`, `normal` or `low`: its sequence's.
    #[schema(pattern = "^(high|normal|low)$")]
    priority: &'static str,
    /// `active`, `paused`, `completed`, `stopped` or `failed`.
    #[schema(pattern = "^(active|paused|completed|stopped|failed)$")]
    status: &'static str,
    /// The step at which it stands, or how far it came.
    cursor: Option<String>,
    /// The zone in which its dates and days are meant.
    timezone: &'static str,
    /// When it is looked at next; `null`: at the next event, or never.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// Why it failed or was stopped.
    reason: Option<String>,
    /// When it was started.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// A process, with what it is about and what it remembers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProcessDetail {
    #[serde(flatten)]
    summary: ProcessSummary,
    /// What it is about.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
    /// Results of the steps visited so far, by step: what templates see as `steps`.
    #[schema(value_type = Object)]
    steps: Value,
    /// The last event of each type: what templates see as `events`.
    #[schema(value_type = Object)]
    events: Value,
}

/// One attempt to reach somebody through a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// Its id, which providers are told.
    id: String,
    /// The step that wrote it.
    step: String,
    /// The channel that carries it.
    channel: String,
    /// How far it has come, such as `pending`, `in-doubt`, `sent`, `answered`, `failed`.
    status: String,
    /// Attempts begun.
    attempts: i32,
    /// The provider's id of it.
    provider_id: Option<String>,
    /// What went wrong last.
    error: Option<String>,
    /// What is sent.
    #[schema(value_type = Object)]
    request: Value,
    /// Whether no further attempt is made.
    withdrawn: bool,
    /// When it is tried next, or its provider is asked.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// From when on it is late and not sent any more, if its step says so.
    #[schema(format = DateTime)]
    late_at: Option<String>,
    /// When its last attempt began.
    #[schema(format = DateTime)]
    begun_at: Option<String>,
    /// What was answered, where it is a question to a runner that lives elsewhere: `action`,
    /// `message`, `data` that was merged, `pause` in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    answer: Option<Value>,
    /// When it was written.
    #[schema(format = DateTime)]
    created_at: String,
    /// When its status became final.
    #[schema(format = DateTime)]
    settled_at: Option<String>,
    /// What was heard of it, oldest first.
    log: Vec<LogEntry>,
}

/// What was heard of a delivery at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogEntry {
    /// When.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// The attempt it is about, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// A status, or `temporary`, `lease-expired`, `found`, `not-found`, `unanswered`,
    /// `not-asked`, `late`, `silent`, `held`.
    what: String,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Unix milliseconds as text.
pub(super) fn moment(millis: i64) -> Option<String> {
    DateTime::from_timestamp_millis(millis).map(iso)
}

impl From<Process> for ProcessSummary {
    fn from(process: Process) -> Self {
        Self {
            process_id: process.process_id,
            key: process.key,
            sequence: process.sequence,
            version: process.version,
            priority: process.priority.as_str(),
            status: process.status.as_str(),
            cursor: process.cursor,
            timezone: process.timezone.name(),
            due_at: process.due_at.map(iso),
            reason: process.reason,
            started_at: iso(process.started_at),
            ended_at: process.ended_at.map(iso),
        }
    }
}

impl From<Process> for ProcessDetail {
    fn from(mut process: Process) -> Self {
        let data = std::mem::take(&mut process.data);
        let state = std::mem::take(&mut process.state);
        Self { data, steps: state.steps, events: state.events, summary: process.into() }
    }
}

impl From<delivery::Model> for Delivery {
    fn from(row: delivery::Model) -> Self {
        let log: Vec<LogLine> = serde_json::from_str(&row.log).unwrap_or_default();
        Self {
            id: row.id,
            step: row.step,
            channel: row.channel,
            status: row.status,
            attempts: row.attempts,
            provider_id: row.provider_id,
            error: row.error,
            request: serde_json::from_str(&row.request).unwrap_or_default(),
            withdrawn: row.withdrawn,
            due_at: row.due_at.and_then(moment),
            late_at: row.late_at.and_then(moment),
            begun_at: row.begun_at.and_then(moment),
            answer: row.answer.as_deref().and_then(answer),
            created_at: moment(row.created_at).unwrap_or_default(),
            settled_at: row.settled_at.and_then(moment),
            log: log.into_iter().map(LogEntry::from).collect(),
        }
    }
}

fn answer(text: &str) -> Option<Value> {
    Some(serde_json::from_str::<Answer>(text).ok()?.shown())
}

impl From<LogLine> for LogEntry {
    fn from(line: LogLine) -> Self {
        Self { at: moment(line.at), attempt: line.attempt, what: line.what, error: line.error }
    }
}
