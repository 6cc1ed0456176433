//! The texts that one check reads: the source, and the files that it includes.
//!
//! Promises: every text has bytes of its own on one long axis, so that a span alone says in
//! which file it stands, and by which step that is used. A fragment that is used five times
//! is there five times; its text is only borrowed.

use std::{cell::OnceCell, collections::HashMap, ops::Range};

use super::report::Found;
use crate::{
    Diagnostic,
    diagnostic::{Included, Lines, UsedBy},
};

/// A text.
#[derive(Default)]
pub(super) struct Part<'a> {
    /// What it says.
    pub text: &'a str,
    /// Its file, as seen from the source; none for the source itself.
    file: Option<&'a str>,
    /// What stands before the ids of its steps, which its author does not know.
    prefix: String,
    /// The steps that use it, the nearest first.
    used_by: Vec<UsedBy>,
    base: usize,
    /// The number of its file, by first appearance.
    number: usize,
    lines: OnceCell<Lines<'a>>,
}

impl<'a> Part<'a> {
    /// The text of a file.
    pub fn file(file: &'a str, text: &'a str) -> Self {
        Self { file: Some(file), text, ..Self::default() }
    }

    /// The same, used by these steps.
    pub fn used_by(self, used_by: Vec<UsedBy>) -> Self {
        Self { used_by, ..self }
    }

    /// The same, where the ids of its steps begin so.
    pub fn prefixed(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// Line and column of a byte, both from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        self.lines().position(offset.saturating_sub(self.base))
    }

    /// The bytes as they were written.
    pub fn written(&self, span: &Range<usize>) -> &'a str {
        self.text.get(self.local(span)).unwrap_or_default()
    }

    /// A step in it that uses a file, and those that use this one.
    pub fn user(&self, offset: usize, step: &str) -> Vec<UsedBy> {
        let (line, column) = self.position(offset);
        let file = self.file.map(str::to_owned);
        let mut used_by = vec![UsedBy { file, line, column, step: step.to_owned() }];
        used_by.extend(self.used_by.iter().cloned());
        used_by
    }

    fn lines(&self) -> &Lines<'a> {
        self.lines.get_or_init(|| Lines::of(self.text))
    }

    fn local(&self, span: &Range<usize>) -> Range<usize> {
        span.start.saturating_sub(self.base)..span.end.saturating_sub(self.base)
    }

    /// A text in the words of its author.
    pub fn plain(&self, text: String) -> String {
        if self.prefix.is_empty() || !text.contains(&self.prefix) {
            return text;
        }
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let mut plain = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(&self.prefix) {
            plain.push_str(before);
            if before.ends_with(is_part) {
                plain.push_str(&self.prefix);
            }
            rest = after;
        }
        plain + rest
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Parts<'a> {
    /// In the order of their bytes.
    all: Vec<Part<'a>>,
    /// What fragments are given: the bytes of a value, and its pointer.
    pub given: HashMap<(usize, usize), String>,
    none: Part<'a>,
}

impl<'a> Parts<'a> {
    /// The source alone.
    pub fn of(source: &'a str) -> Self {
        Self { all: vec![Part { text: source, ..Part::default() }], ..Self::default() }
    }

    /// Adds one, and answers where its bytes begin.
    pub fn add(&mut self, mut part: Part<'a>) -> usize {
        let end = self.all.last().map_or(0, |last| last.base + last.text.len() + 1);
        let same = self.all.iter().find(|known| known.file == part.file);
        let next = || self.all.iter().map(|part| part.number + 1).max().unwrap_or_default();
        part.number = same.map_or_else(next, |known| known.number);
        part.base = end;
        self.all.push(part);
        end
    }

    /// The one that a byte lies in.
    pub fn at(&self, offset: usize) -> &Part<'a> {
        let after = self.all.partition_point(|part| part.base <= offset);
        self.all.get(after.saturating_sub(1)).unwrap_or(&self.none)
    }

    /// A diagnostic as one about its file.
    pub fn localized(&self, mut diagnostic: Diagnostic) -> Found {
        let part = self.at(diagnostic.span.start);
        if let Some(pointer) = self.given.get(&(diagnostic.span.start, diagnostic.span.end)) {
            diagnostic.pointer.clone_from(pointer);
        }
        (diagnostic.line, diagnostic.column) = part.position(diagnostic.span.start);
        diagnostic.span = part.local(&diagnostic.span);
        diagnostic.message = part.plain(diagnostic.message);
        diagnostic.help = diagnostic.help.map(|help| part.plain(help));
        diagnostic.included = part.file.map(|file| {
            Box::new(Included {
                file: file.to_owned(),
                text: part.lines().text(diagnostic.line).to_owned(),
                used_by: part.used_by.clone(),
            })
        });
        Found { file: part.number, diagnostic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn a_span_says_in_which_file_it_stands_and_who_uses_it() {
        let mut parts = Parts::of("one\ntwo");
        let user = parts.at(4).user(4, "call");
        let first = parts.add(Part::file("x.yml", "three\nfour"));
        let again = Part::file("x.yml", "three\nfour").used_by(user).prefixed("call--");
        let again = parts.add(again);
        assert_eq!((first, again), (8, 19));
        let said = |at: usize| {
            parts.localized(Diagnostic::error("e", Place::new("", at..at + 4), "no step `call--a`"))
        };
        let found = said(0);
        assert_eq!((found.file, found.diagnostic.line, found.diagnostic.included), (0, 1, None));
        let found = said(first + 6);
        assert_eq!((found.file, found.diagnostic.line, found.diagnostic.span), (1, 2, 6..10));
        let found = said(again + 6);
        let included = found.diagnostic.included.unwrap();
        assert_eq!((found.file, found.diagnostic.line, found.diagnostic.span), (1, 2, 6..10));
        assert_eq!(found.diagnostic.message, "no step `a`");
        assert_eq!((included.text.as_str(), included.used_by[0].line), ("four", 2));
        assert_eq!(parts.at(again).written(&(again..again + 5)), "three");
    }
}
