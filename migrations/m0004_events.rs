//! Events, in the order in which they came in.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let key = crate::numbered_key(manager);
        db.execute_unprepared(&format!(
            "CREATE TABLE events (
                seq {key},
                process_key TEXT NOT NULL,
                -- The caller's id of the event, or one of ours.
                id TEXT NOT NULL,
                type TEXT NOT NULL,
                data TEXT NOT NULL,
                at BIGINT NOT NULL,
                applied BOOLEAN NOT NULL
            )"
        ))
        .await?;
        // The same event, sent again, changes nothing.
        db.execute_unprepared("CREATE UNIQUE INDEX events_once ON events (process_key, id)")
            .await?;
        db.execute_unprepared("CREATE INDEX events_new ON events (process_key) WHERE NOT applied")
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE events").await?;
        Ok(())
    }
}
