//! Whether a climb is one that nobody wants.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rungs_runners::{Action, Scope};
use serde_json::Value;

use super::Flaw;
use crate::{
    Entry, Process, Sequence, Status, Step, Target,
    process::iso,
    simulate::{Answers, Asked, End, Fate, Line, Simulation, Told, What},
};

/// Moments of a climb that are remembered.
const MOST_MOMENTS: usize = 50;

/// What came of a climb.
#[derive(Debug)]
pub(super) struct Verdict {
    /// What is wrong, and at which step.
    pub flaws: Vec<(Flaw, Option<String>)>,
    /// Somebody who was contacted after the goal: when, which goal, and since when it held.
    pub after_goal: Option<AfterGoal>,
    /// Milliseconds after the start at which something happened.
    pub moments: Vec<i64>,
    pub simulation: Simulation,
}

#[derive(Debug, Clone)]
pub(super) struct AfterGoal {
    pub step: String,
    pub at: DateTime<Utc>,
    pub goal: String,
    pub since: DateTime<Utc>,
}

/// Sees a climb while it goes on.
pub(super) struct Watch<'a> {
    sequence: &'a Sequence,
    answers: &'a mut dyn Answers,
    /// Since when each goal holds, by its position.
    holds: BTreeMap<usize, DateTime<Utc>>,
    /// Goals that hold and to which the process was taken.
    taken: Vec<usize>,
    /// A goal held at some time.
    achieved: bool,
    /// The results of the steps, as they were before the cycle.
    steps: Value,
    after_goal: Option<AfterGoal>,
}

impl Answers for Watch<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        self.answers.answer(asked)
    }

    fn said(&mut self, asked: &Asked<'_>) -> Option<Value> {
        self.answers.said(asked)
    }

    fn told(&mut self, asked: &Asked<'_>) -> Vec<Told> {
        self.answers.told(asked)
    }

    fn enough(&self) -> bool {
        self.answers.enough()
    }

    fn watch(&mut self, process: &Process, told: &[Line]) {
        if self.sequence.goals.is_empty() {
            return;
        }
        let at = told.first().map_or(process.started_at, |line| line.at);
        self.look_at_goals(process, at);
        for line in told {
            match &line.what {
                What::Did(Entry::Achieved { step, .. } | Entry::Visited { step, .. }) => {
                    let goal = self.sequence.position(step);
                    self.taken.extend(goal.filter(|goal| self.holds.contains_key(goal)));
                }
                What::Wrote { step, .. } => self.contact(step, line.at),
                _ => {}
            }
        }
        self.steps = process.state.steps.clone();
    }
}

impl<'a> Watch<'a> {
    pub fn new(sequence: &'a Sequence, answers: &'a mut dyn Answers) -> Self {
        Self {
            sequence,
            answers,
            holds: BTreeMap::new(),
            taken: Vec::new(),
            achieved: false,
            steps: Value::Object(serde_json::Map::new()),
            after_goal: None,
        }
    }

    /// Which goals hold, by what the process knew when the cycle began: what it does in it, it
    /// does before a goal can see it.
    fn look_at_goals(&mut self, process: &Process, at: DateTime<Utc>) {
        let about = || {
            serde_json::json!({
                "id": process.process_id,
                "sequence": process.sequence,
                "version": process.version,
                "timezone": process.timezone.name(),
                "startedAt": iso(process.started_at),
            })
        };
        let scope = Scope::new(&process.data, about, &self.steps, &process.state.events);
        for &goal in &self.sequence.goals {
            let step = self.sequence.steps.get(goal);
            if step.is_some_and(|step| step.config.achieved(&scope).unwrap_or(false)) {
                self.holds.entry(goal).or_insert(at);
                self.achieved = true;
            } else {
                self.holds.remove(&goal);
                self.taken.retain(|taken| *taken != goal);
            }
        }
    }

    /// Somebody is contacted.
    fn contact(&mut self, step: &str, at: DateTime<Utc>) {
        if self.after_goal.is_some() {
            return;
        }
        let Some(place) = self.sequence.position(step) else { return };
        // An act, or a request to a server, is nothing that anybody hears of.
        let is_contact = self.sequence.steps.get(place).is_some_and(|step| step.kind.disturbs);
        // It may be for the sake of another goal, to which the ladder leads on.
        let climbs_on =
            self.sequence.goals.iter().any(|goal| *goal > place && !self.holds.contains_key(goal));
        let missed = self.holds.iter().find(|(goal, _)| !self.taken.contains(goal));
        let (true, false, Some((goal, since))) = (is_contact, climbs_on, missed) else { return };
        let goal = self.sequence.steps.get(*goal).map_or(String::new(), |step| step.id.clone());
        self.after_goal = Some(AfterGoal { step: step.to_owned(), at, goal, since: *since });
    }

