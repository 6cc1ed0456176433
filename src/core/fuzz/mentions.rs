//! What a sequence speaks of: the paths that its conditions compare and with what, the events
//! it waits for, and what its templates need.
//!
//! Read from the steps as they are written, those of fragments included, so that it knows of
//! runners that are not of today whatever has a `lodashCommand` or an `event`.

use rungs_runners::{Kind, template};
use serde_json::{Value, json};

use crate::Sequence;

/// Mentions of each sort that are kept.
const MOST: usize = 200;

/// What a variable of a template is for, so that a value of some use can be put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Phone,
    Mailbox,
    Date,
    Zone,
    Number,
    Address,
    Text,
}

#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// Paths in the data, and a value that they are compared with.
    pub values: Vec<(String, Value)>,
    /// Types of events.
    pub events: Vec<String>,
    /// Paths in the data of events, and a value that they are compared with.
    pub event_values: Vec<(String, Value)>,
    /// Paths in the data that are compared with what stands at another path of them.
    pub likes: Vec<(String, String)>,
    /// Paths in the data of events, and those of the process's data that they are compared with.
    pub event_likes: Vec<(String, String)>,
    /// Variables of templates.
    pub uses: Vec<(Vec<String>, Use)>,
}

impl Mentions {
    pub fn of(written: &Value, sequence: &Sequence) -> Self {
        let mut mentions = Self::default();
        mentions.read(written.get("steps").unwrap_or(&Value::Null), 0);
        for step in &sequence.steps {
            let uses = step.config.uses().into_iter();
            // What lists hold, `input` says.
            for (pointer, path, _) in uses.filter(|(_, _, of)| *of != template::Use::Within) {
                mentions.uses(path, use_of(&step.kind, &pointer));
            }
        }
        let zone = sequence.timezone.iter().flat_map(rungs_runners::Template::variables);
        for path in zone {
            mentions.uses(path, Use::Zone);
        }
        mentions
    }

    fn read(&mut self, written: &Value, depth: usize) {
        if depth > 64 {
            return;
        }
        match written {
            Value::Array(items) => items.iter().for_each(|item| self.read(item, depth + 1)),
            Value::Object(entries) => {
                if entries.contains_key("lodashCommand") {
                    self.test(written);
                }
                if let Some(Value::String(event)) = entries.get("event") {
                    self.event(event);
                }
                entries.values().for_each(|entry| self.read(entry, depth + 1));
            }
            _ => {}
        }
    }

    /// A predicate: the value that makes it true, and one beside it.
    fn test(&mut self, test: &Value) {
        let operand = |key: &str| {
            let operand = test.get(key)?;
            let is = operand.get("type")?.as_str()?;
            Some((is.to_owned(), operand.get("value")?.clone()))
        };
        let Some((is, path)) = operand("value") else { return };
        let path = match (is.as_str(), &path) {
            ("get", Value::String(path)) => path.clone(),
            ("get", Value::Array(keys)) => {
                let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
                keys.join(".")
            }
            ("jsonpath", Value::String(path)) => path.trim_start_matches("$.").to_owned(),
            _ => return,
        };
        if let Some(event) = path.strip_prefix("events.") {
            let event = event.strip_suffix(".count").or_else(|| event.strip_suffix(".at"));
            self.event(event.unwrap_or(path.trim_start_matches("events.")));
            return;
        }
        // A wait looks at the event that comes.
        let (path, is_of_event) = match path.strip_prefix("event.data.") {
            Some(inside) => (inside.to_owned(), true),
            None => (path, false),
        };
        // An event puts a value there; into lists and the reserved names it cannot.
        let reserved = rungs_runners::scope::RESERVED;
        let first = path.split('.').next().unwrap_or_default();
        let is_plain = |path: &str| !path.contains(['[', ']', '*', ' ', '=', ':']);
        if !is_plain(&path) || reserved.contains(&first) {
            return;
        }
        let like = match operand("compareTo") {
            Some((is, Value::String(other))) if is == "get" => Some(other),
            _ => None,
        };
        // It may be the event that stands on the right.
        let inside = like.as_ref().and_then(|other| other.strip_prefix("event.data."));
        let inside = inside.filter(|inside| is_plain(inside));
        let (path, like, is_of_event) = match inside {
            Some(inside) if !is_of_event => (inside.to_owned(), Some(path), true),
            _ => (path, like.filter(|other| !other.starts_with("event")), is_of_event),
        };
        let likes = if is_of_event { &mut self.event_likes } else { &mut self.likes };
        likes.extend(like.filter(|_| likes.len() < MOST).map(|other| (path.clone(), other)));
        let wanted = match operand("compareTo") {
            Some((is, value)) if is == "raw" => near(&value),
            _ => vec![json!(true), json!("x"), json!(1), json!(["x"])],
        };
        let known = if is_of_event { &mut self.event_values } else { &mut self.values };
        for value in wanted {
            let one = (path.clone(), value);
            if known.len() < MOST && !known.contains(&one) {
                known.push(one);
            }
        }
    }

    fn event(&mut self, event: &str) {
        let is_new = !self.events.iter().any(|known| known == event);
        if is_new && self.events.len() < MOST && !event.is_empty() {
            self.events.push(event.to_owned());
        }
    }

    fn uses(&mut self, path: Vec<String>, is: Use) {
        match path.as_slice() {
            [first, event, ..] if first == "events" => self.event(event),
            [first, ..] if rungs_runners::scope::RESERVED.contains(&first.as_str()) => {}
            [] => {}
            _ if self.uses.iter().all(|known| known.0 != path) => {
                if self.uses.len() < MOST {
                    self.uses.push((path, is));
                }
            }
            // What is of some use says more than text.
            _ => {
                let mut known = self.uses.iter_mut();
                if let Some(known) = known.find(|known| known.0 == path && known.1 == Use::Text) {
                    known.1 = is;
                }
            }
        }
    }
}

/// A value, and others that lie near it.
fn near(value: &Value) -> Vec<Value> {
    let mut near = vec![value.clone()];
    match value {
        Value::Number(number) => {
            if let Some(whole) = number.as_i64() {
                near.extend([json!(whole.saturating_add(1)), json!(whole.saturating_sub(1))]);
            }
        }
        Value::Bool(is) => near.push(json!(!is)),
        // Both ends of a range, and something inside.
        Value::Array(items) => near.extend(items.iter().cloned()),
        Value::String(_) => near.push(json!("other")),
        _ => {}
    }
    near
}

/// What a template at this place of a step's config gives.
fn use_of(kind: &Kind, pointer: &str) -> Use {
    let key = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    match (kind.name, key) {
        ("Phone" | "SMS", "to" | "from") => Use::Phone,
        ("Email", "to" | "from" | "cc" | "bcc" | "replyTo") => Use::Mailbox,
        (_, "date" | "until" | "at") => Use::Date,
        (_, "timezone") => Use::Zone,
        (_, "amount" | "times" | "ringFor" | "values") => Use::Number,
        (_, "url") => Use::Address,
        _ => Use::Text,
    }
}
