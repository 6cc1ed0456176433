//! The schema: which migrations a database has seen, and whether this program may work on it.
//!
//! Promises: a program works on a schema that a newer one has only expanded, so that old and
//! new programs run beside each other while they are exchanged one by one. What has been
//! contracted says whom it leaves behind (`m0014_compatibility`).
//! Called by: the store, before anything else is asked of a database.

use std::collections::HashSet;

use rungs_migrations::{COMPATIBILITY, Migrator};
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};

use super::{Result, StoreError};

/// Where the migrator writes down what it has run.
const MIGRATIONS: &str = "seaql_migrations";

/// What a database says of its schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Migrations that were run.
    pub applied: HashSet<String>,
    /// The migration that a program must know, if that was ever written down.
    pub needed: Option<String>,
}

impl Seen {
    /// Reads it. Only looks: two who make the migrator's table at once get in each other's way.
    pub async fn of<'c, C>(db: &'c C) -> Result<Self>
    where
        C: ConnectionTrait,
        &'c C: IntoSchemaManagerConnection<'c>,
    {
        let tables = SchemaManager::new(db);
        let mut seen = Self::default();
        if tables.has_table(MIGRATIONS).await? {
            seen.applied = texts(db, "SELECT version FROM seaql_migrations").await?.collect();
        }
        if tables.has_table(COMPATIBILITY).await? {
            seen.needed = texts(db, "SELECT needed FROM schema_compatibility").await?.next();
        }
        Ok(seen)
    }

    /// How many migrations wait to be run.
    ///
    /// # Errors
    /// This program is too old for what was run.
    pub fn pending(&self) -> Result<usize> {
        self.pending_for(&Migrator::migrations().iter().map(|one| one.name().to_owned()).collect())
    }

    fn pending_for(&self, known: &HashSet<String>) -> Result<usize> {
        let pending = known.difference(&self.applied).count();
        let is_newer = !self.applied.is_subset(known);
        // Of two branches of the schema, neither program knows what the other has done.
        let may_work = pending == 0 && self.needed.as_ref().is_some_and(|it| known.contains(it));
        if is_newer && !may_work { Err(StoreError::Newer) } else { Ok(pending) }
    }

    /// Whether a newer program has been here, and left the schema so that this one can work on.
    pub fn is_ahead(&self) -> bool {
        let known = Migrator::migrations();
        self.applied.len() > known.len()
    }
}

async fn texts(db: &impl ConnectionTrait, sql: &str) -> Result<impl Iterator<Item = String>> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let texts = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_program_works_on_what_was_only_expanded_since() {
        let known = set(&["m1", "m2", "m3"]);
        for (applied, needed, pending) in [
            (&[][..], None, Some(3)),
            (&["m1", "m2"], None, Some(1)),
            (&["m1", "m2"], Some("m2"), Some(1)),
            (&["m1", "m2", "m3"], Some("m2"), Some(0)),
            // Expanded since, and contracted since.
            (&["m1", "m2", "m3", "m4"], Some("m2"), Some(0)),
            (&["m1", "m2", "m3", "m4", "m5"], Some("m3"), Some(0)),
            (&["m1", "m2", "m3", "m4", "m5"], Some("m4"), None),
            // Nobody has said so.
            (&["m1", "m2", "m3", "m4"], None, None),
            // Another branch.
            (&["m1", "m2", "m4"], Some("m2"), None),
        ] {
            let seen = Seen { applied: set(applied), needed: needed.map(str::to_owned) };
            assert_eq!(seen.pending_for(&known).ok(), pending, "{applied:?} {needed:?}");
        }
    }
}
