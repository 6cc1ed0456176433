//! YAML (or JSON) to a checked [`Sequence`].
//!
//! Promises: every problem at once, each with its place, what was expected and, where it
//! can be guessed, what was meant; one mistake is told once. Whatever the input, an answer
//! within a moment and within a small stack. A sequence comes out if and only if there is
//! no error; warnings keep nothing from running.
//! Does not: look at the data of a process, or at the versions of a sequence.
//! Called by: every door that takes a sequence.
//!
//! The way through: `source` and `compose` read a tree of [`node`]s; `sequence` and `step`
//! read its shape, `config` and `schema` the configs of the runners, `input` the schema of
//! the data; `targets` follows the names, `graph` the ways, `variables` the templates.
//! All of them tell a [`report`].

use std::fmt::Write;

use rungs_runners::Kind;
use serde_json::Value;

mod at;
mod calendars;
pub mod cases;
mod compose;
mod config;
mod delivering;
pub(crate) mod expect;
mod fragment;
mod graph;
mod ics;
mod input;
pub mod limits;
mod moved;
mod node;
mod parts;
mod quiet;
mod report;
mod retry;
mod scalar;
mod schema;
mod sequence;
mod source;
mod step;
mod suggest;
mod syntax;
mod targets;
#[cfg(test)]
mod tests;
mod timezone;
mod variables;
mod wanted;
mod weight;

pub(crate) use step::is_id;
pub(crate) use suggest::nearest;
pub(crate) use wanted::wanted;

use crate::{Diagnostic, Files, Sequence, Severity, bundle, diagnostic::Place};

/// What came of a check.
#[derive(Debug)]
pub struct Checked {
    /// The sequence, unless there was an error.
    pub sequence: Option<Sequence>,
    /// Everything there is to say, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether there is an error among the diagnostics.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Checks a sequence written in YAML or JSON against the runners there are. The files that it
/// is made of are those that it carries.
pub fn check(source: &str, kinds: &[Kind]) -> Checked {
    check_with(source, &Files::default(), kinds)
}

/// Checks a sequence with the files that were gathered for it. One that carries files has no
/// use for others.
pub fn check_with(source: &str, files: &Files, kinds: &[Kind]) -> Checked {
    let mut report = report::Report::new(source);
    let Some(source::Source { root, carried }) = source::read(&mut report) else {
        return Checked { sequence: None, diagnostics: report.close() };
    };
    let carried = (!carried.is_empty()).then(|| Files::carried(carried));
    let files = carried.as_ref().unwrap_or(files);
    // From here on it may borrow from the files as well.
    let mut report: report::Report<'_> = report;
    if fragment::is_fragment(&root) {
        let place = at::At::root(&root).place_of_key("fragment");
        report.add(
            Diagnostic::error("fragment", place, "this is a fragment, and no sequence")
                .help("it runs where a step of a sequence says `run: ./` and its path".to_owned()),
        );
        return Checked { sequence: None, diagnostics: report.close() };
    }
    let sequence = sequence::read(&root, files, kinds, &mut report);
    if carried.is_none() {
        refuse_too_much(source, files, &mut report);
    }
    let sequence = sequence.filter(|_| !report.has_errors());
    Checked { sequence, diagnostics: report.close() }
}

/// What is too long once its files stand behind it could not be published.
fn refuse_too_much(source: &str, files: &Files, report: &mut report::Report<'_>) {
    let kept = bundle::pack(source, files).len();
    if kept > source::BYTES {
        let message = format!(
            "with its files this is kept as {kept} bytes; a sequence may have {}",
            source::BYTES
        );
        report.add(Diagnostic::error("too-large", Place::default(), message));
    }
}

/// A source as it is written, with the steps of its fragments in the place of those that run
/// them, for comparing. None if it is no mapping.
pub fn written(source: &str, kinds: &[Kind]) -> Option<Value> {
    let mut report = report::Report::new(source);
    let source::Source { root, carried } = source::read(&mut report)?;
    let files = Files::carried(carried);
    let mut report: report::Report<'_> = report;
    Some(sequence::written(&root, &files, kinds, &mut report))
}

/// Whether a text is meant as a fragment rather than as a sequence, whatever is wrong with it.
pub fn is_fragment(source: &str) -> bool {
    // Only some need to be read to know.
    source.contains("fragment") && {
        let mut report = report::Report::new(source);
        source::read(&mut report).is_some_and(|read| fragment::is_fragment(&read.root))
    }
}

/// The files that a source carries: their paths, and what they say.
///
/// # Errors
/// What keeps the source from being read.
pub fn carried(source: &str) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let mut report = report::Report::new(source);
    let read = source::read(&mut report);
    let diagnostics = report.close();
    let is_well = !diagnostics.iter().any(Diagnostic::is_error);
    read.filter(|_| is_well).map(|read| read.carried).ok_or(diagnostics)
}

/// Checks a fragment by itself: each of its parameters has some value that fits.
pub fn check_fragment(source: &str, files: &Files, kinds: &[Kind]) -> Vec<Diagnostic> {
    let mut report = report::Report::new(source);
    let Some(source::Source { root, .. }) = source::read(&mut report) else {
        return report.close();
    };
    let mut report: report::Report<'_> = report;
    sequence::read_fragment(&root, files, kinds, &mut report);
    report.close()
}

/// Checks a source that may not even be text.
pub fn check_bytes(source: &[u8], kinds: &[Kind]) -> Checked {
    check_bytes_with(source, &Files::default(), kinds)
}

/// Checks a source that may not even be text, with the files that were gathered for it.
pub fn check_bytes_with(source: &[u8], files: &Files, kinds: &[Kind]) -> Checked {
    match std::str::from_utf8(source) {
        Ok(source) => check_with(source, files, kinds),
        Err(error) => {
            let at = error.valid_up_to();
            let text = String::from_utf8_lossy(source);
            let mut report = report::Report::new(&text);
            report.add(
                Diagnostic::error("not-text", Place::new("", at..at), "this is not UTF-8 text")
                    .help("is this a text file? Save it as UTF-8".to_owned()),
            );
            Checked { sequence: None, diagnostics: report.close() }
        }
    }
}

/// Checks a sequence that is a JSON value already. Its pointers are those of the value;
/// lines and columns are those of the value as `serde_json` prints it prettily.
pub fn check_value(value: &Value, kinds: &[Kind]) -> Checked {
    check(&printed(value), kinds)
}

/// A JSON value as text that YAML reads alike. JSON lets some characters stand in its
/// strings that YAML wants escaped.
pub(crate) fn printed(value: &Value) -> String {
    let plain = format!("{value:#}");
    let mut printed = String::with_capacity(plain.len());
    for character in plain.chars() {
        match character {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(printed, "\\u{:04x}", u32::from(character));
            }
            _ => printed.push(character),
        }
    }
    printed
}
