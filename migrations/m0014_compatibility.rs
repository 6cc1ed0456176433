//! Which programs may work on this schema, for programs that are older than it.
//!
//! A migration expands: what it adds, older programs do not see, and go on without. One that
//! contracts takes away what no program uses any more that knows a certain earlier migration;
//! it says which ([`crate::needs`]), and a program that does not know that one does not begin.
//! So old and new programs may run beside each other, and an old one may be started again.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // One row: the migration that a program must know.
        db.execute_unprepared("CREATE TABLE schema_compatibility (needed TEXT NOT NULL)").await?;
        let sql = "INSERT INTO schema_compatibility (needed) VALUES ('m0014_compatibility')";
        db.execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE schema_compatibility").await?;
        Ok(())
    }
}
