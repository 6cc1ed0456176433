//! `audit`: what no healthy engine leaves lying about.
//!
//! Promises: exit code 0 if nothing was found, 1 if something was, or if nobody could look;
//! then stderr says why.

use chrono::{DateTime, Utc};
use clap::value_parser;

use crate::{
    channels::console::clean,
    clock::Clock,
    store::audit::{Audit, Finding, Found},
};

use super::{
    Context, Failure, Result,
    failure::count,
    open,
    output::{self, talk},
    words,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many of each kind are named at most.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = value_parser!(u64).range(1..=10_000))]
    limit: u64,
}

pub(super) async fn audit(args: &Args, context: &Context) -> Result<()> {
    let store = open::looked_at(&context.config()?).await?;
    let now = Clock::System.now();
    let audit = store.audit(now, args.limit).await?;
    if context.output.is_json() {
        output::json(&audit)?;
    } else {
        output::text(text(&audit, now))?;
        for (kind, found) in audit.kinds().into_iter().filter(|(_, found)| found.count > 0) {
            talk(&explained(kind, found));
        }
    }
    if audit.is_clean() { Ok(()) } else { Err(Failure::said(1)) }
}

fn text(audit: &Audit, now: DateTime<Utc>) -> String {
    if audit.is_clean() {
        return "nothing is forgotten, orphaned or overdue".to_owned();
    }
    let head = ["found", "id", "sequence", "step", "delivery", "for"];
    let rows = audit
        .kinds()
        .into_iter()
        .flat_map(|(kind, found)| found.first.iter().map(move |finding| row(kind, finding, now)));
    let rows: Vec<Vec<String>> =
        std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect();
    output::table(&rows)
}

fn row(kind: &str, finding: &Finding, now: DateTime<Utc>) -> Vec<String> {
    let shown = |text: &Option<String>| clean(text.as_deref().unwrap_or("-"));
    vec![
        kind.to_owned(),
        clean(&finding.process_id),
        clean(&finding.sequence),
        shown(&finding.step),
        shown(&finding.delivery),
        finding.since.map_or_else(|| "-".to_owned(), |since| words::duration(now - since)),
    ]
}

/// How many there are, and what to do about them.
fn explained(kind: &str, found: &Found) -> String {
    let number = usize::try_from(found.count).unwrap_or(0);
    match kind {
        "forgotten" => format!(
            "{} that nothing will ever wake; any event does (`rungs event ID look`)",
            count(number, "process")
        ),
        "orphaned" => format!(
            "{} that outlived whoever began it; does a `rungs serve` or `evaluate` run?",
            count(number, "attempt")
        ),
        _ => format!(
            "{} due for more than a minute; does a `rungs serve` or `evaluate` run?",
            count(number, "process")
        ),
    }
}
