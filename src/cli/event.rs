//! `event`: tells a process that something happened.

use serde_json::json;

use crate::{
    channels::console::clean,
    intake::{self, NewEvent},
};

use super::{Context, Failure, Result, input, open};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The process's id.
    process: String,
    /// What kind of thing happened, such as `order.confirmed`.
    r#type: String,
    /// Merged into the process's data: JSON, or @FILE with JSON (@- is stdin).
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// Your id of the event: the same id again changes nothing.
    #[arg(long)]
    id: Option<String>,
}

pub(super) async fn event(args: Args, context: &Context) -> Result<()> {
    let data = input::data(args.data.as_deref())?;
    let config = context.config()?;
    let engine = open::intake(&config, open::existing(&config).await?)?;
    let new = NewEvent { id: args.id, r#type: args.r#type.clone(), data };
    let taken = intake::event(&engine, &args.process, new)
        .await
        .map_err(|refusal| Failure::of(refusal, &args.process))?;
    let json = json!({ "process_id": args.process, "type": args.r#type, "new": taken });
    let (process, r#type) = (clean(&args.process), clean(&args.r#type));
    let text = if taken {
        format!("{process} hears of {type}")
    } else {
        format!("{process} was told of this {type} before: nothing changed")
    };
    Ok(context.output.answer(&json, text)?)
}
