//! The ledger of a run: what happened when, and what must hold at every single commit.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rungs_core::Sequence;
use serde_json::Value;

use super::{
    outside::Answer,
    provider::Taken,
    scenario::{Deed, What},
    seen::{Delivery, Seen},
};

/// A promise that was broken.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The name of the function that found it.
    pub invariant: &'static str,
    pub what: String,
}

impl Broken {
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

/// An attempt that began.
#[derive(Debug, Clone)]
pub struct Begun {
    pub tick: u64,
    pub delivery: String,
    pub process_key: String,
    pub attempt: i32,
    pub lease_until: Option<i64>,
}

/// What happened in a run. A tick is a step of the world; in each, one thing moves.
pub struct Ledger {
    pub tick: u64,
    pub sequences: BTreeMap<(String, i32), Sequence>,
    pub begun: Vec<Begun>,
    /// When each stop was answered, by the process's key.
    pub stops: BTreeMap<String, u64>,
    /// When each event was answered, by `process_id` and event id.
    pub events: BTreeMap<(String, String), u64>,
    /// Processes that a start was answered with.
    pub starts: BTreeSet<String>,
    /// Attempts of which we did not learn how they ended: the provider gave no answer, our
    /// program died, or it came back after its lease.
    pub doubtful: BTreeSet<(String, i32)>,
    /// Processes that had such an attempt.
    pub shaken: BTreeSet<String>,
    /// When each process was due before its history got its next row: by key and rows so far.
    pub due: BTreeMap<(String, i64), Option<i64>>,
    pub taken: Vec<Taken>,
    /// What each question was answered, by its delivery.
    pub answers: BTreeMap<String, Value>,
    /// What could not be found at the provider, since a clock was wrong.
    pub hidden: BTreeSet<String>,
    pub crashes: usize,
}

impl Ledger {
    pub fn new(sequences: BTreeMap<(String, i32), Sequence>) -> Self {
        Self {
            tick: 0,
            sequences,
            begun: vec![],
            stops: BTreeMap::new(),
            events: BTreeMap::new(),
            starts: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            shaken: BTreeSet::new(),
            due: BTreeMap::new(),
            taken: vec![],
            answers: BTreeMap::new(),
            hidden: BTreeSet::new(),
            crashes: 0,
        }
    }

    /// An attempt of which nobody knows how it ended.
    pub fn doubt(&mut self, seen: &Seen, delivery: &str, attempt: u32) {
        self.doubtful.insert((delivery.to_owned(), i32::try_from(attempt).unwrap()));
        self.shake(seen, delivery);
    }

    fn shake(&mut self, seen: &Seen, delivery: &str) {
        let process = seen.deliveries.get(delivery).and_then(|it| seen.process_of(it));
        self.shaken.extend(process.map(|process| process.process_id.clone()));
    }

    /// A program dies with the attempts that it has under way.
    pub fn crash(&mut self, seen: &Seen, taken: &[Taken], program: usize) {
        for delivery in seen.deliveries.values().filter(|delivery| delivery.status == "sending") {
            // Whose attempt it is shows only once the provider has it.
            self.shake(seen, &delivery.id);
            let its = |taken: &&Taken| {
                taken.delivery == delivery.id
                    && i32::try_from(taken.attempt) == Ok(delivery.attempts)
                    && taken.program == program
            };
            if taken.iter().any(|taken| its(&taken)) {
                self.doubtful.insert((delivery.id.clone(), delivery.attempts));
            }
        }
    }

    /// Time passes; leases run out.
    pub fn expire(&mut self, seen: &Seen, now: DateTime<Utc>) {
        for delivery in seen.deliveries.values().filter(|delivery| delivery.status == "sending") {
            if delivery.lease_until.is_some_and(|until| until <= now.timestamp_millis()) {
                self.doubtful.insert((delivery.id.clone(), delivery.attempts));
                self.shake(seen, &delivery.id);
            }
        }
    }

    /// An attempt has come to its channel: it does so only while its lease runs.
    pub fn made(&self, delivery: &str, attempt: u32, now: DateTime<Utc>) -> Result<(), Broken> {
        let its = |begun: &&Begun| {
            begun.delivery == delivery && i32::try_from(attempt) == Ok(begun.attempt)
        };
        let begun = self.begun.iter().rev().find(its);
        let lease_until = begun.and_then(|begun| begun.lease_until);
        if lease_until.is_some_and(|until| now.timestamp_millis() < until) {
            return Ok(());
        }
        let what = format!("attempt {attempt} of {delivery} at {now}: {begun:?}");
        Err(Broken::new("an_attempt_is_made_only_while_its_lease_runs", what))
    }

