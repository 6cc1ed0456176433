//! Messages of a queue that were taken in: one that comes again changes nothing.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite compares byte by byte anyhow.
        let collate = match manager.get_database_backend() {
            DbBackend::Postgres => "COLLATE \"C\"",
            _ => "",
        };
        let db = manager.get_connection();
        for sql in [
            &format!(
                "CREATE TABLE messages (
                   -- As the queue gave it.
                   id TEXT {collate} PRIMARY KEY,
                   taken_at BIGINT NOT NULL
                 )"
            ),
            "CREATE INDEX messages_by_age ON messages (taken_at)",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE messages").await?;
        Ok(())
    }
}
