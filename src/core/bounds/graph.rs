//! The steps of a sequence as a graph that can be walked by numbers.
//!
//! Promises: every way that a process can take is a way in it; some ways in it no process
//! takes, such as leaving a `GoTo` before it has jumped as often as it may.

use rungs_runners::{AltNext, Stay};

use crate::{Sequence, Target};

/// Where an edge leads, and how often it may be taken, where that has a bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub to: usize,
    pub times: Option<u32>,
}

/// Steps by their position; behind them, for each step, "pulled from above this one"; last, the
/// end.
pub(crate) struct Graph {
    /// How many steps there are.
    pub steps: usize,
    /// Where each leads.
    pub edges: Vec<Vec<Edge>>,
}

impl Graph {
    /// With `pulls`, an achieved goal pulls a process down; without, none is ever achieved.
    pub fn of(sequence: &Sequence, stays: &[Stay], pulls: bool) -> Self {
        let steps = sequence.steps.len();
        let mut graph = Self { steps, edges: vec![Vec::new(); 2 * steps + 1] };
        for (at, stay) in stays.iter().enumerate() {
            graph.lead_on(sequence, at, stay, pulls);
        }
        if pulls {
            graph.pull_down(&sequence.goals);
        }
        graph
    }

    /// The end.
    pub fn end(&self) -> usize {
        2 * self.steps
    }

    /// The step that a node is.
    pub fn step(&self, node: usize) -> Option<usize> {
        (node < self.steps).then_some(node)
    }

    /// Where a node leads.
    pub fn leads(&self, node: usize) -> &[Edge] {
        self.edges.get(node).map_or(&[], Vec::as_slice)
    }

    fn lead_on(&mut self, sequence: &Sequence, at: usize, stay: &Stay, pulls: bool) {
        let Some(step) = sequence.steps.get(at) else { return };
        let jump = step.config.jump();
        let always = jump.is_some_and(|jump| jump.always);
        if let Some(jump) = jump {
            let to = sequence.position(jump.to).unwrap_or(self.end());
            let times = stay.jumps.filter(|_| !always);
            if times != Some(0) {
                self.connect(at, to, times);
            }
        }
        // A goal that ends the process leads on only if it is achieved.
        let ends_here = step.kind.goal && stay.ends && !pulls;
        if !always && !ends_here {
            self.connect(at, self.node(step.next), None);
        }
        if let Some(alt_next) = step.alt_next.filter(|_| step.kind.alt_next != AltNext::Never) {
            self.connect(at, self.node(alt_next), None);
        }
        if stay.ends {
            self.connect(at, self.end(), None);
        }
    }

    /// From each step to the goals below it, by a chain, since there may be many of both.
    fn pull_down(&mut self, goals: &[usize]) {
        for at in 0..self.steps {
            let below = self.steps + at + 1;
            if below < self.end() {
                self.connect(at, below, None);
                self.connect(self.steps + at, below, None);
            }
        }
        for goal in goals {
            self.connect(self.steps + goal, *goal, None);
        }
    }

    fn node(&self, target: Target) -> usize {
        match target {
            Target::Step(position) => position,
            Target::End => self.end(),
        }
    }

    fn connect(&mut self, from: usize, to: usize, times: Option<u32>) {
        if let Some(edges) = self.edges.get_mut(from) {
            edges.push(Edge { to, times });
        }
    }

    /// The number of each node's component: nodes are in one if each leads to the other over
    /// edges that are `followed`. What a component leads to has a lower number (Tarjan).
    pub fn components(&self, followed: impl Fn(&Edge) -> bool) -> Vec<usize> {
        const NEW: usize = usize::MAX;
        let count = self.edges.len();
        let (mut index, mut low, mut component) =
            (vec![NEW; count], vec![NEW; count], vec![NEW; count]);
        let (mut open, mut counted, mut found) = (Vec::new(), 0, 0);
        for root in 0..count {
            if index.get(root) != Some(&NEW) {
                continue;
            }
            // By hand, because a way may be as long as the sequence.
            let mut calls = vec![(root, 0_usize)];
            while let Some((node, next)) = calls.pop() {
                if next == 0 {
                    set(&mut index, node, counted);
                    set(&mut low, node, counted);
                    counted += 1;
                    open.push(node);
                }
                let edge = self.leads(node).get(next);
                let Some(edge) = edge else {
                    let mine = get(&low, node);
                    if mine == get(&index, node) {
                        while let Some(member) = open.pop() {
                            set(&mut component, member, found);
                            if member == node {
                                break;
                            }
                        }
                        found += 1;
                    }
                    if let Some((above, _)) = calls.last() {
                        let least = get(&low, *above).min(mine);
                        set(&mut low, *above, least);
                    }
                    continue;
                };
                calls.push((node, next + 1));
                if !followed(edge) {
                    continue;
                }
                if get(&index, edge.to) == NEW {
                    calls.push((edge.to, 0));
                } else if get(&component, edge.to) == NEW {
                    let least = get(&low, node).min(get(&index, edge.to));
                    set(&mut low, node, least);
                }
            }
        }
        component
    }
}

fn get(numbers: &[usize], at: usize) -> usize {
    numbers.get(at).copied().unwrap_or(usize::MAX)
}

fn set(numbers: &mut [usize], at: usize, number: usize) {
    if let Some(place) = numbers.get_mut(at) {
        *place = number;
    }
}
