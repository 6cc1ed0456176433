//! The variables of templates and operands: what a process has when it starts, and what stands
//! beside that.

use std::ops::Range;

use rungs_runners::{scope::RESERVED, template};
use serde_json::{Map, Value};

use super::{
    Page,
    complete::{Completion, Sort, shape},
    path::Part,
    vocabulary::{description, expand, inside, keys_of},
};
use crate::{
    files::is_path,
    outline::{Data, Node},
};

/// What a process is told of itself.
const PROCESS: [(&str, &str); 5] = [
    ("id", "The caller's id of the process."),
    ("sequence", "The name of its sequence."),
    ("version", "The version of the sequence."),
    ("timezone", "Its IANA zone."),
    ("startedAt", "When it was started."),
];
/// What is kept of a step.
const RESULT: [(&str, &str); 6] = [
    ("status", "What its delivery came to, such as `answered` or `no-answer`."),
    ("error", "Why that failed."),
    ("action", "What it answered: `next` or `altNext`."),
    ("visits", "How many times the process came to it."),
    ("at", "When the process left it."),
    ("delivery", "The id of its delivery."),
];
/// What is kept of the last event of a type.
const EVENT: [(&str, &str); 3] = [
    ("at", "When it happened."),
    ("data", "What it brought."),
    ("count", "How many of its type have come."),
];

/// A variable, or a part of one.
pub(super) struct Variable {
    pub name: String,
    pub detail: Option<String>,
    pub about: Option<String>,
}

impl Variable {
    fn told((name, about): (&str, &str)) -> Self {
        Self { name: name.to_owned(), detail: None, about: Some(about.to_owned()) }
    }
}

/// What has been written of a template's tag that is not closed yet.
pub(super) fn open_tag(before: &str) -> Option<&str> {
    let line = before.rsplit('\n').next()?;
    let (_, tag) = line.rsplit_once("{{")?;
    (!tag.contains("}}")).then_some(tag)
}

/// The path that is being written at the end of `text`.
fn path(text: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let start = text.char_indices().rev().take_while(|(_, c)| is_part(*c)).last();
    text.get(start.map_or(text.len(), |(at, _)| at)..).unwrap_or_default()
}

/// What may stand in a tag whose beginning is `tag`.
pub(super) fn in_tag(page: &Page<'_>, tag: &str, at: usize) -> Vec<Completion> {
    let path = path(tag);
    let mut all = paths(page, path.strip_prefix("this.").unwrap_or(path), at);
    if !path.contains('.') {
        let is_block = tag.trim_start().starts_with('#') && !tag.contains(' ');
        let replaces = at - path.len()..at;
        let helpers = template::helpers().filter(|helper| helper.is_block == is_block);
        all.extend(helpers.map(|helper| {
            Completion::new(helper.name, Sort::Helper, replaces.clone())
                .detail(helper.example.to_owned())
        }));
        if is_block {
            all.retain(|one| one.sort == Sort::Helper);
        }
    }
    all
}

/// What may follow, or complete, a path of which `typed` is there.
pub(super) fn paths(page: &Page<'_>, typed: &str, at: usize) -> Vec<Completion> {
    let mut parts: Vec<&str> = typed.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let replaces: Range<usize> = at.saturating_sub(last.len())..at;
    let each = children(page, &parts).into_iter().map(|variable| {
        Completion::new(variable.name, Sort::Variable, replaces.clone())
            .detail(variable.detail)
            .about(variable.about.as_deref())
    });
    each.collect()
}

