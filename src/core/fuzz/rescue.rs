//! Whether a climb that came to no end would have come to one, had something happened.

use std::rc::Rc;

use super::{
    Flaw, Search, Verdict,
    trial::{Trial, event},
};
use crate::{
    bounds::may_turn,
    simulate::{Answer, Answers, Asked, End, Fate, Most},
};

/// How many combinations of events are tried.
const TRIES: usize = 60;
/// How many climbs that rest at a step are looked into. With other data nothing may get them out,
/// but to look takes as long as many climbs.
const RESCUED_OFTEN: u32 = 20;

impl Search<'_> {
    /// True if something that the sequence asks for ends it, or if it ends after all; and where
    /// there is no time left to find out.
    pub(super) fn is_rescued(&mut self, trial: &Trial, verdict: &Verdict) -> bool {
        let endless = verdict.flaws.iter().find(|(flaw, _)| *flaw == Flaw::Endless);
        let Some((_, step)) = endless.cloned() else { return true };
        let step = step.unwrap_or_default();
        if self.rescued.get(&step).is_some_and(|often| *often >= RESCUED_OFTEN) {
            return true;
        }
        let ended_at = verdict.simulation.ended_at - verdict.simulation.process.started_at;
        let waits_from = (verdict.simulation.end == End::Waits).then(|| ended_at.num_seconds() + 1);
        let is_long = verdict.simulation.end == End::Endless;
        if is_long && !may_turn(self.sequence, &step) {
            return true;
        }
        for _ in 0..TRIES {
            if self.is_over() {
                return true;
            }
            if self.rescues(trial, waits_from) {
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

    /// Everything that its conditions ask for happens, three times, with values by chance.
    fn rescues(&mut self, trial: &Trial, waits_from: Option<i64>) -> bool {
        let mut candidate = trial.clone();
        let first = waits_from.unwrap_or_else(|| self.moment());
        for round in 0..3 {
            let at = first + round * 3_607;
            let data = self.patch(false, &trial.data);
            candidate.happenings.extend(event(at, "rescue", data));
            if let Some(name) = self.chance.of(&self.mentions.events).cloned() {
                let data = self.patch(true, &trial.data);
                candidate.happenings.extend(event(at + 1, &name, data));
            }
        }
        candidate.happenings.sort_by_key(|one| one.after);
        let verdict = self.climb(&candidate);
        verdict.is_some_and(|verdict| verdict.simulation.end == End::Ended)
    }

    /// It was only long, or it is so long that there is no time to see its end.
    fn ends_later(&mut self, trial: &Trial) -> bool {
        let over = Rc::clone(&self.over.0);
        let mut answers = Until { answers: &trial.answers, over: &*over };
        let verdict = self.climb_with(trial, &mut answers, Most::default());
        self.is_over() || verdict.is_none_or(|verdict| verdict.simulation.end == End::Ended)
    }
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

    fn enough(&self) -> bool {
        (self.over)()
    }
}
