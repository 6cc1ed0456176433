//! Ask: what became of calls and messages whose provider does not say so by itself, and
//! whether those arrived that are in doubt.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use rungs_core::{Found, Report};
use rungs_runners::DeliveryStatus;
use tokio_util::sync::CancellationToken;

use crate::{
    channels::{AsksStatus, Enquiry, Heard, Search, SendError, Way},
    store::{Result, questions::ToAsk},
};

use super::{Asked, Engine};

/// Questions asked beside each other. No more are taken than that, so that a slow provider
/// holds up few answers and no end.
const AT_ONCE: u64 = 16;
/// A question that got lost with its asker is asked again after this.
const LOST: TimeDelta = TimeDelta::minutes(1);
/// When a provider that calls back is asked all the same, in case the callback got lost.
const CALLBACK_LOST: TimeDelta = TimeDelta::minutes(2);
/// When a provider that does not call back is asked first.
const FIRST_QUESTION: TimeDelta = TimeDelta::seconds(5);
/// When a provider is asked whether an attempt arrived. Until then a callback may say so,
/// and a request that was slow has either come in or never will.
const FIRST_SEARCH: TimeDelta = TimeDelta::seconds(15);

/// When to ask first what became of something that was sent at `now`, if that can be asked.
pub(super) fn first_question(way: &Way, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let pause = |asks: &dyn AsksStatus| {
        if asks.is_called_back() { CALLBACK_LOST } else { FIRST_QUESTION }
    };
    way.channel.asks().map(|asks| now + pause(asks))
}

/// When to ask first whether an attempt arrived that ended without an answer, if that can be
/// asked. (Of one whose lease ran out it can be asked at once: it was longer than any answer
/// may take.)
pub(super) fn first_search(way: &Way, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    way.channel.searches().map(|_| now + FIRST_SEARCH)
}

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
            let (in_doubt, sent): (Vec<ToAsk>, Vec<ToAsk>) =
                due.into_iter().partition(|one| one.status == DeliveryStatus::InDoubt.as_str());
            total.in_doubt += in_doubt.len();
            let answers = join_all(sent.into_iter().map(|one| self.question(one, now)));
            let searches = join_all(in_doubt.into_iter().map(|one| self.search(one, now)));
            let (answers, searches) = futures::join!(answers, searches);
            self.store.report(answers, self.clock.now()).await?;
            for (one, found) in searches {
                self.settle(&one, found).await?;
            }
            self.wake.evaluator();
            // What did not arrive may be sent again.
            self.wake.dispatchers();
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

    /// What the provider has that may be this delivery.
    async fn search(
        &self,
        one: ToAsk,
        now: DateTime<Utc>,
    ) -> (ToAsk, std::result::Result<Vec<Heard>, Found>) {
        let searches = self.channels.get(&one.channel).and_then(|way| way.channel.searches());
        let since = one.begun_at.and_then(DateTime::from_timestamp_millis).unwrap_or(now);
        let request = serde_json::from_str(&one.request).unwrap_or_default();
        let found = match searches {
            None => Err(Found::CannotAsk),
            Some(searches) => {
                let found = searches.search(&Search { request: &request, since, now }).await;
                found.map_err(|error| {
                    tracing::info!(delivery = one.id, channel = one.channel, %error, "no answer to a search");
                    unfound(error)
                })
            }
        };
        (one, found)
    }

    /// Writes down what a search came to.
    async fn settle(
        &self,
        one: &ToAsk,
        found: std::result::Result<Vec<Heard>, Found>,
    ) -> Result<()> {
        let now = self.clock.now();
        let found = match found {
            Ok(candidates) => {
                // Its callbacks may be over by now.
                let asks = self.channels.get(&one.channel).and_then(|way| way.channel.asks());
                let ask_at = asks.map(|_| now + FIRST_QUESTION);
                let candidates = candidates.into_iter().filter_map(|heard| {
                    let Heard { provider_id, status, error } = heard;
                    let id = provider_id.clone()?;
                    Some((id, Found::There { provider_id, status, error, ask_at }))
                });
                return self.store.adopt(one, candidates.collect(), now).await;
            }
            Err(found) => found,
        };
        let report = (one.id.clone(), Report::Searched(found));
        self.store.report(vec![report], now).await?;
        Ok(())
    }
}

/// What no list of candidates comes to.
fn unfound(error: SendError) -> Found {
    match error {
        SendError::Refused { .. } => Found::CannotAsk,
        SendError::Temporary { reason, .. } | SendError::InDoubt { reason } => {
            Found::Unanswered { reason }
        }
    }
}
