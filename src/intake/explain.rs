//! Why a process is where it is, from everything that is stored of it.
//!
//! Promises: it reads and changes nothing. A version that this program cannot run, and a
//! delivery that it cannot read, are no reason to say nothing.

use std::slice;

use rungs_core::{
    Process,
    explain::{self, Explanation, MOST_CONTACTS, Subject},
};

use super::{view, written};
use crate::{engine::Engine, store::StoreError};

/// Moments of the history that are read: its end says what holds a process.
const MOST_MOMENTS: u64 = 50;
/// The name of the channel that stands in for what is not configured.
const CONSOLE: &str = "console";

/// Explains `process`, as it was found with the events it has taken in.
///
/// # Errors
/// The database's.
pub async fn explain(engine: &Engine, process: Process) -> Result<Explanation, StoreError> {
    let sequence = view::sequence_of(engine, &process).await?;
    let (last, many) = engine.store.last_deliveries_of(&process.key, MOST_CONTACTS as u64).await?;
    let earlier_contacts = many.saturating_sub(last.len() as u64);
    let last = written::read(last);
    let under_way = written::under_way(engine, slice::from_ref(&process)).await?;
    let under_way: Vec<_> = under_way.into_values().flatten().collect();
    let moments = engine.store.history_end(&process.key, MOST_MOMENTS).await?;
    let printed: Vec<&str> = engine
        .channels
        .iter()
        .filter(|(_, way)| way.channel.name() == CONSOLE)
        .map(|(name, _)| name)
        .collect();
    let now = engine.clock.now();
    // A long climb may be simulated, and nobody else shall wait for it.
    let explaining = tokio::task::spawn_blocking(move || {
        let history: Vec<_> = moments
            .into_iter()
            .flat_map(|moment| moment.entries.into_iter().map(move |entry| (moment.at, entry)))
            .collect();
        explain::explain(Subject {
            process: &process,
            sequence: sequence.as_deref().map_err(AsRef::as_ref),
            last: &last,
            earlier_contacts: usize::try_from(earlier_contacts).unwrap_or(usize::MAX),
            under_way: &under_way,
            history: &history,
            printed: &printed,
            now,
        })
    });
    Ok(explaining.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
}
