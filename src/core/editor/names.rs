//! The names of steps, and everything that refers to them.

use std::{collections::HashSet, ops::Range};

use super::{Form, Page, Vocabulary};
use crate::outline::{self, Data, Node};

/// What is no step, though it stands where one is named.
const END: &str = "end";
/// What a line of a case may say in place of a step.
const ENDS: [&str; 2] = ["completed", "failed"];

/// A step's id where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The id.
    pub id: String,
    /// Its bytes.
    pub span: Range<usize>,
    /// What is said with it.
    pub role: Role,
}

/// What is said with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// This is the step.
    Defines,
    /// That step is meant.
    Refers,
}

/// Every id in a source, in its order.
pub fn named(page: &Page<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    match page.form {
        Form::Sequence => in_sequence(page, &mut names),
        Form::Cases => in_cases(&page.outline, &mut names),
    }
    shorten(page, &mut names);
    names.sort_by_key(|name| name.span.start);
    names.dedup_by(|a, b| a.span == b.span);
    names
}

/// A step of a fragment is called `CALL--STEP` where the step `CALL` runs it: what stands in the
/// source of that is `CALL`.
fn shorten(page: &Page<'_>, names: &mut [Name]) {
    let source = if page.form == Form::Cases { page.subject } else { None };
    let subject = source.map(outline::read);
    let root = subject.as_ref().unwrap_or(&page.outline);
    let steps = root.get("steps").map_or(&[][..], Node::items).iter();
    let ids: HashSet<&str> = steps.filter_map(|step| step.word("id")).collect();
    for name in names {
        if let Some((call, _)) = name.id.split_once("--")
            && ids.contains(call)
            && !ids.contains(name.id.as_str())
        {
            name.span.end = name.span.start + call.len();
            name.id = call.to_owned();
        }
    }
}

/// The id at a byte.
pub fn name_at(page: &Page<'_>, at: usize) -> Option<Name> {
    named(page).into_iter().find(|name| name.span.start <= at && at <= name.span.end)
}

fn in_sequence(page: &Page<'_>, names: &mut Vec<Name>) {
    for step in page.outline.get("steps").map_or(&[][..], Node::items) {
        if let Some(id) = step.get("id") {
            add(id, Role::Defines, names);
        }
        for key in ["next", "altNext"] {
            refer(step.get(key), names);
        }
        if jumps(page.vocabulary, step) {
            refer(step.get("config").and_then(|config| config.get("step")), names);
        }
    }
    // `moved: { old: new }`: only the new ones are steps of this version.
    for moved in page.outline.get("moved").map_or(&[][..], Node::entries) {
        refer(Some(&moved.value), names);
    }
    operands(&page.outline, names);
    tags(page.source, names);
}

/// Whether the runner of a step jumps to what its config calls `step`.
pub(super) fn jumps(vocabulary: &Vocabulary, step: &Node) -> bool {
    let kind = step.word("run").and_then(|run| vocabulary.kind(run));
    kind.is_some_and(|kind| kind.literal.contains(&"step"))
}

fn refer(node: Option<&Node>, names: &mut Vec<Name>) {
    if let Some(node) = node.filter(|node| node.text() != Some(END)) {
        add(node, Role::Refers, names);
    }
}

fn add(node: &Node, role: Role, names: &mut Vec<Name>) {
    if let Some(id) = node.text().filter(|id| is_plain(id)) {
        names.push(Name { id: id.to_owned(), span: node.span.clone(), role });
    }
}

/// What could be an id, on one line.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.chars().all(is_part)
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_')
}

/// Operands of conditions that read results: `{ type: get, value: steps.ring.status }`, or
/// `value: [steps, ring, status]`.
fn operands(node: &Node, names: &mut Vec<Name>) {
    for item in node.items() {
        operands(item, names);
    }
    let is_whole = node.entries().len() == 2;
    // What is in a raw value is that, whatever it looks like.
    if is_whole && node.word("type") == Some("raw") {
        return;
    }
    if is_whole
        && matches!(node.word("type"), Some("get" | "jsonpath"))
        && let Some(value) = node.get("value")
    {
        if let Some(text) = value.text() {
            results(text, value.span.start, Within::Path, names);
        } else if let [root, id, ..] = value.items()
            && root.text() == Some("steps")
        {
            add(id, Role::Refers, names);
        }
    }
    for entry in node.entries() {
        operands(&entry.value, names);
    }
}

/// Tags of templates that read results: `{{steps.ring.status}}`. They may stand in any text, so
/// the whole source is gone through.
fn tags(source: &str, names: &mut Vec<Name>) {
    let mut from = 0;
    while let Some(begin) = source.get(from..).and_then(|rest| rest.find("{{")) {
        let begin = from + begin;
        let inside = source.get(begin..).unwrap_or_default();
        let line = inside.find('\n').unwrap_or(inside.len());
        // It may go over several lines; one that is being written ends with its line.
        let end = inside.find("}}").filter(|end| *end <= LONGEST_TAG).unwrap_or(line).max(2);
        results(inside.get(..end).unwrap_or_default(), begin, Within::Tag, names);
        from = begin + end;
    }
}

