//! Forgetting.

use rungs::store::{processes::Filter, sequences::NewSequence};
use rungs_core::Process;

use super::{insert, minutes, nine, process, ring_all};
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    what_ended_long_ago_is_forgotten_with_all_that_belongs_to_it,
    an_inline_sequence_goes_with_its_last_process,
);

async fn what_ended_long_ago_is_forgotten_with_all_that_belongs_to_it(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["old", "new", "live"]).await;
    ring_all(&store, nine()).await;
    store.stop("old", None, nine()).await.unwrap();
    store.stop("new", None, nine() + minutes(10)).await.unwrap();

    assert_eq!(store.sweep_processes(nine() + minutes(5), 10).await.unwrap(), 1);
    assert_eq!(store.sweep_processes(nine() + minutes(5), 10).await.unwrap(), 0);

    let old = process("old").key;
    assert!(store.process("old").await.unwrap().is_none());
    assert!(store.history(&old, 0, 10).await.unwrap().is_empty());
    assert!(store.deliveries_of(&old).await.unwrap().is_empty());
    assert_eq!(store.processes(&Filter::default(), 10).await.unwrap().len(), 2);
}

async fn an_inline_sequence_goes_with_its_last_process(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let inline = NewSequence { name: "inline-1", source: "x", hash: "x", inline: true };
    store.publish(&inline, nine()).await.unwrap();
    let climbing = Process { sequence: "inline-1".into(), ..process("a") };
    store.insert(&[climbing], nine()).await.unwrap();
    let later = nine() + minutes(5);

    assert_eq!(store.sweep_inline_sequences(later).await.unwrap(), 0, "it is climbed");
    store.stop("a", None, nine()).await.unwrap();
    store.sweep_processes(later, 10).await.unwrap();
    store.publish(&inline, nine() + minutes(90)).await.unwrap();
    assert_eq!(store.sweep_inline_sequences(later).await.unwrap(), 0, "it was just used again");
    assert_eq!(store.sweep_inline_sequences(nine() + minutes(91)).await.unwrap(), 1);
}
