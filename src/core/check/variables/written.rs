//! What the steps of a sequence write into the data of a process, where `input` has no say.

use serde_json::Value;

use super::super::step::Draft;

/// The paths that steps write.
#[derive(Default)]
pub(super) struct Written {
    paths: Vec<Vec<String>>,
    /// Whether it takes a visit to know them.
    anything: bool,
}

impl Written {
    /// What these steps write.
    pub fn by(steps: &[Option<Draft<'_>>]) -> Self {
        let mut written = Self::default();
        for step in steps.iter().flatten() {
            let Some(key) = step.kind.and_then(|kind| kind.writes) else { continue };
            let values = step.at.field("config").and_then(|config| config.field(key));
            match values.map(|values| values.node.to_json()) {
                Some(Value::Object(entries)) if !is_operand(&entries) => {
                    written.add(&mut Vec::new(), &Value::Object(entries));
                }
                // Its names are found when it is visited, or something is wrong with it.
                _ => written.anything = true,
            }
        }
        written
    }

    /// Whether the value at a path may be one that a step wrote, in whole or in part.
    pub fn touches(&self, path: &[String]) -> bool {
        let is_on_it =
            |written: &Vec<String>| written.iter().zip(path).all(|(one, two)| one == two);
        self.anything || self.paths.iter().any(is_on_it)
    }

    fn add(&mut self, path: &mut Vec<String>, value: &Value) {
        match value {
            Value::Object(entries) if !entries.is_empty() && !is_operand(entries) => {
                for (key, value) in entries {
                    path.push(key.clone());
                    self.add(path, value);
                    path.pop();
                }
            }
            _ => self.paths.push(path.clone()),
        }
    }
}

/// Whether a mapping stands for a value that is found elsewhere.
fn is_operand(entries: &serde_json::Map<String, Value>) -> bool {
    entries.len() == 2 && ["type", "value"].iter().all(|key| entries.contains_key(*key))
}
