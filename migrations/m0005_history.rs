//! History: one row per process and cycle, with everything that happened in it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let key = crate::numbered_key(manager);
        db.execute_unprepared(&format!(
            "CREATE TABLE history (
                seq {key},
                process_key TEXT NOT NULL,
                at BIGINT NOT NULL,
                -- A JSON list of entries, in order.
                entries TEXT NOT NULL
            )"
        ))
        .await?;
        db.execute_unprepared("CREATE INDEX history_of_process ON history (process_key, seq)")
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE history").await?;
        Ok(())
    }
}
