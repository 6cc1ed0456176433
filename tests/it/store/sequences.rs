//! Versions of sequences.

use rungs::store::{
    Store,
    sequences::{NewSequence, Published},
};

use super::nine;
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    publishing_the_same_again_changes_nothing,
    publishing_at_the_same_moment_gives_each_its_version,
    lists_go_by_name_and_newest_version_first,
);

async fn publish(store: &Store, name: &str, source: &str) -> Published {
    let new = NewSequence { name, source, hash: source, inline: false };
    store.publish(&new, nine()).await.unwrap()
}

async fn publishing_the_same_again_changes_nothing(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let published = |version, changed| Published { version, changed };
    assert_eq!(publish(&store, "ladder", "one").await, published(1, true));
    assert_eq!(publish(&store, "ladder", "one").await, published(1, false));
    assert_eq!(publish(&store, "ladder", "two").await, published(2, true));
    assert_eq!(publish(&store, "ladder", "one").await, published(3, true), "back is forward");

    assert_eq!(store.sequence("ladder", None).await.unwrap().unwrap().version, 3);
    assert_eq!(store.sequence("ladder", Some(2)).await.unwrap().unwrap().source, "two");
    assert!(store.sequence("ladder", Some(4)).await.unwrap().is_none());
}

async fn publishing_at_the_same_moment_gives_each_its_version(kind: Kind) {
    let database = Database::fresh(kind).await;
    let stores = futures::future::join_all((0..5).map(|_| database.store())).await;
    let publishing = stores.iter().enumerate().map(|(number, store)| async move {
        publish(store, "ladder", &format!("source {number}")).await.version
    });
    let mut versions = futures::future::join_all(publishing).await;
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

async fn lists_go_by_name_and_newest_version_first(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    for (name, source) in [("b", "1"), ("a", "1"), ("a", "2"), ("c", "1")] {
        publish(&store, name, source).await;
    }
    let inline = NewSequence { name: "inline-1", source: "x", hash: "x", inline: true };
    store.publish(&inline, nine()).await.unwrap();

    let mut seen = Vec::new();
    let mut after: Option<(String, i32)> = None;
    loop {
        let after_ref = after.as_ref().map(|(name, version)| (name.as_str(), *version));
        let page = store.sequences(after_ref, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.name.clone(), last.version));
        seen.extend(page.into_iter().map(|one| format!("{}{}", one.name, one.version)));
    }
    assert_eq!(seen, ["a2", "a1", "b1", "c1"]);
}
