//! `start`: starts a process of a published sequence.

use serde_json::json;

use crate::intake::{self, Climb, NewProcess, Started};

use super::{Context, Failure, Result, input, open, output::talk};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sequence's name.
    sequence: String,
    /// The process's id; without one it gets one.
    #[arg(long)]
    id: Option<String>,
    /// What it is about: JSON, or @FILE with JSON (@- is stdin).
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// The sequence's version; without one, the newest.
    #[arg(long)]
    version: Option<i32>,
}

/// Prints the process's id, so that a script can go on with it.
pub(super) async fn start(args: Args, context: &Context) -> Result<()> {
    let data = input::data(args.data.as_deref())?;
    let config = context.config()?;
    let engine = open::intake(&config, open::database(&config).await?)?;
    let climb = Climb::Stored { name: args.sequence.clone(), version: args.version };
    let new = NewProcess { process_id: args.id, climb, data };
    let Started { process, new } = intake::start(&engine, new)
        .await
        .map_err(|refusal| Failure::of(refusal, &args.sequence))?;
    let json = json!({
        "process_id": process.process_id,
        "sequence": process.sequence,
        "version": process.version,
        "status": process.status.as_str(),
        "new": new,
    });
    if !context.output.is_json() {
        let (sequence, version) = (&process.sequence, process.version);
        talk(&if new {
            format!("started with {sequence}, version {version}")
        } else {
            format!("it is live already, with {sequence}, version {version}: nothing changed")
        });
    }
    Ok(context.output.answer(&json, &process.process_id)?)
}
