//! A condition's answer as a clause for the history:
//! `order.status is "new", not eq "confirmed"`.

use std::io::{self, Write};

use serde_json::Value;

use crate::lodash::LodashCommand;

/// Bytes that a value may take in a clause.
const MOST_OF_VALUE: usize = 80;
/// Bytes that a clause may take.
const MOST: usize = 400;

/// An operand: the path it was found at, empty if it stands there itself, and what it is.
type Named<'a> = (&'a str, Option<&'a Value>);

pub(super) fn of(
    command: LodashCommand,
    holds: bool,
    left: Named<'_>,
    right: Option<Named<'_>>,
) -> String {
    let (left_name, left) = left;
    let left =
        if left_name.is_empty() { json(left) } else { format!("{left_name} is {}", json(left)) };
    let not = if holds { "" } else { "not " };
    match right {
        None => format!("{left}, {not}{command}"),
        Some(("", right)) => format!("{left}, {not}{command} {}", json(right)),
        Some((name, right)) => format!("{left}, {not}{command} {name} ({})", json(right)),
    }
}

/// A clause, cut where it becomes too long to read.
pub(super) fn clip(mut clause: String) -> String {
    if clause.len() > MOST {
        clause.truncate(clause.floor_char_boundary(MOST));
        clause.push('…');
    }
    clause
}

/// A value as JSON. Of a long one the beginning is written, and no more than that.
pub(super) fn json(value: Option<&Value>) -> String {
    let Some(value) = value else { return "missing".into() };
    let mut beginning = Beginning(Vec::new());
    let whole = serde_json::to_writer(&mut beginning, value).is_ok();
    let mut text = match String::from_utf8(beginning.0) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned()
        }
    };
    if !whole {
        text.push('…');
    }
    text
}

/// Takes the first [`MOST_OF_VALUE`] bytes, then fails, so that nobody writes on in vain.
struct Beginning(Vec<u8>);

impl Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MOST_OF_VALUE.saturating_sub(self.0.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.0.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
