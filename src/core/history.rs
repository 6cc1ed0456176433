//! What a process did, and why.

use rungs_runners::{Action, Answer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a process's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Entry {
    /// The process was started.
    Started,
    /// A step was visited.
    Visited {
        /// The step's id.
        step: String,
        /// Its runner.
        runner: String,
        /// What the runner answered.
        action: Action,
        /// Why.
        message: String,
        /// When a `noop` will be looked at again, in Unix milliseconds.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        until: Option<i64>,
    },
    /// A goal ahead was achieved and pulled the cursor to itself.
    Achieved {
        /// The goal's step id.
        step: String,
        /// Where the cursor stood.
        from: String,
    },
    /// A delivery was written.
    Wrote {
        /// The step that wrote it.
        step: String,
        /// The delivery's id.
        delivery: String,
        /// Its channel.
        channel: String,
    },
    /// It was written in quiet hours, and waits until they are over.
    Held {
        /// The step that wrote it.
        step: String,
        /// The delivery's id.
        delivery: String,
        /// When they are over, in Unix milliseconds.
        until: i64,
    },
    /// There was news of a delivery.
    Heard {
        /// The step that wrote it.
        step: String,
        /// The delivery's id.
        delivery: String,
        /// How far it had come.
        status: String,
        /// What went wrong.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        error: Option<String>,
        /// What was answered, where the delivery was a question.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        answer: Option<Answer>,
    },
    /// An event came in.
    Happened {
        /// Its type.
        event: String,
    },
    /// It was moved to another version of its sequence.
    Moved {
        /// The version it climbed before.
        from: i32,
        /// The version it climbs now.
        to: i32,
        /// The step at which it stood.
        step_from: String,
        /// The step at which it stands: the same, by the name that it bears now.
        step: String,
    },
    /// The process was paused.
    Paused,
    /// It goes on.
    Resumed,
    /// It was stopped from outside.
    Stopped {
        /// Why, if the caller said so.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// It came to its end.
    Completed,
    /// It cannot go on.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Entry {
    /// As it is shown, apart from its moments.
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        if let Self::Heard { answer: Some(answer), .. } = self {
            shown["answer"] = answer.shown();
        }
        shown
    }
}
