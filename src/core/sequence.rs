//! A checked sequence: what `check` makes of YAML, and what `advance` goes by.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rungs_runners::{Kind, Prepared, Template, hours::Calendars};
use serde_json::Value;

use crate::{Lateness, QuietHours, Remedy, Retry, process::Priority};

/// A named list of steps that has passed the check.
pub struct Sequence {
    /// `sequence:`, its name.
    pub name: String,
    /// `description:`, for people.
    pub description: Option<String>,
    /// `timezone:`, an IANA name once rendered over the data a process starts with.
    pub timezone: Option<Template>,
    /// `priority:`, who goes first where not all can.
    pub priority: Priority,
    /// `input:`, what the data of a process must look like at its start.
    pub input: Option<Input>,
    /// `moved:`, ids that steps bore in earlier versions, with those that they bear now.
    pub moved: BTreeMap<String, String>,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// Positions of the goals among the steps, ascending.
    pub goals: Vec<usize>,
    /// Positions of the steps that wait for events, ascending.
    pub listeners: Vec<usize>,
    /// The calendars it knows, by name.
    pub calendars: Calendars,
    /// Position of each step by its id.
    pub positions: HashMap<String, usize>,
}

/// One step, ready to be visited.
pub struct Step {
    /// Unique in its sequence.
    pub id: String,
    /// The runner it runs.
    pub kind: Kind,
    /// Its config.
    pub config: Box<dyn Prepared>,
    /// Where `next` leads.
    pub next: Target,
    /// Where `altNext` leads, where the step says so.
    pub alt_next: Option<Target>,
    /// Whether a notification that finally fails also fails the process (`onFailure: fail`).
    pub fail_on_failure: bool,
    /// How often a delivery of this step is tried, where the step says so (`retry:`).
    pub retry: Option<Retry>,
    /// What to do if nobody knows whether a delivery of it arrived (`inDoubt:`).
    pub in_doubt: Remedy,
    /// How late it may still send, and what then (`lateness:`).
    pub lateness: Option<Lateness>,
    /// When nothing of it may leave (`quietHours:`).
    pub quiet: Option<Arc<QuietHours>>,
}

/// Where a cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To the step at this position.
    Step(usize),
    /// Past the last step: the process completes.
    End,
}

/// The JSON Schema a process's data is held against at its start.
pub struct Input {
    /// The schema as written.
    pub schema: Value,
    /// The schema, compiled.
    pub validator: jsonschema::Validator,
}

impl Sequence {
    /// The position of a step.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    /// The step that stands below the one at `position`, or the end.
    pub fn below(&self, position: usize) -> Target {
        if position + 1 < self.steps.len() { Target::Step(position + 1) } else { Target::End }
    }
}

impl std::fmt::Debug for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps: Vec<&str> = self.steps.iter().map(|step| step.id.as_str()).collect();
        f.debug_struct("Sequence")
            .field("name", &self.name)
            .field("steps", &steps)
            .finish_non_exhaustive()
    }
}
