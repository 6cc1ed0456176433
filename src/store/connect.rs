//! Pools of connections.
//!
//! A connection goes back into its pool only without a transaction. A `COMMIT` that fails
//! (a full disk) leaves SQLite's transaction open; the next user of the connection would
//! work inside it, be told that everything is committed, and lose all of it with the
//! connection. So such a connection is closed, which rolls back.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{self, Connection, SqliteConnection, error::DatabaseError},
};

use super::{Options, Result, is_in_memory};

/// A connection that was silent for some minutes is forgotten by what stands between (a NAT
/// gateway of AWS after 350 seconds), and whoever asks through it waits in vain. A program that
/// is frozen meanwhile cannot keep it warm.
const LIFETIME: Duration = Duration::from_mins(5);

/// A pool for PostgreSQL.
pub(super) async fn postgres(options: &Options) -> Result<DatabaseConnection> {
    let mut connect = common(options, options.max_connections);
    connect.map_sqlx_postgres_pool_opts(|pool| {
        pool.max_lifetime(LIFETIME).after_release(|connection, _| {
            let keep = !connection.is_in_transaction();
            async move { Ok(keep) }.boxed()
        })
    });
    Ok(Database::connect(connect).await?)
}

/// The writer and the readers of an SQLite file.
pub(super) async fn sqlite(options: &Options) -> Result<(DatabaseConnection, DatabaseConnection)> {
    let writer = sqlite_pool(options, 1).await?;
    if is_in_memory(&options.url) {
        return Ok((writer.clone(), writer));
    }
    Ok((writer, sqlite_pool(options, 4).await?))
}

async fn sqlite_pool(options: &Options, most: u32) -> Result<DatabaseConnection> {
    let mut connect = common(options, most);
    // A file does not hang up, so it is not asked before each use whether it still listens.
    connect.min_connections(1).test_before_acquire(false).map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            // `FULL` makes a commit survive the loss of power, not only a crash.
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            // Several programs on one file wait for each other without a queue: whoever looks
            // at the wrong moments waits long on a busy machine, and that is no error.
            .pragma("busy_timeout", "30000")
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "MEMORY")
    });
    if is_in_memory(&options.url) {
        // The database lives as long as its one connection.
        connect.map_sqlx_sqlite_pool_opts(|pool| pool.idle_timeout(None).max_lifetime(None));
    } else {
        connect
            .map_sqlx_sqlite_pool_opts(|pool| pool.after_release(|connection, _| keep(connection)));
    }
    // Programs that open a new file at one moment turn its log on at once, and SQLite tells
    // all but one of them that it is busy, without waiting.
    for _ in 0..MOST_TRIES {
        match Database::connect(connect.clone()).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(PAUSE).await,
            connected => return Ok(connected?),
        }
    }
    Ok(Database::connect(connect).await?)
}

/// How often a busy file is tried again before it is trouble, and the pause between two tries.
const MOST_TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// `SQLITE_BUSY`.
fn is_busy(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == "5")
}

fn common(options: &Options, most: u32) -> ConnectOptions {
    let mut connect = ConnectOptions::new(&options.url);
    connect.max_connections(most).acquire_timeout(options.acquire_timeout).sqlx_logging(false);
    connect
}

/// Whether a connection to SQLite may be used again.
fn keep(connection: &mut SqliteConnection) -> BoxFuture<'_, sqlx::Result<bool>> {
    async move {
        // A rollback that was begun when a transaction was dropped comes first; it is done
        // by the connection's own thread.
        connection.ping().await?;
        Ok(!connection.is_in_transaction())
    }
    .boxed()
}
