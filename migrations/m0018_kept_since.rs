//! Since which event the data at the start are kept: whatever a process was told before it may
//! have changed them unseen.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "INSERT INTO settings (name, value, changed_at)
                   SELECT 'started_with_since', CAST(COALESCE(MAX(seq), 0) AS TEXT), 0 FROM events";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DELETE FROM settings WHERE name = 'started_with_since'";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
