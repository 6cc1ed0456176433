//! A list of steps with its names: where `next`, `altNext` and jumps in it lead.

use super::{Expander, id};
use crate::{
    Diagnostic,
    check::{
        node::{Data, Entry, Node, join, quoted},
        step::{self, END},
    },
    diagnostic::Place,
};

/// In a fragment: where the `altNext` of the step that runs it leads.
pub(super) const ALT_NEXT: &str = "altNext";

/// Where one leaves a list.
#[derive(Debug, Clone)]
pub(super) struct Exit {
    /// The step it leads to, or `end`; nothing if that cannot be told.
    pub to: Option<String>,
    /// Whether it leads elsewhere than to what stands below.
    pub is_elsewhere: bool,
}

impl Exit {
    /// To what stands below.
    pub fn to(name: &str) -> Self {
        Self { to: Some(name.to_owned()), is_elsewhere: false }
    }
}

/// A list of steps, at one of its uses.
pub(super) struct List<'l> {
    pub steps: &'l [Node],
    /// What its ids begin with.
    pub prefix: String,
    /// Its file.
    pub path: &'l str,
    /// Where `end` leads.
    pub end: Exit,
    /// Where `altNext` leads, in a fragment.
    pub alt_next: Option<Exit>,
    /// What each step is called.
    pub entries: Vec<Option<String>>,
}

impl List<'_> {
    fn is_fragment(&self) -> bool {
        self.alt_next.is_some()
    }

    /// Where a name leads: `Err` if nothing here is called so.
    fn find(&self, name: &str) -> Result<Option<String>, ()> {
        if name == END {
            return Ok(self.end.to.clone());
        }
        if let Some(exit) = self.alt_next.as_ref().filter(|_| name == ALT_NEXT) {
            return Ok(exit.to.clone());
        }
        let position = self.steps.iter().position(|step| id(step) == Some(name)).ok_or(())?;
        Ok(self.entries.get(position).cloned().flatten())
    }

    /// Where the step at a position leads that does not say so.
    pub fn below(&self, at: usize) -> Exit {
        match self.entries.get(at + 1) {
            Some(entry) => Exit { to: entry.clone(), is_elsewhere: false },
            None => self.end.clone(),
        }
    }
}

impl Expander<'_, '_> {
    /// What a key that names a step comes to. The check tells later of what is no name, and of
    /// the source's own steps what leads nowhere.
    fn target(&mut self, named: &Node, pointer: String, list: &List<'_>) -> Data {
        match &named.data {
            Data::Text(name) if list.is_fragment() || list.find(name).is_ok() => {
                self.exit(named, pointer, list).map_or(Data::Broken, Data::Text)
            }
            other => other.clone(),
        }
    }

    /// The step that a name in a list means; nothing where that cannot be told.
    pub(super) fn exit(
        &mut self,
        named: &Node,
        pointer: String,
        list: &List<'_>,
    ) -> Option<String> {
        let name = named.text()?;
        list.find(name).unwrap_or_else(|()| {
            let ways_out: &[&str] = if list.is_fragment() { &[END, ALT_NEXT] } else { &[END] };
            let own = list.steps.iter().filter_map(id).chain(ways_out.iter().copied());
            let help = self.report.suggest(name, "steps", own);
            let here = if list.is_fragment() { " in this fragment" } else { "" };
            let message = format!("there is no step {}{here}", quoted(name));
            let place = Place::new(pointer, named.span.clone());
            self.report.add(Diagnostic::error("unknown-step", place, message).help(help));
            None
        })
    }

    /// A step that runs a runner, with the names that it has outside of its list.
    pub(super) fn plain(&mut self, step: &Node, list: &List<'_>, at: usize) -> Node {
        let mut node = step.clone();
        let jump = self.jump(&node);
        let Data::Mapping(entries) = &mut node.data else { return node };
        for entry in entries.iter_mut() {
            let pointer = format!("/steps/{at}/{}", entry.key);
            match entry.key.as_str() {
                "id" if list.is_fragment() => {
                    entry.value.data = self.own_id(&entry.value, pointer, list);
                }
                "next" | ALT_NEXT => {
                    entry.value.data = self.target(&entry.value, pointer, list);
                }
                "config" => {
                    if let (Some((key, _)), Data::Mapping(keys)) = (&jump, &mut entry.value.data)
                        && let Some(named) = keys.iter_mut().find(|entry| entry.key == *key)
                    {
                        named.value.data = self.target(&named.value, join(&pointer, key), list);
                    }
                }
                _ => {}
            }
        }
        let falls = step.entry("next").is_none() && !jump.is_some_and(|(_, always)| always);
        let below = list.below(at);
        if falls && below.is_elsewhere {
            entries.push(Entry {
                key: "next".to_owned(),
                key_span: step.span.clone(),
                value: Node {
                    data: below.to.map_or(Data::Broken, Data::Text),
                    span: step.span.clone(),
                },
            });
        }
        if list.is_fragment() {
            self.refuse_goal(step, format!("/steps/{at}/run"));
        }
        node
    }

    /// The key of its config in which a step names another, and whether it always jumps there.
    fn jump(&self, step: &Node) -> Option<(String, bool)> {
        let run = step.entry("run")?.value.text()?;
        let kind = self.kinds.iter().find(|kind| kind.name == run)?;
        if kind.literal.is_empty() {
            return None;
        }
        let config = &step.entry("config")?.value;
        let prepared = kind.prepare(&config.to_json()).ok()?;
        let jump = prepared.jump()?;
        let key = kind.literal.iter().find(|key| {
            config.entry(key).is_some_and(|entry| entry.value.text() == Some(jump.to))
        })?;
        Some(((*key).to_owned(), jump.always))
    }

    /// The id of a step of a fragment, as it is called outside.
    pub(super) fn own_id(&mut self, named: &Node, pointer: String, list: &List<'_>) -> Data {
        let Data::Text(id) = &named.data else { return named.data.clone() };
        let full = format!("{}{id}", list.prefix);
        let message = if id == ALT_NEXT {
            format!("`{ALT_NEXT}` leads out of a fragment, and cannot be the id of a step")
        } else if let Some(message) = step::wrong_id(id) {
            message
        } else if step::wrong_id(&full).is_some() {
            format!("with the steps that lead to it this id is too long: `{full}`")
        } else {
            return Data::Text(full);
        };
        let place = Place::new(pointer, named.span.clone());
        self.report.add(Diagnostic::error("id", place, message).help(step::IDS.to_owned()));
        Data::Broken
    }

    /// A goal pulls from everywhere, and a fragment knows nothing of what is around it.
    fn refuse_goal(&mut self, step: &Node, pointer: String) {
        let run = step.entry("run").map(|entry| &entry.value);
        let name = run.and_then(Node::text);
        let kind = self.kinds.iter().find(|kind| Some(kind.name) == name);
        if let (Some(kind), Some(run)) = (kind.filter(|kind| kind.goal), run) {
            let message = format!(
                "`{}` draws a process from wherever it stands, so it cannot stand in a fragment",
                kind.name
            );
            self.report.add(
                Diagnostic::error("goal", Place::new(pointer, run.span.clone()), message)
                    .help("put it into the sequence, below the step that runs this".to_owned()),
            );
        }
    }
}
