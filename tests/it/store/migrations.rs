//! The schema, and programs that start at the same moment.

use rungs::store::{Options, Store};

use crate::databases::Cluster;

/// Several programs meet an empty database. Each finds it in order, whoever was first.
async fn all_at_once(url: &str) {
    let options = Options {
        url: url.to_owned(),
        max_connections: 2,
        acquire_timeout: std::time::Duration::from_secs(20),
    };
    let programs = (0..6).map(|_| async {
        let store = Store::connect(&options).await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap(), 0);
        store.close().await.unwrap();
    });
    futures::future::join_all(programs).await;
}

#[tokio::test]
async fn programs_that_start_together_migrate_once_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    all_at_once(&format!("sqlite:{}", directory.path().join("rungs.db").display())).await;
}

#[tokio::test]
async fn programs_that_start_together_migrate_once_on_postgres() {
    let cluster = Cluster::start(&["-c", "fsync=off"]);
    for round in 0..5 {
        let name = format!("round{round}");
        cluster.psql("postgres", &format!("CREATE DATABASE {name}"));
        all_at_once(&cluster.url(&name)).await;
    }
}
