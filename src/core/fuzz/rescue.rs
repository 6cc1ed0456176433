//! Whether a climb that came to no end would have come to one, had something happened.

use serde_json::{Map, Value, json};

use super::{
    Flaw, Search, Verdict,
    trial::{Trial, happening},
};
use crate::{
    happening::Happening,
    simulate::{End, Most},
};
use rungs_runners::data::merge;

/// How many combinations of events are tried.
const TRIES: usize = 60;

impl Search<'_> {
    /// True if something that the sequence asks for ends it, or if it ends after all.
    pub(super) fn is_rescued(&mut self, trial: &Trial, verdict: &Verdict) -> bool {
        let endless = verdict.flaws.iter().find(|(flaw, _)| *flaw == Flaw::Endless);
        let Some((_, step)) = endless.cloned() else { return true };
        let step = step.unwrap_or_default();
        if self.rescued.contains(&step) {
            return true;
        }
        let ended_at = verdict.simulation.ended_at - verdict.simulation.process.started_at;
        let waits_from = (verdict.simulation.end == End::Waits).then(|| ended_at.num_seconds() + 1);
        let rescued = (0..TRIES).any(|_| self.rescues(trial, waits_from))
            || (verdict.simulation.end == End::Endless && self.ends_later(trial));
        if rescued {
            self.rescued.push(step);
        }
        rescued
    }

    /// Everything that its conditions ask for happens, three times, with values by chance.
    fn rescues(&mut self, trial: &Trial, waits_from: Option<i64>) -> bool {
        let mut candidate = trial.clone();
        let first = waits_from.unwrap_or_else(|| self.moment());
        for round in 0..3 {
            let at = first + round * 3_607;
            candidate.happenings.extend(self.everything(at));
            if let Some(event) = self.chance.of(&self.mentions.events).cloned() {
                candidate.happenings.extend(happening(at + 1, &event));
            }
        }
        candidate.happenings.sort_by_key(|one| one.after);
        let verdict = self.climb(&candidate);
        verdict.is_some_and(|verdict| verdict.simulation.end == End::Ended)
    }

    /// One event that puts a value to every path that is compared with one.
    fn everything(&mut self, at: i64) -> Option<Happening> {
        let mut patch = Map::new();
        let mut paths: Vec<String> = self.mentions.values.iter().map(|one| one.0.clone()).collect();
        paths.dedup();
        for path in paths {
            let values: Vec<&Value> =
                self.mentions.values.iter().filter(|one| one.0 == path).map(|one| &one.1).collect();
            let Some(value) = self.chance.of(&values).copied().cloned() else { continue };
            let nested = path.rsplit('.').fold(value, |inner, key| json!({ key: inner }));
            if let Value::Object(nested) = nested {
                merge(&mut patch, &nested);
            }
        }
        let event = happening(at, "rescue")?;
        Some(Happening { data: Value::Object(patch), ..event })
    }

    /// It was only long.
    fn ends_later(&mut self, trial: &Trial) -> bool {
        let verdict = self.climb_with(trial, &mut &trial.answers[..], Most::default());
        verdict.is_none_or(|verdict| verdict.simulation.end == End::Ended)
    }
}
