//! A scenario that fails is made smaller, piece by piece, while it fails in the same way.

use std::time::Duration;

use rungs::clock::Stopwatch;

use crate::databases::Kind;

use super::{
    one,
    scenario::{Scenario, Shape, What},
    told,
    world::{Base, Failed},
};

/// How long making one smaller may take, in real time.
const MOST_TIME: Duration = Duration::from_mins(1);

/// Tells of a seed that failed: how to run it again, and the smallest scenario that fails in
/// the same way.
pub async fn tell(seed: u64, kind: Kind, base: &Base, failed: Box<Failed>) -> String {
    let (scenario, failed) = shrunk(Scenario::of(seed), base, failed).await;
    let database = if kind == Kind::Postgres { " RUNGS_SIM_DATABASE=postgres" } else { "" };
    format!(
        "seed {seed}; to see it again: RUNGS_SIM_SEED={seed}{database} cargo test --test it \
         simulation\n{scenario:#?}\nsequences: {sequences}\n{told}",
        sequences = scenario
            .sequences
            .iter()
            .map(super::sequences::Written::source)
            .collect::<Vec<_>>()
            .join("\n"),
        told = told(&failed.broken, &failed.timeline),
    )
}

async fn shrunk(scenario: Scenario, base: &Base, failed: Box<Failed>) -> (Scenario, Box<Failed>) {
    let (mut smallest, mut failed) = (scenario, failed);
    let watch = Stopwatch::start();
    loop {
        let mut smaller = None;
        for candidate in candidates(&smallest) {
            if watch.elapsed() > MOST_TIME {
                return (smallest, failed);
            }
            match one(&candidate, base, None).await {
                Err(again) if again.broken.invariant == failed.broken.invariant => {
                    smaller = Some((candidate, again));
                    break;
                }
                _ => {}
            }
        }
        match smaller {
            Some((scenario, again)) => (smallest, failed) = (scenario, again),
            None => return (smallest, failed),
        }
    }
}

/// Scenarios with something left out, the greatest pieces first.
fn candidates(of: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Scenario)| {
        let mut less = of.clone();
        change(&mut less);
        all.push(less);
    };
    for process in &of.processes {
        add(&|less| {
            less.processes.retain(|one| one.id != process.id);
            less.deeds.retain(|deed| deed.process != process.id);
        });
    }
    for at in 0..of.sequences.len() {
        let name = &of.sequences[at].name;
        if !of.processes.iter().any(|process| process.sequence == *name) {
            add(&|less| {
                less.sequences.remove(at);
            });
        }
    }
    if of.programs.len() > 1 {
        add(&|less| less.programs.truncate(1));
    }
    for at in 0..of.faults.len() {
        add(&|less| {
            less.faults.remove(at);
        });
    }
    let first_start = |at: usize| {
        let same = |deed: &&super::scenario::Deed| deed.process == of.deeds[at].process;
        let earlier = of.deeds[..at].iter().filter(same);
        earlier.filter(|deed| matches!(deed.what, What::Start)).count() == 0
    };
    for at in 0..of.deeds.len() {
        if !matches!(of.deeds[at].what, What::Start) || !first_start(at) {
            add(&|less| {
                less.deeds.remove(at);
            });
        }
    }
    for (number, written) in of.sequences.iter().enumerate() {
        for at in 0..written.steps.len() {
            if let Some(fewer) = written.without(at) {
                add(&|less| less.sequences[number] = fewer.clone());
            }
        }
    }
    for (differs, change) in simpler(of) {
        if differs {
            add(&change);
        }
    }
    all
}

type Change = fn(&mut Scenario);

fn simpler(of: &Scenario) -> [(bool, Change); 5] {
    [
        (of.troubled, |less| less.troubled = false),
        (of.called_back, |less| less.called_back = false),
        (of.shuffled, |less| less.shuffled = false),
        (of.slowness > 0, |less| less.slowness = 0),
        (of.programs.iter().any(|program| program.shape != Shape::Serve), |less| {
            less.programs.iter_mut().for_each(|program| program.shape = Shape::Serve);
        }),
    ]
}
