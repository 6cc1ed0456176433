//! When a person is contacted first.
//!
//! Promises: as the bounds do, on ways on which no goal is achieved. A step that may send to
//! somebody nobody knows of counts for the earliest contact and not for the latest.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use rungs_runners::{Rest, Sends, Stay};

use super::{
    FirstContact, Rests, Way,
    graph::{Edge, Graph},
    most::{self, Shape},
    weight::Weight,
};
use crate::Sequence;

/// When a person is contacted first; none if no process comes to a step that does.
pub(super) fn contact(rests: &Rests<'_>, stays: &[Stay]) -> Option<FirstContact> {
    let sequence = rests.sequence;
    let mut graph = Graph::of(sequence, stays, false);
    let sends = |at: usize| stays.get(at).map(|stay| stay.sends);
    let reaches = |at: usize| matches!(sends(at), Some(Sends::One { person: true, .. }));
    let may_reach = |at: usize| reaches(at) || sends(at) == Some(Sends::Unknown);
    let earliest = earliest(&graph, stays, may_reach)?;
    let mut failing = Graph::of(sequence, stays, false);
    let end = failing.end();
    for (step, edges) in sequence.steps.iter().zip(&mut failing.edges) {
        if step.fail_on_failure && (step.kind.may_be_refused || !step.kind.asks) {
            edges.push(Edge { to: end, times: None });
        }
    }
    let nobody = past(&failing, reaches).map(|steps| Way {
        steps: steps.into_iter().map(|at| id(sequence, at)).collect(),
        rounds: Vec::new(),
        ends: true,
    });
    if !keep_ways_to(&mut graph, reaches) {
        let unknown = (0..stays.len()).find(|at| may_reach(*at)).unwrap_or(0);
        let latest = most::endless(unknown).named(sequence, stays);
        return Some(FirstContact { earliest, latest, nobody });
    }
    // What reaches a person is there once its quiet hours let it leave.
    let weigh = |(at, stay): (usize, &Stay)| {
        if reaches(at) { rests.hold(at) } else { rests.weigh(at, stay, false) }
    };
    let weights: Vec<Weight> = stays.iter().enumerate().map(weigh).collect();
    let latest = most::most(&Shape::of(graph), &weights).named(sequence, stays);
    Some(FirstContact { earliest, latest, nobody })
}

fn id(sequence: &Sequence, at: usize) -> String {
    sequence.steps.get(at).map_or_else(String::new, |step| step.id.clone())
}

/// The shortest time from the start to such a step (Dijkstra).
fn earliest(graph: &Graph, stays: &[Stay], reaches: impl Fn(usize) -> bool) -> Option<u64> {
    let mut settled = vec![false; graph.edges.len()];
    let mut open = BinaryHeap::from([Reverse((0_u64, 0_usize))]);
    while let Some(Reverse((came_at, node))) = open.pop() {
        if reaches(node) {
            return Some(came_at);
        }
        match settled.get_mut(node) {
            Some(settled @ false) => *settled = true,
            _ => continue,
        }
        let least = match stays.get(node).map(|stay| &stay.rest) {
            Some(Rest::Within { least, .. } | Rest::Unbounded { least, .. }) => {
                u64::try_from(least.num_milliseconds()).unwrap_or(0)
            }
            Some(Rest::Delivery(_) | Rest::Act) | None => 0,
        };
        let leaves_at = came_at.saturating_add(least);
        open.extend(graph.leads(node).iter().map(|edge| Reverse((leaves_at, edge.to))));
    }
    None
}

/// The shortest way to the end past all such steps.
fn past(graph: &Graph, reaches: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; graph.edges.len()];
    let mut open = VecDeque::from([0]);
    while let Some(node) = open.pop_front() {
        if node == graph.end() {
            let before = |at: &usize| from.get(*at).copied().flatten();
            let mut way: Vec<usize> = std::iter::successors(before(&node), before).collect();
            way.reverse();
            return Some(way);
        }
        if reaches(node) {
            continue;
        }
        for edge in graph.leads(node) {
            if let Some(came @ None) = from.get_mut(edge.to).filter(|_| edge.to != 0) {
                *came = Some(node);
                open.push_back(edge.to);
            }
        }
    }
    None
}

/// Leaves only ways that come to such a step, and ends them there. False if none does.
fn keep_ways_to(graph: &mut Graph, reaches: impl Fn(usize) -> bool) -> bool {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.edges.len()];
    for (from, edges) in graph.edges.iter().enumerate() {
        for edge in edges {
            if let Some(before) = before.get_mut(edge.to) {
                before.push(from);
            }
        }
    }
    let mut leads_there: Vec<bool> = (0..graph.edges.len()).map(&reaches).collect();
    let mut open: Vec<usize> = (0..graph.edges.len()).filter(|at| reaches(*at)).collect();
    while let Some(node) = open.pop() {
        for from in before.get(node).into_iter().flatten() {
            if let Some(leads @ false) = leads_there.get_mut(*from) {
                *leads = true;
                open.push(*from);
            }
        }
    }
    for (from, edges) in graph.edges.iter_mut().enumerate() {
        edges.retain(|edge| !reaches(from) && leads_there.get(edge.to) == Some(&true));
    }
    leads_there.first() == Some(&true)
}
