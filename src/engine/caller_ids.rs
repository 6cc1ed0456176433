//! Brings the registry of caller ids from the database to the channels.
//!
//! Promises: what somebody changed is in force within ten seconds in every program, and at
//! once in the one that was told. What cannot be read changes nothing.
//! Called by: dispatch, before attempts begin; intake, when the registry is changed.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{channels::caller_ids::CallerIds, store::Result};

use super::Engine;

/// Under which name it is kept.
const NAME: &str = "caller-ids";
const EVERY: TimeDelta = TimeDelta::seconds(10);

/// When it was brought last.
#[derive(Default)]
pub(super) struct Brought(Mutex<Option<DateTime<Utc>>>);

impl Brought {
    /// Whether it is time again. Whoever is told so brings it.
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| (now - last).abs() >= EVERY);
        if is_due {
            *last = Some(now);
        }
        is_due
    }

    /// It could not be brought: it is time again at once.
    fn failed(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Engine {
    /// Brings it, if that was not done a moment ago.
    pub(super) async fn bring_caller_ids(&self) -> Result<()> {
        if !self.brought.is_due(self.clock.now()) {
            return Ok(());
        }
        self.kept_caller_ids().await.inspect_err(|_| self.brought.failed())
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
