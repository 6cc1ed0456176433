//! What `apply` would do, and what moving would do to the processes that live.
//!
//! Promises: changes nothing. Processes are counted by the database, however many there are;
//! one by one only as many are looked at as is said. What a process would do is what the core
//! simulates from where it stands, if people answer as they usually do.
//! Called by: `rungs plan`.

use chrono::{DateTime, TimeDelta, Utc};
use rungs_core::{
    Checked, Event, Process, Sequence, Status, check,
    contacts::{self, Contact, Difference},
    moving::{Stranded, Versions as Pair},
    plan::{Changes, changes},
    simulate::{self, End, Simulation, Written},
    take_in,
};

use super::{Refusal, sequences, versions::Versions, written};
use crate::{engine::Engine, store::moves::Standing};

/// Cycles of a process that are looked ahead: a ladder that goes round and round is compared
/// for as long.
const AHEAD: usize = 500;
/// Both versions are simulated from the same moment, so the same contact is at the same time.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// Which processes are looked at one by one.
#[derive(Debug, Clone)]
pub enum Look {
    /// As many as this, spread over versions and steps.
    Some(u64),
    /// The live one with this id.
    One(String),
}

/// What would be.
#[derive(Debug)]
pub struct Plan {
    /// The sequence's name.
    pub name: String,
    /// The newest version that is published.
    pub published: Option<i32>,
    /// The version that the file would be, or is.
    pub version: i32,
    /// What changes; none if nothing is published yet.
    pub changes: Option<Changes>,
    /// The processes that live.
    pub standing: Vec<Group>,
    /// Those that were looked at.
    pub outlooks: Vec<Outlook>,
}

/// Processes of one version that stand at one step.
#[derive(Debug)]
pub struct Group {
    /// Which, and how many.
    pub standing: Standing,
    /// Where they would land, or why none of them can move.
    pub lands: Result<String, Stranded>,
}

/// What moving would do to one process.
#[derive(Debug)]
pub struct Outlook {
    /// The process as it is.
    pub process: Process,
    /// Where it would land, or why it cannot move.
    pub lands: Result<String, Stranded>,
    /// Whom it would reach otherwise than under its version, if it moved.
    pub difference: Difference,
    /// Whom it would reach next under its version.
    pub next_before: Option<Contact>,
    /// Whom it would reach next if it moved.
    pub next_after: Option<Contact>,
}

impl Plan {
    /// Whether the file says the same as what is published, to the letter.
    pub fn is_published(&self) -> bool {
        self.published == Some(self.version)
    }

    /// Live processes of older versions.
    pub fn older(&self) -> impl Iterator<Item = &Group> {
        self.standing.iter().filter(|group| group.standing.version != self.version)
    }
}

/// Compares a source with what is published and with what lives.
///
/// # Errors
/// [`Refusal::Sequence`] with everything that is wrong; a process that is asked for and does
/// not live.
pub async fn plan(engine: &Engine, source: &str, look: &Look) -> Result<Plan, Refusal> {
    let Checked { sequence, diagnostics } = check(source, &engine.kinds);
    let sequence = sequences::accepted(sequence, &diagnostics, source)?;
    let name = sequence.name.clone();
    let newest = engine.store.sequence(&name, None).await?;
    let published = newest.as_ref().map(|newest| newest.version);
    let is_same = newest.as_ref().is_some_and(|newest| newest.hash == sequences::hash(source));
    let version = published.map_or(1, |newest| if is_same { newest } else { newest + 1 });
    let written =
        |source: &str| check::written(source, &engine.kinds).unwrap_or(serde_json::Value::Null);
    let changes = newest.map(|newest| changes(&written(&newest.source), &written(source)));
    let mut versions = Versions::of(engine, &name);
    let mut standing: Vec<Group> = Vec::new();
    for group in engine.store.standing(&name).await? {
        let from = versions.get(group.version).await?;
        let pair = Pair { from: from.as_deref(), to: &sequence };
        let lands = match pair.stranded(&group.cursor, group.under_way) {
            Some(stranded) => Err(stranded),
            None => Ok(pair.landing(&group.cursor).unwrap_or_default().to_owned()),
        };
        // Those who follow what they sent stand beside those who do not only if that keeps them.
        match standing.last_mut().filter(|last| {
            let Standing { version, cursor, .. } = &last.standing;
            (*version, cursor, &last.lands) == (group.version, &group.cursor, &lands)
        }) {
            Some(last) => last.standing.count += group.count,
            None => standing.push(Group { standing: group, lands }),
        }
    }
    let mut outlooks = Vec::new();
    let processes = processes(engine, &name, version, look, &standing).await?;
    let mut under_way = written::under_way(engine, &processes).await?;
    let keys: Vec<&str> = processes.iter().map(|process| process.key.as_str()).collect();
    let mut unheard = engine.store.unheard_of(&keys).await?;
    for process in processes {
        let from = versions.get(process.version).await?;
        let pair = Pair { from: from.as_deref(), to: &sequence };
        let known = Known {
            under_way: under_way.remove(&process.key).unwrap_or_default(),
            unheard: unheard.remove(&process.key).unwrap_or_default(),
        };
        outlooks.push(outlook(&pair, process, known, version, engine.clock.now()));
        // A simulation takes its time, and others have theirs.
        tokio::task::yield_now().await;
    }
    Ok(Plan { name, published, version, changes, standing, outlooks })
}

