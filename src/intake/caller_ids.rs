//! The registry of caller ids: read, kept, given up.

use std::collections::BTreeMap;

use crate::{channels::caller_ids::CallerIds, engine::Engine};

use super::Refusal;

/// Prefixes in a registry.
const MOST: usize = 10_000;

/// The registry in force, and whether it is kept in the database.
///
/// # Errors
/// The database's.
pub async fn caller_ids(engine: &Engine) -> Result<(CallerIds, bool), Refusal> {
    engine.kept_caller_ids().await?;
    Ok(engine.channels.caller_ids.in_force())
}

/// Keeps a registry in the place of the configured one.
///
/// # Errors
/// The first entry that is wrong.
pub async fn keep_caller_ids(
    engine: &Engine,
    entries: BTreeMap<String, String>,
) -> Result<(CallerIds, bool), Refusal> {
    let registry = check(entries)?;
    engine.keep_caller_ids(Some(registry)).await?;
    Ok(engine.channels.caller_ids.in_force())
}

/// The registry that these entries make.
pub(super) fn check(entries: BTreeMap<String, String>) -> Result<CallerIds, Refusal> {
    if entries.len() > MOST {
        return Err(Refusal::invalid("", format!("it has more than {MOST} prefixes")));
    }
    CallerIds::try_from(entries).map_err(|error| Refusal::invalid("", error))
}

/// Gives the kept registry up: the configured one is in force again.
///
/// # Errors
/// The database's.
pub async fn give_up_caller_ids(engine: &Engine) -> Result<(CallerIds, bool), Refusal> {
    engine.keep_caller_ids(None).await?;
    Ok(engine.channels.caller_ids.in_force())
}
