//! `apply`: publishes sequences.
//!
//! Promises: all files or none; every error of every file is said. What is unchanged gets no
//! new version. A sequence is published with the files that it is made of. Processes move only
//! where it is asked for (`--move`), one by one; who is interrupted says it again.

use std::{fmt::Write, path::PathBuf};

use rungs_core::{Checked, is_fragment};
use serde_json::json;

use crate::{
    channels::console::clean,
    engine::Engine,
    intake::{self, Left, Moves, Publication},
};

use super::{
    Context, Failure, Result,
    failure::{count, rendered},
    input::{Names, Source},
    open,
    output::{self, STEP, WARN, talk},
    test,
};

/// Processes that could not move and are told by name, to people.
const MOST_LEFT: u64 = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sequences in YAML or JSON; `-` is stdin. Cases (NAME.test.yml) and
    /// fragments are passed by.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Move the live processes of older versions to the one that the file is: `rungs plan` says
    /// which can. Each goes on where it stands, and nothing is sent again.
    #[arg(long = "move")]
    moves: bool,
    /// Move also those whose data does not fit the new `input`.
    #[arg(long, requires = "moves")]
    force: bool,
}

/// Publishes all, or none if one of them has errors.
pub(super) async fn apply(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let sources: Vec<Source> = args
        .files
        .iter()
        .filter(|path| !test::is_cases(path))
        .map(|path| Source::read(path).map_err(Failure::refused))
        .filter(|source| !matches!(source, Ok(source) if is_fragment(&source.text())))
        .collect::<Result<_>>()?;
    if sources.is_empty() {
        let why = "these are cases, which are tried, and fragments, which go along with sequences";
        return Err(Failure::refused(format!("{why}: there is nothing to publish")));
    }
    let engine = open::intake(&config, open::database(&config).await?)?;
    let mut broken: Vec<Failure> = Vec::new();
    let mut names = Names::default();
    for source in &sources {
        let Checked { sequence, diagnostics } = source.check(&engine.kinds);
        let Some(sequence) = sequence else {
            broken.push(Failure::sequence(&diagnostics, &source.file, &source.text()));
            continue;
        };
        broken.extend(names.take(&sequence.name, &source.file).err());
    }
    if !broken.is_empty() {
        for failure in broken {
            failure.report();
        }
        return Err(Failure::ended(1, "nothing was published"));
    }
    for source in sources {
        // The check refuses what is no text, so nothing is lost here.
        let published = intake::publish(&engine, None, &source.bundle()).await;
        let file = &source.file;
        let Publication { name, version, changed, diagnostics } =
            published.map_err(|refusal| Failure::of(refusal, file))?;
        if !diagnostics.is_empty() {
            talk(rendered(&diagnostics, file, &source.text()).trim_end());
        }
        let json = json!({
            "file": file, "sequence": name, "version": version, "changed": changed,
        });
        let how = if changed { "published" } else { "unchanged" };
        context.output.answer(&json, format!("{STEP}{name}{STEP:#} version {version}, {how}"))?;
        if args.moves {
            move_all(&engine, &name, version, args.force, context).await?;
        }
    }
    Ok(())
}

/// Moves the processes of one sequence. That some have to be left is an answer, and no failure.
async fn move_all(
    engine: &Engine,
    name: &str,
    version: i32,
    force: bool,
    context: &Context,
) -> Result<()> {
    let (mut told, is_json) = (0, context.output.is_json());
    let mut written = Ok(());
    let moves = intake::move_processes(engine, name, version, force, |left| {
        told += 1;
        let Left { process_id, code, reason } = left;
        if is_json && written.is_ok() {
            written = output::json(&json!({
                "sequence": name, "process_id": process_id, "left": code, "why": reason,
            }));
        } else if told <= MOST_LEFT {
            talk(&format!("{WARN}left{WARN:#} {}: {}", clean(&process_id), clean(&reason)));
        }
    })
    .await
    .map_err(|refusal| {
        Failure::of(refusal, "").hint("what has moved stays so; say it again for the others")
    })?;
    written?;
    let Moves { moved, left } = moves;
    if !is_json && left > MOST_LEFT {
        talk(&format!("{WARN}left{WARN:#} {} more like these", left - MOST_LEFT));
    }
    let json = json!({ "sequence": name, "version": version, "moved": moved, "left": left });
    let processes = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX), "process");
    let mut text = format!("{} moved to version {version}", processes(moved));
    if left > 0 {
        let _ = write!(text, ", {left} left where they were");
    }
    Ok(context.output.answer(&json, text)?)
}
