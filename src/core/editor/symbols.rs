//! What a file consists of.

use std::ops::Range;

use super::{Form, Page};
use crate::outline::Node;

/// How many are told at most; a sequence has no more steps.
const MOST: usize = 1000;

/// Something that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// A few words beside that.
    pub detail: Option<String>,
    /// All of its bytes.
    pub span: Range<usize>,
    /// Those of its name.
    pub name_span: Range<usize>,
    /// What it consists of.
    pub children: Vec<Symbol>,
}

/// A sequence with its steps, or the cases.
pub fn symbols(page: &Page<'_>) -> Vec<Symbol> {
    let root = &page.outline;
    match page.form {
        Form::Sequence => {
            let steps = each(root, "steps", "id", |step| step.word("run"));
            let Some(name) = root.get("sequence") else { return steps };
            vec![Symbol {
                name: shown(name),
                detail: None,
                span: 0..page.source.len(),
                name_span: name.span.clone(),
                children: steps,
            }]
        }
        Form::Cases => each(root, "cases", "case", |_| None),
    }
}

fn each(root: &Node, list: &str, name: &str, detail: fn(&Node) -> Option<&str>) -> Vec<Symbol> {
    let items = root.get(list).map_or(&[][..], Node::items).iter();
    items
        .take(MOST)
        .filter_map(|item| {
            let named = item.get(name)?;
            Some(Symbol {
                name: shown(named),
                detail: detail(item).map(str::to_owned),
                span: item.span.clone(),
                name_span: named.span.clone(),
                children: Vec::new(),
            })
        })
        .collect()
}

/// A name; editors refuse an empty one.
fn shown(node: &Node) -> String {
    node.text().filter(|name| !name.trim().is_empty()).unwrap_or("?").to_owned()
}
