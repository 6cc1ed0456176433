//! Moving the live processes of a sequence to one of its versions.
//!
//! Promises: each is moved for itself; what cannot move is told and left, what has ended
//! meanwhile is passed by. Whoever is interrupted does it again, and what has moved stays so.
//! Called by: `rungs apply --move`.

use futures::{FutureExt, StreamExt, stream};
use rungs_core::{
    Sequence,
    moving::{Stranded, Versions as Pair},
};

use super::{Refusal, versions::Versions};
use crate::{
    engine::Engine,
    store::{StoreError, moves::Held},
};

/// Processes that are looked for at once.
const PAGE: u64 = 500;
/// Processes that move beside each other, where a database has several writers.
const BESIDE: usize = 4;

/// What came of moving.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moves {
    /// Processes that have moved.
    pub moved: u64,
    /// Processes that could not, and were left.
    pub left: u64,
}

/// A process that stays where it is.
#[derive(Debug)]
pub struct Left {
    /// Its id.
    pub process_id: String,
    /// A word for programs.
    pub code: &'static str,
    /// Why.
    pub reason: String,
}

/// Moves every live process of an older version to this one. With `despite_data` also those
/// whose data does not fit its `input`.
///
/// # Errors
/// The database's; what was moved before has moved.
pub async fn move_processes(
    engine: &Engine,
    name: &str,
    version: i32,
    despite_data: bool,
    mut left: impl FnMut(Left),
) -> Result<Moves, Refusal> {
    let mut versions = Versions::of(engine, name);
    let Some(to) = versions.get(version).await? else {
        return Err(Refusal::unknown(engine, name, Some(version)).await?);
    };
    let mut moves = Moves::default();
    let mut after = String::new();
    loop {
        let page = engine.store.older(name, version, &after, PAGE).await?;
        let Some((last, ..)) = page.last() else { break };
        after.clone_from(last);
        let mut each = Vec::with_capacity(page.len());
        for (key, process_id, number) in page {
            // Now, since nothing else is asked for while a process is held.
            versions.get(number).await?;
            let one = One { engine, name, key, process_id, to: &to, version, despite_data };
            each.push(one.move_over().boxed());
        }
        let beside = if engine.store.is_sqlite() { 1 } else { BESIDE };
        let mut moving = stream::iter(each).buffer_unordered(beside);
        while let Some(outcome) = moving.next().await {
            match outcome? {
                Outcome::Moved => moves.moved += 1,
                Outcome::Ended => {}
                Outcome::Left(one) => {
                    moves.left += 1;
                    left(one);
                }
            }
        }
        engine.wake.evaluator();
    }
    Ok(moves)
}

enum Outcome {
    Moved,
    /// It is not live any more, or somebody else has moved it.
    Ended,
    Left(Left),
}

/// A process to move.
struct One<'a> {
    engine: &'a Engine,
    name: &'a str,
    key: String,
    process_id: String,
    to: &'a Sequence,
    version: i32,
    despite_data: bool,
}

impl One<'_> {
    async fn move_over(self) -> Result<Outcome, Refusal> {
        match self.engine.store.hold(&self.key, self.version).await {
            Ok(None) => Ok(Outcome::Ended),
            Ok(Some(held)) => self.over(held).await,
            Err(StoreError::Unreadable(reason)) => Ok(self.left("unreadable", reason)),
            Err(error) => Err(error.into()),
        }
    }

    async fn over(&self, held: Held<'_>) -> Result<Outcome, Refusal> {
        let engine = self.engine;
        let number = held.process.version;
        let from = engine.sequences.get(self.name, number).and_then(Result::ok);
        let pair = Pair { from: from.as_deref(), to: self.to };
        let now = engine.clock.now();
        let moved = pair.move_over(held.process.clone(), self.version, self.despite_data, now);
        match moved {
            Ok(moved) => {
                held.write(&moved, now).await?;
                tracing::debug!(
                    process = self.process_id,
                    sequence = self.name,
                    from = number,
                    to = self.version,
                    "a process was moved"
                );
                Ok(Outcome::Moved)
            }
            Err(stranded) => Ok(self.stranded(&stranded)),
        }
    }

    fn stranded(&self, stranded: &Stranded) -> Outcome {
        self.left(stranded.code(), stranded.to_string())
    }

    fn left(&self, code: &'static str, reason: String) -> Outcome {
        Outcome::Left(Left { process_id: self.process_id.clone(), code, reason })
    }
}
