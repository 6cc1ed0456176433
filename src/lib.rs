//! Rungs: escalations as code.
//!
//! The rooms, from the doors inwards: `api` and `cli` parse and render; `intake` takes in
//! starts, stops, events and callbacks; `engine` runs the cycle; `channels` reach people;
//! `store` knows SQL. The language and the pure advance are in `rungs-core`.

pub mod api;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod intake;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod store;
