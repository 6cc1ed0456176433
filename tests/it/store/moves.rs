//! Processes that are held to be moved, beside cycles and others.

use std::time::Duration;

use rungs_core::{
    Process, check,
    moving::{Moved, Versions},
};
use rungs_runners::builtin::KINDS;
use tokio::time::timeout;

use super::{insert, minutes, nine, process, ring_all, ringing};
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    live_processes_are_counted_by_version_and_step,
    a_sample_has_some_of_each_version_and_step,
    a_process_that_a_cycle_has_is_moved_as_the_cycle_leaves_it,
    a_process_that_is_held_is_not_claimed_and_one_that_is_let_go_is_as_it_was,
    nobody_is_held_who_ended_or_has_moved,
);

/// To version 2, where `ring` is called `call`.
fn moved(process: Process) -> Moved {
    let source = "sequence: ladder\nmoved: { ring: call }\nsteps:\n  - id: call\n    run: Phone\n    \
                  config: { to: '+385911234567', say: Hi }\n";
    let to = check(source, KINDS).sequence.unwrap();
    let from = check(&source.replace("call", "ring").replace("moved: { ring: ring }\n", ""), KINDS);
    let versions = Versions { from: from.sequence.as_ref(), to: &to };
    versions.move_over(process, 2, false, nine() + minutes(1)).unwrap()
}

async fn live_processes_are_counted_by_version_and_step(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let at = |id: &str, version: i32, step: &str| Process {
        version,
        cursor: Some(step.to_owned()),
        ..process(id)
    };
    let all = [at("a", 1, "ring"), at("b", 1, "ring"), at("c", 1, "nap"), at("d", 2, "ring")];
    store.insert(&all, nine()).await.unwrap();
    store.insert(&[Process { sequence: "other".into(), ..process("e") }], nine()).await.unwrap();
    store.stop("b", None, nine()).await.unwrap();
    store.pause("a", nine()).await.unwrap();
    let standing = store.standing("ladder").await.unwrap();
    let told: Vec<_> =
        standing.iter().map(|it| (it.version, it.cursor.as_str(), it.count)).collect();
    assert_eq!(told, [(1, "nap", 1), (1, "ring", 1), (2, "ring", 1)]);
    assert_eq!(store.standing("nobody").await.unwrap(), []);
}

async fn a_sample_has_some_of_each_version_and_step(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let many: Vec<Process> = (0..30)
        .map(|number| Process {
            version: if number == 0 { 3 } else { 1 + number % 2 },
            cursor: Some(if number == 5 { "rare" } else { "ring" }.to_owned()),
            ..process(&format!("p{number}"))
        })
        .collect();
    store.insert(&many, nine()).await.unwrap();
    let sample = store.sample("ladder", 3, 2, 100).await.unwrap();
    let mut groups: Vec<_> =
        sample.iter().map(|it| (it.version, it.cursor.clone().unwrap())).collect();
    groups.sort();
    let group = |version: i32, step: &str| (version, step.to_owned());
    let expected =
        [group(1, "ring"), group(1, "ring"), group(2, "rare"), group(2, "ring"), group(2, "ring")];
    assert_eq!(groups, expected, "none of the version that is compared with");
    assert_eq!(store.sample("ladder", 3, 2, 3).await.unwrap().len(), 3);
}

async fn a_process_that_a_cycle_has_is_moved_as_the_cycle_leaves_it(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    let mut cycle = store.claim(nine(), 10).await.unwrap();
    let claimed = cycle.claimed.remove(0);
    let advanced = ringing(claimed.process);
    let key = advanced.process.key.clone();
    let (other, held_key) = (database.store().await, key.clone());
    let holding = tokio::spawn(async move {
        let held = other.hold(&held_key, 2).await.unwrap().unwrap();
        let moved = moved(held.process.clone());
        held.write(&moved, nine() + minutes(1)).await.unwrap();
    });
    assert!(timeout(Duration::from_millis(100), async { holding.is_finished() }).await.is_ok());
    cycle.commit(&[advanced], &[], nine()).await.unwrap();
    holding.await.unwrap();

    let process = store.process_by_key(&key).await.unwrap().unwrap();
    assert_eq!((process.version, process.cursor.as_deref()), (2, Some("call")));
    assert_eq!(process.due_at, Some(nine() + minutes(1)));
    let deliveries = store.deliveries_of(&key).await.unwrap();
    let steps: Vec<&str> = deliveries.iter().map(|delivery| delivery.step.as_str()).collect();
    assert_eq!(steps, ["call"], "what the cycle wrote is there, by its new name");
}

async fn a_process_that_is_held_is_not_claimed_and_one_that_is_let_go_is_as_it_was(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    let before = store.process("a").await.unwrap().unwrap();
    let held = store.hold(&before.key, 2).await.unwrap().unwrap();
    assert_eq!(held.process, before);
    if kind == Kind::Postgres {
        assert_eq!(ring_all(&database.store().await, nine()).await, 0);
    }
    drop(held);
    assert_eq!(store.process("a").await.unwrap().unwrap(), before);
    assert_eq!(ring_all(&store, nine()).await, 1);
}

async fn nobody_is_held_who_ended_or_has_moved(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["ended", "moved"]).await;
    let key = |id: &str| process(id).key;
    let held = store.hold(&key("moved"), 2).await.unwrap().unwrap();
    let over = moved(held.process.clone());
    held.write(&over, nine()).await.unwrap();
    store.stop("ended", None, nine()).await.unwrap();
    for id in ["ended", "moved", "unknown"] {
        assert!(store.hold(&key(id), 2).await.unwrap().is_none(), "{id}");
    }
    assert_eq!(store.older("ladder", 2, "", 10).await.unwrap(), []);
}
