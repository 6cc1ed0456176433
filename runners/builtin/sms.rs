//! `SMS`: text somebody.

use serde::{Deserialize, Serialize};

/// What the `sms` channel is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sms {
    /// The sender; `None` leaves it to the registry.
    pub from: Option<String>,
    /// The number to text, as the provider takes it.
    pub to: String,
    /// The words.
    pub message: String,
}
