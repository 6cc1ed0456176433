//! The schema of Rungs, for SQLite and PostgreSQL alike.
//!
//! One change per file. A change expands the schema, so that programs which do not know it
//! work on; one that takes something away says whom it leaves behind ([`needs`]).
//! The statements are written out, since both databases take the same ones but for a numbered
//! key, and so that what stands in the database can be read here. Moments are Unix milliseconds (`BIGINT`), documents are JSON text: the same
//! bytes in both databases, and no surprise with `\u0000`.
//! Called by: the store.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{self, Statement},
};

mod m0001_sequences;
mod m0002_processes;
mod m0003_deliveries;
mod m0004_events;
mod m0005_history;
mod m0006_doubt;
mod m0007_priority;
mod m0008_indexes;
mod m0009_audit;
mod m0010_keys;
mod m0011_settings;
mod m0012_messages;
mod m0013_imports;
mod m0014_compatibility;
mod m0015_answers;
mod m0016_quiet;
mod m0017_started_with;
mod m0018_kept_since;

/// Every migration, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_sequences::Migration),
            Box::new(m0002_processes::Migration),
            Box::new(m0003_deliveries::Migration),
            Box::new(m0004_events::Migration),
            Box::new(m0005_history::Migration),
            Box::new(m0006_doubt::Migration),
            Box::new(m0007_priority::Migration),
            Box::new(m0008_indexes::Migration),
            Box::new(m0009_audit::Migration),
            Box::new(m0010_keys::Migration),
            Box::new(m0011_settings::Migration),
            Box::new(m0012_messages::Migration),
            Box::new(m0013_imports::Migration),
            Box::new(m0014_compatibility::Migration),
            Box::new(m0015_answers::Migration),
            Box::new(m0016_quiet::Migration),
            Box::new(m0017_started_with::Migration),
            Box::new(m0018_kept_since::Migration),
        ]
    }
}

/// The table that says which programs may work on the schema.
pub const COMPATIBILITY: &str = "schema_compatibility";

/// Part of every migration that contracts: from now on only programs begin that know the
/// migration `needed`, the one that made what was taken away superfluous.
///
/// # Errors
/// The database's.
pub async fn needs(manager: &SchemaManager<'_>, needed: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let sql = format!("UPDATE {COMPATIBILITY} SET needed = $1");
    let update = Statement::from_sql_and_values(
        manager.get_database_backend(),
        sql,
        [sea_orm::Value::from(needed)],
    );
    db.execute_raw(update).await?;
    Ok(())
}

/// How each database writes a key that it numbers itself.
fn numbered_key(manager: &SchemaManager<'_>) -> &'static str {
    match manager.get_database_backend() {
        sea_orm::DbBackend::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
    }
}
