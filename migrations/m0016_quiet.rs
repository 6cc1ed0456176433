//! Quiet hours: in which hours a delivery may not begin.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            // JSON of `rungs_runners::hours::Quiet`, where the step or its sequence says so.
            "ALTER TABLE deliveries ADD COLUMN quiet TEXT",
            // From when on it may not begin without a look at them.
            "ALTER TABLE deliveries ADD COLUMN quiet_at BIGINT",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "ALTER TABLE deliveries DROP COLUMN quiet_at",
            "ALTER TABLE deliveries DROP COLUMN quiet",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
