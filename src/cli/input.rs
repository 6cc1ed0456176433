//! What a command reads: sequences and data, from files, from stdin or from the command line.

use std::{borrow::Cow, collections::BTreeMap, fs::File, io, path::Path};

use chrono_tz::Tz;
use rungs_core::{Checked, Files, Sequence, bundle, check_bytes_with};
use rungs_runners::{
    Kind,
    calendar::{self, CalendarError},
};
use serde_json::Value;

use super::{
    Failure, Result,
    failure::rendered,
    output::{DIM, talk},
};
use crate::{
    channels::console::clean,
    files::{self, bounded},
};

/// How long a sequence may be, in bytes. The check knows it too; here nothing is read
/// beyond it, whatever the file.
const LONGEST_SEQUENCE: u64 = 1024 * 1024;
/// Characters of what cannot be read that are shown.
const MOST_SHOWN: usize = 60;
/// How long data may be, in bytes.
const LONGEST_DATA: u64 = 16 * 1024 * 1024;

/// A sequence's source, and the name under which diagnostics speak of it.
pub(super) struct Source {
    pub file: String,
    pub bytes: Vec<u8>,
    /// What else the sequence is made of.
    pub files: Files,
}

impl Source {
    /// Reads a file, or stdin for `-`. Says what keeps it from being read.
    pub fn read(path: &Path) -> std::result::Result<Self, String> {
        let (file, bytes) = if path == Path::new("-") {
            ("stdin".to_owned(), bounded(io::stdin().lock(), LONGEST_SEQUENCE))
        } else {
            (
                path.display().to_string(),
                open(path).and_then(|file| bounded(file, LONGEST_SEQUENCE)),
            )
        };
        match bytes {
            Ok(bytes) => {
                let files = files::gather(&String::from_utf8_lossy(&bytes), path, |_| None);
                Ok(Self { file, bytes, files })
            }
            Err(error) => Err(format!("{file}: {error}")),
        }
    }

    /// As text; bytes that are none are replaced, and the check reports them.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Checks it, with its files.
    pub fn check(&self, kinds: &[Kind]) -> Checked {
        check_bytes_with(&self.bytes, &self.files, kinds)
    }

    /// As it is published: one text, with its files.
    pub fn bundle(&self) -> String {
        bundle::pack(&self.text(), &self.files).into_owned()
    }
}

/// Which file a sequence's name has been taken by: each would be a version of the other.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Takes a name for a file.
    pub fn take(&mut self, name: &str, file: &str) -> Result<()> {
        match self.0.insert(name.to_owned(), file.to_owned()) {
            Some(other) => {
                let both = format!("{other} and {file} are both called `{name}`");
                Err(Failure::refused(both).hint("each would be a version of the other"))
            }
            None => Ok(()),
        }
    }
}

/// A time zone from the command line.
pub(super) fn zone(name: &str) -> std::result::Result<Tz, String> {
    calendar::zone(name).map_err(|error| match &error {
        CalendarError::NoZone { suggestion: Some(meant), .. } => {
            format!("{error}; did you mean {meant}?")
        }
        error => error.to_string(),
    })
}

/// Data from the command line: JSON, or `@FILE` (`@-` is stdin). Nothing is `null`.
pub(super) fn data(given: Option<&str>) -> Result<Value> {
    let Some(given) = given else { return Ok(Value::Null) };
    let Some(path) = given.strip_prefix('@') else {
        return serde_json::from_str(given).map_err(|error| {
            let shown: String = given.chars().take(MOST_SHOWN).collect();
            Failure::usage(format!("`{}` is no JSON: {error}", clean(&shown)))
                .hint("write JSON, or @FILE with JSON in it")
        });
    };
    if path.is_empty() {
        return Err(Failure::usage("`@` names no file; write @FILE, or @- for stdin"));
    }
    let bytes = if path == "-" {
        bounded(io::stdin().lock(), LONGEST_DATA)
    } else {
        open(Path::new(path)).and_then(|file| bounded(file, LONGEST_DATA))
    };
    let bytes = bytes.map_err(|error| Failure::refused(format!("{path}: {error}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::refused(format!("{path} is no JSON: {error}")))
}

/// JSON in a file; or what keeps it from being read.
pub(super) fn file(path: &Path) -> std::result::Result<Value, String> {
    let bytes = open(path).and_then(|file| bounded(file, LONGEST_DATA));
    let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} is no JSON: {error}", path.display()))
}

/// Data from the command line; without any, what lies beside the sequence.
pub(super) fn data_or_example(given: Option<&str>, sequence: &Path) -> Result<Value> {
    if given.is_some() { data(given) } else { example(sequence) }
}

/// The data that lies beside a sequence, if there is some.
fn example(sequence: &Path) -> Result<Value> {
    let beside = sequence.with_extension("data.json");
    if !beside.is_file() {
        return Ok(Value::Null);
    }
    talk(&format!("{DIM}the data is {}; --data takes other{DIM:#}", beside.display()));
    data(Some(&format!("@{}", beside.display())))
}

/// A sequence that has passed the check. Warnings are told.
pub(super) fn checked(source: &Source, kinds: &[Kind]) -> Result<Sequence> {
    let Checked { sequence, diagnostics } = source.check(kinds);
    let Some(sequence) = sequence else {
        return Err(Failure::sequence(&diagnostics, &source.file, &source.text()));
    };
    if !diagnostics.is_empty() {
        talk(&rendered(&diagnostics, &source.file, &source.text()));
    }
    Ok(sequence)
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}
