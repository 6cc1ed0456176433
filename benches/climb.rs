//! `climb`: escalations from their start to their delivery and their end, in a live engine.
//!
//! Five steps, one of them a message, to a sink inside the program. They are started in
//! batches of 1,000 through the intake while the engine runs beside it; the clock stops
//! when the last of them has come to its end.

use std::{sync::Arc, time::Duration};

use rungs::{
    channels::{self, Channels, Limits},
    clock::{Clock, Stopwatch},
    engine::Engine,
    intake::{self, Climb, NewProcess},
};
use rungs_core::{Advanced, News, Sequence, advance};
use rungs_runners::{DeliveryStatus, DeliveryView};
use tokio_util::sync::CancellationToken;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure},
    floor::{self, Floor, Statement},
    place::{self, Place},
    sample,
    sink::Local,
};

const PROCESSES: usize = 20_000;
/// What Iris at LinkedIn is known to do in ten seconds.
const ESCALATIONS: usize = 6_000;

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let name = place::name(kind);
        let seconds = climb(kind, ESCALATIONS).await;
        figures.push(
            Figure::new(
                format!("climb, 6,000 escalations, {name}"),
                "s",
                seconds,
                Aim::AtMost(1.0),
            )
            .beside(floor(kind, ESCALATIONS).await),
        );
        let count = size.of(PROCESSES);
        let rate = count as f64 / climb(kind, count).await;
        figures.push(
            Figure::new(
                format!("climb, {count} processes, {name}"),
                "processes/s",
                rate,
                Aim::AtLeast(6e3),
            )
            .beside(count as f64 / floor(kind, count).await),
        );
    }
    figures
}

/// Seconds from the first start to the last end.
async fn climb(kind: Kind, count: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let mut channels = Channels::open(&channels::Config::default()).expect("the console");
    let sink = Local::new();
    let limits = Limits { max_in_flight: 1_000, per_second: None };
    channels.put("sms", Arc::clone(&sink) as _, limits);
    let engine = place.engine_with(Clock::System, channels).await;
    place::publish(&engine.store, "ladder", sample::LADDER).await;
    place.settle().await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (engine, shutdown) = (Arc::clone(&engine), shutdown.clone());
        async move { engine.run(shutdown).await }
    });

    let watch = Stopwatch::start();
    for first in (0..count).step_by(1_000) {
        let batch = (first..count.min(first + 1_000)).map(new).collect();
        intake::start_batch(&engine, batch).await.expect("a batch");
    }
    while sink.taken() < count || !all_ended(&engine, count).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!(sink.taken(), count, "each exactly once");
    shutdown.cancel();
    running.await.expect("an end");
    seconds
}

async fn all_ended(engine: &Engine, count: usize) -> bool {
    let counts = engine.store.count_processes().await.expect("counts");
    counts.iter().any(|(status, many)| status == "completed" && *many as usize == count)
}

fn new(number: usize) -> NewProcess {
    NewProcess {
        process_id: Some(format!("order-{number}")),
        climb: Climb::Stored { name: "ladder".to_owned(), version: None },
        data: sample::data(),
    }
}

/// Seconds that writing the same rows takes: births, the cycle that writes the messages, the
/// attempts, their results, and the cycle that hears of them.
async fn floor(kind: Kind, count: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let sequence = sample::sequence(sample::LADDER);
    let numbers: Vec<usize> = (0..count).collect();
    let batches: Vec<Vec<Vec<Statement>>> =
        numbers.chunks(floor::BATCH).map(|batch| transactions(&sequence, batch)).collect();
    let mut floor = Floor::connect(&place).await;
    place.settle().await;
    let watch = Stopwatch::start();
    for statements in batches.into_iter().flatten() {
        floor.write(statements).await;
    }
    watch.elapsed().as_secs_f64()
}

fn transactions(sequence: &Sequence, batch: &[usize]) -> Vec<Vec<Statement>> {
    let now = sample::nine();
    let born: Vec<_> = batch.iter().map(|n| sample::process(sequence, *n, now)).collect();
    let wrote: Vec<Advanced> =
        born.iter().map(|process| advance(sequence, process.clone(), vec![], now)).collect();
    let ended: Vec<Advanced> = wrote
        .iter()
        .map(|one| {
            let open = one.process.state.delivery.clone().expect("a delivery");
            let news = DeliveryView { status: DeliveryStatus::Delivered, attempts: 1, ..open };
            advance(sequence, one.process.clone(), vec![News::Delivery(news)], now)
        })
        .collect();
    vec![
        floor::births(&born, now),
        vec![floor::cursors(&wrote), floor::deliveries(&wrote, now), floor::history(&wrote, now)],
        vec![floor::attempts(&wrote)],
        vec![floor::results(&wrote), floor::woken(&wrote)],
        vec![floor::cursors(&ended), floor::history(&ended, now)],
    ]
}
