//! What it costs, beside what the machine can do at most: `cargo bench`.
//!
//! Each row is measured beside its floor, the same rows written or requests sent without
//! Rungs, in the same round, seconds apart; three rounds, medians. PostgreSQL and SQLite run
//! at their default durability. `cargo bench -- drain start` measures some rows only,
//! `--quick` does so at small sizes, `--json FILE` writes the figures down.
//! `docs/performance.md` says what each row is and what it showed.
//!
//! Not a timed test: nothing here fails because a machine is slow.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "counts of what is measured: small, and never below zero"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that meets what it does not expect has nothing to report"
)]

use std::path::PathBuf;

use clap::Parser;
use futures::future::BoxFuture;

#[path = "../tests/it/databases.rs"]
#[expect(dead_code, reason = "the tests treat their databases worse than this does")]
mod databases;

mod advance;
mod chain;
mod climb;
mod deliver;
mod drain;
mod evaluators;
mod figure;
mod floor;
mod lateness;
mod place;
mod sample;
mod sink;
mod sleepers;
mod start;

use figure::Figure;

/// What `rungs` itself allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what Rungs costs, beside what the machine can do at most.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rows to measure; without any, all of them.
    rows: Vec<String>,
    /// Small sizes: for trying out, not for figures.
    #[arg(long)]
    quick: bool,
    /// How many rounds; the medians count.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where to write the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// What Cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much to measure.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    quick: bool,
}

impl Size {
    /// `full`, or a part of it that takes a moment.
    pub fn of(self, full: usize) -> usize {
        if self.quick { full.div_ceil(10) } else { full }
    }
}

/// One round of a row.
type Round = fn(Size) -> BoxFuture<'static, Vec<Figure>>;

const ROWS: &[(&str, Round)] = &[
    ("advance", |size| Box::pin(async move { advance::round(size) })),
    ("drain", |size| Box::pin(drain::round(size))),
    ("chain", |size| Box::pin(chain::round(size))),
    ("climb", |size| Box::pin(climb::round(size))),
    ("start", |size| Box::pin(start::round(size))),
    ("deliver", |size| Box::pin(deliver::round(size))),
    ("lateness", |size| Box::pin(lateness::round(size))),
    ("sleepers", |size| Box::pin(sleepers::round(size))),
    ("evaluators", |size| Box::pin(evaluators::round(size))),
];

fn main() {
    let arguments = Arguments::parse();
    if let Some(unknown) =
        arguments.rows.iter().find(|row| ROWS.iter().all(|(name, _)| name != row))
    {
        let names: Vec<&str> = ROWS.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no row `{unknown}`; expected some of {}", names.join(", "));
        std::process::exit(2);
    }
    // The bare client may come before any channel, each of which does this.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut figures = Vec::new();
    for (name, round) in ROWS {
        if arguments.rows.is_empty() || arguments.rows.iter().any(|row| row == name) {
            figures.extend(measure(&runtime, name, *round, &arguments));
        }
    }
    println!("{}", figure::table(&figures));
    if let Some(file) = &arguments.json {
        std::fs::write(file, figure::json(&figures).to_string()).expect("a place for the figures");
    }
}

/// The medians of a row's rounds.
fn measure(
    runtime: &tokio::runtime::Runtime,
    name: &str,
    round: Round,
    arguments: &Arguments,
) -> Vec<Figure> {
    let size = Size { quick: arguments.quick };
    let rounds: Vec<Vec<Figure>> = (1..=arguments.rounds.max(1))
        .map(|number| {
            eprintln!("{name}, round {number}");
            let figures = runtime.block_on(round(size));
            for figure in &figures {
                let floor =
                    figure.floor.map_or(String::new(), |floor| format!(" beside {floor:.2}"));
                eprintln!("  {}: {:.2} {}{floor}", figure.what, figure.value, figure.unit);
            }
            figures
        })
        .collect();
    let count = rounds.first().map_or(0, Vec::len);
    (0..count)
        .filter_map(|index| {
            let same: Vec<Figure> =
                rounds.iter().filter_map(|figures| figures.get(index).cloned()).collect();
            Figure::median(&same)
        })
        .collect()
}
