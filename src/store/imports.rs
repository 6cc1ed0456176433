//! What was brought from another system, once.
//!
//! Promises: a process and the note that it was brought are one transaction, so whoever
//! brings everything again, after a crash or for ever, starts nothing twice.
//! Called by: intake.

use chrono::{DateTime, Utc};
use rungs_core::Process;
use sea_orm::ConnectionTrait;

use super::{Result, Store, clean, processes::births};

/// Something in another system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Where, such as `roesc.process`.
    pub source: &'a str,
    /// What it is there.
    pub id: &'a str,
}

/// What came of bringing a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// It was started.
    Born,
    /// A process with its id lives here already, and goes on in its place.
    Live,
    /// It was brought before.
    Before,
}

impl Store {
    /// Inserts a process that was not brought before.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert_once(
        &self,
        process: &Process,
        origin: Origin<'_>,
        now: DateTime<Utc>,
    ) -> Result<Brought> {
        let tx = self.begin().await?;
        if !self.note(&tx, origin, now).await? {
            return Ok(Brought::Before);
        }
        let born = self.insert_on(&tx, &[process], births(&[process]), now).await?;
        self.commit(tx).await?;
        Ok(if born.contains(&true) { Brought::Born } else { Brought::Live })
    }

    /// Notes that something was brought; false if it was brought before.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_import(&self, origin: Origin<'_>, now: DateTime<Utc>) -> Result<bool> {
        let tx = self.begin().await?;
        let noted = self.note(&tx, origin, now).await?;
        self.commit(tx).await?;
        Ok(noted)
    }

    async fn note(
        &self,
        tx: &impl ConnectionTrait,
        origin: Origin<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let sql = "INSERT INTO imports (source, id, imported_at) VALUES ($1, $2, $3)
                   ON CONFLICT (source, id) DO NOTHING";
        let values = [origin.source.into(), clean(origin.id).into(), now.timestamp_millis().into()];
        Ok(self.run(tx, sql, values).await? > 0)
    }

    /// Whether something was brought before.
    ///
    /// # Errors
    /// The database's.
    pub async fn was_imported(&self, origin: Origin<'_>) -> Result<bool> {
        let sql = "SELECT 1 FROM imports WHERE source = $1 AND id = $2";
        let values = [origin.source.into(), clean(origin.id).into()];
        Ok(!self.rows(self.reader().await, sql, values).await?.is_empty())
    }
}
