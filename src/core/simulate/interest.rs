//! Which of the things that can become of a delivery make a difference to where a climb goes.
//!
//! Promises: where a sequence asks how a delivery ended, every end that it names is one; where
//! nothing leads on from how it ended, nor from when, there is one end only, so that a text that
//! nobody follows does not double the combinations.
//! Does not: invent what servers answer in JSON. It says whose answers are read. Nor vary how long
//! one and the same end takes.

use std::collections::BTreeSet;

use rungs_runners::{AnsweredBy, DeliveryStatus, Rest, hours::Calendars, path::Path};
use serde_json::Value;

use super::{Asked, Fate, answer::ends_on};
use crate::{Sequence, Step};

/// The root under which results of steps are.
const STEPS: &str = "steps";

/// What a sequence asks of its deliveries.
pub(super) struct Interest<'a> {
    sequence: &'a Sequence,
    /// Ends that it names.
    named: BTreeSet<&'static str>,
    /// Steps whose results it reads.
    read: BTreeSet<String>,
    /// Whether it reads some whose names come out of data.
    reads_any: bool,
    /// Those of which it reads what was answered in JSON.
    answers: BTreeSet<String>,
    /// Whether it makes a difference when the process goes on.
    by_time: bool,
}

impl<'a> Interest<'a> {
    /// Of a sequence that is written so (see [`check::written`](crate::check::written)); whether
    /// something happens to its process while it climbs.
    pub fn of(sequence: &'a Sequence, written: &Value, happens: bool) -> Self {
        let mut interest = Self {
            sequence,
            named: BTreeSet::new(),
            read: BTreeSet::new(),
            reads_any: false,
            answers: BTreeSet::new(),
            by_time: happens || sequence.steps.iter().any(is_by_time),
        };
        interest.look(written);
        interest
    }

    /// What can become of a delivery, as far as it makes a difference.
    pub fn ends(&self, asked: &Asked<'_>) -> Vec<Fate> {
        let step = self.sequence.position(asked.step).and_then(|at| self.sequence.steps.get(at));
        // Who picks up keeps the ladder for another time than who does not.
        let is_in_time = self.by_time && asked.awaits > DeliveryStatus::Sent;
        if !is_in_time && !step.is_some_and(|step| self.matters(step)) {
            return vec![Fate::usual(asked)];
        }
        let mut ends = Fate::possible(asked).to_vec();
        if asked.is_question || !(self.reads_any || self.read.contains(asked.step)) {
            return ends;
        }
        // Who reads how it ended sees also what the step itself did not wait for.
        let is_asked =
            |status: &&DeliveryStatus| self.named.contains(status.as_str()) || is_usual(**status);
        for status in ends_on(asked).iter().filter(is_asked) {
            // Who was answered comes to the end of the call as well.
            let is_there = |fate: &Fate| is_alike(fate.status, *status);
            if !ends.iter().any(is_there) {
                ends.push(Fate::of(*status));
            }
        }
        ends
    }

    /// The steps whose answers in JSON decide something, and are not varied.
    pub fn unvaried(&self) -> impl Iterator<Item = &str> {
        let answered = |step: &&Step| {
            step.kind.answered_by == AnsweredBy::Server && self.answers.contains(&step.id)
        };
        self.sequence.steps.iter().filter(answered).map(|step| step.id.as_str())
    }

    /// Whether it makes a difference how a step's deliveries end, beside when.
    pub fn is_told_apart(&self, step: &str) -> bool {
        let step = self.sequence.position(step).and_then(|at| self.sequence.steps.get(at));
        step.is_some_and(|step| self.matters(step))
    }

    fn matters(&self, step: &Step) -> bool {
        step.kind.asks
            || step.alt_next.is_some_and(|other| other != step.next)
            || step.fail_on_failure
            || self.reads_any
            || self.read.contains(&step.id)
    }

