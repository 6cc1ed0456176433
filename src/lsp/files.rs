//! The files that sequences are made of, as they are in the editor, or else on disk.
//!
//! Promises: as on the command line, nothing is read that lies outside of the folder that the
//! program runs in, or that the sequence stands in, if it stands elsewhere.

use std::{
    env,
    path::{Component, Path, PathBuf},
};

use rungs_core::{File, Files, Wanted};

use super::desk::Desk;

/// Folders above each other that are looked through for a calendar.
const MOST_FOLDERS: usize = 32;

impl Desk {
    /// What the sequence at `path` is made of; one that has no place is made of itself. The files
    /// that were looked for are added to `drawn_in`.
    pub fn files(&self, source: &str, path: Option<&Path>, drawn_in: &mut Vec<PathBuf>) -> Files {
        let Some(folder) = path.and_then(Path::parent) else { return Files::default() };
        let root = match env::current_dir() {
            Ok(here) if folder.starts_with(&here) => here,
            _ => folder.to_owned(),
        };
        Files::gather(source, |wanted| match wanted {
            Wanted::Fragment(path) => {
                let file = plain(&folder.join(path));
                let text = self.within(&root, &file);
                drawn_in.push(file);
                Some(File { path: path.clone(), text })
            }
            Wanted::Calendar(name) => {
                let found = self.calendar(name, folder, &root)?;
                drawn_in.push(plain(&folder.join(&found.path)));
                Some(found)
            }
        })
    }

    /// `calendars/NAME.yml` here, or in the nearest folder above that has it.
    fn calendar(&self, name: &str, folder: &Path, root: &Path) -> Option<File> {
        let mut above = String::new();
        for folder in folder.ancestors().take(MOST_FOLDERS) {
            for ending in ["yml", "yaml", "ics"] {
                let path = format!("calendars/{name}.{ending}");
                let file = folder.join(&path);
                if file.exists() {
                    let text = self.within(root, &file);
                    return Some(File { path: format!("{above}{path}"), text });
                }
            }
            if folder == root {
                break;
            }
            above.push_str("../");
        }
        None
    }

    fn within(&self, root: &Path, path: &Path) -> Result<String, String> {
        // A link may lead out as well as a path does.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !path.starts_with(root) || !real(path).starts_with(real(root)) {
            return Err(format!("it lies outside of {}", root.display()));
        }
        self.text(path).ok_or_else(|| "there is no such file".to_owned())
    }
}

/// A path without `.` and `..`, by its words alone, so that a file is one document.
pub(super) fn plain(path: &Path) -> PathBuf {
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
