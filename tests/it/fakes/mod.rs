//! What the outside world is in tests: providers on loopback sockets, as strict as the
//! real ones, that do something of their own accord only when a test says so.

#[cfg(feature = "otel")]
pub mod collector;
pub mod editor;
pub mod endpoint;
#[cfg(feature = "aws")]
pub mod lambda;
#[cfg(feature = "lambda")]
pub mod lambda_runtime;
pub mod pubnub;
pub mod python;
pub mod smtp;
#[cfg(feature = "aws")]
pub mod sqs;
pub mod twilio;
pub mod watcher;
pub mod web;
