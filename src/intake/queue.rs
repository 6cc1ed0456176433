//! Messages of a queue, a batch at a time.
//!
//! Promises: a message is done once the database has committed it, and what it asks for
//! happens once, however often it comes. Within a group the order holds: behind a message
//! that is not done none is taken in. Groups do not wait for each other.
//! A message that is wrong is told to the operator, and either ignored (it is done) or left to
//! the queue (so is one that only this program cannot take in), which lays it aside after some
//! receives. Those behind it come again with it, and are then taken in although it is still
//! wrong: each receive counts against them too, and they shall not be laid aside with it.
//! Does not: receive or delete; that is the follower's, or Lambda's.
//! Called by: the follower of a queue, and the Lambda function that a queue invokes.

use std::{
    collections::HashMap,
    fmt::Write,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};

use futures::{FutureExt, future::join_all};
use rungs_core::Event;
use rungs_runners::data;
use tokio::sync::Semaphore;

use crate::{
    config::{Invalid, Roesc},
    engine::{Engine, TakenIn},
    store::{
        StoreError,
        events::Received,
        messages::{Deed, Done},
        processes::Change,
    },
};

use super::{
    NewProcess, Refusal,
    change::too_much,
    request::Request,
    roesc::{self, RoescRequest},
    start::{Newest, prepare},
};

/// Groups that are taken in beside each other.
const GROUPS_AT_ONCE: usize = 4;
/// What is wrong with a message is told in so many characters at most.
const LONGEST_WORDS: usize = 500;

/// What messages are taken in by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What roesc's requests leave open.
    pub roesc: Roesc,
    /// What becomes of a message that is wrong.
    pub invalid: Invalid,
}

/// A message, as a queue gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of it: the same whenever it comes again.
    pub id: String,
    /// Messages of one group are taken in in their order; without a group it stands alone.
    pub group: Option<String>,
    /// JSON, it should be.
    pub body: String,
    /// How often it has come, this time included.
    pub receives: u32,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with, and may be deleted.
    Done,
    /// It is wrong, and left to the queue.
    Invalid,
    /// It waits for one before it in its group.
    Behind,
    /// The database is in trouble.
    Trouble,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Batch {
    /// Of each message, in their order.
    pub verdicts: Vec<Verdict>,
    /// All of it, counted.
    pub tally: TakenIn,
    /// What the database said, if it was in trouble.
    pub trouble: Option<StoreError>,
}

/// Takes in messages that came together, in the order in which they came.
pub async fn take_in(engine: &Engine, rules: &Rules, messages: &[Message]) -> Batch {
    let few = Semaphore::new(GROUPS_AT_ONCE);
    let halted = AtomicBool::new(false);
    let groups = groups(messages).into_iter().map(async |group| {
        // It is never closed.
        let _turn = few.acquire().await;
        take_group(engine, rules, group, &halted).await
    });
    let mut batch = Batch {
        verdicts: vec![Verdict::Behind; messages.len()],
        tally: TakenIn { messages: messages.len(), ..TakenIn::default() },
        trouble: None,
    };
    for group in join_all(groups).await {
        for (place, verdict) in group.verdicts {
            batch.tally.left += usize::from(verdict != Verdict::Done);
            if let Some(slot) = batch.verdicts.get_mut(place) {
                *slot = verdict;
            }
        }
        batch.tally += group.tally;
        batch.trouble = batch.trouble.or(group.trouble);
    }
    engine.metrics.taken_in(&batch.tally);
    if batch.trouble.is_some() {
        engine.metrics.database_error();
    }
    batch
}

/// Messages of one group, each with its place in the batch.
type Group<'a> = Vec<(usize, &'a Message)>;

fn groups(messages: &[Message]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, message) in messages.iter().enumerate() {
        let at = match &message.group {
            Some(name) => *known.entry(name).or_insert(groups.len()),
            None => groups.len(),
        };
        match groups.get_mut(at) {
            Some(group) => group.push((place, message)),
            None => groups.push(vec![(place, message)]),
        }
    }
    groups
}

#[derive(Default)]
struct Taken {
    verdicts: Vec<(usize, Verdict)>,
    tally: TakenIn,
    trouble: Option<StoreError>,
}

async fn take_group(
    engine: &Engine,
    rules: &Rules,
    group: Group<'_>,
    halted: &AtomicBool,
) -> Taken {
    let mut taken = Taken::default();
    let mut before = None;
    for (place, message) in group {
        let verdict = match before {
            _ if halted.load(Ordering::Relaxed) => Verdict::Trouble,
            None => take_one(engine, rules, message, &mut taken).await,
            Some(Verdict::Invalid) if message.receives > 1 => {
                take_one(engine, rules, message, &mut taken).await
            }
            Some(_) => Verdict::Behind,
        };
        match verdict {
            Verdict::Done => {}
            Verdict::Trouble => {
                // It would be no better for the others, and each would wait for it.
                halted.store(true, Ordering::Relaxed);
                before = Some(verdict);
            }
            _ => before = Some(verdict),
        }
        taken.verdicts.push((place, verdict));
    }
    taken
}

