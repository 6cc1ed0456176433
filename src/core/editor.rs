//! What an editor asks while somebody writes: what may stand here, what is this, where does it
//! come from, what else must change with it.
//!
//! Promises: an answer to every question about every source, in a moment, from the same schema
//! that `rungs schema` prints: so a runner is known here as soon as it is known at all. Places are
//! bytes of the source.
//! Does not: read files, or speak a protocol. It says nothing of what is wrong; that is the
//! check's.
//! Called by: the language server (`src/lsp`).

use rungs_runners::Kind;
use serde_json::Value;

use crate::{
    Files,
    outline::{self, Node},
};
use fragments::Fragments;

mod complete;
mod files;
mod fix;
mod fragments;
mod hover;
mod lens;
mod names;
mod path;
mod rename;
mod symbols;
#[cfg(test)]
mod tests;
mod variables;
mod vocabulary;

pub use complete::{Completion, Sort, complete};
pub use files::file_at;
pub use fix::{Fix, fix};
pub use hover::{Hover, hover};
pub use lens::{Lens, lens};
pub use names::{Name, Role, name_at, named};
pub use rename::{Refused, renamed};
pub use symbols::{Symbol, symbols};
pub use vocabulary::Vocabulary;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A sequence.
    Sequence,
    /// Cases of a sequence.
    Cases,
}

/// An open source, and what is known around it.
pub struct Page<'a> {
    /// What it holds.
    pub form: Form,
    /// The text.
    pub source: &'a str,
    /// What may stand in it.
    pub vocabulary: &'a Vocabulary,
    /// Of cases: the source of their sequence, where that can be read.
    pub subject: Option<&'a str>,
    /// Data that a process may start with, where there is an example of it.
    pub example: Option<&'a Value>,
    /// The files that the sequence is made of.
    files: Files,
    fragments: Fragments,
    outline: Node,
}

impl<'a> Page<'a> {
    /// A source by itself; what is known around it is added with `with`.
    pub fn new(form: Form, source: &'a str, vocabulary: &'a Vocabulary) -> Self {
        let outline = outline::read(source);
        Self {
            form,
            source,
            vocabulary,
            subject: None,
            example: None,
            files: Files::default(),
            fragments: Fragments::default(),
            outline,
        }
    }

    /// The same with the source of the sequence, of cases, and with an example of its data.
    #[must_use]
    pub fn with(self, subject: Option<&'a str>, example: Option<&'a Value>) -> Self {
        Self { subject, example, ..self }
    }

    /// The same with the files that the sequence is made of.
    #[must_use]
    pub fn with_files(self, files: Files) -> Self {
        let fragments = Fragments::of(&self.outline, &files);
        Self { files, fragments, ..self }
    }

    /// The steps of the sequence that this is, or is about, under the names that others call them
    /// by, each with what it runs.
    fn steps(&self) -> Vec<(String, Option<String>)> {
        match (self.form, self.subject) {
            (Form::Sequence, _) => fragments::steps(&self.outline, &self.files),
            (Form::Cases, Some(subject)) => fragments::steps(&outline::read(subject), &self.files),
            (Form::Cases, None) => Vec::new(),
        }
    }

    fn kinds(&self) -> &'a [Kind] {
        self.vocabulary.kinds()
    }
}

/// What a text is by its top: editors show us every YAML there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A sequence.
    Sequence,
    /// Steps that sequences share.
    Fragment,
    /// Cases.
    Cases,
    /// Nothing yet: it may become one of these.
    Empty,
    /// Nothing of ours.
    Other,
}

/// What a text looks like, whether or not it is right.
pub fn look(source: &str) -> Look {
    let root = outline::read(source);
    let has = |key: &str| root.entry(key).is_some();
    if has("cases") {
        Look::Cases
    } else if has("sequence") {
        Look::Sequence
    } else if has("fragment") {
        Look::Fragment
    } else if root.entries().iter().any(|entry| entry.colon) {
        Look::Other
    } else {
        Look::Empty
    }
}
