//! The heaviest way through a graph.
//!
//! Promises: no way weighs more than what comes out, and the way that comes out leads there.
//! In proportion to the graph, however its loops lie in each other.
//!
//! How: a jump with a bound is taken so many times in the whole life of a process, not in each
//! round of a loop around it. Cut at these jumps, a way inside a component falls into a first
//! piece, and one more for each jump that was taken. Without these jumps a component has no
//! loop, or one without any bound; so the heaviest piece from each step to the next jump
//! (`back`), and to where the component is left (`exit`), are found by going through the
//! steps once. A way of the component then weighs at most its first piece, the heaviest piece
//! of every jump as often as that may be taken, and for the last of them the piece that leaves
//! instead.

use std::collections::BTreeSet;

use rungs_runners::{Rest, Stay};

use super::{
    Most, Round, Since, Way,
    graph::{Edge, Graph},
    weight::{Cause, Weight},
};
use crate::Sequence;

/// The heaviest way, by the positions of its steps.
pub(super) struct Heaviest {
    pub weight: Weight,
    steps: Vec<usize>,
    rounds: Vec<(usize, usize, u32)>,
    ends: bool,
}

/// The heaviest piece from a node on, and the edge by which it leaves the node's loop.
#[derive(Debug, Clone, Copy)]
struct Piece {
    weight: Weight,
    by: Option<(usize, usize)>,
}

/// The jumps inside a component.
#[derive(Debug, Clone, Copy)]
struct Rounds {
    /// What they weigh together: the piece after the last of them leads out.
    weight: Weight,
    /// Where the last one lands.
    last: usize,
}

/// A graph with its components: the same for whatever is weighed.
pub(super) struct Shape {
    graph: Graph,
    /// Components over all edges, and those over edges without a bound.
    outer: Vec<usize>,
    inner: Vec<usize>,
}

impl Shape {
    pub fn of(graph: Graph) -> Self {
        let outer = graph.components(|_| true);
        let inner = graph.components(|edge| edge.times.is_none());
        Self { graph, outer, inner }
    }
}

struct Walk<'g> {
    graph: &'g Graph,
    weights: &'g [Weight],
    outer: &'g [usize],
    inner: &'g [usize],
    /// To the next jump with a bound in the same component.
    back: Vec<Option<Piece>>,
    /// Past all jumps with a bound in the same component.
    exit: Vec<Option<Piece>>,
    /// From a node to wherever a process ends; true if its rounds are worth it.
    total: Vec<(Weight, bool)>,
    /// By component.
    rounds: Vec<Option<Rounds>>,
}

/// The heaviest way from the first step, where each stay at a step weighs as much.
pub(super) fn most(shape: &Shape, weights: &[Weight]) -> Heaviest {
    let Shape { graph, outer, inner } = shape;
    let mut walk = Walk::of(graph, weights, outer, inner);
    walk.fill();
    walk.way()
}

/// How much the heaviest way weighs, from whichever node.
pub(super) fn from_anywhere(shape: &Shape, weights: &[Weight]) -> Weight {
    let Shape { graph, outer, inner } = shape;
    let mut walk = Walk::of(graph, weights, outer, inner);
    walk.fill();
    let totals = walk.total.iter().map(|(total, _)| *total);
    totals.fold(Weight::ZERO, |most, total| if total.exceeds(most) { total } else { most })
}

/// Without a bound because of a step, by a way that nobody knows.
pub(super) fn endless(step: usize) -> Heaviest {
    let weight = Weight::endless(step);
    Heaviest { weight, steps: vec![step], rounds: Vec::new(), ends: false }
}

impl<'g> Walk<'g> {
    fn of(graph: &'g Graph, weights: &'g [Weight], outer: &'g [usize], inner: &'g [usize]) -> Self {
        let count = graph.edges.len();
        Self {
            graph,
            weights,
            outer,
            inner,
            back: vec![None; count],
            exit: vec![None; count],
            total: vec![(Weight::ZERO, false); count],
            rounds: vec![None; count],
        }
    }
}

