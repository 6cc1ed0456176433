//! A node on its way from the root: what it is, where it stands, and how to go on from it.

use std::ops::Range;

use super::{
    node::{Data, Node, join},
    report::Report,
};
use crate::{Diagnostic, diagnostic::Place};

/// A node with its pointer.
#[derive(Clone)]
pub(super) struct At<'a> {
    /// The node.
    pub node: &'a Node,
    /// Its JSON pointer from the root.
    pub pointer: String,
    /// The key it stands under.
    pub key_span: Option<Range<usize>>,
}

impl<'a> At<'a> {
    /// The root of a source.
    pub fn root(node: &'a Node) -> Self {
        Self { node, pointer: String::new(), key_span: None }
    }

    /// What stands under `key`.
    pub fn field(&self, key: &str) -> Option<At<'a>> {
        self.node.entry(key).map(|entry| At {
            node: &entry.value,
            pointer: join(&self.pointer, key),
            key_span: Some(entry.key_span.clone()),
        })
    }

    /// What stands at `pointer` below this node, or else the nearest around it.
    pub fn find(&self, pointer: &str) -> At<'a> {
        let found = self.node.find(pointer);
        At {
            node: found.node,
            pointer: format!("{}{pointer}", self.pointer),
            key_span: found.key_span.or(self.key_span.as_ref()).cloned(),
        }
    }

    /// The value's place, or its key's where no value stands.
    pub fn place(&self) -> Place {
        if self.node.span.is_empty() {
            return self.key_place();
        }
        Place::new(&self.pointer, self.node.span.clone())
    }

    /// The place of the key it stands under, or of the value where there is none.
    pub fn key_place(&self) -> Place {
        let span = self.key_span.as_ref().unwrap_or(&self.node.span);
        Place::new(&self.pointer, span.clone())
    }

    /// The place of one of the keys in it.
    pub fn place_of_key(&self, key: &str) -> Place {
        let span = self.node.entry(key).map_or(&self.node.span, |entry| &entry.key_span);
        Place::new(join(&self.pointer, key), span.clone())
    }

    /// Reports that it is not what was `expected`, unless it has been reported already.
    pub fn expected(&self, expected: &str, report: &mut Report<'_>) {
        if self.node.data == Data::Broken {
            return;
        }
        let message = format!("expected {expected}, found {}", self.node.describe());
        let help = match &self.node.data {
            Data::Number(_) | Data::Bool(_) if expected.contains("a string") => {
                Some(format!("write it in quotes: \"{}\"", report.written(&self.node.span)))
            }
            Data::Text(text)
                if expected.contains("number") && text.trim().parse::<f64>().is_ok() =>
            {
                Some(format!("write it without quotes: {}", text.trim()))
            }
            Data::Text(text)
                if expected.contains("true or false") && text.parse::<bool>().is_ok() =>
            {
                Some(format!("write it without quotes: {text}"))
            }
            _ => None,
        };
        report.add(Diagnostic::error("wrong-type", self.place(), message).help(help));
    }

    /// The text that stands here; anything else is reported.
    pub fn text(&self, report: &mut Report<'_>) -> Option<&'a str> {
        let text = self.node.text();
        if text.is_none() {
            self.expected("a string", report);
        }
        text
    }

    /// Whether a mapping stands here; anything else is reported.
    pub fn is_mapping(&self, report: &mut Report<'_>) -> bool {
        let is_mapping = matches!(self.node.data, Data::Mapping(_));
        if !is_mapping {
            self.expected("a mapping", report);
        }
        is_mapping
    }

    /// Reports the keys that nobody knows. `hint` may know better than the spelling.
    pub fn refuse_unknown_keys(
        &self,
        known: &[&str],
        hint: impl Fn(&str) -> Option<String>,
        report: &mut Report<'_>,
    ) {
        for entry in self.node.entries() {
            let key = entry.key.as_str();
            if known.contains(&key) {
                continue;
            }
            let help = hint(key).or_else(|| report.suggest(key, "keys", known.iter().copied()));
            let place = Place::new(join(&self.pointer, key), entry.key_span.clone());
            report.add(Diagnostic::error("unknown-key", place, unknown_key(key)).help(help));
        }
    }

    /// What stands under a key that must be there; its absence is reported.
    pub fn required(&self, key: &str, help: &str, report: &mut Report<'_>) -> Option<At<'a>> {
        let field = self.field(key);
        if field.is_none() {
            let message = format!("the key `{key}` is missing");
            report.add(
                Diagnostic::error("missing-key", self.key_place(), message).help(help.to_owned()),
            );
        }
        field
    }
}

/// The message for a key that nobody knows.
pub(super) fn unknown_key(key: &str) -> String {
    format!("there is no key {} here", super::node::quoted(key))
}
