//! `Email`: write to somebody.

use serde::{Deserialize, Serialize};

/// What the `email` channel is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The sender; `None` leaves it to the channel's configuration.
    pub from: Option<String>,
    /// Whom it is for.
    pub to: Vec<String>,
    /// Who else gets it.
    pub cc: Vec<String>,
    /// Who gets it unseen.
    pub bcc: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: Option<String>,
    /// The body as HTML.
    pub html: Option<String>,
}
