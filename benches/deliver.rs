//! `deliver`: messages of 200 bytes through the Twilio channel to a sink on a socket, beside
//! a bare client that sends the same requests, as many at once.
//!
//! The sink answers at once or after 50 ms. What is measured is dispatch: begin attempts,
//! send, write down what became of them.

use std::{sync::Arc, time::Duration};

use rungs::{
    channels::{self, Channels, Limits, twilio},
    clock::{Clock, Stopwatch},
};
use tokio::task::JoinSet;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure},
    place::{self, Place},
    sample,
    sink::Sink,
};

const DELIVERIES: usize = 20_000;

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    let count = size.of(DELIVERIES);
    for (millis, at_once) in [(0, 64), (50, 256)] {
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let sink = Sink::start(Duration::from_millis(millis));
            let floor = bare(&sink, count, at_once).await;
            let rate = count as f64 / deliver(kind, &sink, count, at_once).await;
            let name = place::name(kind);
            let what = format!("deliver, {millis} ms, {at_once} at once, {name}");
            figures.push(
                Figure::new(what, "deliveries/s", rate, Aim::Share(0.6))
                    .beside(count as f64 / floor),
            );
        }
    }
    figures
}

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn config(sink: &Sink, at_once: usize) -> channels::Config {
    let twilio = twilio::Config {
        account_sid: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned().into(),
        base_url: sink.url.parse().expect("an address"),
        public_url: None,
        caller_ids: twilio_caller_ids(),
        timeout: 20.0,
    };
    let limits = Limits { max_in_flight: at_once, per_second: None };
    channels::Config {
        twilio: Some(twilio),
        limits: [("sms".to_owned(), limits)].into(),
        ..channels::Config::default()
    }
}

fn twilio_caller_ids() -> channels::caller_ids::CallerIds {
    serde_json::from_str("{}").expect("a registry")
}

/// Seconds that Rungs takes.
async fn deliver(kind: Kind, sink: &Sink, count: usize, at_once: usize) -> f64 {
    let place = Place::fresh(kind).await;
    place.settle().await;
    let channels = Channels::open(&config(sink, at_once)).expect("Twilio");
    let engine = place.engine_with(Clock::standing_at(sample::nine()), channels).await;
    let yaml = sample::message();
    place::publish(&engine.store, "message", &yaml).await;
    let sequence = sample::sequence(&yaml);
    let processes: Vec<_> =
        (0..count).map(|number| sample::process(&sequence, number, sample::nine())).collect();
    place::insert(&engine.store, &processes).await;
    assert_eq!(engine.evaluate().await.expect("messages").deliveries, count);

    let watch = Stopwatch::start();
    let dispatched = engine.dispatch().await.expect("deliveries");
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!(dispatched.sent, count);
    seconds
}

/// Seconds that a bare client takes.
async fn bare(sink: &Sink, count: usize, at_once: usize) -> f64 {
    let client = reqwest::Client::builder().build().expect("a client");
    let url: Arc<str> = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", sink.url).into();
    let body: Arc<str> = "Orders are waiting. ".repeat(10).into();
    let watch = Stopwatch::start();
    let mut senders = JoinSet::new();
    for sender in 0..at_once {
        let (client, url, body) = (client.clone(), Arc::clone(&url), Arc::clone(&body));
        let many = (sender..count).step_by(at_once).count();
        senders.spawn(async move {
            for _ in 0..many {
                let form = [("To", "+385911234567"), ("From", "+38511234567"), ("Body", &body)];
                let request = client.post(&*url).basic_auth(ACCOUNT, Some(TOKEN)).form(&form);
                let response = request.send().await.expect("an answer");
                assert_eq!(response.status(), 201);
                response.bytes().await.expect("a body");
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.expect("a sender");
    }
    watch.elapsed().as_secs_f64()
}
