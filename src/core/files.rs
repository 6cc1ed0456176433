//! The files that a sequence is made of, beside its own text: fragments that its steps run,
//! and calendars that it names.
//!
//! Promises: whatever they say, no more than [`MOST_FILES`] are asked for, and no more than
//! [`MOST_BYTES`] are kept.
//! Does not: read a file. Who gathers is handed what is wanted and answers with a text; a
//! server never gathers, and takes what a source carries (see [`crate::bundle`]).
//! Called by: the check, and the doors that have a folder to look in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::check::wanted;

/// Files that a sequence is made of at most.
pub const MOST_FILES: usize = 100;
/// Bytes of a sequence and its files together, at most.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Bytes of the path of a file, at most.
const LONGEST_PATH: usize = 500;

/// What a source names and does not hold itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// A fragment: its path, as seen from the folder of the source.
    Fragment(String),
    /// A calendar: its name. It is `calendars/NAME.yml` or `.ics` beside the source, or in the
    /// nearest folder above that has it.
    Calendar(String),
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, as seen from the folder of the source.
    pub path: String,
    /// What it says, or why it cannot be read.
    pub text: Result<String, String>,
}

/// Files by what they are wanted as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    fragments: BTreeMap<String, File>,
    calendars: BTreeMap<String, File>,
}

impl Files {
    /// Everything that `source` wants, and what that wants in its turn. `find` looks for one;
    /// it answers `None` if it knows nothing of it.
    pub fn gather(source: &str, mut find: impl FnMut(&Wanted) -> Option<File>) -> Self {
        let (mut files, mut asked, mut bytes) = (Self::default(), BTreeSet::new(), source.len());
        let mut open: VecDeque<Wanted> = wanted(source, "").into();
        while let Some(one) = open.pop_front() {
            // Once, also if there is none.
            if !asked.insert(one.clone()) {
                continue;
            }
            let found = if asked.len() <= MOST_FILES { find(&one) } else { Some(too_many(&one)) };
            let Some(mut file) = found else { continue };
            if let Ok(text) = &file.text {
                bytes = bytes.saturating_add(text.len());
                if bytes > MOST_BYTES {
                    let reason = format!("with it the sequence has more than {MOST_BYTES} bytes");
                    file.text = Err(reason);
                } else if let Wanted::Fragment(path) = &one {
                    open.extend(wanted(text, path));
                }
            }
            files.add(one, file);
        }
        files
    }

    /// Files that came with a source, by their paths.
    pub(crate) fn carried(texts: Vec<(String, String)>) -> Self {
        let mut files = Self::default();
        for (path, text) in texts {
            let file = File { path: path.clone(), text: Ok(text) };
            if let Some(name) = calendar_name(&path) {
                files.calendars.insert(name.to_owned(), file.clone());
            }
            files.fragments.insert(path, file);
        }
        files
    }

    fn add(&mut self, wanted: Wanted, file: File) {
        match wanted {
            Wanted::Fragment(path) => self.fragments.insert(path, file),
            Wanted::Calendar(name) => self.calendars.insert(name, file),
        };
    }

    /// The fragment at a path.
    pub fn fragment(&self, path: &str) -> Option<&File> {
        self.fragments.get(path)
    }

    /// The calendar of a name.
    pub fn calendar(&self, name: &str) -> Option<&File> {
        self.calendars.get(name)
    }

    /// The names of the calendars there are.
    pub fn calendar_names(&self) -> impl Iterator<Item = &str> {
        self.calendars.keys().map(String::as_str)
    }

    /// The path of every file that was asked for, whether or not it could be read.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.fragments.values().chain(self.calendars.values()).map(|file| file.path.as_str())
    }

    /// The path and the text of every file that could be read, by path.
    pub fn texts(&self) -> BTreeMap<&str, &str> {
        let all = self.fragments.values().chain(self.calendars.values());
        all.filter_map(|file| Some((file.path.as_str(), file.text.as_deref().ok()?))).collect()
    }
}

/// What is not looked for any more.
fn too_many(wanted: &Wanted) -> File {
    let path = match wanted {
        Wanted::Fragment(path) => path.clone(),
        Wanted::Calendar(name) => format!("calendars/{name}.yml"),
    };
    File { path, text: Err(format!("a sequence has at most {MOST_FILES} files")) }
}

/// `business-hours` of `../calendars/business-hours.yml`.
fn calendar_name(path: &str) -> Option<&str> {
    let (folder, file) = path.rsplit_once('/')?;
    let is_calendar = folder == "calendars" || folder.ends_with("/calendars");
    let name = [".yml", ".yaml", ".ics"].iter().find_map(|ending| file.strip_suffix(ending));
    name.filter(|_| is_calendar)
}

