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
}

/// Where everything stands.
#[derive(Default)]
pub struct Stage(Mutex<Standing>);

impl Stage {
    /// Stands at `point` until it is told to go on.
    pub async fn stand(&self, program: usize, point: Point) {
        let (go, told) = oneshot::channel();
        let who = {
            let mut standing = self.0.lock().unwrap();
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
        self.0.lock().unwrap().all.iter().map(|(who, (point, _))| (*who, *point)).collect()
    }

    /// Tells somebody to go on.
    pub fn go(&self, who: Who) {
        let gone = self.0.lock().unwrap().all.remove(&who);
        if let Some((_, go)) = gone {
            let _ = go.send(());
        }
    }

    /// How many stand before a commit, and how much has moved so far.
    pub fn held(&self) -> (usize, u64) {
        let standing = self.0.lock().unwrap();
        let held = standing.all.values().filter(|(point, _)| *point == Point::Commit).count();
        (held, standing.moves)
    }
}

/// Whoever goes, or is dropped, no longer stands.
struct Leaves<'a>(&'a Stage, Who);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let mut standing = self.0.0.lock().unwrap();
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
