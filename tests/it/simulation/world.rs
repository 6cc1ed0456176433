//! The world: real engines over a real store, and everything around them that is not ours.
//!
//! One thing moves at a time. Before the next one is chosen, everything that moves has come
//! to a point of the stage or waits for something else to happen; so a seed gives one run.
//! One file, although a long one: each of its methods is a move of the one loop, and who looks
//! for why a seed came to something reads them side by side.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use rungs::{
    channels::{Channel, Channels, Limits},
    clock::{Clock, Stopwatch},
    engine::{Acts, Engine, Keys, Options},
    intake::{self, Climb, NewProcess},
    store::Store,
};
use rungs_core::Sequence;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

mod time;

use super::{
    dice::Dice,
    ledger::{Broken, Ledger},
    outside::{Answer, act, call_back},
    provider::{Asking, Providers, Way},
    scenario::{Deed, Program, Scenario, Shape, What, Wrong, origin},
    seen::{Looker, Seen},
    sequences::kinds,
    stage::{Point, Stage, Stops, Who},
};

/// How long, in real time, a call of the database may take.
const LONGEST_CALL: Duration = Duration::from_mins(1);
/// How often sleeping programs look. Less often than they do, so that more is left to their
/// being woken, and less happens in vain.
const POLL: TimeDelta = TimeDelta::seconds(4);
/// Steps of the world after which a run counts as endless.
const MOST_TICKS: u64 = 60_000;

/// A database that scenario after scenario is run on.
pub struct Base {
    pub store: Store,
    pub looker: Looker,
    /// Whether others can work while somebody holds a transaction.
    pub side_by_side: bool,
}

/// What a run came to, if nothing was broken.
pub struct Ran {
    pub ledger: Ledger,
    pub seen: Seen,
    pub timeline: Vec<String>,
}

/// A run in which something was broken, with all that happened until then.
pub struct Failed {
    pub broken: Broken,
    pub timeline: Vec<String>,
}

struct Running {
    program: Program,
    clock: Clock,
    life: Option<Life>,
    /// When it comes back.
    up_at: DateTime<Utc>,
}

/// A program between its start and its death.
struct Life {
    engine: Arc<Engine>,
    main: JoinHandle<()>,
}

/// A deed, and how far it has come.
struct Doing {
    deed: Deed,
    state: State,
}

enum State {
    Waits(DateTime<Utc>),
    Underway(usize, JoinHandle<Answer>),
    Answered,
}

pub struct World<'a> {
    scenario: &'a Scenario,
    base: &'a Base,
    stage: Arc<Stage>,
    providers: Arc<Mutex<Providers>>,
    order: Dice,
    /// The real time.
    now: DateTime<Utc>,
    /// By how much the clocks are wrong.
    jumped: TimeDelta,
    programs: Vec<Running>,
    births: u64,
    doings: Vec<Doing>,
    callbacks: Vec<(usize, JoinHandle<Answer>)>,
    came: BTreeMap<Point, u32>,
    stalled: BTreeMap<Who, DateTime<Utc>>,
    healing: bool,
    healed: u32,
    /// How often in a row somebody was overdue.
    looks: u32,
    seen: Seen,
    ledger: Ledger,
    timeline: Vec<String>,
}

impl<'a> World<'a> {
    pub fn new(scenario: &'a Scenario, base: &'a Base) -> Self {
        let now = origin();
        let programs = scenario.programs.iter().map(|program| Running {
            program: program.clone(),
            clock: Clock::standing_at(now + program.ahead),
            life: None,
            up_at: now,
        });
        let doings = scenario
            .deeds
            .iter()
            .map(|deed| Doing { deed: deed.clone(), state: State::Waits(deed.at) });
        Self {
            scenario,
            base,
            stage: Arc::new(Stage::new(scenario.seed, scenario.commits_held)),
            providers: Arc::new(Mutex::new(Providers::new(scenario.clone(), now))),
            order: Dice::of((scenario.seed, "order")),
            now,
            jumped: TimeDelta::zero(),
            programs: programs.collect(),
            births: 0,
            doings: doings.collect(),
            callbacks: vec![],
            came: BTreeMap::new(),
            stalled: BTreeMap::new(),
            healing: false,
            healed: 0,
            looks: 0,
            seen: Seen::default(),
            ledger: Ledger::new(sequences(scenario)),
            timeline: vec![],
        }
    }

