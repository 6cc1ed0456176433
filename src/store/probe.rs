//! Where the store can be watched, and held, between two of its steps.
//!
//! Promises: without a probe these points cost nothing. A probe cannot change what a
//! statement does; it can only take its time, and whoever drops the call meanwhile has
//! crashed exactly there.
//! Called by: the store, at each point; set by the simulation.

use async_trait::async_trait;

use super::Store;

/// A moment in the life of a store call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// Before a transaction begins: nothing is held yet.
    Begin,
    /// Everything is written, nothing is committed.
    Commit,
    /// The database has committed, and the caller does not know it yet.
    Committed,
    /// Before a read outside a transaction.
    Read,
}

/// Somebody who is told of these moments.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Comes back when the call may go on.
    async fn at(&self, point: Point);
}

impl Store {
    /// The same store, watched by `probe`.
    #[must_use]
    pub fn probed(mut self, probe: std::sync::Arc<dyn Probe>) -> Self {
        self.probe = Some(probe);
        self
    }

    /// How many connections are at work, or held by a transaction. With it a probe knows when
    /// a call that it has let go on is over.
    pub fn connections_in_use(&self) -> usize {
        let (size, idle) = if self.is_sqlite() {
            let pool = self.writer.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = self.writer.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        };
        usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(idle)
    }

    pub(super) async fn at(&self, point: Point) {
        if let Some(probe) = &self.probe {
            probe.at(point).await;
        }
    }
}
