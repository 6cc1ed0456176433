//! Operands of conditions in a fragment, at one of its uses: `{ type: get, value: PATH }` and
//! `{ type: jsonpath, value: ... }`.
//!
//! A path that begins with `param` gives way to what the parameter stands for; behind `steps`
//! an id gets the prefix of the use, however the path is written: `steps.call.status`,
//! `steps['call']`, `[steps, call, status]`. A path that a parameter gives is its giver's, and
//! stays as it is.

use rungs_runners::{path::Path, template::is_template};
use serde_json::Value;

use super::{
    arguments::{Argument, variable},
    substitute::{Substitution, whole, wrong},
    tags::{PARAM, string},
};
use crate::{
    check::{
        node::{Data, Entry, Node, join},
        report::Report,
    },
    diagnostic::Place,
};

/// The root under which results of steps are.
const STEPS: &str = "steps";

/// An operand as it is written.
pub(super) enum Operand<'n> {
    /// A path, by its keys.
    Path(Vec<Value>),
    /// A path with a template in it.
    Text(&'n str),
    JsonPath(&'n str),
}

impl<'n> Operand<'n> {
    /// The operand that these entries are, if it may read something of the fragment's.
    pub fn read(entries: &'n [Entry]) -> Option<Self> {
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let (of_type, value) = (find("type")?.value.text()?, &find("value")?.value);
        let is_own = |key: &str| key == PARAM || key == STEPS;
        let operand = match (of_type, &value.data) {
            ("get", Data::Text(text)) if whole(text).is_some() => return None,
            ("get", Data::Text(text)) if is_template(text) => {
                let root = text.split(['.', '[']).next();
                root.is_some_and(is_own).then_some(Self::Text(text))
            }
            ("get", Data::Text(text)) => {
                let path = Path::parse(text);
                let is_own = path.keys().next().is_some_and(is_own);
                is_own.then(|| Self::Path(path.keys().map(Value::from).collect()))
            }
            ("get", Data::List(keys)) => {
                let is_own = keys.first().and_then(Node::text).is_some_and(is_own);
                is_own.then(|| Self::Path(keys.iter().map(Node::to_json).collect()))
            }
            ("jsonpath", Data::Text(text)) => text.contains('$').then_some(Self::JsonPath(text)),
            _ => None,
        };
        operand.filter(|_| entries.len() == 2)
    }
}

impl Substitution<'_> {
    /// An operand, as it is at this use.
    pub(super) fn operand(
        &mut self,
        node: &Node,
        operand: &Operand<'_>,
        pointer: String,
        report: &mut Report<'_>,
    ) -> Node {
        let place = Place::new(pointer, self.moved(&node.span));
        let written = match operand {
            Operand::Path(keys) => self.path(keys, &place, report),
            Operand::Text(text) => prefixed(text, self.prefix).map_or_else(
                || {
                    let why = format!("after `{STEPS}` or `{PARAM}` a name is wanted here");
                    wrong(why, &place, report)
                },
                |text| Some(("get", text.into())),
            ),
            Operand::JsonPath(path) => match json_path(path, self.prefix) {
                Ok(path) => Some(("jsonpath", path.into())),
                Err(why) => wrong(why, &place, report),
            },
        };
        let Some((of_type, value)) = written else {
            return Node { data: Data::Broken, span: place.span };
        };
        // What a parameter stood for is there by now; a template is still to be rewritten.
        let is_done = matches!(operand, Operand::Path(keys) if is_parameter(keys));
        let mut entries = Vec::with_capacity(2);
        for entry in node.entries() {
            let span = entry.value.span.clone();
            let value = match entry.key.as_str() {
                "type" => Node { data: Data::Text(of_type.to_owned()), span: self.moved(&span) },
                _ if is_done => Node::of_json(&value, &self.moved(&span)),
                key => {
                    let node = Node::of_json(&value, &span);
                    self.node(&node, join(&place.pointer, key), report)
                }
            };
            entries.push(Entry {
                key: entry.key.clone(),
                key_span: self.moved(&entry.key_span),
                value,
            });
        }
        Node { data: Data::Mapping(entries), span: place.span }
    }

    fn path(
        &mut self,
        keys: &[Value],
        place: &Place,
        report: &mut Report<'_>,
    ) -> Option<(&'static str, Value)> {
        if !is_parameter(keys) {
            let mut keys = keys.to_vec();
            if let Some(Value::String(id)) = keys.get_mut(1) {
                id.insert_str(0, self.prefix);
            }
            return Some(("get", path_of(keys)));
        }
        let keys: Vec<String> = keys
            .iter()
            .skip(1)
            .map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned))
            .collect();
        if keys.is_empty() {
            let why = format!("`{PARAM}` alone is nothing; name one, such as `{PARAM}.phone`");
            return wrong(why, place, report);
        }
        let operand = match self.arguments_with(&keys, place, report)?.find(&keys) {
            Ok(Argument::Plain(value)) => ("raw", value),
            Ok(Argument::Template(text)) => match variable(&text) {
                Some(variable) => {
                    ("get", path_of(variable.keys.into_iter().map(Value::from).collect()))
                }
                None => ("raw", text.into()),
            },
            Err(why) => return wrong(why, place, report),
        };
        self.spend(operand.1.to_string().len(), place, report)?;
        Some(operand)
    }
}

