//! Moves: live processes that go over to a newer version of their sequence.
//!
//! Promises: each is moved in a transaction of its own, which holds its row, as a cycle does;
//! a crash leaves it in the old version or in the new one. Counts read no process.
//! Called by: intake, for `plan` and `apply --move`.

use chrono::{DateTime, Utc};
use rungs_core::{Process, moving::Moved};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryResult};

use super::{Result, Store, entity, processes};

/// How many live processes of one version stand at one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The version.
    pub version: i32,
    /// The step.
    pub cursor: String,
    /// Whether that step follows what it has sent.
    pub under_way: bool,
    /// How many.
    pub count: u64,
}

/// A live process that nobody else can change meanwhile.
pub struct Held<'a> {
    store: &'a Store,
    tx: DatabaseTransaction,
    /// The process.
    pub process: Process,
}

impl Store {
    /// Live processes of a sequence in numbers: by version, the oldest first, step, and whether
    /// that has something under way, which a state says at its beginning.
    ///
    /// # Errors
    /// The database's.
    pub async fn standing(&self, sequence: &str) -> Result<Vec<Standing>> {
        let sql = "SELECT version, cursor, under_way, COUNT(*) AS count FROM (
                     SELECT version, COALESCE(cursor, '') AS cursor,
                       CASE WHEN state LIKE '{\"delivery\":{%'
                              OR state LIKE '{\"enteredAt\":_____________,\"delivery\":{%'
                         THEN 1 ELSE 0 END AS under_way
                     FROM processes WHERE sequence = $1 AND status IN ('active', 'paused')) AS live
                   GROUP BY version, cursor, under_way ORDER BY version, cursor, under_way";
        let rows = self.rows(self.reader().await, sql, [sequence.into()]).await?;
        rows.iter()
            .map(|row| {
                let (under_way, count): (i32, i64) =
                    (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
                Ok(Standing {
                    version: row.try_get_by_index(0)?,
                    cursor: row.try_get_by_index(1)?,
                    under_way: under_way != 0,
                    count: u64::try_from(count).unwrap_or(0),
                })
            })
            .collect()
    }

    /// Live processes of a sequence in other versions than this one: of each version and step
    /// as many as of any other, `most` together. `each` is for one version and step.
    ///
    /// # Errors
    /// The database's.
    pub async fn sample(
        &self,
        sequence: &str,
        version: i32,
        each: u64,
        most: u64,
    ) -> Result<Vec<Process>> {
        let sql = "SELECT key FROM (
                     SELECT key, ROW_NUMBER() OVER (PARTITION BY version, cursor ORDER BY key) AS number
                     FROM processes
                     WHERE sequence = $1 AND version <> $2 AND status IN ('active', 'paused')) AS numbered
                   WHERE number <= $3 ORDER BY number, key LIMIT $4";
        let values = [sequence.into(), version.into(), limit(each).into(), limit(most).into()];
        let rows = self.rows(self.reader().await, sql, values).await?;
        let keys: Vec<String> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        let mut processes = Vec::with_capacity(keys.len());
        for keys in keys.chunks(PAGE) {
            let found = entity::process::Entity::find()
                .filter(entity::process::Column::Key.is_in(keys))
                .all(self.reader().await)
                .await?;
            // What cannot be read cannot be looked at either; the move says it of each.
            processes.extend(found.into_iter().filter_map(|row| processes::read(row).ok()));
        }
        processes.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(processes)
    }

    /// Keys, ids and versions of live processes of a sequence in versions before this one, in the order
    /// of their keys, after the one named.
    ///
    /// # Errors
    /// The database's.
    pub async fn older(
        &self,
        sequence: &str,
        version: i32,
        after: &str,
        most: u64,
    ) -> Result<Vec<(String, String, i32)>> {
        let sql = "SELECT key, process_id, version FROM processes
                   WHERE sequence = $1 AND version < $2 AND status IN ('active', 'paused')
                     AND key > $3 ORDER BY key LIMIT $4";
        let values = [sequence.into(), version.into(), after.into(), limit(most).into()];
        let rows = self.rows(self.reader().await, sql, values).await?;
        let read = |row: &QueryResult| {
            Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?))
        };
        rows.iter().map(read).collect()
    }

    /// Holds a process that is live and in a version before this one, as it is by then: a cycle
    /// that has it is waited for. None if there is no such process any more.
    ///
    /// # Errors
    /// The database's, and what of the process cannot be read.
    pub async fn hold(&self, key: &str, version: i32) -> Result<Option<Held<'_>>> {
        let tx = self.begin().await?;
        let sql = format!(
            "SELECT key FROM processes
             WHERE key = $1 AND version < $2 AND status IN ('active', 'paused'){}",
            self.dialect.for_update()
        );
        if self.rows(&tx, &sql, [key.into(), version.into()]).await?.is_empty() {
            return Ok(None);
        }
        let found = entity::process::Entity::find_by_id(key.to_owned()).one(&tx).await?;
        let process = found.map(processes::read).transpose()?;
        Ok(process.map(|process| Held { store: self, tx, process }))
    }
}

impl Held<'_> {
    /// Writes what became of it, and lets it go.
    ///
    /// # Errors
    /// The database's; then nothing of it has happened.
    pub async fn write(self, moved: &Moved, now: DateTime<Utc>) -> Result<()> {
        let Self { store, tx, .. } = self;
        let process = &moved.process;
        let data = moved.data_changed.then(|| processes::document(&process.data));
        let sql = "UPDATE processes SET version = $1, cursor = $2, timezone = $3, priority = $4,
                     state = $5, due_at = $6, started_with = CASE WHEN $7 IS NULL
                       THEN started_with ELSE COALESCE(started_with, data) END,
                     data = COALESCE($7, data)
                   WHERE key = $8";
        let values = [
            process.version.into(),
            process.cursor.as_deref().into(),
            process.timezone.name().into(),
            process.priority.rank().into(),
            processes::document(&process.state).into(),
            process.due_at.map(|at| at.timestamp_millis()).into(),
            data.into(),
            process.key.as_str().into(),
        ];
        store.run(&tx, sql, values).await?;
        store.rename(&tx, &process.key, &moved.renamed).await?;
        let entry = std::slice::from_ref(&moved.entry);
        store.append(&tx, [(process.key.as_str(), entry)], now).await?;
        store.commit(tx).await
    }
}

impl Store {
    /// News of what a step sent goes to the step, so the deliveries bear its new name.
    async fn rename(
        &self,
        tx: &DatabaseTransaction,
        key: &str,
        renamed: &[(String, String)],
    ) -> Result<()> {
        if renamed.is_empty() {
            return Ok(());
        }
        let sql = "SELECT DISTINCT step FROM deliveries WHERE process_key = $1";
        for row in self.rows(tx, sql, [key.into()]).await? {
            let step: String = row.try_get_by_index(0)?;
            let Some((_, to)) = renamed.iter().find(|(from, _)| *from == step) else { continue };
            let sql = "UPDATE deliveries SET step = $1 WHERE process_key = $2 AND step = $3";
            self.run(tx, sql, [to.as_str().into(), key.into(), step.into()]).await?;
        }
        Ok(())
    }
}

/// Processes that are read at once.
const PAGE: usize = 500;

fn limit(most: u64) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
