//! Which steps and branches of a sequence were taken.

use std::collections::BTreeSet;

use rungs_runners::Action;

use super::Ran;
use crate::{Entry, Sequence, simulate::What};

/// What was taken so far.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    taken: BTreeSet<(String, &'static str)>,
}

/// The ways of a step, as a case takes them.
const GOAL: &str = "goal";

impl Coverage {
    /// Counts what a case took.
    pub fn add(&mut self, ran: &Ran) {
        self.taken.extend(ran.goals.iter().map(|goal| (goal.clone(), GOAL)));
        for line in &ran.simulation.lines {
            match &line.what {
                What::Did(Entry::Visited { step, action, .. }) if *action != Action::Noop => {
                    self.taken.insert((step.clone(), action.as_str()));
                }
                What::Did(Entry::Achieved { step, .. }) => {
                    self.taken.insert((step.clone(), GOAL));
                }
                _ => {}
            }
        }
    }

    /// Every branch of the sequence: step, and `next`, `altNext` or `goal`.
    pub fn branches(sequence: &Sequence) -> Vec<(String, &'static str)> {
        let mut branches = Vec::new();
        for step in &sequence.steps {
            let id = || step.id.clone();
            if step.kind.goal {
                branches.push((id(), GOAL));
            } else {
                branches.push((id(), Action::Next.as_str()));
            }
            if step.alt_next.is_some() {
                branches.push((id(), Action::AltNext.as_str()));
            }
        }
        branches
    }

    /// Branches that no case took.
    pub fn missed(&self, sequence: &Sequence) -> Vec<(String, &'static str)> {
        let mut branches = Self::branches(sequence);
        branches.retain(|branch| !self.taken.contains(branch));
        branches
    }
}
