//! Loops that are never left.
//!
//! Promises: no false warning. A loop counts only if no way leads out of it, no goal lies ahead
//! of a step in it, and no step in it may end the process, or fail it when nobody can be
//! reached: then only `rungs stop` ends it, whatever happens.

use rungs_runners::{Rest, hours::Calendars};

use super::{Draft, Report, Way, Ways, name};
use crate::{
    Diagnostic,
    bounds::graph::{Edge, Graph},
    sequence::Target,
};

/// Steps of a loop that are named.
const NAMED: usize = 12;

/// Warns of each loop that is never left. `fails`: unless a step says otherwise, it fails the
/// process when nobody can be reached.
pub(super) fn check(
    steps: &[Option<Draft<'_>>],
    ways: &[Ways],
    reached: &[bool],
    fails: bool,
    report: &mut Report<'_>,
) {
    let Some(graph) = graph(steps, ways, fails) else { return };
    let components = graph.components(|_| true);
    let count = components.iter().max().map_or(0, |most| most + 1);
    let (mut members, mut is_left) = (vec![Vec::new(); count], vec![false; count]);
    for (from, number) in components.iter().copied().enumerate() {
        let leads = graph.leads(from);
        // A step alone is a loop only if it leads to itself.
        let leaves = |edge: &Edge| components.get(edge.to) != Some(&number);
        if let (Some(members), Some(is_left)) = (members.get_mut(number), is_left.get_mut(number)) {
            members.push(from);
            *is_left |= leads.is_empty() || leads.iter().any(leaves);
        }
    }
    let loops = members.iter().zip(is_left).filter(|(_, is_left)| !is_left);
    for (ring, _) in loops {
        let ends = |at: &usize| {
            let step = steps.get(*at).and_then(Option::as_ref);
            let prepared = step.and_then(|step| step.prepared.as_ref());
            prepared.is_none_or(|prepared| prepared.stay(None, &Calendars::new()).ends)
        };
        if ring.iter().all(|at| reached.get(*at) == Some(&true)) && !ring.iter().any(ends) {
            tell(steps, ring, report);
        }
    }
}

/// The steps, and behind them the end; `None` if nobody knows where one leads.
fn graph(steps: &[Option<Draft<'_>>], ways: &[Ways], fails: bool) -> Option<Graph> {
    let end = steps.len();
    let last_goal = steps
        .iter()
        .rposition(|step| step.as_ref().and_then(|step| step.kind).is_some_and(|kind| kind.goal));
    let mut edges = Vec::with_capacity(end + 1);
    for (at, (step, ways)) in steps.iter().zip(ways).enumerate() {
        let step = step.as_ref().filter(|_| !ways.anywhere)?;
        let named = [ways.next, ways.alt_next, ways.jump.map(|(way, _)| way)];
        let mut leads = Vec::new();
        for way in named.into_iter().flatten() {
            leads.push(match way {
                Way::To(Target::Step(position)) => position,
                Way::To(Target::End) => end,
                Way::Unknown => return None,
            });
        }
        // What Rungs does itself does not fail for ever.
        let is_act = step
            .prepared
            .as_ref()
            .is_some_and(|prepared| prepared.stay(None, &Calendars::new()).rest == Rest::Act);
        let fails = step.kind.is_none_or(|kind| {
            (kind.asks && !is_act)
                || (kind.delivers && !kind.asks && step.delivering.fail_on_failure.unwrap_or(fails))
        });
        if fails || last_goal.is_some_and(|goal| at < goal) {
            leads.push(end);
        }
        edges.push(leads.into_iter().map(|to| Edge { to, times: None }).collect());
    }
    edges.push(Vec::new());
    Some(Graph { steps: end, edges })
}

fn tell(steps: &[Option<Draft<'_>>], ring: &[usize], report: &mut Report<'_>) {
    let step = |at: &usize| steps.get(*at).and_then(Option::as_ref);
    let Some(last) = ring.last().and_then(step) else { return };
    let place = last.id.as_ref().map_or_else(|| last.at.place(), |id| id.place.clone());
    let mut names: Vec<&str> = ring.iter().take(NAMED).map(|at| name(step(at))).collect();
    if ring.len() > NAMED {
        names.push("...");
    }
    let message = format!("this loop is never left: {}", names.join(", "));
    report.add(
        Diagnostic::warning("endless-loop", place, message).help(
            "only `rungs stop` ends it; let a step lead out of it, put a goal below it, or give its \
             GoTo `times`"
                .to_owned(),
        ),
    );
}
