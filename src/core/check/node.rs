//! The tree that a source is read into: JSON's values, each with its place.
//!
//! Promises: every value and every key knows its bytes in the source, and a JSON pointer
//! finds them. Called by every part of the check.

use std::ops::Range;

use serde_json::{Map, Number, Value};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The value.
    pub data: Data,
    /// Its bytes in the source.
    pub span: Range<usize>,
}

/// A value of JSON, or what should have been one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// Text.
    Text(String),
    /// Values in a row.
    List(Vec<Node>),
    /// Values by key.
    Mapping(Vec<Entry>),
    /// Something that has been reported already; nobody shall complain of it again.
    Broken,
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Unique in its mapping.
    pub key: String,
    /// The key's bytes in the source.
    pub key_span: Range<usize>,
    /// What stands under it.
    pub value: Node,
}

/// What a JSON pointer leads to.
pub(super) struct Found<'a> {
    /// The value, or the nearest one around where it would be.
    pub node: &'a Node,
    /// The key it stands under, if it stands in a mapping.
    pub key_span: Option<&'a Range<usize>>,
    /// Whether the pointer could be followed to its end.
    pub exact: bool,
}

impl Node {
    /// A mapping's entries; nothing for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The entry under `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it, or anything in it, has been reported as unreadable.
    pub fn is_broken(&self) -> bool {
        match &self.data {
            Data::Broken => true,
            Data::List(items) => items.iter().any(Self::is_broken),
            Data::Mapping(entries) => entries.iter().any(|entry| entry.value.is_broken()),
            _ => false,
        }
    }

    /// Follows a JSON pointer as far as it goes.
    pub fn find(&self, pointer: &str) -> Found<'_> {
        let mut found = Found { node: self, key_span: None, exact: true };
        for part in pointer.split('/').skip(1) {
            let step = match &found.node.data {
                Data::Mapping(_) => {
                    found.node.entry(&unescape(part)).map(|e| (&e.value, Some(&e.key_span)))
                }
                Data::List(items) => part
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index))
                    .map(|item| (item, None)),
                _ => None,
            };
            let Some((node, key_span)) = step else {
                found.exact = false;
                break;
            };
            found.node = node;
            found.key_span = key_span;
        }
        found
    }

    /// The plain value.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Null | Data::Broken => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// The same, where its text begins at `base`.
    pub fn moved(mut self, base: usize) -> Self {
        self.shift(base);
        self
    }

    fn shift(&mut self, base: usize) {
        let moved = |span: &Range<usize>| span.start + base..span.end + base;
        self.span = moved(&self.span);
        match &mut self.data {
            Data::List(items) => items.iter_mut().for_each(|item| item.shift(base)),
            Data::Mapping(entries) => {
                for entry in entries {
                    entry.key_span = moved(&entry.key_span);
                    entry.value.shift(base);
                }
            }
            _ => {}
        }
    }

    /// A plain value that stands at `span`.
    pub fn of_json(value: &Value, span: &Range<usize>) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(number) => Data::Number(number.clone()),
            Value::String(text) => Data::Text(text.clone()),
            Value::Array(items) => {
                Data::List(items.iter().map(|item| Self::of_json(item, span)).collect())
            }
            Value::Object(entries) => Data::Mapping(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_span: span.clone(),
                        value: Self::of_json(value, span),
                    })
                    .collect(),
            ),
        };
        Self { data, span: span.clone() }
    }

    /// How deep lists and mappings lie in each other in it.
    pub fn depth(&self) -> usize {
        let deepest = |depths: &mut dyn Iterator<Item = usize>| depths.max().unwrap_or_default();
        match &self.data {
            Data::List(items) => 1 + deepest(&mut items.iter().map(Self::depth)),
            Data::Mapping(entries) => {
                1 + deepest(&mut entries.iter().map(|entry| entry.value.depth()))
            }
            _ => 0,
        }
    }

    /// How many values it is made of.
    pub fn count(&self) -> usize {
        match &self.data {
            Data::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Data::Mapping(entries) => {
                1 + entries.iter().map(|entry| entry.value.count()).sum::<usize>()
            }
            _ => 1,
        }
    }

    /// How to call it in a sentence: `the text "abc"`, `a list`.
    pub fn describe(&self) -> String {
        match &self.data {
            Data::Null | Data::Broken => "nothing".into(),
            Data::Bool(value) => format!("`{value}`"),
            Data::Number(number) => format!("the number {number}"),
            Data::Text(text) if text.is_empty() => "an empty text".into(),
            Data::Text(text) => format!("the text {}", quoted(text)),
            Data::List(_) => "a list".into(),
            Data::Mapping(_) => "a mapping".into(),
        }
    }
}

/// A piece of the author's text inside a sentence: in backticks, short, on one line.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let mut short: String =
        text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// A pointer one key further.
pub(super) fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, span: Range<usize>) -> Node {
        Node { data: Data::Text(text.into()), span }
    }

    #[test]
    fn a_pointer_leads_to_a_value_or_to_the_nearest_around_it() {
        let list = Node { data: Data::List(vec![text("x", 8..9)]), span: 7..10 };
        let root = Node {
            data: Data::Mapping(vec![Entry { key: "a/b~c".into(), key_span: 0..5, value: list }]),
            span: 0..10,
        };
        let found = root.find("/a~1b~0c/0");
        assert_eq!((found.node.span.clone(), found.exact), (8..9, true));
        let found = root.find("/a~1b~0c/7/deep");
        assert_eq!((found.node.span.clone(), found.exact), (7..10, false));
        assert_eq!(found.key_span, Some(&(0..5)));
    }

    #[test]
    fn what_an_author_wrote_is_quoted_short_and_on_one_line() {
        assert_eq!(quoted("a\nb"), "`a b`");
        assert_eq!(quoted(&"ü".repeat(61)).chars().count(), 63);
    }
}