/// Whether a step's `run` names a file.
pub fn is_path(run: &str) -> bool {
    run.starts_with("./") || run.starts_with("../")
}

/// The path of a file that is named in the file at `from`, without `.` and with `..` only at
/// its beginning. `None` for what is no path.
pub fn resolve(from: &str, named: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_absolute = from.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(named.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    let path = format!("{}{}", if is_absolute { "/" } else { "" }, parts.join("/"));
    let is_none = parts.last().is_none_or(|last| *last == "..")
        || named.ends_with('/')
        || named.chars().any(char::is_control)
        || path.len() > LONGEST_PATH;
    (!is_none).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_file_that_names_it() {
        for (from, named, path) in [
            ("", "./shared/ring.yml", Some("shared/ring.yml")),
            ("shared/ring.yml", "./text.yml", Some("shared/text.yml")),
            ("shared/ring.yml", "../text.yml", Some("text.yml")),
            ("shared/ring.yml", "../../text.yml", Some("../text.yml")),
            ("../a/b.yml", "../c.yml", Some("../c.yml")),
            ("../a.yml", "../c.yml", Some("../../c.yml")),
            ("/a/b.yml", "../../../c.yml", Some("/c.yml")),
            ("a.yml", ".//x/./y.yml", Some("x/y.yml")),
            ("a.yml", "./", None),
            ("a.yml", "../..", None),
            ("a.yml", "./a\0b", None),
        ] {
            assert_eq!(resolve(from, named).as_deref(), path, "{named} in {from}");
        }
        assert_eq!(resolve("", &format!("./{}", "a/".repeat(300) + "b")), None);
    }

    #[test]
    fn no_more_is_asked_for_or_kept_than_a_sequence_may_have() {
        let steps: Vec<String> = (0..150).map(|n| format!("{{ run: ./f{n}.yml }}")).collect();
        let source = format!("steps: [{}]", steps.join(", "));
        let mut asked = 0;
        let files = Files::gather(&source, |wanted| {
            asked += 1;
            let Wanted::Fragment(path) = wanted else { return None };
            Some(File { path: path.clone(), text: Ok("x".repeat(20_000)) })
        });
        assert_eq!(asked, MOST_FILES);
        assert!(
            source.len() + files.texts().values().map(|text| text.len()).sum::<usize>()
                <= MOST_BYTES
        );
        let refused = files.fragments.values().filter_map(|file| file.text.as_ref().err());
        assert!(refused.clone().count() > 90);
        assert_eq!(refused.filter(|why| why.contains("100 files")).count(), 50);
    }

    #[test]
    fn what_is_not_there_is_asked_for_once_and_counts_as_well() {
        let steps: Vec<String> = (0..300).map(|n| format!("{{ calendar: c{} }}", n / 2)).collect();
        let mut asked = 0;
        let files = Files::gather(&format!("steps: [{}]", steps.join(", ")), |_| {
            asked += 1;
            None
        });
        assert_eq!((asked, files.calendars.len()), (MOST_FILES, 50));
        assert!(files.calendars.values().all(|file| file.text.is_err()));
    }

    #[test]
    fn what_is_too_long_once_its_files_stand_behind_it_is_refused() {
        let source = "sequence: a\nsteps: [{ id: a, run: ./a.yml }]\n";
        let refused = |lines: usize| {
            // Two more bytes for each line, where it stands behind the sequence.
            let steps =
                "steps: [{ id: a, run: WaitForDuration, config: { amount: 1, unit: hours } }]";
            let text = format!("fragment: a\n{steps}\n{}", "#345678901\n".repeat(lines));
            let files = Files::gather(source, |_| {
                Some(File { path: "a.yml".to_owned(), text: Ok(text.clone()) })
            });
            let checked = crate::check_with(source, &files, rungs_runners::builtin::KINDS);
            let codes = checked.diagnostics.iter().map(|it| it.code).collect::<Vec<_>>();
            (checked.sequence.is_none(), codes.contains(&"too-large"))
        };
        assert_eq!(refused(80_000), (false, false));
        assert_eq!(refused(90_000), (true, true));
    }

    #[test]
    fn a_calendar_that_came_along_is_known_by_its_name() {
        let texts = ["calendars/hours.yml", "../calendars/feasts.ics", "calendars.yml", "x/a.yml"];
        let files = Files::carried(
            texts.map(|path| (path.to_owned(), String::new())).into_iter().collect(),
        );
        assert_eq!(files.calendar_names().collect::<Vec<_>>(), ["feasts", "hours"]);
    }
}
