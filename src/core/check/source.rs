//! From text to a tree, whatever the text is.
//!
//! Promises: bounded work, no panic, and one clear diagnostic for what is no YAML
//! mapping at all.

use super::{
    at::At,
    compose::{compose, compose_all},
    node::{Data, Node, quoted},
    parts::Part,
    report::Report,
};
use crate::{Diagnostic, diagnostic::Place, files};

/// How long a source may be, in bytes.
pub(super) const BYTES: usize = 1024 * 1024;

/// What a source holds.
pub(super) struct Source {
    /// The mapping that a sequence, or a fragment, is.
    pub root: Node,
    /// The files that it carries: their paths, and what they say.
    pub carried: Vec<(String, String)>,
}

/// Reads the mapping that a sequence is, and the files that come with it.
pub(super) fn read(report: &mut Report<'_>) -> Option<Source> {
    if let Some(refused) = refused(report.source) {
        report.add(refused);
        return None;
    }
    let before = report.len();
    let mut documents = compose_all(report).into_iter().flatten();
    let root = mapping(documents.next(), "sequence", before, report)?;
    let mut carried: Vec<(String, String)> = Vec::new();
    for document in documents {
        if let Some((path, text, place)) = file(&document, report) {
            if carried.iter().any(|(known, _)| *known == path) {
                let message = format!("the file {} is here already", quoted(&path));
                report.add(Diagnostic::error("duplicate-file", place, message));
            } else if carried.len() == files::MOST_FILES {
                let message = format!("a sequence has at most {} files", files::MOST_FILES);
                report.add(Diagnostic::error("too-large", place, message));
            } else {
                carried.push((path, text));
            }
        }
    }
    Some(Source { root, carried })
}

/// Reads a file that a source includes and that is a `what`, such as a fragment; its spans
/// begin at the returned number. `None` if it is no mapping, or cannot be read as far as that.
pub(super) fn read_included<'a>(
    part: Part<'a>,
    what: &str,
    report: &mut Report<'a>,
) -> Option<(usize, Node)> {
    let mut alone = Report::new(part.text);
    let refused = refused(part.text).map(|refused| alone.add(refused)).is_some();
    let root = if refused { None } else { compose(&mut alone) };
    let root = mapping(root, what, 0, &mut alone);
    let base = report.include(part);
    report.absorb(alone, base);
    root.map(|root| (base, root.moved(base)))
}

/// `{ file: shared/ring-kitchen.yml, text: ... }`.
fn file(document: &Node, report: &mut Report<'_>) -> Option<(String, String, Place)> {
    let at = At::root(document);
    at.refuse_unknown_keys(&["file", "text"], |_| None, report);
    let path = at.required("file", "its path, as seen from the sequence", report)?;
    let place = path.place();
    let path = path.text(report)?;
    if files::resolve("", path).as_deref() != Some(path) || path.starts_with('/') {
        let message = format!("{} is no path of a file that a sequence includes", quoted(path));
        let help = "such as `shared/ring-kitchen.yml`, as seen from the sequence".to_owned();
        report.add(Diagnostic::error("file", place, message).help(help));
        return None;
    }
    let text = at.required("text", "what the file says", report)?.text(report)?;
    Some((path.to_owned(), text.to_owned(), place))
}

/// The mapping at the root of a text; anything else is reported.
fn mapping(root: Option<Node>, what: &str, before: usize, report: &mut Report<'_>) -> Option<Node> {
    let diagnostic = match root {
        Some(Node { data: Data::Mapping(_), .. }) => return root,
        Some(Node { data: Data::Broken, .. }) => return None,
        None if report.len() > before => return None,
        None | Some(Node { data: Data::Null, .. }) => {
            Diagnostic::error("empty", Place::default(), format!("there is no {what} in here"))
                .help(format!("a {what} begins with `{what}: its-name`, then `steps:`"))
        }
        Some(other) => Diagnostic::error(
            "wrong-type",
            Place::new("", other.span.clone()),
            format!("expected a mapping with `{what}` and `steps`, found {}", other.describe()),
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
