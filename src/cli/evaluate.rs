//! `evaluate`: what is due now, once, for where nobody serves.

use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Tally, heartbeat::Beat};

use super::{Context, Result, failure::count, log, open};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Go on until nothing is due any more.
    #[arg(long)]
    drain: bool,
}

pub(super) async fn evaluate(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let _logging = log::start(&config.log)?;
    let engine = open::engine(&config, open::database(&config).await?)?;
    let tally = if args.drain {
        all(&engine).await?
    } else {
        let tally = engine.pass().await?;
        afterwards(&engine, tally).await?
    };
    Ok(context.output.answer(&tally, words(&tally))?)
}

/// Everything that is due, and what comes of it.
pub(super) async fn all(engine: &Engine) -> Result<Tally> {
    let tally = engine.drain_until(&CancellationToken::new()).await?;
    afterwards(engine, tally).await
}

/// Where nobody serves, nobody else forgets what ended long ago, or tells the watcher.
async fn afterwards(engine: &Engine, mut tally: Tally) -> Result<Tally> {
    tally.swept.processes += engine.sweep_ended().await?.processes;
    engine.tell(&engine.beat().await, &Beat::NotDue);
    Ok(tally)
}

pub(super) fn words(tally: &Tally) -> String {
    let Tally { evaluated, dispatched, asked, swept } = tally;
    let mut said = vec![
        format!("{} evaluated", count(evaluated.processes, "process")),
        format!("{} visited", count(evaluated.visits, "step")),
        format!("{} to deliver", count(dispatched.attempts, "attempt")),
    ];
    for (number, what) in [
        (evaluated.completed, "completed"),
        (evaluated.failed, "failed"),
        (dispatched.trouble, "to be tried again"),
        (dispatched.refused, "refused"),
        (dispatched.in_doubt, "in doubt"),
        (asked.asked, "asked about"),
        (swept.processes, "forgotten"),
    ] {
        if number > 0 {
            said.push(format!("{number} {what}"));
        }
    }
    said.join(", ")
}
