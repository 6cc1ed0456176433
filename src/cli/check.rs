//! `check`: everything that is wrong with sequences, and the bounds of those that are right.
//!
//! Promises: no file keeps another from being checked, whatever it is. What is found is data,
//! so it goes to stdout; the sum of it to stderr. Needs no configuration; if there is one, the
//! runners that it names are known.

use std::path::PathBuf;

use rungs_core::{
    Diagnostic, InFile, Sequence, bounds::spell_most, check::limits::Limits, check_fragment,
    is_fragment,
};
use rungs_runners::Kind;
use serde_json::json;

use super::{
    Context, Failure, Output, Result, bounds,
    failure::{count, rendered},
    input::Source,
    output::{self, BAD, BOLD, DIM, GOOD, pad, talk},
    test::{self, Broken},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sequences in YAML or JSON, fragments, and cases (NAME.test.yml); `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    wanted: bounds::Wanted,
}

/// How much there is to say.
#[derive(Default)]
struct Sum {
    errors: usize,
    warnings: usize,
    limits: Limits,
}

pub(super) fn check(args: &Args, context: &Context) -> Result<()> {
    let mut sum = Sum { limits: args.wanted.limits()?, ..Sum::default() };
    let kinds = context.known_kinds()?;
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
        if is_fragment(&text) {
            return self.tell(&check_fragment(&text, &source.files, kinds), source, output);
        }
        let checked = source.check(kinds);
        self.tell(&checked.diagnostics, source, output)?;
        checked.sequence.map_or(Ok(()), |sequence| self.bound(&sequence, source, output))
    }

    fn tell(&mut self, found: &[Diagnostic], source: &Source, output: Output) -> Result<()> {
        let errors = found.iter().filter(|one| one.is_error()).count();
        self.errors += errors;
        self.warnings += found.len() - errors;
        if output.is_json() {
            for diagnostic in found {
                output::json(&InFile { file: &source.file, diagnostic })?;
            }
        } else if !found.is_empty() {
            output::text(rendered(found, &source.file, &source.text()).trim_end())?;
            output::text("")?;
        }
        Ok(())
    }

    /// The bounds of a sequence, and which of them pass the limits.
    fn bound(&mut self, sequence: &Sequence, source: &Source, output: Output) -> Result<()> {
        let found = rungs_core::bounds(sequence);
        let passed = self.limits.passed(&found, &source.text(), &spell_most);
        self.tell(&passed, source, output)?;
        let (file, name) = (&source.file, &sequence.name);
        if output.is_json() {
            let bounds = bounds::document(&found);
            return Ok(output::json(&json!({ "file": file, "sequence": name, "bounds": bounds }))?);
        }
        output::text(format!("{BOLD}{name}{BOLD:#} {DIM}{file}{DIM:#}"))?;
        for (what, said) in found.sentences() {
            output::text(format!("  {}{said}", pad(what, 15)))?;
        }
        Ok(output::text("")?)
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
