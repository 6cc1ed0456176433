//! Steps that run a file: what they may say in their config, and what comes in their place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variables::json;
use crate::{
    Files,
    files::{is_path, resolve},
    outline::{self, Node},
};

/// How deep fragments are followed in each other.
const DEPTH: usize = 8;
/// How many steps are named.
const STEPS: usize = 1000;

/// The fragments that a source's own steps run, by what `run` says.
#[derive(Default)]
pub(super) struct Fragments {
    parameters: BTreeMap<String, Value>,
}

impl Fragments {
    pub fn of(root: &Node, files: &Files) -> Self {
        let steps = root.get("steps").map_or(&[][..], Node::items).iter();
        let runs = steps.filter_map(|step| step.word("run")).filter(|run| is_path(run));
        let parameters = runs.filter_map(|run| {
            let text = text(files, &resolve("", run)?)?;
            let parameters = outline::read(text).get("parameters").map(json)?;
            Some((run.to_owned(), parameters))
        });
        Self { parameters: parameters.collect() }
    }

    /// What the config of a step that says this `run` must look like.
    pub fn parameters(&self, run: &str) -> Option<&Value> {
        self.parameters.get(run)
    }
}

fn text<'f>(files: &'f Files, path: &str) -> Option<&'f str> {
    files.fragment(path)?.text.as_deref().ok()
}

/// The steps of a sequence under the names that they have for others, each with what it runs.
pub(super) fn steps(root: &Node, files: &Files) -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    collect(root, files, "", "", DEPTH, &mut all);
    all
}

fn collect(
    root: &Node,
    files: &Files,
    from: &str,
    prefix: &str,
    depth: usize,
    all: &mut Vec<(String, Option<String>)>,
) {
    for step in root.get("steps").map_or(&[][..], Node::items) {
        let Some(id) = step.word("id").filter(|id| !id.is_empty()) else { continue };
        if all.len() >= STEPS {
            return;
        }
        let id = format!("{prefix}{id}");
        let run = step.word("run");
        let path = run.filter(|run| is_path(run)).and_then(|run| resolve(from, run));
        all.push((id.clone(), run.map(str::to_owned)));
        if let Some(path) = path.filter(|_| depth > 0)
            && let Some(text) = text(files, &path)
        {
            let inner = outline::read(text);
            collect(&inner, files, &path, &format!("{id}--"), depth - 1, all);
        }
    }
}
