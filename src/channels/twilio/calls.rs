//! Calls: `POST .../Calls.json`.

use async_trait::async_trait;
use rungs_runners::builtin::phone::{Call, CallContent};

use super::{
    account::{self, Account},
    callback, twiml,
};
use crate::channels::{
    AsksStatus, Channel, Enquiry, Heard, Outgoing, Search, Searches, SendError, Sent,
};

/// The resource's name, in the API and in the address of its callbacks.
const RESOURCE: &str = "Calls";

/// The `phone` channel.
pub(super) struct Calls {
    account: Account,
}

impl Calls {
    pub fn new(account: Account) -> Self {
        Self { account }
    }

    fn form(&self, call: &Call, id: &str) -> Result<Vec<(&'static str, String)>, SendError> {
        let from = self.account.caller_id(call.from.as_deref(), &call.to)?;
        let mut form = vec![("To", call.to.clone()), ("From", from)];
        form.push(match &call.content {
            CallContent::Say { text, voice, language } => {
                ("Twiml", twiml::say(text, voice.as_deref(), language.as_deref()))
            }
            CallContent::Url(url) => ("Url", url.clone()),
        });
        form.extend(call.ring_for.map(|seconds| ("Timeout", seconds.to_string())));
        let callback = self.account.callback(RESOURCE, id);
        if call.detect_machine {
            form.push(("MachineDetection", "Enable".into()));
            // Synchronous detection keeps a person in silence for seconds, and tells its
            // result to `Url` only, which inline TwiML does not have. The asynchronous one
            // speaks at once and reports who answered in a callback of its own.
            if let Some(callback) = &callback {
                form.push(("AsyncAmd", "true".into()));
                form.push(("AsyncAmdStatusCallback", callback.clone()));
                form.push(("AsyncAmdStatusCallbackMethod", "POST".into()));
            }
        }
        if let Some(callback) = callback {
            form.push(("StatusCallback", callback));
            form.push(("StatusCallbackMethod", "POST".into()));
            for event in ["initiated", "ringing", "answered", "completed"] {
                form.push(("StatusCallbackEvent", event.into()));
            }
        }
        Ok(form)
    }
}

#[async_trait]
impl Channel for Calls {
    fn name(&self) -> &'static str {
        "twilio"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let call: Call = outgoing.read()?;
        let form = self.form(&call, &outgoing.id)?;
        let answer = self.account.create(RESOURCE, &form, outgoing.now).await?;
        let heard = callback::call_resource(&answer, &outgoing.request);
        Ok(callback::sent(&answer, heard))
    }

    fn asks(&self) -> Option<&dyn AsksStatus> {
        Some(self)
    }

    fn searches(&self) -> Option<&dyn Searches> {
        Some(self)
    }
}

#[async_trait]
impl Searches for Calls {
    async fn search(&self, search: &Search<'_>) -> Result<Vec<Heard>, SendError> {
        let call: Call = search.read()?;
        let from = self.account.caller_id(call.from.as_deref(), &call.to)?;
        let mut calls = self.account.list(RESOURCE, &from, &call.to, search.now).await?;
        calls.retain(|answer| account::is_since(answer, search.since));
        let heard = |answer| callback::call_found(answer, search.request);
        Ok(calls.iter().rev().map(heard).collect())
    }
}

#[async_trait]
impl AsksStatus for Calls {
    async fn status(&self, enquiry: &Enquiry<'_>) -> Result<Heard, SendError> {
        let answer = self.account.fetch(RESOURCE, enquiry.provider_id, enquiry.now).await?;
        Ok(callback::call_found(&answer, enquiry.request))
    }

    fn is_called_back(&self) -> bool {
        self.account.is_called_back()
    }
}
