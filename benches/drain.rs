//! `drain`: processes that are due at one instant, each one step on, with history.

use rungs::clock::Stopwatch;
use rungs_core::{Advanced, advance};

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure},
    floor::{self, Floor},
    place::{self, Place},
    sample,
};

const PROCESSES: usize = 100_000;

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let count = size.of(PROCESSES);
        // A process and its history are two rows.
        let per_second = |seconds: f64| 2.0 * count as f64 / seconds;
        let floor = floor(kind, count).await;
        let seconds = drain(kind, count).await;
        let name = place::name(kind);
        figures.push(
            Figure::new(format!("drain, {name}"), "rows/s", per_second(seconds), Aim::Share(0.5))
                .beside(per_second(floor)),
        );
        let aim = if kind == Kind::Postgres { Aim::AtMost(2.0) } else { Aim::None };
        let what = format!("{count} due at one instant, {name}");
        figures.push(Figure::new(what, "s", seconds, aim).beside(floor));
    }
    figures
}

/// Seconds that Rungs takes.
async fn drain(kind: Kind, count: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let engine = place.engine().await;
    place.settle().await;
    place::publish(&engine.store, "waits", sample::WAITS).await;
    let waiting = sample::waiting(&sample::sequence(sample::WAITS), count);
    place::insert(&engine.store, &waiting).await;
    engine.clock.set(sample::ten());

    let watch = Stopwatch::start();
    let evaluated = engine.evaluate().await.expect("the second step");
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!(evaluated.processes, count);
    seconds
}

/// Seconds that writing the same rows takes.
async fn floor(kind: Kind, count: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let store = place.store().await;
    place.settle().await;
    let sequence = sample::sequence(sample::WAITS);
    let waiting = sample::waiting(&sequence, count);
    place::insert(&store, &waiting).await;
    let advanced: Vec<Advanced> = waiting
        .into_iter()
        .map(|process| advance(&sequence, process, vec![], sample::ten()))
        .collect();
    let batches: Vec<_> =
        advanced.chunks(floor::BATCH).map(|batch| floor::waits(batch, sample::ten())).collect();
    store.close().await.expect("an end");
    let mut floor = Floor::connect(&place).await;

    let watch = Stopwatch::start();
    for batch in batches {
        floor.write(batch).await;
    }
    watch.elapsed().as_secs_f64()
}
