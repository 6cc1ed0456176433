//! A copy of an SQLite file, and its way back.
//!
//! Promises: a copy is the state of one moment, whatever is written meanwhile, and it appears
//! under its name only when it is whole and on the disk. The way back replaces the database in
//! one step, by a file that was looked through before, and keeps what was there beside it.
//! Does not: keep out a program that opens the database while it is being replaced; who
//! calls it sees to that.
//! Called by: `rungs backup` and `rungs restore`.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, SqlxSqliteConnector, Statement,
    sqlx::{
        self, ConnectOptions, Connection,
        error::DatabaseError,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
    },
};

use super::{Store, StoreError, schema::Seen};

/// How long another program that has the database open is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Reads everything; `ok`, or the first things that are wrong.
const INTEGRITY: &str = "PRAGMA integrity_check(5)";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why there is no copy, or no way back. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Something of that name is there.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A copy is not the database, nor the other way round.
    #[error("{} is the database itself", .0.display())]
    Itself(PathBuf),
    /// Another copy is being written under that name.
    #[error("{} is being written by another program", .0.display())]
    Taken(PathBuf),
    /// Another program has the database open.
    #[error("another program has {} open", .0.display())]
    InUse(PathBuf),
    /// It is no database, or not one of ours.
    #[error("{} is no database of Rungs: {}", .0.display(), .1)]
    Foreign(PathBuf, String),
    /// SQLite finds it damaged.
    #[error("{} is damaged: {}", .0.display(), .1)]
    Damaged(PathBuf, String),
    /// The file system said no.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// The database said no.
    #[error("{0}")]
    Database(#[from] StoreError),
}

type Result<T, E = Trouble> = std::result::Result<T, E>;

/// The error of something done to a file.
fn of(path: &Path) -> impl FnOnce(io::Error) -> Trouble {
    move |error| Trouble::File(path.to_owned(), error)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

impl Store {
    /// Copies an SQLite database, that has the file `database`, into the file `to`, and says
    /// how many bytes that were. Nobody waits for it, and it waits for nobody.
    ///
    /// # Errors
    /// What keeps the copy from being whole; then there is none.
    pub async fn back_up(&self, database: &Path, to: &Path, overwrite: bool) -> Result<u64> {
        if let (Ok(database), Ok(to)) = (database.canonicalize(), to.canonicalize())
            && database == to
        {
            return Err(Trouble::Itself(to));
        }
        if !overwrite && to.exists() {
            return Err(Trouble::Exists(to.to_owned()));
        }
        let partial = Partial::begin(to)?;
        // Who may not read the database shall not read its copy.
        let permissions = fs::metadata(database).map_err(of(database))?.permissions();
        fs::set_permissions(&partial.path, permissions).map_err(of(&partial.path))?;
        let name = partial.path.to_string_lossy().into_owned();
        // A transaction that reads, for as long as it takes.
        self.run(self.reader().await, "VACUUM INTO $1", [name.into()]).await?;
        partial.publish(to, overwrite)
    }
}

/// A file that is being written, under a name of its own. Unless it is published, it is gone
/// with it; what a program that was killed has left is written over by the next.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn begin(to: &Path) -> Result<Self> {
        let path = with(to, ".partial");
        let mut options = File::options();
        let file =
            options.write(true).create(true).truncate(false).open(&path).map_err(of(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Trouble::Taken(path)),
            Err(TryLockError::Error(error)) => return Err(Trouble::File(path, error)),
        }
        file.set_len(0).map_err(of(&path))?;
        for ending in BESIDE {
            remove(&with(&path, ending))?;
        }
        Ok(Self { path, file })
    }

    /// Makes it last, then gives it its name.
    fn publish(self, to: &Path, overwrite: bool) -> Result<u64> {
        self.file.sync_all().map_err(of(&self.path))?;
        let bytes = self.file.metadata().map_err(of(&self.path))?.len();
        // Unlike a rename, a link refuses what has come to be there meanwhile. Not every file
        // system has links.
        let is_linked = !overwrite && fs::hard_link(&self.path, to).is_ok();
        if !is_linked && !overwrite && to.exists() {
            return Err(Trouble::Exists(to.to_owned()));
        }
        if !is_linked {
            fs::rename(&self.path, to).map_err(of(to))?;
        }
        sync_directory(to)?;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It has its name by now, or is not whole.
        let _ = remove(&self.path);
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Trouble::File(path.to_owned(), error))
        }
        _ => Ok(()),
    }
}

