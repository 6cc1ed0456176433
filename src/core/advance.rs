//! One cycle of one process.

use chrono::{DateTime, Utc};
use rungs_runners::NewDelivery;

use crate::{Entry, News, Process, Retry, Sequence};

/// What a cycle made of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// The process as it is now.
    pub process: Process,
    /// Deliveries to write.
    pub deliveries: Vec<Delivery>,
    /// Ids of deliveries to withdraw, where no attempt has begun.
    pub withdrawn: Vec<String>,
    /// What happened, in order.
    pub history: Vec<Entry>,
}

/// A delivery to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Made from the process's key, the step and the stay, so that the same climb always
    /// gives the same id.
    pub id: String,
    /// The step that writes it.
    pub step: String,
    /// Through which channel, and what.
    pub what: NewDelivery,
    /// How often to try.
    pub retry: Option<Retry>,
}

/// Tells a process its news and moves its cursor as far as it goes.
pub fn advance(
    _sequence: &Sequence,
    process: Process,
    _news: Vec<News>,
    _now: DateTime<Utc>,
) -> Advanced {
    Advanced { process, deliveries: Vec::new(), withdrawn: Vec::new(), history: Vec::new() }
}
