//! Loops in which a process would not rest, or not within the visits of one cycle.
//!
//! A goal stays achieved, and pulls a process down before the step it came to is visited.
//! Whether it really does depends on its condition (one on `steps` may be undone by the way
//! back), so such a loop is a warning, and the others are errors.
//! So a way from a goal back to it, or above it, is a loop whatever rests up there.
//!
//! A wait that is over lets a process by as often as it comes, so it is no rest for a loop that has
//! no others. Of two that go by the clock one may hold when the other does not: such a loop counts
//! for one that rests, unless a moment is found at which both are over.

use std::{cell::Cell, collections::VecDeque};

use rungs_runners::{LetsBy, Prepared};

use super::{Almanac, Draft, Report, Way, Ways, clock, name, step_of};
use crate::{
    Diagnostic,
    advance::MOST_VISITS,
    bounds::{
        self,
        graph::{self, Edge},
    },
    diagnostic::Place,
};

/// Loops of waits that go by the clock which are looked into.
const MOST_LOOKS: usize = 20;
/// The bound of a way that has none.
const ALWAYS: u64 = u64::MAX;

/// Reports each loop of steps without a rest in it that is followed for ever, or for more
/// visits than a cycle may make.
pub(super) fn check(
    steps: &[Option<Draft<'_>>],
    ways: &[Ways],
    reached: &[bool],
    almanac: &Almanac,
    report: &mut Report<'_>,
) {
    let looks = Cell::new(MOST_LOOKS);
    let graph = Graph { steps, ways, reached, almanac, looks };
    // A step is named in one loop only, so that one mistake is told once.
    let mut told = vec![false; steps.len()];
    graph.endless(&mut told, report);
    graph.pulled_down(&mut told, report);
    graph.bounded(&mut told, report);
    graph.let_by(&mut told, report);
    if !told.contains(&true) {
        graph.together(report);
    }
}

struct Graph<'g, 'a> {
    steps: &'g [Option<Draft<'a>>],
    ways: &'g [Ways],
    reached: &'g [bool],
    almanac: &'g Almanac,
    /// How many more loops are looked into for a moment at which all their waits are over.
    looks: Cell<usize>,
}

/// The shortest ways from one step to those that can be come to from it.
struct Paths {
    /// Those steps, the nearest first; the one they all begin at is the first.
    order: Vec<usize>,
    /// From which step each is come to.
    from: Vec<Option<usize>>,
}

impl Graph<'_, '_> {
    /// Loops of steps that do not rest, over ways without a bound.
    fn endless(&self, told: &mut [bool], report: &mut Report<'_>) {
        for start in (0..self.steps.len()).filter(|at| self.runs_on(*at)) {
            if told.get(start) == Some(&true) {
                continue;
            }
            let paths = self.paths(start, ALWAYS, |at| self.runs_on(at));
            let leads_back = |at: usize| self.leads(at).any(|lead| lead == (start, ALWAYS));
            let Some(closing) = paths.order.iter().copied().find(|at| leads_back(*at)) else {
                continue;
            };
            let ring = paths.to(closing);
            tell(told, &ring);
            let after = ring.iter().cycle().skip(1);
            let last = ring.iter().zip(after).max_by_key(|(at, _)| **at);
            let place = last.map(|(at, to)| self.place(*at, *to)).unwrap_or_default();
            let message = format!("this loop never rests: {}", self.names(&ring, start));
            report.add(
                Diagnostic::error("restless-loop", place, message).help(
                    "put a wait or a notification into it, or give its GoTo `times`".to_owned(),
                ),
            );
        }
    }

    /// Loops that an achieved goal makes.
    fn pulled_down(&self, told: &mut [bool], report: &mut Report<'_>) {
        for goal in (0..self.steps.len()).filter(|at| self.is_goal(*at)) {
            let paths = self.paths(goal, ALWAYS, |at| at > goal && self.runs_on(at));
            for closing in paths.order.iter().copied() {
                let Some((to, bound)) = self.leads(closing).find(|(to, _)| *to <= goal) else {
                    continue;
                };
                if told.get(closing) == Some(&true) {
                    continue;
                }
                let ring = paths.to(closing);
                let way = self.names(&ring, to);
                let pulls = match self.name(goal) {
                    goal_name if to == goal => format!("once `{goal_name}` is achieved"),
                    goal_name => {
                        format!("from where the goal `{goal_name}` pulls the process down again")
                    }
                };
                if bound == ALWAYS {
                    let place = self.place(closing, to);
                    let message = format!("this loop never rests: {way}, {pulls}");
                    report.add(
                        Diagnostic::warning("restless-loop", place, message).help(
                            "put a wait below the goal, or write `next: end` on it".to_owned(),
                        ),
                    );
                } else if !self.is_too_long(closing, &ring, &format!("{way}, {pulls}"), report) {
                    continue;
                }
                tell(told, &[closing]);
            }
        }
    }

