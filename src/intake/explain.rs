//! Why a process is where it is, from everything that is stored of it.
//!
//! Promises: it reads and changes nothing. A version that this program cannot run, and a
//! delivery that it cannot read, are no reason to say nothing.

use std::mem;

use rungs_core::{
    Process,
    explain::{self, Explanation, Subject, Written},
};

use crate::{
    engine::Engine,
    store::{StoreError, deliveries, entity::delivery},
};

/// Moments of the history that are read: its end says what holds a process.
const MOST_MOMENTS: u64 = 50;
/// The name of the channel that stands in for what is not configured.
const CONSOLE: &str = "console";

/// Explains `process`, as it was found with the events it has taken in.
///
/// # Errors
/// The database's.
pub async fn explain(engine: &Engine, process: Process) -> Result<Explanation, StoreError> {
    let (name, version) = (process.sequence.as_str(), process.version);
    let sequence = match engine.sequences.get(name, version) {
        Some(parsed) => parsed,
        None => match engine.store.sequence(name, Some(version)).await? {
            Some(row) => engine.sequences.parse(name, version, &row.source, &engine.kinds),
            None => Err(format!("version {version} of `{name}` is not in the database").into()),
        },
    };
    let deliveries = engine.store.deliveries_of(&process.key).await?;
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
        let deliveries: Vec<Written> = deliveries.into_iter().filter_map(written).collect();
        explain::explain(Subject {
            process: &process,
            sequence: sequence.as_deref().map_err(AsRef::as_ref),
            deliveries: &deliveries,
            history: &history,
            printed: &printed,
            now,
        })
    });
    Ok(explaining.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
}

fn written(mut row: delivery::Model) -> Option<Written> {
    let request = mem::take(&mut row.request);
    let record = deliveries::read(row)
        .inspect_err(|error| tracing::error!(%error, "left out of an explanation"))
        .ok()?;
    Some(Written { record, request: serde_json::from_str(&request).unwrap_or_default() })
}
