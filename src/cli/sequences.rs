//! `sequences`: lists what has been published, by name, newest version first.

use chrono::DateTime;
use chrono_tz::Tz;
use clap::value_parser;
use rungs_core::process::iso;
use serde_json::json;

use super::{Context, Result, open, output, words};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Versions listed at most.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = value_parser!(u64).range(1..=100_000))]
    limit: u64,
}

pub(super) async fn sequences(args: &Args, context: &Context) -> Result<()> {
    let store = open::looked_at(&context.config()?).await?;
    let found = store.sequences(None, args.limit).await?;
    let mut rows = vec![["sequence", "version", "published (UTC)"].map(str::to_owned).to_vec()];
    for sequence in found {
        let at = DateTime::from_timestamp_millis(sequence.created_at).unwrap_or_default();
        if context.output.is_json() {
            output::json(&json!({
                "sequence": sequence.name, "version": sequence.version, "created_at": iso(at),
            }))?;
        } else {
            rows.push(vec![
                sequence.name,
                sequence.version.to_string(),
                words::moment(at, Tz::UTC),
            ]);
        }
    }
    if !context.output.is_json() {
        output::text(output::table(&rows))?;
    }
    Ok(())
}
