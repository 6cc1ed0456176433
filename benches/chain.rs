//! `chain`: five steps without a wait, for comparison with engines whose jobs are such.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rungs::channels::{self, Channels};
use rungs::engine::{Engine, Options};
use rungs::{
    clock::{Clock, Stopwatch},
    intake::{self, Climb, NewProcess},
    store::probe::{Point, Probe},
};
use rungs_core::Status;
use tokio_util::sync::CancellationToken;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure, median},
    place::{self, Place},
    sample,
};

const PROCESSES: usize = 20_000;
const STEPS: usize = 5;
const RUNS: usize = 200;

pub async fn round(size: Size) -> Vec<Figure> {
    let count = size.of(PROCESSES);
    let (evaluated, started) = chains(count).await;
    let (commits, millis) = runs(size.of(RUNS)).await;
    let steps = |seconds: f64| (count * STEPS) as f64 / seconds;
    vec![
        Figure::new("chain of 5 steps, PostgreSQL", "steps/s", steps(evaluated), Aim::AtLeast(6e4)),
        Figure::new("the same, starts included", "steps/s", steps(started + evaluated), Aim::None),
        Figure::new("commits of one 5-step run", "commits", commits, Aim::AtMost(1.0)),
        Figure::new("one 5-step run, start to end, PostgreSQL", "ms", millis, Aim::AtMost(8.0)),
    ]
}

fn new(number: usize) -> NewProcess {
    NewProcess {
        process_id: Some(format!("order-{number}")),
        climb: Climb::Stored { name: "chain".to_owned(), version: None },
        data: sample::data(),
    }
}

/// Seconds to evaluate so many chains, and to start them in batches before.
async fn chains(count: usize) -> (f64, f64) {
    let place = Place::fresh(Kind::Postgres).await;
    let engine = place.engine().await;
    place::publish(&engine.store, "chain", sample::CHAIN).await;
    let batches: Vec<Vec<NewProcess>> = (0..count)
        .collect::<Vec<_>>()
        .chunks(1_000)
        .map(|c| c.iter().map(|n| new(*n)).collect())
        .collect();
    place.settle().await;

    let watch = Stopwatch::start();
    for batch in batches {
        for started in intake::start_batch(&engine, batch).await.expect("a batch") {
            assert!(started.expect("a process").new);
        }
    }
    let started = watch.elapsed().as_secs_f64();
    let watch = Stopwatch::start();
    let evaluated = engine.evaluate().await.expect("five steps");
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!((evaluated.completed, evaluated.visits), (count, count * STEPS));
    (seconds, started)
}

/// Counts commits.
#[derive(Default)]
struct Commits(AtomicUsize);

#[async_trait::async_trait]
impl Probe for Commits {
    async fn at(&self, point: Point) {
        if point == Point::Committed {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Commits that evaluating one run takes, and the milliseconds of a run in a live engine.
async fn runs(count: usize) -> (f64, f64) {
    let place = Place::fresh(Kind::Postgres).await;
    let commits = Arc::new(Commits::default());
    let store = place.store().await.probed(Arc::clone(&commits) as Arc<dyn Probe>);
    place::publish(&store, "chain", sample::CHAIN).await;
    let channels = Channels::open(&channels::Config::default()).expect("the console");
    let engine = Engine::new(store, Clock::System, channels, Options::default());
    intake::start(&engine, new(0)).await.expect("a process");
    let before = commits.0.load(Ordering::Relaxed);
    engine.evaluate().await.expect("a run");
    let first = commits.0.load(Ordering::Relaxed) - before;

    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (engine, shutdown) = (Arc::clone(&engine), shutdown.clone());
        async move { engine.run(shutdown).await }
    });
    let mut millis = Vec::new();
    for number in 1..=count {
        let watch = Stopwatch::start();
        let id = intake::start(&engine, new(number)).await.expect("a process").process.process_id;
        while engine.store.process(&id).await.expect("a look").expect("it").status
            != Status::Completed
        {
            tokio::task::yield_now().await;
        }
        millis.push(watch.elapsed().as_secs_f64() * 1e3);
    }
    shutdown.cancel();
    running.await.expect("an end");
    (first as f64, median(millis))
}
