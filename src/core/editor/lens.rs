//! What a sequence amounts to, and can come to, above its first line.

use std::ops::Range;

use super::Page;
use crate::{Sequence, bounds};

/// A line that an editor shows above others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lens {
    /// The bytes it is about.
    pub span: Range<usize>,
    /// What it says.
    pub title: String,
}

/// What is known of a sequence that has passed the check.
pub fn lens(page: &Page<'_>, sequence: &Sequence) -> Vec<Lens> {
    let Some(entry) = page.outline.entry("sequence") else { return Vec::new() };
    let bounds = bounds(sequence).sentences();
    let bounds = bounds.into_iter().map(|(what, said)| format!("{what}: {said}"));
    let titles = std::iter::once(amounts_to(sequence)).chain(bounds);
    titles.map(|title| Lens { span: entry.key_span.clone(), title }).collect()
}

/// In one line: how many steps, and by what they reach somebody.
fn amounts_to(sequence: &Sequence) -> String {
    let steps = sequence.steps.len();
    let mut title = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
    match sequence.goals.len() {
        0 => {}
        1 => title += ", 1 goal",
        goals => title = format!("{title}, {goals} goals"),
    }
    let mut ways: Vec<(&str, usize)> = Vec::new();
    for step in sequence.steps.iter().filter(|step| step.kind.disturbs && !step.kind.asks) {
        match ways.iter_mut().find(|(name, _)| *name == step.kind.name) {
            Some((_, count)) => *count += 1,
            None => ways.push((step.kind.name, 1)),
        }
    }
    if ways.is_empty() {
        return title + ", reaches nobody";
    }
    let ways: Vec<String> = ways
        .into_iter()
        .map(|(name, count)| if count == 1 { name.to_owned() } else { format!("{count} {name}") })
        .collect();
    format!("{title}, reaches people by {}", ways.join(", "))
}
