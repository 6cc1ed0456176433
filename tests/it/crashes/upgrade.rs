//! A rolling upgrade: old and new programs beside each other on one database.
//!
//! The programs here are the old ones. The newer one is the test itself: it expands the schema
//! as a migration does, while they work, and writes into what it has added. In the end it
//! contracts the schema, and those that are left behind do not begin any more.

use std::{process::Stdio, sync::Arc, time::Duration};

use rungs_migrations::needs;
use sea_orm::{ConnectionTrait, TransactionTrait};
use sea_orm_migration::SchemaManager;
use tokio::time::sleep;

use super::{
    books,
    load::Load,
    site::{Site, What},
};
use crate::{
    databases::{Database, Kind},
    store::migrations::expand,
};

/// What programs do between two events.
const WHILE: Duration = Duration::from_secs(2);

async fn newer(site: &Site, sql: &str) {
    let db = sea_orm::Database::connect(&site.url).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

/// Each program answers at the first asking, over whichever of its connections.
async fn nobody_notices(site: &Site) {
    for port in &site.ports {
        let url = format!("http://127.0.0.1:{port}/v1/processes/p0");
        let asked = (0..40).map(|_| site.http.get(&url).send());
        for answer in futures::future::join_all(asked).await {
            let answer = answer.unwrap();
            let (status, body) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success(), "{status}: {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_work_on_while_the_schema_is_expanded_under_them_and_may_be_started_again() {
    let database = Database::fresh(Kind::Postgres).await;
    let site = Arc::new(Site::over(&database.url, 2).await);
    let mut programs = [What::Serve(0), What::Serve(1)].map(|one| site.start(one));
    site.ready(0).await;
    site.ready(1).await;
    site.publish().await;
    let load = Load::on(&site);
    sleep(WHILE).await;
    nobody_notices(&site).await;

    expand(&site.url).await;
    nobody_notices(&site).await;
    // An index of a table that is in use is made beside it, outside of the migration.
    newer(&site, "CREATE INDEX CONCURRENTLY processes_by_colour ON processes (colour)").await;
    for colour in ["red", "green"] {
        newer(&site, &format!("UPDATE processes SET colour = '{colour}' WHERE colour IS NULL AND status = 'active'")).await;
        sleep(WHILE / 2).await;
    }
    // One after the other is started again; the upgrade is not through, so it is the old program.
    for (number, program) in programs.iter_mut().enumerate() {
        site.kill(program);
        site.ready(number).await;
        sleep(WHILE / 2).await;
    }
    let asked = load.end().await;
    site.over_and_done(&mut programs).await;
    let (status, found) = site.audit();
    assert!(status.success(), "{found}");
    let figures = books::balance(&site, &asked).await;
    assert_eq!(figures.doubles, 0, "{figures:?}");
    assert!(figures.processes > 100, "there was a load: {figures:?}");

    let db = sea_orm::Database::connect(&site.url).await.unwrap();
    needs(&SchemaManager::new(&db), "m9000_contacts").await.unwrap();
    db.close().await.unwrap();
    let mut left_behind = site.command(env!("CARGO_BIN_EXE_rungs"), site.ports[0]);
    let output =
        left_behind.args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("newer than this program"), "{said}");
}

/// Somebody reads all of a table for long, as `pg_dump` does: a migration waits for it, not with
/// everybody else behind it, and is done once it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_table_in_short_portions() {
    let database = Database::fresh(Kind::Postgres).await;
    let db = sea_orm::Database::connect(&database.url).await.unwrap();
    for sql in [
        "DROP TABLE schema_compatibility",
        "DELETE FROM seaql_migrations WHERE version = 'm0014_compatibility'",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    let held = db.begin().await.unwrap();
    held.execute_unprepared("LOCK TABLE seaql_migrations IN SHARE MODE").await.unwrap();

    let store = database.store().await;
    let migrating = tokio::spawn(async move { store.migrate().await });
    // Longer than one portion.
    sleep(Duration::from_millis(3_500)).await;
    assert!(!migrating.is_finished());
    held.commit().await.unwrap();
    migrating.await.unwrap().unwrap();
    assert_eq!(database.store().await.pending_migrations().await.unwrap(), 0);
    db.close().await.unwrap();
}
