//! The files that a sequence is made of, read from the folder that it stands in.
//!
//! Promises: nothing is read but regular files of a bounded size, and none outside of the
//! folder that the program runs in (or that the sequence stands in, if it stands elsewhere),
//! whatever a path or a link says.

use std::{
    env,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rungs_core::{File as Found, Files, Wanted, files::MOST_BYTES};

use super::input::bounded;

/// Folders above each other that are looked through for a calendar.
const MOST_FOLDERS: usize = 32;

/// Reads what the sequence at `path` is made of; of one from stdin, as seen from here.
pub(super) fn gather(source: &str, path: &Path) -> Files {
    let mut place = None;
    Files::gather(source, |wanted| {
        // Most sequences want nothing.
        place.get_or_insert_with(|| Place::of(path)).as_ref()?.find(wanted)
    })
}

/// Where a sequence stands.
struct Place {
    folder: PathBuf,
    /// Nothing above it is read.
    root: PathBuf,
}

impl Place {
    fn of(path: &Path) -> Option<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        let here = env::current_dir().and_then(|here| here.canonicalize()).ok()?;
        let root = if folder.starts_with(&here) { here } else { folder.clone() };
        Some(Self { folder, root })
    }

    fn find(&self, wanted: &Wanted) -> Option<Found> {
        match wanted {
            Wanted::Fragment(path) => Some(Found {
                path: path.clone(),
                text: self.read(&self.folder.join(path)).map_err(|error| reason(&error)),
            }),
            Wanted::Calendar(name) => self.calendar(name),
        }
    }

    /// `calendars/NAME.yml` here, or in the nearest folder above that has it.
    fn calendar(&self, name: &str) -> Option<Found> {
        let mut above = String::new();
        for folder in self.folder.ancestors().take(MOST_FOLDERS) {
            for ending in ["yml", "yaml", "ics"] {
                let path = format!("calendars/{name}.{ending}");
                let file = folder.join(&path);
                if file.exists() {
                    let text = self.read(&file).map_err(|error| reason(&error));
                    return Some(Found { path: format!("{above}{path}"), text });
                }
            }
            if folder == self.root {
                break;
            }
            above.push_str("../");
        }
        None
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        let path = path.canonicalize()?;
        if !path.starts_with(&self.root) {
            let root = self.root.display();
            return Err(io::Error::other(format!("it lies outside of {root}")));
        }
        // To open a pipe would wait for somebody to write.
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let bytes = bounded(File::open(&path)?, MOST_BYTES as u64)?;
        String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}
