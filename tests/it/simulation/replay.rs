//! The strongest look at a run: every process is climbed once more, by the pure core alone,
//! from what it was started with and told, at the moments that its history names. The second
//! climb must write the very same history and deliveries, and end where the first did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use rungs::store::{entity::delivery, history::Moment};
use rungs_core::{
    Advanced, Delivery, Entry, Event, News, Process, Sequence, Start, Status, advance,
    moving::Versions,
};
use rungs_runners::{Answer, DeliveryStatus, DeliveryView};
use serde_json::Value;

use super::{
    acts,
    ledger::{Broken, Ledger},
    seen,
    world::Base,
};

/// Everything that is kept of one process.
pub struct Kept {
    pub process: Process,
    pub history: Vec<Moment>,
    pub events: Vec<seen::Event>,
    pub deliveries: Vec<delivery::Model>,
}

impl Kept {
    /// Everything that is kept of every process.
    pub async fn all(base: &Base) -> Vec<Self> {
        let seen = base.looker.look().await;
        let mut events: BTreeMap<String, Vec<seen::Event>> = BTreeMap::new();
        for event in base.looker.events().await {
            events.entry(event.process_key.clone()).or_default().push(event);
        }
        let mut all = Vec::new();
        for key in seen.processes.keys() {
            all.push(Self {
                process: base.store.process_by_key(key).await.unwrap().unwrap(),
                history: base.store.history(key, 0, 1_000_000).await.unwrap(),
                events: events.remove(key).unwrap_or_default(),
                deliveries: base.store.deliveries_of(key).await.unwrap(),
            });
        }
        all
    }
}

/// Climbs a process again. Answers the climb itself: what it did, step by step.
pub fn cursor_history_and_deliveries_agree(
    kept: &Kept,
    data: Value,
    ledger: &Ledger,
) -> Result<Vec<String>, Broken> {
    a_delivery_of_a_stay_is_never_repeated(kept)?;
    let sequence = version(kept, first_version(kept), ledger)?;
    let mut again = Again::start(sequence, kept, data)?;
    for (rows, moment) in (0..).zip(&kept.history) {
        // What it was told had made it due; the history does not say when.
        let due_at = ledger.due.get(&(kept.process.key.clone(), rows)).copied().flatten();
        again.is_due(due_at.map(seen::moment))?;
        again.at(moment, ledger)?;
    }
    again.ends_alike()?;
    Ok(again.climb)
}

fn version<'a>(kept: &Kept, number: i32, ledger: &'a Ledger) -> Result<&'a Sequence, Broken> {
    match ledger.sequences.get(&(kept.process.sequence.clone(), number)) {
        Some(sequence) => Ok(sequence),
        None => broken(format!("there is no version {number}: {:#?}", kept.process)),
    }
}

/// The version with which a process started.
fn first_version(kept: &Kept) -> i32 {
    let mut entries = kept.history.iter().flat_map(|moment| &moment.entries);
    let moved = entries.find_map(|entry| match entry {
        Entry::Moved { from, .. } => Some(*from),
        _ => None,
    });
    moved.unwrap_or(kept.process.version)
}

/// However often a process is moved: what a stay has sent it does not send again, and what it
/// sends has an id that nothing had before. Questions are asked anew.
fn a_delivery_of_a_stay_is_never_repeated(kept: &Kept) -> Result<(), Broken> {
    use rungs_runners::Action;
    let mut ids = BTreeSet::new();
    // Whether the stay that goes on has written.
    let mut stay: Option<bool> = None;
    for entry in kept.history.iter().flat_map(|moment| &moment.entries) {
        match entry {
            Entry::Visited { action: Action::Noop, .. } => stay = stay.or(Some(false)),
            Entry::Visited { .. } | Entry::Achieved { .. } | Entry::Failed { .. } => stay = None,
            Entry::Wrote { delivery, channel, .. } => {
                let again = stay == Some(true) && channel != "Ask";
                if again || !ids.insert(delivery) {
                    let what = format!("{delivery} of {:#?}", kept.history);
                    return Err(Broken::new("a_delivery_of_a_stay_is_never_repeated", what));
                }
                stay = Some(true);
            }
            _ => {}
        }
    }
    Ok(())
}

struct Again<'a> {
    sequence: &'a Sequence,
    kept: &'a Kept,
    process: Process,
    /// Events it has not heard.
    events: VecDeque<&'a seen::Event>,
    written: Vec<Delivery>,
    /// Those of them that gave way to others, and are not kept.
    superseded: BTreeSet<String>,
    /// The last that was heard of each delivery.
    heard: BTreeMap<String, String>,
    climb: Vec<String>,
}

fn broken<T>(what: String) -> Result<T, Broken> {
    Err(Broken::new("cursor_history_and_deliveries_agree", what))
}

