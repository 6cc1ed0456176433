//! Each channel against the other side it is made for.

use rungs::channels::{Channels, Config, Outgoing, SendError, Sent};
use serde::Serialize;

mod console;
mod pubnub;
mod smtp;
mod twilio;
mod webhook;

/// The delivery that these tests send.
const DELIVERY: &str = "0198c0de-0000-7000-8000-000000000001";

fn outgoing(request: &impl Serialize) -> Outgoing {
    Outgoing {
        id: DELIVERY.into(),
        process_id: "order-1042".into(),
        step: "ring".into(),
        attempt: 1,
        request: serde_json::to_value(request).expect("JSON"),
        now: "2026-03-29T12:00:00Z".parse().expect("a time"),
    }
}

/// Sends `request` through the channel `name` of a program with this configuration.
async fn send(config: &Config, name: &str, request: &impl Serialize) -> Result<Sent, SendError> {
    send_with(&Channels::open(config).expect("a configuration that opens"), name, request).await
}

async fn send_with(
    channels: &Channels,
    name: &str,
    request: &impl Serialize,
) -> Result<Sent, SendError> {
    let way = channels.get(name).expect("a channel");
    way.channel.send(&outgoing(request)).await
}

/// The reason of a temporary trouble, of a refusal, or of a doubt.
fn temporary(result: Result<Sent, SendError>) -> String {
    match result {
        Err(SendError::Temporary { reason, .. }) => reason,
        other => panic!("expected something temporary, not {other:?}"),
    }
}

fn refused(result: Result<Sent, SendError>) -> String {
    match result {
        Err(SendError::Refused { reason, .. }) => reason,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

fn doubtful(result: Result<Sent, SendError>) -> String {
    match result {
        Err(SendError::InDoubt { reason }) => reason,
        other => panic!("expected a doubt, not {other:?}"),
    }
}
