//! Rungs: escalations as code.
//!
//! The rooms, from the doors inwards: `api` and `cli` parse and render; `intake` takes in
//! starts, stops, events and callbacks; `engine` runs the cycle; `channels` reach people;
//! `store` knows SQL; `files` reads what sequences are made of. The language and the pure advance
//! are in `rungs-core`.
//!
//! [`Program`] is the whole of it, with runners of your own if you have some.

pub mod api;
pub mod channels;
mod cli;
pub mod clock;
pub mod config;
pub mod engine;
mod files;
pub mod intake;
#[cfg(feature = "lambda")]
pub mod lambda;
mod lsp;
mod program;
pub mod store;

pub use program::Program;
pub use rungs_runners as runners;
