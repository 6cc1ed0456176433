//! Ask: what became of calls and messages whose provider does not say so by itself.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use rungs_core::Report;
use rungs_runners::DeliveryStatus;
use tokio_util::sync::CancellationToken;

use crate::{
    channels::{Enquiry, Heard},
    store::{Result, deliveries::ToAsk},
};

use super::{Asked, Engine};

/// Questions asked beside each other. No more are taken than that, so that a slow provider
/// holds up few answers and no end.
const AT_ONCE: u64 = 16;
/// A question that got lost with its asker is asked again after this.
const LOST: TimeDelta = TimeDelta::minutes(1);

impl Engine {
    /// Asks about everything whose question is due.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask(&self) -> Result<Asked> {
        self.ask_until(&CancellationToken::new()).await
    }

    pub(super) async fn ask_until(&self, shutdown: &CancellationToken) -> Result<Asked> {
        let mut total = Asked::default();
        while !shutdown.is_cancelled() {
            let now = self.clock.now();
            let due = self.store.to_ask(now, now + LOST, AT_ONCE).await?;
            if due.is_empty() {
                break;
            }
            total.asked += due.len();
            let answers = join_all(due.into_iter().map(|one| self.question(one, now)));
            self.store.report(answers.await, self.clock.now()).await?;
            self.wake.evaluator();
        }
        Ok(total)
    }

    async fn question(&self, one: ToAsk, now: DateTime<Utc>) -> (String, Report) {
        let heard = self.heard(&one, now).await;
        let report = Report::Heard {
            // No answer is no news; that nothing was heard for hours is found out there.
            status: heard.as_ref().map_or(DeliveryStatus::Sent, |heard| heard.status),
            provider_id: one.provider_id,
            error: heard.and_then(|heard| heard.error),
            asked: true,
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
