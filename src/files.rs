//! The files that sequences are made of, read from the folders that they stand in.
//!
//! Promises: nothing is read but regular files of a bounded size, and none outside of the
//! folder that the program runs in (or that the sequence stands in, if it stands elsewhere),
//! whatever a path or a link says.
//! Called by: the command line and the language server. The API reads no files.

use std::{
    env,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Component, Path, PathBuf},
};

use rungs_core::{File as Found, Files, Wanted, files::MOST_BYTES};

/// Folders above each other that are looked through for a calendar.
const MOST_FOLDERS: usize = 32;

/// What a file of a calendar may end with.
const ENDINGS: [&str; 3] = ["yml", "yaml", "ics"];

/// Reads what the sequence at `path` is made of; of one from stdin, as seen from here. A file
/// that is open elsewhere is as `open` has it, which is asked for every file looked for, by its
/// path without `..`.
pub(crate) fn gather(
    source: &str,
    path: &Path,
    mut open: impl FnMut(&Path) -> Option<String>,
) -> Files {
    let mut place = None;
    Files::gather(source, |wanted| {
        // Most sequences want nothing.
        place.get_or_insert_with(|| Place::of(path)).as_ref()?.find(wanted, &mut open)
    })
}

/// Where a sequence stands.
struct Place {
    /// As it is called.
    named: PathBuf,
    /// As it is, whatever links lead there.
    folder: PathBuf,
    /// Nothing above it is read.
    root: PathBuf,
}

type Open<'o> = dyn FnMut(&Path) -> Option<String> + 'o;

impl Place {
    fn of(path: &Path) -> Option<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let named = folder.unwrap_or(Path::new(".")).to_owned();
        let folder = named.canonicalize().ok()?;
        let here = env::current_dir().and_then(|here| here.canonicalize()).ok()?;
        let root = if folder.starts_with(&here) { here } else { folder.clone() };
        Some(Self { named, folder, root })
    }

    fn find(&self, wanted: &Wanted, open: &mut Open<'_>) -> Option<Found> {
        match wanted {
            Wanted::Fragment(path) => Some(self.found(path.clone(), open)),
            Wanted::Calendar(name) => self.calendar(name, open),
        }
    }

    /// `calendars/NAME.yml` here, or in the nearest folder above that has it.
    fn calendar(&self, name: &str, open: &mut Open<'_>) -> Option<Found> {
        let mut above = String::new();
        for folder in self.folder.ancestors().take(MOST_FOLDERS) {
            let named = ENDINGS.map(|ending| format!("{above}calendars/{name}.{ending}"));
            let mut there = named.into_iter().filter(|path| {
                open(&self.called(path)).is_some() || self.folder.join(path).exists()
            });
            if let Some(path) = there.next() {
                let text = there
                    .next()
                    .map(|other| Err(format!("there is {other} as well; keep one of them")));
                return Some(match text {
                    Some(text) => Found { path, text },
                    None => self.found(path, open),
                });
            }
            if folder == self.root {
                break;
            }
            above.push_str("../");
        }
        None
    }

    fn found(&self, path: String, open: &mut Open<'_>) -> Found {
        let text = self.read(&path, open).map_err(|error| reason(&error));
        Found { path, text }
    }

    fn read(&self, path: &str, open: &mut Open<'_>) -> io::Result<String> {
        let (open, file) = (open(&self.called(path)), self.folder.join(path));
        let real = match file.canonicalize() {
            // What has never been saved is where it will be.
            Err(error) if open.is_some() && error.kind() == ErrorKind::NotFound => plain(&file),
            real => real?,
        };
        if !real.starts_with(&self.root) {
            let root = self.root.display();
            return Err(io::Error::other(format!("it lies outside of {root}")));
        }
        open.map_or_else(|| text(&real), Ok)
    }

    /// What a file is called by those who know the sequence by its path.
    fn called(&self, path: &str) -> PathBuf {
        plain(&self.named.join(path))
    }
}

/// The text of a regular file that is no longer than a sequence may be.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    // To open a pipe would wait for somebody to write.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let bytes = bounded(File::open(path)?, MOST_BYTES as u64)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// All of it, unless that is more than `most` bytes.
pub(crate) fn bounded(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let mebibytes = most / (1024 * 1024);
        return Err(io::Error::other(format!("it is larger than {mebibytes} MiB")));
    }
    Ok(bytes)
}

/// A path without `.` and `..`, by its words alone, so that a file has one name.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}
