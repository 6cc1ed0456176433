//! Deliveries: the outbox, and what became of what left through it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE TABLE deliveries (
                id TEXT PRIMARY KEY,
                process_key TEXT NOT NULL,
                step TEXT NOT NULL,
                channel TEXT NOT NULL,
                request TEXT NOT NULL,
                retry TEXT,
                status TEXT NOT NULL,
                attempts INTEGER NOT NULL,
                -- Pending: when to try. Sent: when to ask what became of it.
                due_at BIGINT,
                lease_until BIGINT,
                withdrawn BOOLEAN NOT NULL,
                provider_id TEXT,
                error TEXT,
                log TEXT NOT NULL,
                -- Its process has not heard of the present status.
                news BOOLEAN NOT NULL,
                created_at BIGINT NOT NULL,
                settled_at BIGINT
            )",
        )
        .await?;
        db.execute_unprepared(
            "CREATE INDEX deliveries_pending ON deliveries (channel, due_at)
                WHERE status = 'pending'",
        )
        .await?;
        db.execute_unprepared(
            "CREATE INDEX deliveries_sending ON deliveries (lease_until)
                WHERE status = 'sending'",
        )
        .await?;
        db.execute_unprepared(
            "CREATE INDEX deliveries_to_ask ON deliveries (due_at)
                WHERE status IN ('sent', 'answered') AND due_at IS NOT NULL",
        )
        .await?;
        db.execute_unprepared("CREATE INDEX deliveries_of_process ON deliveries (process_key)")
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE deliveries").await?;
        Ok(())
    }
}
