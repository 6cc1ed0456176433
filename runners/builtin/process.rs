//! What `Start` and `Stop` have in common: they ask Rungs itself to do something to a process,
//! and follow the answer.
//!
//! What they ask for is a delivery, so it never happens inside a cycle, and it is done in one
//! transaction with the record that it was done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::notify::{self, Composed};
use crate::{
    Action, Answer, DeliveryStatus, Outcome, Problem, Visit,
    quote::{quoted, turns},
    template::is_template,
};

/// The channel of what is done to processes. It is built into the engine.
pub const CHANNEL: &str = "process";

/// The longest id of a process, in characters.
const LONGEST_ID: usize = 255;

/// What is to be done to a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "snake_case")]
pub enum Act {
    /// Start one of the newest version of a sequence, unless its id is live.
    Start {
        /// The sequence's name.
        sequence: String,
        /// Its id; without one, the delivery's.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        process_id: Option<String>,
        /// What it is about.
        data: Map<String, Value>,
    },
    /// Stop the one that bears this id.
    Stop {
        /// The id.
        process_id: String,
    },
}

/// What is answered to a start. `new` is false if a process of that id was live already.
pub fn started(process_id: &str, new: bool) -> Answer {
    let message = if new { "started" } else { "already live:" };
    answer("started", new, process_id, message)
}

/// What is answered to a stop. `done` is false if there was nothing to stop.
pub fn stopped(process_id: &str, done: bool) -> Answer {
    let message = if done { "stopped" } else { "nothing to stop:" };
    answer("stopped", done, process_id, message)
}

fn answer(what: &str, done: bool, process_id: &str, message: &str) -> Answer {
    let mut result = Map::new();
    result.insert(what.to_owned(), Value::from(done));
    result.insert("process_id".to_owned(), Value::from(process_id));
    Answer::keeping(result, Some(format!("{message} {process_id}")))
}

/// Why a process was stopped that another one, or it itself, has stopped.
pub fn by(process_id: &str) -> String {
    format!("by the process {process_id}")
}

/// Asks for an act, or follows its answer.
pub(super) fn follow(visit: &Visit<'_>, compose: impl FnOnce() -> Result<Act, String>) -> Outcome {
    match visit.delivery.and_then(|delivery| delivery.answer.as_ref()) {
        Some(answer) => {
            let message = answer.message.clone().unwrap_or_default();
            match answer.action {
                Action::AltNext => Outcome::undelivered(message),
                Action::Next | Action::Noop => Outcome::next(message),
            }
        }
        None => {
            notify::follow(visit, DeliveryStatus::Completed, || Composed::new(CHANNEL, &compose()?))
        }
    }
}

/// Why a text can be the id of no process.
pub fn wrong_id(id: &str) -> Option<&'static str> {
    match id {
        "" => Some("it is empty"),
        "." | ".." => Some("in an address it would name something else"),
        id if id.chars().count() > LONGEST_ID => Some("it is longer than 255 characters"),
        id if id.chars().any(char::is_control) => Some("it has control characters"),
        _ => None,
    }
}

/// Why a new process cannot bear it. Those that live may, and are found by it.
pub fn wrong_new_id(id: &str) -> Option<&'static str> {
    match wrong_id(id) {
        None if id.chars().any(turns) => Some("it has characters that turn the direction of text"),
        None if id.trim().is_empty() => Some("it is blank"),
        wrong => wrong,
    }
}

/// Checks an id that is no template, by one of these.
pub(super) fn check_id(id: &str, wrong: fn(&str) -> Option<&'static str>) -> Option<Problem> {
    let wrong = wrong(id).filter(|_| !is_template(id))?;
    Some(Problem::at("/process_id", format!("{} is no id of a process: {wrong}", quoted(id))))
}
