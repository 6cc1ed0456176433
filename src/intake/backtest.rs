//! Recorded processes of a sequence, replayed through another version of it.
//!
//! Promises: changes nothing. Processes are read one by one, the youngest first, and told as
//! they come, so that it does not matter how many there are; as many are read as is said.
//! Called by: `rungs backtest`.

use std::{
    collections::{BTreeMap, HashSet},
    ops::ControlFlow,
};

use chrono::{DateTime, Utc};
use rungs_core::{
    Checked, InputProblem, Process, Sequence,
    backtest::{Cut, Recorded, Replayed, Sent, backtest as replay, is_as_started},
    check,
    contacts::Contact,
};
use rungs_runners::{DeliveryStatus, builtin::process, hours::Quiet, remote::Question};

use super::{Refusal, sequences};
use crate::{
    engine::Engine,
    store::{StoreError, entity::delivery, records::Record},
};

/// Keys that are looked for at once.
const PAGE: u64 = 500;
/// Moments of a history, and events, beyond which a process is not replayed.
const LONGEST: u64 = 20_000;

/// What a process came to.
#[derive(Debug)]
pub enum Compared {
    /// It was replayed.
    Replayed(Box<Replayed>),
    /// The new version would not have let it start.
    Refused(Vec<InputProblem>),
    /// It cannot be replayed, and why.
    Not(&'static str),
}

/// What all of them came to.
#[derive(Debug, Default)]
pub struct Backtest {
    /// The sequence's name.
    pub name: String,
    /// Processes that were started in that time.
    pub of: u64,
    /// Those that were looked at.
    pub looked_at: u64,
    /// Those that were replayed.
    pub replayed: u64,
    /// Those of them that would have reached somebody else, or at another time.
    pub differ: u64,
    /// Those that would not have been let start.
    pub refused: u64,
    /// Those that cannot be replayed, by the reason.
    pub not_replayed: BTreeMap<&'static str, u64>,
    /// Deliveries of the replays.
    pub asked: u64,
    /// Those whose answer is not recorded.
    pub assumed: u64,
    /// Those whose replay was broken off, by the reason.
    pub cut: BTreeMap<Cut, u64>,
    /// How often somebody was reached, and would have been, by channel.
    pub contacts: BTreeMap<String, (u64, u64)>,
}

/// The data with which it started has changed since, and was not kept.
const NO_START: &str = "the data with which they started was not kept";
/// There is too much of it.
const TOO_LONG: &str = "their history is too long";
/// Somebody else wrote it.
const UNREADABLE: &str = "their record cannot be read";

/// Replays processes that were started since then, `most` at most, until `each` has enough.
///
/// # Errors
/// [`Refusal::Sequence`] with everything that is wrong; the database's.
pub async fn backtest(
    engine: &Engine,
    source: &str,
    since: DateTime<Utc>,
    most: u64,
    mut each: impl FnMut(&Process, &Compared) -> ControlFlow<()>,
) -> Result<Backtest, Refusal> {
    let Checked { sequence, diagnostics } = check(source, &engine.kinds);
    let sequence = sequences::accepted(sequence, &diagnostics, source)?;
    let questions: HashSet<&str> =
        engine.kinds.iter().filter(|kind| kind.asks).map(|kind| kind.name).collect();
    let name = sequence.name.clone();
    let of = engine.store.started_since(&name, since).await?;
    let mut sum = Backtest { name, of, ..Backtest::default() };
    let mut before: Option<String> = None;
    while sum.looked_at < most {
        let page = PAGE.min(most - sum.looked_at);
        let keys = engine.store.keys_since(&sum.name, since, before.as_deref(), page).await?;
        let Some(last) = keys.last() else { break };
        before = Some(last.clone());
        for key in &keys {
            sum.looked_at += 1;
            let record = match engine.store.record(key, LONGEST).await {
                Ok(Some(record)) => record,
                Ok(None) => {
                    sum.not(TOO_LONG);
                    continue;
                }
                Err(StoreError::Unreadable(error)) => {
                    tracing::warn!(error, "a process cannot be replayed");
                    sum.not(UNREADABLE);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let process = record.process.clone();
            let compared = compare(&sequence, record, &questions, engine);
            sum.take(&compared);
            if each(&process, &compared).is_break() {
                return Ok(sum);
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(sum)
}

fn compare(
    sequence: &Sequence,
    record: Record,
    questions: &HashSet<&str>,
    engine: &Engine,
) -> Compared {
    let Record { process, started_with, events, history, deliveries } = record;
    let history: Vec<_> = history.into_iter().map(|moment| (moment.at, moment.entries)).collect();
    let data = match started_with {
        Some(data) => data,
        None if is_as_started(&events, &history) => process.data.clone(),
        None => return Compared::Not(NO_START),
    };
    let deliveries = deliveries.iter().map(|row| sent(row, questions)).collect();
    let recorded = Recorded { process, data, events, history, deliveries };
    match replay(sequence, &recorded, engine.options.timezone, engine.clock.now()) {
        Ok(replayed) => Compared::Replayed(Box::new(replayed)),
        Err(problems) => Compared::Refused(problems),
    }
}

fn sent(row: &delivery::Model, questions: &HashSet<&str>) -> Sent {
    let at = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis);
    let written_at = at(Some(row.created_at)).unwrap_or_default();
    // What was held reached somebody when it left: a replay lets it leave then.
    let quiet = row.quiet.as_deref().and_then(|quiet| serde_json::from_str::<Quiet>(quiet).ok());
    let left_at = quiet.and_then(|quiet| quiet.leaves_at(written_at)).unwrap_or(written_at);
    let status = DeliveryStatus::parse(&row.status).filter(|status| status.is_final());
    // One that was asked anew has no request any more, and its runner may have gone.
    let asks = questions.contains(row.channel.as_str())
        || serde_json::from_str::<Option<Question>>(&row.request).is_ok();
    Sent {
        id: row.id.clone(),
        contact: Contact {
            at: left_at,
            step: row.step.clone(),
            channel: row.channel.clone(),
            request: serde_json::from_str(&row.request).unwrap_or_default(),
        },
        begun: row.attempts > 0,
        // What is done to processes is asked of Rungs itself.
        is_question: row.channel == process::CHANNEL || asks,
        ended: at(row.settled_at).zip(status),
    }
}

impl Backtest {
    fn not(&mut self, reason: &'static str) {
        *self.not_replayed.entry(reason).or_default() += 1;
    }

    fn take(&mut self, compared: &Compared) {
        match compared {
            Compared::Not(reason) => self.not(reason),
            Compared::Refused(_) => self.refused += 1,
            Compared::Replayed(replayed) => {
                self.replayed += 1;
                self.differ += u64::from(!replayed.difference.is_empty());
                if let Some(cut) = replayed.cut {
                    *self.cut.entry(cut).or_default() += 1;
                }
                self.asked += replayed.asked as u64;
                self.assumed += replayed.assumed as u64;
                for contact in &replayed.before {
                    self.contacts.entry(contact.channel.clone()).or_default().0 += 1;
                }
                for contact in &replayed.after {
                    self.contacts.entry(contact.channel.clone()).or_default().1 += 1;
                }
            }
        }
    }
}
