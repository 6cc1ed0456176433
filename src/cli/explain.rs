//! `explain`: why a process is where it is, and what comes next.

use std::{fmt::Write, sync::Arc};

use rungs_core::{Process, explain::Explanation};

use crate::{
    channels::{Channels, console::Print, console::clean},
    clock::Clock,
    engine::Engine,
    intake::{self, View},
};

use super::{
    Context, Failure, Result, open,
    output::{BOLD, DIM},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The process's id, or the key of one of those that bore it.
    #[arg(value_name = "PROCESS")]
    id: String,
}

pub(super) async fn explain(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let store = open::looked_at(&config).await?;
    let silent: Print = Arc::new(|_| ());
    // It sends nothing, so what keeps a channel from being opened is no trouble here.
    let channels = Channels::open_printing(&config.channels(), &silent).unwrap_or_default();
    let engine = Engine::new(store, Clock::System, channels, open::engine_options(&config));
    let process = find(&engine, &args.id).await?;
    let explanation = intake::explain(&engine, process).await?;
    context.output.answer(&explanation, text(&explanation))?;
    Ok(())
}

async fn find(engine: &Engine, id: &str) -> Result<Process> {
    if let Some(View { process }) = intake::view(engine, id).await? {
        return Ok(process);
    }
    let found = engine.store.process_by_key(id).await?;
    found.ok_or_else(|| Failure::refused(format!("no process bears the id `{}`", clean(id))))
}

/// The sentences, each under what it is about.
fn text(explanation: &Explanation) -> String {
    let sections = explanation.sections();
    let told = sections.iter().map(|section| {
        let lines: Vec<String> =
            section.lines.iter().map(|line| format!("  {}", steps(&clean(line)))).collect();
        format!("{DIM}{}{DIM:#}\n{}", section.title, lines.join("\n"))
    });
    told.collect::<Vec<_>>().join("\n\n")
}

/// Names in backticks stand out.
fn steps(line: &str) -> String {
    let mut text = String::new();
    for (place, part) in line.split('`').enumerate() {
        if place % 2 == 1 {
            let _ = write!(text, "`{BOLD}{part}{BOLD:#}`");
        } else {
            text += part;
        }
    }
    text
}