    /// Runs the scenario to its end.
    pub async fn run(mut self) -> Result<Ran, Box<Failed>> {
        let result = self.go().await;
        for program in 0..self.programs.len() {
            self.die(program).await;
        }
        match result {
            Ok(()) => {
                let mut providers = self.providers.lock().unwrap();
                self.ledger.taken = std::mem::take(&mut providers.taken);
                self.ledger.hidden = std::mem::take(&mut providers.hidden);
                self.ledger.answers = std::mem::take(&mut providers.answers);
                drop(providers);
                Ok(Ran { ledger: self.ledger, seen: self.seen, timeline: self.timeline })
            }
            Err(broken) => Err(Box::new(Failed { broken, timeline: self.timeline })),
        }
    }

    async fn go(&mut self) -> Result<(), Broken> {
        self.publish().await;
        loop {
            self.quiet().await;
            self.hear_answers().await?;
            self.look().await?;
            self.ledger.tick += 1;
            self.providers.lock().unwrap().tick = self.ledger.tick;
            if self.ledger.tick > MOST_TICKS {
                return Err(Broken::new("everything_comes_to_rest", "it goes on and on"));
            }
            if self.begin_what_is_due() {
                continue;
            }
            let ready = self.ready();
            let slow = !self.healing && self.order.percent(self.scenario.slowness);
            if ready.is_empty() || slow {
                if !self.let_time_pass(ready.is_empty()).await? {
                    return Ok(());
                }
                continue;
            }
            let at = if self.scenario.shuffled { self.order.index(ready.len()) } else { 0 };
            let (who, point) = ready[at];
            self.move_on(who, point).await;
        }
    }

    async fn publish(&self) {
        let clock = Clock::standing_at(self.now);
        let options = Options { kinds: kinds(), ..Options::default() };
        let desk = Engine::new(self.base.store.clone(), clock, Channels::default(), options);
        for sequence in &self.scenario.sequences {
            intake::publish(&desk, None, &sequence.source()).await.unwrap();
        }
    }

    /// Waits until nothing moves.
    async fn quiet(&self) {
        let (mut still, mut moves_before) = (0, 0);
        let watch = Stopwatch::start();
        while still < 4 {
            tokio::task::yield_now().await;
            let (held, moves) = self.stage.held();
            let in_use = self.base.store.connections_in_use();
            let waiting = if self.base.side_by_side && in_use > held {
                // Somebody may wait for a row that somebody else holds.
                self.base.looker.waiting_for_locks().await
            } else {
                0
            };
            if in_use == held + waiting && moves == moves_before {
                still += 1;
            } else {
                still = 0;
                std::thread::yield_now();
                assert!(
                    watch.elapsed() < LONGEST_CALL,
                    "{held} transactions are held, {in_use} connections are in use, {waiting} wait, \
                     and it stays so: {:#?}",
                    self.timeline
                );
            }
            moves_before = moves;
        }
    }

    /// Looks at what was committed, and whether it may be so.
    async fn look(&mut self) -> Result<(), Broken> {
        let told = std::mem::take(&mut self.providers.lock().unwrap().told);
        for line in told {
            self.tell(line);
        }
        let unanswered = std::mem::take(&mut self.providers.lock().unwrap().unanswered);
        for (delivery, attempt) in unanswered {
            self.ledger.doubt(&self.seen, &delivery, attempt);
        }
        let made = std::mem::take(&mut self.providers.lock().unwrap().made);
        if self.stage.committed() {
            let seen = self.base.looker.look().await;
            let lines = self.seen.differences(&seen);
            for line in lines {
                self.tell(line);
            }
            let before = std::mem::replace(&mut self.seen, seen);
            let providers = self.providers.lock().unwrap();
            self.ledger.look(&before, &self.seen, &providers.taken)?;
        }
        made.iter()
            .try_for_each(|(delivery, attempt, now)| self.ledger.made(delivery, *attempt, *now))
    }

    fn tell(&mut self, line: impl std::fmt::Display) {
        let time = self.now.format("%a %H:%M:%S%.3f");
        self.timeline.push(format!("{:>5} {time} {line}", self.ledger.tick));
    }

    /// Who may go on.
    fn ready(&self) -> Vec<(Who, Point)> {
        let standing = self.stage.standing();
        // On SQLite everybody else would wait for whoever holds a transaction.
        let held: Vec<_> =
            standing.iter().copied().filter(|(_, point)| *point == Point::Commit).collect();
        if !held.is_empty() && !self.base.side_by_side {
            return held;
        }
        let stalls = |who: &Who| self.stalled.get(who).is_some_and(|until| *until > self.now);
        standing.into_iter().filter(|(who, _)| !stalls(who)).collect()
    }