    fn look(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                for item in items {
                    self.look(item);
                }
            }
            Value::Object(entries) => {
                match (entries.get("type").and_then(Value::as_str), entries.get("value")) {
                    (Some("get"), Some(path)) => self.path(path),
                    (Some("jsonpath"), Some(Value::String(path))) => self.json_path(path),
                    _ => {}
                }
                for value in entries.values() {
                    self.look(value);
                }
            }
            _ => {}
        }
    }

    /// A text, which may be the name of an end, or a template.
    fn text(&mut self, text: &str) {
        if let Some(status) = DeliveryStatus::parse(text) {
            self.named.insert(status.as_str());
        }
        if !text.contains("{{") || !text.contains(STEPS) {
            return;
        }
        // What is looked up by a name that comes out of data may be any of them.
        let by_any = ["lookup", "with", "each", "json"];
        self.mentions(text, |words| by_any.iter().any(|word| words.contains(word)));
        self.reads_any |= ["steps.{{", "steps[{{", "steps['{{"].iter().any(|it| text.contains(it));
    }

    fn json_path(&mut self, text: &str) {
        if text.contains(STEPS) || text.contains("..") || text.contains('*') {
            self.mentions(text, |_| text.contains("..") || text.contains('*'));
        }
    }

    /// A text that reads results: of the steps that it names, or of any.
    fn mentions(&mut self, text: &str, of_any: impl Fn(&BTreeSet<&str>) -> bool) {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let words: BTreeSet<&str> = text.split(|c| !is_part(c)).collect();
        let steps = self.sequence.steps.iter().map(|step| step.id.as_str());
        let named: Vec<String> = steps.filter(|id| words.contains(id)).map(str::to_owned).collect();
        let statuses = words.iter().filter_map(|word| DeliveryStatus::parse(word));
        self.named.extend(statuses.map(DeliveryStatus::as_str));
        self.reads_any |= named.is_empty() || of_any(&words);
        if words.contains("answer") {
            self.answers.extend(named.iter().cloned());
        }
        self.read.extend(named);
    }

    /// `steps.call.status`, `[steps, call, status]`.
    fn path(&mut self, value: &Value) {
        let is_template = |key: &str| key.contains("{{");
        if value.as_str().is_some_and(is_template) {
            self.reads_any |= value.as_str().is_some_and(|text| text.contains(STEPS));
            return;
        }
        let Ok(path) = Path::from_config(value) else { return };
        let keys: Vec<&str> = path.keys().collect();
        if keys.first() != Some(&STEPS) && !keys.first().is_some_and(|key| is_template(key)) {
            return;
        }
        match keys.get(1) {
            Some(id) if self.sequence.position(id).is_some() => {
                if keys.contains(&"answer") {
                    self.answers.insert((*id).to_owned());
                }
                self.read.insert((*id).to_owned());
            }
            _ => self.reads_any = true,
        }
    }
}

/// Whether it depends on when a process comes to the step how long it stays there, or when what
/// it sends leaves.
fn is_by_time(step: &Step) -> bool {
    let rest = step.config.stay(None, &Calendars::new()).rest;
    let varies = match rest {
        Rest::Within { least, most } => least != most,
        Rest::Unbounded { .. } => true,
        Rest::Delivery(_) | Rest::Act => false,
    };
    // Nobody sends the event for which it listens, unless that is said.
    step.quiet.is_some() || (varies && !step.kind.listens)
}

/// The ends that there are, if nobody asks for another.
fn is_usual(status: DeliveryStatus) -> bool {
    use DeliveryStatus::{Answered, Delivered, NoAnswer, Undelivered};
    [Answered, Delivered, NoAnswer, Undelivered].contains(&status)
}

/// Whether a climb cannot tell the one from the other, once it goes on.
fn is_alike(one: DeliveryStatus, other: DeliveryStatus) -> bool {
    use DeliveryStatus::{Answered, Completed};
    one == other || [one, other].iter().all(|status| [Answered, Completed].contains(status))
}
