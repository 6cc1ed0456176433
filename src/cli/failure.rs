//! Why a command did not do what it was asked, as one block on stderr and an exit code.

use std::{fmt::Write, io, process::ExitCode};

use rungs_core::{Diagnostic, InputProblem};

use crate::{channels, config, intake::Refusal, store::StoreError};

use super::output::{self, BAD, BOLD};

/// Refused or failed.
const REFUSED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    /// None if everything has been said.
    block: Option<String>,
}

impl Failure {
    /// It was refused, or did not work.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { code: REFUSED, block: Some(error(&message.into())) }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, block: Some(error(&message.into())) }
    }

    /// It ended otherwise than well, and why has been said.
    pub fn said(code: u8) -> Self {
        Self { code, block: None }
    }

    /// Something else than an error ended it.
    pub fn ended(code: u8, message: &str) -> Self {
        Self { code, block: Some(message.to_owned()) }
    }

    /// The sequence in `file` has errors; all that is to be said of it.
    pub fn sequence(diagnostics: &[Diagnostic], file: &str, source: &str) -> Self {
        let mut block = rendered(diagnostics, file, source);
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        let _ = write!(block, "{}", error(&format!("{file}: {}", count(errors, "error"))));
        Self { code: REFUSED, block: Some(block) }
    }

    /// A refusal of something that came with `what` on the command line.
    pub fn of(refusal: Refusal, what: &str) -> Self {
        match refusal {
            Refusal::Sequence { diagnostics, text } => Self::sequence(&diagnostics, what, &text),
            Refusal::Data(problems) => Self::refused(data(&problems)),
            Refusal::Invalid { pointer, message } if pointer.is_empty() => Self::refused(message),
            Refusal::Invalid { pointer, message } => {
                Self::refused(format!("{}: {message}", pointer.trim_start_matches('/')))
            }
            Refusal::Store(error) => error.into(),
            other => Self::refused(other.to_string()),
        }
    }

    /// The same with what to do about it.
    pub fn hint(mut self, hint: &str) -> Self {
        if let Some(block) = &mut self.block {
            let _ = write!(block, "\n  {hint}");
        }
        self
    }

    /// Says it, and gives the exit code.
    pub fn report(self) -> ExitCode {
        if let Some(block) = self.block {
            output::talk(&block);
        }
        ExitCode::from(self.code)
    }
}

/// Diagnostics as people read them, with an empty line after each.
pub(super) fn rendered(diagnostics: &[Diagnostic], file: &str, source: &str) -> String {
    diagnostics.iter().fold(String::new(), |mut all, diagnostic| {
        let _ = writeln!(all, "{}\n", rungs_core::render(diagnostic, file, source, true));
        all
    })
}

/// `1 error`, `2 errors`, `2 processes`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let ending = match number {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{number} {noun}{ending}")
}

fn error(message: &str) -> String {
    format!("{BAD}error:{BAD:#} {message}")
}

fn data(problems: &[InputProblem]) -> String {
    problems.iter().fold("the data does not fit".to_owned(), |mut block, problem| {
        let place = if problem.pointer.is_empty() { "data" } else { problem.pointer.as_str() };
        let _ = write!(block, "\n  {BOLD}{place}{BOLD:#}: {}", problem.message);
        block
    })
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::refused(format!("the database is in trouble: {error}"))
    }
}

impl From<config::Misconfigured> for Failure {
    fn from(error: config::Misconfigured) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<channels::Misconfigured> for Failure {
    fn from(error: channels::Misconfigured) -> Self {
        Self::refused(error.to_string())
    }
}

/// Writing on stdout did not work.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever read it has read enough.
            io::ErrorKind::BrokenPipe => Self::said(0),
            _ => Self::refused(format!("stdout: {error}")),
        }
    }
}
