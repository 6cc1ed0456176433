//! `lateness`: so many processes due per second, evenly, for a minute of real time, and how
//! late each is evaluated: from its `due_at` until the cycle that moved it has committed.
//!
//! The floor is a bare loop that sleeps until the next is due, and writes the same rows of
//! what is due then in one transaction.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use rungs::{
    channels::{self, Channels},
    clock::Clock,
    engine::{Engine, Options},
    store::probe::{Point, Probe},
};
use rungs_core::{Process, advance};
use tokio_util::sync::CancellationToken;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure, quantile},
    floor::{self, Floor},
    place::{self, Place},
    sample,
};

const SECONDS: usize = 60;
/// Between the last insert and the first that is due.
const RUN_UP: TimeDelta = TimeDelta::milliseconds(500);

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    let seconds = size.of(SECONDS);
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for (rate, aims) in
            [(500, [Aim::AtMost(3.0), Aim::AtMost(10.0)]), (1_000, [Aim::None, Aim::AtMost(25.0)])]
        {
            let mut floor = floor(kind, rate, seconds).await;
            let mut late = late(kind, rate, seconds).await;
            for ((quantile_of, share), aim) in [("p50", 0.5), ("p99", 0.99)].into_iter().zip(aims) {
                let name = place::name(kind);
                let what = format!("late at {rate} due/s, {quantile_of}, {name}");
                figures.push(
                    Figure::new(what, "ms", quantile(&mut late, share), aim)
                        .beside(quantile(&mut floor, share)),
                );
            }
        }
    }
    figures
}

/// When the cycles of the evaluator began and were committed: an evaluator also reads when
/// the next process is due, and whoever never reads is none.
#[derive(Default)]
struct Cycles(Mutex<HashMap<tokio::task::Id, Seen>>);

#[derive(Default)]
struct Seen {
    reads: bool,
    begun: Option<DateTime<Utc>>,
    cycles: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

#[async_trait::async_trait]
impl Probe for Cycles {
    async fn at(&self, point: Point) {
        let Some(task) = tokio::task::try_id() else { return };
        let mut all = self.0.lock().expect("nobody panics");
        let seen = all.entry(task).or_default();
        let now = Clock::System.now();
        match point {
            Point::Read => seen.reads = true,
            Point::Begin => seen.begun = Some(now),
            Point::Commit => {}
            Point::Committed => seen.cycles.extend(seen.begun.map(|begun| (begun, now))),
        }
    }
}

impl Cycles {
    fn of_the_evaluator(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let all = self.0.lock().expect("nobody panics");
        let mut cycles: Vec<_> = all
            .values()
            .filter(|seen| seen.reads)
            .flat_map(|seen| seen.cycles.iter().copied())
            .collect();
        cycles.sort_by_key(|(begun, _)| *begun);
        cycles
    }
}

/// Processes that stand at their second wait, one due every `1 / rate` seconds from `from`.
fn due_evenly(rate: usize, seconds: usize, from: DateTime<Utc>) -> Vec<Process> {
    let mut processes = sample::waiting(&sample::sequence(sample::WAITS), rate * seconds);
    for (number, process) in processes.iter_mut().enumerate() {
        let at = from + TimeDelta::microseconds((number * 1_000_000 / rate) as i64);
        process.due_at = DateTime::from_timestamp_millis(at.timestamp_millis());
        // An hour before: the wait ends when it is due.
        process.state.entered_at = Some(at.timestamp_millis() - 3_600_000);
    }
    processes
}

/// Milliseconds by which each was late.
async fn late(kind: Kind, rate: usize, seconds: usize) -> Vec<f64> {
    let place = Place::fresh(kind).await;
    let cycles = Arc::new(Cycles::default());
    let store = place.store().await.probed(Arc::clone(&cycles) as Arc<dyn Probe>);
    place::publish(&store, "waits", sample::WAITS).await;
    // Those who are due long after this are inserted first, so that all are there in time.
    let inserting = TimeDelta::milliseconds((rate * seconds) as i64 / 10);
    let from = Clock::System.now() + inserting + RUN_UP;
    let processes = due_evenly(rate, seconds, from);
    place::insert(&store, &processes).await;
    let channels = Channels::open(&channels::Config::default()).expect("the console");
    let engine = Engine::new(store, Clock::System, channels, Options::default());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (engine, shutdown) = (Arc::clone(&engine), shutdown.clone());
        async move { engine.run(shutdown).await }
    });
    let until = from + TimeDelta::seconds(seconds as i64) + RUN_UP;
    Clock::System.sleep_until(until).await;
    shutdown.cancel();
    running.await.expect("an end");

    let cycles = cycles.of_the_evaluator();
    let moved_at = moved_at(&place).await;
    processes
        .iter()
        .map(|process| {
            let due_at = process.due_at.expect("a moment");
            // A cycle takes the time before it begins, so it is the first that begins after.
            let at = moved_at[&process.key];
            let (_, committed) = cycles[cycles.partition_point(|(begun, _)| *begun < at)];
            (committed - due_at).num_milliseconds() as f64
        })
        .collect()
}

/// The moment that the history names for the cycle that moved each process.
async fn moved_at(place: &Place) -> HashMap<String, DateTime<Utc>> {
    use sea_orm::sqlx::{self, Connection, PgConnection, SqliteConnection};
    let sql = "SELECT process_key, MAX(at) FROM history GROUP BY process_key";
    let rows: Vec<(String, i64)> = match place.kind {
        Kind::Sqlite => {
            let mut file = SqliteConnection::connect(&place.url).await.expect("SQLite");
            sqlx::query_as(sql).fetch_all(&mut file).await.expect("rows")
        }
        Kind::Postgres => {
            let mut server = PgConnection::connect(&place.url).await.expect("PostgreSQL");
            sqlx::query_as(sql).fetch_all(&mut server).await.expect("rows")
        }
    };
    let moment = |at| DateTime::from_timestamp_millis(at).expect("a moment");
    rows.into_iter().map(|(key, at)| (key, moment(at))).collect()
}

/// The same of a bare loop.
async fn floor(kind: Kind, rate: usize, seconds: usize) -> Vec<f64> {
    let place = Place::fresh(kind).await;
    let store = place.store().await;
    let sequence = sample::sequence(sample::WAITS);
    let inserting = TimeDelta::milliseconds((rate * seconds) as i64 / 10);
    let from = Clock::System.now() + inserting + RUN_UP;
    let processes = due_evenly(rate, seconds, from);
    place::insert(&store, &processes).await;
    store.close().await.expect("an end");
    let mut floor = Floor::connect(&place).await;
    let due: Vec<DateTime<Utc>> = processes.iter().filter_map(|process| process.due_at).collect();
    let mut advanced = Vec::with_capacity(processes.len());
    for (process, due_at) in processes.into_iter().zip(&due) {
        advanced.push(advance(&sequence, process, vec![], *due_at));
    }
    let (mut late, mut next) = (Vec::with_capacity(due.len()), 0);
    while next < due.len() {
        Clock::System.sleep_until(due[next]).await;
        let now = Clock::System.now();
        let end = due.partition_point(|at| *at <= now);
        if end == next {
            tokio::time::sleep(Duration::from_micros(200)).await;
            continue;
        }
        floor.write(floor::waits(&advanced[next..end], now)).await;
        let committed = Clock::System.now();
        late.extend(due[next..end].iter().map(|at| (committed - *at).num_milliseconds() as f64));
        next = end;
    }
    late
}