    /// Lets somebody go on, or lets something happen to it.
    async fn move_on(&mut self, who: Who, point: Point) {
        let came = self.came.entry(point).or_default();
        *came += 1;
        let fault =
            self.scenario.faults.iter().find(|fault| fault.at == point && fault.nth == *came);
        let Some(fault) = fault.filter(|_| !self.healing) else { return self.stage.go(who) };
        match fault.what {
            Wrong::Crash(down) => {
                self.tell(format!("program {} dies at {point:?}", who.program));
                self.die(who.program).await;
                self.programs[who.program].up_at = self.now + down;
            }
            Wrong::Downtime(down) => {
                self.tell(format!("all programs die, {} at {point:?}", who.program));
                for program in 0..self.programs.len() {
                    self.die(program).await;
                    self.programs[program].up_at = self.now + down;
                }
            }
            Wrong::Stall(pause) => {
                let seconds = pause.as_seconds_f64();
                self.tell(format!("program {} stalls at {point:?} for {seconds} s", who.program));
                if point == Point::Commit {
                    self.set_time(self.now + pause);
                    // Whoever that wakes comes first: a database is as fast as it likes.
                    self.quiet().await;
                    self.stage.go(who);
                } else {
                    self.stalled.insert(who, self.now + pause);
                }
            }
            Wrong::Jump(by) => {
                self.tell(format!("the clocks jump by {} s", by.as_seconds_f64()));
                self.jumped += by;
                self.set_time(self.now);
                self.quiet().await;
                self.stage.go(who);
            }
        }
    }

    fn set_time(&mut self, now: DateTime<Utc>) {
        self.now = now;
        self.providers.lock().unwrap().now = now;
        for running in &self.programs {
            running.clock.set(now + self.jumped + running.program.ahead);
        }
        self.ledger.expire(&self.seen, now + self.jumped + self.most_ahead());
    }

    fn most_ahead(&self) -> TimeDelta {
        let ahead = self.programs.iter().map(|running| running.program.ahead);
        ahead.max().unwrap_or_default()
    }

    fn start(&mut self, program: usize) {
        let Running { program: Program { shape, .. }, clock, .. } = &self.programs[program];
        let probe = Stops { stage: Arc::clone(&self.stage), program };
        let mut channels = Channels::default();
        for channel in self.scenario.channels() {
            let way = Way {
                channel,
                program,
                stage: Arc::clone(&self.stage),
                providers: Arc::clone(&self.providers),
                called_back: self.scenario.called_back,
            };
            let way: Arc<dyn Channel> = match channel {
                "Ask" => Arc::new(Asking(way)),
                _ => Arc::new(way),
            };
            channels.put(channel, way, Limits::default());
        }
        self.births += 1;
        let keys = Keys::counted(self.births);
        let store = self.base.store.clone().probed(Arc::new(probe));
        let acts: Option<Arc<dyn Acts>> = Some(Arc::new(intake::Acts));
        let options = Options { poll: POLL, kinds: kinds(), acts, ..Options::default() };
        let engine = Engine::with_keys(store, clock.clone(), channels, options, keys);
        let main = match shape {
            Shape::Serve => {
                let engine = Arc::clone(&engine);
                tokio::spawn(async move { engine.run(CancellationToken::new()).await })
            }
            Shape::Rounds => tokio::spawn(rounds(Arc::clone(&engine))),
        };
        self.programs[program].life = Some(Life { engine, main });
        self.tell(format!(
            "program {program} starts, {shape:?}",
            shape = self.programs[program].program.shape
        ));
    }

    /// A program dies, with everything that it was doing.
    async fn die(&mut self, program: usize) {
        let Some(life) = self.programs[program].life.take() else { return };
        life.main.abort();
        self.ledger.crash(&self.seen, &self.providers.lock().unwrap().taken, program);
        let mut died = vec![life.main];
        for doing in &mut self.doings {
            if matches!(&doing.state, State::Underway(at, _) if *at == program) {
                // Whoever asked for it tries again.
                let again = State::Waits(self.now + TimeDelta::seconds(3));
                if let State::Underway(_, handle) = std::mem::replace(&mut doing.state, again) {
                    handle.abort();
                    let _ = handle.await;
                }
            }
        }
        let (gone, kept) = std::mem::take(&mut self.callbacks)
            .into_iter()
            .partition::<Vec<_>, _>(|(at, _)| *at == program);
        self.callbacks = kept;
        for (_, handle) in gone {
            handle.abort();
            let _ = handle.await;
        }
        let _ = died.pop().expect("the program itself").await;
        self.quiet().await;
        self.ledger.crashes += 1;
    }

