//! A step of a fragment at one of its uses: its parameters replaced by their values, and the
//! results of its steps called by the ids that they have there.
//!
//! Strings are templates; an operand of a condition (`{ type: get, value: ... }`) is a path or
//! a JSONPath, and follows as well: see `operand`.

use std::ops::Range;

use rungs_runners::template::is_template;

use super::{
    arguments::{Argument, Arguments},
    operand::Operand,
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

    pub(super) fn node(&mut self, node: &Node, pointer: String, report: &mut Report<'_>) -> Node {
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
                if let Some(operand) = Operand::read(entries) {
                    return self.operand(node, &operand, pointer, report);
                }
                let entries = entries.iter().map(|entry| self.entry(entry, &pointer, report));
                Data::Mapping(entries.collect())
            }
            plain => plain.clone(),
        };
        Node { data, span }
    }

    pub(super) fn moved(&self, span: &Range<usize>) -> Range<usize> {
        span.start + self.shift..span.end + self.shift
    }

    pub(super) fn text(&mut self, text: &str, place: Place, report: &mut Report<'_>) -> Node {
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

    /// The arguments, where there is such a parameter; that there is none is reported.
    pub(super) fn arguments_with(
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
    pub(super) fn spend(
        &mut self,
        bytes: usize,
        place: &Place,
        report: &mut Report<'_>,
    ) -> Option<()> {
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
pub(super) fn wrong<T>(why: String, place: &Place, report: &mut Report<'_>) -> Option<T> {
    report.add(Diagnostic::error("parameter", place.clone(), why));
    None
}

/// The path of a text that is one parameter and nothing else.
pub(super) fn whole(text: &str) -> Option<Vec<String>> {
    let mut path = only_path(only_tag(text)?)?;
    (path.first()? == PARAM && path.len() > 1).then(|| path.split_off(1))
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
