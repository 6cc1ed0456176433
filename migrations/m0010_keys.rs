//! Cheaper keys at each step: a process that moves gets a new entry in every index in which
//! it stands, and on PostgreSQL each entry is found by comparing texts.
//!
//! The index by sequence goes: it made a quarter of the cost of a step, and what it was for,
//! the newest processes of a sequence, is found by walking back from the newest of all. Keys
//! and ids compare byte by byte, not by the rules of a language.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Texts by which rows are found, or found to be one another's.
const KEYS: [(&str, &[&str]); 5] = [
    ("processes", &["key", "process_id", "sequence"]),
    ("deliveries", &["id", "process_key", "channel", "provider_id"]),
    ("events", &["process_key", "id"]),
    ("history", &["process_key"]),
    ("sequences", &["name"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX processes_of_sequence").await?;
        collate(manager, "C").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        collate(manager, "default").await?;
        let db = manager.get_connection();
        db.execute_unprepared("CREATE INDEX processes_of_sequence ON processes (sequence, key)")
            .await?;
        Ok(())
    }
}

/// SQLite compares byte by byte anyhow.
async fn collate(manager: &SchemaManager<'_>, collation: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    for (table, columns) in KEYS {
        let changes: Vec<String> = columns
            .iter()
            .map(|column| format!("ALTER COLUMN {column} TYPE TEXT COLLATE \"{collation}\""))
            .collect();
        let sql = format!("ALTER TABLE {table} {}", changes.join(", "));
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
