//! The diagnostics of one check, gathered in any order and closed in the source's.

use std::{cell::Cell, collections::HashSet, ops::Range};

use super::{
    parts::{Part, Parts},
    suggest,
};
use crate::{Diagnostic, Severity, diagnostic::UsedBy};

/// How many diagnostics a check gives at most; the last one then says how many more.
pub(super) const MOST: usize = 100;
/// How many letters are compared with each other for all guesses of what was meant.
const GUESSES: usize = 20_000_000;

/// Gathers diagnostics.
pub(super) struct Report<'a> {
    /// What is being checked.
    pub source: &'a str,
    /// The source, and behind it what it includes: each span lies in one of them.
    parts: Parts<'a>,
    diagnostics: Vec<Diagnostic>,
    /// How many more letters may be compared with each other for a guess.
    guesses: Cell<usize>,
}

impl<'a> Report<'a> {
    pub fn new(source: &'a str) -> Self {
        Self {
            source,
            parts: Parts::of(source),
            diagnostics: Vec::new(),
            guesses: Cell::new(GUESSES),
        }
    }

    /// Takes in the text of a file that the source includes, and answers where its spans
    /// begin. The same file may be taken in again and again.
    pub fn include(&mut self, part: Part<'a>) -> usize {
        self.parts.add(part)
    }

    /// Takes over what was found in a text that was read alone, and begins at `base`.
    pub fn absorb(&mut self, other: Self, base: usize) {
        self.diagnostics.extend(other.diagnostics.into_iter().map(|mut diagnostic| {
            diagnostic.span = diagnostic.span.start + base..diagnostic.span.end + base;
            diagnostic
        }));
    }

    /// The line a byte stands on, from 1, in its file.
    pub fn line(&self, offset: usize) -> usize {
        self.parts.at(offset).position(offset).0
    }

    /// The step at `offset`, as one that uses a file.
    pub fn user(&self, offset: usize, step: &str) -> Vec<UsedBy> {
        self.parts.at(offset).user(offset, step)
    }

    /// The bytes as they were written.
    pub fn written(&self, span: &Range<usize>) -> &'a str {
        self.parts.at(span.start).written(span)
    }

    /// Takes note that what stands at `span` and `pointer` is a value that a fragment is given:
    /// whatever is said of it where it is used is told there.
    pub fn given(&mut self, span: Range<usize>, pointer: String) {
        self.parts.given.insert((span.start, span.end), pointer);
    }

    /// A text in the words of whoever wrote the file that `offset` lies in: of the ids of its
    /// steps as they are at one of its uses, those that it gave them.
    pub fn plain(&self, offset: usize, text: String) -> String {
        self.parts.at(offset).plain(text)
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

    /// Everything in the order of the source, and of the files that it includes after that,
    /// each place and message once, with lines and columns. An anchor or a fragment used twice
    /// would otherwise say everything twice.
    pub fn close(self) -> Vec<Diagnostic> {
        let Self { parts, diagnostics, .. } = self;
        let mut found: Vec<Found> =
            diagnostics.into_iter().map(|diagnostic| parts.localized(diagnostic)).collect();
        found.sort_by_key(Found::order);
        let mut seen = HashSet::new();
        found.retain(|Found { file, diagnostic: d }| {
            seen.insert((*file, d.code, d.span.clone(), d.message.clone()))
        });
        shortened(found).into_iter().map(|found| found.diagnostic).collect()
    }
}

/// A diagnostic whose place is one in its file.
pub(super) struct Found {
    /// The files are numbered; the source itself is the first.
    pub file: usize,
    pub diagnostic: Diagnostic,
}

impl Found {
    fn order(&self) -> (usize, usize, usize) {
        (self.file, self.diagnostic.span.start, self.diagnostic.span.end)
    }
}

/// At most [`MOST`], errors before warnings, and a note of what was left out.
fn shortened(found: Vec<Found>) -> Vec<Found> {
    if found.len() <= MOST {
        return found;
    }
    let (mut kept, warnings): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| found.diagnostic.severity == Severity::Error);
    kept.extend(warnings);
    let left_out = kept.split_off(MOST);
    kept.sort_by_key(Found::order);
    let note = left_out.first().map(|first| Found {
        file: first.file,
        diagnostic: Diagnostic {
            code: "more",
            message: format!("and {} more like these, from here on", left_out.len()),
            help: None,
            ..first.diagnostic.clone()
        },
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