    /// Loops of steps that do not rest, over a jump with a bound that is too high.
    fn bounded(&self, told: &mut [bool], report: &mut Report<'_>) {
        for jump in (0..self.steps.len()).filter(|at| self.runs_on(*at)) {
            let Some((to, bound)) = self.jump(jump).filter(|(_, bound)| *bound != ALWAYS) else {
                continue;
            };
            if told.get(jump) == Some(&true) || !self.runs_on(to) {
                continue;
            }
            // A jump that is taken more often than this one does not end its loop.
            let paths = self.paths(to, bound, |at| self.runs_on(at));
            if !paths.order.contains(&jump) {
                continue;
            }
            let ring = paths.to(jump);
            if self.is_too_long(jump, &ring, &self.names(&ring, to), report) {
                tell(told, &ring);
            }
        }
    }

    /// Loops that each fit into a cycle, and perhaps not one after the other.
    fn together(&self, report: &mut Report<'_>) {
        let steps = self.steps.len();
        let is_known = |at: &usize| self.ways.get(*at).is_some_and(|ways| !ways.anywhere);
        if !(0..steps).all(|at| is_known(&at)) {
            return;
        }
        let edges = (0..steps).map(|at| {
            let leads = self.leads(at).filter(|_| self.runs_on(at));
            let leads = leads.map(|(to, bound)| Edge { to, times: u32::try_from(bound).ok() });
            // A cycle may end anywhere.
            leads.chain([Edge { to: 2 * steps, times: None }]).collect()
        });
        let mut edges: Vec<Vec<Edge>> = edges.collect();
        edges.resize_with(2 * steps + 1, Vec::new);
        let weights: Vec<u64> = (0..=2 * steps).map(|node| u64::from(node < steps)).collect();
        let Some(visits) = bounds::longest(graph::Graph { steps, edges }, &weights) else { return };
        if visits < MOST_VISITS as u128 {
            return;
        }
        let jumps = (0..steps).filter(|at| self.runs_on(*at));
        let jumps = jumps.filter_map(|at| self.step(at)?.times());
        let place = jumps.max_by_key(|(times, _)| *times).map(|(_, place)| place);
        let message = format!(
            "these loops may visit up to {visits} steps in one cycle, one after the other; the most is {MOST_VISITS}"
        );
        let help = "put a wait or a notification between them, or lower their `times`";
        report.add(
            Diagnostic::warning("restless-loop", place.unwrap_or_default(), message)
                .help(help.to_owned()),
        );
    }

    /// Loops whose only rests are waits that let a process by once they are over.
    fn let_by(&self, told: &mut [bool], report: &mut Report<'_>) {
        for start in (0..self.steps.len()).filter(|at| self.lets_by(*at).is_some()) {
            if told.get(start) == Some(&true) || self.reached.get(start) != Some(&true) {
                continue;
            }
            let Some(ring) = self.round(start) else { continue };
            tell(told, &ring);
            let place = ring.last().map(|closing| self.place(*closing, start)).unwrap_or_default();
            let over = |at: &usize| {
                self.lets_by(*at).map(|over| format!("`{}` {}", self.name(*at), over.says()))
            };
            let over: Vec<String> = ring.iter().filter_map(over).collect();
            let message = format!(
                "once {}, this loop never rests: {}",
                over.join(" and "),
                self.names(&ring, start)
            );
            let help = "put a WaitForDuration or a notification into it, or lead out of it";
            report.add(Diagnostic::warning("restless-loop", place, message).help(help.to_owned()));
        }
    }

    /// The steps from a wait back to it, if those that rest in between may be over together with
    /// it: of two that go by the clock one may hold when the other does not.
    fn round(&self, start: usize) -> Option<Vec<usize>> {
        let by_the_clock = |at: usize| matches!(self.lets_by(at), Some(LetsBy::ByTheClock(_)));
        let lets_by = |at: usize| self.lets_by(at).is_some() && self.reached.get(at) == Some(&true);
        let alone = |at: usize| lets_by(at) && !(by_the_clock(start) && by_the_clock(at));
        let fits = |ring: &[usize]| {
            let clocks: Vec<usize> = ring.iter().copied().filter(|at| by_the_clock(*at)).collect();
            clocks.len() <= 1 || self.are_over_together(&clocks)
        };
        let ring = self.ring(start, |at| self.runs_on(at) || alone(at)).filter(|ring| fits(ring));
        ring.or_else(|| {
            self.ring(start, |at| self.runs_on(at) || lets_by(at)).filter(|ring| fits(ring))
        })
    }

    /// The shortest way from a step back to it.
    fn ring(&self, start: usize, through: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
        let paths = self.paths(start, ALWAYS, through);
        let leads_back = |at: usize| self.leads(at).any(|lead| lead == (start, ALWAYS));
        let closing = paths.order.iter().copied().find(|at| leads_back(*at))?;
        Some(paths.to(closing))
    }

