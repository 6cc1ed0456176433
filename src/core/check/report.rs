//! The diagnostics of one check, gathered in any order and closed in the source's.

use std::{cell::Cell, collections::HashSet, ops::Range};

use super::suggest;
use crate::{Diagnostic, Severity, diagnostic::Lines};

/// How many diagnostics a check gives at most; the last one then says how many more.
pub(super) const MOST: usize = 100;
/// How many letters are compared with each other for all guesses of what was meant.
const GUESSES: usize = 20_000_000;

/// Gathers diagnostics.
pub(super) struct Report<'a> {
    /// What is being checked.
    pub source: &'a str,
    lines: Lines<'a>,
    diagnostics: Vec<Diagnostic>,
    /// How many more letters may be compared with each other for a guess.
    guesses: Cell<usize>,
}

impl<'a> Report<'a> {
    pub fn new(source: &'a str) -> Self {
        Self {
            source,
            lines: Lines::of(source),
            diagnostics: Vec::new(),
            guesses: Cell::new(GUESSES),
        }
    }

    /// The line a byte stands on, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.lines.number(offset)
    }

    /// The bytes as they were written.
    pub fn written(&self, span: &Range<usize>) -> &'a str {
        self.source.get(span.clone()).unwrap_or_default()
    }

    /// Takes a diagnostic.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// What to say of a `word` that is not among the `known` ones, unless so much has been
    /// guessed already that nobody will read it: it is the dearest part of a check.
    pub fn suggest<'k>(
        &self,
        word: &str,
        noun: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<String> {
        let known: Vec<&str> = known.into_iter().collect();
        let cost = word.len() * known.iter().map(|known| known.len()).sum::<usize>();
        let remaining = self.guesses.get().checked_sub(cost)?;
        self.guesses.set(remaining);
        suggest::help(word, noun, &known)
    }

    /// Whether an error has been reported.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many diagnostics there are so far.
    pub fn len(&self) -> usize {
        self.diagnostics.len()
    }

    /// Whether something taken since there were `since` is about `pointer`.
    pub fn mentions(&self, since: usize, pointer: &str) -> bool {
        self.diagnostics.iter().skip(since).any(|diagnostic| diagnostic.pointer == pointer)
    }

    /// Everything in the order of the source, each place and message once, with lines and
    /// columns. An anchor used twice would otherwise say everything twice.
    pub fn close(self) -> Vec<Diagnostic> {
        let Self { lines, mut diagnostics, .. } = self;
        diagnostics.sort_by_key(|found| (found.span.start, found.span.end));
        let mut seen = HashSet::new();
        diagnostics.retain(|d| seen.insert((d.code, d.span.clone(), d.message.clone())));
        let mut diagnostics = shortened(diagnostics);
        for diagnostic in &mut diagnostics {
            (diagnostic.line, diagnostic.column) = lines.position(diagnostic.span.start);
        }
        diagnostics
    }
}

/// At most [`MOST`], errors before warnings, and a note of what was left out.
fn shortened(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if diagnostics.len() <= MOST {
        return diagnostics;
    }
    let (mut kept, warnings): (Vec<_>, Vec<_>) =
        diagnostics.into_iter().partition(|found| found.severity == Severity::Error);
    kept.extend(warnings);
    let left_out = kept.split_off(MOST);
    kept.sort_by_key(|found| (found.span.start, found.span.end));
    let note = left_out.first().map(|first| Diagnostic {
        code: "more",
        message: format!("and {} more like these, from here on", left_out.len()),
        help: None,
        ..first.clone()
    });
    kept.extend(note);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn a_flood_is_cut_with_errors_kept_before_warnings() {
        let source = "x\n".repeat(300);
        let mut report = Report::new(&source);
        for index in 0..300 {
            let place = Place::new("", index * 2..index * 2 + 1);
            report.add(if index < 250 {
                Diagnostic::warning("w", place, "a warning")
            } else {
                Diagnostic::error("e", place, "an error")
            });
        }
        let diagnostics = report.close();
        assert_eq!(diagnostics.len(), MOST + 1);
        assert_eq!(diagnostics.iter().filter(|d| d.severity == Severity::Error).count(), 50);
        let note = diagnostics.last().unwrap();
        assert_eq!((note.code, note.line), ("more", 51));
        assert!(note.message.contains("200 more"), "{}", note.message);
    }

    #[test]
    fn the_same_at_the_same_place_is_said_once() {
        let mut report = Report::new("abc");
        for pointer in ["/a", "/b"] {
            report.add(Diagnostic::error("e", Place::new(pointer, 0..1), "twice"));
        }
        assert_eq!(report.close().len(), 1);
    }
}
