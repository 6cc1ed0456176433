//! What may stand at a place.

use std::ops::Range;

use serde_json::Value;

use super::{
    Form, Page,
    names::{Role, jumps, named},
    path::{Found, Spot, find},
    variables,
    vocabulary::{default, description, is_object, required, values},
};
use crate::{
    outline::{self, Data, Node},
    schema,
};

/// Stands for what is being written, so that something is there. Nobody writes it.
const MARK: char = '\u{e000}';
/// How many completions are given at most.
const MOST: usize = 1000;

/// Something that may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// How it is called.
    pub label: String,
    /// What is written in the place of `replaces`.
    pub text: String,
    /// The bytes of what has been written of it so far.
    pub replaces: Range<usize>,
    /// What kind of thing it is.
    pub sort: Sort,
    /// A few words beside its name.
    pub detail: Option<String>,
    /// What it is for, in Markdown.
    pub about: Option<String>,
    /// Whether it must be there.
    pub required: bool,
}

/// What kind of thing a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A key of a mapping.
    Key,
    /// One of several values.
    Value,
    /// A runner.
    Runner,
    /// The id of a step.
    Step,
    /// A variable of templates and operands.
    Variable,
    /// A helper of templates.
    Helper,
}

impl Completion {
    pub(super) fn new(label: impl Into<String>, sort: Sort, replaces: Range<usize>) -> Self {
        let label = label.into();
        let text = label.clone();
        Self { label, text, replaces, sort, detail: None, about: None, required: false }
    }

