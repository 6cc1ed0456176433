//! `simulate`: a whole climb under a virtual clock, told, drawn, or in all its variants.
//!
//! Promises: nothing is sent and nothing is written, whatever is configured; what is told is
//! what the engine would do. Needs no database and no configuration; if there is one, the
//! runners and the zone that it names are known.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_core::{
    InputProblem, Sequence, Start, check,
    happening::Happening,
    simulate::{self, Answer, End, Simulation, answer, explore},
};
use rungs_runners::{builtin::process::CHANNEL, calendar};
use serde_json::Value;

use crate::{channels::console::clean, clock::Clock, config::Config, intake::Refusal};

use super::{
    Context, Failure, Format, Result,
    failure::count,
    input::{self, Source},
    output::{self, BAD, BOLD, DIM, WARN, talk},
    timeline::{Line, Teller},
    words,
};

mod picture;
mod ways;

/// The process that is simulated, so that two simulations of the same tell the same.
const KEY: &str = "01900000-0000-7000-8000-000000000001";
/// Combinations that are tried, unless told otherwise.
const COMBINATIONS: u64 = 10_000;

/// What one `--answer` says: answers with commas between them.
type Several = Vec<Answer>;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sequence, in YAML or JSON; `-` is stdin.
    file: PathBuf,
    /// What the process is about: JSON, or @FILE with JSON. Without it, NAME.data.json
    /// beside NAME.yml, if that is there.
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// When it starts, in the process's time zone: 2026-03-29T00:30. Without it, now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What becomes of a step's deliveries: `ring=answered`, `ring#2=busy` at the second stay,
    /// `ring=answered+20s`, `hook={"approved":true}`. Of what is not named, calls are not answered and all else arrives.
    #[arg(long, value_name = "STEP=ANSWER", value_parser = answer::several)]
    answer: Vec<Several>,
    /// What happens to the process, and when after its start: `+7m:order.status=confirmed`
    /// puts a value into its data, `+7m:acknowledged` is an event without data, and
    /// `+7m:acknowledged {"by": "ana"}` one with.
    #[arg(long, value_name = "+TIME:PATH=VALUE")]
    event: Vec<Happening>,
    /// The zone of sequences that name none. Without it, that of the configuration.
    #[arg(long, value_name = "TZ", value_parser = input::zone)]
    timezone: Option<Tz>,
    /// Try every combination of answers to what is not named by --answer, and list the
    /// different climbs.
    #[arg(long)]
    what_if: bool,
    /// Combinations that --what-if tries at most.
    #[arg(long, value_name = "N", default_value_t = COMBINATIONS, requires = "what_if",
        value_parser = clap::value_parser!(u64).range(1..))]
    most: u64,
}

pub(super) fn simulate(args: &Args, context: &Context) -> Result<()> {
    let source = Source::read(&args.file).map_err(Failure::refused)?;
    let Config { kinds, timezone, .. } = context.known_config()?;
    let sequence = input::checked(&source, &kinds)?;
    let data = input::data_or_example(args.data.as_deref(), &args.file)?;
    let answers = args.answer.concat();
    answer::fit(&answers, &sequence)
        .map_err(|wrong| Failure::usage(format!("--answer: {wrong}")))?;
    let new = begin(&sequence, data, timezone, args)?;
    if args.what_if {
        if context.output.format() == Format::Svg {
            return Err(Failure::usage("--what-if lists climbs, and draws none")
                .hint("take --format text or json, or draw one climb with --answer"));
        }
        let most = usize::try_from(args.most).unwrap_or(usize::MAX);
        let written = check::written(&source.bundle(), &kinds).unwrap_or_default();
        let explored = explore(&sequence, &written, &new, &args.event, &answers, most);
        return ways::tell(&explored.map_err(|wrong| unfit(wrong, args))?, context.output);
    }
    let simulation = simulate::simulate(&sequence, new, &args.event, &mut &answers[..])
        .map_err(|wrong| unfit(wrong, args))?;
    match context.output.format() {
        Format::Svg => {
            let events: Vec<String> = happenings(args).map(|it| it.says.clone()).collect();
            output::text(picture::draw(&sequence, &simulation, &events))?;
        }
        _ => tell(&sequence, &simulation, args, context)?,
    }
    end(&simulation)
}

