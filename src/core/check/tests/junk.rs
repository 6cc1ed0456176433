//! Whatever comes in, an answer goes out.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::render;

const VALID: &str = "\
sequence: order-escalation
timezone: \"{{zone}}\"
input: { properties: { zone: { $ref: '#/$defs/a' }, restaurant: {} }, $defs: { a: { enum: [UTC] } } }
steps:
  - &call
    id: ring
    run: Shout
    config: { to: \"{{restaurant.phone}}\", ringFor: 30 }
    altNext: manager
    retry: { attempts: 3, first: 10 seconds }
  - id: manager
    run: Picky
    config: { tree: { all: [{ command: eq, value: { type: get, value: a } }] }, unit: hours }
  - <<: *call
    id: third
  - id: again
    run: GoTo
    config: { step: ring, times: 3 }
";

/// What makes a difference in YAML, in JSON Schema or in a sequence.
const PIECES: [&str; 34] = [
    ":",
    " ",
    "\n",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    "\"",
    "&a ",
    "*a",
    "*call",
    "!t ",
    "|\n",
    ">\n",
    "#",
    "? ",
    "<<: ",
    "---\n",
    "{{",
    "}}",
    "\t",
    "~",
    ".nan",
    "$ref: '#'",
    "end",
    "ring",
    "é",
    "\u{feff}",
    "\r",
    "%",
    "0x9",
];

fn answered(source: &[u8]) -> Result<(), TestCaseError> {
    let checked = check_bytes(source, &kinds());
    let text = String::from_utf8_lossy(source);
    prop_assert_eq!(checked.sequence.is_none(), checked.has_errors());
    for found in &checked.diagnostics {
        prop_assert!(found.line >= 1 && found.column >= 1, "{:?}", found);
        prop_assert!(text.get(found.span.clone()).is_some(), "{:?}", found);
        prop_assert!(!found.message.is_empty() && !found.message.ends_with('.'), "{:?}", found);
        prop_assert!(!render(found, "x", &text, true).is_empty());
    }
    let lines: Vec<usize> = checked.diagnostics.iter().map(|found| found.line).collect();
    prop_assert!(lines.is_sorted() || checked.diagnostics.len() > 100);
    Ok(())
}

proptest! {
    #[test]
    fn random_bytes_are_answered(source in vec(any::<u8>(), 0..300)) {
        answered(&source)?;
    }

    #[test]
    fn random_text_is_answered(source in "\\PC{0,300}") {
        answered(source.as_bytes())?;
    }

    #[test]
    fn random_pieces_of_yaml_are_answered(pieces in vec(select(&PIECES[..]), 0..60)) {
        answered(pieces.concat().as_bytes())?;
    }

    #[test]
    fn a_sequence_that_was_tampered_with_is_answered(
        edits in vec((0..VALID.len(), 0..30_usize, select(&PIECES[..])), 1..6)
    ) {
        let mut source = VALID.to_owned();
        for (at, length, piece) in edits {
            let start = source.floor_char_boundary(at);
            let end = source.floor_char_boundary(start + length);
            source.replace_range(start..end, piece);
        }
        answered(source.as_bytes())?;
    }
}

#[test]
fn the_sequence_that_is_tampered_with_is_in_order() {
    says(VALID, &[]);
}
