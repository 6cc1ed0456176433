//! A process: one running instance of one version of a sequence, and what it remembers.
//!
//! Promises: pure. What templates and conditions see as `steps`, `events` and `process`
//! is made here and nowhere else.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use rungs_runners::{Action, DeliveryView, Heard, Scope, data};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Event types a process remembers under `events`; the oldest gives way.
pub const MOST_EVENT_TYPES: usize = 100;

/// Everything that is known of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Rungs' own id: a UUIDv7, never used twice.
    pub key: String,
    /// The caller's id. At most one live process bears it at a time.
    pub process_id: String,
    /// The sequence's name.
    pub sequence: String,
    /// The version of the sequence it climbs.
    pub version: i32,
    /// How urgent it is: its sequence's `priority`.
    pub priority: Priority,
    /// Whether it is climbing.
    pub status: Status,
    /// Id of the step at which it stands. Kept when it ends: that is how far it came.
    pub cursor: Option<String>,
    /// The zone in which its dates and days are meant.
    pub timezone: Tz,
    /// The caller's data.
    pub data: Map<String, Value>,
    /// What happened so far.
    pub state: State,
    /// When the cycle shall look at it next. `None`: at the next event only.
    pub due_at: Option<DateTime<Utc>>,
    /// Why it failed or was stopped.
    pub reason: Option<String>,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Process {
    /// What the process's templates and conditions see.
    pub fn scope(&self) -> Scope<'_> {
        Scope::new(&self.data, || self.about(), &self.state.steps, &self.state.events)
    }

    /// What they see as `process`.
    fn about(&self) -> Value {
        json!({
            "id": self.process_id,
            "sequence": self.sequence,
            "version": self.version,
            "timezone": self.timezone.name(),
            "startedAt": iso(self.started_at),
        })
    }

    /// Takes in an event: its data is merged into the process's, and the last event of
    /// each type is kept.
    pub fn take_event(&mut self, event: Event) {
        if let Value::Object(patch) = &event.data {
            data::merge(&mut self.data, patch);
        }
        self.state.stirred |= self.state.delivery.is_some();
        let Value::Object(events) = &mut self.state.events else { return };
        let count = events
            .get(&event.r#type)
            .and_then(|earlier| earlier.get("count"))
            .and_then(Value::as_u64)
            .unwrap_or(0);
        events.shift_remove(&event.r#type);
        if events.len() >= MOST_EVENT_TYPES {
            let oldest = events.keys().next().cloned().unwrap_or_default();
            events.shift_remove(&oldest);
        }
        let has_data = !event.data.is_null();
        let kept = json!({ "at": iso(event.at), "data": event.data, "count": count + 1 });
        events.insert(event.r#type, kept);
        if has_data {
            forget_data(events);
        }
    }
}

/// Of the events that came longest ago only remains that they came, once the data of all together
/// are more than the data of a process may be.
fn forget_data(events: &mut Map<String, Value>) {
    let lengths: Vec<usize> =
        events.values().map(|kept| kept.get("data").map_or(0, data::length)).collect();
    let mut all: usize = lengths.iter().sum();
    for (kept, length) in events.values_mut().zip(lengths) {
        if all <= data::MOST {
            return;
        }
        if let Some(data) = kept.get_mut("data") {
            *data = Value::Null;
            all -= length;
        }
    }
}

/// What a process remembers of its climb.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Start of the stay at the cursor: its first visit, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<i64>,
    /// The delivery that this stay wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryView>,
    /// How many deliveries this stay had written before that one.
    #[serde(skip_serializing_if = "is_none_yet")]
    pub round: u32,
    /// How many times it was moved to another version. What it writes afterwards has other ids
    /// than what it wrote before, whatever the steps of the versions are called.
    #[serde(skip_serializing_if = "is_none_yet")]
    pub moves: u32,
    /// An event has come since that one was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stirred: bool,
    /// How many starts by other processes lie before this one, within the hour.
    #[serde(skip_serializing_if = "is_none_yet")]
    pub depth: u32,
    /// Results of the steps visited so far, by step id: what templates see as `steps`.
    pub steps: Value,
    /// The last event of each type: what templates see as `events`.
    pub events: Value,
    /// By the ids of steps that wait for events: when the first came that counts, in Unix
    /// milliseconds.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub heard: Map<String, Value>,
    /// The same of the present stay alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_here: Option<i64>,
}

impl Default for State {
    fn default() -> Self {
        let empty = || Value::Object(Map::new());
        Self {
            entered_at: None,
            delivery: None,
            round: 0,
            moves: 0,
            stirred: false,
            depth: 0,
            steps: empty(),
            events: empty(),
            heard: Map::new(),
            heard_here: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_none_yet(count: &u32) -> bool {
    *count == 0
}

impl State {
    /// How many times the cursor has come to a step.
    pub fn stays(&self, step: &str) -> u32 {
        let stays = self.steps.get(step).and_then(|result| result.get("visits"));
        stays.and_then(Value::as_u64).and_then(|stays| u32::try_from(stays).ok()).unwrap_or(0)
    }

    /// A stay at `step` begins. The result of an earlier stay gives way.
    pub(crate) fn enter(&mut self, step: &str, now: DateTime<Utc>) {
        self.entered_at = Some(now.timestamp_millis());
        self.heard_here = None;
        self.forget_delivery();
        let visits = self.stays(step).saturating_add(1);
        if let Value::Object(steps) = &mut self.steps {
            // Room for what most stays note: visits, action, at, and a delivery's status.
            let mut result = Map::with_capacity(4);
            result.insert("visits".to_owned(), Value::from(visits));
            steps.insert(step.to_owned(), Value::Object(result));
        }
    }

    /// The stay at `step` ends with `action`, `now` as [`iso`] spells it.
    pub(crate) fn leave(&mut self, step: &str, action: Action, now: &str, failed: Option<&str>) {
        self.forget_delivery();
        let Some(result) = self.result(step) else { return };
        let mut note = |key: &str, value: &str| result.insert(key.to_owned(), Value::from(value));
        note("action", action.as_str());
        note("at", now);
        if let Some(reason) = failed
            && !result.contains_key("status")
        {
            result.insert("status".to_owned(), Value::from("failed"));
            result.insert("error".to_owned(), Value::from(reason));
        }
    }

    /// The stay is over, or is to have no delivery any more.
    pub(crate) fn forget_delivery(&mut self) -> Option<DeliveryView> {
        (self.round, self.stirred) = (0, false);
        self.delivery.take()
    }

    /// The events that a step heard.
    pub(crate) fn heard(&self, step: &str) -> Heard {
        let ever = self.heard.get(step).and_then(Value::as_i64);
        let moment = |at: Option<i64>| at.and_then(DateTime::from_timestamp_millis);
        Heard { ever: moment(ever), here: moment(self.heard_here) }
    }

    /// A step heard an event that came at `at`: the first it heard counts.
    pub(crate) fn hear(&mut self, step: String, here: bool, at: DateTime<Utc>) {
        let at = at.timestamp_millis();
        self.heard.entry(step).or_insert_with(|| Value::from(at));
        if here {
            self.heard_here.get_or_insert(at);
        }
    }

    /// The present stay wrote a delivery.
    pub(crate) fn take_delivery_of_stay(&mut self, view: DeliveryView) {
        self.stirred = false;
        self.note(&view.step.clone(), "delivery", json!(view.id));
        self.delivery = Some(view.clone());
        self.take_delivery(view);
    }

    /// News of a delivery. What is heard of the last one of a step stands in its result,
    /// also after the cursor has left it.
    pub(crate) fn take_delivery(&mut self, view: DeliveryView) {
        let result = self.steps.get(&view.step);
        let last = result.and_then(|result| result.get("delivery")).and_then(Value::as_str);
        if last == Some(view.id.as_str()) {
            self.note(&view.step, "status", json!(view.status));
            if let Some(error) = &view.error {
                self.note(&view.step, "error", json!(error));
            }
        }
        if let Some(open) = self.delivery.as_mut().filter(|open| open.id == view.id) {
            *open = view;
        }
    }

    /// What was answered to the present stay at `step` stands in its result.
    ///
    /// # Errors
    /// All results together would be too long: a cycle reads and writes those of hundreds of
    /// processes in one transaction.
    pub(crate) fn keep(&mut self, step: &str, kept: Map<String, Value>) -> Result<(), String> {
        if data::length(&self.steps).saturating_add(data::length(&kept)) > data::MOST {
            let most = data::MOST;
            return Err(format!(
                "with the answer the results of the steps would pass {most} bytes"
            ));
        }
        for (key, value) in kept {
            self.note(step, &key, value);
        }
        Ok(())
    }

    fn note(&mut self, step: &str, key: &str, value: Value) {
        if let Some(result) = self.result(step) {
            result.insert(key.to_owned(), value);
        }
    }

    fn result(&mut self, step: &str) -> Option<&mut Map<String, Value>> {
        self.steps.as_object_mut()?.get_mut(step)?.as_object_mut()
    }
}

/// Who goes first where not all can at once: after downtime, or on a channel with limits.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others.
    High,
    /// Where a sequence says nothing.
    #[default]
    Normal,
    /// After all others.
    Low,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// As it is written in YAML and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// As it stands in the database: 0 is the most urgent.
    pub fn rank(self) -> i32 {
        self as i32
    }

    /// The reverse of [`rank`](Self::rank).
    pub fn of_rank(rank: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.rank() == rank)
    }
}

/// The life of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Climbing.
    Active,
    /// Held by somebody; goes on when resumed.
    Paused,
    /// Came to its end.
    Completed,
    /// Ended by somebody.
    Stopped,
    /// Cannot go on.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Paused, Self::Completed, Self::Stopped, Self::Failed];

    /// Whether the process still holds its `process_id`.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Paused)
    }

    /// As it is written in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// The reverse of [`as_str`](Self::as_str).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Something that happened to a process from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing, such as `order.confirmed`.
    pub r#type: String,
    /// Merged into the process's data (RFC 7396) and kept under `events`.
    #[serde(default)]
    pub data: Value,
    /// When it was taken in.
    pub at: DateTime<Utc>,
}

/// What a process has not been told yet.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Something happened.
    Event(Event),
    /// A delivery it wrote has come further.
    Delivery(DeliveryView),
}

/// A moment as templates and the API show it: ISO 8601 in UTC, to the millisecond.
pub fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
