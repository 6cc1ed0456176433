//! roesc's live processes and its registry of caller ids, brought over once.
//!
//! Promises: a row of roesc becomes the process that its request would become, with the
//! notifications that it still has; what is overdue goes out at once, as roesc would send it.
//! A row is known by its id and the moment of its last notification, which stays the same
//! while roesc works it off: whoever brings it again starts nothing, also if the process has
//! ended here, or roesc has sent a part of it meanwhile.
//! Called by: `rungs import roesc`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Climb, NewProcess, Notification, Refusal, RoescRequest, caller_ids, edn, keep_caller_ids,
    roesc, start::start_once,
};
use crate::{
    config::Roesc,
    engine::Engine,
    store::{
        imports::{Brought, Origin},
        roesc::Row,
    },
};

/// Under which names it is written down what was brought.
const PROCESS: &str = "roesc.process";
const PROPERTY: &str = "roesc.property";
/// Where roesc keeps who calls whom.
pub const REGISTRY: &str = "caller-id-registry";

/// What a row holds, and what came of it, or would.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Notifications that it still has, in the order of time.
    pub notifications: Vec<Notification>,
    /// What came of it.
    pub brought: Brought,
}

/// What came of the registry, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// It is kept from now on.
    Kept,
    /// Another one is kept, and stays.
    Another,
    /// It was brought before.
    Before,
}

/// Brings a row of roesc's `process`; in a `rehearsal`, only says what would come of it.
///
/// # Errors
/// What is wrong with the row.
pub async fn import_roesc(
    engine: &Engine,
    settings: &Roesc,
    row: &Row,
    rehearsal: bool,
) -> Result<Imported, Refusal> {
    let notifications = notifications(row)?;
    let last_at = notifications.last().map_or(0.0, |last| last.at);
    let id = format!("{}@{last_at}", row.id);
    let origin = Origin { source: PROCESS, id: &id };
    let brought = if engine.store.was_imported(origin).await? {
        Brought::Before
    } else if rehearsal {
        let live = engine.store.process(&row.id).await?.is_some_and(|it| it.status.is_live());
        if live { Brought::Live } else { Brought::Born }
    } else {
        let new = NewProcess {
            process_id: Some(row.id.clone()),
            climb: Climb::Inline(roesc::steps(settings, &notifications)),
            data: roesc::data(&notifications),
        };
        start_once(engine, new, origin).await?
    };
    Ok(Imported { notifications, brought })
}

fn notifications(row: &Row) -> Result<Vec<Notification>, Refusal> {
    let text = row.notifications.as_deref().unwrap_or_default();
    let list = edn::read(text).map_err(|error| Refusal::invalid("/notifications", error))?;
    let request = json!({ "process-id": row.id, "action": "start", "notifications": list });
    match RoescRequest::read(&request)? {
        RoescRequest::Start { notifications, .. } => Ok(notifications),
        RoescRequest::Stop { .. } => Ok(Vec::new()),
    }
}

/// Brings roesc's registry of caller ids, JSON, unless one is kept already; in a `rehearsal`,
/// only says what would come of it.
///
/// # Errors
/// What is wrong with it.
pub async fn import_roesc_registry(
    engine: &Engine,
    registry: &str,
    rehearsal: bool,
) -> Result<Registry, Refusal> {
    let origin = Origin { source: PROPERTY, id: REGISTRY };
    if engine.store.was_imported(origin).await? {
        return Ok(Registry::Before);
    }
    let (_, is_kept) = caller_ids(engine).await?;
    if is_kept {
        return Ok(Registry::Another);
    }
    let entries = entries(registry)?;
    if !rehearsal {
        keep_caller_ids(engine, entries).await?;
        // In this order: after a crash in between, one is kept already.
        engine.store.note_import(origin, engine.clock.now()).await?;
    }
    Ok(Registry::Kept)
}

fn entries(registry: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let wrong = || Refusal::invalid("", "expected a JSON object of numbers by prefix");
    let value: Value = serde_json::from_str(registry).map_err(|_| wrong())?;
    let entries: BTreeMap<String, String> = serde_json::from_value(value).map_err(|_| wrong())?;
    // A rehearsal refuses what the import would.
    super::caller_ids::check(entries.clone())?;
    Ok(entries)
}
