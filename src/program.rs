//! The program, for whoever wants one with runners of their own.
//!
//! Promises: every command of `rungs`, and to all of them your runners are as if they had come
//! with it. One that has the name of another is refused, whatever the command.
//! Called by: `main.rs`, and mains of yours.

use std::{ffi::OsString, process::ExitCode};

use rungs_runners::{Kind, Runner};

use crate::cli;

/// The `rungs` program.
///
/// ```no_run
/// # use rungs::runners::{Failure, Outcome, Runner, Visit};
/// # #[derive(schemars::JsonSchema)]
/// # struct Escort;
/// # impl Runner for Escort {
/// #     const NAME: &'static str = "Escort";
/// #     type Config = std::collections::BTreeMap<String, String>;
/// #     fn rests(_: Option<&Self::Config>) -> bool { false }
/// #     fn visit(_: &Self::Config, _: &Visit<'_>) -> Result<Outcome, Failure> {
/// #         Ok(Outcome::next(""))
/// #     }
/// # }
/// fn main() -> std::process::ExitCode {
///     rungs::Program::new().runner::<Escort>().run(std::env::args_os())
/// }
/// ```
#[derive(Debug, Default)]
pub struct Program {
    kinds: Vec<Kind>,
}

impl Program {
    /// With the runners that come with it.
    pub fn new() -> Self {
        Self::default()
    }

    /// And with this one.
    #[must_use]
    pub fn runner<R: Runner>(mut self) -> Self {
        self.kinds.push(Kind::of::<R>());
        self
    }

    /// Runs it. `args` begins with its name.
    pub fn run<I, T>(self, args: I) -> ExitCode
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        cli::run(args, self.kinds)
    }
}
