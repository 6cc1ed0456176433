//! The steps as a graph: what is never reached, and what never rests.
//!
//! Promises: no false alarm. A step whose config could not be read may lead anywhere and
//! may rest, so that one mistake is not reported as three.

use std::collections::VecDeque;

use super::{
    report::Report,
    step::{Draft, Link},
    targets::{Way, Ways},
};
use crate::{Diagnostic, diagnostic::Place, sequence::Target};

/// Reports unreachable steps, and loops that never rest.
pub(super) fn check(steps: &[Option<Draft<'_>>], ways: &[Ways], report: &mut Report<'_>) {
    let reached = reached(steps, ways);
    unreachable(steps, ways, &reached, report);
    restless(steps, ways, &reached, report);
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

/// Reports each loop of steps without a rest in it, over ways without a bound: a process
/// in it would never come to an end of its cycle.
fn restless(steps: &[Option<Draft<'_>>], ways: &[Ways], reached: &[bool], report: &mut Report<'_>) {
    let runs_on = |position: usize| {
        reached.get(position) == Some(&true)
            && steps.get(position).and_then(Option::as_ref).is_some_and(|step| {
                step.prepared.as_ref().is_some_and(|prepared| !prepared.rests())
            })
    };
    let leads: Vec<Vec<usize>> = ways
        .iter()
        .enumerate()
        .map(|(position, ways)| {
            let jump = ways.jump.filter(|(_, unbounded)| *unbounded).map(|(way, _)| way);
            let leads = [ways.next, ways.alt_next, jump].into_iter().flatten();
            leads.filter_map(step_of).filter(|to| runs_on(position) && runs_on(*to)).collect()
        })
        .collect();
    let mut told = vec![false; steps.len()];
    for start in 0..steps.len() {
        if told.get(start) == Some(&true) {
            continue;
        }
        if let Some(ring) = shortest_ring(start, &leads) {
            for position in &ring {
                if let Some(told) = told.get_mut(*position) {
                    *told = true;
                }
            }
            tell(steps, &ring, report);
        }
    }
}

/// The shortest way from a step back to itself.
fn shortest_ring(start: usize, leads: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; leads.len()];
    let mut open = VecDeque::from([start]);
    while let Some(position) = open.pop_front() {
        for target in leads.get(position)? {
            let came = from.get_mut(*target)?;
            if came.is_none() {
                *came = Some(position);
                open.push_back(*target);
            }
            if *target == start {
                return Some(back(start, &from));
            }
        }
    }
    None
}

fn back(start: usize, from: &[Option<usize>]) -> Vec<usize> {
    let mut ring = vec![start];
    let mut position = start;
    while let Some(Some(before)) = from.get(position) {
        if *before == start {
            break;
        }
        ring.push(*before);
        position = *before;
    }
    if let Some(rest) = ring.get_mut(1..) {
        rest.reverse();
    }
    ring
}

fn tell(steps: &[Option<Draft<'_>>], ring: &[usize], report: &mut Report<'_>) {
    let mut names: Vec<&str> =
        ring.iter().map(|at| name(steps.get(*at).and_then(Option::as_ref))).collect();
    names.extend(names.first().copied());
    let closing = ring.iter().max().and_then(|last| steps.get(*last)?.as_ref());
    let place = closing.map(|step| leading_back(step)).unwrap_or_default();
    report.add(
        Diagnostic::error(
            "restless-loop",
            place,
            format!("this loop never rests: {}", names.join(" -> ")),
        )
        .help("put a wait or a notification into it, or give its GoTo `times`".to_owned()),
    );
}

/// The word in a loop's last step that leads back.
fn leading_back(step: &Draft<'_>) -> Place {
    match (&step.next, &step.alt_next) {
        _ if step.prepared.as_ref().is_some_and(|prepared| prepared.jump().is_some()) => {
            step.jump_place()
        }
        (Link::To(word), _) | (_, Link::To(word)) => word.place.clone(),
        _ => step.at.place(),
    }
}

fn name<'a>(step: Option<&Draft<'a>>) -> &'a str {
    step.and_then(|step| step.id.as_ref()).map_or("?", |id| id.text)
}
