//! What a step, or the sequence's `defaults`, says of deliveries: `onFailure`, `retry`,
//! `inDoubt` and `lateness: { most, then }`.

use super::{at::At, report::Report, retry, suggest};
use crate::{Diagnostic, Lateness, Remedy, Retry};

/// The keys.
pub(super) const KEYS: [&str; 4] = ["onFailure", "retry", "inDoubt", "lateness"];

/// What is said; what is not said is `None`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delivering {
    /// `onFailure: fail`.
    pub fail_on_failure: Option<bool>,
    /// `retry`.
    pub retry: Option<Retry>,
    /// `inDoubt`.
    pub in_doubt: Option<Remedy>,
    /// `lateness`.
    pub lateness: Option<Lateness>,
}

impl Delivering {
    /// What a step says, and where it says nothing, what its sequence says.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        Self {
            fail_on_failure: self.fail_on_failure.or(defaults.fail_on_failure),
            retry: self.retry.or(defaults.retry),
            in_doubt: self.in_doubt.or(defaults.in_doubt),
            lateness: self.lateness.or(defaults.lateness),
        }
    }
}

/// `defaults:` of a sequence.
pub(super) fn defaults(at: &At<'_>, report: &mut Report<'_>) -> Delivering {
    if !at.is_mapping(report) {
        return Delivering::default();
    }
    at.refuse_unknown_keys(&KEYS, |_| None, report);
    read(at, report)
}

/// Reads the keys under `at`.
pub(super) fn read(at: &At<'_>, report: &mut Report<'_>) -> Delivering {
    const ON_FAILURE: [(&str, bool); 2] = [("fail", true), ("continue", false)];
    const IN_DOUBT: [(&str, Remedy); 3] =
        [("repeat", Remedy::Send), ("skip", Remedy::Skip), ("fail", Remedy::Fail)];
    Delivering {
        fail_on_failure: at.field("onFailure").and_then(|at| one_of(&at, &ON_FAILURE, report)),
        retry: at.field("retry").and_then(|at| retry::read(&at, report)),
        in_doubt: at.field("inDoubt").and_then(|at| one_of(&at, &IN_DOUBT, report)),
        lateness: at.field("lateness").and_then(|at| lateness(&at, report)),
    }
}

fn lateness(at: &At<'_>, report: &mut Report<'_>) -> Option<Lateness> {
    const THEN: [(&str, Remedy); 3] =
        [("send", Remedy::Send), ("skip", Remedy::Skip), ("fail", Remedy::Fail)];
    if !at.is_mapping(report) {
        return None;
    }
    at.refuse_unknown_keys(&["most", "then"], |_| None, report);
    let most = at.required("most", "how late it may leave, such as `most: 1 hour`", report);
    let then = at.required("then", "what then: `send`, `skip` or `fail`", report);
    Some(Lateness {
        most: most.and_then(|most| retry::pause(&most, report))?,
        then: then.and_then(|then| one_of(&then, &THEN, report))?,
    })
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(
    at: &At<'_>,
    words: &[(&str, T)],
    report: &mut Report<'_>,
) -> Option<T> {
    let text = at.text(report)?;
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let names: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let (last, others) = names.split_last()?;
        let expected = format!("{} or {last}", others.join(", "));
        let meant = suggest::nearest(text, words.iter().map(|(word, _)| *word));
        let message = format!("expected {expected}, found {}", at.node.describe());
        report.add(
            Diagnostic::error("not-one-of", at.place(), message)
                .help(meant.map(|meant| format!("did you mean `{meant}`?"))),
        );
    }
    found.map(|(_, value)| *value)
}