    fn are_over_together(&self, waits: &[usize]) -> bool {
        let left = self.looks.get();
        self.looks.set(left.saturating_sub(1));
        let waits: Vec<&dyn Prepared> =
            waits.iter().filter_map(|at| self.step(*at)?.prepared.as_deref()).collect();
        left > 0 && clock::are_over_together(&waits, self.almanac)
    }

    fn lets_by(&self, position: usize) -> Option<LetsBy> {
        self.step(position)?.prepared.as_ref()?.lets_by()
    }

    /// Reports a loop if its jump is taken too often for one cycle.
    fn is_too_long(&self, jump: usize, ring: &[usize], way: &str, report: &mut Report<'_>) -> bool {
        let Some((times, place)) = self.step(jump).and_then(Draft::times) else { return false };
        let rounds = usize::try_from(times).unwrap_or(usize::MAX).saturating_add(1);
        let visits = rounds.saturating_mul(ring.len());
        if visits < MOST_VISITS {
            return false;
        }
        let message = format!(
            "this loop visits up to {visits} steps in one cycle; the most is {MOST_VISITS}: {way}"
        );
        report.add(
            Diagnostic::error("restless-loop", place, message)
                .help("put a wait or a notification into it, or lower `times`".to_owned()),
        );
        true
    }

    /// The shortest ways from a step to others, by ways whose bound is `least` or higher.
    fn paths(&self, start: usize, least: u64, through: impl Fn(usize) -> bool) -> Paths {
        let mut from = vec![None; self.steps.len()];
        let mut order = vec![start];
        let mut open = VecDeque::from([start]);
        while let Some(position) = open.pop_front() {
            for (to, bound) in self.leads(position) {
                let is_new = to != start && from.get(to) == Some(&None);
                if let (true, Some(came)) =
                    (is_new && bound >= least && through(to), from.get_mut(to))
                {
                    *came = Some(position);
                    order.push(to);
                    open.push_back(to);
                }
            }
        }
        Paths { order, from }
    }

    /// Where a step leads, and how often at most.
    fn leads(&self, position: usize) -> impl Iterator<Item = (usize, u64)> {
        let ways = self.ways.get(position);
        // A wait that is over lets by through its `next`; by `altNext` it has waited.
        let alt_next = ways.filter(|_| self.lets_by(position).is_none());
        let links = [ways.and_then(|ways| ways.next), alt_next.and_then(|ways| ways.alt_next)];
        let links = links.into_iter().flatten().filter_map(step_of).map(|to| (to, ALWAYS));
        links.chain(self.jump(position))
    }

    /// Where a step jumps, and how often at most; a bound that nobody knows is none at all.
    fn jump(&self, position: usize) -> Option<(usize, u64)> {
        let (way, always) = self.ways.get(position)?.jump?;
        let bound = if always { ALWAYS } else { self.step(position)?.times()?.0 };
        Some((step_of(way)?, bound))
    }

    /// Whether a process that comes to a step goes on in the same cycle.
    fn runs_on(&self, position: usize) -> bool {
        let prepared = self.step(position).and_then(|step| step.prepared.as_ref());
        self.reached.get(position) == Some(&true)
            && prepared.is_some_and(|prepared| !prepared.rests())
    }

    fn is_goal(&self, position: usize) -> bool {
        self.step(position).and_then(|step| step.kind).is_some_and(|kind| kind.goal)
    }

    /// The word of a step's that leads to another.
    fn place(&self, position: usize, to: usize) -> Place {
        let (Some(step), Some(ways)) = (self.step(position), self.ways.get(position)) else {
            return Place::default();
        };
        let leads = |way: Option<Way>| way.and_then(step_of) == Some(to);
        let link = match () {
            () if leads(ways.jump.map(|(way, _)| way)) => return step.jump_place(),
            () if leads(ways.next) => &step.next,
            () => &step.alt_next,
        };
        link.place().unwrap_or_else(|| step.at.place())
    }

    fn step(&self, position: usize) -> Option<&Draft<'_>> {
        self.steps.get(position)?.as_ref()
    }

    fn name(&self, position: usize) -> &str {
        name(self.step(position))
    }

    /// `a -> b -> c`.
    fn names(&self, ring: &[usize], to: usize) -> String {
        let names: Vec<&str> = ring.iter().chain([&to]).map(|at| self.name(*at)).collect();
        names.join(" -> ")
    }
}

impl Paths {
    /// The way to one of them, both ends included.
    fn to(&self, position: usize) -> Vec<usize> {
        let before = |at: &usize| self.from.get(*at).copied().flatten();
        let mut way: Vec<usize> = std::iter::successors(Some(position), before).collect();
        way.reverse();
        way
    }
}

fn tell(told: &mut [bool], ring: &[usize]) {
    for position in ring {
        if let Some(told) = told.get_mut(*position) {
            *told = true;
        }
    }
}
