//! Whole-program tests, in one binary.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect has failed; clippy exempts only the \
              functions marked as tests, not what they share"
)]

mod api;
mod channels;
mod cli;
mod crashes;
mod databases;
mod editor;
mod every_database;
mod fakes;
mod harness;
#[cfg(feature = "lambda")]
mod lambda;
mod simulation;
#[cfg(feature = "aws")]
mod sqs;
mod store;
mod stories;
