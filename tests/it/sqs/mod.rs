//! A queue at SQS, read by the real program. These tests wait in real time: what they try is
//! what happens between programs.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use rungs::{clock::Stopwatch, store::Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    databases::{Database, Kind},
    fakes::sqs::Queue,
};

mod drain;
mod order;
mod proxy;
mod trouble;

/// How long something may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits for what it is told.
const LISTEN: &str = "
sequence: listen
steps:
  - id: over
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: over }
      compareTo: { type: raw, value: true }
";

/// Rings at once.
const RING: &str = "
sequence: ring
steps:
  - { id: ring, run: Phone, config: { to: '+385911234567', say: 'Hello.' } }
";

/// Where programs take in from a queue into a database.
struct Counter {
    database: Database,
    directory: TempDir,
    settings: Vec<(&'static str, String)>,
}

/// How a program ended, and what it said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Counter {
    /// With two published sequences.
    async fn on(kind: Kind, queue: &Queue<'_>) -> Self {
        let (database, directory) = (Database::fresh(kind).await, tempfile::tempdir().unwrap());
        for (file, sequence) in [("listen.yml", LISTEN), ("ring.yml", RING)] {
            std::fs::write(directory.path().join(file), sequence).unwrap();
        }
        let counter = Self { database, directory, settings: queue.settings() };
        let said = counter.run(&["apply", "listen.yml", "ring.yml"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        counter
    }

    fn set(&mut self, name: &'static str, value: impl ToString) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_string()));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rungs"));
        command.args(args).current_dir(&self.directory).env_clear();
        command.env("RUNGS_DATABASE_URL", &self.database.url);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must work, and gives what it answers.
    async fn ask(&self, args: &[&str]) -> Value {
        let args = [&["--format", "json"], args].concat();
        // The tests' own servers go on meanwhile.
        let mut command = self.command(&args);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        serde_json::from_str(&out).unwrap()
    }

    async fn store(&self) -> Store {
        self.database.store().await
    }
}

fn start(process_id: &str, sequence: &str) -> String {
    json!({ "type": "start", "process_id": process_id, "sequence": sequence }).to_string()
}

fn stop(process_id: &str) -> String {
    json!({ "type": "stop", "process_id": process_id }).to_string()
}

fn event(process_id: &str, event: &str) -> String {
    json!({ "type": "event", "process_id": process_id, "event": event }).to_string()
}

/// Messages of one group, each with a deduplication id of its own.
fn of_group(group: &str, bodies: &[String]) -> Vec<(String, String, String)> {
    (0..)
        .zip(bodies)
        .map(|(number, body)| (group.to_owned(), format!("{group}-{number}"), body.clone()))
        .collect()
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE {
        if is_so().await {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("it has not come to this: {what}");
}
