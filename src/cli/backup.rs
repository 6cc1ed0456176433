//! `backup`: a copy of the database, while others work on it.

use std::path::PathBuf;

use serde_json::json;

use crate::store::{Store, backup::Trouble};

use super::{Context, Failure, Result, open};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the copy goes.
    file: PathBuf,
    /// Write over what is there.
    #[arg(long)]
    force: bool,
}

pub(super) async fn backup(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let options = open::options(&config);
    let Some(database) = options.file() else {
        return Err(Failure::refused(format!(
            "a copy is made of an SQLite file; PostgreSQL has a program for it:\n  pg_dump --format=custom --file={} '{}'",
            args.file.display(),
            open::shown(&options)
        )));
    };
    open::look_for(&database)?;
    // Not brought up to date: the copy that is made before an upgrade is of what was before.
    let store: Store = open::connect(&options).await?;
    let bytes = store.back_up(&database, &args.file, args.force).await?;
    store.close().await?;
    let json = json!({ "file": args.file, "bytes": bytes });
    Ok(context.output.answer(&json, format!("{}: {bytes} bytes", args.file.display()))?)
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let hint = match &trouble {
            Trouble::Exists(_) => "--force writes over it",
            Trouble::InUse(_) => {
                "stop it first: a `rungs serve`, or a command that runs now and then"
            }
            _ => "",
        };
        let failure = Self::refused(trouble.to_string());
        if hint.is_empty() { failure } else { failure.hint(hint) }
    }
}
