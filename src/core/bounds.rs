//! The bounds of a sequence: when it first reaches a person, how many messages it sends at
//! most, and how long a process of it lives at most.
//!
//! Promises: no bound is ever too low (the earliest contact: never too high), whatever is
//! answered, whatever happens and however the data look. They are exact where the data do not
//! decide and there is one loop at most; loops in each other are counted together, which may
//! give more. Where there is no bound, the step that is the reason is named. Takes time in
//! proportion to the steps.
//! What they count on: Rungs runs and is quick (downtime, a channel's limits, a pause or a
//! `resume` by hand and a provider's `Retry-After` come on top), attempts end within
//! [`LONGEST_ATTEMPT`], and clocks change as they have since 2020. The first contact counts
//! on addresses that are such, and holds for as long as no goal is achieved.
//! Called by: the command line (`check`), what an editor shows above a sequence.

use chrono_tz::Tz;
use rungs_runners::{Rest, Scope, Sends, Stay, Template};
use serde_json::{Map, json};

use crate::Sequence;

mod delivery;
mod first;
pub(crate) mod graph;
mod most;
mod quiet;
#[cfg(test)]
mod tests;
mod weight;
mod words;

pub use delivery::LONGEST_ATTEMPT;
use graph::Graph;
use most::Shape;
use weight::Weight;
pub use words::{duration, spell, spell_most};

/// The bounds of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// When a person is contacted first; none if that never happens.
    pub first_contact: Option<FirstContact>,
    /// Messages of one process.
    pub messages: Most,
    /// Attempts to send them, where they meet trouble.
    pub attempts: Most,
    /// Messages through each channel that the sequence uses, in the order of the steps.
    pub channels: Vec<(&'static str, Most)>,
    /// How long a process lives, in milliseconds.
    pub life: Most,
    /// The same if every message were settled at once: what the waits alone take.
    pub waits: Most,
}

/// When a person is contacted first, counted from the start, for as long as no goal is
/// achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstContact {
    /// Not before that, in milliseconds.
    pub earliest: u64,
    /// Not after that, in milliseconds, if anybody is contacted.
    pub latest: Most,
    /// A way on which a process ends and nobody has been contacted.
    pub nobody: Option<Way>,
}

/// The most there can be of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Most {
    /// So much; none if there is no bound.
    pub most: Option<u64>,
    /// Why there is no bound.
    pub since: Option<Since>,
    /// A way that comes to so much.
    pub way: Way,
}

/// Why there is no bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// Id of the step that is the reason.
    pub step: String,
    /// What it does, as a clause that goes on after its name.
    pub does: String,
}

/// A way through the steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Ids of the steps, in order; each loop is gone through once.
    pub steps: Vec<String>,
    /// The jumps back that are taken on the way.
    pub rounds: Vec<Round>,
    /// Whether it goes on until the process ends.
    pub ends: bool,
}

/// A jump back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Id of the step that jumps.
    pub from: String,
    /// Id of the step it jumps to.
    pub to: String,
    /// How often at most.
    pub times: u32,
}

/// Steps of a way that are named; of a longer one the rest is counted.
const NAMED: usize = 24;

/// Computes the bounds of a sequence.
pub fn bounds(sequence: &Sequence) -> Bounds {
    let stays = stays(sequence);
    let rests = Rests { sequence, holds: quiet::holds(sequence, zone(sequence)) };
    let shape = Shape::of(Graph::of(sequence, &stays, true));
    let most = |weigh: &dyn Fn(usize, &Stay) -> Weight| {
        let weights: Vec<Weight> =
            stays.iter().enumerate().map(|(at, stay)| weigh(at, stay)).collect();
        most::most(&shape, &weights).named(sequence, &stays)
    };
    let messages = |of: Option<&'static str>| {
        most(&|at, stay| match stay.sends {
            Sends::Nothing => Weight::ZERO,
            Sends::One { channel, .. } => Weight::of(of.is_none_or(|of| of == channel).into()),
            Sends::Unknown => Weight::endless(at),
        })
    };
    let life = |settled_at_once: bool| most(&|at, stay| rests.weigh(at, stay, settled_at_once));
    Bounds {
        first_contact: first::contact(&rests, &stays),
        messages: messages(None),
        attempts: most(&|at, stay| match stay.sends {
            Sends::Nothing => Weight::ZERO,
            Sends::One { .. } => Weight::of(delivery::attempts(sequence.steps.get(at))),
            Sends::Unknown => Weight::endless(at),
        }),
        channels: channels(&stays).into_iter().map(|name| (name, messages(Some(name)))).collect(),
        life: life(false),
        waits: life(true),
    }
}

