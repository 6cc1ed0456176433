//! What one stay of a process at a step may take, and what it may send: from this rungs-core
//! computes the bounds of a sequence.
//!
//! Promises: never too little. What a runner does not know it says so, and why, in a clause
//! that goes on after the step's name: "`due` waits until a date".
//! Called by: the bounds of rungs-core, through [`Runner::stay`](crate::Runner::stay).

use std::borrow::Cow;

use chrono::TimeDelta;

use crate::DeliveryStatus;

/// One stay, from when the process comes to the step until it leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// How long the process rests there.
    pub rest: Rest,
    /// What is sent meanwhile.
    pub sends: Sends,
    /// Whether the runner may end the process, beside leading it on.
    pub ends: bool,
    /// How often a process jumps from there in all its stays together, if it jumps and that
    /// has a bound.
    pub jumps: Option<u32>,
}

/// How long a process rests at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// From `least` to `most`.
    Within {
        /// It is never shorter.
        least: TimeDelta,
        /// It is never longer.
        most: TimeDelta,
    },
    /// Until the delivery it writes has come that far, or has failed. How long that takes
    /// depends on the step's `retry`.
    Delivery(DeliveryStatus),
    /// Until Rungs itself has done something to a process, in one transaction.
    Act,
    /// Nobody can say how long.
    Unbounded {
        /// It is never shorter.
        least: TimeDelta,
        /// Why, after the name of the step: `waits until a date`.
        since: Cow<'static, str>,
    },
}

/// What a stay sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// Nothing that counts as a message. A question to a runner that lives elsewhere is none.
    Nothing,
    /// One message at most.
    One {
        /// The channel that carries it.
        channel: &'static str,
        /// Whether a person gets it, and not a screen or a program.
        person: bool,
    },
    /// Nobody can say how many, to whom, or through what.
    Unknown,
}

impl Stay {
    /// The process goes on at once.
    pub fn none() -> Self {
        Self::within(TimeDelta::zero(), TimeDelta::zero())
    }

    /// It rests for so long.
    pub fn within(least: TimeDelta, most: TimeDelta) -> Self {
        Self::of(Rest::Within { least, most })
    }

    /// It rests, and nobody can say for how long; `since` says why.
    pub fn unbounded(since: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Rest::Unbounded { least: TimeDelta::zero(), since: since.into() })
    }

    /// It writes one message, to a person, and follows it until it has come that far.
    pub fn message(channel: &'static str, awaited: DeliveryStatus) -> Self {
        let sends = Sends::One { channel, person: true };
        Self { sends, ..Self::of(Rest::Delivery(awaited)) }
    }

    /// It writes a request to a server, and follows it until that has taken it, or answered.
    pub fn request(channel: &'static str) -> Self {
        let sends = Sends::One { channel, person: false };
        Self { sends, ..Self::of(Rest::Delivery(DeliveryStatus::Sent)) }
    }

    /// It has something done to a process, which is no message.
    pub fn act() -> Self {
        Self::of(Rest::Act)
    }

    /// What can be said of a runner that says nothing itself.
    pub fn unknown(rests: bool, delivers: bool) -> Self {
        let sends = if delivers { Sends::Unknown } else { Sends::Nothing };
        let stay =
            if rests { Self::unbounded("waits, for how long nobody knows") } else { Self::none() };
        Self { sends, ..stay }
    }

    fn of(rest: Rest) -> Self {
        Self { rest, sends: Sends::Nothing, ends: false, jumps: None }
    }
}
