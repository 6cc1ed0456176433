//! What comes in: sequences, starts, stops, events, roesc's requests, messages of a queue,
//! provider callbacks.
//!
//! Promises: everything is checked here, whichever door it came through, and answered
//! with all that is wrong with it. [`start()`] is the only birth of a process.
//! Does not: parse HTTP or command lines, and never sends.
//! Called by: every door.

mod acts;
mod backtest;
mod callbacks;
mod caller_ids;
mod change;
mod edn;
mod explain;
mod fields;
mod follow;
mod import;
mod moves;
mod plan;
mod queue;
mod request;
mod roesc;
mod sequences;
#[cfg(feature = "aws")]
mod sqs;
mod start;
mod versions;
mod view;
mod written;

use rungs_core::{Diagnostic, InputProblem};
use rungs_runners::{
    builtin::process,
    data::{self, MOST as MOST_DATA},
};
use serde_json::Value;

pub use acts::Acts;
pub use backtest::{Backtest, Compared, backtest};
pub use callbacks::{Callback, CallbackRefused, twilio};
pub use caller_ids::{caller_ids, give_up_caller_ids, keep_caller_ids};
pub use change::{NewEvent, event, pause, resume, stop};
pub use explain::explain;
pub(crate) use fields::read;
pub use follow::{Drained, Queue, QueueTrouble, Received, Trouble, drain, follow};
pub use import::{Imported, REGISTRY, Registry, import_roesc, import_roesc_registry};
pub use moves::{Left, Moves, move_processes};
pub use plan::{Group, Look, Outlook, Plan, plan};
pub use queue::{Batch, Message, Rules, Verdict, take_in};
pub use roesc::{Answered, Notification, RoescRequest, To, roesc};
pub use sequences::{Publication, publish};
#[cfg(feature = "aws")]
pub use sqs::Sqs;
pub use start::{Asked, Climb, NewProcess, Started, start, start_batch};
pub use view::{View, view};

use crate::{engine::Engine, store::StoreError};

/// Why something is not taken in. For the caller.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The sequence has errors.
    #[error("the sequence has errors")]
    Sequence {
        /// All there is to say of it.
        diagnostics: Vec<Diagnostic>,
        /// What the diagnostics point into.
        text: String,
    },
    /// The data does not fit the sequence's `input`.
    #[error("the data does not fit")]
    Data(Vec<InputProblem>),
    /// Something else about the request is wrong.
    #[error("{message}")]
    Invalid {
        /// JSON pointer into the request.
        pointer: String,
        /// What is wrong there.
        message: String,
    },
    /// There is no such sequence.
    #[error("there is no sequence `{0}`")]
    UnknownSequence(String),
    /// There is such a sequence, and no such version of it.
    #[error("sequence `{name}` has no version {version}; its newest is {newest}")]
    UnknownVersion {
        /// Its name.
        name: String,
        /// The version that was asked for.
        version: i32,
        /// The newest there is.
        newest: i32,
    },
    /// There is no such process.
    #[error("no process bears the id `{0}`")]
    UnknownProcess(String),
    /// It cannot be done to the process as it stands.
    #[error("{0}")]
    Conflict(String),
    /// The database is in trouble; nothing has happened.
    #[error("the database is in trouble: {0}")]
    Store(#[from] StoreError),
}

impl Refusal {
    /// Nothing is published under a name, or not this version of it.
    ///
    /// # Errors
    /// The store's.
    pub async fn unknown(
        engine: &Engine,
        name: &str,
        version: Option<i32>,
    ) -> Result<Self, StoreError> {
        let newest = engine.store.newest_version(name).await?;
        let name = name.to_owned();
        Ok(match version.zip(newest) {
            Some((version, newest)) => Self::UnknownVersion { name, version, newest },
            None => Self::UnknownSequence(name),
        })
    }

    fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), message: message.into() }
    }
}

/// Data as callers may give it.
fn check_size(pointer: &str, data: &Value) -> Result<(), Refusal> {
    data::check_size(data).map_err(|message| Refusal::invalid(pointer, message))
}

/// An id of a process that is new. Those that live may have other ids, and are found by them.
fn check_new_id(pointer: &str, id: &str) -> Result<(), Refusal> {
    process::wrong_new_id(id).map_or(Ok(()), |wrong| Err(Refusal::invalid(pointer, wrong)))
}

/// An id as callers may give it.
fn check_id(pointer: &str, id: &str) -> Result<(), Refusal> {
    process::wrong_id(id).map_or(Ok(()), |wrong| Err(Refusal::invalid(pointer, wrong)))
}
