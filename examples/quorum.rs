//! Rungs with a runner of your own, in Rust.
//!
//! ```sh
//! cargo run --example quorum -- check examples/quorum.yml
//! cargo run --example quorum -- run examples/quorum.yml --speed 600 --event +2m:ack --event +3m:ack
//! ```
//!
//! In a crate of your own, `rungs`, `schemars` and `serde` are all it needs.

use std::process::ExitCode;

use chrono::TimeDelta;
use rungs::{
    Program,
    runners::{AltNext, Failure, Outcome, Problem, Runner, Visit},
};
use schemars::JsonSchema;
use serde::Deserialize;

fn main() -> ExitCode {
    Program::new().runner::<Quorum>().run(std::env::args_os())
}

/// Waits until an event has come so many times; after a while, goes the other way.
#[derive(JsonSchema)]
struct Quorum;

/// What a step of it says: the check goes by this, and shows the comments in its help.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The type of the event.
    event: String,
    /// How many of them.
    count: u64,
    /// Minutes until it is given up.
    within: u32,
}

impl Runner for Quorum {
    const NAME: &'static str = "Quorum";
    const ALT_NEXT: AltNext = AltNext::Required;
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn check(config: &Config) -> Vec<Problem> {
        let nobody = Problem::at("/count", "nobody would have to agree").help("write 1 or more");
        if config.count == 0 { vec![nobody] } else { vec![] }
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let Config { event, count, within } = config;
        let heard = visit.scope.root("events").and_then(|events| events.get(event)?.get("count"));
        let heard = heard.and_then(serde_json::Value::as_u64).unwrap_or(0);
        let until = visit.entered_at + TimeDelta::minutes(i64::from(*within));
        let so_far = format!("{heard} of {count} came");
        Ok(match () {
            () if heard >= *count => Outcome::next(so_far),
            () if visit.now >= until => Outcome::alt_next(so_far),
            () => Outcome::wait_until(until, so_far),
        })
    }
}