/// Makes the names in the directory of a file last.
fn sync_directory(of_file: &Path) -> Result<()> {
    let parent = of_file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new("."));
    // Where a directory cannot be opened as a file, its names last by themselves.
    match File::open(directory) {
        Ok(directory) if cfg!(unix) => directory.sync_all().map_err(of(of_file)),
        _ => Ok(()),
    }
}

/// What has become of a database that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where what was there before is now, if anything was.
    pub replaced: Option<PathBuf>,
    /// Migrations that the database has not seen yet; whoever opens it runs them.
    pub pending: usize,
}

/// Puts the copy `from` in the place of `database`, which nobody may work on.
///
/// # Errors
/// What keeps it from being done; then nothing has changed.
pub async fn restore(from: &Path, database: &Path, now: DateTime<Utc>) -> Result<Restored> {
    let from = from.canonicalize().map_err(of(from))?;
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    if from == database {
        return Err(Trouble::Itself(database));
    }
    if fs::metadata(with(&from, "-wal")).is_ok_and(|log| log.len() > 0) {
        let why = "a log lies beside it, so it is not a copy that was finished".to_owned();
        return Err(Trouble::Foreign(from, why));
    }
    let partial = Partial::begin(&database)?;
    fs::copy(&from, &partial.path).map_err(of(&from))?;
    let pending = look_through(&partial.path, &from).await?;
    let replaced = if database.exists() {
        at_rest(&database).await?;
        keep_owner(&database, &partial.path)?;
        Some(set_aside(&database, now)?)
    } else {
        None
    };
    // The log of another database would be played into this one.
    for ending in BESIDE {
        remove(&with(&database, ending))?;
    }
    partial.publish(&database, true)?;
    Ok(Restored { replaced, pending })
}

/// Reads all of a copy: it is whole, and ours. Says how many migrations it has not seen.
async fn look_through(copy: &Path, named: &Path) -> Result<usize> {
    let foreign = |error: String| Trouble::Foreign(named.to_owned(), error);
    // It is no more than read, so that nothing lies beside it when it is published.
    let options = SqliteConnectOptions::new().filename(copy).read_only(true).immutable(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(
        pool.map_err(|error| foreign(error.to_string()))?,
    );
    let looked = async {
        let found = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, INTEGRITY)).await?;
        let found = found
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<Vec<String>, DbErr>>()?;
        Ok::<_, StoreError>((found, Seen::of(&db).await?))
    };
    let (found, seen) = looked.await.map_err(|error| foreign(error.to_string()))?;
    let _ = db.close().await;
    if found != ["ok"] {
        return Err(Trouble::Damaged(named.to_owned(), found.join("; ")));
    }
    if seen.applied.is_empty() {
        return Err(foreign("none of its tables is there".to_owned()));
    }
    Ok(seen.pending()?)
}

/// Writes everything of a database into its one file, which works only while nobody else has
/// it open. One that is too damaged for that is left as it is.
async fn at_rest(database: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Delete);
    let closed = async { options.connect().await?.close().await }.await;
    let is_busy = |error: &sqlx::Error| {
        let code = error.as_database_error().and_then(DatabaseError::code);
        code.is_some_and(|code| matches!(code.as_ref(), "5" | "6" | "261" | "517"))
    };
    match closed {
        Err(error) if is_busy(&error) => Err(Trouble::InUse(database.to_owned())),
        Err(error) => {
            tracing::warn!(%error, "what is replaced cannot be read, and is kept as it is");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Who could work on the database still can, also if it was root who put it back.
fn keep_owner(database: &Path, copy: &Path) -> Result<()> {
    let metadata = fs::metadata(database).map_err(of(database))?;
    fs::set_permissions(copy, metadata.permissions()).map_err(of(copy))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        let (user, group) = (metadata.uid(), metadata.gid());
        let of_copy = fs::metadata(copy).map_err(of(copy))?;
        if (of_copy.uid(), of_copy.gid()) != (user, group) {
            chown(copy, Some(user), Some(group)).map_err(of(copy))?;
        }
    }
    Ok(())
}

/// Gives what is there a second name, so that it is there until it is replaced, and after.
fn set_aside(database: &Path, now: DateTime<Utc>) -> Result<PathBuf> {
    let aside = with(database, &now.format(".replaced-%Y%m%dT%H%M%S%3fZ").to_string());
    if fs::hard_link(database, &aside).is_err() {
        // Not every file system has links.
        fs::copy(database, &aside).map_err(of(&aside))?;
    }
    // Of one that could not be closed in order, the log is a part.
    let log = with(database, "-wal");
    if log.exists() {
        fs::rename(&log, with(&aside, "-wal")).map_err(of(&log))?;
    }
    sync_directory(database)?;
    Ok(aside)
}
