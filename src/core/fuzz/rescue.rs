//! Whether a climb that came to no end would have come to one, had something happened.
//!
//! What would lead on is looked for step by step: a goal that lies ahead, or what the process
//! stands at, is brought about, and then what it comes to next. Where nobody knows how to bring
//! something about, nothing is held against the ladder.

use std::{collections::BTreeSet, rc::Rc};

use rungs_runners::condition::wish::Hopeless;
use serde_json::Value;

use super::{
    Flaw, Search, Verdict,
    asks::Ask,
    trial::{Trial, event},
};
use crate::{
    Entry,
    bounds::may_turn,
    simulate::{Answer, Answers, Asked, End, Fate, Most, What},
};

/// How many combinations of events are tried.
const TRIES: usize = 60;
/// How many things happen one after the other, each brought about where the last one led.
const DEEPEST: usize = 60;
/// How many of them may lead to no other step.
const IN_VAIN: usize = 5;
/// How many climbs that rest at a step are looked into. With other data nothing may get them out,
/// but to look takes as long as many climbs.
const RESCUED_OFTEN: u32 = 20;
/// Visits at the end of a climb that belong to the loop in which it goes round.
const LAST: usize = 200;

/// What came of a try to get a climb out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    /// It came to its end.
    Ends,
    /// Nobody knows what would lead on.
    Unknown,
    /// It did not.
    Stays,
}

impl Search<'_> {
    /// True if something that the sequence asks for ends it, or if it ends after all; and where
    /// nobody knows, or there is no time left to find out.
    pub(super) fn is_rescued(&mut self, trial: &Trial, verdict: &Verdict) -> bool {
        let endless = verdict.flaws.iter().find(|(flaw, _)| *flaw == Flaw::Endless);
        let Some((_, step)) = endless.cloned() else { return true };
        let step = step.unwrap_or_default();
        if self.rescued.get(&step).is_some_and(|often| *often >= RESCUED_OFTEN) {
            return true;
        }
        let is_long = verdict.simulation.end == End::Endless;
        if is_long && !may_turn(self.sequence, &step) {
            return true;
        }
        for number in 0..TRIES {
            if self.is_over() {
                return true;
            }
            let out = if number % 2 == 0 {
                self.lead_out(trial, verdict)
            } else {
                self.rescues(trial, waits_from(verdict))
            };
            if out != Out::Stays {
                *self.rescued.entry(step).or_default() += 1;
                return true;
            }
        }
        let ends = is_long && self.ends_later(trial);
        if ends {
            // It was a long way, and to follow it to its end once is enough.
            self.rescued.insert(step, RESCUED_OFTEN);
        }
        ends
    }

    /// Brings about one thing after the other of those that would lead on.
    fn lead_out(&mut self, trial: &Trial, verdict: &Verdict) -> Out {
        let mut candidate = trial.clone();
        let mut stands: Option<Verdict> = None;
        let mut in_vain = 0;
        for _ in 0..DEEPEST {
            let verdict = stands.as_ref().unwrap_or(verdict);
            let stood = verdict.simulation.process.cursor.clone();
            let after = waits_from(verdict).unwrap_or_else(|| self.moment());
            let mut asks = self.asks_of(verdict);
            let mut brought = None;
            while brought.is_none() && !asks.is_empty() {
                let ask = asks.swap_remove(self.chance.below(asks.len()));
                let chance = &mut self.chance;
                let mut choose = |most: usize| chance.below(most);
                let process = &verdict.simulation.process;
                // A loop may be left when something does not hold.
                let is_loop = verdict.simulation.end == End::Endless;
                let wanted = !is_loop || choose(2) == 0;
                match ask.happenings(process, wanted, after, &mut choose) {
                    Ok(all) if !all.is_empty() => brought = Some(all),
                    // It holds, and the process waits all the same.
                    Ok(_) if !is_loop => return Out::Unknown,
                    Ok(_) | Err(Hopeless::Never) => {}
                    Err(Hopeless::Unknown) => return Out::Unknown,
                }
            }
            let Some(brought) = brought else { return Out::Stays };
            candidate.happenings.extend(brought);
            candidate.happenings.sort_by_key(|one| one.after);
            match self.climb(&candidate) {
                Some(verdict) if verdict.simulation.end == End::Ended => return Out::Ends,
                Some(verdict) => {
                    in_vain += usize::from(verdict.simulation.process.cursor == stood);
                    stands = Some(verdict);
                }
                None => return Out::Stays,
            }
            if in_vain > IN_VAIN {
                return Out::Stays;
            }
        }
        Out::Stays
    }

    /// What would lead a process on: goals that lie ahead, and what is asked where it waits, or
    /// in the loop in which it goes round.
    fn asks_of(&self, verdict: &Verdict) -> Vec<Ask> {
        let simulation = &verdict.simulation;
        let place = |step: &str| self.sequence.position(step);
        let stands = simulation.process.cursor.as_deref().and_then(place);
        let mut at: BTreeSet<usize> = stands.into_iter().collect();
        if simulation.end == End::Endless {
            let visited = simulation.lines.iter().rev().filter_map(|line| match &line.what {
                What::Did(Entry::Visited { step, .. }) => place(step),
                _ => None,
            });
            at.extend(visited.take(LAST));
        }
        let first = at.first().copied().unwrap_or(0);
        let goals = self.sequence.goals.iter().filter(|goal| **goal >= first);
        at.extend(goals.copied());
        self.asks.iter().filter(|ask| at.contains(&ask.step)).cloned().collect()
    }

    /// Everything that its conditions ask for happens, three times, with values by chance.
    fn rescues(&mut self, trial: &Trial, waits_from: Option<i64>) -> Out {
        let mut candidate = trial.clone();
        let first = waits_from.unwrap_or_else(|| self.moment());
        for round in 0..3 {
            let at = first + round * 3_607;
            let data = self.patch(false, &trial.data);
            candidate.happenings.extend(event(at, "update", data));
            if let Some(name) = self.chance.of(&self.mentions.events).cloned() {
                let data = self.patch(true, &trial.data);
                candidate.happenings.extend(event(at + 1, &name, data));
            }
        }
        candidate.happenings.sort_by_key(|one| one.after);
        let verdict = self.climb(&candidate);
        let ends = verdict.is_some_and(|verdict| verdict.simulation.end == End::Ended);
        if ends { Out::Ends } else { Out::Stays }
    }

    /// It was only long, or it is so long that there is no time to see its end.
    fn ends_later(&mut self, trial: &Trial) -> bool {
        let over = Rc::clone(&self.over.0);
        let mut answers = Until { answers: &trial.answers, over: &*over };
        let verdict = self.climb_with(trial, &mut answers, Most::default());
        self.is_over() || verdict.is_none_or(|verdict| verdict.simulation.end == End::Ended)
    }
}

/// From which second on something may happen to a climb that waits.
fn waits_from(verdict: &Verdict) -> Option<i64> {
    let simulation = &verdict.simulation;
    // Something may have been heard since it came to where it waits.
    let last = simulation.lines.last().map_or(simulation.ended_at, |line| line.at);
    let after = last.max(simulation.ended_at) - simulation.process.started_at;
    (simulation.end == End::Waits).then(|| after.num_seconds() + 1)
}

/// The answers of a trial, until time is over.
struct Until<'a> {
    answers: &'a [Answer],
    over: &'a dyn Fn() -> bool,
}

impl Answers for Until<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        self.answers.answer(asked)
    }

    fn said(&mut self, asked: &Asked<'_>) -> Option<Value> {
        self.answers.said(asked)
    }

    fn enough(&self) -> bool {
        (self.over)()
    }
}
