//! `restore`: a copy that `backup` made takes the place of the database.

use std::path::PathBuf;

use serde_json::json;

use crate::{clock::Clock, store::backup};

use super::{Context, Failure, Result, failure::count, lock::Lock, open};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The copy.
    file: PathBuf,
}

pub(super) async fn restore(args: &Args, context: &Context) -> Result<()> {
    let options = open::options(&context.config()?);
    let Some(database) = options.file() else {
        return Err(Failure::refused(format!(
            "a copy is put back as an SQLite file; PostgreSQL has a program for it:\n  pg_restore --clean --if-exists --single-transaction --dbname='{}' {}",
            open::shown(&options),
            args.file.display()
        )));
    };
    // Looked at first: where the copy is not, nothing is left behind.
    if !args.file.exists() {
        return Err(Failure::refused(format!("there is no {}", args.file.display())));
    }
    let _lock = Lock::take(&database)?;
    let restored = backup::restore(&args.file, &database, Clock::System.now()).await?;
    let mut said = vec![format!("{} is now {}", database.display(), args.file.display())];
    if let Some(replaced) = &restored.replaced {
        said.push(format!("what was there is kept as {}", replaced.display()));
    }
    if restored.pending > 0 {
        let migrations = count(restored.pending, "migration");
        said.push(format!("{migrations} to be run by whoever opens it"));
    }
    let json = json!({
        "database": database,
        "replaced": restored.replaced,
        "migrations": restored.pending,
    });
    Ok(context.output.answer(&json, said.join("\n"))?)
}
