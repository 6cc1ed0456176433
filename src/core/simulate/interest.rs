//! Which of the things that can become of a delivery make a difference to where a climb goes.
//!
//! Promises: where a sequence asks how a delivery ended, every end that it names is one; where
//! nothing leads on from how it ended, there is one end only, so that a text that nobody follows
//! does not double the combinations.
//! Does not: invent what servers answer in JSON. It says whose answers are read.

use std::collections::BTreeSet;

use rungs_runners::DeliveryStatus;
use serde_json::Value;

use super::{Asked, Fate, answer::ends_on};
use crate::{Sequence, Step};

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
}

impl<'a> Interest<'a> {
    /// Of a sequence that is written so (see [`check::written`](crate::check::written)).
    pub fn of(sequence: &'a Sequence, written: &Value) -> Self {
        let mut interest = Self {
            sequence,
            named: BTreeSet::new(),
            read: BTreeSet::new(),
            reads_any: false,
            answers: BTreeSet::new(),
        };
        interest.look(written);
        interest
    }

    /// What can become of a delivery, as far as it makes a difference.
    pub fn ends(&self, asked: &Asked<'_>) -> Vec<Fate> {
        let step = self.sequence.position(asked.step).and_then(|at| self.sequence.steps.get(at));
        if !step.is_some_and(|step| self.matters(step)) {
            return vec![Fate::usual(asked)];
        }
        let mut ends = Fate::possible(asked).to_vec();
        let reads = self.reads_any || self.read.contains(asked.step);
        let named = ends_on(asked).iter().filter(|status| self.named.contains(status.as_str()));
        for status in named.filter(|_| reads && !asked.is_question) {
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
        let answered =
            |step: &&Step| step.kind.name == "Webhook" && self.answers.contains(&step.id);
        self.sequence.steps.iter().filter(answered).map(|step| step.id.as_str())
    }

    fn matters(&self, step: &Step) -> bool {
        step.kind.asks
            || step.alt_next.is_some()
            || step.fail_on_failure
            || self.reads_any
            || self.read.contains(&step.id)
    }

    fn look(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                if let [Value::String(root), rest @ ..] = items.as_slice()
                    && root == "steps"
                {
                    self.path(rest);
                }
                for item in items {
                    self.look(item);
                }
            }
            Value::Object(entries) => {
                for value in entries.values() {
                    self.look(value);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(status) = DeliveryStatus::parse(text) {
            self.named.insert(status.as_str());
        }
        if !["steps.", "steps["].iter().any(|root| text.contains(root)) {
            self.reads_any |= text.contains("{{") && text.contains("steps");
            return;
        }
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let words: BTreeSet<&str> = text.split(|c| !is_part(c)).collect();
        let named = self.sequence.steps.iter().filter(|step| words.contains(step.id.as_str()));
        let named: Vec<String> = named.map(|step| step.id.clone()).collect();
        self.reads_any |= named.is_empty();
        if words.contains("answer") {
            self.answers.extend(named.iter().cloned());
        }
        self.read.extend(named);
    }

    /// `[steps, call, status]`, behind the first.
    fn path(&mut self, rest: &[Value]) {
        let Some(Value::String(id)) = rest.first() else {
            self.reads_any = true;
            return;
        };
        if rest.iter().any(|key| key == "answer") {
            self.answers.insert(id.clone());
        }
        self.read.insert(id.clone());
    }
}

/// Whether a climb cannot tell the one from the other, once it goes on.
fn is_alike(one: DeliveryStatus, other: DeliveryStatus) -> bool {
    use DeliveryStatus::{Answered, Completed};
    one == other || [one, other].iter().all(|status| [Answered, Completed].contains(status))
}
