//! What the check found, for the author: file, line, column, what was expected, and did
//! you mean.

use serde::Serialize;

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
    pub span: std::ops::Range<usize>,
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