async fn processes(
    engine: &Engine,
    name: &str,
    version: i32,
    look: &Look,
    standing: &[Group],
) -> Result<Vec<Process>, Refusal> {
    let most = match look {
        Look::Some(most) => *most,
        Look::One(id) => {
            let found = engine.store.process(id).await?;
            let process = found.ok_or_else(|| Refusal::UnknownProcess(id.clone()))?;
            if process.sequence != name || !process.status.is_live() {
                let Process { sequence, status, .. } = &process;
                let message = format!("process `{id}` of `{sequence}` is {}", status.as_str());
                return Err(Refusal::Conflict(message));
            }
            return Ok(vec![process]);
        }
    };
    let groups = standing.iter().filter(|group| group.standing.version != version).count() as u64;
    if groups == 0 || most == 0 {
        return Ok(vec![]);
    }
    Ok(engine.store.sample(name, version, most.div_ceil(groups), most).await?)
}

/// What is known of a process beside itself.
struct Known {
    /// What it has sent, and has not heard the end of.
    under_way: Vec<Written>,
    /// What it was told, and has not heard yet.
    unheard: Vec<Event>,
}

fn outlook(
    pair: &Pair<'_>,
    process: Process,
    mut known: Known,
    version: i32,
    now: DateTime<Utc>,
) -> Outlook {
    let moved = match pair.move_over(process.clone(), version, false, now) {
        _ if process.version == version => Ok((process.clone(), vec![])),
        Ok(moved) => Ok((moved.process, moved.renamed)),
        Err(stranded) => Err(stranded),
    };
    let lands = moved.as_ref().map(|(moved, _)| moved.cursor.clone().unwrap_or_default());
    let lands = lands.map_err(Clone::clone);
    let (mut before, mut after) = (vec![], vec![]);
    if let (Ok((moved, renamed)), Some(from)) = (moved, pair.from) {
        let stays = ahead(from, process.clone(), &known, now);
        for Written { record, .. } in &mut known.under_way {
            if let Some((_, step)) = renamed.iter().find(|(was, _)| *was == record.step) {
                record.step.clone_from(step);
            }
        }
        let goes = ahead(pair.to, moved, &known, now);
        let until = [&stays, &goes]
            .into_iter()
            .filter(|simulation| simulation.end == End::Endless)
            .map(|simulation| simulation.ended_at)
            .min()
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        before = contacts::of(&stays, from);
        after = contacts::of(&goes, pair.to);
        for contacts in [&mut before, &mut after] {
            contacts.retain(|contact| contact.at <= until);
        }
    }
    Outlook {
        process,
        lands,
        difference: contacts::difference(&before, &after, TOLERANCE),
        next_before: before.into_iter().next(),
        next_after: after.into_iter().next(),
    }
}

/// What a process would do, and one that is held if it were let go.
fn ahead(
    sequence: &Sequence,
    mut process: Process,
    known: &Known,
    now: DateTime<Utc>,
) -> Simulation {
    if process.status == Status::Paused {
        // Who resumes it makes it due.
        (process.status, process.due_at) = (Status::Active, Some(now));
    }
    for event in &known.unheard {
        take_in(sequence, &mut process, event);
        process.due_at = Some(process.due_at.map_or(now, |due_at| due_at.min(now)));
    }
    let usual: &[simulate::Answer] = &[];
    simulate::ahead(sequence, process, &known.under_way, now, AHEAD, &mut { usual })
}
