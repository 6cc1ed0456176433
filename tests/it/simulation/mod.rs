//! Proof by simulation: the real engine and the real store, under a virtual clock, in a
//! hostile world, again and again, each time another.
//!
//! A seed gives a scenario: sequences, processes, what is done to them, what providers do,
//! and what goes wrong. Programs are killed and stall between any two steps of a store call
//! or a send, clocks jump, callbacks get lost. When nothing goes wrong any more and
//! everything has come to rest, what must hold is looked at; some of it is at each commit.
//!
//! A seed that fails is made smaller while it fails in the same way, and then told, with all
//! that happened. To run some oneself:
//!
//! ```sh
//! RUNGS_SIM_SEED=17 cargo test --test it simulation             # one seed, told in full
//! RUNGS_SIM_SEEDS=0..10000 cargo test --profile bench --test it simulation
//! RUNGS_SIM_DATABASE=postgres RUNGS_SIM_SEEDS=0..100 cargo test --test it simulation
//! ```

use std::{
    fmt::Write,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use rungs::store::{Options, Store};
use rungs_runners::builtin::process::CHANNEL;

use crate::databases::{Database, Kind};

mod acts;
mod dice;
mod invariants;
mod ledger;
mod outside;
mod provider;
mod replay;
mod scenario;
mod seen;
mod sequences;
mod shrink;
mod stage;
mod world;

use invariants::Climbs;
use ledger::Broken;
use scenario::Scenario;
use seen::Looker;
use world::{Base, Failed, Ran, World};

/// Seeds that every run of the tests tries.
const SEEDS: Range<u64> = 0..120;
/// Those that it tries on PostgreSQL.
const SEEDS_ON_POSTGRES: Range<u64> = 0..16;

#[test]
fn nothing_is_lost_and_nothing_happens_twice_on_sqlite() {
    if asked_for("RUNGS_SIM_DATABASE").is_none_or(|database| database == "sqlite") {
        try_all(&seeds(SEEDS), Kind::Sqlite);
    }
}

#[test]
fn nothing_is_lost_and_nothing_happens_twice_on_postgres() {
    let only = asked_for("RUNGS_SIM_DATABASE");
    // Seeds that are asked for are tried on SQLite, unless PostgreSQL is asked for as well.
    let asked = asked_for("RUNGS_SIM_SEED").or(asked_for("RUNGS_SIM_SEEDS")).is_some();
    if only.as_deref() == Some("postgres") || (only.is_none() && !asked) {
        try_all(&seeds(SEEDS_ON_POSTGRES), Kind::Postgres);
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let runtime = runtime();
    runtime.block_on(async {
        let base = Base::fresh(Kind::Sqlite).await;
        for seed in 0..10 {
            let scenario = Scenario::of(seed);
            let mut told = Vec::new();
            for _ in 0..2 {
                base.looker.clear().await;
                let ran = World::new(&scenario, &base).run().await;
                told.push(ran.map_or_else(|failed| failed.timeline, |ran| ran.timeline));
            }
            let [first, second] = &told[..] else { panic!("two runs") };
            let pairs = first.iter().zip(second).enumerate();
            let differs = pairs.filter(|(_, (one, other))| one != other).map(|(at, _)| at).next();
            if let Some(at) = differs {
                let from = at.saturating_sub(8);
                panic!(
                    "seed {seed}, from line {at}: {:#?}\n\n{:#?}",
                    &first[from..first.len().min(at + 4)],
                    &second[from..second.len().min(at + 4)]
                );
            }
            assert_eq!(first.len(), second.len(), "seed {seed}");
        }
    });
}

#[test]
fn most_sequences_of_the_generator_pass_the_check() {
    let mut dice = dice::Dice::of("sequences");
    let passed = (0..300)
        .filter(|_| sequences::Written::attempt("any", false, &mut dice).checked().is_some())
        .count();
    assert!(passed > 60, "only {passed} of 300: what is left is hardly any sequence there may be");
}

#[expect(clippy::disallowed_methods, reason = "the program's config is no place for this")]
fn asked_for(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

fn seeds(default: Range<u64>) -> Range<u64> {
    let number = |text: &str| text.parse().expect("a number");
    if let Some(seed) = asked_for("RUNGS_SIM_SEED") {
        let seed = number(&seed);
        return seed..seed + 1;
    }
    match asked_for("RUNGS_SIM_SEEDS") {
        Some(range) => {
            let (from, to) = range.split_once("..").expect("FROM..TO");
            number(from)..number(to)
        }
        None => default,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// What all runs together came to.
#[derive(Default)]
struct Sum {
    runs: u64,
    steps: u64,
    crashes: usize,
    processes: usize,
    attempts: usize,
    taken: usize,
    doubtful: usize,
    twice: usize,
    compared: usize,
    moved: usize,
    acts: usize,
}

/// Tries all seeds, on two threads, until the first that fails.
fn try_all(seeds: &Range<u64>, kind: Kind) {
    let next = AtomicU64::new(seeds.start);
    let sum = Mutex::new(Sum::default());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                runtime().block_on(async {
                    let base = Base::fresh(kind).await;
                    while failure.lock().unwrap().is_none() {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            break;
                        }
                        if seed.is_multiple_of(1_000) && seed > seeds.start {
                            println!("{seed} ...");
                        }
                        if let Err(failed) = one(&Scenario::of(seed), &base, Some(&sum)).await {
                            println!("seed {seed}: {} does not hold", failed.broken.invariant);
                            let told = shrink::tell(seed, kind, &base, failed).await;
                            failure.lock().unwrap().get_or_insert(told);
                        }
                    }
                });
            });
        }
    });
    let Sum {
        runs,
        steps,
        crashes,
        processes,
        attempts,
        taken,
        doubtful,
        twice,
        compared,
        moved,
        acts,
    } = sum.into_inner().unwrap();
    println!(
        "{runs} seeds on {kind:?}: {steps} steps, {crashes} crashes, {processes} processes, \
         {attempts} attempts, {taken} taken by a provider, {doubtful} in doubt, {twice} taken twice, \
         {compared} climbs compared with those without faults, {moved} moves, {acts} acts"
    );
    if let Some(told) = failure.into_inner().unwrap() {
        panic!("{told}");
    }
}

