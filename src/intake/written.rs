//! What processes have written, for who looks ahead.
//!
//! Promises: what cannot be read is left out and logged.
//! Called by: [`explain`](super::explain) and [`plan`](super::plan).

use std::{collections::HashMap, mem};

use rungs_core::{Process, simulate::Written};

use crate::{
    engine::Engine,
    store::{StoreError, deliveries, entity::delivery},
};

/// By the keys of their processes, what is still under way.
pub(super) async fn under_way(
    engine: &Engine,
    processes: &[Process],
) -> Result<HashMap<String, Vec<Written>>, StoreError> {
    let of_each = engine.store.under_way(processes).await?;
    Ok(of_each.into_iter().map(|(key, rows)| (key, read(rows))).collect())
}

/// What can be read of it.
pub(super) fn read(rows: Vec<delivery::Model>) -> Vec<Written> {
    rows.into_iter().filter_map(written).collect()
}

fn written(mut row: delivery::Model) -> Option<Written> {
    let request = mem::take(&mut row.request);
    let record = deliveries::read(row)
        .inspect_err(|error| tracing::error!(%error, "a delivery is left out"))
        .ok()?;
    Some(Written { record, request: serde_json::from_str(&request).unwrap_or_default() })
}
