//! Brings the registry of caller ids from the database to the channels.
//!
//! Promises: what somebody changed is in force within ten seconds in every program, and at
//! once in the one that was told. What cannot be read changes nothing.
//! Called by: dispatch, before attempts begin; intake, when the registry is changed.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::{channels::caller_ids::CallerIds, store::Result};

use super::Engine;

/// Under which name it is kept.
const NAME: &str = "caller-ids";
const EVERY: TimeDelta = TimeDelta::seconds(10);

/// When it was brought last. Held while it is being brought, so that whoever begins attempts
/// at that moment waits for it.
#[derive(Default)]
pub(super) struct Brought(Mutex<Option<DateTime<Utc>>>);

impl Engine {
    /// Brings it, if that was not done a moment ago.
    pub(super) async fn bring_caller_ids(&self) -> Result<()> {
        let mut last = self.brought.0.lock().await;
        let now = self.clock.now();
        if last.is_none_or(|last| (now - last).abs() >= EVERY) {
            self.kept_caller_ids().await?;
            *last = Some(now);
        }
        Ok(())
    }

    /// Puts the registry that is kept in force.
    ///
    /// # Errors
    /// The database's.
    pub async fn kept_caller_ids(&self) -> Result<()> {
        let kept = self.store.setting(NAME).await?;
        match kept.map(|text| serde_json::from_str(&text)).transpose() {
            Ok(kept) => self.channels.caller_ids.keep(kept),
            Err(error) => tracing::error!(%error, "the caller ids in the database cannot be read"),
        }
        Ok(())
    }

    /// Keeps a registry in the place of the configured one; `None`: no longer.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep_caller_ids(&self, registry: Option<CallerIds>) -> Result<()> {
        let text = registry.as_ref().and_then(|registry| serde_json::to_string(registry).ok());
        self.store.set(NAME, text.as_deref(), self.clock.now()).await?;
        self.channels.caller_ids.keep(registry);
        Ok(())
    }
}