impl Walk<'_> {
    /// Goes through all components, those first that others lead to.
    fn fill(&mut self) {
        let mut order: Vec<usize> = (0..self.graph.edges.len()).collect();
        order.sort_by_key(|node| (self.outer.get(*node), self.inner.get(*node)));
        let (outer, inner) = (self.outer, self.inner);
        for component in order.chunk_by(|a, b| outer.get(*a) == outer.get(*b)) {
            for ring in component.chunk_by(|a, b| inner.get(*a) == inner.get(*b)) {
                self.piece(ring);
            }
            self.turn(component);
            for node in component {
                let total = self.from(*node);
                put(&mut self.total, *node, total);
            }
        }
    }

    /// The pieces from the nodes of a ring: one node, or a loop without a bound.
    fn piece(&mut self, ring: &[usize]) {
        let (own, is_loop) = self.weigh(ring);
        let (mut back, mut exit): (Option<Piece>, Option<Piece>) = (None, None);
        let is_dead_end = ring.iter().all(|node| self.graph.leads(*node).is_empty());
        for from in ring.iter().copied() {
            for edge in self.graph.leads(from) {
                let by = Some((from, edge.to));
                if !self.is_inside(from, edge.to) {
                    let (weight, _) = at(&self.total, edge.to).unwrap_or((Weight::ZERO, false));
                    heavier(&mut exit, Piece { weight, by });
                } else if edge.times.is_some() {
                    heavier(&mut back, Piece { weight: Weight::ZERO, by });
                } else if at(self.inner, edge.to) != at(self.inner, from) {
                    for (best, of) in [(&mut back, &self.back), (&mut exit, &self.exit)] {
                        if let Some(piece) = at(of, edge.to).flatten() {
                            heavier(best, Piece { by, ..piece });
                        }
                    }
                }
            }
        }
        // Here a process may stay: at the end, or in a loop that nothing makes it leave.
        if is_dead_end || is_loop {
            heavier(&mut exit, Piece { weight: Weight::ZERO, by: None });
        }
        let with_own = |piece: Piece| Piece { weight: own.plus(piece.weight), ..piece };
        for node in ring {
            put(&mut self.back, *node, back.map(with_own));
            put(&mut self.exit, *node, exit.map(with_own));
        }
    }

    /// What a ring weighs, and whether it is a loop without a bound.
    fn weigh(&self, ring: &[usize]) -> (Weight, bool) {
        let each = ring.iter().map(|node| at(self.weights, *node).unwrap_or(Weight::ZERO));
        let own = each.fold(Weight::ZERO, Weight::plus);
        let closing = ring.iter().flat_map(|from| {
            let inside = |edge: &&Edge| {
                edge.times.is_none() && at(self.inner, edge.to) == at(self.inner, *from)
            };
            self.graph.leads(*from).iter().filter(inside).map(|edge| (*from, edge.to))
        });
        // The loop is told by the lowest way that leads up: every loop has one, between steps.
        let is_step = |node: usize| self.graph.step(node).is_some();
        let closing =
            closing.max_by_key(|(from, to)| (is_step(*from) && is_step(*to) && to <= from, *from));
        match closing {
            Some((from, to)) if !own.is_zero() => {
                (Weight { endless: Some(Cause::Loop(from, to)), ..own }, true)
            }
            closing => (own, closing.is_some()),
        }
    }

    /// What the jumps inside a component weigh.
    fn turn(&mut self, component: &[usize]) {
        let mut all = Weight::ZERO;
        let mut last: Option<((bool, i128), Weight, usize)> = None;
        for from in component.iter().copied() {
            for edge in self.graph.leads(from) {
                let Some(times) = edge.times.filter(|_| self.is_inside(from, edge.to)) else {
                    continue;
                };
                let round = at(&self.back, edge.to).flatten().map(|piece| piece.weight);
                let round = round.unwrap_or(Weight::ZERO);
                all = all.plus(round.times(times));
                let Some(Piece { weight: exit, .. }) = at(&self.exit, edge.to).flatten() else {
                    continue;
                };
                // What it makes of it if this jump is the last: perhaps less than a round.
                let gains = (exit.endless.is_some(), signed(exit.finite) - signed(round.finite));
                if last.is_none_or(|(best, ..)| gains > best) {
                    last = Some((gains, exit, edge.to));
                }
            }
        }
        let Some(((_, gains), exit, last)) = last else { return };
        let weight = Weight {
            finite: all.finite.saturating_add_signed(gains),
            endless: all.endless.or(exit.endless),
        };
        let rounds = Rounds { weight, last };
        if let Some(number) = component.first().and_then(|node| at(self.outer, *node)) {
            put(&mut self.rounds, number, Some(rounds));
        }
    }

    /// The heaviest way from a node to wherever a process ends, and whether it goes round.
    fn from(&self, node: usize) -> (Weight, bool) {
        let exit = at(&self.exit, node).flatten().map_or(Weight::ZERO, |piece| piece.weight);
        let rounds = at(self.outer, node).and_then(|number| at(&self.rounds, number)).flatten();
        let back = at(&self.back, node).flatten();
        match back.zip(rounds) {
            Some((first, rounds)) => {
                let round = first.weight.plus(rounds.weight);
                if round.exceeds(exit) { (round, true) } else { (exit, false) }
            }
            None => (exit, false),
        }
    }

    fn is_inside(&self, from: usize, to: usize) -> bool {
        at(self.outer, from) == at(self.outer, to)
    }

    /// The way that weighs as much as was found.
    fn way(&self) -> Heaviest {
        let weight = at(&self.total, 0).map_or(Weight::ZERO, |(weight, _)| weight);
        let mut found = Heaviest { weight, steps: Vec::new(), rounds: Vec::new(), ends: false };
        let mut next = Some(0);
        let mut turned = BTreeSet::new();
        // Each component is gone through once.
        while let Some(node) = next {
            let Some((_, goes_round)) = at(&self.total, node) else { break };
            next = if goes_round {
                self.follow(&self.back, node, &mut found);
                turned.extend(at(self.outer, node));
                let last = at(self.outer, node).and_then(|number| at(&self.rounds, number));
                let last = last.flatten().map(|rounds| rounds.last);
                last.and_then(|last| self.follow(&self.exit, last, &mut found))
            } else {
                self.follow(&self.exit, node, &mut found)
            };
        }
        for (from, edges) in self.graph.edges.iter().enumerate() {
            let is_taken = at(self.outer, from).is_some_and(|number| turned.contains(&number));
            let jumps = edges.iter().filter(|edge| is_taken && self.is_inside(from, edge.to));
            let jumps = jumps.filter_map(|edge| Some((from, edge.to, edge.times?)));
            found.rounds.extend(jumps);
        }
        // The last round is told once.
        let mut seen = vec![false; self.graph.steps];
        found.steps.retain(|step| {
            let is_new = at(&seen, *step) == Some(false);
            put(&mut seen, *step, true);
            is_new
        });
        found
    }

    /// Follows pieces as long as they stay in the component; answers where they leave it.
    fn follow(
        &self,
        pieces: &[Option<Piece>],
        start: usize,
        found: &mut Heaviest,
    ) -> Option<usize> {
        let mut node = start;
        for _ in 0..=self.graph.edges.len() {
            found.steps.extend(self.graph.step(node));
            found.ends |= node == self.graph.end();
            let (from, to) = at(pieces, node).flatten()?.by?;
            if from != node {
                found.steps.extend(self.graph.step(from));
            }
            if !self.is_inside(from, to) {
                return Some(to);
            }
            let jumps = |edge: &&Edge| edge.to == to && edge.times.is_some();
            if self.graph.leads(from).iter().any(|edge| jumps(&edge)) {
                return None;
            }
            node = to;
        }
        None
    }
}

