//! What reaches somebody: the intent a runner writes, and what became of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An intent to reach somebody. The core gives it an id; dispatch sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// The channel that shall carry it: `phone`, `sms`, `email`.
    pub channel: &'static str,
    /// What to send, in the shape the runner's own file defines (`phone::Call`, ...).
    pub request: Value,
}

/// How far a delivery has come. The order of the variants is the order of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryStatus {
    /// Written, not yet begun, or waiting for its next attempt.
    Pending,
    /// An attempt has begun.
    Sending,
    /// The provider took it: a call is placed, a message or mail is sent.
    Sent,
    /// Somebody picked up.
    Answered,
    /// The call ended after somebody picked up. Final.
    Completed,
    /// The message reached the phone. Final.
    Delivered,
    /// The line was busy. Final.
    Busy,
    /// Nobody picked up. Final.
    NoAnswer,
    /// The callee or the network declined. Final.
    Rejected,
    /// A machine picked up. Final, since nobody was reached.
    Machine,
    /// The network could not deliver the message. Final.
    Undelivered,
    /// It could not be sent, or nothing was heard of it in time. Final.
    Failed,
    /// Withdrawn before an attempt began. Final.
    Cancelled,
}

impl DeliveryStatus {
    /// Every status, in the order of progress.
    pub const ALL: [Self; 13] = [
        Self::Pending,
        Self::Sending,
        Self::Sent,
        Self::Answered,
        Self::Completed,
        Self::Delivered,
        Self::Busy,
        Self::NoAnswer,
        Self::Rejected,
        Self::Machine,
        Self::Undelivered,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Nothing more will be heard of it.
    pub fn is_final(self) -> bool {
        self >= Self::Completed
    }

    /// Final, and nobody was reached.
    pub fn is_failure(self) -> bool {
        self >= Self::Busy
    }

    /// The status after hearing `heard`, whatever the order in which news comes:
    /// a final status stays, and nothing goes backwards.
    #[must_use]
    pub fn after(self, heard: Self) -> Self {
        if self.is_final() { self } else { self.max(heard) }
    }

    /// As it is written in the database, the API and the YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Completed => "completed",
            Self::Delivered => "delivered",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Rejected => "rejected",
            Self::Machine => "machine",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The reverse of [`as_str`](Self::as_str).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl std::fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a process knows of a delivery it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// The delivery's id: a UUID, and the idempotency key towards the provider.
    pub id: String,
    /// The step that wrote it.
    pub step: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts begun so far.
    pub attempts: u32,
    /// The provider's own id, once it gave one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provider_id: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}
