//! Fewer index entries at each step. A process that moves gets a new entry in every index
//! in which it stands: the live ones stand in as few as they can.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            // A live process is found by `processes_live`; this is for those that ended.
            "DROP INDEX processes_by_id",
            "CREATE INDEX processes_by_id ON processes (process_id, key)
                WHERE ended_at IS NOT NULL",
            // Thousands of equal entries are slow to insert into; these differ, and stand in
            // the order in which they are listed.
            "DROP INDEX processes_of_sequence",
            "CREATE INDEX processes_of_sequence ON processes (sequence, key)",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "DROP INDEX processes_of_sequence",
            "CREATE INDEX processes_of_sequence ON processes (sequence, version)",
            "DROP INDEX processes_by_id",
            "CREATE INDEX processes_by_id ON processes (process_id, key)",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