async fn take_one(engine: &Engine, rules: &Rules, message: &Message, taken: &mut Taken) -> Verdict {
    let took = AssertUnwindSafe(take(engine, rules, message)).catch_unwind().await;
    let took = took.unwrap_or_else(|_| {
        Err(Refusal::Conflict("this program met a defect of its own in it".to_owned()))
    });
    let answered = match took {
        Ok(done) => {
            count(done.as_ref(), &mut taken.tally);
            if is_news(done.as_ref()) {
                engine.wake.evaluator();
            }
            let (message_id, repeated) = (message.id.as_str(), done.is_none());
            tracing::debug!(message_id, repeated, "a message was taken in");
            Ok(Verdict::Done)
        }
        Err(Refusal::Store(error)) if !error.is_about_data() => Err(error),
        Err(refusal) => refuse(engine, rules, message, &refusal, &mut taken.tally).await,
    };
    answered.unwrap_or_else(|error| {
        taken.trouble = Some(error);
        Verdict::Trouble
    })
}

/// Does what a message asks for; `None` if that was done before.
async fn take(engine: &Engine, rules: &Rules, message: &Message) -> Result<Option<Done>, Refusal> {
    match Request::read(&message.body)? {
        Request::Start(new) => start(engine, message, new).await,
        Request::Roesc(RoescRequest::Start { process_id, notifications }) => {
            let new = roesc::climbing(&rules.roesc, process_id, &notifications);
            start(engine, message, new).await
        }
        Request::Roesc(RoescRequest::Stop { process_id }) => {
            do_it(engine, message, Deed::Stop { process_id: &process_id, reason: None }).await
        }
        Request::Stop { process_id, reason } => {
            let reason = reason.as_deref();
            do_it(engine, message, Deed::Stop { process_id: &process_id, reason }).await
        }
        Request::Event { process_id, event: new } => {
            let event = Event { r#type: new.r#type, data: new.data, at: engine.clock.now() };
            let id = new.id.as_ref().unwrap_or(&message.id);
            let (process_id, event) = (process_id.as_str(), &event);
            let deed = Deed::Event { process_id, id, event, most_data: data::MOST };
            match do_it(engine, message, deed).await? {
                Some(Done::Told(Received::TooMuch)) => Err(too_much()),
                done => Ok(done),
            }
        }
    }
}

async fn start(
    engine: &Engine,
    message: &Message,
    new: NewProcess,
) -> Result<Option<Done>, Refusal> {
    let process = prepare(engine, new, &mut Newest::default()).await?;
    do_it(engine, message, Deed::Start(&process)).await
}

async fn do_it(
    engine: &Engine,
    message: &Message,
    deed: Deed<'_>,
) -> Result<Option<Done>, Refusal> {
    Ok(engine.store.take(&message.id, deed, engine.clock.now()).await?)
}

/// A message is wrong. The operator is told once: whoever sent it reads no answer.
async fn refuse(
    engine: &Engine,
    rules: &Rules,
    message: &Message,
    refusal: &Refusal,
    tally: &mut TakenIn,
) -> Result<Verdict, StoreError> {
    let (store, id, now) = (&engine.store, message.id.as_str(), engine.clock.now());
    // What this program cannot do, another may: that is not the message's fault.
    let is_left = rules.invalid == Invalid::DeadLetter || matches!(refusal, Refusal::Conflict(_));
    // It may have been right when it was taken in.
    let was_taken = if is_left {
        store.has_taken(id).await?
    } else {
        store.take(id, Deed::Nothing, now).await?.is_none()
    };
    if was_taken {
        tally.repeated += 1;
        return Ok(Verdict::Done);
    }
    tally.invalid += 1;
    let (group, problem) = (message.group.as_deref(), words(refusal));
    if !is_left {
        tracing::warn!(message_id = id, group, problem, "a message is wrong; it is ignored");
        return Ok(Verdict::Done);
    }
    if message.receives <= 1 {
        let what = "a message is not taken in; it is left to the queue's redrive policy";
        tracing::warn!(message_id = id, group, problem, "{what}");
    }
    Ok(Verdict::Invalid)
}

fn is_news(done: Option<&Done>) -> bool {
    matches!(done, Some(Done::Started(true) | Done::Told(Received::Taken)))
}

fn count(done: Option<&Done>, tally: &mut TakenIn) {
    let counter = match done {
        None => &mut tally.repeated,
        Some(Done::Started(true)) => &mut tally.started,
        Some(Done::Stopped(Change::Done(_))) => &mut tally.stopped,
        Some(Done::Told(Received::Taken)) => &mut tally.told,
        Some(_) => &mut tally.ignored,
    };
    *counter += 1;
}

/// What is wrong, for the log: places, and no values of the data.
fn words(refusal: &Refusal) -> String {
    let mut words = match refusal {
        Refusal::Sequence { diagnostics, .. } => {
            let mut words = "its steps have errors:".to_owned();
            for one in diagnostics.iter().filter(|one| one.is_error()) {
                // Writing to a string cannot fail.
                let _ = write!(words, " {}: {};", one.pointer, one.message);
            }
            words
        }
        Refusal::Data(problems) => {
            let mut words = "its data does not fit at:".to_owned();
            for one in problems {
                let _ = write!(words, " /data{}", one.pointer);
            }
            words
        }
        Refusal::Invalid { pointer, message } if !pointer.is_empty() => {
            format!("{pointer}: {message}")
        }
        Refusal::Store(_) => "it has a value that no database keeps".to_owned(),
        other => other.to_string(),
    };
    if let Some((end, _)) = words.char_indices().nth(LONGEST_WORDS) {
        words.truncate(end);
        words.push('…');
    }
    words
}
