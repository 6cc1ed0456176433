//! Audit: active processes that wait for no moment, but for word of what they sent.
//!
//! Few at any time, and only those cost anything: who sleeps until a moment, or rests at a
//! goal until an event, is not in the index.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            // The present stay wrote a delivery, and nothing but news of it ends the stay.
            "ALTER TABLE processes ADD COLUMN awaits_word BOOLEAN NOT NULL DEFAULT FALSE",
            r#"UPDATE processes SET awaits_word = TRUE
                WHERE status = 'active' AND due_at IS NULL AND state LIKE '%"delivery":{%'"#,
            "CREATE INDEX processes_awaiting_word ON processes (key)
                WHERE status = 'active' AND due_at IS NULL AND (woken OR awaits_word)",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX processes_awaiting_word").await?;
        db.execute_unprepared("ALTER TABLE processes DROP COLUMN awaits_word").await?;
        Ok(())
    }
}