/// What the process starts with. `--at` is read in its own zone, which may stand in the data.
fn begin(sequence: &Sequence, data: Value, timezone: Tz, args: &Args) -> Result<Start> {
    let mut new = Start {
        key: KEY.to_owned(),
        process_id: "simulated".to_owned(),
        version: 1,
        data,
        default_timezone: args.timezone.unwrap_or(timezone),
        now: Clock::System.now(),
    };
    if let Some(at) = &args.at {
        let process = rungs_core::start(sequence, new.clone());
        let timezone = process.map_err(|wrong| unfit(wrong, args))?.timezone;
        new.now = moment(at, timezone)?;
    }
    Ok(new)
}

fn moment(text: &str, timezone: Tz) -> Result<DateTime<Utc>> {
    calendar::parse(text, timezone).map_err(|error| {
        Failure::usage(format!("--at: {error}; write it as 2026-03-29T00:30, or with an offset"))
    })
}

fn unfit(wrong: Vec<InputProblem>, args: &Args) -> Failure {
    let failure = Failure::of(Refusal::Data(wrong), &args.file.display().to_string());
    if args.data.is_some() { failure } else { failure.hint("--data takes JSON, or @FILE") }
}

fn tell(
    sequence: &Sequence,
    simulation: &Simulation,
    args: &Args,
    context: &Context,
) -> Result<()> {
    let lines = Line::simulated(&simulation.lines);
    if context.output.is_json() {
        for line in lines {
            output::json(&line.json())?;
        }
        return Ok(());
    }
    let steps = sequence.steps.iter().map(|step| step.id.as_str());
    let mut teller = Teller::new(&simulation.process, steps);
    for happening in happenings(args) {
        teller.expect_event(clean(&happening.says));
    }
    for line in lines {
        if let Some(text) = teller.tell(&line) {
            output::text(text)?;
        }
    }
    talk(&format!("\n{DIM}{}{DIM:#}", summary(simulation)));
    Ok(())
}

/// What happens from outside, in its order.
fn happenings(args: &Args) -> impl Iterator<Item = &Happening> {
    let mut happenings: Vec<&Happening> = args.event.iter().collect();
    happenings.sort_by_key(|happening| happening.after);
    happenings.into_iter()
}

/// `2 calls and 1 text in 25 min`.
fn summary(simulation: &Simulation) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for line in &simulation.lines {
        // What is done to processes contacts nobody.
        if let simulate::What::Wrote { channel, .. } = &line.what
            && channel != CHANNEL
        {
            match counts.iter_mut().find(|(known, _)| known == channel) {
                Some((_, count)) => *count += 1,
                None => counts.push((channel, 1)),
            }
        }
    }
    let told: Vec<String> =
        counts.iter().map(|(channel, number)| count(*number, noun(channel))).collect();
    let reached = if told.is_empty() { "nobody is contacted".to_owned() } else { told.join(", ") };
    let took = words::duration(simulation.ended_at - simulation.process.started_at);
    format!("{reached}, in {took}")
}

/// What a delivery on a channel is called.
pub(super) fn noun(channel: &str) -> &str {
    match channel {
        "phone" => "call",
        "sms" => "text",
        "email" => "mail",
        "pubnub" => "publication",
        other => other,
    }
}

fn end(simulation: &Simulation) -> Result<()> {
    let step = clean(simulation.process.cursor.as_deref().unwrap_or_default());
    match simulation.end {
        End::Ended if simulation.process.status == rungs_core::Status::Failed => {
            Err(Failure::said(1))
        }
        End::Ended => Ok(()),
        End::Waits => Err(Failure::ended(
            3,
            &format!(
                "\n{WARN}It waits at `{step}` for an event, and nobody sends one.{WARN:#}\nTry --event, such as --event +7m:order.status=confirmed"
            ),
        )),
        End::Endless => Err(Failure::ended(
            3,
            &format!(
                "\n{BAD}It was still going after {} cycles, or {} lines{BAD:#}, at `{BOLD}{step}{BOLD:#}`.",
                simulate::MOST_CYCLES,
                simulate::MOST_LINES
            ),
        )),
    }
}
