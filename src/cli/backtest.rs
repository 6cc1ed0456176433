//! `backtest`: recorded processes, replayed through a file.
//!
//! Promises: changes nothing. What cannot be replayed, and what had to be assumed, is counted
//! and said.

use std::{ops::ControlFlow, path::PathBuf};

use chrono::{DateTime, Utc};
use rungs_core::{Process, backtest::Cut, contacts::Contact, happening::duration};
use rungs_runners::calendar;
use serde_json::{Value, json};

use crate::{
    channels::console::clean,
    clock::Clock,
    intake::{self, Backtest, Compared},
};

use super::{
    Context, Failure, Result,
    failure::{count, rendered},
    input::Source,
    open,
    output::{self, BAD, BOLD, DIM, WARN, talk},
    plan::{contact, differences, shifted},
    simulate::noun,
    words,
};

/// Processes that are replayed, unless another number is said.
const USUAL: u64 = 10_000;
/// The most that may be asked for.
const MOST: u64 = 10_000_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A sequence in YAML or JSON; `-` is stdin.
    file: PathBuf,
    /// Replay what was started since then: 30d, 12h, or a date such as 2026-11-01.
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    since: String,
    /// How many processes are replayed at most, the youngest first.
    #[arg(long, value_name = "N", default_value_t = USUAL,
        value_parser = clap::value_parser!(u64).range(1..=MOST))]
    most: u64,
}

