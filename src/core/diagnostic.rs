//! What the check found, for the author: file, line, column, what was expected, and did
//! you mean.

use std::ops::Range;

use serde::{Serialize, Serializer};

mod lines;
mod render;

pub(crate) use lines::Lines;
pub use render::render;

use crate::files;

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
    /// The file it is about, where that is not the source itself but one that it includes.
    /// Pointer, line, column and span are those in that file.
    #[serde(skip)]
    pub included: Option<Box<Included>>,
}

/// A place in a file that a source includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// The file, as seen from the folder of the source: `shared/ring-kitchen.yml`.
    pub file: String,
    /// The line that the place is on, without its end.
    pub text: String,
    /// The steps that led there, the nearest first.
    pub used_by: Vec<UsedBy>,
}

/// A step that uses a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsedBy {
    /// The file it stands in, if that is not the source itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line there, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// Its id, as it stands there.
    pub step: String,
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
#[derive(Debug, Clone, Copy)]
pub struct InFile<'a> {
    /// The source's name, as the caller gave it.
    pub file: &'a str,
    /// What there is to say.
    pub diagnostic: &'a Diagnostic,
}

impl Serialize for InFile<'_> {
    /// Names the file that it is about, which may be one that the source includes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            file: String,
            #[serde(flatten)]
            diagnostic: &'a Diagnostic,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            used_by: Vec<UsedBy>,
        }
        let Self { file, diagnostic } = *self;
        let used_by = diagnostic.included.iter().flat_map(|included| &included.used_by);
        let written = Written {
            file: diagnostic.file(file),
            diagnostic,
            used_by: used_by
                .map(|used| UsedBy { file: Some(used.file(file)), ..used.clone() })
                .collect(),
        };
        written.serialize(serializer)
    }
}

impl Diagnostic {
    /// The file it is about, where `source` is the name of the source.
    pub fn file(&self, source: &str) -> String {
        named(source, self.included.as_ref().map(|included| included.file.as_str()))
    }
}

impl UsedBy {
    /// The file that the step stands in, where `source` is the name of the source.
    pub fn file(&self, source: &str) -> String {
        named(source, self.file.as_deref())
    }
}

/// A file beside `source`, or `source` itself.
fn named(source: &str, beside: Option<&str>) -> String {
    match beside {
        Some(file) => files::resolve(source, file).unwrap_or_else(|| file.to_owned()),
        None => source.to_owned(),
    }
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
        Self {
            severity,
            code,
            message,
            pointer,
            line: 0,
            column: 0,
            span,
            help: None,
            included: None,
        }
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
