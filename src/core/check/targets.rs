//! Where steps lead: ids and the names that refer to them.

use std::collections::HashMap;

use rungs_runners::AltNext;

use super::{
    node::quoted,
    report::Report,
    step::{Draft, END, Link, Word},
};
use crate::{Diagnostic, sequence::Target};

/// Where a step leads by one of its ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To a step, or to the end.
    To(Target),
    /// It was named wrongly, so nobody knows.
    Unknown,
}

/// All the ways a step leads.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways {
    /// By `next`, unless it always jumps.
    pub next: Option<Way>,
    /// By `altNext`, where it has one of its own.
    pub alt_next: Option<Way>,
    /// By a jump, and whether that has no bound.
    pub jump: Option<(Way, bool)>,
    /// Whether its config could not be read, so that it may lead anywhere.
    pub anywhere: bool,
}

/// Where each id stands. A second step of the same id is reported.
pub(super) fn positions<'a>(
    steps: &[Option<Draft<'a>>],
    report: &mut Report<'_>,
) -> HashMap<&'a str, usize> {
    let mut positions: HashMap<&str, (usize, usize)> = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        let Some(Word { text, place }) = step.as_ref().and_then(|step| step.id.as_ref()) else {
            continue;
        };
        if let Some((_, first)) = positions.get(text) {
            // What stands in a fragment has lines of its own.
            let whose = if text.contains("--") {
                "a step of a fragment bears it".to_owned()
            } else {
                format!("it is on line {}", report.line(*first))
            };
            let message = format!("another step has the id {} already", quoted(text));
            report.add(
                Diagnostic::error("duplicate-id", place.clone(), message)
                    .help(format!("{whose}; each step needs an id of its own")),
            );
        } else {
            positions.insert(text, (position, place.span.start));
        }
    }
    positions.into_iter().map(|(id, (position, _))| (id, position)).collect()
}

/// Follows what every step names. What leads nowhere, or is never taken, is reported.
pub(super) fn ways(
    steps: &[Option<Draft<'_>>],
    positions: &HashMap<&str, usize>,
    report: &mut Report<'_>,
) -> Vec<Ways> {
    let mut ways = Vec::with_capacity(steps.len());
    for (position, step) in steps.iter().enumerate() {
        let below = below(position, steps.len());
        ways.push(match step {
            Some(step) => of(step, below, positions, report),
            None => Ways { anywhere: true, ..Ways::default() },
        });
    }
    ways
}

/// Where a step leads that does not say so.
pub(super) fn below(position: usize, count: usize) -> Target {
    if position + 1 < count { Target::Step(position + 1) } else { Target::End }
}

fn of(
    step: &Draft<'_>,
    below: Target,
    positions: &HashMap<&str, usize>,
    report: &mut Report<'_>,
) -> Ways {
    let next = match &step.next {
        Link::Absent => Way::To(below),
        link => follow(link, positions, report),
    };
    let alt_next = match &step.alt_next {
        Link::Absent => None,
        link => Some(follow(link, positions, report)),
    };
    alt_next_fits(step, report);
    let jump = step.prepared.as_ref().and_then(|prepared| prepared.jump());
    let always = jump.is_some_and(|jump| jump.always);
    let jump = jump.map(|jump| {
        let link = Link::To(Word { text: jump.to, place: step.jump_place() });
        (follow(&link, positions, report), jump.always)
    });
    if let (true, Link::To(word)) = (always, &step.next) {
        let message = "this `next` is never taken, because the step always jumps";
        report.add(
            Diagnostic::error("never-taken", word.place.clone(), message)
                .help("leave it out, or give the jump a bound".to_owned()),
        );
    }
    Ways { next: (!always).then_some(next), alt_next, jump, anywhere: step.prepared.is_none() }
}

fn follow(link: &Link<'_>, positions: &HashMap<&str, usize>, report: &mut Report<'_>) -> Way {
    let Link::To(Word { text, place }) = link else { return Way::Unknown };
    if *text == END {
        return Way::To(Target::End);
    }
    if let Some(position) = positions.get(text) {
        return Way::To(Target::Step(*position));
    }
    let mut known: Vec<(&str, usize)> = positions.iter().map(|(id, at)| (*id, *at)).collect();
    known.sort_by_key(|(_, position)| *position);
    let known = known.into_iter().map(|(id, _)| id).chain([END]);
    let message = format!("there is no step {}", quoted(text));
    report.add(
        Diagnostic::error("unknown-step", place.clone(), message)
            .help(report.suggest(text, "steps", known)),
    );
    Way::Unknown
}

fn alt_next_fits(step: &Draft<'_>, report: &mut Report<'_>) {
    let Some(kind) = step.kind else { return };
    match (kind.alt_next, &step.alt_next) {
        (AltNext::Never, Link::To(_)) => {
            let message = format!("`{}` never takes `altNext`", kind.name);
            report.add(
                Diagnostic::error("never-taken", step.at.place_of_key("altNext"), message)
                    .help("leave it out".to_owned()),
            );
        }
        (AltNext::Optional, Link::To(_))
            if step.prepared.as_ref().is_some_and(|prepared| !prepared.takes_alt_next()) =>
        {
            let message = "this `altNext` is never taken: the step waits without end";
            report.add(
                Diagnostic::warning("never-taken", step.at.place_of_key("altNext"), message)
                    .help("give it a `timeout`, or leave `altNext` out".to_owned()),
            );
        }
        (AltNext::Required, Link::Absent) => {
            let message = format!("`{}` needs an `altNext`", kind.name);
            report.add(
                Diagnostic::error("missing-key", step.at.key_place(), message)
                    .help("without `altNext` both answers would lead to the same step".to_owned()),
            );
        }
        _ => {}
    }
}
