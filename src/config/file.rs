//! The file that settings are read from, and what is said of one that is wrong.

use std::{collections::HashMap, fs::File, io::Read, path::Path};

use super::{Misconfigured, SETTINGS, Setting};

/// Bytes of such a file at most.
const MOST_BYTES: u64 = 1024 * 1024;

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, Misconfigured> {
    let wrong = |why: String| Misconfigured(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = String::new();
    // A pipe or a device may have no end.
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    match read.map_err(|error| wrong(error.to_string()))? as u64 {
        bytes if bytes > MOST_BYTES => Err(wrong(format!("more than {MOST_BYTES} bytes"))),
        _ => Ok(text),
    }
}

/// What is wrong with a setting: named as it was given, in the environment or in the file.
pub(super) fn wrong(
    error: &serde_path_to_error::Error<toml::de::Error>,
    file: Option<&str>,
    environment: &HashMap<&'static str, String>,
) -> Misconfigured {
    let (path, message) = (error.path().to_string(), error.inner().message());
    let is_given = |setting: &&Setting| {
        setting.key == path && environment.get(setting.env).is_some_and(|text| !text.is_empty())
    };
    Misconfigured(match (SETTINGS.iter().find(is_given), file) {
        (Some(setting), _) => format!("{}: {message}", setting.env),
        (None, Some(file)) if path != "." => format!("{file}: `{path}`: {message}"),
        (None, Some(file)) => format!("{file}: {message}"),
        (None, None) => format!("configuration: {path}: {message}"),
    })
}
