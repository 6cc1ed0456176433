//! What was brought from another system, so that it is brought once: also after the process
//! that came of it has ended, and was forgotten.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE TABLE imports (
                     -- Such as `roesc.process`.
                     source TEXT NOT NULL,
                     -- What it is there.
                     id TEXT NOT NULL,
                     imported_at BIGINT NOT NULL,
                     PRIMARY KEY (source, id)
                   )";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE imports").await?;
        Ok(())
    }
}
