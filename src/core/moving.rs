//! Moving: a live process goes over to another version of its sequence.
//!
//! Promises: pure. The stay goes on where it stands: since when it waits, what it has sent,
//! how many times it has come there; so nothing is sent again, and no wait begins anew. What a
//! process writes from then on has ids that nothing before it had. A process that has no place
//! in the new version is left as it was, with the reason.
//! Does not: decide who moves, or look at what the process has not heard yet.
//! Called by: intake, for `plan` and `apply --move`.

use chrono::{DateTime, Utc};
use rungs_runners::data as limits;
use serde_json::{Map, Value};

use crate::{Entry, InputProblem, Process, Sequence, process::State, start};

/// Problems of the data that are named.
const MOST_PROBLEMS: usize = 5;

/// A process that has moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The process as it is now: due at once, so that it looks around.
    pub process: Process,
    /// Steps that bear another id now, the old one first: what it sent bears them, too.
    pub renamed: Vec<(String, String)>,
    /// Whether defaults of the new `input` were filled in.
    pub data_changed: bool,
    /// For its history.
    pub entry: Entry,
}

/// Why a process cannot move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranded {
    /// Its step is not in the new version, and `moved:` does not say which it is now.
    Gone {
        /// The step at which it stands.
        step: String,
    },
    /// Its step runs another runner now, which knows nothing of what is under way.
    UnderWay {
        /// The step at which it stands.
        step: String,
        /// The step at which it would stand.
        to: String,
        /// The runner of the new version.
        runner: &'static str,
    },
    /// Its data does not fit the new `input`.
    Data(Vec<InputProblem>),
    /// With the defaults of the new `input` its data would be too much.
    TooMuch,
}

impl Stranded {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gone { .. } => "step-gone",
            Self::UnderWay { .. } => "under-way",
            Self::Data(_) => "data",
            Self::TooMuch => "too-much-data",
        }
    }
}

impl std::fmt::Display for Stranded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone { step } => write!(f, "there is no step `{step}` any more"),
            Self::UnderWay { step, to, runner } => write!(
                f,
                "what step `{step}` sent is under way, and `{to}` runs {runner} now; it can move \
                 once it has left the step"
            ),
            Self::Data(problems) => {
                write!(f, "its data does not fit the new input")?;
                problems.iter().try_for_each(|InputProblem { pointer, message }| {
                    let place = if pointer.is_empty() { "data" } else { pointer };
                    write!(f, "; {place}: {message}")
                })
            }
            Self::TooMuch => {
                write!(f, "with the new input's defaults its data would pass {}", limits::MOST)
            }
        }
    }
}

/// Two versions of a sequence, between which processes move.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// The version climbed so far, where this program can read it.
    pub from: Option<&'a Sequence>,
    /// The version to move to.
    pub to: &'a Sequence,
}

