//! The outline of a source while somebody writes it: what stands where, whether or not it is YAML
//! at the moment.
//!
//! Promises: a tree of every source, in one pass and within a small stack; what is written as
//! people write sequences is read as YAML reads it, and a broken line costs that line. Every text
//! and every key knows its bytes.
//! Does not: judge. That is for the check, whose own reading (`check::compose`) is exact: here
//! aliases are not followed, and a plain text ends with its line.
//! Called by: [`crate::editor`].

use std::ops::Range;

mod scan;

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub data: Data,
    /// Its bytes; of a text in quotes, those between them.
    pub span: Range<usize>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Nothing stands there (yet).
    Nothing,
    /// A scalar of any kind, as it is written.
    Text(String),
    /// Values in a row.
    List(Vec<Node>),
    /// Values by key.
    Mapping(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As it is written; perhaps not the only one of that name.
    pub key: String,
    /// The key's bytes, without quotes.
    pub key_span: Range<usize>,
    /// Whether a colon follows: a word alone on its line is one in the making.
    pub colon: bool,
    /// What stands under it.
    pub value: Node,
}

/// Reads whatever stands there.
pub fn read(source: &str) -> Node {
    scan::Scan::new(source).document()
}

impl Node {
    /// Nothing, at a place.
    pub(crate) fn nothing(at: usize) -> Self {
        Self { data: Data::Nothing, span: at..at }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A mapping's entries; nothing for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// A list's items; nothing for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The entry under `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key && entry.colon)
    }

    /// What stands under `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text under `key`.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }
}

#[cfg(test)]
mod tests;
