//! `tick`: the whole work of a moment, once: takes in what is in the queue, evaluates,
//! delivers. For cron, where nobody serves.

use serde::Serialize;

use crate::{
    engine::{TakenIn, Tally},
    intake::Drained,
};

use super::{Context, Failure, Result, evaluate, log, open, queue};

/// What a tick did.
#[derive(Debug, Serialize)]
struct Ticked {
    /// Of the queue, if there is one.
    queue: Option<TakenIn>,
    #[serde(flatten)]
    tally: Tally,
}

pub(super) async fn tick(context: &Context) -> Result<()> {
    let config = context.config()?;
    let _logging = log::start(&config.log)?;
    let source = queue::open(&config)?;
    let engine = open::engine(&config, open::database(&config).await?)?;
    let drained = match &source {
        Some(source) => Some(source.drain(&engine).await),
        None => None,
    };
    // Whatever the queue is up to: who waits for a call is called.
    let tally = evaluate::all(&engine).await?;
    let (queue, trouble) = match drained {
        Some(Drained { tally, trouble }) => (Some(tally), trouble),
        None => (None, None),
    };
    let said = evaluate::words(&tally);
    let said = match &queue {
        Some(queue) => format!("{}; {said}", queue::words(queue)),
        None => said,
    };
    context.output.answer(&Ticked { queue, tally }, said)?;
    trouble.map_or(Ok(()), |trouble| Err(Failure::refused(trouble.to_string())))
}