    pub(super) fn detail(self, detail: impl Into<Option<String>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    pub(super) fn about(self, about: Option<&str>) -> Self {
        Self { about: about.filter(|about| !about.is_empty()).map(str::to_owned), ..self }
    }
}

/// Everything that may stand at the byte `at`.
pub fn complete(page: &Page<'_>, at: usize) -> Vec<Completion> {
    let Some((before, after)) = page.source.split_at_checked(at) else { return Vec::new() };
    if let Some(tag) = variables::open_tag(before) {
        return variables::in_tag(page, tag, at);
    }
    let marked = format!("{before}{MARK}{after}");
    let root = outline::read(&marked);
    let found = find(&root, at);
    let mut all = match found.spot {
        Spot::Key(entry) => {
            let written = entry.key_span.start..entry.key_span.end.saturating_sub(MARK.len_utf8());
            let keys = if is_answers(page, &found) {
                answers(page, &written)
            } else {
                keys(page, &found, &written)
            };
            keys.into_iter().map(|key| if entry.colon { key } else { with_colon(key) }).collect()
        }
        Spot::Value(node) => below(page, &found, node, before),
    };
    all.truncate(MOST);
    all
}

fn with_colon(completion: Completion) -> Completion {
    Completion { text: format!("{}: ", completion.text), ..completion }
}

/// The keys that the mapping at `found` does not have yet.
fn keys(page: &Page<'_>, found: &Found<'_>, replaces: &Range<usize>) -> Vec<Completion> {
    let schemas = page.schemas(&found.path, found.node);
    let required = required(&schemas);
    let is_there = |key: &str| found.node.entry(key).is_some();
    let mut keys: Vec<Completion> = page
        .keys(&found.path, &schemas)
        .into_iter()
        .filter(|(key, _)| !is_there(key))
        .map(|(key, schemas)| Completion {
            required: required.contains(&key),
            ..Completion::new(key, Sort::Key, replaces.clone())
                .detail(shape(&schemas))
                .about(description(&schemas))
        })
        .collect();
    keys.sort_by_key(|key| !key.required);
    keys
}

/// What a key takes, in a few words.
pub(super) fn shape(schemas: &[&Value]) -> Option<String> {
    let values = values(schemas);
    let words = if values.is_empty() || values.len() > 8 {
        let is_template = |schema: &&&Value| {
            schema.get("pattern").is_some_and(|pattern| *pattern == schema::TEMPLATE)
        };
        let strict = schemas.iter().filter(|schema| !is_template(schema));
        let types = strict.filter_map(|schema| schema.get("type"));
        let mut words: Vec<&str> = types
            .flat_map(|of| match of {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect::<Vec<_>>(),
            })
            .filter(|word| *word != "null")
            .collect();
        words.dedup();
        words.join(" | ")
    } else {
        values.iter().map(|(value, _)| plain(value)).collect::<Vec<_>>().join(" | ")
    };
    let default = default(schemas).map(|value| format!(" = {}", plain(value))).unwrap_or_default();
    Some(format!("{words}{default}")).filter(|words| !words.is_empty())
}

/// A constant as YAML writes it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if outline::read(text).text() == Some(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What may stand where a value is being written.
fn below(page: &Page<'_>, found: &Found<'_>, node: &Node, before: &str) -> Vec<Completion> {
    let Data::Text(_) = node.data else { return Vec::new() };
    let written = node.span.start..before.len().max(node.span.start);
    let schemas = page.schemas(&found.path, node);
    let mut all = Vec::new();
    if page.form == Form::Cases {
        all.extend(expectations(page, found, &written));
        if is_answers(page, found) {
            all.extend(answers(page, &written).into_iter().map(with_colon));
        }
    } else if names_step(page, found) {
        // Nobody stands at the end, so nobody moves there.
        let is_moved = matches!(found.words()[..], ["moved", _]);
        all.extend(steps(page, &written).into_iter().filter(|one| !is_moved || one.label != "end"));
    } else if reads_data(found) {
        let typed = before.get(written.start..).unwrap_or_default();
        return variables::paths(page, typed, before.len());
    }
    match found.last_key() {
        Some("run") if found.step().is_some() => all.extend(runners(page, &written)),
        Some("timezone") => all.extend(zones(&written)),
        _ => all.extend(values(&schemas).into_iter().map(|(value, about)| {
            Completion::new(plain(value), Sort::Value, written.clone()).about(about)
        })),
    }
    let line = before.get(..node.span.start).unwrap_or_default();
    let line = line.rsplit('\n').next().unwrap_or_default().trim_start();
    if is_object(&schemas) && line.trim_matches(['-', ' ']).is_empty() {
        // Alone on its line, it may become a key; without a dash, an item wants one.
        let is_item = found.path.last().is_some_and(|crumb| crumb.node.items().contains(node));
        let dash = if is_item && line.is_empty() { "- " } else { "" };
        let keys = keys(page, found, &written).into_iter().map(with_colon);
        all.extend(keys.map(|key| Completion { text: format!("{dash}{}", key.text), ..key }));
    }
    all
}

fn runners(page: &Page<'_>, replaces: &Range<usize>) -> Vec<Completion> {
    let each = page.kinds().iter().map(|kind| {
        let about = (kind.about)();
        Completion::new(kind.name, Sort::Runner, replaces.clone()).about(Some(&about))
    });
    each.collect()
}

fn zones(replaces: &Range<usize>) -> impl Iterator<Item = Completion> {
    let zones = chrono_tz::TZ_VARIANTS.iter();
    zones.map(|zone| Completion::new(zone.name(), Sort::Value, replaces.clone()))
}

/// Whether a step is named here.
fn names_step(page: &Page<'_>, found: &Found<'_>) -> bool {
    match found.words()[..] {
        ["steps", "*", "next" | "altNext"] | ["moved", _] => true,
        ["steps", "*", "config", "step"] => {
            found.step().is_some_and(|step| jumps(page.vocabulary, step))
        }
        _ => false,
    }
}

/// Whether this is the operand of a condition that reads the data.
fn reads_data(found: &Found<'_>) -> bool {
    let operand = found.path.last().map(|crumb| crumb.node);
    found.last_key() == Some("value")
        && operand.is_some_and(|operand| operand.word("type") == Some("get"))
}

fn steps(page: &Page<'_>, replaces: &Range<usize>) -> Vec<Completion> {
    // Others name the step that runs a fragment, and not those inside.
    let own = page.steps().into_iter().filter(|(id, _)| !id.contains("--"));
    let mut all: Vec<Completion> = own
        .map(|(id, run)| Completion::new(id, Sort::Step, replaces.clone()).detail(run))
        .collect();
    let end = Completion::new("end", Sort::Value, replaces.clone());
    all.push(end.about(Some("Past the last step: the process completes.")));
    all
}

/// Whether the answers of a case are given here.
fn is_answers(page: &Page<'_>, found: &Found<'_>) -> bool {
    page.form == Form::Cases && found.words() == ["cases", "*", "when"]
}

/// The steps that can be answered.
fn answers(page: &Page<'_>, replaces: &Range<usize>) -> Vec<Completion> {
    page.steps()
        .into_iter()
        .filter(|(_, run)| {
            let kind = run.as_deref().and_then(|run| page.vocabulary.kind(run));
            kind.is_some_and(|kind| kind.delivers)
        })
        .map(|(id, run)| Completion::new(id, Sort::Step, replaces.clone()).detail(run))
        .collect()
}

/// What a case may expect at a time.
fn expectations(page: &Page<'_>, found: &Found<'_>, replaces: &Range<usize>) -> Vec<Completion> {
    if !matches!(found.words()[..], ["cases", "*", "then", "*", _]) {
        return Vec::new();
    }
    let mut all = answers(page, replaces);
    let ends = ["completed", "failed", "waits at "];
    all.extend(ends.map(|end| Completion::new(end, Sort::Value, replaces.clone())));
    all
}

/// The ids that a source defines; for whom must not take one of them again.
pub(super) fn ids(page: &Page<'_>) -> Vec<String> {
    let names = named(page).into_iter();
    names.filter(|name| name.role == Role::Defines).map(|name| name.id).collect()
}
