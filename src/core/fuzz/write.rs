//! What was found as a case: written, read again, and run, before it is told.

use std::fmt::Write;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    Flaw, Found, Search, Verdict,
    trial::{KEY, MOST, Trial},
};
use crate::{
    cases::{self, Stage, Wanted},
    check::cases::cases as read,
    happening::Happening,
    simulate::{Answer, End, What},
};

/// Lines of `then` that a case has at most.
const MOST_LINES: usize = 60;

impl Search<'_> {
    /// The case of a trial. `None` if it does not show the flaw when it is run as a case.
    pub(super) fn tell(
        &mut self,
        trial: &Trial,
        flaw: Flaw,
        step: Option<&String>,
    ) -> Option<Found> {
        let verdict = self.climb(trial)?;
        let says = says(flaw, &verdict);
        let happened = cases::happened(&verdict.simulation);
        // What goes on for ever cannot be told: the case says that it should end.
        let holds = verdict.simulation.end != End::Endless && happened.len() <= MOST_LINES;
        let case = self.written(trial, &verdict, flaw, &says, holds);
        let read = read(&case, self.sequence);
        let [one] = read.cases.as_slice() else { return None };
        let data = one.given.data.clone().unwrap_or_else(|| self.base.data.clone());
        let again = Trial {
            data: data.clone(),
            at: one.given.at.clone().unwrap_or_default(),
            timezone: one.given.timezone.unwrap_or(self.base.usual),
            answers: one.answers.clone(),
            happenings: one.happenings.clone(),
        };
        let again = self.climb(&again)?;
        let shows = again.flaws.iter().any(|one| one.0 == flaw && one.1.as_ref() == step);
        let now = verdict.simulation.process.started_at;
        let stage = Stage { key: KEY, now, timezone: self.base.usual };
        // What has not ended by then does not: that has been tried.
        let judged = cases::run_within(self.sequence, one, data, stage, MOST).ok()?.verdict;
        let found = Found { flaw, step: step.cloned(), says, case, holds };
        (shows && judged.passed() == holds).then_some(found)
    }

    fn written(
        &self,
        trial: &Trial,
        verdict: &Verdict,
        flaw: Flaw,
        says: &str,
        holds: bool,
    ) -> String {
        let mut text = String::from("cases:\n");
        let _ = writeln!(text, "  - case: {}", json!(capital(says)));
        let mut given = vec![format!("at: {}", quoted(&trial.at))];
        if self.sequence.timezone.is_none() && trial.timezone != self.base.usual {
            given.push(format!("timezone: {}", trial.timezone.name()));
        }
        if !self.base.beside || trial.data != self.base.data {
            given.push(format!("data: {}", trial.data));
        }
        let _ = writeln!(text, "    given: {{ {} }}", given.join(", "));
        if !trial.answers.is_empty() || !trial.happenings.is_empty() {
            text += "    when:\n";
        }
        for answer in &trial.answers {
            let _ = writeln!(text, "      {}", answered(answer));
        }
        for happening in &trial.happenings {
            let _ = writeln!(text, "      {}", happens(happening));
        }
        text += if holds {
            "    then: # what happens today; write here what should\n"
        } else {
            "    then: # what should happen, and does not\n"
        };
        for line in Self::then(verdict, flaw, holds) {
            let _ = writeln!(text, "      - {line}");
        }
        text
    }

    fn then(verdict: &Verdict, flaw: Flaw, holds: bool) -> Vec<String> {
        let simulation = &verdict.simulation;
        let started_at = simulation.process.started_at;
        if !holds {
            return should(verdict, flaw);
        }
        let mut marked = false;
        let mut lines = Vec::new();
        for one in cases::happened(simulation) {
            let what = match &one.what {
                Wanted::Contact { step, .. } => step.clone(),
                Wanted::Completed => "completed".to_owned(),
                Wanted::Stopped => "stopped".to_owned(),
                Wanted::Failed => "failed".to_owned(),
                Wanted::Waits(step) | Wanted::GoesOn(step) => format!("waits at {step}"),
            };
            let after = verdict.after_goal.as_ref().filter(|after| {
                !marked
                    && one.at == after.at
                    && matches!(&one.what, Wanted::Contact { step, .. } if *step == after.step)
            });
            let mark = after.map_or(String::new(), |after| {
                marked = true;
                format!(" # after `{}` was achieved", after.goal)
            });
            lines.push(format!("{}: {what}{mark}", spelled(one.at - started_at)));
        }
        lines
    }
}

