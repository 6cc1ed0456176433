//! A process as callers see it: with the events it has taken in and not heard yet.

use rungs_core::Process;

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
        for event in engine.store.unheard_events(&process.key).await? {
            process.take_event(event);
        }
    }
    Ok(Some(View { process }))
}
