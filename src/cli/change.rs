//! `stop`, `pause` and `resume`.
//!
//! Promises: each may be said twice; the answer tells whether it changed anything.

use rungs_core::Process;
use serde_json::json;

use crate::{
    channels::console::clean,
    engine::Engine,
    intake::{self, Refusal},
};

use super::{Context, Failure, Result, open};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The process's id.
    id: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct StopArgs {
    /// The process's id.
    id: String,
    /// Why, for the history.
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn stop(args: &StopArgs, context: &Context) -> Result<()> {
    let engine = engine(context).await?;
    say(intake::stop(&engine, &args.id, args.reason.as_deref()).await, context)
}

pub(super) async fn pause(args: &Args, context: &Context) -> Result<()> {
    let engine = engine(context).await?;
    say(intake::pause(&engine, &args.id).await, context)
}

pub(super) async fn resume(args: &Args, context: &Context) -> Result<()> {
    let engine = engine(context).await?;
    say(intake::resume(&engine, &args.id).await, context)
}

async fn engine(context: &Context) -> Result<std::sync::Arc<Engine>> {
    let config = context.config()?;
    open::intake(&config, open::existing(&config).await?)
}

fn say(changed: std::result::Result<(Process, bool), Refusal>, context: &Context) -> Result<()> {
    let (process, changed) = changed.map_err(|refusal| Failure::of(refusal, ""))?;
    let (id, status) = (&process.process_id, process.status.as_str());
    let json = json!({ "process_id": id, "status": status, "changed": changed });
    let before = if changed { "now" } else { "already" };
    Ok(context.output.answer(&json, format!("{} is {before} {status}", clean(id)))?)
}
