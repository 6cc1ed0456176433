//! `rungs apply --move` is killed in the middle, and said again.

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use rungs::{
    channels::Channels,
    clock::Clock,
    engine::{Engine, Options},
    intake,
    store::{Store, processes::Filter},
};
use rungs_core::{Entry, Process};
use tokio::time::sleep;

use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
    store::{nine, process},
};

on_every_database!(some_have_moved_when_it_is_killed_and_all_when_it_is_said_again);

const LADDER: &str = "
sequence: ladder
steps:
  - { id: ring, run: WaitForDuration, config: { amount: 1000, unit: days } }
  - { id: text, run: SMS, config: { to: '+385911', message: Hi } }
";

/// So many that it takes a while.
const PROCESSES: usize = 3_000;

fn apply(url: &str, directory: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rungs"));
    command
        .args(["--format", "json", "apply", "--move", "second.yml"])
        .current_dir(directory)
        .env("RUNGS_DATABASE_URL", url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

async fn moved(store: &Store) -> u64 {
    let standing = store.standing("ladder").await.unwrap();
    standing.iter().filter(|group| group.version == 2).map(|group| group.count).sum()
}

async fn some_have_moved_when_it_is_killed_and_all_when_it_is_said_again(kind: Kind) {
    let (database, directory) = (Database::fresh(kind).await, tempfile::tempdir().unwrap());
    let store = database.store().await;
    let clock = Clock::standing_at(nine());
    let engine = Engine::new(store.clone(), clock, Channels::default(), Options::default());
    intake::publish(&engine, None, LADDER).await.unwrap();
    let processes: Vec<Process> =
        (0..PROCESSES).map(|number| process(&format!("p{number}"))).collect();
    store.insert(&processes, nine()).await.unwrap();
    let second = LADDER.replace("id: ring", "id: wait");
    let second = second.replace("steps:", "moved: { ring: wait }\nsteps:");
    std::fs::write(directory.path().join("second.yml"), second).unwrap();

    let mut child = apply(&database.url, directory.path()).spawn().unwrap();
    while moved(&store).await == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it is done before it is killed");
        sleep(Duration::from_millis(2)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let first = moved(&store).await;
    assert!(first < PROCESSES as u64, "it had moved all of them before it was killed");

    let Output { status, stdout, stderr } =
        apply(&database.url, directory.path()).output().unwrap();
    let said = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{said} {}", String::from_utf8_lossy(&stderr));
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&last["moved"], &last["left"]), (&(PROCESSES as u64 - first).into(), &0.into()));

    let all = store.processes(&Filter::default(), 10_000).await.unwrap();
    assert_eq!(all.len(), PROCESSES);
    for process in all {
        assert_eq!((process.version, process.cursor.as_deref()), (2, Some("wait")));
        let history = store.history(&process.key, 0, 10).await.unwrap();
        let entries: Vec<Entry> = history.into_iter().flat_map(|one| one.entries).collect();
        let expected =
            Entry::Moved { from: 1, to: 2, step_from: "ring".into(), step: "wait".into() };
        assert_eq!(entries, [Entry::Started, expected], "{}", process.process_id);
    }
}
