//! What to write instead, where the check knows.

use std::ops::Range;

use crate::Diagnostic;

/// A change that was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, for people.
    pub title: String,
    /// The bytes that give way.
    pub span: Range<usize>,
    /// To what.
    pub text: String,
}

/// What the help of a diagnostic suggests, as a change. Whether that is all it takes is for
/// another check.
pub fn fix(source: &str, diagnostic: &Diagnostic) -> Option<Fix> {
    let help = diagnostic.help.as_deref()?;
    let written = source.get(diagnostic.span.clone())?;
    if diagnostic.code == "unquoted-template" {
        return Some(replace(diagnostic.span.clone(), help));
    }
    for lead in ["write it in quotes: ", "write it without quotes: "] {
        if let Some(text) = help.strip_prefix(lead) {
            return Some(replace(diagnostic.span.clone(), text));
        }
    }
    let meant = between(help, "did you mean `", "`?")?;
    let word = wrong_word(diagnostic, written)?;
    let at = written.rfind(word)?;
    let start = diagnostic.span.start + at;
    Some(replace(start..start + word.len(), meant))
}

/// The word in `written` that is to give way: all of it, or the part that the message names.
fn wrong_word<'w>(diagnostic: &Diagnostic, written: &'w str) -> Option<&'w str> {
    let bare = written.trim_matches(['"', '\'']);
    let message = diagnostic.message.as_str();
    let is_told = |word: &str| message.contains(&format!("`{word}`"));
    if diagnostic.code == "unknown-variable" {
        let named = message.rsplit_once('`')?.0.rsplit_once('`')?.1;
        return bare.split('.').find(|part| *part == named);
    }
    let is_one = is_told(bare) || message.contains(&format!("the text `{bare}`"));
    (is_one && !bare.is_empty() && !bare.contains('\n')).then_some(bare)
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(word, _)| word)
}

fn replace(span: Range<usize>, text: &str) -> Fix {
    Fix { title: format!("Write {text}"), span, text: text.to_owned() }
}
