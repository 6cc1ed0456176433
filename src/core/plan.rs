//! Plan: what makes one version of a sequence another.
//!
//! Promises: pure. Both are compared as they are written: what is said in another order of keys
//! or with other comments is no change. Steps are told apart by their ids, and by `moved:`.
//! Does not: look at processes; where they would go is [`moving`](crate::moving)'s.
//! Called by: intake, for `plan`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};

/// What has changed, from the top of the file to its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Changes {
    /// Keys of the sequence itself.
    pub sequence: Vec<Edit>,
    /// Its steps: those of the new version in their order, then those that are gone.
    pub steps: Vec<StepChange>,
}

/// A step that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepChange {
    /// Its id.
    pub id: String,
    /// Its runner.
    pub runner: String,
    /// Whether it is new, gone, or still there.
    pub change: Change,
    /// The id that it bore, if that was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// The step above which it does not stand any more, or below: from which place to which
    /// it moved, both from 1. None if it goes along with those around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<(usize, usize)>,
    /// What it says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is there, and says something else, stands elsewhere, or is called otherwise.
    Changed,
}

/// A value that is another now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edit {
    /// The keys to it, with dots between them.
    pub path: String,
    /// What stood there; nothing if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What stands there; nothing if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl Changes {
    /// Whether a process could tell them apart.
    pub fn is_empty(&self) -> bool {
        self.sequence.is_empty() && self.steps.is_empty()
    }
}

/// What changes from `old` to `new`, two sequences as they are written, of which the new one
/// has been checked.
pub fn changes(old: &Value, new: &Value) -> Changes {
    let moved: BTreeMap<&str, &str> = new
        .get("moved")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(from, to)| Some((from.as_str(), to.as_str()?)))
        .collect();
    let mut sequence = Vec::new();
    let top = |of: &Value| without(of, &["steps", "moved"]);
    compare("", &top(old), &top(new), &mut sequence);
    Changes { sequence, steps: steps(&listed(old), &listed(new), &moved) }
}

/// A step as it is written.
struct Written<'a> {
    id: &'a str,
    value: &'a Value,
}

fn listed(sequence: &Value) -> Vec<Written<'_>> {
    let steps = sequence.get("steps").and_then(Value::as_array);
    let id = |value: &Value| value.get("id").and_then(Value::as_str).map(str::len);
    steps
        .into_iter()
        .flatten()
        .filter(|value| id(value).is_some())
        .map(|value| Written { id: value["id"].as_str().unwrap_or_default(), value })
        .collect()
}

fn steps(
    old: &[Written<'_>],
    new: &[Written<'_>],
    moved: &BTreeMap<&str, &str>,
) -> Vec<StepChange> {
    let places: HashMap<&str, usize> = new.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
    // Of several steps that became one, the one that bears its id already is what it was.
    let mut before: HashMap<usize, usize> = HashMap::new();
    for (at, step) in old.iter().enumerate() {
        let place = places.get(step.id).or_else(|| places.get(moved.get(step.id)?));
        let Some(place) = place else { continue };
        if new.get(*place).is_some_and(|now| now.id == step.id) {
            before.insert(*place, at);
        } else {
            before.entry(*place).or_insert(at);
        }
    }
    let kept: Vec<(usize, usize)> =
        (0..new.len()).filter_map(|now| Some((now, *before.get(&now)?))).collect();
    let in_order = longest_ascent(&kept);
    let mut changes: Vec<StepChange> = Vec::new();
    for (now, step) in new.iter().enumerate() {
        let Some((was, before)) = before.get(&now).and_then(|at| Some((*at, old.get(*at)?))) else {
            changes.push(of(step, Change::Added));
            continue;
        };
        let mut change = of(step, Change::Changed);
        change.was = (before.id != step.id).then(|| before.id.to_owned());
        change.place = (!in_order.contains(&now)).then_some((was + 1, now + 1));
        let before = renamed(before.value, moved);
        compare("", &without(&before, &["id"]), &without(step.value, &["id"]), &mut change.edits);
        if change.was.is_some() || change.place.is_some() || !change.edits.is_empty() {
            changes.push(change);
        }
    }
    let is_kept = |at: &usize| before.values().any(|kept| kept == at);
    let gone = old.iter().enumerate().filter(|(at, _)| !is_kept(at));
    changes.extend(gone.map(|(_, step)| of(step, Change::Removed)));
    changes
}

fn of(step: &Written<'_>, change: Change) -> StepChange {
    let runner = step.value.get("run").and_then(Value::as_str).unwrap_or_default().to_owned();
    StepChange { id: step.id.to_owned(), runner, change, was: None, place: None, edits: vec![] }
}

/// A step as it would be written with the new ids: that it names another step by its new name
/// is no change of its own.
fn renamed(step: &Value, moved: &BTreeMap<&str, &str>) -> Value {
    let mut step = step.clone();
    let is_jump = step.get("run").and_then(Value::as_str) == Some("GoTo");
    let pointers = ["/next", "/altNext", "/config/step"];
    for pointer in pointers.iter().take(if is_jump { 3 } else { 2 }) {
        if let Some(Value::String(id)) = step.pointer_mut(pointer)
            && let Some(to) = moved.get(id.as_str())
        {
            (*to).clone_into(id);
        }
    }
    step
}

fn without(value: &Value, keys: &[&str]) -> Value {
    let entries = value.as_object().into_iter().flatten();
    let kept = entries.filter(|(key, _)| !keys.contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

/// Notes every place where the two differ, as deep down as both are mappings.
fn compare(path: &str, old: &Value, new: &Value, edits: &mut Vec<Edit>) {
    if old == new {
        return;
    }
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        let (from, to) = (Some(old.clone()), Some(new.clone()));
        edits.push(Edit { path: path.to_owned(), from, to });
        return;
    };
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in after.keys().chain(gone) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) => compare(&path, old, new, edits),
            (from, to) => edits.push(Edit { path, from: from.cloned(), to: to.cloned() }),
        }
    }
}

/// The most steps that stand in the same order as before, as their new places: those need not
/// be said to have moved. `kept` are the new and the old place of each, by the new one.
fn longest_ascent(kept: &[(usize, usize)]) -> Vec<usize> {
    // Of each, how long the longest ascent is that ends there, and which comes before it.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(kept.len());
    for (at, (_, old)) in kept.iter().enumerate() {
        let earlier = kept.iter().zip(&best).take(at).enumerate();
        let before = earlier.filter(|(_, ((_, other), _))| other < old);
        let longest = before.max_by_key(|(_, (_, (length, _)))| *length);
        best.push(longest.map_or((1, None), |(index, (_, (length, _)))| (length + 1, Some(index))));
    }
    let last = best.iter().enumerate().max_by_key(|(_, (length, _))| *length);
    let mut at = last.map(|(index, _)| index);
    let mut places = Vec::new();
    while let Some(index) = at {
        places.extend(kept.get(index).map(|(new, _)| *new));
        at = best.get(index).and_then(|(_, before)| *before);
    }
    places
}

#[cfg(test)]
mod tests;
