//! What is done to a process that is there: stop, pause, resume, and events.

use rungs_core::{Event, Process};
use rungs_runners::data;
use serde_json::Value;

use crate::{
    engine::Engine,
    store::{events::Received, processes::Change},
};

use super::{MOST_DATA, Refusal, check_id, check_size};

/// The longest event type, in characters.
const LONGEST_TYPE: usize = 100;

/// An event from outside.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The caller's id of it; the same id again changes nothing.
    pub id: Option<String>,
    /// What kind of thing, such as `order.confirmed`.
    pub r#type: String,
    /// An object to merge into the process's data, or nothing.
    pub data: Value,
}

impl NewEvent {
    /// Whether it may be taken in. `name` is where its type stands.
    pub(super) fn check(&self, name: &str) -> Result<(), Refusal> {
        if let Some(id) = &self.id {
            check_id("/id", id)?;
        }
        check_type(name, &self.r#type)?;
        check_data(&self.data)?;
        check_size("/data", &self.data)
    }
}

/// A process after a change, and whether there was anything to change.
pub type Changed = (Process, bool);

/// Stops a process. Once this has answered, no delivery of it begins.
///
/// # Errors
/// An id that nobody bears or bore.
pub async fn stop(
    engine: &Engine,
    process_id: &str,
    reason: Option<&str>,
) -> Result<Changed, Refusal> {
    let change = engine.store.stop(process_id, reason, engine.clock.now()).await?;
    changed(process_id, change, "a process was stopped")
}

/// Holds a process where it is.
///
/// # Errors
/// An id that nobody bears or bore.
pub async fn pause(engine: &Engine, process_id: &str) -> Result<Changed, Refusal> {
    let change = engine.store.pause(process_id, engine.clock.now()).await?;
    let (process, done) = changed(process_id, change, "a process was paused")?;
    if process.status.is_live() {
        Ok((process, done))
    } else {
        Err(Refusal::Conflict(format!("the process is {}", process.status.as_str())))
    }
}

/// Lets a paused process go on, and tries a failed one again.
///
/// # Errors
/// An id that nobody bears or bore, or a process that has come to its end.
pub async fn resume(engine: &Engine, process_id: &str) -> Result<Changed, Refusal> {
    let change = engine.store.resume(process_id, engine.clock.now()).await?;
    let (process, done) = changed(process_id, change, "a process was resumed")?;
    engine.wake.evaluator();
    engine.wake.dispatchers();
    if process.status.is_live() {
        Ok((process, done))
    } else {
        Err(Refusal::Conflict(format!("the process is {}", process.status.as_str())))
    }
}

/// Tells a live process that something happened. False if it had been told before.
///
/// # Errors
/// What is wrong with the event, or an id that no live process bears.
pub async fn event(engine: &Engine, process_id: &str, new: NewEvent) -> Result<bool, Refusal> {
    new.check("/type")?;
    let now = engine.clock.now();
    let event = Event { r#type: new.r#type, data: new.data, at: now };
    let id = new.id.unwrap_or_else(|| engine.keys.fresh(now));
    match engine.store.receive(process_id, &id, &event, MOST_DATA, now).await? {
        Received::Taken => {
            tracing::debug!(process = process_id, event = event.r#type, id, "an event came in");
            engine.wake.evaluator();
            Ok(true)
        }
        Received::Repeated => Ok(false),
        Received::TooMuch => Err(too_much()),
        Received::NotLive => match engine.store.process(process_id).await? {
            Some(process) => {
                Err(Refusal::Conflict(format!("the process is {}", process.status.as_str())))
            }
            None => Err(Refusal::UnknownProcess(process_id.to_owned())),
        },
    }
}

fn changed(process_id: &str, change: Change, what: &str) -> Result<Changed, Refusal> {
    match change {
        Change::Done(process) => {
            tracing::debug!(process = process_id, sequence = process.sequence, "{what}");
            Ok((*process, true))
        }
        Change::Unchanged(process) => Ok((*process, false)),
        Change::Unknown => Err(Refusal::UnknownProcess(process_id.to_owned())),
        Change::Taken => {
            Err(Refusal::Conflict(format!("another process bears the id `{process_id}` now")))
        }
    }
}

pub(super) fn too_much() -> Refusal {
    let message = format!("with it the process's data would pass {MOST_DATA} bytes");
    Refusal::invalid("/data", message)
}

fn check_type(pointer: &str, r#type: &str) -> Result<(), Refusal> {
    let fits = (1..=LONGEST_TYPE).contains(&r#type.chars().count());
    if fits && !r#type.chars().any(char::is_control) {
        return Ok(());
    }
    let expected =
        format!("expected 1 to {LONGEST_TYPE} characters, none of them a control character");
    Err(Refusal::invalid(pointer, expected))
}

fn check_data(data: &Value) -> Result<(), Refusal> {
    match data {
        Value::Null => Ok(()),
        Value::Object(data) => match data::reserved(data) {
            None => Ok(()),
            Some(name) => Err(Refusal::invalid(
                format!("/data/{name}"),
                format!("`{name}` is a reserved name"),
            )),
        },
        _ => Err(Refusal::invalid("/data", "expected an object")),
    }
}
