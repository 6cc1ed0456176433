//! Fragments: steps in a file of their own, which take the place of every step that runs it.
//!
//! ```yaml
//! fragment: ring-kitchen
//! parameters: { required: [phone], properties: { phone: { type: string } } }
//! steps:
//!   - { id: call, run: Phone, config: { to: "{{param.phone}}", say: Hello, await: answered }, altNext: altNext }
//! ```
//!
//! Promises: what comes out is a list of steps that could have been written by hand, and the
//! rest of the check knows nothing of fragments. A step of one is called `CALL--STEP`; whoever
//! names the step that runs it means the first of them. `end` in a fragment leads to where that
//! step's `next` leads, and `altNext` to where its `altNext` does. No more comes out than a
//! sequence may have, however fragments use each other.
//! Does not: look for files. They have been gathered, or came with the source.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use rungs_runners::Kind;

use super::{
    node::{Data, Node, quoted},
    report::Report,
    sequence::STEPS,
};
use crate::{
    Diagnostic, Files,
    diagnostic::Place,
    files::{is_path, resolve},
};

mod arguments;
mod call;
mod file;
mod list;
mod operand;
mod substitute;
mod tags;

pub(super) use file::{alone, is_fragment};

use file::Fragment;
use list::{Exit, List};

/// What stands between the id of a step and the id of a step of the fragment that it runs. Of
/// the letters that an id may have, so that it is one, and a name in a template.
const SEPARATOR: &str = "--";
/// How deep fragments may use each other.
const DEPTH: usize = 8;
/// How many values all steps together may be made of, as in a source.
const NODES: usize = 100_000;
/// How many bytes of text parameters may write.
const TEXT: usize = 4 * 1024 * 1024;

/// A step that takes part: one of the source's own, or one of a fragment.
pub(super) struct Item<'n> {
    /// The step.
    pub node: Cow<'n, Node>,
    /// Its JSON pointer, in its own file.
    pub pointer: String,
}

/// The steps that a source comes to, with fragments in place of the steps that run them.
pub(super) fn expand<'n, 'a>(
    steps: &'n [Node],
    files: &'a Files,
    kinds: &[Kind],
    report: &mut Report<'a>,
) -> Vec<Item<'n>> {
    if !steps.iter().any(|step| run(step).is_some()) {
        let each = steps.iter().enumerate();
        return each
            .map(|(at, node)| Item { node: Cow::Borrowed(node), pointer: format!("/steps/{at}") })
            .collect();
    }
    let mut expander = Expander::new(files, kinds, report);
    let list = List {
        steps,
        prefix: String::new(),
        path: "",
        end: Exit::to("end"),
        alt_next: None,
        entries: expander.entries(steps, "", ""),
    };
    expander.list(&list);
    expander
        .items
        .into_iter()
        .map(|(node, pointer)| Item { node: Cow::Owned(node), pointer })
        .collect()
}

/// The path that a step runs, if it runs a file.
fn run(step: &Node) -> Option<&str> {
    step.entry("run")?.value.text().filter(|run| is_path(run))
}

fn id(step: &Node) -> Option<&str> {
    step.entry("id")?.value.text()
}

/// Puts fragments in their places.
struct Expander<'e, 'a> {
    files: &'a Files,
    kinds: &'e [Kind],
    report: &'e mut Report<'a>,
    /// Each file is read once; nothing if it is no fragment.
    read: HashMap<&'a str, Option<Rc<Fragment<'a>>>>,
    /// The files that are being put in their places, each for the one before.
    open: Vec<&'a str>,
    items: Vec<(Node, String)>,
    nodes: usize,
    bytes: usize,
    /// Whether it has become too much, which has been said.
    is_full: bool,
}

impl<'e, 'a> Expander<'e, 'a> {
    fn new(files: &'a Files, kinds: &'e [Kind], report: &'e mut Report<'a>) -> Self {
        Self {
            files,
            kinds,
            report,
            read: HashMap::new(),
            open: Vec::new(),
            items: Vec::new(),
            nodes: NODES,
            bytes: TEXT,
            is_full: false,
        }
    }

    /// Puts the steps of a list where they belong.
    fn list(&mut self, list: &List<'_>) {
        for (at, step) in list.steps.iter().enumerate() {
            if self.is_full {
                return;
            }
            let pointer = format!("/steps/{at}");
            let Some(run) = run(step) else {
                let node = self.plain(step, list, at);
                self.push(node, pointer);
                continue;
            };
            if self.call(step, run, list, at, pointer.clone()).is_none() {
                // Nobody knows where it would lead.
                self.push(Node { data: Data::Broken, span: step.span.clone() }, pointer);
            }
        }
    }

    fn push(&mut self, node: Node, pointer: String) {
        if self.items.len() < STEPS {
            self.items.push((node, pointer));
            return;
        }
        let message = format!("with its fragments this sequence has more than {STEPS} steps");
        self.full(Place::new(pointer, node.span), message);
    }

    fn full(&mut self, place: Place, message: String) {
        self.is_full = true;
        self.report.add(Diagnostic::error("too-large", place, message));
    }

    /// What each step of a list is called by those who name it; nothing where that cannot be
    /// told.
    fn entries(&mut self, steps: &[Node], prefix: &str, path: &str) -> Vec<Option<String>> {
        let mut entries = Vec::with_capacity(steps.len());
        for (at, step) in steps.iter().enumerate() {
            entries.push(self.entry(step, at, prefix, path, 0));
        }
        entries
    }

    fn entry(
        &mut self,
        step: &Node,
        at: usize,
        prefix: &str,
        path: &str,
        depth: usize,
    ) -> Option<String> {
        let name = format!("{prefix}{}", id(step)?);
        let Some(run) = run(step) else { return Some(name) };
        if depth > DEPTH {
            return None;
        }
        let fragment = self.fragment(step, run, path, format!("/steps/{at}/run"))?;
        let first = fragment.steps().first()?;
        self.entry(first, 0, &format!("{name}{SEPARATOR}"), fragment.path, depth + 1)
    }

    /// The fragment that a step runs. Why there is none is reported.
    fn fragment(
        &mut self,
        step: &Node,
        run: &str,
        path: &str,
        pointer: String,
    ) -> Option<Rc<Fragment<'a>>> {
        let span = step.entry("run").map(|entry| entry.value.span.clone());
        let place = Place::new(pointer, span.unwrap_or_default());
        let Some(path) = resolve(path, run) else {
            let message = format!("{} is no path of a file", quoted(run));
            self.report.add(Diagnostic::error("file", place, message));
            return None;
        };
        let Some(file) = self.files.fragment(&path) else {
            let message = format!("the fragment {} has not come along", quoted(run));
            let help = "a sequence is published with its files: `rungs apply` sends them along";
            self.report.add(Diagnostic::error("file", place, message).help(help.to_owned()));
            return None;
        };
        let text = match &file.text {
            Ok(text) => text.as_str(),
            Err(reason) => {
                let message = format!("the fragment {} cannot be read: {reason}", quoted(run));
                self.report.add(Diagnostic::error("file", place, message));
                return None;
            }
        };
        let path = file.path.as_str();
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        let used_by = self.report.user(step.span.start, id(step).unwrap_or("?"));
        let read = Fragment::read(path, text, used_by, self.report).map(Rc::new);
        self.read.insert(path, read.clone());
        read
    }
}
