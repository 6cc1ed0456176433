//! In doubt and late: what is to become of a delivery of which nobody knows whether it
//! arrived, and of one that could not leave in time.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            // `repeat`, `skip` or `fail`, where the step says so.
            "ALTER TABLE deliveries ADD COLUMN in_doubt TEXT",
            // From when on it is late, and whether it is to be skipped or failed then.
            "ALTER TABLE deliveries ADD COLUMN late_at BIGINT",
            "ALTER TABLE deliveries ADD COLUMN late_then TEXT",
            // When the last attempt began.
            "ALTER TABLE deliveries ADD COLUMN begun_at BIGINT",
            "DROP INDEX deliveries_to_ask",
            "CREATE INDEX deliveries_to_ask ON deliveries (due_at)
                WHERE status IN ('sent', 'answered', 'in-doubt') AND due_at IS NOT NULL",
            "CREATE INDEX deliveries_late ON deliveries (late_at)
                WHERE status = 'pending' AND late_at IS NOT NULL",
            // Whose is this call? What is found at a provider may be another delivery's.
            "CREATE INDEX deliveries_at_provider ON deliveries (provider_id)
                WHERE provider_id IS NOT NULL",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "DROP INDEX deliveries_at_provider",
            "DROP INDEX deliveries_late",
            "DROP INDEX deliveries_to_ask",
            "CREATE INDEX deliveries_to_ask ON deliveries (due_at)
                WHERE status IN ('sent', 'answered') AND due_at IS NOT NULL",
            "ALTER TABLE deliveries DROP COLUMN begun_at",
            "ALTER TABLE deliveries DROP COLUMN late_then",
            "ALTER TABLE deliveries DROP COLUMN late_at",
            "ALTER TABLE deliveries DROP COLUMN in_doubt",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
