//! `check`: everything that is wrong with sequences.
//!
//! Promises: no file keeps another from being checked, whatever it is. What is found is data,
//! so it goes to stdout; the sum of it to stderr. Needs no configuration; if there is one, the
//! runners that it names are known.

use std::path::PathBuf;

use rungs_core::{InFile, check_fragment, is_fragment};
use rungs_runners::Kind;
use serde_json::json;

use super::{
    Context, Failure, Output, Result,
    failure::{count, rendered},
    input::Source,
    output::{self, BAD, GOOD, talk},
    test::{self, Broken},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sequences in YAML or JSON, fragments, and cases (NAME.test.yml); `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// How much there is to say.
#[derive(Default)]
struct Sum {
    errors: usize,
    warnings: usize,
}

pub(super) fn check(args: &Args, context: &Context) -> Result<()> {
    let (mut sum, kinds) = (Sum::default(), context.known_kinds()?);
    for path in &args.files {
        if test::is_cases(path) {
            if let Err(broken) = test::read(path, &kinds) {
                sum.broken(&path.display().to_string(), &broken, context.output)?;
            }
            continue;
        }
        match Source::read(path) {
            Ok(source) => sum.say(&source, &kinds, context.output)?,
            Err(reason) => sum.unreadable(&path.display().to_string(), &reason, context.output)?,
        }
    }
    if !context.output.is_json() {
        talk(&sum.words(args.files.len()));
    }
    if sum.errors > 0 { Err(Failure::said(1)) } else { Ok(()) }
}

impl Sum {
    fn say(&mut self, source: &Source, kinds: &[Kind], output: Output) -> Result<()> {
        let text = source.text();
        let diagnostics = if is_fragment(&text) {
            check_fragment(&text, &source.files, kinds)
        } else {
            source.check(kinds).diagnostics
        };
        let errors = diagnostics.iter().filter(|one| one.is_error()).count();
        self.errors += errors;
        self.warnings += diagnostics.len() - errors;
        if output.is_json() {
            for diagnostic in &diagnostics {
                output::json(&InFile { file: &source.file, diagnostic })?;
            }
        } else if !diagnostics.is_empty() {
            output::text(rendered(&diagnostics, &source.file, &text).trim_end())?;
            output::text("")?;
        }
        Ok(())
    }

    /// Cases that cannot be tried. If that is their sequence's fault, it is told there.
    fn broken(&mut self, file: &str, broken: &Broken, output: Output) -> Result<()> {
        if let Some(sequence) = &broken.sequence {
            return self.unreadable(file, &format!("{file}: {sequence} has errors"), output);
        }
        self.errors += broken.documents.len();
        if output.is_json() {
            return Ok(broken.documents.iter().try_for_each(output::json)?);
        }
        Ok(output::text(format!("{}\n", broken.text))?)
    }

    fn unreadable(&mut self, file: &str, reason: &str, output: Output) -> Result<()> {
        self.errors += 1;
        if output.is_json() {
            let line = json!({
                "file": file, "severity": "error", "code": "unreadable", "message": reason,
            });
            output::json(&line)?;
        } else {
            output::text(format!("{BAD}error[unreadable]{BAD:#}: {reason}\n"))?;
        }
        Ok(())
    }

    fn words(&self, files: usize) -> String {
        let files = count(files, "file");
        match (self.errors, self.warnings) {
            (0, 0) => format!("{GOOD}{files} checked, nothing to say{GOOD:#}"),
            (0, warnings) => format!("{files} checked: {}", count(warnings, "warning")),
            (errors, 0) => format!("{files} checked: {BAD}{}{BAD:#}", count(errors, "error")),
            (errors, warnings) => format!(
                "{files} checked: {BAD}{}{BAD:#}, {}",
                count(errors, "error"),
                count(warnings, "warning")
            ),
        }
    }
}
