//! Processes: the cursor, and when to look at it next.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE TABLE processes (
                -- UUIDv7: ordered by time of birth.
                key TEXT PRIMARY KEY,
                process_id TEXT NOT NULL,
                sequence TEXT NOT NULL,
                version INTEGER NOT NULL,
                status TEXT NOT NULL,
                cursor TEXT,
                timezone TEXT NOT NULL,
                data TEXT NOT NULL,
                state TEXT NOT NULL,
                due_at BIGINT,
                -- There are events or deliveries it has not heard of.
                woken BOOLEAN NOT NULL,
                reason TEXT,
                started_at BIGINT NOT NULL,
                ended_at BIGINT
            )",
        )
        .await?;
        // At most one live process bears a process_id.
        db.execute_unprepared(
            "CREATE UNIQUE INDEX processes_live ON processes (process_id)
                WHERE status IN ('active', 'paused')",
        )
        .await?;
        db.execute_unprepared("CREATE INDEX processes_by_id ON processes (process_id, key)")
            .await?;
        db.execute_unprepared(
            "CREATE INDEX processes_due ON processes (due_at)
                WHERE status = 'active' AND due_at IS NOT NULL",
        )
        .await?;
        db.execute_unprepared(
            "CREATE INDEX processes_ended ON processes (ended_at) WHERE ended_at IS NOT NULL",
        )
        .await?;
        db.execute_unprepared(
            "CREATE INDEX processes_of_sequence ON processes (sequence, version)",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE processes").await?;
        Ok(())
    }
}
