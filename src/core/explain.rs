//! Explain: where a process stands and why, and what happens next if nothing happens.
//!
//! Promises: pure, and made from what the engine goes by: the clause that holds a process is
//! what its runner answered, and what happens next is simulated from where it stands. Every
//! list and every value in it is bounded, whatever the process.
//! Does not: show more than `show` does, or decide anything.
//! Called by: intake, for the command line and the API.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_runners::{Explained, calendar};
use serde::Serialize;

use crate::{Entry, Process, Sequence, Status, process::iso};

mod ahead;
mod contacts;
mod goals;
mod standing;
mod words;

pub use crate::simulate::Written;
pub use ahead::{Ahead, Next};
pub use contacts::{Contact, MOST_CONTACTS};
pub use goals::GoalAhead;
pub use standing::{Held, LookedAt, Stands};

/// Everything that an explanation is made from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The process, with the events it has taken in.
    pub process: &'a Process,
    /// The version that it climbs, or why this program cannot run that.
    pub sequence: Result<&'a Sequence, &'a str>,
    /// What it wrote last, oldest first; [`MOST_CONTACTS`] of it are told.
    pub last: &'a [Written],
    /// How many it wrote before those.
    pub earlier_contacts: usize,
    /// What it wrote, and has not heard the end of.
    pub under_way: &'a [Written],
    /// The end of its history, oldest first.
    pub history: &'a [(DateTime<Utc>, Entry)],
    /// Channels that are not configured: what they would send is printed.
    pub printed: &'a [&'a str],
    /// When it is asked.
    pub now: DateTime<Utc>,
}

/// Why a process is where it is. The sentences say all of it; beside them it stands in
/// fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The caller's id of the process.
    pub process_id: String,
    /// Rungs' own id of it.
    pub key: String,
    /// The sequence's name.
    pub sequence: String,
    /// The version that it climbs.
    pub version: i32,
    /// `active`, `paused`, `completed`, `stopped` or `failed`.
    pub status: Status,
    /// The zone in which its times are told.
    pub timezone: &'static str,
    /// When this was true.
    pub explained_at: Moment,
    /// Why this program cannot run its sequence, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cannot_run: Option<String>,
    /// Where it stands, and since when.
    pub stands: Stands,
    /// What holds it there, while it is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// When it will be looked at next, and why then.
    pub looked_at: LookedAt,
    /// Goals below it, and how far each is from being achieved.
    pub goals: Vec<GoalAhead>,
    /// What it wrote, oldest first, and why somebody was not reached.
    pub contacts: Vec<Contact>,
    /// How many it wrote before those.
    pub earlier_contacts: usize,
    /// What happens next if nothing happens; if it is not active, what would after a resume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Ahead>,
    /// All of it, in sentences.
    pub sentences: Vec<String>,
}

/// A moment: for machines, and as the clocks of the process show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// ISO 8601 in UTC.
    pub at: String,
    /// In the process's zone: `2026-03-29 03:00 CEST`.
    pub local: String,
}

impl Moment {
    fn of(at: DateTime<Utc>, zone: Tz) -> Self {
        let whole = DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at);
        Self { at: iso(at), local: calendar::spell(whole, zone) }
    }
}

/// Explains a process.
pub fn explain(subject: Subject<'_>) -> Explanation {
    let Subject { process, sequence, now, .. } = subject;
    let seen = standing::see(subject);
    let goals = goals::ahead(subject);
    let (contacts, earlier_contacts) = contacts::all(subject);
    let ahead = ahead::follow(subject);
    let mut explanation = Explanation {
        process_id: process.process_id.clone(),
        key: process.key.clone(),
        sequence: process.sequence.clone(),
        version: process.version,
        status: process.status,
        timezone: process.timezone.name(),
        explained_at: Moment::of(now, process.timezone),
        cannot_run: sequence.err().map(str::to_owned),
        stands: seen.stands,
        held: seen.held,
        looked_at: seen.looked_at,
        goals,
        contacts,
        earlier_contacts,
        ahead,
        sentences: Vec::new(),
    };
    explanation.sentences =
        explanation.sections().into_iter().flat_map(|section| section.lines).collect();
    explanation
}

/// Some lines that belong together, for who lays them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What they are about, in a word or two.
    pub title: &'static str,
    /// A sentence each; those that go with the one above are indented.
    pub lines: Vec<String>,
}

impl Explanation {
    /// The sentences, by what they are about. What there is nothing to say of is left out.
    pub fn sections(&self) -> Vec<Section> {
        let mut stands = vec![self.stands.says.clone()];
        stands.extend(self.cannot_run.clone().map(|why| format!("{}.", words::capital(&why))));
        let held = self.held.as_ref().map(Held::lines).unwrap_or_default();
        let looked_at = vec![self.looked_at.says.clone()];
        let goals = self.goals.iter().flat_map(GoalAhead::lines).collect();
        let earlier = (self.earlier_contacts > 0).then(|| {
            format!("Before these, {} more.", words::count(self.earlier_contacts, "contact"))
        });
        let told = self.contacts.iter().map(|contact| contact.says.clone());
        let contacts = earlier.into_iter().chain(told).collect();
        let ahead = self.ahead.as_ref().map(Ahead::lines).unwrap_or_default();
        let sections = [
            ("stands", stands),
            ("held by", held),
            ("looked at", looked_at),
            ("goals", goals),
            ("contacts", contacts),
            ("ahead", ahead),
        ];
        let sections = sections.into_iter().map(|(title, lines)| Section { title, lines });
        sections.filter(|section| !section.lines.is_empty()).collect()
    }
}

/// What a step's runner adds, as of now.
fn explained(subject: Subject<'_>, position: usize) -> Result<Explained, String> {
    let Subject { process, sequence, now, .. } = subject;
    let Ok(sequence) = sequence else { return Ok(Explained::default()) };
    let Some(step) = sequence.steps.get(position) else { return Ok(Explained::default()) };
    let scope = process.scope();
    let entered_at = process.state.entered_at.and_then(DateTime::from_timestamp_millis);
    let visit = rungs_runners::Visit {
        now,
        timezone: process.timezone,
        entered_at: entered_at.unwrap_or(now),
        stay: process.state.stays(&step.id),
        delivery: process.state.delivery.as_ref(),
        stirred: process.state.stirred,
        heard: process.state.heard(&step.id),
        calendars: &sequence.calendars,
        scope: &scope,
    };
    step.config.explain(&visit).map_err(|failure| failure.0)
}

#[cfg(test)]
mod tests;