impl<'a> Versions<'a> {
    /// The step at which a process lands that stands at `cursor`.
    pub fn landing(&self, cursor: &str) -> Option<&'a str> {
        let id = self.to.moved.get(cursor).map_or(cursor, String::as_str);
        let position = self.to.position(id)?;
        self.to.steps.get(position).map(|step| step.id.as_str())
    }

    /// Why nobody who stands at `cursor` can move, if it is so: with something under way, or
    /// without.
    pub fn stranded(&self, cursor: &str, under_way: bool) -> Option<Stranded> {
        let Some(to) = self.landing(cursor) else {
            return Some(Stranded::Gone { step: cursor.to_owned() });
        };
        self.under_way(cursor, to).filter(|_| under_way)
    }

    /// Moves a live process to version `number`. With `despite_data` also one whose data does
    /// not fit.
    ///
    /// # Errors
    /// Why it cannot move.
    pub fn move_over(
        &self,
        mut process: Process,
        number: i32,
        despite_data: bool,
        now: DateTime<Utc>,
    ) -> Result<Moved, Stranded> {
        let step_from = process.cursor.clone().unwrap_or_default();
        let Some(step) = self.landing(&step_from) else {
            return Err(Stranded::Gone { step: step_from });
        };
        if process.state.delivery.is_some()
            && let Some(under_way) = self.under_way(&step_from, step)
        {
            return Err(under_way);
        }
        let data_changed = self.fit(&mut process, despite_data)?;
        self.set_zone(&mut process);
        let renamed = self.rename(&mut process, step);
        let from = std::mem::replace(&mut process.version, number);
        process.priority = self.to.priority;
        process.state.moves = process.state.moves.saturating_add(1);
        process.due_at = Some(process.due_at.map_or(now, |due_at| due_at.min(now)));
        let entry = Entry::Moved { from, to: number, step_from, step: step.to_owned() };
        Ok(Moved { process, renamed, data_changed, entry })
    }

    fn under_way(&self, cursor: &str, to: &str) -> Option<Stranded> {
        let was = self.from.and_then(|from| kind(from, cursor)).map(|kind| kind.name);
        let runner = kind(self.to, to)?.name;
        (was != Some(runner)).then(|| Stranded::UnderWay {
            step: cursor.to_owned(),
            to: to.to_owned(),
            runner,
        })
    }

    /// Where `input` has changed, the data shall fit the new one as at a start.
    fn fit(&self, process: &mut Process, despite_data: bool) -> Result<bool, Stranded> {
        let Some(input) = &self.to.input else { return Ok(false) };
        let before = self.from.and_then(|from| from.input.as_ref());
        if before.is_some_and(|before| before.schema == input.schema) {
            return Ok(false);
        }
        let mut data = Value::Object(process.data.clone());
        start::fill_defaults(&mut data, &input.schema);
        if !despite_data {
            let problems = start::problems(input, &data).take(MOST_PROBLEMS);
            let problems: Vec<InputProblem> = problems.collect();
            if !problems.is_empty() {
                return Err(Stranded::Data(problems));
            }
        }
        let Value::Object(data) = data else { return Ok(false) };
        if data == process.data {
            return Ok(false);
        }
        if limits::length(&data) > limits::MOST {
            return Err(Stranded::TooMuch);
        }
        process.data = data;
        Ok(true)
    }

    /// A process keeps the zone that it was given, unless the new version gives it another
    /// than the old one did.
    fn set_zone(&self, process: &mut Process) {
        let zone = |sequence| start::timezone(sequence, process).ok();
        let before = self.from.map(zone);
        if let Some(Some(zone)) = zone(self.to)
            && before != Some(Some(Some(zone)))
        {
            process.timezone = zone;
        }
    }

    /// The results of steps follow them to their new names, as does what is under way.
    fn rename(&self, process: &mut Process, cursor: &str) -> Vec<(String, String)> {
        process.cursor = Some(cursor.to_owned());
        let state = &mut process.state;
        if let Some(open) = &mut state.delivery
            && let Some(to) = self.to.moved.get(&open.step)
        {
            open.step.clone_from(to);
        }
        self.keep_what_is_heard(state, cursor);
        let renamed = |id: &String| self.to.moved.get(id).map(|to| (id.clone(), to.clone()));
        // Also a step that has no result any more may have sent something.
        let all = self.to.moved.keys().filter_map(renamed).collect();
        let Value::Object(results) = &mut state.steps else { return all };
        if !results.keys().any(|id| self.to.moved.contains_key(id)) {
            return all;
        }
        let mut after = Map::with_capacity(results.len());
        for (id, result) in std::mem::take(results) {
            let id = self.to.moved.get(&id).cloned().unwrap_or(id);
            let result = match after.get(&id) {
                Some(other) => joined(other, result),
                None => result,
            };
            after.insert(id, result);
        }
        *results = after;
        all
    }
}

impl Versions<'_> {
    /// What a step has heard it has still heard, if it listens for the same.
    fn keep_what_is_heard(&self, state: &mut State, cursor: &str) {
        fn listens_for<'s>(sequence: &'s Sequence, id: &str) -> Option<&'s [Value]> {
            Some(sequence.steps.get(sequence.position(id)?)?.config.listens_for())
        }
        for (from, heard) in std::mem::take(&mut state.heard) {
            let to = self.to.moved.get(&from).unwrap_or(&from);
            let before = self.from.and_then(|version| listens_for(version, &from));
            let after = listens_for(self.to, to);
            if before.zip(after).is_some_and(|(before, after)| before != after) {
                if to == cursor {
                    state.heard_here = None;
                }
                continue;
            }
            state.heard.entry(to.clone()).or_insert(heard);
        }
    }
}

/// Two steps that are one now: who came to either has come to it, and the later result counts.
fn joined(one: &Value, other: Value) -> Value {
    let visits = |of: &Value| of.get("visits").and_then(Value::as_u64).unwrap_or(0);
    let sum = visits(one).saturating_add(visits(&other));
    // A stay that goes on has not been left at any moment.
    let left = |of: &Value| of.get("at").and_then(Value::as_str).map(str::to_owned);
    let is_later = match (left(one), left(&other)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(one), Some(other)) => one < other,
    };
    let mut result = if is_later { other } else { one.clone() };
    if let Value::Object(result) = &mut result {
        result.insert("visits".to_owned(), Value::from(sum));
    }
    result
}

fn kind<'a>(sequence: &'a Sequence, step: &str) -> Option<&'a rungs_runners::Kind> {
    let position = sequence.position(step)?;
    sequence.steps.get(position).map(|step| &step.kind)
}

#[cfg(test)]
mod tests;