/// The ids behind `steps` within a path or a tag that begins at `offset`, however they are written:
/// `steps.ID`, `steps/ID`, `steps['ID']`, `$['steps']["ID"]`, `lookup steps 'ID'`.
fn results(text: &str, offset: usize, within: Within, names: &mut Vec<Name>) {
    for (at, _) in text.match_indices(STEPS) {
        let (before, after) = (text.get(..at), text.get(at + STEPS.len()..));
        let (Some(before), Some(after)) = (before, after) else { continue };
        // In a tag it may be no more than a text.
        let is_quoted = before.ends_with(['\'', '"']) && unquoted(before).is_none();
        if is_quoted && within == Within::Tag {
            continue;
        }
        let mut rest = behind(before, after);
        while let Some(ids) = rest {
            let length = ids.find(|c| !is_part(c)).unwrap_or(ids.len());
            let Some(id) = ids.get(..length).filter(|id| !id.is_empty()) else { break };
            let start = offset + text.len() - ids.len();
            let name = Name { id: id.to_owned(), span: start..start + length, role: Role::Refers };
            names.push(name);
            // A JSONPath may name several: `$.steps['a', 'b']`.
            let next = ids.get(length..).filter(|_| within == Within::Path).and_then(quote);
            rest = next.and_then(|next| quote(next.trim_start().strip_prefix(',')?.trim_start()));
        }
    }
}

/// In what results are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// A path of a condition's.
    Path,
    /// A tag of a template.
    Tag,
}

/// How long a tag may be, in bytes.
const LONGEST_TAG: usize = 1000;

/// What the results of steps are under.
const STEPS: &str = "steps";

/// Where the id begins in what follows `steps`, if one does.
fn behind<'t>(before: &str, after: &'t str) -> Option<&'t str> {
    let after = if unquoted(before).is_some() {
        // `['steps']`
        closed(quote(after)?)?
    } else if !is_root(before) {
        return None;
    } else if let Some(argument) = quote(after.trim_start()) {
        // `lookup steps 'ID'`
        let before = ["@root.", "@root/", "this.", "this/", "./"]
            .iter()
            .find_map(|root| before.strip_suffix(root))
            .unwrap_or(before);
        return before.trim_end().ends_with("lookup").then_some(argument);
    } else {
        after
    };
    let after = after.trim_start();
    if let Some(rest) = after.strip_prefix(['.', '/']) {
        // `.[ID]` is how templates quote.
        return Some(rest.trim_start().strip_prefix('[').unwrap_or(rest.trim_start()));
    }
    let inside = after.strip_prefix('[')?.trim_start();
    Some(quote(inside).unwrap_or(inside))
}

/// Whether a name that follows stands at the root of a path.
fn is_root(before: &str) -> bool {
    // A JSONPath may have blanks between its parts.
    let compact: Vec<char> = before.chars().rev().filter(|c| *c != ' ').take(6).collect();
    let compact: String = compact.into_iter().rev().collect();
    let roots = ["$.", "@root.", "@root/", "this.", "this/", "./"];
    roots.iter().any(|root| compact.ends_with(root))
        || !before.ends_with(|c| is_part(c) || c == '.' || c == '/')
}

/// What stands before a bracket and a quotation mark at the end of a text.
fn unquoted(before: &str) -> Option<&str> {
    let opened = before.strip_suffix(['\'', '"'])?;
    opened.strip_suffix(['\\', '\'']).unwrap_or(opened).trim_end().strip_suffix('[')
}

/// What follows a quotation mark, which YAML may have escaped, or doubled.
fn quote(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('\\').unwrap_or(text).strip_prefix(['\'', '"'])?;
    Some(rest.strip_prefix('\'').unwrap_or(rest))
}

fn closed(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix(']')
}

fn in_cases(root: &Node, names: &mut Vec<Name>) {
    for case in root.get("cases").map_or(&[][..], Node::items) {
        for answer in case.get("when").map_or(&[][..], Node::entries) {
            if !answer.key.starts_with('+') {
                first_word(&answer.key, answer.key_span.start, names);
            }
        }
        for line in case.get("then").map_or(&[][..], Node::items) {
            for expected in line.entries() {
                if let Data::Text(text) = &expected.value.data {
                    expectation(text, expected.value.span.start, names);
                }
            }
        }
    }
}

/// `ring to +385...`, `ring says "..."`, `waits at ring`, `completed`.
fn expectation(text: &str, offset: usize, names: &mut Vec<Name>) {
    const WAITS: &str = "waits at ";
    match text.strip_prefix(WAITS) {
        Some(step) => first_word(step, offset + WAITS.len(), names),
        None => first_word(text, offset, names),
    }
}

/// The step that a text begins with: `ring#2`, `ring to ...`.
fn first_word(text: &str, offset: usize, names: &mut Vec<Name>) {
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let Some(id) = text.get(..length).filter(|id| !id.is_empty() && !ENDS.contains(id)) else {
        return;
    };
    names.push(Name { id: id.to_owned(), span: offset..offset + length, role: Role::Refers });
}
