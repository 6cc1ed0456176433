//! `evaluators`: one, two and four evaluators on one PostgreSQL, each with connections of
//! its own, on the drain of 100,000 processes.

use std::sync::Arc;

use rungs::clock::Stopwatch;
use sea_orm::sqlx::{self, Connection, PgConnection};
use tokio::task::JoinSet;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure},
    place::{self, Place},
    sample,
};

const PROCESSES: usize = 100_000;

pub async fn round(size: Size) -> Vec<Figure> {
    let count = size.of(PROCESSES);
    let rate = |seconds: f64| count as f64 / seconds;
    let one = rate(drain(count, 1).await);
    let two = rate(drain(count, 2).await);
    let four = rate(drain(count, 4).await);
    vec![
        Figure::new("1 evaluator, PostgreSQL", "processes/s", one, Aim::None),
        Figure::new("2 evaluators, beside 1", "processes/s", two, Aim::None).beside(one),
        Figure::new("4 evaluators, beside 1", "processes/s", four, Aim::Share(1.0)).beside(one),
    ]
}

/// Seconds that so many evaluators take together. None does what another has done.
async fn drain(count: usize, evaluators: usize) -> f64 {
    let place = Place::fresh(Kind::Postgres).await;
    place.settle().await;
    let mut engines = Vec::new();
    for _ in 0..evaluators {
        let engine = place.engine().await;
        engine.clock.set(sample::ten());
        engines.push(engine);
    }
    place::publish(&engines[0].store, "waits", sample::WAITS).await;
    let waiting = sample::waiting(&sample::sequence(sample::WAITS), count);
    place::insert(&engines[0].store, &waiting).await;
    let watch = Stopwatch::start();
    let mut running = JoinSet::new();
    for engine in &engines {
        let engine = Arc::clone(engine);
        running.spawn(async move { engine.evaluate().await.expect("steps").processes });
    }
    let mut evaluated = 0;
    while let Some(processes) = running.join_next().await {
        evaluated += processes.expect("an evaluator");
    }
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!(evaluated, count);
    nothing_twice(&place, count).await;
    seconds
}

/// Each process has the history of its start, and of one cycle.
async fn nothing_twice(place: &Place, count: usize) {
    let mut connection = PgConnection::connect(&place.url).await.expect("PostgreSQL");
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM history GROUP BY process_key HAVING COUNT(*) = 2) AS r";
    let (once,): (i64,) = sqlx::query_as(sql).fetch_one(&mut connection).await.expect("a count");
    assert_eq!(once as usize, count);
}
