//! A sequence and the files that it is made of, as one text.
//!
//! ```yaml
//! sequence: order-escalation
//! steps:
//!   - { id: kitchen, run: ./shared/ring-kitchen.yml, config: { ... } }
//! ---
//! file: shared/ring-kitchen.yml
//! text: |
//!   fragment: ring-kitchen
//!   ...
//! ```
//!
//! Promises: the sequence stands first, letter by letter as it was written, so that its lines
//! keep their numbers; the files follow by path. The same sequence with the same files is the
//! same text, and one without files is a sequence as ever. Reading gives back what was packed,
//! but for line ends, which become `\n`.
//! Called by: whoever publishes. What is published, stored, sent and backed up is this text,
//! and the check reads it (see [`crate::check()`]).

use std::{borrow::Cow, fmt::Write};

use serde_json::Value;

use crate::{Files, check};

/// Packs the files that were gathered for a source behind it.
pub fn pack<'s>(source: &'s str, files: &Files) -> Cow<'s, str> {
    let texts = files.texts();
    if texts.is_empty() {
        return Cow::Borrowed(source);
    }
    let mut bundle = source.to_owned();
    for (path, text) in texts {
        if !bundle.ends_with('\n') {
            bundle.push('\n');
        }
        let _ = writeln!(bundle, "---\nfile: {}", scalar(path));
        let text = text.replace("\r\n", "\n");
        match block(&text) {
            Some(block) => {
                let _ = write!(bundle, "text: {block}");
            }
            None => {
                let _ = writeln!(bundle, "text: {}", quoted(&text));
            }
        }
    }
    Cow::Owned(bundle)
}

/// A text as a literal block, if it is one that YAML reads back as it is.
fn block(text: &str) -> Option<String> {
    let is_plain = |c: char| matches!(c, '\n' | '\t') || (!c.is_control() && !is_special(c));
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let begins = body.chars().next().is_some_and(|c| !c.is_whitespace());
    if !begins || body.ends_with('\n') || !text.chars().all(is_plain) {
        return None;
    }
    let mut block = format!("{head}\n");
    for line in body.split('\n') {
        let indent = if line.is_empty() { "" } else { "  " };
        let _ = writeln!(block, "{indent}{line}");
    }
    Some(block)
}

/// Characters that YAML breaks lines at, or does not take as they are.
fn is_special(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn scalar(path: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let begins = path.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && path.chars().all(is_plain) { path.into() } else { quoted(path).into() }
}

fn quoted(text: &str) -> String {
    check::printed(&Value::from(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{File, Wanted};

    fn files(text: &str) -> Files {
        Files::gather("steps: [{ run: ./a.yml }]", |wanted| match wanted {
            Wanted::Fragment(path) => Some(File { path: path.clone(), text: Ok(text.to_owned()) }),
            Wanted::Calendar(_) => None,
        })
    }

    fn read_back(bundle: &str) -> Vec<(String, String)> {
        check::carried(bundle).unwrap_or_else(|said| panic!("{said:#?}\n{bundle}"))
    }

    #[test]
    fn a_sequence_without_files_stays_as_it_is() {
        assert_eq!(pack("sequence: s", &Files::default()), "sequence: s");
    }

    #[test]
    fn files_follow_as_people_would_write_them() {
        let bundle = pack("steps: [{ run: ./a.yml }]", &files("fragment: f\n\nsteps:\r\n  - a\n"));
        assert_eq!(
            bundle,
            "steps: [{ run: ./a.yml }]\n---\nfile: a.yml\ntext: |\n  fragment: f\n\n  steps:\n    - a\n"
        );
    }

    #[test]
    fn whatever_a_file_says_is_read_back() {
        for text in [
            "",
            "\n",
            " a",
            "a",
            "a\n\n",
            "\ta\n",
            "a\u{85}b\n",
            "\u{feff}a\n",
            "---\n",
            "a: |\n  b\n \n",
            "...\n",
            "a\rb",
            "\u{7f}\n",
        ] {
            let bundle = pack("steps: [{ run: ./a.yml }]", &files(text));
            assert_eq!(read_back(&bundle), [("a.yml".to_owned(), text.to_owned())], "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read_back(text in "([ -~üš\n\t]|\r\n){0,60}") {
            let bundle = pack("steps: [{ run: ./a.yml }]", &files(&text));
            let expected = text.replace("\r\n", "\n");
            prop_assert_eq!(read_back(&bundle), [("a.yml".to_owned(), expected)]);
        }
    }
}
