//! A process as callers see it: with the events it has taken in and not heard yet.

use std::sync::Arc;

use rungs_core::{Process, Sequence, take_in};

use crate::{engine::Engine, store::StoreError};

/// A process, as it will be once it has heard what it was told.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The process.
    pub process: Process,
}

/// The process that bears an id: the live one, else the last that did.
///
/// # Errors
/// The database's.
pub async fn view(engine: &Engine, process_id: &str) -> Result<Option<View>, StoreError> {
    let Some(mut process) = engine.store.process(process_id).await? else { return Ok(None) };
    if process.status.is_live() {
        let events = engine.store.unheard_events(&process.key).await?;
        if !events.is_empty() {
            let sequence = sequence_of(engine, &process).await?;
            for event in events {
                match &sequence {
                    Ok(sequence) => take_in(sequence, &mut process, &event),
                    Err(_) => process.take_event(event),
                }
            }
        }
    }
    Ok(Some(View { process }))
}

/// The version that a process climbs, or why this program cannot run it.
///
/// # Errors
/// The database's.
pub(super) async fn sequence_of(
    engine: &Engine,
    process: &Process,
) -> Result<Result<Arc<Sequence>, Arc<str>>, StoreError> {
    let (name, version) = (process.sequence.as_str(), process.version);
    if let Some(parsed) = engine.sequences.get(name, version) {
        return Ok(parsed);
    }
    Ok(match engine.store.sequence(name, Some(version)).await? {
        Some(row) => engine.sequences.parse(name, version, &row.source, &engine.kinds),
        None => Err(format!("version {version} of `{name}` is not in the database").into()),
    })
}
