//! Messages: `POST .../Messages.json`.

use async_trait::async_trait;
use rungs_runners::{DeliveryStatus, address::is_messaging_service, builtin::sms::Sms};

use super::{account::Account, callback};
use crate::channels::{AsksStatus, Channel, Enquiry, Heard, Outgoing, SendError, Sent};

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
}

#[async_trait]
impl AsksStatus for Messages {
    async fn status(&self, enquiry: &Enquiry<'_>) -> Result<Heard, SendError> {
        let answer = self.account.fetch(RESOURCE, enquiry.provider_id, enquiry.now).await?;
        Ok(callback::message_resource(&answer).unwrap_or_else(|| Heard {
            provider_id: Some(enquiry.provider_id.to_owned()),
            status: DeliveryStatus::Sent,
            error: None,
        }))
    }

    fn is_called_back(&self) -> bool {
        self.account.is_called_back()
    }
}
