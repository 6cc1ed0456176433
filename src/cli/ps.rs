//! `ps`: lists processes, youngest first.

use chrono::{DateTime, Utc};
use clap::value_parser;
use rungs_core::{Process, Status};

use crate::{
    channels::console::clean,
    clock::Clock,
    store::{Store, processes::Filter},
};

use super::{
    Context, Result,
    failure::count,
    open,
    output::{self, talk},
    view, words,
};

/// What is listed unless somebody asks for more: what is live, and what needs somebody.
const USUAL: [Status; 3] = [Status::Active, Status::Paused, Status::Failed];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those with this status: active, paused, completed, stopped or failed.
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Only those of this sequence.
    #[arg(long, value_name = "NAME")]
    sequence: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = value_parser!(u64).range(1..=100_000))]
    limit: u64,
    /// Also those that were completed or stopped.
    #[arg(long, short, conflicts_with = "status")]
    all: bool,
}

fn status(text: &str) -> std::result::Result<Status, String> {
    let known = Status::ALL.map(Status::as_str).join(", ");
    Status::parse(text).ok_or_else(|| format!("expected one of {known}"))
}

pub(super) async fn ps(args: &Args, context: &Context) -> Result<()> {
    let store = open::looked_at(&context.config()?).await?;
    // One more than is shown tells whether there are more.
    let mut found = find(&store, args, args.limit.saturating_add(1)).await?;
    let most = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    if context.output.is_json() {
        for process in &found {
            output::json(&view::summary(process))?;
        }
        return Ok(());
    }
    let now = Clock::System.now();
    let head = ["id", "sequence", "status", "step", "due in", "since"];
    let rows: Vec<Vec<String>> = std::iter::once(head.map(str::to_owned).to_vec())
        .chain(found.iter().map(|process| row(process, now)))
        .collect();
    output::text(output::table(&rows))?;
    if more {
        talk(&format!("{} shown; there are more (--limit)", count(most, "process")));
    }
    if found.is_empty() && !args.all && args.status.is_none() {
        talk("no live process; --all shows those that have ended");
    }
    Ok(())
}

/// Youngest first.
async fn find(store: &Store, args: &Args, most: u64) -> Result<Vec<Process>> {
    let statuses: Vec<Option<Status>> = match args.status {
        Some(status) => vec![Some(status)],
        None if args.all => vec![None],
        None => USUAL.map(Some).to_vec(),
    };
    let mut found = Vec::new();
    for status in statuses {
        let filter = Filter { status, sequence: args.sequence.clone(), ..Filter::default() };
        found.extend(store.processes(&filter, most).await?);
    }
    found.sort_by(|a, b| b.key.cmp(&a.key));
    Ok(found)
}

fn row(process: &Process, now: DateTime<Utc>) -> Vec<String> {
    let due = match (process.status, process.due_at) {
        (Status::Active, Some(at)) => words::until(at, now),
        (Status::Active, None) => "on news".to_owned(),
        _ => "-".to_owned(),
    };
    vec![
        clean(&process.process_id),
        format!("{} v{}", clean(&process.sequence), process.version),
        process.status.as_str().to_owned(),
        clean(process.cursor.as_deref().unwrap_or("-")),
        due,
        words::duration(now - process.started_at),
    ]
}
