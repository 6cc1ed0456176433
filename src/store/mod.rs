//! The only room that knows SQL.
//!
//! Promises: every method is one transaction, or reads one state; a crash leaves the old
//! state or the new one. The same statements run on SQLite and on PostgreSQL; what
//! differs stands in `dialect.rs`.
//! Rows are locked in one order: processes before deliveries. Whoever breaks it makes
//! deadlocks.
//! Does not: decide. What becomes of a row is computed in rungs-core.
//! Called by: intake and the engine.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rungs_core::Process;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
    sqlx::{error::DatabaseError, postgres::PgConnectOptions, sqlite::SqliteConnectOptions},
};
use sea_orm_migration::MigratorTrait;

pub mod acts;
pub mod audit;
pub mod backup;
mod bulk;
mod connect;
pub mod cycle;
pub mod deliveries;
mod dialect;
pub mod entity;
pub mod events;
pub mod history;
pub mod imports;
pub mod messages;
pub mod moves;
pub mod probe;
pub mod processes;
pub mod questions;
pub mod records;
pub mod roesc;
mod schema;
pub mod sequences;
mod settings;
pub mod sweep;
mod together;
pub mod watch;
mod written;

use dialect::Dialect;
use probe::{Point, Probe};
use schema::Seen;
use together::Together;

/// Serialises migrations on PostgreSQL. Any number that nothing else uses.
const MIGRATING: &str = "SELECT pg_advisory_xact_lock(7447002)";
/// A migration that waits for a table keeps everybody else from it, so it gives up soon and
/// tries again.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'";
/// How often a migration is tried, and the pause between two tries, in which others get on.
const MOST_TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);

/// What every method answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database said no, or said nothing.
    #[error("{0}")]
    Database(#[from] DbErr),
    /// The address of the database is none. It is not shown: it may hold a password.
    #[error("the database's address cannot be used: {0}")]
    Address(String),
    /// What stands in it cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// A newer program has brought its schema further than this one can work on.
    #[error("its schema is newer than this program; use the one that migrated it, or a newer one")]
    Newer,
}

impl StoreError {
    /// Whether the database refuses a value that it was given, so that trying again is of
    /// no use, rather than being in trouble itself.
    pub fn is_about_data(&self) -> bool {
        let Some(code) = self.code() else { return false };
        // PostgreSQL: data exception, integrity violation. SQLite: too big.
        (code.len() == 5 && (code.starts_with("22") || code.starts_with("23"))) || code == "18"
    }

    /// Whether somebody else was in the way, so that it may work in a moment.
    fn is_contention(&self) -> bool {
        // PostgreSQL: deadlock detected, lock not available in time.
        self.code().is_some_and(|code| matches!(code.as_ref(), "40P01" | "55P03"))
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        let Self::Database(DbErr::Query(error) | DbErr::Exec(error)) = self else { return None };
        let RuntimeErr::SqlxError(error) = error else { return None };
        error.as_database_error().and_then(DatabaseError::code)
    }
}

/// An embedded SQLite file, or a PostgreSQL database.
#[derive(Clone)]
pub struct Store {
    /// SQLite has one writer at a time, so there is one connection that writes: waiting
    /// for it in a queue beats `SQLITE_BUSY`. On PostgreSQL both are the same pool.
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    dialect: Dialect,
    probe: Option<Arc<dyn Probe>>,
    /// Single births, and questions for the newest version of a sequence.
    births: Arc<Together<Arc<Process>, Result<bool>>>,
    newest: Arc<Together<Arc<str>, Result<Option<i32>>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:rungs.db`, `sqlite::memory:` or `postgres://...`.
    pub url: String,
    /// Connections to PostgreSQL at most.
    pub max_connections: u32,
    /// How long to wait for a connection before it counts as trouble.
    pub acquire_timeout: Duration,
}

impl Options {
    /// The file of an embedded database, if it is one with a file.
    pub fn file(&self) -> Option<PathBuf> {
        let in_file = Dialect::of(&self.url).is_ok_and(|dialect| dialect == Dialect::Sqlite)
            && !is_in_memory(&self.url);
        let options = in_file.then(|| self.url.parse::<SqliteConnectOptions>().ok()).flatten()?;
        Some(options.get_filename().to_owned())
    }
}

