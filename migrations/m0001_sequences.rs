//! Sequences, by name and version. Versions are immutable.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE TABLE sequences (
                name TEXT NOT NULL,
                version INTEGER NOT NULL,
                -- As it was given: YAML or JSON.
                source TEXT NOT NULL,
                -- SHA-256 of the source, so that publishing the same again changes nothing.
                hash TEXT NOT NULL,
                -- Came with a process instead of being published; swept with its last process.
                inline BOOLEAN NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (name, version)
            )",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE sequences").await?;
        Ok(())
    }
}
