//! Attempts that leave in one request: of deliveries of one step, to a channel that takes many.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use tracing::{Instrument, Span, field::Empty};

use crate::{
    channels::{Outgoing, SendError, Sent, Way},
    clock::Clock,
    store::deliveries::Begun,
};

use super::{Dispatched, Ended, count, outgoing, patiently, reports};

type Results = Vec<Result<Sent, SendError>>;

/// One attempt of each. They have begun at the same moment, and end before their lease does.
pub(super) async fn attempts(
    channel: &'static str,
    way: Way,
    clock: Clock,
    lease: TimeDelta,
    begun: Vec<Begun>,
) -> Ended {
    let span = tracing::debug_span!("attempts", channel, deliveries = begun.len(), sent = Empty);
    async move {
        let now = clock.now();
        let retries = begun.iter().filter(|begun| begun.attempts > 1).count();
        let mut tally = Dispatched { retries, ..Dispatched::default() };
        let lease_until = begun.iter().filter_map(|begun| begun.lease_until).min();
        let lease_until = lease_until.and_then(DateTime::from_timestamp_millis).unwrap_or(now);
        if now >= lease_until {
            return (Vec::new(), tally);
        }
        let all: Vec<Outgoing> = begun.into_iter().map(|begun| outgoing(begun, now)).collect();
        let sent = send(&way, lease, &all).await;
        for sent in &sent {
            count(&mut tally, sent);
        }
        Span::current().record("sent", tally.sent);
        log(channel, &way, &all, &sent);
        let now = clock.now();
        let reports = all
            .iter()
            .zip(sent)
            .flat_map(|(outgoing, sent)| reports(&way, &outgoing.id, outgoing.attempt, sent, now));
        (reports.collect(), tally)
    }
    .instrument(span)
    .await
}

/// A result for each.
async fn send(way: &Way, lease: TimeDelta, all: &[Outgoing]) -> Results {
    let in_doubt = |reason: &str| Err(SendError::InDoubt { reason: reason.to_owned() });
    let Some(many) = way.channel.sends_many() else {
        return all.iter().map(|_| in_doubt("the channel takes one at a time")).collect();
    };
    let mut sent = match patiently(lease, many.send_many(all)).await {
        Ok(sent) => sent,
        Err(reason) => all.iter().map(|_| in_doubt(reason)).collect(),
    };
    sent.resize_with(all.len(), || in_doubt("the channel did not say what became of it"));
    sent
}

/// One line for each kind of trouble, since an endpoint that is down has the same for all.
fn log(channel: &str, way: &Way, all: &[Outgoing], sent: &Results) {
    let provider = way.channel.name();
    let mut troubles: BTreeMap<String, usize> = BTreeMap::new();
    for (outgoing, sent) in all.iter().zip(sent) {
        let Outgoing { id, process_id, step, attempt, .. } = outgoing;
        let error = sent.as_ref().err();
        tracing::debug!(
            delivery = id,
            process = process_id,
            step,
            attempt,
            provider,
            error = error.map(tracing::field::display),
            "asked"
        );
        if let Some(error) = error {
            *troubles.entry(error.to_string()).or_default() += 1;
        }
    }
    for (error, count) in troubles {
        tracing::info!(channel, provider, count, error, "not answered");
    }
}