fn is_parameter(keys: &[Value]) -> bool {
    keys.first().and_then(Value::as_str) == Some(PARAM)
}

/// A path as one writes it: with dots, unless a key has some of its own.
fn path_of(keys: Vec<Value>) -> Value {
    let plain = |key: &Value| {
        key.as_str().is_some_and(|key| !key.is_empty() && !key.contains(['.', '[', ']', '{']))
    };
    if !keys.iter().all(plain) {
        return Value::Array(keys);
    }
    keys.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".").into()
}

/// A path with a template in it, behind `steps`; nothing where no name comes next.
fn prefixed(text: &str, prefix: &str) -> Option<String> {
    let rest = text.strip_prefix(STEPS)?;
    let opening = ["['", "[\"", "."].into_iter().find(|opening| rest.starts_with(opening))?;
    let name = rest.get(opening.len()..).filter(|name| !name.starts_with(['[', '.']))?;
    Some(format!("{STEPS}{opening}{prefix}{name}"))
}

/// A JSONPath with the ids of the fragment's steps as they are at a use of it.
///
/// # Errors
/// It reads a parameter, or an id in it cannot be written so.
fn json_path(path: &str, prefix: &str) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(path.len() + prefix.len()), path);
    while let Some(c) = rest.chars().next() {
        let Some(root) = rest.strip_prefix('$').and_then(Name::read) else {
            let taken = if matches!(c, '\'' | '"') { string(rest) } else { c.len_utf8() };
            let (taken, after) = rest.split_at(taken);
            out.push_str(taken);
            rest = after;
            continue;
        };
        if root.text == PARAM {
            return Err(format!("a JSONPath does not see `{PARAM}`; read it with `get`"));
        }
        let (before, after) = rest.split_at(1 + root.length);
        out.push_str(before);
        rest = after;
        if root.text != STEPS {
            continue;
        }
        if let Some(id) = Name::read(after) {
            out.extend(["[", id.quote, prefix, id.text, id.quote, "]"]);
            rest = after.get(id.length..).unwrap_or_default();
        } else if [".{{", "['", "[\""].iter().any(|opening| after.starts_with(opening)) {
            return Err("one id is wanted behind `$.steps`, as in `$.steps['call']`".to_owned());
        }
    }
    Ok(out)
}

/// A name at the start of a part of a JSONPath: `.name`, `['name']` or `["name"]`.
struct Name<'p> {
    /// Without its quotes, and as it is written.
    text: &'p str,
    quote: &'static str,
    /// How long it is, with dot or brackets.
    length: usize,
}

impl<'p> Name<'p> {
    fn read(text: &'p str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('.') {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let name = rest.get(..end.unwrap_or(rest.len())).filter(|name| !name.is_empty())?;
            return Some(Self { text: name, quote: "'", length: 1 + name.len() });
        }
        let inside = text.strip_prefix('[')?.trim_start();
        let quote = ["'", "\""].into_iter().find(|quote| inside.starts_with(quote))?;
        let (written, after) = inside.split_at(string(inside));
        let name = written.strip_prefix(quote)?.strip_suffix(quote)?;
        let rest = after.trim_start().strip_prefix(']')?;
        Some(Self { text: name, quote, length: text.len() - rest.len() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_json_path_follows_the_ids() {
        for (path, result) in [
            ("$.steps.call.status", "$.steps['k--call'].status"),
            ("$.steps['call'].x", "$.steps['k--call'].x"),
            ("$.steps[\"a\"]", "$.steps[\"k--a\"]"),
            ("$['steps'][ 'a' ].b", "$['steps']['k--a'].b"),
            ("$['steps'].a", "$['steps']['k--a']"),
            ("$.steps['{{param.which}}']", "$.steps['k--{{param.which}}']"),
            ("$.steps.*", "$.steps.*"),
            ("$.order[?@.id == $.steps.call.id]", "$.order[?@.id == $.steps['k--call'].id]"),
            ("$.order[?@.id == '$.steps.call']", "$.order[?@.id == '$.steps.call']"),
            ("$.order['$.param']", "$.order['$.param']"),
            ("$.steps", "$.steps"),
            ("$.steps[", "$.steps["),
            ("$['", "$['"),
        ] {
            assert_eq!(json_path(path, "k--").as_deref(), Ok(result), "{path}");
        }
        for path in ["$.param.a", "$['param'].a", "$.steps['a', 'b']", "$.steps.{{param.a}}"] {
            assert!(json_path(path, "k--").is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_with_a_template_gets_the_prefix_before_it() {
        for (path, result) in [
            ("steps.{{param.a}}.x", Some("steps.k--{{param.a}}.x")),
            ("steps['{{param.a}}']", Some("steps['k--{{param.a}}']")),
            ("steps[{{param.a}}]", None),
            ("param.{{a}}", None),
        ] {
            assert_eq!(prefixed(path, "k--").as_deref(), result, "{path}");
        }
    }

    #[test]
    fn a_path_is_written_with_dots_where_it_can_be() {
        assert_eq!(path_of(vec![json!("a"), json!("b c")]), json!("a.b c"));
        assert_eq!(path_of(vec![json!("a"), json!("b.c")]), json!(["a", "b.c"]));
        assert_eq!(path_of(vec![json!("a"), json!(0)]), json!(["a", 0]));
    }
}
