//! Files that a source names.

use super::{
    Form, Page,
    path::{Spot, find},
};

/// The file that is named at the byte `at`, as it is written there: it lies beside the source.
pub fn file_at(page: &Page<'_>, at: usize) -> Option<String> {
    let found = find(&page.outline, at);
    let Spot::Value(node) = found.spot else { return None };
    let text = node.text()?;
    let file = match (page.form, &found.words()[..]) {
        (Form::Sequence, ["steps", "*", "run"]) => {
            Some(text).filter(|run| run.contains(['/', '.']))
        }
        (Form::Cases, ["sequence"]) => Some(text),
        (Form::Cases, ["given", "data"] | ["cases", "*", "given", "data"]) => {
            text.strip_prefix('@')
        }
        _ => None,
    };
    file.map(str::to_owned)
}
