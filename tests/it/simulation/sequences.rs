//! Random sequences, each of which passes the check.

use rungs_core::{Diagnostic, Sequence, check};
use rungs_runners::{Kind, builtin::KINDS, remote::Remote};
use serde_json::{Value, json};

use super::dice::Dice;

/// A sequence as it is written, step by step, so that one can be left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub name: String,
    pub priority: &'static str,
    pub defaults: Value,
    pub steps: Vec<Value>,
}

impl Written {
    /// A sequence that passes the check. If it is `timeless`, the way a process takes through
    /// it does not depend on when anything happens.
    pub fn random(name: &str, timeless: bool, dice: &mut Dice) -> Self {
        loop {
            let written = Self::attempt(name, timeless, dice);
            if written.takes_its_time() && written.checked().is_some() {
                return written;
            }
        }
    }

    /// Whether every way back without a bound leads over a wait. Others are sequences too, but
    /// go round as fast as their texts are sent, and a run of one is as good as of ten rounds.
    fn takes_its_time(&self) -> bool {
        let place = |name: &Value| self.steps.iter().position(|step| step["id"] == *name);
        let waits = |step: &Value| step["run"] == "WaitForDuration";
        self.steps.iter().enumerate().all(|(at, step)| {
            let back = place(&step["config"]["step"]).filter(|to| *to <= at);
            let bounded = step["config"]["times"].is_number();
            back.is_none_or(|to| bounded || self.steps[to..at].iter().any(waits))
        })
    }

    /// A sequence that may be none.
    pub fn attempt(name: &str, timeless: bool, dice: &mut Dice) -> Self {
        let count = dice.index(6) + 2;
        let steps = (0..count).map(|at| step(at, count, timeless, dice)).collect();
        let mut defaults = json!({});
        if !timeless && dice.percent(20) {
            defaults["lateness"] = lateness(dice);
        }
        if dice.percent(20) {
            defaults["inDoubt"] = json!(dice.one(&["repeat", "skip", "fail"]));
        }
        let priority = dice.one(&["high", "normal", "low"]);
        Self { name: name.to_owned(), priority, defaults, steps }
    }

    pub fn source(&self) -> String {
        let written = json!({
            "sequence": self.name,
            "priority": self.priority,
            "defaults": self.defaults,
            "steps": self.steps,
        });
        serde_json::to_string_pretty(&written).unwrap()
    }

    /// The sequence, if it passes the check.
    pub fn checked(&self) -> Option<Sequence> {
        let checked = check(&self.source(), &kinds());
        let fine = !checked.diagnostics.iter().any(Diagnostic::is_error);
        checked.sequence.filter(|_| fine)
    }

    /// The same without one step, if it still passes the check. Who named it names the next.
    pub fn without(&self, at: usize) -> Option<Self> {
        let gone = self.steps.get(at)?["id"].clone();
        let heir = self.steps.get(at + 1).map_or(json!("end"), |step| step["id"].clone());
        let mut steps = self.steps.clone();
        steps.remove(at);
        for step in &mut steps {
            for place in ["/next", "/altNext", "/config/step"] {
                if let Some(target) = step.pointer_mut(place).filter(|target| **target == gone) {
                    *target = heir.clone();
                }
            }
        }
        let less = Self { steps, ..self.clone() };
        less.checked().map(|_| less)
    }
}

/// The runners there are: one of them lives elsewhere.
pub fn kinds() -> Vec<Kind> {
    let ask = Kind::remote(Remote { name: "Ask", every: chrono::TimeDelta::minutes(2) });
    KINDS.iter().copied().chain([ask]).collect()
}

fn name(at: usize, count: usize) -> Value {
    if at >= count { json!("end") } else { json!(format!("s{at}")) }
}

fn step(at: usize, count: usize, timeless: bool, dice: &mut Dice) -> Value {
    let ahead = |dice: &mut Dice| name(at + 1 + dice.index(count - at), count);
    let mut step = match dice.index(if timeless { 13 } else { 17 }) {
        0 | 1 => wait(dice),
        2..=7 => notification(at, timeless, dice),
        8 | 9 => go_to(at, count, dice),
        10 => json!({ "run": "Conditional", "config": number(dice), "altNext": ahead(dice) }),
        11 => json!({ "run": "WaitForDate", "config": { "date": "{{when}}" } }),
        12 => ask(timeless, dice),
        13 => comparison(dice),
        14 | 15 => goal(dice),
        _ => {
            let earlier = format!("steps.s{}.status", dice.index(count));
            let among = json!(["answered", "completed", "delivered", "sent"]);
            let config = json!({
                "lodashCommand": "includes",
                "value": { "type": "raw", "value": among },
                "compareTo": { "type": "get", "value": earlier },
            });
            json!({ "run": "Conditional", "config": config, "altNext": ahead(dice) })
        }
    };
    step["id"] = name(at, count);
    if step["run"] != "GoTo" && dice.percent(8) {
        step["next"] = ahead(dice);
    }
    let may_fail = step["config"]["to"].is_string() || step["run"] == "Ask";
    if may_fail && dice.percent(50) {
        step["altNext"] = ahead(dice);
    }
    step
}