/// What should happen where what does is too long to tell: that it ends, and if a goal was
/// achieved, then.
fn should(verdict: &Verdict, flaw: Flaw) -> Vec<String> {
    let started_at = verdict.simulation.process.started_at;
    let goal = verdict.after_goal.as_ref().filter(|_| flaw == Flaw::AfterGoal);
    let end = goal.map_or(TimeDelta::days(1), |after| after.since - started_at);
    let before = |at| goal.is_some() && at - started_at < end;
    let happened = cases::happened(&verdict.simulation);
    let contacts = happened.iter().take(MOST_LINES).filter_map(|one| match &one.what {
        Wanted::Contact { step, .. } if before(one.at) => {
            Some(format!("{}: {step}", spelled(one.at - started_at)))
        }
        _ => None,
    });
    contacts.chain([format!("{}: completed", spelled(end))]).collect()
}

/// What is wrong, in one sentence.
fn says(flaw: Flaw, verdict: &Verdict) -> String {
    let simulation = &verdict.simulation;
    let started_at = simulation.process.started_at;
    let cursor = simulation.process.cursor.as_deref().unwrap_or_default();
    match flaw {
        Flaw::Nobody => "it completes, and nobody was contacted".to_owned(),
        Flaw::AfterGoal => verdict.after_goal.as_ref().map_or(String::new(), |after| {
            format!(
                "`{}` contacts somebody at {}, though the goal `{}` is achieved since {}",
                after.step,
                spelled(after.at - started_at),
                after.goal,
                spelled(after.since - started_at)
            )
        }),
        Flaw::Endless if simulation.end == End::Waits => {
            format!("it waits at `{cursor}` for something that cannot come")
        }
        Flaw::Endless => {
            let wrote = |what: &What| matches!(what, What::Wrote { .. });
            let contacts = simulation.lines.iter().filter(|line| wrote(&line.what)).count();
            let long = spelled(simulation.ended_at - started_at);
            format!(
                "it never ends: by {long} it has written {contacts} deliveries, and nothing stops it"
            )
        }
        Flaw::Fails => {
            let reason = simulation.process.reason.clone().unwrap_or_default();
            let short: String = reason.chars().take(200).collect();
            format!("it fails: {short}")
        }
    }
}

/// `+1d2h3m`, in whole seconds, as cases count them.
fn spelled(after: TimeDelta) -> String {
    let mut rest = after.num_seconds().max(0);
    let mut text = String::from("+");
    for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")] {
        let whole = rest / unit;
        rest %= unit;
        if whole > 0 {
            let _ = write!(text, "{whole}{name}");
        }
    }
    if text.len() == 1 { "+0s".to_owned() } else { text }
}

fn answered(answer: &Answer) -> String {
    let Answer { step, stay, fate, said } = answer;
    let word = fate.action.map_or(fate.status.as_str(), |action| action.as_str());
    let what = said.as_ref().map_or_else(|| word.to_owned(), |said| quoted(&said.to_string()));
    let after = fate.after.map(spelled).unwrap_or_default();
    let stay = stay.map_or(String::new(), |stay| format!("#{stay}"));
    format!("{step}{stay}: {what}{after}")
}

fn happens(happening: &Happening) -> String {
    let after = spelled(happening.after);
    if happening.is_value() {
        return format!("{after}: {}", quoted(&happening.says.replacen(" = ", "=", 1)));
    }
    let name = &happening.r#type;
    match &happening.data {
        Value::Null if !name.contains(['=', '{']) => format!("{after}: {}", quoted(name)),
        Value::Null => format!("{after}: {}", json!({ "event": name })),
        data => format!("{after}: {}", json!({ "event": name, "data": data })),
    }
}

/// As YAML takes it: as it is, or as JSON.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=+/-:".contains(c);
    let is_plain = text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with(':')
        && text.contains(|c: char| c.is_ascii_alphabetic());
    let is_word = ["true", "false", "null", "yes", "no", "on", "off"].contains(&text);
    if is_plain && !is_word { text.to_owned() } else { Value::from(text).to_string() }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    (first + chars.as_str()).replace('`', "")
}
