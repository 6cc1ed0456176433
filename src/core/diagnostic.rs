//! What the check found, for the author: file, line, column, what was expected, and did
//! you mean.

use std::ops::Range;

use serde::Serialize;

mod lines;
mod render;

pub(crate) use lines::Lines;
pub use render::render;

/// One thing to say about a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether it keeps the sequence from running.
    pub severity: Severity,
    /// A stable name of the rule, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// JSON pointer of the place inside the sequence.
    pub pointer: String,
    /// Line in the source, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Byte range in the source.
    #[serde(skip)]
    pub span: Range<usize>,
    /// What to write instead, or what was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// Whether it keeps the sequence from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The sequence cannot run.
    Error,
    /// It can, and probably not as it was meant.
    Warning,
}

/// A diagnostic as machines read it: with the file it is about.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct InFile<'a> {
    /// The file's name, as the caller gave it.
    pub file: &'a str,
    /// What there is to say.
    #[serde(flatten)]
    pub diagnostic: &'a Diagnostic,
}

/// Where in a source something stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// JSON pointer inside the sequence.
    pub pointer: String,
    /// Byte range in the source.
    pub span: Range<usize>,
}

impl Place {
    /// The place of `pointer` at `span`.
    pub fn new(pointer: impl Into<String>, span: Range<usize>) -> Self {
        Self { pointer: pointer.into(), span }
    }
}

impl Diagnostic {
    fn new(severity: Severity, code: &'static str, place: Place, message: String) -> Self {
        let Place { pointer, span } = place;
        Self { severity, code, message, pointer, line: 0, column: 0, span, help: None }
    }

    /// An error; line and column are filled in when the report is closed.
    pub(crate) fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, message.into())
    }

    /// A warning, likewise.
    pub(crate) fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, message.into())
    }

    /// The same with what to write instead, where there is something.
    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }
}
