//! What would lead a process on: the conditions and the events that its steps ask for, and what
//! has to happen so that they come true.
//!
//! Read from the steps as they are written, so that it knows of runners that are not of today
//! whatever has a condition or an `event` in its config.

use rungs_runners::{
    condition::{
        Condition,
        wish::{Choose, Hopeless, World},
    },
    template::is_template,
};
use serde_json::{Map, Value, json};

use super::trial::{event, put_at};
use crate::{Process, happening::Happening, process::iso};

/// How deep configs are looked into.
const DEEPEST: usize = 64;
/// How often one event is told at most.
const MOST_EVENTS: u64 = 20;
/// The keys of a condition, which may stand beside others.
const CONDITION: [&str; 6] = ["lodashCommand", "value", "compareTo", "all", "any", "not"];
/// The type of events that only bring data.
const BRINGS_DATA: &str = "update";

/// What a step asks for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Place of the step.
    pub step: usize,
    /// The event for which it waits, if it is one.
    event: Option<String>,
    /// What shall be so; nothing, if the event will do. An error, if nobody can read it.
    condition: Result<Option<Condition>, ()>,
}

/// Everything that steps ask for that are written so.
pub(super) fn of(written: &Value) -> Vec<Ask> {
    let steps = written.get("steps").and_then(Value::as_array).into_iter().flatten();
    let mut asks = Vec::new();
    for (step, written) in steps.enumerate() {
        look(step, written.get("config").unwrap_or(&Value::Null), 0, &mut asks);
    }
    asks
}

fn look(step: usize, written: &Value, depth: usize, asks: &mut Vec<Ask>) {
    if depth > DEEPEST {
        return;
    }
    match written {
        Value::Array(items) => items.iter().for_each(|item| look(step, item, depth + 1, asks)),
        Value::Object(entries) => {
            if let Some(event) = entries.get("event").and_then(Value::as_str) {
                let condition = entries.get("where").and_then(Value::as_object).map(read);
                // What it is called, only the data say.
                let condition = if is_template(event) { Err(()) } else { condition.transpose() };
                asks.push(Ask { step, event: Some(event.to_owned()), condition });
                return;
            }
            if ["lodashCommand", "all", "any", "not"].iter().any(|key| entries.contains_key(*key)) {
                asks.push(Ask { step, event: None, condition: read(entries).map(Some) });
                return;
            }
            entries.values().for_each(|entry| look(step, entry, depth + 1, asks));
        }
        _ => {}
    }
}

fn read(entries: &Map<String, Value>) -> Result<Condition, ()> {
    let keys = entries.iter().filter(|(key, _)| CONDITION.contains(&key.as_str()));
    let written: Map<String, Value> = keys.map(|(key, it)| (key.clone(), it.clone())).collect();
    serde_json::from_value(Value::Object(written)).map_err(|_| ())
}

impl Ask {
    /// What has to happen to a process from `after` seconds on, so that what is asked for is
    /// `wanted`. Nothing, if it is so already.
    ///
    /// # Errors
    /// Why nothing will do.
    pub fn happenings(
        &self,
        process: &Process,
        wanted: bool,
        after: i64,
        choose: &mut Choose<'_>,
    ) -> Result<Vec<Happening>, Hopeless> {
        let condition = self.condition.as_ref().map_err(|()| Hopeless::Unknown)?.as_ref();
        let before = world(process, self.event.as_deref());
        let mut world = before.clone();
        if let Some(condition) = condition {
            condition.bring_about(wanted, &mut world, choose)?;
        } else if !wanted {
            return Err(Hopeless::Never);
        }
        let mut all = Vec::new();
        let tell = |all: &mut Vec<Happening>, name: &str, data: Value| {
            let at = after.saturating_add(i64::try_from(all.len()).unwrap_or(0));
            all.push(event(at, name, data).ok_or(Hopeless::Unknown)?);
            Ok(())
        };
        if let Some(patch) = patch(&before.data, &world.data) {
            match value(&patch) {
                // As people write it.
                Some((path, value)) => {
                    all.push(put_at(after, &path, value).ok_or(Hopeless::Unknown)?);
                }
                None => tell(&mut all, BRINGS_DATA, patch)?,
            }
        }
        let Value::Object(events) = &world.events else { return Err(Hopeless::Unknown) };
        for (name, came) in events {
            let earlier = before.events.get(name);
            let count = |of: Option<&Value>| of?.get("count")?.as_f64();
            let more = count(Some(came)).unwrap_or(1.0) - count(earlier).unwrap_or(0.0);
            if earlier == Some(came) {
                continue;
            }
            #[expect(clippy::cast_sign_loss, reason = "it is no less than one")]
            let times = more.ceil().clamp(1.0, MOST_EVENTS as f64) as u64;
            for _ in 0..times {
                tell(&mut all, name, came.get("data").cloned().unwrap_or(Value::Null))?;
            }
        }
        if let Some(name) = &self.event {
            let data = world.event.and_then(|event| event.get("data").cloned());
            tell(&mut all, name, data.unwrap_or(Value::Null))?;
        }
        Ok(all)
    }
}

/// The path and the value of a patch that changes one, where the path is plain.
fn value(patch: &Value) -> Option<(String, &Value)> {
    let (mut keys, mut at) = (Vec::new(), patch);
    while let Value::Object(entries) = at {
        let (key, inner) = entries.iter().next().filter(|_| entries.len() == 1)?;
        let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if key.is_empty() || !key.chars().all(is_plain) {
            return None;
        }
        (keys, at) = ([keys, vec![key.as_str()]].concat(), inner);
    }
    Some((keys.join("."), at))
}

fn world(process: &Process, event: Option<&str>) -> World {
    World {
        data: process.data.clone(),
        events: process.state.events.clone(),
        event: event
            .map(|name| json!({ "type": name, "data": null, "at": iso(process.started_at) })),
        steps: process.state.steps.clone(),
        process: process.scope().root("process").cloned().unwrap_or_default(),
    }
}

/// What makes the one of the other when it is merged into it (RFC 7396).
fn patch(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Value> {
    let mut patch = Map::new();
    for (key, value) in after {
        match (before.get(key), value) {
            (Some(earlier), value) if earlier == value => {}
            (Some(Value::Object(earlier)), Value::Object(later)) => {
                patch.extend(self::patch(earlier, later).map(|inner| (key.clone(), inner)));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}
