//! A step of a fragment at one of its uses: its parameters replaced by their values, and the
//! results of its steps called by the ids that they have there.
//!
//! Strings are templates; an operand of a condition (`{ type: get, value: ... }`) is a path or
//! a JSONPath, and follows as well.

use std::ops::Range;

use rungs_runners::template::is_template;
use serde_json::Value;

use super::{
    arguments::{Argument, Arguments, variable},
    tags::{self, PARAM, only_path, only_tag},
};
use crate::{
    Diagnostic,
    check::{
        compose::DEPTH,
        node::{Data, Entry, Node, join, quoted},
        report::Report,
    },
    diagnostic::Place,
};

/// Keys of a step that are its fragment's own words.
const NAMES: [&str; 4] = ["id", "run", "next", "altNext"];

/// What stands in a fragment at one of its uses.
pub(super) struct Substitution<'s> {
    /// The values of its parameters; none if there is an error in them.
    pub arguments: Option<&'s Arguments>,
    /// The parameters it says it takes; none if it takes any.
    pub known: Option<&'s [String]>,
    /// What the ids of its steps begin with there.
    pub prefix: &'s str,
    /// How far its text is moved.
    pub shift: usize,
    /// How many bytes of text it may still write.
    pub bytes: &'s mut usize,
}

impl<'s> Substitution<'s> {
    /// A step of the fragment, as it is there.
    pub fn step(&mut self, node: &Node, position: usize, report: &mut Report<'_>) -> Node {
        let Data::Mapping(entries) = &node.data else { return node.clone().moved(self.shift) };
        let pointer = format!("/steps/{position}");
        let entries = entries.iter().map(|entry| {
            if NAMES.contains(&entry.key.as_str()) {
                let key_span = self.moved(&entry.key_span);
                let value = entry.value.clone().moved(self.shift);
                return Entry { key: entry.key.clone(), key_span, value };
            }
            self.entry(entry, &pointer, report)
        });
        Node { data: Data::Mapping(entries.collect()), span: self.moved(&node.span) }
    }

    fn entry(&mut self, entry: &Entry, pointer: &str, report: &mut Report<'_>) -> Entry {
        Entry {
            key: entry.key.clone(),
            key_span: self.moved(&entry.key_span),
            value: self.node(&entry.value, join(pointer, &entry.key), report),
        }
    }