impl Heaviest {
    /// The same by the names of the steps.
    pub fn named(self, sequence: &Sequence, stays: &[Stay]) -> Most {
        let id = |at: usize| sequence.steps.get(at).map_or("?", |step| step.id.as_str());
        let since = self.weight.endless.map(|cause| match cause {
            Cause::Step(step) => Since { step: id(step).to_owned(), does: does(stays.get(step)) },
            Cause::Quiet(step) => Since {
                step: id(step).to_owned(),
                does: super::quiet::does(sequence.steps.get(step)),
            },
            Cause::Loop(from, to) => Since {
                step: id(from).to_owned(),
                does: format!("leads back to `{}` without a bound", id(to)),
            },
        });
        let way = Way {
            steps: self.steps.into_iter().map(|step| id(step).to_owned()).collect(),
            rounds: self
                .rounds
                .into_iter()
                .map(|(from, to, times)| Round {
                    from: id(from).to_owned(),
                    to: id(to).to_owned(),
                    times,
                })
                .collect(),
            ends: self.ends,
        };
        let most = since.is_none().then(|| u64::try_from(self.weight.finite).unwrap_or(u64::MAX));
        Most { most, since, way }
    }
}

fn does(stay: Option<&Stay>) -> String {
    match stay {
        Some(Stay { rest: Rest::Unbounded { since, .. }, .. }) => since.clone().into_owned(),
        _ => "may send any number of messages".to_owned(),
    }
}

/// Weights are sums of a thousand products of 64 and 32 bits at most.
fn signed(finite: u128) -> i128 {
    i128::try_from(finite).unwrap_or(i128::MAX)
}

fn heavier(best: &mut Option<Piece>, piece: Piece) {
    if best.is_none_or(|best| piece.weight.exceeds(best.weight)) {
        *best = Some(piece);
    }
}

fn at<T: Copy>(list: &[T], place: usize) -> Option<T> {
    list.get(place).copied()
}

fn put<T>(list: &mut [T], place: usize, value: T) {
    if let Some(there) = list.get_mut(place) {
        *there = value;
    }
}
