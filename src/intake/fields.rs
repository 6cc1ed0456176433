//! JSON into fields, with the place of what does not fit.

use serde::{Deserializer, de::DeserializeOwned};
use serde_path_to_error::{Path, Segment};

/// Reads something. What does not fit comes with its JSON pointer.
pub(crate) fn read<'de, T, D>(from: D) -> Result<T, (String, serde_json::Error)>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(from)
        .map_err(|error| (pointer(error.path()), error.into_inner()))
}

fn pointer(path: &Path) -> String {
    path.iter().filter_map(token).fold(String::new(), |pointer, token| pointer + "/" + &token)
}

fn token(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            Some(key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => None,
    }
}