    fn node(&mut self, node: &Node, pointer: String, report: &mut Report<'_>) -> Node {
        let span = self.moved(&node.span);
        let data = match &node.data {
            Data::Text(text) => return self.text(text, Place::new(pointer, span), report),
            Data::List(items) => {
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.node(item, format!("{pointer}/{index}"), report));
                Data::List(items.collect())
            }
            Data::Mapping(entries) => {
                if let Some(operand) = operand(entries) {
                    return self.operand(node, operand, &Place::new(pointer, span), report);
                }
                let entries = entries.iter().map(|entry| self.entry(entry, &pointer, report));
                Data::Mapping(entries.collect())
            }
            plain => plain.clone(),
        };
        Node { data, span }
    }

    fn moved(&self, span: &Range<usize>) -> Range<usize> {
        span.start + self.shift..span.end + self.shift
    }

    fn text(&mut self, text: &str, place: Place, report: &mut Report<'_>) -> Node {
        if !is_template(text) || ![PARAM, "steps"].iter().any(|word| text.contains(word)) {
            return Node { data: Data::Text(text.to_owned()), span: place.span };
        }
        let written = match whole(text) {
            Some(path) => self.value(&path, &place, report),
            None => self.rewritten(text, &place, report),
        };
        written.unwrap_or(Node { data: Data::Broken, span: place.span })
    }

    /// What a parameter stands for, whatever that is. It is where it was given, so that what is
    /// wrong with it is told there.
    fn value(&mut self, path: &[String], place: &Place, report: &mut Report<'_>) -> Option<Node> {
        let arguments = self.arguments_with(path, place, report)?;
        let value = match arguments.find(path) {
            Ok(Argument::Plain(value)) => value,
            Ok(Argument::Template(text)) => text.into(),
            Err(why) => return wrong(why, place, report),
        };
        let bytes = value.as_str().map_or_else(|| value.to_string().len(), str::len);
        self.spend(bytes, place, report)?;
        let given = arguments.place(path);
        let span = given.as_ref().map_or(&place.span, |given| &given.span);
        let node = Node::of_json(&value, span);
        if node.depth() + place.pointer.matches('/').count() > DEPTH {
            let why = format!("with this, lists and mappings lie more than {DEPTH} deep");
            return wrong(why, place, report);
        }
        if let Some(Place { pointer, span }) = given {
            report.given(span, pointer);
        }
        Some(node)
    }

    /// A text with parameters and results in it.
    fn rewritten(&mut self, text: &str, place: &Place, report: &mut Report<'_>) -> Option<Node> {
        let (mut is_broken, mut left) = (false, Some(*self.bytes));
        let written = tags::rewrite(text, self.prefix, &mut |found| {
            let arguments = self.arguments_with(&found.path, place, report);
            is_broken |= arguments.is_none();
            let put = arguments.map_or(Ok(String::new()), |arguments| arguments.put(found))?;
            // A long value may stand here thousands of times: it goes on no further.
            left = left.and_then(|left| left.checked_sub(put.len()));
            left.map(|_| put).ok_or_else(String::new)
        });
        match written {
            _ if left.is_none() => self.spend(usize::MAX, place, report).and(None),
            Err(why) => wrong(why, place, report),
            Ok(_) if is_broken => None,
            Ok(written) => {
                self.spend(written.len(), place, report)?;
                Some(Node { data: Data::Text(written), span: place.span.clone() })
            }
        }
    }

    /// An operand that reads a parameter, or the result of a step of the fragment's own.
    fn operand(
        &mut self,
        node: &Node,
        (of_type, path): (&str, &str),
        place: &Place,
        report: &mut Report<'_>,
    ) -> Node {
        let written = match (of_type, path.strip_prefix("param.")) {
            ("get", Some(path)) => self.parameter(path, place, report),
            ("get", None) => {
                let own = path.strip_prefix("steps.").unwrap_or_default();
                Some(("get", format!("steps.{}{own}", self.prefix).into()))
            }
            _ if path.contains("$.param") => {
                let why = format!("a JSONPath does not see `{PARAM}`; read it with `get`");
                wrong(why, place, report)
            }
            _ => Some(("jsonpath", json_path(path, self.prefix).into())),
        };
        let Some((of_type, value)) = written else {
            return Node { data: Data::Broken, span: place.span.clone() };
        };
        let entries = node.entries().iter().map(|entry| {
            let span = self.moved(&entry.value.span);
            let value = match entry.key.as_str() {
                "type" => Node { data: Data::Text(of_type.to_owned()), span },
                _ => Node::of_json(&value, &span),
            };
            Entry { key: entry.key.clone(), key_span: self.moved(&entry.key_span), value }
        });
        Node { data: Data::Mapping(entries.collect()), span: place.span.clone() }
    }

    /// A parameter as an operand: its value, or what it stands for in the data.
    fn parameter(
        &mut self,
        path: &str,
        place: &Place,
        report: &mut Report<'_>,
    ) -> Option<(&'static str, Value)> {
        let keys = path.split(['.', '[']).map(|key| key.trim_end_matches(']').to_owned());
        let keys: Vec<String> = keys.collect();
        let operand = match self.arguments_with(&keys, place, report)?.find(&keys) {
            Ok(Argument::Plain(value)) => ("raw", value),
            Ok(Argument::Template(text)) => match variable(&text) {
                Some(path) if !path.contains(['[', '/', '@']) => ("get", path.into()),
                _ => ("raw", text.into()),
            },
            Err(why) => return wrong(why, place, report),
        };
        self.spend(operand.1.to_string().len(), place, report)?;
        Some(operand)
    }

    /// The arguments, where there is such a parameter; that there is none is reported.
    fn arguments_with(
        &self,
        path: &[String],
        place: &Place,
        report: &mut Report<'_>,
    ) -> Option<&'s Arguments> {
        let name = path.first().map_or("", String::as_str);
        let Some(known) = self.known.filter(|known| !known.iter().any(|known| known == name))
        else {
            return self.arguments;
        };
        let help = report.suggest(name, "parameters", known.iter().map(String::as_str));
        let message = format!("this fragment has no parameter {}", quoted(name));
        let place = narrowed(place, &format!("{PARAM}.{name}"), report);
        report.add(Diagnostic::error("unknown-parameter", place, message).help(help));
        None
    }

    /// Counts what is written, and says when it is too much.
    fn spend(&mut self, bytes: usize, place: &Place, report: &mut Report<'_>) -> Option<()> {
        let rest = self.bytes.checked_sub(bytes);
        *self.bytes = rest.unwrap_or_default();
        if rest.is_none() {
            let message = "with its parameters this is more text than a sequence may have";
            report.add(Diagnostic::error("too-large", place.clone(), message));
        }
        rest.map(|_| ())
    }
}

