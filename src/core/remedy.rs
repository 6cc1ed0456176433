//! What becomes of a delivery that should not simply be sent: one of which nobody knows
//! whether it arrived (`inDoubt`), and one that is late (`lateness`).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The three ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Remedy {
    /// Send it all the same: written `send` of one that is late, `repeat` of one in doubt.
    #[default]
    Send,
    /// Let it be: the ladder goes on by `next`, as if it had been sent.
    Skip,
    /// It counts as failed: the ladder goes on by `altNext`, or as `onFailure` says.
    Fail,
}

impl Remedy {
    /// As it is written in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Skip => "skip",
            Self::Fail => "fail",
        }
    }

    /// The reverse of [`as_str`](Self::as_str).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Send, Self::Skip, Self::Fail].into_iter().find(|remedy| remedy.as_str() == text)
    }
}

/// `lateness: { most, then }`: how late something may still leave, and what becomes of it
/// after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    /// In milliseconds, counted from when the process was due to come to the step.
    pub most: u64,
    /// What then.
    pub then: Remedy,
}

impl Lateness {
    /// The moment after which something that was due at `due_at` is late. `None`: never.
    pub fn late_at(self, due_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let most = i64::try_from(self.most).ok().and_then(TimeDelta::try_milliseconds)?;
        (self.then != Remedy::Send).then(|| due_at.checked_add_signed(most)).flatten()
    }
}
