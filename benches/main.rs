//! What it costs: `cargo bench`. Prints a table, and one JSON line for machines.
//!
//! - `advance`: the pure part, per visit, on one core.
//! - `drain`: processes that are due at one instant, each one step on, with history, on
//!   SQLite and on PostgreSQL, both at their default durability.
//!
//! Not a timed test: nothing here fails because a machine is slow.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that meets what it does not expect has nothing to report"
)]

use std::{fmt::Write, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use rungs::{
    channels::{self, Channels},
    clock::{Clock, Stopwatch},
    engine::{Engine, Options},
    store::{self, Store, sequences::NewSequence},
};
use rungs_core::{News, Process, Sequence, Start, advance, check, start};
use rungs_runners::{DeliveryStatus, DeliveryView, builtin::KINDS};
use serde_json::{Value, json};

#[path = "../tests/it/databases.rs"]
#[expect(dead_code, reason = "the tests treat their databases worse than this does")]
mod databases;

const ROUNDS: usize = 3;
const PROCESSES: usize = 20_000;

/// A figure with its unit.
struct Row {
    what: &'static str,
    value: f64,
    unit: &'static str,
}

fn main() {
    let mut rows = vec![
        Row { what: "advance, a control step", value: control_step(), unit: "ns/visit" },
        Row { what: "advance, a notification", value: notification(), unit: "ns/visit" },
    ];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (what, kind) in [
        ("drain, SQLite", databases::Kind::Sqlite),
        ("drain, PostgreSQL", databases::Kind::Postgres),
    ] {
        let value = median((0..ROUNDS).map(|_| runtime.block_on(drain(kind))).collect());
        rows.push(Row { what, value, unit: "processes/s" });
    }
    for row in &rows {
        println!("{:28} {:>12.0} {}", row.what, row.value, row.unit);
    }
    let json: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "what": row.what, "value": row.value.round(), "unit": row.unit }))
        .collect();
    println!("{}", Value::Array(json));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn nine() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().expect("a constant")
}

fn sequence(yaml: &str) -> Sequence {
    let checked = check(yaml, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn process(sequence: &Sequence, number: usize) -> Process {
    let new = Start {
        key: format!("01900000-0000-7000-8000-{number:012}"),
        process_id: format!("order-{number}"),
        version: 1,
        data: json!({ "restaurant": { "name": "Galija", "phone": "+385911234567" }, "order": { "count": 2, "status": "new" } }),
        default_timezone: chrono_tz::UTC,
        now: nine(),
    };
    start(sequence, new).expect("data that fits")
}

/// Twenty steps: waits that are over, conditions, jumps; then a rest.
fn control_sequence() -> Sequence {
    let mut steps = String::new();
    for index in 0..6 {
        let _ = write!(
            steps,
            "
  - {{ id: date{index}, run: WaitForDate, config: {{ date: '2020-01-01' }} }}
  - id: if{index}
    run: Conditional
    config:
      lodashCommand: eq
      value: {{ type: get, value: order.status }}
      compareTo: {{ type: raw, value: new }}
    altNext: end
  - {{ id: hour{index}, run: WaitForDateComparison, config: {{ attribute: hour, values: [9] }} }}"
        );
    }
    sequence(&format!(
        "sequence: control\nsteps:{steps}
  - {{ id: wait, run: WaitForDuration, config: {{ amount: 1, unit: hour }} }}
  - id: goal
    run: Goal
    config:
      lodashCommand: eq
      value: {{ type: get, value: order.status }}
      compareTo: {{ type: raw, value: confirmed }}
"
    ))
}

fn control_step() -> f64 {
    let sequence = control_sequence();
    let fresh = process(&sequence, 1);
    per_visit(|| advance(&sequence, fresh.clone(), vec![], nine()).visits)
}

fn notification() -> f64 {
    let yaml = r#"
sequence: ring
steps:
  - id: ring
    run: Phone
    config: { to: "{{restaurant.phone}}", say: "Hello! {{restaurant.name}} has {{order.count}} new orders." }
"#;
    let sequence = sequence(yaml);
    let fresh = process(&sequence, 1);
    per_visit(|| {
        let ringing = advance(&sequence, fresh.clone(), vec![], nine());
        let open = ringing.process.state.delivery.clone().expect("a delivery");
        let news = News::Delivery(DeliveryView { status: DeliveryStatus::Sent, ..open });
        ringing.visits + advance(&sequence, ringing.process, vec![news], nine()).visits
    })
}

/// Nanoseconds per visit: the median of rounds of half a second.
fn per_visit(mut climb: impl FnMut() -> usize) -> f64 {
    let round = |climb: &mut dyn FnMut() -> usize| {
        let (watch, mut visits) = (Stopwatch::start(), 0_usize);
        while watch.elapsed() < Duration::from_millis(500) {
            visits += (0..100).map(|_| std::hint::black_box(climb())).sum::<usize>();
        }
        watch.elapsed().as_nanos() as f64 / visits as f64
    };
    median((0..ROUNDS).map(|_| round(&mut climb)).collect())
}

/// A database at its default durability.
enum Place {
    Sqlite(databases::Database),
    Postgres(databases::Cluster),
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(database) => database.url.clone(),
            Self::Postgres(cluster) => cluster.url("postgres"),
        }
    }
}

async fn place(kind: databases::Kind) -> Place {
    match kind {
        databases::Kind::Sqlite => Place::Sqlite(databases::Database::fresh(kind).await),
        databases::Kind::Postgres => Place::Postgres(databases::Cluster::start(&[])),
    }
}

/// Processes per second, each from one wait to the next.
async fn drain(kind: databases::Kind) -> f64 {
    let place = place(kind).await;
    let options = store::Options {
        url: place.url(),
        max_connections: 8,
        acquire_timeout: Duration::from_secs(20),
    };
    let store = Store::connect(&options).await.expect("a database");
    store.migrate().await.expect("a schema");
    let yaml = "
sequence: waits
steps:
  - { id: first, run: WaitForDuration, config: { amount: 1, unit: hour } }
  - { id: second, run: WaitForDuration, config: { amount: 1, unit: hour } }
";
    let new = NewSequence { name: "waits", source: yaml, hash: "1", inline: false };
    store.publish(&new, nine()).await.expect("a sequence");
    let sequence = sequence(yaml);
    let channels = Channels::open(&channels::Config::default()).expect("the console");
    let clock = Clock::standing_at(nine());
    let engine = Engine::new(store, clock.clone(), channels, Options::default());
    for chunk in (0..PROCESSES).collect::<Vec<_>>().chunks(1_000) {
        let processes: Vec<Process> =
            chunk.iter().map(|number| process(&sequence, *number)).collect();
        engine.store.insert(&processes, nine()).await.expect("processes");
    }
    engine.evaluate().await.expect("the first step");
    clock.set(nine() + TimeDelta::hours(1));

    let watch = Stopwatch::start();
    let evaluated = engine.evaluate().await.expect("the second step");
    let took = watch.elapsed().as_secs_f64();
    assert_eq!(evaluated.processes, PROCESSES);
    PROCESSES as f64 / took
}
