//! `intake`: takes in what is in the queue, and ends.

use super::{Context, Failure, Result, log, open, queue};

pub(super) async fn intake(context: &Context) -> Result<()> {
    let config = context.config()?;
    let _logging = log::start(&config.log)?;
    let source = queue::open(&config)?.ok_or_else(|| {
        Failure::refused("there is no queue to take in from; RUNGS_SQS_QUEUE_URL names one")
    })?;
    let engine = open::intake(&config, open::database(&config).await?)?;
    let drained = source.drain(&engine).await;
    context.output.answer(&drained.tally, queue::words(&drained.tally))?;
    drained.trouble.map_or(Ok(()), |trouble| Err(Failure::refused(trouble.to_string())))
}
