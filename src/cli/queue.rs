//! The configured queue, for the commands that take in its messages.

use std::time::Duration;

use crate::{
    config::Config,
    engine::{Engine, TakenIn},
    intake::{self, Drained, Queue, Rules},
};

#[cfg(not(feature = "aws"))]
use super::Failure;
use super::{Result, failure::count};

/// How long a receive waits where more than the queue is to be looked after.
const SHORT_WAIT: Duration = Duration::from_secs(1);
/// How long it waits where nothing else is to be done. SQS allows no longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// A queue, and how its messages are taken in.
pub(super) struct Source {
    queue: Box<dyn Queue>,
    rules: Rules,
    wait: Option<Duration>,
    most: Duration,
}

/// The configured queue, if there is one.
pub(super) fn open(config: &Config) -> Result<Option<Source>> {
    let Some(url) = &config.sqs.queue_url else { return Ok(None) };
    let queue = connect(url)?;
    let rules = Rules { roesc: config.roesc.clone(), invalid: config.intake.invalid };
    let wait = config.sqs.wait_seconds.map(u64::from).map(Duration::from_secs);
    let wait = wait.map(|wait| wait.min(LONGEST_WAIT));
    let most = Duration::from_secs(u64::from(config.intake.max_seconds));
    Ok(Some(Source { queue, rules, wait, most }))
}

#[cfg(feature = "aws")]
#[expect(clippy::unnecessary_wraps, reason = "other builds have no queue")]
fn connect(url: &url::Url) -> Result<Box<dyn Queue>> {
    Ok(Box::new(intake::Sqs::new(url)))
}

#[cfg(not(feature = "aws"))]
fn connect(_: &url::Url) -> Result<Box<dyn Queue>> {
    Err(Failure::refused(
        "RUNGS_SQS_QUEUE_URL names a queue, and this build can read none; use one that was built with `cargo build --release --features aws`",
    ))
}

impl Source {
    /// Takes in messages until `shutdown`.
    pub async fn follow(&self, engine: &Engine, shutdown: &tokio_util::sync::CancellationToken) {
        let wait = self.wait.unwrap_or(LONGEST_WAIT);
        intake::follow(engine, &self.rules, &*self.queue, wait, shutdown).await;
    }

    /// Takes in what is there.
    pub async fn drain(&self, engine: &Engine) -> Drained {
        let wait = self.wait.unwrap_or(SHORT_WAIT);
        intake::drain(engine, &self.rules, &*self.queue, wait, self.most).await
    }
}

/// What was taken in, for people.
pub(super) fn words(tally: &TakenIn) -> String {
    let mut said = vec![format!("{} came", count(tally.messages, "message"))];
    for (number, what) in [
        (tally.started, "started"),
        (tally.stopped, "stopped"),
        (tally.told, "told"),
        (tally.ignored, "had nothing to do"),
        (tally.repeated, "taken in before"),
        (tally.invalid, "wrong"),
        (tally.left, "left in the queue"),
    ] {
        if number > 0 {
            said.push(format!("{number} {what}"));
        }
    }
    said.join(", ")
}
