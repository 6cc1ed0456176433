//! What is counted in the database when somebody asks for the metrics.
//!
//! Promises: a count is shown again for a hundred times as long as it took, so that counting
//! costs at most a hundredth of a core, however many processes there are and however often
//! somebody asks. Of a small database every answer is fresh; of a million processes it may
//! be a minute or two old.

use std::time::Duration;

use tokio::sync::Mutex;

use super::Engine;
use crate::{clock::Stopwatch, store::Result, store::audit::Audit};

/// A count is kept for so many times as long as it took.
const KEPT: u32 = 100;

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Processes by status.
    pub processes: Vec<(String, i64)>,
    /// Open deliveries by status.
    pub deliveries: Vec<(String, i64)>,
    /// What is wrong.
    pub audit: Audit,
}

/// The last count.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    counts: Counts,
    counted: Stopwatch,
    took: Duration,
}

impl Engine {
    /// Everything that is counted, in Prometheus's text format.
    ///
    /// # Errors
    /// The database's.
    pub async fn scrape(&self) -> Result<String> {
        let counts = self.counts().await?;
        Ok(self.metrics.render(&counts, self.clock.now()))
    }

    async fn counts(&self) -> Result<Counts> {
        // Two who ask at the same time count once.
        let mut kept = self.counted.0.lock().await;
        if let Some(Kept { counts, counted, took }) = &*kept
            && counted.elapsed() < *took * KEPT
        {
            return Ok(counts.clone());
        }
        let watch = Stopwatch::start();
        let counts = Counts {
            processes: self.store.count_processes().await?,
            deliveries: self.store.count_open_deliveries().await?,
            audit: self.store.audit(self.clock.now(), 1).await?,
        };
        let took = watch.elapsed();
        *kept = Some(Kept { counts: counts.clone(), counted: Stopwatch::start(), took });
        Ok(counts)
    }
}
