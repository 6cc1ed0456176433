//! Priority: 0 is the most urgent. It stands in the rows that are claimed, and leads the
//! indexes that they are claimed by.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "ALTER TABLE processes ADD COLUMN priority INTEGER NOT NULL DEFAULT 1",
            "ALTER TABLE deliveries ADD COLUMN priority INTEGER NOT NULL DEFAULT 1",
            "DROP INDEX processes_due",
            "CREATE INDEX processes_due ON processes (priority, due_at)
                WHERE status = 'active' AND due_at IS NOT NULL",
            "DROP INDEX deliveries_pending",
            "CREATE INDEX deliveries_pending ON deliveries (channel, priority, due_at)
                WHERE status = 'pending'",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "DROP INDEX deliveries_pending",
            "CREATE INDEX deliveries_pending ON deliveries (channel, due_at)
                WHERE status = 'pending'",
            "DROP INDEX processes_due",
            "CREATE INDEX processes_due ON processes (due_at)
                WHERE status = 'active' AND due_at IS NOT NULL",
            "ALTER TABLE deliveries DROP COLUMN priority",
            "ALTER TABLE processes DROP COLUMN priority",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