/// Reports what cannot be done with a parameter.
fn wrong<T>(why: String, place: &Place, report: &mut Report<'_>) -> Option<T> {
    report.add(Diagnostic::error("parameter", place.clone(), why));
    None
}

/// The path of a text that is one parameter and nothing else.
fn whole(text: &str) -> Option<Vec<String>> {
    let mut path = only_path(only_tag(text)?)?;
    (path.first()? == PARAM && path.len() > 1).then(|| path.split_off(1))
}

/// `{ type: get, value: ... }` or `{ type: jsonpath, value: ... }` with a literal path that
/// reads something of the fragment's.
fn operand(entries: &[Entry]) -> Option<(&str, &str)> {
    let text = |key: &str| entries.iter().find(|entry| entry.key == key)?.value.text();
    let (of_type, path) = (text("type")?, text("value")?);
    let is_own = match of_type {
        "get" => ["param.", "steps."].iter().any(|root| path.starts_with(root)),
        "jsonpath" => path.contains("steps") || path.contains(PARAM),
        _ => false,
    };
    (entries.len() == 2 && is_own && !is_template(path)).then_some((of_type, path))
}

/// A JSONPath with the ids of the fragment's steps as they are at a use of it.
fn json_path(path: &str, prefix: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(path.len() + prefix.len()), path);
    while let Some(at) = rest.find("$.steps") {
        let (before, from) = rest.split_at(at + "$.steps".len());
        out.push_str(before);
        rest = from;
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        if let Some(named) = from.strip_prefix('.').filter(|named| named.starts_with(is_name)) {
            let length = named.find(|c| !is_name(c)).unwrap_or(named.len());
            let (name, after) = named.split_at(length);
            out.extend(["['", prefix, name, "']"]);
            rest = after;
        } else if let Some(quote) = ["['", "[\""].iter().find(|quote| from.starts_with(**quote)) {
            out.push_str(quote);
            out.push_str(prefix);
            rest = from.get(quote.len()..).unwrap_or_default();
        }
    }
    out + rest
}

/// The place of a word within a text, where it is written in one piece.
fn narrowed(place: &Place, word: &str, report: &Report<'_>) -> Place {
    let mut place = place.clone();
    if let Some(offset) = report.written(&place.span).find(word) {
        let start = place.span.start + offset;
        place.span = start..start + word.len();
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_path_follows_the_ids() {
        for (path, result) in [
            ("$.steps.call.status", "$.steps['k--call'].status"),
            ("$.steps['call'].x", "$.steps['k--call'].x"),
            ("$.steps[\"a\"]", "$.steps[\"k--a\"]"),
            ("$.steps.*", "$.steps.*"),
            ("$.order[?@.id == $.steps.call.id]", "$.order[?@.id == $.steps['k--call'].id]"),
            ("$.steps", "$.steps"),
        ] {
            assert_eq!(json_path(path, "k--"), result, "{path}");
        }
    }
}
