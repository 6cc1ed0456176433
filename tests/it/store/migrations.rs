//! The schema: programs that start at the same moment, and programs of different age.

use rungs::store::{Options, Store, StoreError, processes::Change};
use rungs_migrations::needs;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};
use sea_orm_migration::{MigratorTrait, SchemaManager};

use super::{insert, minutes, nine, ring_all};
use crate::{
    databases::{Cluster, Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    a_program_works_on_while_a_newer_one_expands_the_schema,
    a_program_that_is_left_behind_does_not_begin,
);

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

/// A migration changes one table at a time. Somebody who holds the one, and comes to the other
/// while it is going on, is not in its way; it waits for them.
#[tokio::test]
async fn who_is_in_the_middle_of_something_is_not_locked_out_by_a_migration() {
    let cluster = Cluster::start(&["-c", "fsync=off"]);
    cluster.psql("postgres", "CREATE DATABASE rungs");
    let url = cluster.url("rungs");
    let db = sea_orm::Database::connect(&url).await.unwrap();
    rungs_migrations::Migrator::up(&db, Some(14)).await.unwrap();
    let program = db.begin().await.unwrap();
    program.execute_unprepared("SELECT * FROM processes FOR UPDATE").await.unwrap();

    let migrating = tokio::spawn(async move {
        let store = Store::connect(&Options {
            url,
            max_connections: 2,
            acquire_timeout: std::time::Duration::from_secs(20),
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
    });
    // All but the one that needs the processes are through.
    while rungs_migrations::Migrator::get_pending_migrations(&db).await.unwrap().len() > 2 {
        tokio::task::yield_now().await;
    }
    program.execute_unprepared("SET LOCAL lock_timeout = '1s'").await.unwrap();
    program.execute_unprepared("UPDATE deliveries SET news = FALSE").await.unwrap();
    program.commit().await.unwrap();
    migrating.await.unwrap();
    assert!(rungs_migrations::Migrator::get_pending_migrations(&db).await.unwrap().is_empty());
}

/// What a newer program's migration does to a database on which older programs work.
pub const EXPANSION: &[&str] = &[
    "ALTER TABLE processes ADD COLUMN colour TEXT",
    "ALTER TABLE deliveries ADD COLUMN cost BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE events ADD COLUMN colour TEXT",
    "ALTER TABLE history ADD COLUMN colour TEXT",
    "ALTER TABLE sequences ADD COLUMN colour TEXT",
    "ALTER TABLE settings ADD COLUMN colour TEXT",
    "CREATE TABLE contacts (id TEXT PRIMARY KEY, process_key TEXT)",
    "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9000_contacts', 1)",
];

/// Expands the schema as a newer program does: all of it or nothing, and if somebody is in the
/// way, again.
pub async fn expand(url: &str) {
    let db = sea_orm::Database::connect(url).await.unwrap();
    while let Err(error) = try_to_expand(&db).await {
        let somebody = ["deadlock detected", "lock timeout"];
        let text = error.to_string();
        assert!(somebody.iter().any(|words| text.contains(words)), "{text}");
    }
    db.close().await.unwrap();
}

async fn try_to_expand(db: &DatabaseConnection) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for sql in EXPANSION {
        tx.execute_unprepared(sql).await?;
    }
    tx.commit().await
}

async fn a_program_works_on_while_a_newer_one_expands_the_schema(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    // Everything is asked once before, so that what is prepared is prepared for the old schema.
    let ask = async |id: &str| {
        insert(&store, &[id]).await;
        assert_eq!(ring_all(&store, nine()).await, 1);
        assert_eq!(store.process(id).await.unwrap().unwrap().process_id, id);
        let begun = store.begin_attempts("phone", 10, nine(), nine() + minutes(2)).await.unwrap();
        assert_eq!(begun.len(), 1, "{id}");
        let stopped = store.stop(id, None, nine()).await.unwrap();
        let Change::Done(process) = stopped else { panic!("{stopped:?}") };
        assert_eq!(store.deliveries_of(&process.key).await.unwrap().len(), 1);
        assert!(!store.history(&process.key, 0, 10).await.unwrap().is_empty());
        assert!(store.audit(nine(), 1).await.unwrap().is_clean());
    };
    for round in 0..4 {
        ask(&format!("before-{round}")).await;
    }
    expand(&database.url).await;
    // Whichever of its connections it uses.
    for round in 0..20 {
        ask(&format!("after-{round}")).await;
    }
    assert!(store.is_expanded().await.unwrap());

    // An old program that is started again finds it in order, too.
    let again = database.store().await;
    again.migrate().await.unwrap();
    assert_eq!(again.pending_migrations().await.unwrap(), 0);
    assert!(again.process("before-0").await.unwrap().is_some());
}

async fn a_program_that_is_left_behind_does_not_begin(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    assert!(!store.is_expanded().await.unwrap());
    expand(&database.url).await;
    let db = sea_orm::Database::connect(&database.url).await.unwrap();
    // What programs that know the tenth use no more is taken away: we do know it.
    contract(&db, "m9001_without", "m0010_keys").await;
    store.migrate().await.unwrap();
    // And then what programs use that do not know the contacts.
    contract(&db, "m9002_without", "m9000_contacts").await;
    for refused in [store.migrate().await, store.pending_migrations().await.map(|_| ())] {
        assert!(matches!(refused, Err(StoreError::Newer)), "{refused:?}");
    }
}

async fn contract(db: &DatabaseConnection, migration: &str, needed: &str) {
    needs(&SchemaManager::new(db), needed).await.unwrap();
    let sql = format!("INSERT INTO seaql_migrations VALUES ('{migration}', 1)");
    db.execute_unprepared(&sql).await.unwrap();
}

/// Since the schema says whom it leaves behind, nothing is taken away without saying so.
#[test]
fn a_migration_that_takes_something_away_says_whom_it_leaves_behind() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut looked_at = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with('m') || name.as_str() <= "m0013" {
            continue;
        }
        let source = std::fs::read_to_string(&file).unwrap();
        assert!(expands(&source), "{name}: it contracts, so it must call `needs`");
        looked_at += 1;
    }
    assert!(looked_at > 0, "no migration was found in {directory}");
    assert!(expands("ALTER TABLE a ADD COLUMN b TEXT fn down DROP TABLE"));
    assert!(expands("DROP INDEX a; crate::needs(manager, \"m0014_compatibility\") async fn down"));
    for contracting in [
        "ALTER TABLE a DROP COLUMN b",
        "drop table a",
        "ALTER TABLE a RENAME COLUMN b TO c",
        "ALTER TABLE a ADD COLUMN b TEXT NOT NULL",
        "ALTER TABLE a ALTER COLUMN b SET NOT NULL",
        "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0)",
        "CREATE UNIQUE INDEX a ON b (c)",
    ] {
        assert!(!expands(contracting), "{contracting}");
    }
}

/// Whether older programs work on after the `up` of a migration, or it says that they do not.
fn expands(source: &str) -> bool {
    let up = source.split("fn down").next().unwrap();
    let words = up.to_uppercase();
    let without_default = words.split("ADD COLUMN").skip(1).any(|rest| {
        let column = rest.split(['"', ',', ';']).next().unwrap();
        column.contains("NOT NULL") && !column.contains("DEFAULT")
    });
    let takes_away =
        ["DROP ", "RENAME ", "SET NOT NULL", "ADD CONSTRAINT", "UNIQUE INDEX", " TYPE "];
    let contracts = without_default || takes_away.iter().any(|word| words.contains(word));
    !contracts || up.contains("needs(")
}
