//! A step by another name, wherever it is named.

use std::ops::Range;

use super::{Page, complete::ids, names::named};
use crate::check::is_id;

/// Why a step cannot have that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It could not be the id of any step.
    #[error(
        "`{0}` cannot be the id of a step: up to 100 letters, digits, `-` and `_`, beginning \
         with a letter, and no word such as `end` or `true`"
    )]
    NoId(String),
    /// A JSONPath names the step in a form that has no room for a `-`.
    #[error("write `$.steps['...']` where a JSONPath names this step: `$.steps.{0}` is none")]
    InJsonPath(String),
    /// Another step has it.
    #[error("there is a step `{0}` already")]
    Taken(String),
}

/// The bytes in a source that say `id`, where the step `id` may be called `new`.
///
/// # Errors
/// It may not.
pub fn renamed(page: &Page<'_>, id: &str, new: &str) -> Result<Vec<Range<usize>>, Refused> {
    // In YAML some words are no text, and in a fragment one of them is the way out.
    let is_other = ["end", "altNext", "true", "false", "null"].contains(&new);
    if !is_id(new) || is_other {
        return Err(Refused::NoId(new.chars().take(100).collect()));
    }
    if new != id && ids(page).iter().any(|other| other == new) {
        return Err(Refused::Taken(new.to_owned()));
    }
    let names: Vec<_> = named(page).into_iter().filter(|name| name.id == id).collect();
    let is_short = |span: &Range<usize>| {
        let before = page.source.get(..span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        // It begins at a `$`, and neither in a template nor in another value.
        let path = line.rfind('$').and_then(|at| line.get(at..));
        let is_one = path.is_some_and(|path| !path.contains([',', '{', '}']));
        is_one && line.trim_end().ends_with('.')
    };
    // A JSONPath takes such a name in brackets only.
    if new.contains('-') && names.iter().any(|name| is_short(&name.span)) {
        return Err(Refused::InJsonPath(new.to_owned()));
    }
    Ok(names.into_iter().map(|name| name.span).collect())
}
