//! What can be reported of a delivery: by who attempted it, by its provider, by who looked for
//! it.

use chrono::{DateTime, TimeDelta, Utc};
use rungs_runners::{Answer, DeliveryStatus};

/// What is reported of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// The attempt with this number has ended.
    Attempted {
        /// Counted from 1.
        attempt: u32,
        /// How it ended.
        result: Attempt,
    },
    /// The provider said something, by itself or because it was asked.
    Heard {
        /// How far the delivery has come.
        status: DeliveryStatus,
        /// The provider's id.
        provider_id: Option<String>,
        /// Details.
        error: Option<String>,
        /// Whether it was asked, so that it is asked again unless this is the end of it.
        asked: bool,
    },
    /// Whoever began the attempt under way did not come back.
    LeaseExpired {
        /// When to ask the provider whether it arrived, if it can be asked.
        ask_at: Option<DateTime<Utc>>,
    },
    /// It was looked for at the provider.
    Searched(Found),
    /// It is looked at because it may be late.
    Late,
    /// It was to begin and did not, because of its quiet hours.
    Quiet,
}

/// What a search at the provider came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The provider has it.
    There {
        /// Its id there.
        provider_id: Option<String>,
        /// How far it has come.
        status: DeliveryStatus,
        /// Details.
        error: Option<String>,
        /// When to ask what became of it.
        ask_at: Option<DateTime<Utc>>,
    },
    /// The provider does not have it.
    Nothing,
    /// The provider did not say, for now.
    Unanswered {
        /// Why.
        reason: String,
    },
    /// This provider cannot be asked.
    CannotAsk,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    /// The provider took it.
    Sent {
        /// Its id there.
        provider_id: Option<String>,
        /// How far it has come already.
        status: DeliveryStatus,
        /// When to ask what became of it.
        ask_at: Option<DateTime<Utc>>,
    },
    /// It was a question, and this is the answer.
    Answered(Answer),
    /// It will never be taken.
    Refused {
        /// `failed` or `rejected`.
        status: DeliveryStatus,
        /// Why.
        reason: String,
    },
    /// Nothing left; it may go better later.
    Temporary {
        /// Why.
        reason: String,
        /// The provider asked for at least this pause.
        retry_after: Option<TimeDelta>,
    },
    /// It may have arrived.
    InDoubt {
        /// Why that is not known.
        reason: String,
        /// When to ask the provider whether it did, if it can be asked.
        ask_at: Option<DateTime<Utc>>,
    },
}
