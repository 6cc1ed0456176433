//! What reaches somebody: the intent a runner writes, and what became of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Action;

/// An intent to reach somebody. The core gives it an id; dispatch sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// The channel that shall carry it: `phone`, `sms`, `email`, or a runner of your own.
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
    /// An attempt ended, and nobody knows whether it arrived: the provider is asked, or the
    /// step's `inDoubt` decides. A process hears of it only if it is left at that.
    InDoubt,
    /// The provider took it: a call is placed, a message or mail is sent.
    Sent,
    /// Somebody picked up.
    Answered,
    /// The call ended after somebody picked up, or the visit was answered. Final.
    Completed,
    /// The message reached the phone. Final.
    Delivered,
    /// Too late to be sent, and passed by: the ladder goes on without it. Final.
    Skipped,
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
    pub const ALL: [Self; 15] = [
        Self::Pending,
        Self::Sending,
        Self::InDoubt,
        Self::Sent,
        Self::Answered,
        Self::Completed,
        Self::Delivered,
        Self::Skipped,
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

    /// Whether a step that awaits `awaited` may go on. What lies beyond it will do: a call
    /// that has ended was answered, and what was skipped holds up nobody. A failure never
    /// does, though a call that found the line busy was placed: a ladder does not pass over
    /// what it knows to have failed.
    pub fn reaches(self, awaited: Self) -> bool {
        !self.is_failure() && self >= awaited
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
            Self::InDoubt => "in-doubt",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Completed => "completed",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
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
    /// What was answered, where the delivery was a question: a visit of a runner that lives
    /// elsewhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<Answer>,
}

/// What was answered: by a runner that lives elsewhere to a visit, by a server to a webhook,
/// or by Rungs itself to a step that starts or stops a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Where the cursor goes.
    pub action: Action,
    /// Why, for the history.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// To be merged into the process's data (RFC 7396).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<Map<String, Value>>,
    /// What the step keeps of it: it stands beside the rest of `steps.<id>`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<Box<Map<String, Value>>>,
    /// With `noop`: in how many milliseconds to ask again, if it said so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pause: Option<u64>,
    /// When it was taken in, in Unix milliseconds.
    #[serde(default)]
    pub at: i64,
}

impl Answer {
    /// The step goes on, and keeps this.
    pub fn keeping(result: Map<String, Value>, message: Option<String>) -> Self {
        Self {
            action: Action::Next,
            message,
            data: None,
            result: Some(Box::new(result)),
            pause: None,
            at: 0,
        }
    }

    /// As it is shown: without the moment, which stands beside it.
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(shown) = &mut shown {
            shown.shift_remove("at");
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use DeliveryStatus::{
        Answered, Busy, Cancelled, Completed, Delivered, Failed, InDoubt, Machine, NoAnswer,
        Pending, Rejected, Sending, Sent, Skipped, Undelivered,
    };

    #[test]
    fn what_is_awaited_is_reached_by_it_and_by_what_lies_beyond() {
        for (awaited, reached) in [
            (Sent, &[Sent, Answered, Completed, Delivered, Skipped][..]),
            (Answered, &[Answered, Completed, Delivered, Skipped]),
            (Completed, &[Completed, Delivered, Skipped]),
            (Delivered, &[Delivered, Skipped]),
        ] {
            for status in DeliveryStatus::ALL {
                assert_eq!(
                    status.reaches(awaited),
                    reached.contains(&status),
                    "{status} for one that awaits {awaited}"
                );
            }
        }
    }

    #[test]
    fn every_status_is_under_way_or_good_or_a_failure() {
        let finals: Vec<_> = DeliveryStatus::ALL.into_iter().filter(|s| s.is_final()).collect();
        let failures: Vec<_> = DeliveryStatus::ALL.into_iter().filter(|s| s.is_failure()).collect();
        let bad = [Busy, NoAnswer, Rejected, Machine, Undelivered, Failed, Cancelled];
        assert_eq!(failures, bad);
        assert_eq!(finals, [&[Completed, Delivered, Skipped][..], &bad].concat());
    }

    #[test]
    fn a_machine_that_picked_up_is_heard_after_the_answer() {
        assert_eq!(Answered.after(Machine), Machine);
        assert_eq!(Machine.after(Completed), Machine, "the end of that call changes nothing");
    }

    #[test]
    fn late_news_takes_nothing_back() {
        assert_eq!(Completed.after(Answered), Completed);
        assert_eq!(Answered.after(Sent), Answered);
        assert_eq!(NoAnswer.after(Sent), NoAnswer);
    }

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for status in DeliveryStatus::ALL {
            assert_eq!(DeliveryStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        let under_way = [Pending, Sending, InDoubt, Sent, Answered];
        assert!(under_way.iter().all(|status| !status.is_final()));
    }

    proptest! {
        #[test]
        fn news_in_any_order_only_moves_forward(
            news in prop::collection::vec(prop::sample::select(DeliveryStatus::ALL.to_vec()), 0..8),
        ) {
            let mut status = Pending;
            for heard in news {
                let after = status.after(heard);
                prop_assert!(after >= status);
                prop_assert!(!status.is_final() || after == status);
                status = after;
            }
        }
    }
}
