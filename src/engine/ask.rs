//! Ask: what became of calls and messages whose provider does not say so by itself.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use rungs_core::{Report, delivery::ask_again_at};
use rungs_runners::DeliveryStatus;

use crate::{
    channels::{Enquiry, Heard},
    store::{Result, deliveries::ToAsk},
};

use super::{Asked, Engine};

/// Questions asked beside each other.
const AT_ONCE: usize = 8;
/// Questions asked in one pass.
const MOST: u64 = 500;
/// A question that got lost with its asker is asked again after this.
const LOST: TimeDelta = TimeDelta::minutes(1);

impl Engine {
    /// Asks about everything whose question is due.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask(&self) -> Result<Asked> {
        let now = self.clock.now();
        let due = self.store.to_ask(now, now + LOST, MOST).await?;
        let asked = due.len();
        let reports: Vec<(String, Report)> = stream::iter(due)
            .map(|one| self.question(one, now))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        self.store.report(reports, now).await?;
        if asked > 0 {
            self.wake.evaluator();
        }
        Ok(Asked { asked })
    }

    async fn question(&self, one: ToAsk, now: DateTime<Utc>) -> (String, Report) {
        let created_at = DateTime::from_timestamp_millis(one.created_at).unwrap_or(now);
        let heard = self.heard(&one, now).await;
        let report = Report::Heard {
            // No answer is no news; that nothing was heard for hours is found out there.
            status: heard.as_ref().map_or(DeliveryStatus::Sent, |heard| heard.status),
            provider_id: one.provider_id,
            error: heard.and_then(|heard| heard.error),
            ask_at: Some(ask_again_at(created_at, now)),
        };
        (one.id, report)
    }

    async fn heard(&self, one: &ToAsk, now: DateTime<Utc>) -> Option<Heard> {
        let asks = self.channels.get(&one.channel)?.channel.asks()?;
        let request = serde_json::from_str(&one.request).unwrap_or_default();
        let enquiry = Enquiry { provider_id: one.provider_id.as_deref()?, request: &request, now };
        asks.status(&enquiry)
            .await
            .inspect_err(|error| {
                tracing::info!(delivery = one.id, channel = one.channel, %error, "no answer to a question");
            })
            .ok()
    }
}