impl Options {
    /// Looks at the address before the database's library does, which would show it.
    fn check(&self, dialect: Dialect) -> Result<()> {
        let wrong = |what: &str| Err(StoreError::Address(what.to_owned()));
        match dialect {
            Dialect::Postgres if self.url.parse::<PgConnectOptions>().is_err() => wrong(
                "expected postgres://USER:PASSWORD@HOST:PORT/NAME, where `/`, `@`, `:` and `%` in a password are written %2F, %40, %3A and %25",
            ),
            Dialect::Sqlite if self.url.parse::<SqliteConnectOptions>().is_err() => {
                wrong("expected sqlite:FILE, and after a `?` only what SQLite knows")
            }
            Dialect::Sqlite if self.file().is_some_and(|file| file.as_os_str().is_empty()) => {
                wrong("expected sqlite:FILE, and there is no file")
            }
            _ => Ok(()),
        }
    }
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

impl Store {
    /// Connects. Does not migrate.
    ///
    /// # Errors
    /// An address that is none, or a database that cannot be reached.
    pub async fn connect(options: &Options) -> Result<Self> {
        let dialect = Dialect::of(&options.url)?;
        options.check(dialect)?;
        let (writer, reader) = match dialect {
            Dialect::Postgres => {
                let pool = connect::postgres(options).await?;
                (pool.clone(), pool)
            }
            Dialect::Sqlite => connect::sqlite(options).await?,
        };
        let (births, newest) = (Arc::default(), Arc::default());
        Ok(Self { writer, reader, dialect, probe: None, births, newest })
    }

    /// Brings the schema up to date, all of it or nothing. Programs that start at the same
    /// moment do it one after the other, and programs that work on it meanwhile go on: a
    /// table that they hold is waited for in short portions.
    ///
    /// # Errors
    /// The database's.
    pub async fn migrate(&self) -> Result<()> {
        let mut tries = 1;
        while self.pending_migrations().await? > 0 {
            match self.migrate_on().await {
                Err(error) if error.is_contention() && tries < MOST_TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Runs migrations that are pending. On PostgreSQL one at a time: whoever changes two tables
    /// in one transaction locks out the others from both, in an order of its own, and stands
    /// against their transactions.
    async fn migrate_on(&self) -> Result<()> {
        let steps = (self.dialect == Dialect::Postgres).then_some(1);
        let tx = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            self.rows(&tx, MIGRATING, []).await?;
            self.run(&tx, LOCK_TIMEOUT, []).await?;
        }
        // Another program may have done it meanwhile, and more than that.
        if Seen::of(&tx).await?.pending()? > 0 {
            rungs_migrations::Migrator::up(&tx, steps).await?;
        }
        self.commit(tx).await
    }

    /// How many migrations wait to be run.
    ///
    /// # Errors
    /// The database's.
    pub async fn pending_migrations(&self) -> Result<usize> {
        Seen::of(&self.writer).await?.pending()
    }

    /// Whether a newer program has expanded the schema, so that this one works on it as before.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_expanded(&self) -> Result<bool> {
        Ok(Seen::of(&self.writer).await?.is_ahead())
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// It gave none.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.reader().await.ping().await?)
    }

    /// Closes every connection.
    ///
    /// # Errors
    /// The database's.
    pub async fn close(self) -> Result<()> {
        self.reader.close_by_ref().await?;
        Ok(self.writer.close_by_ref().await?)
    }

    /// Whether this is SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    /// For reads outside a transaction.
    async fn reader(&self) -> &DatabaseConnection {
        self.at(Point::Read).await;
        &self.reader
    }

    async fn begin(&self) -> Result<DatabaseTransaction> {
        self.at(Point::Begin).await;
        // A deferred transaction on SQLite that reads first and writes later can fail
        // with SQLITE_BUSY half-way; an immediate one waits at its beginning.
        let options = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    async fn commit(&self, tx: DatabaseTransaction) -> Result<()> {
        self.at(Point::Commit).await;
        tx.commit().await?;
        self.at(Point::Committed).await;
        Ok(())
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.writer.get_database_backend(), sql, values)
    }

    /// The rows of one statement that is a transaction of its own: no BEGIN and no COMMIT go
    /// to and fro.
    async fn rows_alone(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>> {
        self.at(Point::Begin).await;
        let rows = self.rows(&self.writer, sql, values).await?;
        self.at(Point::Committed).await;
        Ok(rows)
    }

    async fn rows(
        &self,
        db: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>> {
        Ok(db.query_all_raw(self.statement(sql, values)).await?)
    }

    async fn run(
        &self,
        db: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64> {
        Ok(db.execute_raw(self.statement(sql, values)).await?.rows_affected())
    }
}

/// PostgreSQL takes no NUL in a text, SQLite cuts one off there: neither shall see one.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
