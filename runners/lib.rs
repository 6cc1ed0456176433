//! The runners of Rungs: what a step does when a process visits it.
//!
//! Promises: everything here is pure. A runner reads its config, the [`Visit`] and
//! nothing else; the same visit gives the same [`Outcome`]. No clock, no network, no
//! database, no randomness, no panic on any input.
//! Does not: move cursors (rungs-core does), send anything (channels do).
//! Called by: rungs-core when it checks a sequence and when it advances a process;
//! channels, for the shapes of what they send.

pub mod address;
pub mod builtin;
pub mod calendar;
pub mod condition;
pub mod data;
pub mod delivery;
pub mod duration;
pub mod explain;
pub mod hours;
pub mod lenient;
pub mod lodash;
pub mod path;
pub mod prepare;
pub mod quote;
pub mod remote;
pub mod runner;
pub mod scope;
pub mod stay;
pub mod template;

pub use delivery::{Answer, DeliveryStatus, DeliveryView, NewDelivery};
pub use explain::Explained;
pub use prepare::{Kind, Prepared};
pub use runner::{
    Action, AltNext, AnsweredBy, Failure, Heard, Jump, LetsBy, Outcome, Problem, Runner, Visit,
};
pub use scope::Scope;
pub use stay::{Rest, Sends, Stay};
pub use template::Template;
