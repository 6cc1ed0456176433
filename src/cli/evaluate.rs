//! `evaluate`: what is due now, once, for where nobody serves.

use crate::{
    channels::Channels,
    clock::Clock,
    engine::{
        Engine, Options, Tally,
        heartbeat::{Beat, Heart},
    },
};

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
    let options =
        Options { heart: Heart::open(&config.heartbeat)?, ..open::engine_options(&config) };
    let store = open::database(&config).await?;
    let channels = Channels::open(&config.channels())?;
    let engine = Engine::new(store, Clock::System, channels, options);
    let mut tally = if args.drain { drain(&engine).await? } else { engine.pass().await? };
    // Where nobody serves, nobody else forgets what ended long ago.
    tally.swept.processes += engine.sweep_ended().await?.processes;
    engine.tell(&engine.beat().await, &Beat::NotDue);
    Ok(context.output.answer(&tally, words(&tally))?)
}

/// Until nothing is due: what a paced channel could not begin yet is waited for.
async fn drain(engine: &Engine) -> Result<Tally> {
    let mut total = Tally::default();
    loop {
        let tally = engine.drain().await?;
        total += tally;
        match tally.dispatched.again_at {
            Some(at) => engine.clock.sleep_until(at).await,
            None => return Ok(total),
        }
    }
}

fn words(tally: &Tally) -> String {
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
