//! The steps as a graph: what is never reached, what never rests, and what never ends.
//!
//! Promises: no false error. A step whose config could not be read may lead anywhere and
//! may rest, so that one mistake is not reported as three.

use super::{
    calendars::Almanac,
    report::Report,
    step::Draft,
    targets::{Way, Ways},
};
use crate::{Diagnostic, sequence::Target};

mod clock;
mod endless;
mod rest;

/// Reports unreachable steps, loops that never rest, and those that are never left. `fails`: a
/// step that reaches nobody fails the process, unless it says otherwise.
pub(super) fn check(
    steps: &[Option<Draft<'_>>],
    ways: &[Ways],
    almanac: &Almanac,
    fails: bool,
    report: &mut Report<'_>,
) {
    let reached = reached(steps, ways);
    unreachable(steps, ways, &reached, report);
    let before = report.len();
    rest::check(steps, ways, &reached, almanac, report);
    // One mistake is told once: what is wrong elsewhere may be what makes the loop.
    if report.len() == before && !report.has_errors() {
        endless::check(steps, ways, &reached, fails, report);
    }
}

/// Which steps a process can come to.
fn reached(steps: &[Option<Draft<'_>>], ways: &[Ways]) -> Vec<bool> {
    // A process starts at the first step, from where every goal ahead can pull it.
    let is_goal = |step: &Option<Draft<'_>>| {
        step.as_ref().is_some_and(|step| step.kind.is_some_and(|kind| kind.goal))
    };
    let mut reached: Vec<bool> =
        steps.iter().enumerate().map(|(at, step)| at == 0 || is_goal(step)).collect();
    let mut open: Vec<usize> =
        (0..steps.len()).filter(|at| reached.get(*at) == Some(&true)).collect();
    while let Some(position) = open.pop() {
        let Some(ways) = ways.get(position) else { continue };
        let leads = [ways.next, ways.alt_next, ways.jump.map(|(way, _)| way)];
        if ways.anywhere || leads.contains(&Some(Way::Unknown)) {
            return vec![true; steps.len()];
        }
        for target in leads.into_iter().flatten().filter_map(step_of) {
            if let Some(seen @ false) = reached.get_mut(target) {
                *seen = true;
                open.push(target);
            }
        }
    }
    reached
}

fn step_of(way: Way) -> Option<usize> {
    match way {
        Way::To(Target::Step(position)) => Some(position),
        Way::To(Target::End) | Way::Unknown => None,
    }
}

/// One report for each run of steps that nothing leads to.
fn unreachable(
    steps: &[Option<Draft<'_>>],
    ways: &[Ways],
    reached: &[bool],
    report: &mut Report<'_>,
) {
    let mut position = 0;
    while position < steps.len() {
        let run = reached.iter().skip(position).take_while(|reached| !**reached).count();
        if let (true, Some(Some(first))) = (run > 0, steps.get(position)) {
            let more = match run {
                1 => String::new(),
                2 => ", nor is the one below it".to_owned(),
                _ => format!(", nor are the {} below it", run - 1),
            };
            let message = format!("step `{}` is never reached{more}", name(Some(first)));
            let place = first.id.as_ref().map_or_else(|| first.at.place(), |id| id.place.clone());
            report.add(Diagnostic::error("unreachable", place, message).help(why(
                steps,
                ways,
                position,
                name(Some(first)),
            )));
        }
        position += run.max(1);
    }
}

/// Why the step above does not lead here.
fn why(
    steps: &[Option<Draft<'_>>],
    ways: &[Ways],
    position: usize,
    name_of: &str,
) -> Option<String> {
    let above = position.checked_sub(1)?;
    let above_name = name(steps.get(above)?.as_ref());
    let does = match ways.get(above)?.jump {
        Some((_, true)) => "always jumps",
        _ => "leads past it",
    };
    Some(format!(
        "`{above_name}` above {does}; name `{name_of}` in a `next` or `altNext`, or take it out"
    ))
}

fn name<'a>(step: Option<&Draft<'a>>) -> &'a str {
    step.and_then(|step| step.id.as_ref()).map_or("?", |id| id.text)
}
