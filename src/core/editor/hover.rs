//! What something is.

use std::{fmt::Write, ops::Range};

use serde_json::Value;

use super::{
    Form, Page,
    complete::{plain, shape},
    names::{Role, name_at, named},
    path::{Crumb, Found, Part, Spot, find},
    variables,
    vocabulary::{description, values},
};
use crate::outline::{self, Node};

/// How many lines of a step are shown.
const LINES: usize = 20;

/// What is told of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// In Markdown.
    pub text: String,
    /// The bytes it is told of.
    pub span: Range<usize>,
}

/// What stands at the byte `at`.
pub fn hover(page: &Page<'_>, at: usize) -> Option<Hover> {
    if let Some(name) = name_at(page, at) {
        let text = match name.role {
            Role::Defines => uses(page, &name.id),
            Role::Refers => step(page, &name.id)?,
        };
        return Some(Hover { text, span: name.span });
    }
    if let Some((span, variable)) = variables::at(page, at) {
        let detail = variable.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        let about = variable.about.map(|about| format!("\n\n{about}")).unwrap_or_default();
        return Some(Hover { text: format!("`{}`{detail}{about}", variable.name), span });
    }
    let found = find(&page.outline, at);
    match found.spot {
        Spot::Key(entry) => {
            let mut path = found.path.clone();
            path.push(Crumb { node: found.node, part: Part::Key(&entry.key) });
            let schemas = page.schemas(&path, &entry.value);
            Some(Hover { text: of_key(&entry.key, &schemas)?, span: entry.key_span.clone() })
        }
        Spot::Value(node) => {
            let text = of_value(page, &found, node)?;
            Some(Hover { text, span: node.span.clone() })
        }
    }
}

/// What a key is for, what it takes, and what it is if it is left out.
fn of_key(key: &str, schemas: &[&Value]) -> Option<String> {
    let about = description(schemas)?;
    let shape = shape(schemas).map(|shape| format!(": {shape}")).unwrap_or_default();
    let mut text = format!("`{key}`{shape}\n\n{about}");
    for (value, about) in values(schemas) {
        if let Some(about) = about {
            let _ = write!(text, "\n- `{}`: {about}", plain(value));
        }
    }
    Some(text)
}

fn of_value(page: &Page<'_>, found: &Found<'_>, node: &Node) -> Option<String> {
    let text = node.text()?;
    if found.last_key() == Some("run") && found.step().is_some() {
        return page.vocabulary.kind(text).map(|kind| (kind.about)());
    }
    let schemas = page.schemas(&found.path, node);
    let (value, about) = values(&schemas).into_iter().find(|(value, _)| plain(value) == text)?;
    Some(format!("`{}`\n\n{}", plain(value), about?))
}

/// A step as it is written.
fn step(page: &Page<'_>, id: &str) -> Option<String> {
    let source = match page.form {
        Form::Sequence => page.source,
        Form::Cases => page.subject?,
    };
    let root = outline::read(source);
    let mut steps = root.get("steps")?.items().iter();
    let step = steps.find(|step| step.word("id") == Some(id))?;
    let written = source.get(step.span.clone())?;
    let column = step.span.start - source.get(..step.span.start)?.rfind('\n').map_or(0, |n| n + 1);
    let mut text = String::from("```yaml\n");
    for line in written.lines().take(LINES) {
        // A comment may stand further left, and a letter of it across the column.
        let rest = match line.split_at_checked(line.len().min(column)) {
            Some((indent, rest)) if indent.trim().is_empty() => rest,
            _ => line,
        };
        let _ = writeln!(text, "{rest}");
    }
    if written.lines().nth(LINES).is_some() {
        text.push_str("...\n");
    }
    Some(text + "```")
}

fn uses(page: &Page<'_>, id: &str) -> String {
    let names = named(page);
    let count = names.iter().filter(|name| name.id == id && name.role == Role::Refers).count();
    match count {
        0 => format!("Step `{id}`; nothing refers to it"),
        1 => format!("Step `{id}`; referred to once"),
        count => format!("Step `{id}`; referred to {count} times"),
    }
}