impl<'a> Again<'a> {
    fn start(sequence: &'a Sequence, kept: &'a Kept, data: Value) -> Result<Self, Broken> {
        let start = Start {
            key: kept.process.key.clone(),
            process_id: kept.process.process_id.clone(),
            version: first_version(kept),
            data,
            default_timezone: chrono_tz::UTC,
            now: kept.process.started_at,
        };
        let first = kept.history.first().map(|moment| moment.entries.as_slice());
        if first != Some(&[Entry::Started]) {
            return broken(format!("the history begins with {first:?}"));
        }
        let mut process = rungs_core::start(sequence, start).expect("it was started with that");
        // Who was started by a step lies deeper, from its first moment on.
        process.state.depth = kept.process.state.depth;
        Ok(Self {
            sequence,
            kept,
            process,
            events: kept.events.iter().collect(),
            written: vec![],
            superseded: BTreeSet::new(),
            heard: BTreeMap::new(),
            climb: vec![],
        })
    }

    /// News make a process due earlier, and nothing makes it due later.
    fn is_due(&mut self, due_at: Option<DateTime<Utc>>) -> Result<(), Broken> {
        match (self.process.due_at, due_at) {
            (_, None) => {}
            (Some(was), Some(now)) if now > was => {
                return broken(format!(
                    "it is due at {now}, and was at {was}: {:#?}",
                    self.process
                ));
            }
            (_, Some(now)) => self.process.due_at = Some(now),
        }
        Ok(())
    }

    /// One row of its history.
    fn at(&mut self, moment: &Moment, ledger: &'a Ledger) -> Result<(), Broken> {
        let Moment { at, entries, .. } = moment;
        match entries.as_slice() {
            [Entry::Started] => {}
            [Entry::Paused] => self.process.status = Status::Paused,
            [Entry::Resumed] => {
                self.process.status = Status::Active;
                self.process.due_at = Some(*at);
                (self.process.reason, self.process.ended_at) = (None, None);
            }
            [Entry::Stopped { reason }] => {
                self.process.status = Status::Stopped;
                self.process.reason.clone_from(reason);
                (self.process.due_at, self.process.ended_at) = (None, Some(*at));
            }
            [entry @ Entry::Moved { to, .. }] => {
                let to = (*to, version(self.kept, *to, ledger)?);
                self.move_over(to, entry, *at)?;
            }
            _ => self.cycle(*at, entries, ledger)?,
        }
        Ok(())
    }

