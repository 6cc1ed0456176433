//! Following a queue: receive, take in, delete.
//!
//! Promises: a message is deleted only after the database committed it. While the database is
//! in trouble nothing is received, since each receive brings a message closer to the dead
//! letters. A queue that is gone, or that refuses us, is told of once and tried again with
//! growing pauses.
//! Does not: know whose queue it is. One more kind of queue is one more file beside `sqs.rs`.
//! Called by: `serve`, which follows for ever; `intake` and `tick`, which drain.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Stopwatch,
    engine::{Engine, TakenIn},
    store::StoreError,
};

use super::queue::{Batch, Message, Rules, Verdict, take_in};

/// The first pause after trouble, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));

/// Where messages come from.
#[async_trait]
pub trait Queue: Send + Sync {
    /// A few messages, waiting for the first of them up to `wait`. Until they are deleted or
    /// released, or some time has passed, nobody else is given them.
    async fn receive(&self, wait: Duration) -> Result<Vec<Received>, QueueTrouble>;

    /// Messages that are done.
    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueTrouble>;

    /// Messages that may come again at once.
    async fn release(&self, receipts: Vec<String>) -> Result<(), QueueTrouble>;
}

/// A message that was received.
#[derive(Debug, Clone)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// Shows that it was we who received it.
    pub receipt: String,
}

/// A queue did not do what it was asked. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {advice}")]
pub struct QueueTrouble {
    /// What it said.
    pub what: String,
    /// What to do about it.
    pub advice: &'static str,
}

/// Why messages could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The queue's.
    #[error("the queue: {0}")]
    Queue(#[from] QueueTrouble),
    /// The database's.
    #[error("the database is in trouble: {0}")]
    Database(#[from] StoreError),
}

/// What draining did, and what ended it before the queue was empty, if something did.
#[derive(Debug, Default)]
pub struct Drained {
    /// All of it, counted.
    pub tally: TakenIn,
    /// What ended it.
    pub trouble: Option<Trouble>,
}

/// Takes in messages until `shutdown`.
pub async fn follow(
    engine: &Engine,
    rules: &Rules,
    queue: &dyn Queue,
    wait: Duration,
    shutdown: &CancellationToken,
) {
    let mut outage = Outage::default();
    // A message that is on its way when this is dropped comes again after a while.
    while let Some(received) = shutdown.run_until_cancelled(queue.receive(wait)).await {
        let done = match received {
            Ok(received) => batch(engine, rules, queue, received).await,
            Err(trouble) => Err(trouble.into()),
        };
        match done {
            Ok(_) => outage.over(),
            Err(trouble) => {
                let mut pause = outage.pause(&trouble);
                while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                    match engine.store.ping().await {
                        Ok(()) => break,
                        Err(error) => pause = outage.pause(&error.into()),
                    }
                }
            }
        }
    }
}

/// Takes in messages until none comes any more within `wait`, or for `most`.
pub async fn drain(
    engine: &Engine,
    rules: &Rules,
    queue: &dyn Queue,
    wait: Duration,
    most: Duration,
) -> Drained {
    let watch = Stopwatch::start();
    let mut drained = Drained::default();
    loop {
        let left = most.saturating_sub(watch.elapsed());
        if left.is_zero() {
            return drained;
        }
        let done = match queue.receive(wait.min(left)).await {
            Ok(received) if received.is_empty() => return drained,
            Ok(received) => batch(engine, rules, queue, received).await,
            Err(trouble) => Err(trouble.into()),
        };
        match done {
            Ok(tally) => drained.tally += tally,
            Err(trouble) => {
                drained.trouble = Some(trouble);
                return drained;
            }
        }
    }
}

/// Takes in what was received, and tells the queue what is done.
async fn batch(
    engine: &Engine,
    rules: &Rules,
    queue: &dyn Queue,
    received: Vec<Received>,
) -> Result<TakenIn, Trouble> {
    let (messages, receipts): (Vec<Message>, Vec<String>) =
        received.into_iter().map(|one| (one.message, one.receipt)).unzip();
    let Batch { verdicts, tally, trouble } = take_in(engine, rules, &messages).await;
    let (mut done, mut again) = (Vec::new(), Vec::new());
    for (verdict, receipt) in verdicts.into_iter().zip(receipts) {
        match verdict {
            Verdict::Done => done.push(receipt),
            Verdict::Behind | Verdict::Trouble => again.push(receipt),
            // Its own time runs out: so long its group waits.
            Verdict::Invalid => {}
        }
    }
    if !again.is_empty()
        && let Err(trouble) = queue.release(again).await
    {
        tracing::debug!(%trouble, "messages were not released; they come again later");
    }
    if !done.is_empty() {
        queue.delete(done).await?;
    }
    trouble.map_or(Ok(tally), |error| Err(error.into()))
}

/// Trouble that is told once when it begins, once when it becomes another, and once when it
/// is over.
#[derive(Default)]
struct Outage {
    told: Option<String>,
    pause: Duration,
}

impl Outage {
    /// How long to wait before the next try.
    fn pause(&mut self, trouble: &Trouble) -> Duration {
        let kind = match trouble {
            Trouble::Queue(trouble) => trouble.advice,
            Trouble::Database(_) => "",
        };
        if self.told.as_deref() != Some(kind) {
            tracing::error!(%trouble, "no messages are taken in; trying again until they are");
            self.told = Some(kind.to_owned());
        }
        let (first, longest) = PAUSES;
        self.pause = (self.pause * 2).clamp(first, longest);
        self.pause
    }

    fn over(&mut self) {
        if self.told.take().is_some() {
            tracing::info!("messages are taken in again");
        }
        self.pause = Duration::ZERO;
    }
}
