//! Messages: `POST .../Messages.json`.

use async_trait::async_trait;
use rungs_runners::{address::is_messaging_service, builtin::sms::Sms};

use super::{
    account::{self, Account},
    callback,
};
use crate::channels::{
    AsksStatus, Channel, Enquiry, Heard, Outgoing, Search, Searches, SendError, Sent,
};

/// The resource's name, in the API and in the address of its callbacks.
const RESOURCE: &str = "Messages";

/// The `sms` channel.
pub(super) struct Messages {
    account: Account,
}

impl Messages {
    pub fn new(account: Account) -> Self {
        Self { account }
    }

    fn form(&self, sms: Sms, id: &str) -> Result<Vec<(&'static str, String)>, SendError> {
        let from = self.account.caller_id(sms.from.as_deref(), &sms.to)?;
        // A messaging service chooses among its senders itself.
        let sender = if is_messaging_service(&from) { "MessagingServiceSid" } else { "From" };
        let mut form = vec![("To", sms.to), (sender, from), ("Body", sms.message)];
        form.extend(self.account.callback(RESOURCE, id).map(|url| ("StatusCallback", url)));
        Ok(form)
    }
}

#[async_trait]
impl Channel for Messages {
    fn name(&self) -> &'static str {
        "twilio"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let form = self.form(outgoing.read()?, &outgoing.id)?;
        let answer = self.account.create(RESOURCE, &form, outgoing.now).await?;
        Ok(callback::sent(&answer, callback::message_resource(&answer)))
    }

    fn asks(&self) -> Option<&dyn AsksStatus> {
        Some(self)
    }

    fn searches(&self) -> Option<&dyn Searches> {
        Some(self)
    }
}

#[async_trait]
impl Searches for Messages {
    async fn search(&self, search: &Search<'_>) -> Result<Vec<Heard>, SendError> {
        let sms: Sms = search.read()?;
        let from = self.account.caller_id(sms.from.as_deref(), &sms.to)?;
        let mut messages = self.account.list(RESOURCE, &from, &sms.to, search.now).await?;
        messages
            .retain(|answer| account::is_since(answer, search.since) && says(answer, &sms.message));
        Ok(messages.iter().rev().map(callback::message_found).collect())
    }
}

/// Whether a message says these words. A trial account puts some before them, and an account
/// may have its bodies redacted.
fn says(answer: &serde_json::Map<String, serde_json::Value>, words: &str) -> bool {
    let body = answer.get("body").and_then(serde_json::Value::as_str).unwrap_or_default();
    body.is_empty() || body.trim_end().ends_with(words.trim_end())
}

#[async_trait]
impl AsksStatus for Messages {
    async fn status(&self, enquiry: &Enquiry<'_>) -> Result<Heard, SendError> {
        let answer = self.account.fetch(RESOURCE, enquiry.provider_id, enquiry.now).await?;
        Ok(callback::message_found(&answer))
    }

    fn is_called_back(&self) -> bool {
        self.account.is_called_back()
    }
}