    fn move_over(
        &mut self,
        (number, to): (i32, &'a Sequence),
        entry: &Entry,
        at: DateTime<Utc>,
    ) -> Result<(), Broken> {
        let versions = Versions { from: Some(self.sequence), to };
        match versions.move_over(self.process.clone(), number, false, at) {
            Ok(moved) if moved.entry == *entry => {
                for delivery in &mut self.written {
                    let renamed = moved.renamed.iter().find(|(from, _)| *from == delivery.step);
                    if let Some((_, to)) = renamed {
                        delivery.step.clone_from(to);
                    }
                }
                (self.sequence, self.process) = (to, moved.process);
                self.climb.push(MOVED.to_owned());
                Ok(())
            }
            other => broken(format!("it was moved as {entry:?}, and again {other:#?}")),
        }
    }

    fn cycle(
        &mut self,
        at: DateTime<Utc>,
        entries: &[Entry],
        ledger: &Ledger,
    ) -> Result<(), Broken> {
        let (news, told) = self.news(entries, ledger)?;
        let before: BTreeSet<String> = self.written.iter().map(|it| it.id.clone()).collect();
        let Advanced { process, deliveries, history, superseded, .. } =
            advance(self.sequence, self.process.clone(), news, at);
        if history != entries {
            return broken(format!(
                "{} at {at}, from {:#?}\nwrote {entries:#?}\nand again {history:#?}",
                self.process.process_id, self.process
            ));
        }
        self.process = process;
        self.written.extend(deliveries);
        self.superseded.extend(superseded);
        if history.iter().any(|entry| matches!(entry, Entry::Achieved { .. })) {
            nobody_is_contacted_after_an_achieved_goal(&self.process, &told, &before, ledger)?;
        }
        self.climb.extend(history.iter().filter_map(rung));
        Ok(())
    }

    /// What it was told in this cycle: the entries say what, and the rows how.
    fn news(
        &mut self,
        entries: &[Entry],
        ledger: &Ledger,
    ) -> Result<(Vec<News>, Vec<String>), Broken> {
        let (mut news, mut told) = (Vec::new(), Vec::new());
        for entry in entries {
            match entry {
                Entry::Happened { event } => {
                    let Some(row) = self.events.pop_front().filter(|row| row.r#type == *event)
                    else {
                        return broken(format!("it heard {event}, and there is no such event"));
                    };
                    told.push(row.id.clone());
                    news.push(News::Event(Event {
                        r#type: event.clone(),
                        data: serde_json::from_str(&row.data).unwrap(),
                        at: seen::moment(row.at),
                    }));
                }
                Entry::Heard { step, delivery, status, error, answer } => {
                    self.heard.insert(delivery.clone(), status.clone());
                    let given = answer.as_ref().map(Answer::shown);
                    let mut rows = self.kept.deliveries.iter();
                    let done = rows.find(|row| row.id == *delivery).and_then(acts::answer);
                    let known = done.map(|done| done.shown());
                    let known = known.as_ref().or_else(|| ledger.answers.get(delivery));
                    if given.is_some() && given.as_ref() != known {
                        return broken(format!("it heard {answer:?} from {delivery}"));
                    }
                    news.push(News::Delivery(DeliveryView {
                        id: delivery.clone(),
                        step: step.clone(),
                        status: DeliveryStatus::parse(status).expect("a status"),
                        attempts: 0,
                        provider_id: None,
                        error: error.clone(),
                        answer: answer.clone(),
                    }));
                }
                _ => break,
            }
        }
        Ok((news, told))
    }

    fn ends_alike(&self) -> Result<(), Broken> {
        let (mut again, mut kept) = (self.process.clone(), self.kept.process.clone());
        // A process that was told something while it did not go on has not heard it, and is
        // due for that alone.
        let unheard = self.kept.events.iter().any(|event| !event.applied)
            || self.kept.deliveries.iter().any(|delivery| delivery.news);
        for process in [&mut again, &mut kept] {
            // Not told in the history.
            if let Some(open) = &mut process.state.delivery {
                (open.attempts, open.provider_id) = (0, None);
            }
            if unheard && process.status == Status::Paused {
                process.due_at = None;
            }
        }
        if again != kept {
            return broken(format!("{kept:#?}\nand again {again:#?}"));
        }
        if unheard && kept.status == Status::Active {
            return broken(format!("it has not heard everything: {kept:#?}"));
        }
        self.heard_every_event()?;
        self.wrote_the_same()
    }

    fn heard_every_event(&self) -> Result<(), Broken> {
        let left: Vec<&seen::Event> = self.events.iter().copied().collect();
        let unapplied: Vec<&seen::Event> =
            self.kept.events.iter().filter(|event| !event.applied).collect();
        if left == unapplied {
            Ok(())
        } else {
            broken(format!("unheard: {left:#?}, kept: {unapplied:#?}"))
        }
    }

    fn wrote_the_same(&self) -> Result<(), Broken> {
        let mut rows: BTreeMap<&str, &delivery::Model> =
            self.kept.deliveries.iter().map(|row| (row.id.as_str(), row)).collect();
        for delivery in self.written.iter().filter(|it| !self.superseded.contains(&it.id)) {
            let Some(row) = rows.remove(delivery.id.as_str()) else {
                return broken(format!("{delivery:#?} is not there"));
            };
            let request: Value = serde_json::from_str(&row.request).unwrap();
            let retry = row.retry.as_deref().map(|retry| serde_json::from_str(retry).unwrap());
            let quiet =
                delivery.held.as_ref().map(|held| serde_json::to_string(&held.quiet).unwrap());
            let same = row.step == delivery.step
                && row.channel == delivery.what.channel
                && request == delivery.what.request
                && retry == delivery.retry
                && row.in_doubt.as_deref().unwrap_or("send") == delivery.in_doubt.as_str()
                && row.late_at == delivery.late.map(|(at, _)| at.timestamp_millis())
                && row.quiet == quiet
                && row.late_then.as_deref() == delivery.late.map(|(_, then)| then.as_str());
            if !same {
                return broken(format!("{row:#?}\nand again {delivery:#?}"));
            }
            let last = self.heard.get(&row.id).map(String::as_str);
            if !row.news && row.settled_at.is_some() && last != Some(row.status.as_str()) {
                let cancelled = row.status == "cancelled" && last.is_none();
                if !cancelled {
                    return broken(format!("{row:#?}, of which it heard {last:?}"));
                }
            }
        }
        match rows.into_values().next() {
            None => Ok(()),
            Some(row) => broken(format!("nobody wrote {row:#?}")),
        }
    }
}

/// Once an event that achieves a goal was answered, no delivery that was written before
/// the goal begins.
fn nobody_is_contacted_after_an_achieved_goal(
    process: &Process,
    told: &[String],
    before: &BTreeSet<String>,
    ledger: &Ledger,
) -> Result<(), Broken> {
    let answered = |event: &String| ledger.events.get(&(process.process_id.clone(), event.clone()));
    let Some(answered) = told.iter().filter_map(answered).max() else { return Ok(()) };
    let late = ledger
        .begun
        .iter()
        .find(|begun| begun.tick > *answered && before.contains(&begun.delivery));
    match late {
        None => Ok(()),
        Some(begun) => Err(Broken::new(
            "nobody_is_contacted_after_an_achieved_goal",
            format!("{begun:?}, though {told:?} was answered in tick {answered}"),
        )),
    }
}

/// What a climb says of a move. None is compared that has one.
pub const MOVED: &str = "moved";

/// What of a climb does not depend on when it happened.
fn rung(entry: &Entry) -> Option<String> {
    use rungs_runners::Action;
    match entry {
        Entry::Visited { action: Action::Noop, .. } => None,
        Entry::Visited { step, action, .. } => Some(format!("{step} {action:?}")),
        Entry::Wrote { step, channel, .. } => Some(format!("{step} wrote {channel}")),
        Entry::Achieved { step, from } => Some(format!("{step} achieved from {from}")),
        Entry::Completed => Some("completed".to_owned()),
        Entry::Failed { .. } => Some("failed".to_owned()),
        _ => None,
    }
}
