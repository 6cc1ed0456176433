//! `GoTo`: move the cursor to another step.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Failure, Jump, Outcome, Runner, Stay, Visit};

/// Moves the cursor to `step`.
///
/// ```yaml
/// - id: again
///   run: GoTo
///   config:
///     step: ring
///     times: 3        # that often per process, then `next`; without it, always
/// ```
#[derive(JsonSchema)]
pub struct GoTo;

/// The config of `GoTo`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Id of the step to go to.
    step: String,
    /// How often a process may jump; afterwards it takes `next`. Without it, always.
    times: Option<u32>,
}

impl Runner for GoTo {
    const NAME: &'static str = "GoTo";
    const LITERAL: &'static [&'static str] = &["step", "times"];
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        false
    }

    fn stay(config: Option<&Config>, _: Option<Tz>) -> Stay {
        Stay { jumps: config.and_then(|config| config.times), ..Stay::none() }
    }

    fn jump(config: &Config) -> Option<Jump<'_>> {
        Some(Jump { to: &config.step, always: config.times.is_none() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        Ok(match config.times {
            None => Outcome::go_to(&config.step, format!("to {}", config.step)),
            Some(times) if visit.stay <= times => Outcome::go_to(
                &config.step,
                format!("to {}, {} of {times} times", config.step, visit.stay),
            ),
            Some(times) => Outcome::next(format!("has jumped {times} times")),
        })
    }
}
