//! Messages of a queue: each is taken in once, in one transaction with what it asks for.
//!
//! Promises: a message that comes again, also to another program, or after one that ended
//! between the commit and its answer, changes nothing.

use chrono::{DateTime, Utc};
use rungs_core::{Event, Process};
use sea_orm::DatabaseTransaction;

use super::{
    Result, Store,
    events::Received,
    processes::{Change, births},
};

/// What a message asks for.
#[derive(Debug, Clone, Copy)]
pub enum Deed<'a> {
    /// Insert this process, unless it is live.
    Start(&'a Process),
    /// Stop the process that bears this id.
    Stop {
        /// The process's id.
        process_id: &'a str,
        /// Why.
        reason: Option<&'a str>,
    },
    /// Tell a process of an event.
    Event {
        /// The process's id.
        process_id: &'a str,
        /// The event's id.
        id: &'a str,
        /// What happened.
        event: &'a Event,
        /// The most data that the process may have with it, in characters.
        most_data: usize,
    },
    /// Nothing: it is only remembered.
    Nothing,
}

/// What came of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// A process was born, or was live already.
    Started(bool),
    /// What became of the stop.
    Stopped(Change),
    /// What became of the event. With [`Received::TooMuch`] nothing was taken in.
    Told(Received),
    /// Nothing was asked for.
    Nothing,
}

impl Store {
    /// Does what a message asks for and remembers its id, or answers `None` if it was taken in
    /// before.
    ///
    /// # Errors
    /// The database's; then nothing has happened.
    pub async fn take(
        &self,
        message: &str,
        deed: Deed<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Done>> {
        let tx = self.begin().await?;
        // Whoever takes in the same message at this moment is waited for here.
        if !self.remember(&tx, message, now).await? {
            return Ok(None);
        }
        let done = match deed {
            Deed::Start(process) => {
                let born = self.insert_on(&tx, &[process], births(&[process]), now).await?;
                Done::Started(born.contains(&true))
            }
            Deed::Stop { process_id, reason } => {
                Done::Stopped(self.stop_on(&tx, process_id, reason, now).await?)
            }
            Deed::Event { process_id, id, event, most_data } => {
                match self.receive_on(&tx, process_id, id, event, most_data, now).await? {
                    told @ (Received::Taken | Received::NotLive) => Done::Told(told),
                    Received::Repeated => return self.take_repeated(tx, message, now).await,
                    Received::TooMuch => return Ok(Some(Done::Told(Received::TooMuch))),
                }
            }
            Deed::Nothing => Done::Nothing,
        };
        self.commit(tx).await?;
        Ok(Some(done))
    }

    /// Whether a message was taken in.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_taken(&self, message: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM messages WHERE id = $1";
        Ok(!self.rows(self.reader().await, sql, [message.into()]).await?.is_empty())
    }

    /// An event that came before woke the process for nothing: only the message is kept.
    async fn take_repeated(
        &self,
        tx: DatabaseTransaction,
        message: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Done>> {
        tx.rollback().await?;
        let tx = self.begin().await?;
        if !self.remember(&tx, message, now).await? {
            return Ok(None);
        }
        self.commit(tx).await?;
        Ok(Some(Done::Told(Received::Repeated)))
    }

    async fn remember(
        &self,
        tx: &DatabaseTransaction,
        message: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let sql = "INSERT INTO messages (id, taken_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let values = [message.into(), now.timestamp_millis().into()];
        Ok(self.run(tx, sql, values).await? > 0)
    }
}
