//! The stage: everything that moves stops here between two of its steps, until it is told to
//! go on.
//!
//! A store call stops before it begins, before it commits, after it has committed; a send
//! stops before the provider takes it and after. Whoever is dropped while it stands here has
//! crashed exactly there. What stands here is listed in an order that does not depend on who
//! came first, so that one seed always gives one run.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use rungs::store::probe::{self, Probe};
use tokio::sync::oneshot;

use super::dice::Dice;

/// Between which two steps something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// Before a transaction begins.
    Begin,
    /// Everything is written, nothing is committed.
    Commit,
    /// Committed, and the caller does not know it.
    Committed,
    /// Before a read.
    Read,
    /// Before the provider gets a request.
    Send,
    /// After the provider got it, before it has answered.
    Sent,
    /// Before the provider is asked something.
    Ask,
}

/// Who stands at a point. Ordered by program, by the birth of the task, by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    pub program: usize,
    task: u64,
    arrival: u64,
}

#[derive(Default)]
struct Standing {
    all: BTreeMap<Who, (Point, oneshot::Sender<()>)>,
    arrivals: u64,
    moves: u64,
    /// Stops around a commit that were, or were not, made.
    around_commits: u64,
    committed: bool,
}

/// Where everything stands.
pub struct Stage {
    standing: Mutex<Standing>,
    seed: u64,
    /// Of a hundred stops around a commit, how many are made.
    commits_held: u32,
}

impl Stage {
    pub fn new(seed: u64, commits_held: u32) -> Self {
        Self { standing: Mutex::default(), seed, commits_held }
    }

    /// Whether something may have been committed since this was asked last.
    pub fn committed(&self) -> bool {
        std::mem::take(&mut self.standing.lock().unwrap().committed)
    }

    /// Whether the stop that comes now is made. One transaction moves at a time, so they can
    /// be counted.
    fn is_held(&self, point: Point) -> bool {
        let mut standing = self.standing.lock().unwrap();
        standing.committed |= point == Point::Committed;
        standing.around_commits += 1;
        let mut dice = Dice::of((self.seed, "commit", standing.around_commits));
        dice.percent(self.commits_held)
    }

    /// Stands at `point` until it is told to go on.
    pub async fn stand(&self, program: usize, point: Point) {
        if matches!(point, Point::Commit | Point::Committed) && !self.is_held(point) {
            return;
        }
        let (go, told) = oneshot::channel();
        let who = {
            let mut standing = self.standing.lock().unwrap();
            standing.arrivals += 1;
            standing.moves += 1;
            let who = Who { program, task: task(), arrival: standing.arrivals };
            standing.all.insert(who, (point, go));
            who
        };
        let _leaves = Leaves(self, who);
        let _ = told.await;
    }

    /// Everybody who stands, in order.
    pub fn standing(&self) -> Vec<(Who, Point)> {
        self.standing.lock().unwrap().all.iter().map(|(who, (point, _))| (*who, *point)).collect()
    }

    /// Tells somebody to go on.
    pub fn go(&self, who: Who) {
        let gone = self.standing.lock().unwrap().all.remove(&who);
        if let Some((_, go)) = gone {
            let _ = go.send(());
        }
    }

    /// How many stand before a commit, and how much has moved so far.
    pub fn held(&self) -> (usize, u64) {
        let standing = self.standing.lock().unwrap();
        let held = standing.all.values().filter(|(point, _)| *point == Point::Commit).count();
        (held, standing.moves)
    }
}

/// Whoever goes, or is dropped, no longer stands.
struct Leaves<'a>(&'a Stage, Who);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let mut standing = self.0.standing.lock().unwrap();
        standing.all.remove(&self.1);
        standing.moves += 1;
    }
}

/// The task's number; they are numbered as they are born.
fn task() -> u64 {
    tokio::task::try_id().map_or(0, |id| id.to_string().parse().unwrap_or(0))
}

/// Stops the store calls of one program.
pub struct Stops {
    pub stage: Arc<Stage>,
    pub program: usize,
}

#[async_trait]
impl Probe for Stops {
    async fn at(&self, point: probe::Point) {
        let point = match point {
            probe::Point::Begin => Point::Begin,
            probe::Point::Commit => Point::Commit,
            probe::Point::Committed => Point::Committed,
            probe::Point::Read => Point::Read,
        };
        self.stage.stand(self.program, point).await;
    }
}