/// What is known to lie inside a path; inside none, what there is at the top.
pub(super) fn children(page: &Page<'_>, path: &[&str]) -> Vec<Variable> {
    match path {
        ["process"] => PROCESS.map(Variable::told).into(),
        ["steps"] => page
            .steps()
            .into_iter()
            .filter(|(_, run)| !run.as_deref().is_some_and(is_path))
            .map(|(name, detail)| Variable { name, detail, about: None })
            .collect(),
        ["steps", _] => RESULT.map(Variable::told).into(),
        ["param", inner @ ..] if page.outline.get("fragment").is_some() => {
            of_schema(page, "parameters", inner)
        }
        ["events"] => events(page),
        ["events", _] => EVENT.map(Variable::told).into(),
        [root, ..] if RESERVED.contains(root) => Vec::new(),
        path => {
            let mut all = of_schema(page, "input", path);
            for variable in of_example(page, path) {
                match all.iter_mut().find(|known| known.name == variable.name) {
                    Some(known) => known.detail = known.detail.take().or(variable.detail),
                    None => all.push(variable),
                }
            }
            if path.is_empty() {
                if page.outline.get("fragment").is_some() {
                    all.push(Variable::told(("param", "What the step that runs this gives it.")));
                }
                all.extend([
                    Variable::told(("process", "What the process is.")),
                    Variable::told(("steps", "What earlier steps came to.")),
                    Variable::told(("events", "The last event of each type.")),
                ]);
            }
            all
        }
    }
}

/// The types of events that steps wait for.
fn events(page: &Page<'_>) -> Vec<Variable> {
    let steps = page.outline.get("steps").map_or(&[][..], Node::items).iter();
    let named = steps.filter_map(|step| step.get("config")?.word("event"));
    named.map(|event| Variable { name: event.to_owned(), detail: None, about: None }).collect()
}

/// What the schema under `key` lists.
fn of_schema(page: &Page<'_>, key: &str, path: &[&str]) -> Vec<Variable> {
    let Some(root) = page.outline.get(key).map(json) else { return Vec::new() };
    let schemas = followed(&root, path);
    keys_of(&root, &schemas)
        .into_iter()
        .map(|(name, schemas)| Variable {
            name: name.to_owned(),
            detail: shape(&schemas),
            about: description(&schemas).map(str::to_owned),
        })
        .collect()
}

/// The parts of a schema that hold for a path.
fn followed<'v>(root: &'v Value, path: &[&str]) -> Vec<&'v Value> {
    const HOPS: usize = 8;
    let nothing = Node::nothing(0);
    let mut here = Vec::new();
    expand(root, root, &nothing, &mut here, HOPS);
    for name in path {
        let mut below = Vec::new();
        let part = if name.parse::<usize>().is_ok() { Part::Item } else { Part::Key(name) };
        for inner in here.iter().flat_map(|schema| inside(schema, part)) {
            expand(root, inner, &nothing, &mut below, HOPS);
        }
        here = below;
    }
    here
}

/// The schema as it is written, as far as it can be read.
pub(super) fn json(node: &Node) -> Value {
    match &node.data {
        Data::Nothing => Value::Null,
        Data::Text(text) => Value::String(text.clone()),
        Data::List(items) => items.iter().map(json).collect(),
        Data::Mapping(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), json(&entry.value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn of_example(page: &Page<'_>, path: &[&str]) -> Vec<Variable> {
    let mut here = page.example;
    for name in path {
        here = here.and_then(|value| match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            value => value.get(name),
        });
    }
    let entries = here.and_then(Value::as_object).into_iter().flatten();
    entries
        .map(|(name, value)| Variable {
            name: name.clone(),
            detail: Some(format!("such as {}", short(value))),
            about: None,
        })
        .collect()
}

fn short(value: &Value) -> String {
    const MOST: usize = 40;
    match value {
        Value::Object(_) => "{...}".to_owned(),
        Value::Array(_) => "[...]".to_owned(),
        scalar => {
            let text = scalar.to_string();
            let cut = text.char_indices().nth(MOST).map(|(at, _)| at);
            cut.map_or(text.clone(), |at| format!("{}…", text.get(..at).unwrap_or_default()))
        }
    }
}

/// What is known of the variable whose name stands at the byte `at` of a tag.
pub(super) fn at(page: &Page<'_>, at: usize) -> Option<(Range<usize>, Variable)> {
    let (before, after) = page.source.split_at_checked(at)?;
    open_tag(before)?;
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let rest = after.find(|c| !is_part(c)).unwrap_or(after.len());
    let end = at + rest;
    let whole = path(page.source.get(..end)?);
    let (parents, name) = whole.rsplit_once('.').map_or((None, whole), |(p, n)| (Some(p), n));
    let parents: Vec<&str> = parents.map(|path| path.split('.').collect()).unwrap_or_default();
    let found = children(page, &parents).into_iter().find(|variable| variable.name == name)?;
    Some((end - name.len()..end, found))
}
