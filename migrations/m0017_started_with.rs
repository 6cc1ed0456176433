//! The data with which a process started, for replaying it through another version.
//!
//! Most processes never change their data, so it is kept when it changes for the first time:
//! until then it is what stands in `data`.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // JSON object, as `data`.
        db.execute_unprepared("ALTER TABLE processes ADD COLUMN started_with TEXT").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("ALTER TABLE processes DROP COLUMN started_with").await?;
        Ok(())
    }
}