/// Whether a process that comes to a step may go round for ever from there on: in a loop of ways
/// of which none has a bound. Else it ends, however long that takes.
pub fn may_turn(sequence: &Sequence, step: &str) -> bool {
    let Some(step) = sequence.position(step) else { return false };
    let graph = Graph::of(sequence, &stays(sequence), true);
    let components = graph.components(|edge| edge.times.is_none());
    let mut size = vec![0_usize; components.len()];
    for number in &components {
        if let Some(size) = size.get_mut(*number) {
            *size += 1;
        }
    }
    let turns = |node: usize| {
        let mut leads = graph.leads(node).iter();
        leads.any(|edge| edge.to == node && edge.times.is_none())
            || components
                .get(node)
                .and_then(|number| size.get(*number))
                .is_some_and(|size| *size > 1)
    };
    let (mut seen, mut open) = (vec![false; components.len()], vec![step]);
    while let Some(node) = open.pop() {
        match seen.get_mut(node) {
            Some(seen @ false) => *seen = true,
            _ => continue,
        }
        if turns(node) {
            return true;
        }
        open.extend(graph.leads(node).iter().map(|edge| edge.to));
    }
    false
}

/// The channels that are used, in the order of the steps.
fn channels(stays: &[Stay]) -> Vec<&'static str> {
    let mut channels = Vec::new();
    for stay in stays {
        if let Sends::One { channel, .. } = stay.sends
            && !channels.contains(&channel)
        {
            channels.push(channel);
        }
    }
    channels
}

/// One stay at each step.
fn stays(sequence: &Sequence) -> Vec<Stay> {
    let (zone, calendars) = (zone(sequence), &sequence.calendars);
    sequence.steps.iter().map(|step| step.config.stay(zone, calendars)).collect()
}

/// How many nodes a process may come to at most, if each counts as much; none if nothing bounds it.
pub(crate) fn longest(graph: graph::Graph, weights: &[u64]) -> Option<u128> {
    let weights: Vec<weight::Weight> = weights.iter().copied().map(weight::Weight::of).collect();
    let heaviest = most::from_anywhere(&most::Shape::of(graph), &weights);
    heaviest.endless.is_none().then_some(heaviest.finite)
}

/// The zone of its processes, if that does not depend on their data.
fn zone(sequence: &Sequence) -> Option<Tz> {
    fixed(sequence.timezone.as_ref()?)
}

/// The zone that a template gives, if that does not depend on data.
fn fixed(template: &Template) -> Option<Tz> {
    if !template.variables().is_empty() {
        return None;
    }
    let (data, nothing) = (Map::new(), json!({}));
    let scope = Scope::new(&data, || json!({}), &nothing, &nothing);
    template.render(&scope).ok()?.trim().parse().ok()
}

/// How long the steps of a sequence take.
struct Rests<'a> {
    sequence: &'a Sequence,
    /// How long quiet hours hold each attempt.
    holds: Vec<Weight>,
}

impl Rests<'_> {
    /// One stay at a step. A message that is `settled_at_once` is so once its quiet hours are over.
    fn weigh(&self, at: usize, stay: &Stay, settled_at_once: bool) -> Weight {
        match &stay.rest {
            Rest::Within { most, .. } => Weight::of_duration(*most),
            Rest::Act if settled_at_once => Weight::ZERO,
            Rest::Act => Weight::of_duration(LONGEST_ATTEMPT),
            Rest::Delivery(_) if settled_at_once => self.hold(at),
            Rest::Delivery(awaited) => self.sequence.steps.get(at).map_or(Weight::ZERO, |step| {
                let attempts = u32::try_from(delivery::attempts(Some(step))).unwrap_or(u32::MAX);
                Weight::of(delivery::longest(step, *awaited)).plus(self.hold(at).times(attempts))
            }),
            Rest::Unbounded { .. } => Weight::endless(at),
        }
    }

    fn hold(&self, at: usize) -> Weight {
        self.holds.get(at).copied().unwrap_or(Weight::ZERO)
    }
}

impl Way {
    /// `grace -> ring -> again (3 times back to ring) -> end`.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self
            .steps
            .iter()
            .take(NAMED)
            .map(|step| {
                let round = self.rounds.iter().find(|round| round.from == *step);
                round.map_or_else(
                    || step.clone(),
                    |Round { to, times, .. }| match times {
                        1 => format!("{step} (once back to {to})"),
                        times => format!("{step} ({times} times back to {to})"),
                    },
                )
            })
            .collect();
        if self.steps.len() > NAMED {
            words.push(format!("{} more", self.steps.len() - NAMED));
        }
        if self.ends {
            words.push("end".to_owned());
        }
        words.join(" -> ")
    }
}