fn wait(dice: &mut Dice) -> Value {
    let (amount, unit) = dice.one(&[
        (1, "second"),
        (5, "seconds"),
        (40, "seconds"),
        (3, "minutes"),
        (3, "minutes"),
        (10, "minutes"),
        (45, "minutes"),
        (2, "hours"),
        (1, "day"),
    ]);
    json!({ "run": "WaitForDuration", "config": { "amount": amount, "unit": unit } })
}

fn notification(at: usize, timeless: bool, dice: &mut Dice) -> Value {
    // No two texts of a run say the same, also if a name is borne twice.
    let words =
        format!("{{{{process.id}}}} {{{{process.startedAt}}}} s{at} {{{{steps.s{at}.visits}}}}");
    let mut step = match dice.index(4) {
        0 | 1 => {
            let awaited = dice.one(&["placed", "answered", "answered", "completed"]);
            let config = json!({ "to": "{{phone}}", "say": words, "await": awaited });
            json!({ "run": "Phone", "config": config })
        }
        2 => {
            let awaited = dice.one(&["sent", "delivered"]);
            let config = json!({ "to": "{{phone}}", "message": words, "await": awaited });
            json!({ "run": "SMS", "config": config })
        }
        _ => {
            let config = json!({ "to": "{{mail}}", "subject": "Rungs", "text": words });
            json!({ "run": "Email", "config": config })
        }
    };
    if dice.percent(15) {
        step["onFailure"] = json!("fail");
    }
    if dice.percent(30) {
        step["inDoubt"] = json!(dice.one(&["repeat", "skip", "fail"]));
    }
    if !timeless && dice.percent(30) {
        step["lateness"] = lateness(dice);
    }
    if dice.percent(40) {
        let attempts = dice.between(1, 4);
        let first = dice.one(&["1 second", "10 seconds", "2 minutes"]);
        // A bound on the attempts makes the way depend on how many of them crash.
        step["retry"] = json!({ "attempts": if timeless { 9 } else { attempts }, "first": first });
    } else if timeless {
        step["retry"] = json!({ "attempts": 9 });
    }
    step
}

/// A visit that somebody elsewhere answers.
fn ask(timeless: bool, dice: &mut Dice) -> Value {
    let mut step = json!({ "run": "Ask", "config": { "n": "{{n}}", "fixed": [1, null] } });
    if !timeless && dice.percent(20) {
        step["onFailure"] = json!(dice.one(&["continue", "fail"]));
    }
    if !timeless && dice.percent(20) {
        step["lateness"] = lateness(dice);
    }
    if !timeless && dice.percent(20) {
        step["retry"] = json!({ "attempts": dice.between(1, 4), "first": "1 second" });
    }
    step
}

fn lateness(dice: &mut Dice) -> Value {
    let most = dice.one(&["2 seconds", "1 minute", "30 minutes"]);
    json!({ "most": most, "then": dice.one(&["send", "skip", "fail"]) })
}

fn go_to(at: usize, count: usize, dice: &mut Dice) -> Value {
    let to = if dice.percent(80) { name(dice.index(at + 1), count) } else { name(at + 1, count) };
    let mut config = json!({ "step": to });
    if dice.percent(80) {
        config["times"] = json!(dice.between(1, 3));
    }
    json!({ "run": "GoTo", "config": config })
}

fn comparison(dice: &mut Dice) -> Value {
    let (attribute, values) = dice.one(&[
        ("minute", json!([0, 20, 40])),
        ("hour", json!([9, 10, 11, 14])),
        ("day", json!([1, 2, 3, 4, 5])),
    ]);
    let config = json!({ "attribute": attribute, "values": values });
    json!({ "run": "WaitForDateComparison", "config": config })
}

/// A condition on what only a start or an event changes.
fn number(dice: &mut Dice) -> Value {
    json!({
        "lodashCommand": dice.one(&["lt", "gt", "eq"]),
        "value": { "type": "get", "value": "n" },
        "compareTo": { "type": "raw", "value": dice.between(0, 3) },
    })
}

fn goal(dice: &mut Dice) -> Value {
    let mut config = if dice.percent(70) {
        json!({
            "lodashCommand": "eq",
            "value": { "type": "get", "value": "order.status" },
            "compareTo": { "type": "raw", "value": "confirmed" },
        })
    } else {
        number(dice)
    };
    config["otherwise"] = json!(dice.one(&["wait", "continue", "end"]));
    json!({ "run": "Goal", "config": config })
}
