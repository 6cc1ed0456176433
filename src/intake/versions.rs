//! The versions of a sequence, as `plan`, `apply --move` and `backtest` go through them.

use std::{collections::HashMap, sync::Arc};

use rungs_core::Sequence;

use super::Refusal;
use crate::engine::Engine;

/// Versions of one sequence, each read once.
pub(super) struct Versions<'a> {
    engine: &'a Engine,
    name: &'a str,
    read: HashMap<i32, Option<Arc<Sequence>>>,
}

impl<'a> Versions<'a> {
    pub(super) fn of(engine: &'a Engine, name: &'a str) -> Self {
        Self { engine, name, read: HashMap::new() }
    }

    /// A version; none if it is not there, or this program cannot run it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn get(&mut self, version: i32) -> Result<Option<Arc<Sequence>>, Refusal> {
        if let Some(known) = self.read.get(&version) {
            return Ok(known.clone());
        }
        let Self { engine, name, .. } = self;
        let parsed = match engine.sequences.get(name, version) {
            Some(parsed) => parsed.ok(),
            None => engine.store.sequence(name, Some(version)).await?.and_then(|row| {
                engine.sequences.parse(name, version, &row.source, &engine.kinds).ok()
            }),
        };
        self.read.insert(version, parsed.clone());
        Ok(parsed)
    }
}
