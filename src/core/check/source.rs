//! From text to a tree, whatever the text is.
//!
//! Promises: bounded work, no panic, and one clear diagnostic for what is no YAML
//! mapping at all.

use super::{
    compose::compose,
    node::{Data, Node},
    report::Report,
};
use crate::{Diagnostic, diagnostic::Place};

/// How long a source may be, in bytes.
const BYTES: usize = 1024 * 1024;

/// Reads the mapping that a sequence is.
pub(super) fn read(report: &mut Report<'_>) -> Option<Node> {
    if let Some(refused) = refused(report.source) {
        report.add(refused);
        return None;
    }
    let before = report.len();
    let root = compose(report);
    let diagnostic = match root {
        Some(Node { data: Data::Mapping(_), .. }) => return root,
        Some(Node { data: Data::Broken, .. }) => return None,
        None if report.len() > before => return None,
        None | Some(Node { data: Data::Null, .. }) => {
            Diagnostic::error("empty", Place::default(), "there is no sequence in here")
                .help("a sequence begins with `sequence: its-name`, then `steps:`".to_owned())
        }
        Some(other) => Diagnostic::error(
            "wrong-type",
            Place::new("", other.span.clone()),
            format!("expected a mapping with `sequence` and `steps`, found {}", other.describe()),
        ),
    };
    report.add(diagnostic);
    None
}

/// What can be refused without reading it.
fn refused(source: &str) -> Option<Diagnostic> {
    if source.len() > BYTES {
        let message = format!("this has {} bytes; a sequence may have {BYTES}", source.len());
        return Some(Diagnostic::error("too-large", Place::default(), message));
    }
    let is_junk = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let (at, character) = source.char_indices().find(|(_, c)| is_junk(*c))?;
    let message = format!("the character U+{:04X} cannot stand in YAML", u32::from(character));
    let place = Place::new("", at..at + character.len_utf8());
    Some(Diagnostic::error("not-text", place, message).help("is this a text file?".to_owned()))
}