    /// Somebody outside was answered.
    pub fn answered(&mut self, deed: &Deed, answer: &Answer) -> Result<(), Broken> {
        match (answer, &deed.what) {
            (Answer::Trouble(error), _) => return Err(Broken::new("the_database_is_well", error)),
            (Answer::Stopped { key }, _) => {
                self.stops.entry(key.clone()).or_insert(self.tick);
            }
            (Answer::Started { key, .. }, _) => {
                self.starts.insert(key.clone());
            }
            (Answer::Told, What::Event { id, .. }) => {
                self.events.entry((deed.process.clone(), id.clone())).or_insert(self.tick);
            }
            (Answer::Refused(why), What::Start) => {
                return Err(Broken::new("a_start_is_taken", format!("{deed:?}: {why}")));
            }
            _ => {}
        }
        Ok(())
    }

    /// Something was committed.
    pub fn look(&mut self, before: &Seen, after: &Seen, taken: &[Taken]) -> Result<(), Broken> {
        for (id, now) in &after.deliveries {
            let was = before.deliveries.get(id).map_or(0, |was| was.attempts);
            if now.attempts > was {
                self.begun.push(Begun {
                    tick: self.tick,
                    delivery: id.clone(),
                    process_key: now.process_key.clone(),
                    attempt: now.attempts,
                    lease_until: now.lease_until,
                });
            }
        }
        for (key, was) in &before.processes {
            if after.processes.get(key).is_some_and(|now| now.rows > was.rows) {
                self.due.insert((key.clone(), was.rows), was.due_at);
            }
        }
        an_attempt_begins_only_of_an_active_process_that_has_heard_everything(before, after)?;
        nothing_begins_in_quiet_hours(before, after)?;
        nobody_is_contacted_after_an_answered_stop(self)?;
        what_is_known_is_not_forgotten_again(before, after)?;
        what_an_attempt_said_is_believed(after)?;
        nothing_is_adopted_that_is_known_to_be_anothers(before, after, taken)?;
        a_name_has_one_live_process(after)?;
        nothing_is_left_that_nobody_will_wake(self, after)
    }
}

/// Whoever is about to be contacted is contacted only if nothing that was committed speaks
/// against it: no stop, no pause, no event that is still to be heard.
fn an_attempt_begins_only_of_an_active_process_that_has_heard_everything(
    before: &Seen,
    after: &Seen,
) -> Result<(), Broken> {
    for (id, now) in &after.deliveries {
        let was = before.deliveries.get(id);
        if now.attempts <= was.map_or(0, |was| was.attempts) {
            continue;
        }
        let process = before.processes.get(&now.process_key);
        let may = was.is_some_and(|was| was.status == "pending" && !was.withdrawn)
            && process.is_some_and(|it| it.status == "active" && !it.woken && it.unheard == 0);
        if !may || now.attempts != was.map_or(0, |was| was.attempts) + 1 {
            return Err(Broken::new(
                "an_attempt_begins_only_of_an_active_process_that_has_heard_everything",
                format!("{was:#?}\nof {process:#?}\nbecame {now:#?}"),
            ));
        }
    }
    Ok(())
}

/// By the clock of whoever began it, which is all that anybody can go by.
fn nothing_begins_in_quiet_hours(before: &Seen, after: &Seen) -> Result<(), Broken> {
    for (id, now) in &after.deliveries {
        let was = before.deliveries.get(id).map_or(0, |was| was.attempts);
        let Some(quiet) = now.quiet.as_ref().filter(|_| now.attempts > was) else { continue };
        let quiet: rungs_runners::hours::Quiet = serde_json::from_str(quiet).unwrap();
        let begun_at = now.begun_at.and_then(DateTime::from_timestamp_millis).unwrap();
        if quiet.leaves_at(begun_at) != Some(begun_at) {
            let what = format!("{now:#?}\nbegan at {begun_at}");
            return Err(Broken::new("nothing_begins_in_quiet_hours", what));
        }
    }
    Ok(())
}

fn nobody_is_contacted_after_an_answered_stop(ledger: &Ledger) -> Result<(), Broken> {
    let last = ledger.begun.iter().rev().take_while(|begun| begun.tick == ledger.tick);
    for begun in last {
        if ledger.stops.get(&begun.process_key).is_some_and(|stopped| begun.tick > *stopped) {
            return Err(Broken::new(
                "nobody_is_contacted_after_an_answered_stop",
                format!("{begun:?}"),
            ));
        }
    }
    Ok(())
}

/// Nothing goes back: a delivery that the provider has is not tried again, what is final
/// stays, and no row goes away, but that of a question which is asked anew.
fn what_is_known_is_not_forgotten_again(before: &Seen, after: &Seen) -> Result<(), Broken> {
    let broken = |what: String| Err(Broken::new("what_is_known_is_not_forgotten_again", what));
    for (id, was) in &before.deliveries {
        let Some(now) = after.deliveries.get(id) else {
            if is_superseded(was, after) {
                continue;
            }
            return broken(format!("{was:#?} is gone"));
        };
        let settled = |status: &str| {
            !matches!(status, "pending" | "sending" | "in-doubt" | "sent" | "answered")
        };
        let fine = (!was.is_taken() || now.is_taken())
            && (!settled(&was.status) || was.status == now.status)
            && (!was.withdrawn || now.withdrawn)
            && was.attempts <= now.attempts;
        if !fine {
            return broken(format!("{was:#?}\nbecame {now:#?}"));
        }
    }
    for (key, was) in &before.processes {
        let Some(now) = after.processes.get(key) else {
            return broken(format!("{was:#?} is gone"));
        };
        let ended = matches!(was.status.as_str(), "completed" | "stopped");
        if ended && (&was.status, &was.cursor) != (&now.status, &now.cursor) {
            return broken(format!("{was:#?}\nbecame {now:#?}"));
        }
    }
    Ok(())
}

/// A question that was answered may give way to another of its process and step.
fn is_superseded(was: &Delivery, after: &Seen) -> bool {
    let its = |it: &&Delivery| (&it.process_key, &it.step) == (&was.process_key, &was.step);
    let another = after.deliveries.values().filter(its).any(|it| it.status == "pending");
    was.channel == "Ask" && was.status == "completed" && another
}

/// That the provider took it is true whichever attempt says so, however late.
fn what_an_attempt_said_is_believed(after: &Seen) -> Result<(), Broken> {
    let open = |status: &str| matches!(status, "pending" | "sending" | "in-doubt");
    let mut deliveries = after.deliveries.values();
    match deliveries.find(|it| open(&it.status) && it.log.contains(r#""what":"sent""#)) {
        Some(it) => Err(Broken::new("what_an_attempt_said_is_believed", format!("{it:#?}"))),
        None => Ok(()),
    }
}

/// Of calls to one number nobody can say which is whose; but one that another delivery has is
/// not taken for this one.
fn nothing_is_adopted_that_is_known_to_be_anothers(
    before: &Seen,
    after: &Seen,
    taken: &[Taken],
) -> Result<(), Broken> {
    for (id, now) in &after.deliveries {
        let was = before.deliveries.get(id).and_then(|was| was.provider_id.as_ref());
        let Some(provider_id) = now.provider_id.as_ref().filter(|_| was.is_none()) else {
            continue;
        };
        let its_own = taken.iter().any(|it| it.provider_id == *provider_id && it.delivery == *id);
        let owner =
            before.deliveries.values().find(|it| it.provider_id.as_ref() == Some(provider_id));
        if let (false, Some(owner)) = (its_own, owner) {
            return Err(Broken::new(
                "nothing_is_adopted_that_is_known_to_be_anothers",
                format!("{now:#?}\nhas what belongs to {owner:#?}"),
            ));
        }
    }
    Ok(())
}

fn a_name_has_one_live_process(after: &Seen) -> Result<(), Broken> {
    let mut names = BTreeSet::new();
    let mut live = after.processes.values().filter(|process| process.is_live());
    match live.find(|process| !names.insert(&process.process_id)) {
        Some(second) => Err(Broken::new("a_name_has_one_live_process", format!("{second:#?}"))),
        None => Ok(()),
    }
}

/// Every live process is due at some moment, or has a delivery under way of which it will
/// hear, or waits at a goal for an event; and whoever was told something is due.
fn nothing_is_left_that_nobody_will_wake(ledger: &Ledger, after: &Seen) -> Result<(), Broken> {
    let broken = |what: String| Err(Broken::new("nothing_is_left_that_nobody_will_wake", what));
    for process in after.processes.values().filter(|process| process.is_live()) {
        let its = || after.deliveries.values().filter(|it| it.process_key == process.key);
        let news = its().any(|delivery| delivery.news);
        let told = process.unheard > 0 || news;
        if told && !(process.woken && process.due_at.is_some()) {
            return broken(format!("{process:#?} was told something and is not due"));
        }
        let follows = its().any(|it| Some(&it.step) == process.cursor.as_ref() && it.is_open());
        if process.due_at.is_none()
            && !follows
            && !stands_at_a_goal(ledger, process.cursor.as_deref())
        {
            return broken(format!("{process:#?}, {:#?}", its().collect::<Vec<_>>()));
        }
    }
    Ok(())
}

fn stands_at_a_goal(ledger: &Ledger, cursor: Option<&str>) -> bool {
    // Steps of different sequences may have the same name; a goal of either will do, since
    // the replay of the climb looks at it closely.
    let steps = ledger.sequences.values().flat_map(|sequence| &sequence.steps);
    steps
        .filter(|step| step.kind.goal || step.kind.listens)
        .any(|step| Some(step.id.as_str()) == cursor)
}
