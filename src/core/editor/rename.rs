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
         with a letter"
    )]
    NoId(String),
    /// Another step has it.
    #[error("there is a step `{0}` already")]
    Taken(String),
}

/// The bytes in a source that say `id`, where the step `id` may be called `new`.
///
/// # Errors
/// It may not.
pub fn renamed(page: &Page<'_>, id: &str, new: &str) -> Result<Vec<Range<usize>>, Refused> {
    if !is_id(new) || new == "end" {
        return Err(Refused::NoId(new.chars().take(100).collect()));
    }
    if new != id && ids(page).iter().any(|other| other == new) {
        return Err(Refused::Taken(new.to_owned()));
    }
    Ok(named(page).into_iter().filter(|name| name.id == id).map(|name| name.span).collect())
}