    pub fn judge(self, simulation: Simulation) -> Verdict {
        let mut flaws = Vec::new();
        if let Some(after) = &self.after_goal {
            flaws.push((Flaw::AfterGoal, Some(after.step.clone())));
        }
        let cursor = || simulation.process.cursor.clone();
        match (simulation.end, simulation.process.status) {
            (End::Ended, Status::Failed) if !self.may_fail(&simulation) => {
                flaws.push((Flaw::Fails, cursor()));
            }
            (End::Ended, Status::Completed) if self.reached_nobody(&simulation) => {
                flaws.push((Flaw::Nobody, None));
            }
            (End::Waits, _) => flaws.push((Flaw::Endless, cursor())),
            (End::Endless, _) => flaws.push((Flaw::Endless, in_the_loop(&simulation))),
            _ => {}
        }
        let started_at = simulation.process.started_at;
        let mut moments: Vec<i64> = Vec::new();
        for line in &simulation.lines {
            let moment = (line.at - started_at).num_milliseconds();
            if moments.len() < MOST_MOMENTS && moments.last() != Some(&moment) {
                moments.push(moment);
            }
        }
        Verdict { flaws, after_goal: self.after_goal, moments, simulation }
    }

    /// A step that says so failed it.
    fn may_fail(&self, simulation: &Simulation) -> bool {
        let cursor = simulation.process.cursor.as_deref();
        let step = cursor.and_then(|cursor| self.step(cursor));
        // What cannot even be asked has not answered.
        let answered = visits(simulation)
            .last()
            .is_some_and(|(step, action)| Some(step) == cursor && action == Action::AltNext);
        answered && step.is_some_and(|step| step.fail_on_failure)
    }

    fn step(&self, id: &str) -> Option<&Step> {
        self.sequence.steps.get(self.sequence.position(id)?)
    }

    /// Nobody was contacted, and that was not meant.
    fn reached_nobody(&self, simulation: &Simulation) -> bool {
        let contacts = |step: &Step| step.kind.disturbs;
        if self.achieved || !self.sequence.steps.iter().any(contacts) {
            return false;
        }
        let wrote = simulation.lines.iter().any(|line| match &line.what {
            What::Wrote { step, .. } => self.step(step).is_some_and(contacts),
            _ => false,
        });
        let tried = visits(simulation).any(|(step, _)| self.step(step).is_some_and(contacts));
        !wrote && (tried || !self.is_meant(simulation))
    }

    /// The author wrote that it ends there: a condition leads to an `end`, or to a step that
    /// does nothing but go to it.
    fn is_meant(&self, simulation: &Simulation) -> bool {
        let Some((id, action)) = visits(simulation).last() else { return false };
        let (Some(place), Some(step)) = (self.sequence.position(id), self.step(id)) else {
            return false;
        };
        if step.config.jump().is_some_and(|jump| jump.to == "end") {
            return true;
        }
        let is_choice = step.alt_next.is_some();
        match action {
            Action::AltNext => is_choice && step.alt_next == Some(Target::End),
            _ => is_choice && step.next == Target::End && place + 1 < self.sequence.steps.len(),
        }
    }
}

/// The visits of a climb that ended a stay.
fn visits(simulation: &Simulation) -> impl DoubleEndedIterator<Item = (&str, Action)> {
    simulation.lines.iter().filter_map(|line| match &line.what {
        What::Did(Entry::Visited { step, action, .. }) if *action != Action::Noop => {
            Some((step.as_str(), *action))
        }
        _ => None,
    })
}

/// A step of the loop in which a climb goes round: of those that it visited last the first by
/// name, so that it is the same wherever the climb was given up.
fn in_the_loop(simulation: &Simulation) -> Option<String> {
    const LAST: usize = 200;
    visits(simulation).rev().take(LAST).map(|(step, _)| step).min().map(str::to_owned)
}
