//! One `serve` per SQLite file.
//!
//! A lock beside the database, held while the program runs. The system gives it back
//! whatever ends the program, so a file that was left behind locks nobody out.

use std::{
    fs::{File, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::{Failure, Result};

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database, or says who has it.
    pub fn take(database: &Path) -> Result<Self> {
        // By whatever name it is called: a link to a database is that database.
        let path = beside(&database.canonicalize().unwrap_or_else(|_| database.to_owned()));
        let refused = |error| Failure::refused(format!("{}: {error}", path.display()));
        let mut options = File::options();
        // Not truncated: whoever has it wrote there who it is.
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(database, &mut file)),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(refused)?;
        Ok(Self { _file: file })
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn taken(database: &Path, file: &mut File) -> Failure {
    let mut pid = String::new();
    // Where a lock also keeps others from reading, the pid stays unknown.
    let _ = file.take(20).read_to_string(&mut pid);
    let who = match pid.trim() {
        "" => String::new(),
        pid => format!(" (process {pid})"),
    };
    Failure::refused(format!(
        "another `rungs serve`{who} works on {}; stop it first, or name another database in RUNGS_DATABASE_URL",
        database.display()
    ))
}
