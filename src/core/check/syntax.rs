//! The parser's errors, as one says them to an author.

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use crate::{
    Diagnostic,
    diagnostic::{Lines, Place},
};

/// A syntax error at its place.
pub(super) fn diagnostic(error: &ScanError, source: &str) -> Diagnostic {
    // What is missing at the end is missing behind the last thing that stands there.
    let start = error.marker().byte_offset().unwrap_or_default().min(source.trim_end().len());
    let length = source.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let (message, mut help) = explain(error.kind());
    if holds_bare_template(Lines::of(source).text(error.marker().line())) {
        help = Some("a text with a template in it needs quotes: \"{{name}} …\"");
    }
    let code = match error.kind() {
        ErrorKind::RecursionLimitExceeded => "too-large",
        _ => "yaml",
    };
    Diagnostic::error(code, Place::new("", start..start + length), message)
        .help(help.map(str::to_owned))
}

/// Whether there is a template on this line outside of quotes; YAML takes it for a mapping.
fn holds_bare_template(line: &str) -> bool {
    line.split_once("{{").is_some_and(|(before, _)| {
        ['"', '\''].iter().all(|quote| before.matches(*quote).count() % 2 == 0)
    })
}

/// The errors that people make, in their words; the rest in the parser's.
fn explain(kind: &ErrorKind) -> (String, Option<&'static str>) {
    use ErrorKind as E;
    let (message, help) = match kind {
        E::UnexpectedEofFlowSequence => ("the list that a `[` opened is not closed", "add a `]`"),
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => {
            ("the mapping that a `{` opened is not closed", "add a `}`")
        }
        E::ExpectedFlowMappingSeparator => {
            ("expected a `,` or `}` here", "a text that contains `{`, `}` or `,` needs quotes")
        }
        E::ExpectedFlowSequenceSeparator => {
            ("expected a `,` or `]` here", "a text that contains `[`, `]` or `,` needs quotes")
        }
        E::UnclosedFlowCollection { open } => {
            return (format!("this `{open}` is not closed"), None);
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("a `{open}` cannot be closed by `{close}`"), None);
        }
        E::ExpectedBlockMappingKey | E::ExpectedBlockSequenceEntry | E::InvalidIndentation => (
            "this does not line up with what stands above it",
            "keys of one mapping, and the dashes of one list, begin in the same column",
        ),
        E::MappingValueNotAllowed => (
            "a `:` cannot stand here",
            "a text that contains `: ` needs quotes, and a key must line up with those above it",
        ),
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => {
            ("a list cannot begin here", "put each `-` on a line of its own")
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            ("expected `key: value`", "there is a `:` missing after the key, or a quote around it")
        }
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar => {
            ("a tab cannot indent in YAML", "use spaces")
        }
        E::UnknownAnchor => {
            ("no `&` with this name stands above", "an alias repeats what an anchor named before")
        }
        E::UnclosedQuotedScalar => ("a quote is not closed", "add the closing quote"),
        E::InvalidQuotedScalarIndent => (
            "the quote that was opened above does not go on like this",
            "add the closing quote, or indent the lines it goes over",
        ),
        E::InvalidColonPlacement => {
            ("a `:` cannot stand here", "a `]` or `}` may be missing above, or quotes")
        }
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => (
            "there is something behind the closing quote",
            "put the whole text in quotes; inside '…' a ' is written ''",
        ),
        E::UnknownQuotedScalarEscape => {
            ("there is no such escape", "inside \"…\" a backslash is written \\\\")
        }
        E::UnexpectedCharacter { character } => {
            return (
                format!("a text cannot begin with {}", shown(*character)),
                Some("put it in quotes"),
            );
        }
        E::RecursionLimitExceeded => {
            return ("lists and mappings lie too deep in each other here".into(), None);
        }
        other => return (other.to_string(), None),
    };
    (message.to_owned(), Some(help))
}

fn shown(character: char) -> String {
    if character.is_control() {
        format!("the character U+{:04X}", u32::from(character))
    } else {
        format!("`{character}`")
    }
}
