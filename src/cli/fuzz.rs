//! `fuzz`: a search for climbs that nobody wants, each printed as a case for `test`.
//!
//! Promises: nothing is sent. With `--runs` the same seed prints the same, on any machine.
//! Ends with 1 if something was found, and with 0 if not, which proves nothing.

use std::{path::PathBuf, time::Duration};

use chrono_tz::Tz;
use rungs_core::{
    check,
    fuzz::{Base, Flaw, Found, Search},
};
use serde_json::json;

use crate::{channels::console::clean, clock::Stopwatch, config::Config};

use super::{
    Context, Failure, Result,
    failure::count,
    input::{self, Source},
    output::{self, BAD, DIM, GOOD, talk},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sequence, in YAML or JSON; `-` is stdin.
    file: PathBuf,
    /// How long to search.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    seconds: u64,
    /// Search so many climbs instead, however long that takes.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Where chance begins. The same seed searches the same climbs.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// What every process is about: JSON, or @FILE with JSON. Without it, data are drawn from
    /// `input`, and from NAME.data.json beside NAME.yml, if that is there.
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// The zone of sequences that name none. Without it, that of the configuration; if that names
    /// none, several are tried.
    #[arg(long, value_name = "TZ", value_parser = input::zone)]
    timezone: Option<Tz>,
    /// Kinds that do not count: `nobody`, `after-goal`, `endless`, `fails`.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = flaw)]
    except: Vec<Flaw>,
}

fn flaw(text: &str) -> std::result::Result<Flaw, String> {
    Flaw::ALL.into_iter().find(|flaw| flaw.as_str() == text).ok_or_else(|| {
        let known = Flaw::ALL.map(Flaw::as_str).join(", ");
        format!("expected one of {known}")
    })
}

pub(super) fn fuzz(args: &Args, context: &Context) -> Result<()> {
    let source = Source::read(&args.file).map_err(Failure::refused)?;
    let Config { kinds, timezone: usual, .. } = context.known_config()?;
    let sequence = input::checked(&source, &kinds)?;
    let written = check::written(&source.bundle(), &kinds).unwrap_or_default();
    let data = input::data_or_example(args.data.as_deref(), &args.file)?;
    let beside = args.data.is_none() && !data.is_null();
    let timezone = args.timezone.or(Some(usual).filter(|usual| *usual != Tz::UTC));
    let base = Base { data, fixed: args.data.is_some(), beside, timezone, usual };
    let (watch, long) = (Stopwatch::start(), Duration::from_secs(args.seconds));
    let mut search = Search::new(&sequence, &written, base, args.seed);
    search.ignore(&args.except);
    if args.runs.is_none() {
        search.until(move || watch.elapsed() >= long);
    }
    let mut flaws = 0;
    while args.runs.map_or_else(|| watch.elapsed() < long, |runs| search.runs() < runs) {
        if let Some(found) = search.step() {
            tell(&found, flaws == 0, context)?;
            flaws += 1;
        }
    }
    sum(&search, flaws, watch.elapsed(), args.seed)
}

/// A finding, as soon as there is one: together they are a file of cases.
fn tell(found: &Found, is_first: bool, context: &Context) -> Result<()> {
    let Found { flaw, step, says, case, holds } = found;
    if context.output.is_json() {
        output::json(&json!({
            "flaw": flaw.as_str(), "step": step, "says": says, "case": case, "holds": holds,
        }))?;
        return Ok(());
    }
    talk(&format!("{BAD}{}{BAD:#}: {}", flaw.as_str(), clean(says)));
    let case = if is_first { case } else { case.strip_prefix("cases:\n").unwrap_or(case) };
    output::text(case.trim_end())?;
    Ok(())
}

fn sum(search: &Search<'_>, flaws: usize, took: Duration, seed: u64) -> Result<()> {
    let runs = search.runs();
    // So many that their number is no exact one matters to nobody.
    let each = (runs as f64 / took.as_secs_f64().max(0.001)).round();
    let climbs =
        format!("{runs} climbs in {:.1} s, {each} per second, seed {seed}", took.as_secs_f64());
    if runs > 0 && search.unfit() == runs {
        return Err(Failure::refused("no data were found with which a process starts")
            .hint("--data takes JSON, or @FILE"));
    }
    if flaws == 0 {
        talk(&format!("{GOOD}nothing found{GOOD:#}: {climbs}"));
        return Ok(());
    }
    talk(&format!(
        "\n{BAD}{} found{BAD:#}: {climbs}\n{DIM}The cases above go into NAME.test.yml beside the sequence.{DIM:#}",
        count(flaws, "flaw")
    ));
    Err(Failure::said(1))
}
