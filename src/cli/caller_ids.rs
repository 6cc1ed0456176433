//! `caller-ids`: who calls and texts whom.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    channels::{Channels, caller_ids::CallerIds},
    clock::Clock,
    engine::Engine,
    intake,
};

use super::{Context, Failure, Result, input, open, output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Keep a registry in the database, in the place of the configured one.
    Set {
        /// JSON, or @FILE: {"+385": "+38511234567", "default": "+14155550100"}
        #[arg(value_name = "JSON")]
        registry: String,
    },
    /// Give it up: the configured one is in force again.
    Reset,
}

pub(super) async fn caller_ids(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let store = open::database(&config).await?;
    let channels = Channels::open(&config.channels())?;
    let engine = Engine::new(store, Clock::System, channels, open::engine_options(&config));
    let answer = match &args.what {
        None => intake::caller_ids(&engine).await,
        Some(What::Reset) => intake::give_up_caller_ids(&engine).await,
        Some(What::Set { registry }) => {
            intake::keep_caller_ids(&engine, entries(input::data(Some(registry))?)?).await
        }
    };
    let (registry, kept) = answer.map_err(|refusal| Failure::of(refusal, ""))?;
    if context.output.is_json() {
        output::json(&json!({ "kept": kept, "caller_ids": registry }))?;
    } else {
        output::text(text(registry, kept))?;
    }
    Ok(())
}

fn entries(given: Value) -> Result<BTreeMap<String, String>> {
    serde_json::from_value(given).map_err(|_| {
        Failure::usage(
            "expected an object such as {\"+385\": \"+38511234567\", \"default\": \"+1...\"}",
        )
    })
}

fn text(registry: CallerIds, kept: bool) -> String {
    let source = if kept { "kept in the database" } else { "from the configuration" };
    let entries: BTreeMap<String, String> = registry.into();
    if entries.is_empty() {
        return format!("no caller ids, {source}");
    }
    let rows: Vec<Vec<String>> = std::iter::once(vec!["to".to_owned(), format!("from ({source})")])
        .chain(entries.into_iter().map(|(prefix, number)| vec![prefix, number]))
        .collect();
    output::table(&rows)
}
