//! Settings that are changed while programs run, such as the registry of caller ids.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE TABLE settings (
                     name TEXT PRIMARY KEY,
                     -- JSON.
                     value TEXT NOT NULL,
                     changed_at BIGINT NOT NULL
                   )";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE settings").await?;
        Ok(())
    }
}
