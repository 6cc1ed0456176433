//! `deliver`: messages of 200 bytes through the Twilio channel to a sink on a socket, beside
//! a bare client that sends the same requests, as many at once.
//!
//! The sink answers at once or after 50 ms. What is measured is dispatch: begin attempts,
//! send, write down what became of them. The bare client forgets; a second floor is a client
//! that commits each attempt before it sends it and each result after it, as must be where
//! nothing may be lost or sent twice.

use std::{sync::Arc, time::Duration};

use rungs::{
    channels::{self, Channels, Limits, twilio},
    clock::{Clock, Stopwatch},
};
use rungs_core::{Advanced, advance};
use tokio::task::JoinSet;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure},
    floor::{self, Floor},
    place::{self, Place},
    sample,
    sink::Sink,
};

const DELIVERIES: usize = 20_000;

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    let count = size.of(DELIVERIES);
    for (millis, at_once) in [(0, 64), (0, 512), (50, 256)] {
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let sink = Sink::start(Duration::from_millis(millis));
            let floor = bare(&sink, count, at_once).await;
            let durable = durable(kind, &sink, count, at_once).await;
            let rate = count as f64 / deliver(kind, &sink, count, at_once).await;
            let name = place::name(kind);
            let what = format!("deliver, {millis} ms, {at_once} at once, {name}");
            let figure = |what: &str| Figure::new(what, "deliveries/s", rate, Aim::Share(0.6));
            figures.push(figure(&what).beside(count as f64 / floor));
            figures.push(
                figure(&format!("{what}, beside one that commits")).beside(count as f64 / durable),
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

/// A client that sends what it is given to.
#[derive(Clone)]
struct Bare {
    client: reqwest::Client,
    url: Arc<str>,
    body: Arc<str>,
}

impl Bare {
    fn new(sink: &Sink) -> Self {
        let client = reqwest::Client::builder().build().expect("a client");
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", sink.url).into();
        Self { client, url, body: "Orders are waiting. ".repeat(10).into() }
    }

    async fn send(&self) {
        let form = [("To", "+385911234567"), ("From", "+38511234567"), ("Body", &self.body)];
        let request = self.client.post(&*self.url).basic_auth(ACCOUNT, Some(TOKEN)).form(&form);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 201);
        response.bytes().await.expect("a body");
    }
}

/// Seconds that a bare client takes.
async fn bare(sink: &Sink, count: usize, at_once: usize) -> f64 {
    let bare = Bare::new(sink);
    let watch = Stopwatch::start();
    let mut senders = JoinSet::new();
    for sender in 0..at_once {
        let bare = bare.clone();
        let many = (sender..count).step_by(at_once).count();
        senders.spawn(async move {
            for _ in 0..many {
                bare.send().await;
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.expect("a sender");
    }
    watch.elapsed().as_secs_f64()
}

/// Seconds that a bare client takes which commits what it begins and what came of it. It
/// sends in two halves: while one is being sent, the other is written down.
async fn durable(kind: Kind, sink: &Sink, count: usize, at_once: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let wrote = deliveries(&place, count).await;
    place.settle().await;
    let half = (at_once / 2).min(floor::BATCH);
    let batches: Vec<&[Advanced]> = wrote.chunks(half).collect();
    let bare = Bare::new(sink);
    let watch = Stopwatch::start();
    let halves = [0, 1].map(|first| {
        let mine: Vec<&[Advanced]> = batches.iter().skip(first).step_by(2).copied().collect();
        let (bare, place) = (bare.clone(), &place);
        async move {
            let mut floor = Floor::connect(place).await;
            let mut sent: Option<&[Advanced]> = None;
            for batch in mine {
                let mut rows = vec![floor::attempts(batch)];
                if let Some(sent) = sent.replace(batch) {
                    rows.extend([floor::results(sent), floor::woken(sent)]);
                }
                floor.write(rows).await;
                let mut sending = JoinSet::new();
                for _ in batch {
                    let bare = bare.clone();
                    sending.spawn(async move { bare.send().await });
                }
                sending.join_all().await;
            }
            if let Some(sent) = sent {
                floor.write(vec![floor::results(sent), floor::woken(sent)]).await;
            }
        }
    });
    futures::future::join_all(halves).await;
    watch.elapsed().as_secs_f64()
}

/// Deliveries that were written, and wait to be sent.
async fn deliveries(place: &Place, count: usize) -> Vec<Advanced> {
    let sequence = sample::sequence(&sample::message());
    let born: Vec<_> =
        (0..count).map(|number| sample::process(&sequence, number, sample::nine())).collect();
    let mut floor = Floor::connect(place).await;
    let mut all = Vec::with_capacity(count);
    for batch in born.chunks(floor::BATCH) {
        let now = sample::nine();
        let wrote: Vec<Advanced> =
            batch.iter().map(|one| advance(&sequence, one.clone(), vec![], now)).collect();
        let mut rows = floor::births(batch, now);
        rows.extend([floor::cursors(&wrote), floor::deliveries(&wrote, now)]);
        floor.write(rows).await;
        all.extend(wrote);
    }
    all
}
