//! `run`: one process, in the foreground, to its end.
//!
//! Promises: the passes that `serve` makes, over a database in memory that nobody else
//! sees. Waits pass faster if that is wanted, and nothing else does. What is told is what
//! the history says.
//! Does not: leave anything behind, except what real channels have sent.

mod climb;

use std::{path::PathBuf, sync::Arc};

use chrono_tz::Tz;
use rungs_core::happening::Happening;
use serde::{Deserialize, de::IntoDeserializer};
use serde_json::Value;

use crate::{
    channels::{Channels, Print, console::CallFate},
    clock::Clock,
    config::Config,
    engine::Engine,
    intake::{self, Climb, NewProcess, Publication, Refusal, Started},
    store::{self, Store},
};

use super::{
    Context, Failure, Result,
    input::{self, Source},
    open,
    output::{BOLD, DIM, talk},
    signals::Signals,
};

/// A month in a few seconds is as fast as anybody can read.
const SPEEDS: std::ops::RangeInclusive<f64> = 1.0..=1_000_000.0;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sequence, in YAML or JSON; `-` is stdin.
    file: PathBuf,
    /// What the process is about: JSON, or @FILE with JSON. Without it, NAME.data.json
    /// beside NAME.yml, if that is there.
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// How many times faster than the clock it waits: at 600, ten minutes pass in a second.
    /// What real channels do takes as long as it takes.
    #[arg(long, default_value_t = 1.0, value_name = "N", value_parser = speed)]
    speed: f64,
    /// What happens to the process, and when after its start: `+7m:order.status=confirmed`
    /// puts a value into its data, `+7m:acknowledged` is an event without data, and
    /// `+7m:acknowledged {"by": "ana"}` one with.
    #[arg(long, value_name = "+TIME:PATH=VALUE")]
    event: Vec<Happening>,
    /// The zone of sequences that name none.
    #[arg(long, value_name = "TZ", value_parser = input::zone)]
    timezone: Option<Tz>,
    /// How calls end that are only shown: no-answer, answered, busy, rejected, machine or
    /// failed.
    #[arg(long, value_name = "FATE", value_parser = fate)]
    calls: Option<CallFate>,
}

fn speed(text: &str) -> std::result::Result<f64, String> {
    let expected = || format!("expected a number from {} to {}", SPEEDS.start(), SPEEDS.end());
    text.parse().ok().filter(|speed| SPEEDS.contains(speed)).ok_or_else(expected)
}

fn fate(text: &str) -> std::result::Result<CallFate, String> {
    CallFate::deserialize(text.into_deserializer())
        .map_err(|error: serde::de::value::Error| error.to_string())
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let source = Source::read(&args.file).map_err(Failure::refused)?;
    let mut config = context.config()?;
    let sequence = input::checked(&source, &config.kinds)?;
    let data = input::data_or_example(args.data.as_deref(), &args.file)?;
    config.timezone = args.timezone.unwrap_or(config.timezone);
    config.console.calls = args.calls.unwrap_or(config.console.calls);
    if let Some(twilio) = &mut config.twilio {
        // Nobody listens here, so statuses are asked for.
        twilio.public_url = None;
    }
    let engine = engine(&config).await?;
    introduce(&engine, &source, args.speed, &config);
    let process = start(&engine, &source, data).await?;
    let climb = climb::Running::new(&engine, &sequence, process, args.speed, context.output)
        .with(args.event);
    let mut signals = Signals::listen()?;
    tokio::select! {
        ended = climb.run() => ended,
        () = signals.next() => Err(Failure::ended(130, "interrupted")),
    }
}

async fn engine(config: &Config) -> Result<Arc<Engine>> {
    let store = Store::connect(&store::Options {
        url: "sqlite::memory:".to_owned(),
        ..open::options(config)
    })
    .await?;
    store.migrate().await?;
    // What the console would print, the timeline tells.
    let channels = Channels::open_printing(&config.channels(), &(Arc::new(|_: &str| {}) as Print))?;
    Ok(Engine::new(store, Clock::ahead(), channels, open::engine_options(config)))
}

async fn start(engine: &Engine, source: &Source, data: Value) -> Result<rungs_core::Process> {
    let given = !data.is_null();
    let refused = |refusal: Refusal| match refusal {
        Refusal::Data(_) if !given => {
            Failure::of(refusal, &source.file).hint("--data takes JSON, or @FILE")
        }
        refusal => Failure::of(refusal, &source.file),
    };
    let Publication { name, version, .. } =
        intake::publish(engine, None, &source.bundle()).await.map_err(refused)?;
    let climb = Climb::Stored { name, version: Some(version) };
    let Started { process, .. } =
        intake::start(engine, NewProcess { process_id: None, climb, data })
            .await
            .map_err(refused)?;
    Ok(process)
}

/// What one should know before it begins.
fn introduce(engine: &Engine, source: &Source, speed: f64, config: &Config) {
    let pace = if speed > 1.0 {
        format!("{speed} times as fast as the clock")
    } else {
        "as fast as the clock; --speed 600 lets ten minutes pass in a second".to_owned()
    };
    talk(&format!("{BOLD}{}{BOLD:#}{DIM}, {pace}{DIM:#}", source.file));
    let shown: Vec<&str> = engine
        .channels
        .iter()
        .filter(|(_, way)| way.channel.name() == "console")
        .map(|(name, _)| name)
        .collect();
    if !shown.is_empty() {
        let calls = if shown.contains(&"phone") {
            format!(" (every call: {}; --calls)", config.console.calls.words())
        } else {
            String::new()
        };
        talk(&format!(
            "{DIM}not configured, so only shown here: {}{calls}{DIM:#}",
            shown.join(", ")
        ));
    }
    talk("");
}