    async fn hear_answers(&mut self) -> Result<(), Broken> {
        for at in 0..self.doings.len() {
            let done = matches!(&self.doings[at].state, State::Underway(_, handle) if handle.is_finished());
            if !done {
                continue;
            }
            let state = std::mem::replace(&mut self.doings[at].state, State::Answered);
            let State::Underway(_, handle) = state else { continue };
            let deed = self.doings[at].deed.clone();
            let answer = handle.await.unwrap();
            self.tell(format!("{} {}: {}", deed.process, deed.what, answer));
            self.ledger.answered(&deed, &answer)?;
        }
        for (program, handle) in std::mem::take(&mut self.callbacks) {
            if handle.is_finished() {
                if let Answer::Trouble(error) = handle.await.unwrap() {
                    return Err(Broken::new("the_database_is_well", error));
                }
            } else {
                self.callbacks.push((program, handle));
            }
        }
        for (number, running) in self.programs.iter().enumerate() {
            if running.life.as_ref().is_some_and(|life| life.main.is_finished()) {
                return Err(Broken::new(
                    "programs_run",
                    format!("program {number} ended by itself"),
                ));
            }
        }
        Ok(())
    }

    /// Starts programs, deeds and callbacks whose time has come. True if there were any.
    fn begin_what_is_due(&mut self) -> bool {
        let mut any = false;
        for program in 0..self.programs.len() {
            let running = &self.programs[program];
            if running.life.is_none() && (running.up_at <= self.now || self.healing) {
                self.start(program);
                any = true;
            }
        }
        let alive: Vec<usize> = (0..self.programs.len())
            .filter(|program| self.programs[*program].life.is_some())
            .collect();
        let now = self.now;
        let callbacks = {
            let mut providers = self.providers.lock().unwrap();
            let (due, later) = std::mem::take(&mut providers.callbacks)
                .into_iter()
                .partition::<Vec<_>, _>(|callback| callback.at <= now);
            providers.callbacks = later;
            due
        };
        for callback in callbacks {
            let said = format!(
                "{} is {}",
                callback.heard.provider_id.as_deref().unwrap_or("?"),
                callback.heard.status
            );
            if alive.is_empty() {
                self.tell(format!("a callback is lost: {said}"));
                continue;
            }
            let program = alive[self.order.index(alive.len())];
            self.tell(format!("a callback reaches program {program}: {said}"));
            let engine = self.engine(program);
            self.callbacks.push((program, tokio::spawn(call_back(engine, callback))));
            any = true;
        }
        if alive.is_empty() {
            return any;
        }
        for at in 0..self.doings.len() {
            if !matches!(self.doings[at].state, State::Waits(due) if due <= now) {
                continue;
            }
            let program = alive[self.order.index(alive.len())];
            let deed = self.doings[at].deed.clone();
            let climber =
                self.scenario.processes.iter().find(|one| one.id == deed.process).cloned();
            let Some(climber) = climber else { continue };
            let new = NewProcess {
                process_id: Some(climber.id),
                climb: Climb::Stored { name: climber.sequence, version: None },
                data: climber.data,
            };
            let handle = tokio::spawn(act(self.engine(program), deed, new));
            self.doings[at].state = State::Underway(program, handle);
            any = true;
        }
        any
    }

    fn engine(&self, program: usize) -> Arc<Engine> {
        Arc::clone(&self.programs[program].life.as_ref().expect("it lives").engine)
    }
}

fn sequences(scenario: &Scenario) -> BTreeMap<(String, i32), Sequence> {
    let checked =
        |written: &super::sequences::Written| written.checked().expect("it passes the check");
    let numbered = [(1, &scenario.sequences), (2, &scenario.seconds)];
    let each =
        numbered.into_iter().flat_map(|(version, all)| all.iter().map(move |it| (version, it)));
    each.map(|(version, written)| ((written.name.clone(), version), checked(written))).collect()
}

async fn rounds(engine: Arc<Engine>) {
    loop {
        engine.drain().await.unwrap();
        engine.clock.sleep_until(engine.clock.now() + TimeDelta::seconds(1)).await;
    }
}
