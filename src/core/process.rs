//! A process: one running instance of one version of a sequence.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_runners::DeliveryView;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    /// Results of the steps visited so far, by step id: what templates see as `steps`.
    pub steps: Value,
    /// The last event of each type: what templates see as `events`.
    pub events: Value,
}

impl Default for State {
    fn default() -> Self {
        let empty = || Value::Object(Map::new());
        Self { entered_at: None, delivery: None, steps: empty(), events: empty() }
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