pub(super) async fn backtest(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let now = Clock::System.now();
    let since = since(&args.since, now, config.timezone)?;
    let source = Source::read(&args.file).map_err(Failure::refused)?;
    let engine = open::intake(&config, open::looked_at(&config).await?)?;
    let checked = source.check(&engine.kinds);
    if checked.has_errors() {
        return Err(Failure::sequence(&checked.diagnostics, &source.file, &source.text()));
    }
    if !checked.diagnostics.is_empty() {
        talk(rendered(&checked.diagnostics, &source.file, &source.text()).trim_end());
    }
    let is_json = context.output.is_json();
    let mut written = Ok(());
    let sum = intake::backtest(&engine, &source.bundle(), since, args.most, |process, compared| {
        written = tell(process, compared, is_json);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .await
    .map_err(|refusal| Failure::of(refusal, &source.file))?;
    written?;
    if is_json {
        output::json(&shown(&sum, since))?;
    } else {
        output::text(told(&sum, since, config.timezone))?;
    }
    Ok(())
}

fn since(text: &str, now: DateTime<Utc>, timezone: chrono_tz::Tz) -> Result<DateTime<Utc>> {
    let ago = duration(text).and_then(|ago| now.checked_sub_signed(ago));
    if let Some(since) = ago {
        return Ok(since);
    }
    // As Unix seconds, `30` would be the whole of the history.
    if text.trim().parse::<f64>().is_ok() {
        let message =
            format!("--since: {text} of what? write {text}d, 12h, or a date such as 2026-11-01");
        return Err(Failure::usage(message));
    }
    calendar::parse(text, timezone).map_err(|error| {
        Failure::usage(format!("--since: {error}; write 30d, 12h, or a date such as 2026-11-01"))
    })
}

/// A process that would have done something else.
fn tell(process: &Process, compared: &Compared, is_json: bool) -> std::io::Result<()> {
    if is_json {
        return match json_of(process, compared) {
            Some(line) => output::json(&line),
            None => Ok(()),
        };
    }
    let head = || {
        let started = words::moment(process.started_at, process.timezone);
        format!(
            "{BOLD}{}{BOLD:#}  {DIM}version {}, started {started}{DIM:#}",
            clean(&process.process_id),
            process.version
        )
    };
    match compared {
        Compared::Replayed(replayed) if !replayed.difference.is_empty() => {
            let contacts = differences(&replayed.difference, process);
            output::text(format!("{}{contacts}\n", head()))
        }
        Compared::Refused(problems) => {
            let why: Vec<String> = problems
                .iter()
                .map(|problem| {
                    format!("\n  {}: {}", clean(&problem.pointer), clean(&problem.message))
                })
                .collect();
            let would = format!("  {BAD}would have been refused{BAD:#}");
            output::text(format!("{}{would}{}\n", head(), why.concat()))
        }
        Compared::Replayed(_) | Compared::Not(_) => Ok(()),
    }
}

fn json_of(process: &Process, compared: &Compared) -> Option<Value> {
    let contacts = |all: &[Contact]| all.iter().map(contact).collect::<Vec<_>>();
    let mut line = json!({
        "kind": "process",
        "process_id": process.process_id,
        "key": process.key,
        "version": process.version,
    });
    match compared {
        Compared::Replayed(replayed) if !replayed.difference.is_empty() => {
            line["only_then"] = json!(contacts(&replayed.difference.only_before));
            line["only_now"] = json!(contacts(&replayed.difference.only_after));
            let shifted = replayed.difference.shifted.iter().map(shifted);
            line["shifted"] = shifted.collect();
            line["reworded"] = json!(contacts(&replayed.difference.reworded));
            line["assumed"] = json!(replayed.assumed);
            line["followed_until"] = json!(replayed.cut.map(Cut::as_str));
        }
        Compared::Refused(problems) => line["refused"] = json!(problems),
        Compared::Not(reason) => line["not_replayed"] = json!(reason),
        Compared::Replayed(_) => return None,
    }
    Some(line)
}

fn shown(sum: &Backtest, since: DateTime<Utc>) -> Value {
    let contacts: serde_json::Map<String, Value> = sum
        .contacts
        .iter()
        .map(|(channel, (then, now))| (channel.clone(), json!({ "then": then, "now": now })))
        .collect();
    let followed_until: serde_json::Map<String, Value> =
        sum.cut.iter().map(|(cut, number)| (cut.as_str().to_owned(), json!(number))).collect();
    json!({
        "kind": "sum",
        "sequence": sum.name,
        "since": rungs_core::process::iso(since),
        "started": sum.of,
        "looked_at": sum.looked_at,
        "replayed": sum.replayed,
        "differ": sum.differ,
        "refused": sum.refused,
        "not_replayed": sum.not_replayed,
        "contacts": contacts,
        "followed_until": followed_until,
        "answers": sum.asked,
        "assumed": sum.assumed,
    })
}

fn told(sum: &Backtest, since: DateTime<Utc>, timezone: chrono_tz::Tz) -> String {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let since = words::moment(since, timezone);
    if sum.of == 0 {
        return format!("No process of `{}` was started since {since}.", sum.name);
    }
    let mut told = vec![format!(
        "{BOLD}{} of {} started since {since} {} replayed{BOLD:#}: {} would have contacted \
         somebody differently.",
        sum.replayed,
        count(number(sum.of), "process"),
        if sum.replayed == 1 { "was" } else { "were" },
        sum.differ,
    )];
    for (channel, (then, now)) in &sum.contacts {
        let noun = noun(channel);
        told.push(format!("  {} then, {now} now", count(number(*then), noun)));
    }
    if sum.refused > 0 {
        told.push(format!("  {} would not have been let start.", sum.refused));
    }
    for (reason, processes) in &sum.not_replayed {
        told.push(format!("  {WARN}{processes} not replayed{WARN:#}: {reason}."));
    }
    for (cut, processes) in &sum.cut {
        let (these, they) = match processes {
            1 => ("1 was".to_owned(), "it was"),
            many => (format!("{many} were"), "they were"),
        };
        let until = match cut {
            Cut::Stopped => format!("until {they} stopped"),
            Cut::Paused => format!("until {they} paused or resumed"),
            Cut::Now => "until now, and would still go on".to_owned(),
            Cut::TooLong => "as far as can be, and would go on and on".to_owned(),
        };
        told.push(format!("  {these} compared {until}."));
    }
    if sum.looked_at < sum.of {
        let left = sum.of - sum.looked_at;
        told.push(format!(
            "  {WARN}{left} older ones not looked at{WARN:#}; --most looks at more."
        ));
    }
    if sum.assumed > 0 {
        told.push(format!(
            "  {} of {} {} not recorded, and taken to be as usual.",
            sum.assumed,
            count(number(sum.asked), "answer"),
            if sum.assumed == 1 { "was" } else { "were" },
        ));
    }
    told.join("\n")
}
