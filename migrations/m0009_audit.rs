//! Audit: active processes that wait for no moment, but for word of what they sent.
//!
//! Few at any time, and only those cost anything: who sleeps until a moment, or rests at a
//! goal until an event, is not in it. (A process whose present stay wrote a delivery has
//! that delivery at the head of its state, behind the thirteen digits of when it came
//! there; what events brought stands further down.)

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(
            r#"CREATE INDEX processes_awaiting_word ON processes (key)
                WHERE status = 'active' AND due_at IS NULL
                  AND (woken OR state LIKE '{"enteredAt":_____________,"delivery":{%')"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX processes_awaiting_word").await?;
        Ok(())
    }
}
