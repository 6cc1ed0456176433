//! The way from the top of an outline to a place in it.

use crate::outline::{Data, Entry, Node};

/// One step of the way down.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'t> {
    /// To what stands under a key.
    Key(&'t str),
    /// To an item of a list.
    Item,
}

/// A container, and how the way goes on from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crumb<'t> {
    pub node: &'t Node,
    pub part: Part<'t>,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spot<'t> {
    /// A key.
    Key(&'t Entry),
    /// A value.
    Value(&'t Node),
}

/// Where a place is.
#[derive(Debug)]
pub(super) struct Found<'t> {
    /// The way to it. To a key, it leads to the mapping that the key stands in.
    pub path: Vec<Crumb<'t>>,
    /// The mapping that a key stands in, else the value itself.
    pub node: &'t Node,
    pub spot: Spot<'t>,
}

impl Found<'_> {
    /// The key under which it stands, or in whose mapping.
    pub fn last_key(&self) -> Option<&str> {
        match self.path.last()?.part {
            Part::Key(key) => Some(key),
            Part::Item => None,
        }
    }

    /// The step around it, where it is in one.
    pub fn step(&self) -> Option<&Node> {
        match self.path.get(..2)? {
            [Crumb { part: Part::Key("steps"), .. }, Crumb { part: Part::Item, .. }] => {
                Some(self.path.get(2).map_or(self.node, |crumb| crumb.node))
            }
            _ => None,
        }
    }

    /// Its path in words: keys, and `*` for items.
    pub fn words(&self) -> Vec<&str> {
        self.path
            .iter()
            .map(|crumb| match crumb.part {
                Part::Key(key) => key,
                Part::Item => "*",
            })
            .collect()
    }
}

/// What stands at a byte. White space between values belongs to the nearest value around it.
pub(super) fn find(root: &Node, at: usize) -> Found<'_> {
    let mut found = Found { path: Vec::new(), node: root, spot: Spot::Value(root) };
    loop {
        let node = found.node;
        let (part, next) = match &node.data {
            Data::Mapping(entries) => {
                let touches = |entry: &&Entry| {
                    entry.key_span.start <= at && at <= entry.value.span.end.max(entry.key_span.end)
                };
                let Some(entry) = entries.iter().rev().find(touches) else { return found };
                if at <= entry.key_span.end {
                    found.spot = Spot::Key(entry);
                    return found;
                }
                (Part::Key(&entry.key), &entry.value)
            }
            Data::List(items) => {
                let touches = |item: &&Node| item.span.start <= at && at <= item.span.end;
                let Some(item) = items.iter().rev().find(touches) else { return found };
                (Part::Item, item)
            }
            Data::Text(_) | Data::Nothing => return found,
        };
        found.path.push(Crumb { node, part });
        (found.node, found.spot) = (next, Spot::Value(next));
    }
}
