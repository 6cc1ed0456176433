//! What was found, made smaller: fewer events and answers, rounder times, plainer data.

use chrono::TimeDelta;
use serde_json::Value;

use crate::simulate::Fate;

use super::{
    Flaw, Search,
    trial::{PLAIN_START, Trial},
};

/// Climbs that may be spent on one finding.
const MOST_CLIMBS: usize = 500;
/// Round times, in seconds.
const ROUND: [i64; 16] = [
    0, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000,
];

impl Search<'_> {
    /// The smallest trial that still has the flaw.
    pub(super) fn shrink(&mut self, trial: Trial, flaw: Flaw, step: Option<&String>) -> Trial {
        let (mut best, mut left) = (trial.clone(), MOST_CLIMBS);
        loop {
            let before = best.clone();
            for shrink in [fewer, plainer, rounder] {
                self.pass(&mut best, shrink, flaw, step, &mut left);
            }
            if best == before || left == 0 {
                break;
            }
        }
        // What gets no longer out of it may not be what something else got out of.
        let is_endless = flaw == Flaw::Endless;
        let verdict = if is_endless { self.climb(&best) } else { None };
        if verdict.is_some_and(|verdict| self.is_rescued(&best, &verdict)) { trial } else { best }
    }

    /// Takes every step that keeps the flaw, one after the other.
    fn pass(
        &mut self,
        best: &mut Trial,
        shrink: fn(&Trial, &Self) -> Vec<Trial>,
        flaw: Flaw,
        step: Option<&String>,
        left: &mut usize,
    ) {
        while let Some(smaller) = shrink(best, self).into_iter().find(|candidate| {
            if self.is_over() {
                *left = 0;
            }
            if *left == 0 {
                return false;
            }
            *left -= 1;
            self.has(candidate, flaw, step)
        }) {
            *best = smaller;
        }
    }

    fn has(&mut self, trial: &Trial, flaw: Flaw, step: Option<&String>) -> bool {
        let verdict = self.climb(trial);
        verdict.is_some_and(|verdict| {
            verdict.flaws.iter().any(|found| found.0 == flaw && found.1.as_ref() == step)
        })
    }
}

/// Without all, or one, of what happens and is answered.
fn fewer(trial: &Trial, _: &Search<'_>) -> Vec<Trial> {
    let mut all = Vec::new();
    if trial.happenings.len() > 1 {
        all.push(Trial { happenings: Vec::new(), ..trial.clone() });
    }
    if trial.answers.len() > 1 {
        all.push(Trial { answers: Vec::new(), ..trial.clone() });
        let half = trial.answers.len() / 2;
        all.push(Trial {
            answers: trial.answers.iter().take(half).cloned().collect(),
            ..trial.clone()
        });
    }
    for place in 0..trial.happenings.len() {
        let mut smaller = trial.clone();
        smaller.happenings.remove(place);
        all.push(smaller);
    }
    for (place, happening) in trial.happenings.iter().enumerate() {
        // An event that needs none of its data.
        if happening.data.is_object() && !happening.is_value() {
            let mut smaller = trial.clone();
            if let Some(happening) = smaller.happenings.get_mut(place) {
                happening.data = Value::Null;
            }
            all.push(smaller);
        }
    }
    for place in 0..trial.answers.len() {
        let mut smaller = trial.clone();
        smaller.answers.remove(place);
        all.push(smaller);
    }
    all
}

/// A plain start, the data that are there anyway, answers without delays.
fn plainer(trial: &Trial, search: &Search<'_>) -> Vec<Trial> {
    let mut all = Vec::new();
    let timezone = search.base.timezone.unwrap_or(search.base.usual);
    if trial.timezone != timezone {
        all.push(Trial { timezone, ..trial.clone() });
    }
    if trial.at != PLAIN_START {
        all.push(Trial { at: PLAIN_START.to_owned(), ..trial.clone() });
    }
    if trial.data != search.base.data {
        all.push(Trial { data: search.base.data.clone(), ..trial.clone() });
        let mut data = Vec::new();
        nearer(&trial.data, Some(&search.base.data), &mut data, 0);
        all.extend(data.into_iter().map(|data| Trial { data, ..trial.clone() }));
    }
    for (place, answer) in trial.answers.iter().enumerate() {
        let mut with = |fate, stay| {
            let mut smaller = trial.clone();
            if let Some(answer) = smaller.answers.get_mut(place) {
                (answer.fate, answer.stay) = (fate, stay);
            }
            all.push(smaller);
        };
        if answer.fate.after.is_some() {
            with(Fate { after: None, ..answer.fate }, answer.stay);
        }
        // The same at every stay is less to say.
        if answer.stay.is_some() {
            with(answer.fate, None);
        }
    }
    all
}

/// Data with one place as it is in the base, or without it.
fn nearer(data: &Value, base: Option<&Value>, all: &mut Vec<Value>, depth: usize) {
    const MOST: usize = 60;
    let (Value::Object(entries), true) = (data, depth < 6) else { return };
    for (key, value) in entries {
        if all.len() >= MOST {
            return;
        }
        let known = base.and_then(|base| base.get(key));
        if known == Some(value) {
            continue;
        }
        let mut smaller = entries.clone();
        match known {
            Some(known) => smaller.insert(key.clone(), known.clone()),
            None => smaller.shift_remove(key),
        };
        all.push(Value::Object(smaller));
        let mut inside = Vec::new();
        nearer(value, known, &mut inside, depth + 1);
        for value in inside {
            let mut smaller = entries.clone();
            smaller.insert(key.clone(), value);
            all.push(Value::Object(smaller));
        }
    }
    // What the base has and the data lack is nearer to it as well.
    for (key, known) in base.and_then(Value::as_object).into_iter().flatten() {
        if !entries.contains_key(key) && all.len() < MOST {
            let mut nearer = entries.clone();
            nearer.insert(key.clone(), known.clone());
            all.push(Value::Object(nearer));
        }
    }
}

/// Events at round times.
fn rounder(trial: &Trial, _: &Search<'_>) -> Vec<Trial> {
    let mut all = Vec::new();
    for (place, happening) in trial.happenings.iter().enumerate() {
        let seconds = happening.after.num_seconds();
        let rank = |seconds: i64| ROUND.iter().position(|round| *round == seconds);
        let present = rank(seconds).unwrap_or(ROUND.len());
        let floors = [3_600, 600, 60].map(|unit| seconds - seconds % unit);
        let is_round =
            |at: i64| at % 60 == 0 && seconds % 60 != 0 || at % 600 == 0 && seconds % 600 != 0;
        let rounds = ROUND.into_iter().take(present);
        let candidates =
            rounds.chain(floors.into_iter().filter(|at| present == ROUND.len() && is_round(*at)));
        for at in candidates {
            let is_taken = trial.happenings.iter().any(|one| one.after.num_seconds() == at);
            if is_taken {
                continue;
            }
            let mut smaller = trial.clone();
            if let Some(happening) = smaller.happenings.get_mut(place) {
                happening.after = TimeDelta::seconds(at);
            }
            all.push(smaller);
        }
    }
    all
}
