//! `sleepers`: an idle `rungs serve` with a million sleeping processes: what it takes of a
//! core and of the memory, as the kernel counts it; and what a cycle costs with so many,
//! beside one with 10,000.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use chrono::TimeDelta;
use rungs::clock::{Clock, Stopwatch};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure, median},
    place::{self, Place},
    sample,
};

const MANY: usize = 1_000_000;
const FEW: usize = 10_000;
/// Cycles whose median counts.
const CYCLES: usize = 200;
/// How long the idle server is watched.
const WATCHED: Duration = Duration::from_secs(20);

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let name = place::name(kind);
        let few = cycle(&asleep(kind, FEW).await).await;
        let place = asleep(kind, size.of(MANY)).await;
        let many = cycle(&place).await;
        let (core, memory) = idle(&place).await;
        figures.extend([
            Figure::new(format!("sleepers: share of a core, {name}"), "%", core, Aim::AtMost(1.0)),
            Figure::new(format!("sleepers: memory, {name}"), "MiB", memory, Aim::AtMost(100.0)),
            Figure::new(
                format!("sleepers: a cycle, beside one of 10,000, {name}"),
                "ms",
                many,
                Aim::Times(1.5),
            )
            .beside(few),
        ]);
    }
    figures
}

/// A database with so many processes that sleep for a year.
async fn asleep(kind: Kind, count: usize) -> Place {
    let place = Place::fresh(kind).await;
    let store = place.store().await;
    place::publish(&store, "waits", sample::WAITS).await;
    store.close().await.expect("an end");
    let sequence = sample::sequence(sample::WAITS);
    let one = sample::waiting(&sequence, 1).remove(0);
    let data = serde_json::to_string(&one.data).expect("data");
    let state = serde_json::to_string(&one.state).expect("a state");
    let due = (Clock::System.now() + TimeDelta::days(365)).timestamp_millis();
    let (numbers, key) = match kind {
        Kind::Sqlite => (
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
            ),
            "printf('01900000-0000-7000-9000-%012d', i)",
        ),
        Kind::Postgres => (
            format!("(SELECT i FROM generate_series(1, {count}) AS n(i))"),
            "'01900000-0000-7000-9000-' || LPAD(i::text, 12, '0')",
        ),
    };
    let sql = format!(
        "INSERT INTO processes (key, process_id, sequence, version, status, cursor, timezone,
           data, state, due_at, woken, started_at)
         SELECT {key}, 'sleeper-' || i, 'waits', 1, 'active', 'first', 'UTC', '{data}', '{state}',
           {due} + i * 10, FALSE, 1790000000000 FROM {numbers} AS n"
    );
    match kind {
        Kind::Sqlite => {
            let mut file = SqliteConnection::connect(&place.url).await.expect("SQLite");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut file).await.expect("rows");
        }
        Kind::Postgres => {
            let mut server = PgConnection::connect(&place.url).await.expect("PostgreSQL");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut server).await.expect("rows");
            sqlx::query("VACUUM ANALYZE processes").execute(&mut server).await.expect("a vacuum");
        }
    }
    place.settle().await;
    place
}

/// Milliseconds of a cycle in which ten processes are due: the median of many.
async fn cycle(place: &Place) -> f64 {
    let engine = place.engine().await;
    let sequence = sample::sequence(sample::WAITS);
    let mut millis = Vec::new();
    for round in 0..CYCLES {
        let processes: Vec<_> = (0..10)
            .map(|number| sample::process(&sequence, round * 10 + number, sample::nine()))
            .collect();
        place::insert(&engine.store, &processes).await;
        let watch = Stopwatch::start();
        assert_eq!(engine.evaluate().await.expect("a cycle").processes, 10);
        millis.push(watch.elapsed().as_secs_f64() * 1e3);
    }
    engine.store.clone().close().await.expect("an end");
    median(millis)
}

/// The share of a core that an idle server takes, in per cent, and the most memory it took,
/// in MiB.
async fn idle(place: &Place) -> (f64, f64) {
    let mut serve = Serve::start(place);
    // The first look at a database it has never seen is not yet idleness.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = serve.ticks();
    let watch = Stopwatch::start();
    tokio::time::sleep(WATCHED).await;
    let seconds = (serve.ticks() - before) as f64 / 100.0;
    (100.0 * seconds / watch.elapsed().as_secs_f64(), serve.memory())
}

/// A real `rungs serve`. It ends with this.
struct Serve(Child);

impl Serve {
    fn start(place: &Place) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_rungs"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("RUNGS_DATABASE_URL", &place.url)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rungs");
        Self(child)
    }

    /// Clock ticks (of 10 ms on Linux) in user and system mode.
    fn ticks(&mut self) -> u64 {
        assert!(self.0.try_wait().expect("a child").is_none(), "rungs serve has ended");
        let path = format!("/proc/{}/stat", self.0.id());
        let stat = std::fs::read_to_string(path).expect("Linux");
        // After the name in parentheses, which may hold anything.
        let rest: Vec<&str> = stat.rsplit(')').next().expect("a line").split_whitespace().collect();
        [11, 12].iter().map(|index| rest[*index].parse::<u64>().expect("ticks")).sum()
    }

    fn memory(&self) -> f64 {
        let path = format!("/proc/{}/status", self.0.id());
        let status = std::fs::read_to_string(path).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
        let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse().expect("a number");
        kib / 1024.0
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
