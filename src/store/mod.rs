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

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
    sqlx::{error::DatabaseError, postgres::PgConnectOptions, sqlite::SqliteConnectOptions},
};
use sea_orm_migration::MigratorTrait;

mod connect;
pub mod cycle;
pub mod deliveries;
mod dialect;
pub mod entity;
pub mod events;
pub mod history;
pub mod probe;
pub mod processes;
pub mod questions;
pub mod sequences;
pub mod sweep;
pub mod watch;

use dialect::Dialect;
use probe::{Point, Probe};

/// What every method answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
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
}

impl StoreError {
    /// Whether the database refuses a value that it was given, so that trying again is of
    /// no use, rather than being in trouble itself.
    pub fn is_about_data(&self) -> bool {
        let Self::Database(DbErr::Query(error) | DbErr::Exec(error)) = self else { return false };
        let RuntimeErr::SqlxError(error) = error else { return false };
        let code = error.as_database_error().and_then(DatabaseError::code);
        // PostgreSQL: data exception, integrity violation. SQLite: too big.
        code.is_some_and(|code| {
            (code.len() == 5 && (code.starts_with("22") || code.starts_with("23"))) || code == "18"
        })
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
        Ok(Self { writer, reader, dialect, probe: None })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// The database's.
    pub async fn migrate(&self) -> Result<()> {
        Ok(rungs_migrations::Migrator::up(&self.writer, None).await?)
    }

    /// How many migrations wait to be run.
    ///
    /// # Errors
    /// The database's.
    pub async fn pending_migrations(&self) -> Result<usize> {
        Ok(rungs_migrations::Migrator::get_pending_migrations(&self.writer).await?.len())
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

    async fn rows(
        &self,
        db: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        Ok(db.query_all_raw(statement).await?)
    }

    async fn run(
        &self,
        db: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64> {
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        Ok(db.execute_raw(statement).await?.rows_affected())
    }
}

/// PostgreSQL takes no NUL in a text, SQLite cuts one off there: neither shall see one.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