/// One scenario, and all that must hold of it.
async fn one(
    scenario: &Scenario,
    base: &Base,
    sum: Option<&Mutex<Sum>>,
) -> Result<(), Box<Failed>> {
    let (ran, climbs) = run(scenario, base).await?;
    let mut compared = 0;
    if scenario.timeless {
        let (calm, calm_climbs) = run(&scenario.without_faults(), base).await?;
        compared = invariants::the_climb_is_that_of_a_run_without_faults(
            &ran,
            &climbs,
            &calm,
            &calm_climbs,
        )
        .map_err(|broken| Box::new(Failed { broken, timeline: ran.timeline.clone() }))?;
    }
    if asked_for("RUNGS_SIM_SEED").is_some() {
        ran.timeline.iter().for_each(|line| println!("{line}"));
    }
    if let Some(sum) = sum {
        let mut sum = sum.lock().unwrap();
        sum.runs += 1;
        sum.steps += ran.ledger.tick;
        sum.crashes += ran.ledger.crashes;
        sum.processes += ran.seen.processes.len();
        sum.attempts += ran.ledger.begun.len();
        sum.taken += ran.ledger.taken.len();
        sum.doubtful += ran.ledger.doubtful.len();
        sum.twice += invariants::twice(&ran.ledger).count();
        sum.compared += compared;
        let rungs = climbs.values().flatten().flatten();
        let deliveries = ran.seen.deliveries.values();
        sum.acts +=
            deliveries.filter(|it| it.channel == CHANNEL && it.status == "completed").count();
        sum.moved += rungs.filter(|rung| *rung == replay::MOVED).count();
    }
    Ok(())
}

async fn run(scenario: &Scenario, base: &Base) -> Result<(Ran, Climbs), Box<Failed>> {
    base.looker.clear().await;
    let ran = World::new(scenario, base).run().await?;
    match invariants::hold(scenario, base, &ran).await {
        Ok(climbs) => Ok((ran, climbs)),
        Err(broken) => Err(Box::new(Failed { broken, timeline: ran.timeline })),
    }
}

impl Base {
    async fn fresh(kind: Kind) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        match kind {
            Kind::Sqlite => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let url = format!("sqlite:file:simulation-{number}?mode=memory");
                let options = Options {
                    url: url.clone(),
                    max_connections: 1,
                    acquire_timeout: std::time::Duration::from_secs(20),
                };
                let store = Store::connect(&options).await.unwrap();
                store.migrate().await.unwrap();
                Self { store, looker: Looker::at(&url).await, side_by_side: false }
            }
            Kind::Postgres => {
                let database = Database::fresh(kind).await;
                let looker = Looker::at(&database.url).await;
                Self { store: database.store().await, looker, side_by_side: true }
            }
        }
    }
}

fn told(broken: &Broken, timeline: &[String]) -> String {
    let mut told = format!("{} does not hold: {}\n", broken.invariant, broken.what);
    for line in timeline {
        let _ = writeln!(told, "{line}");
    }
    told
}
