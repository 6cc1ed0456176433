//! `apply`: publishes sequences.
//!
//! Promises: all files or none; every error of every file is said. What is unchanged gets no
//! new version. A sequence is published with the files that it is made of.

use std::path::PathBuf;

use rungs_core::is_fragment;
use serde_json::json;

use crate::intake::{self, Publication};

use super::{
    Context, Failure, Result,
    failure::rendered,
    input::Source,
    open,
    output::{STEP, talk},
    test,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sequences in YAML or JSON; `-` is stdin. Cases (NAME.test.yml) and
    /// fragments are passed by.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
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
    let broken: Vec<Failure> = sources
        .iter()
        .filter_map(|source| {
            let checked = source.check(&engine.kinds);
            checked
                .has_errors()
                .then(|| Failure::sequence(&checked.diagnostics, &source.file, &source.text()))
        })
        .collect();
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
    }
    Ok(())
}
