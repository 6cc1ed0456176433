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
pub mod cases;
mod compose;
mod config;
mod delivering;
mod duration;
mod expect;
mod graph;
mod input;
mod moved;
mod node;
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
mod weight;

pub(crate) use suggest::nearest;

use crate::{Diagnostic, Sequence, Severity, diagnostic::Place};

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

/// Checks a sequence written in YAML or JSON against the runners there are.
pub fn check(source: &str, kinds: &[Kind]) -> Checked {
    let mut report = report::Report::new(source);
    let sequence = source::read(&mut report)
        .and_then(|root| sequence::read(&root, kinds, &mut report))
        .filter(|_| !report.has_errors());
    Checked { sequence, diagnostics: report.close() }
}

/// A source as it is written, for comparing: nothing of it is checked. None if it is no mapping.
pub fn written(source: &str) -> Option<Value> {
    let mut report = report::Report::new(source);
    source::read(&mut report).map(|root| root.to_json())
}

/// Checks a source that may not even be text.
pub fn check_bytes(source: &[u8], kinds: &[Kind]) -> Checked {
    match std::str::from_utf8(source) {
        Ok(source) => check(source, kinds),
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
fn printed(value: &Value) -> String {
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
