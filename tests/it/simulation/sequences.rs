//! Random sequences, each of which passes the check.

use rungs_core::{Diagnostic, Sequence, check};
use rungs_runners::{Kind, builtin::KINDS, remote::Remote};
use serde_json::{Value, json};

use super::dice::Dice;

/// The name of the sequence of processes that steps start.
pub const CHILD: &str = "child";

/// A sequence as it is written, step by step, so that one can be left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub name: String,
    pub priority: &'static str,
    pub defaults: Value,
    pub quiet: Value,
    pub steps: Vec<Value>,
    /// Ids that steps bore in an earlier version.
    pub moved: Value,
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

    /// The sequence of processes that steps start. They start no others.
    pub fn child(dice: &mut Dice) -> Self {
        loop {
            let written = Self::random(CHILD, false, dice);
            if !written.runs("Start") {
                return written;
            }
        }
    }

    /// Whether a step of it runs this.
    pub fn runs(&self, runner: &str) -> bool {
        self.steps.iter().any(|step| step["run"] == runner)
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
        let quiet = if !timeless && dice.percent(30) { quiet(dice) } else { json!("none") };
        Self { name: name.to_owned(), priority, defaults, quiet, steps, moved: json!({}) }
    }

    /// Another version of it, to which processes may move: some steps bear another id, some
    /// waits are longer or shorter, one is new, one is gone.
    pub fn next_version(&self, dice: &mut Dice) -> Self {
        let next = self.changed(dice);
        if next.takes_its_time() && next.checked().is_some() { next } else { self.renamed(dice) }
    }

    fn changed(&self, dice: &mut Dice) -> Self {
        let mut next = self.clone();
        if dice.percent(40) {
            next = next.without(dice.index(next.steps.len())).unwrap_or(next);
        }
        for step in &mut next.steps {
            if step["run"] == "WaitForDuration" && dice.percent(50) {
                step["config"] = wait(dice)["config"].clone();
            }
        }
        if dice.percent(40) {
            let words = "{{tag}}{{process.id}} {{process.startedAt}} n0 {{steps.n0.visits}}";
            let config = json!({ "to": "{{phone}}", "message": words });
            let at = dice.index(next.steps.len() + 1);
            next.steps.insert(at, json!({ "id": "n0", "run": "SMS", "config": config }));
        }
        next.renamed(dice)
    }

    fn renamed(&self, dice: &mut Dice) -> Self {
        let mut next = self.clone();
        for at in 0..8 {
            let (old, new) = (format!("s{at}"), format!("t{at}"));
            if !next.steps.iter().any(|step| step["id"] == *old) || !dice.percent(40) {
                continue;
            }
            let text = serde_json::to_string(&next.steps).unwrap();
            let text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
            let text = text.replace(&format!("steps.{old}."), &format!("steps.{new}."));
            next.steps = serde_json::from_str(&text).unwrap();
            next.moved[&old] = json!(new);
        }
        next
    }

    pub fn source(&self) -> String {
        let written = json!({
            "sequence": self.name,
            "priority": self.priority,
            "defaults": self.defaults,
            "quietHours": self.quiet,
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
    let mut step = match dice.index(if timeless { 13 } else { 22 }) {
        0 | 1 => wait(dice),
        2..=7 => notification(at, timeless, dice),
        8 | 9 => go_to(at, count, dice),
        10 => json!({ "run": "Conditional", "config": number(dice), "altNext": ahead(dice) }),
        11 => json!({ "run": "WaitForDate", "config": { "date": "{{when}}" } }),
        12 => ask(timeless, dice),
        13 => comparison(dice),
        14 | 15 => goal(dice),
        16 => window(dice),
        17 => {
            let mut step = wait_for_event(dice);
            step["altNext"] = ahead(dice);
            step
        }
        18 => set(at, dice),
        19 => start(at, dice),
        20 => stop(dice),
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
    let asks = ["Ask", "Start", "Stop"].iter().any(|asks| step["run"] == *asks);
    let may_fail = step["config"]["to"].is_string() || asks;
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
    let words = format!(
        "{{{{tag}}}}{{{{process.id}}}} {{{{process.startedAt}}}} s{at} {{{{steps.s{at}.visits}}}}"
    );
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

/// Quiet hours that a run meets: it begins at 08:57 and takes a few hours.
fn quiet(dice: &mut Dice) -> Value {
    let (from, to) = dice.one(&[
        ("08:30", "09:00"),
        ("08:58", "08:59"),
        ("09:00", "09:05"),
        ("09:01", "09:30"),
        ("09:10", "12:00"),
        ("12:00", "09:02"),
    ]);
    json!({ "from": from, "to": to })
}

fn window(dice: &mut Dice) -> Value {
    let (from, to) = dice.one(&[("09:00", "09:10"), ("09:20", "09:01"), ("10:00", "10:01")]);
    json!({ "run": "WaitForWindow", "config": { "from": from, "to": to } })
}

fn wait_for_event(dice: &mut Dice) -> Value {
    let mut config = json!({
        "event": dice.one(&["order.confirmed", "counted", "note"]),
        "fresh": dice.percent(50),
    });
    if dice.percent(80) {
        config["timeout"] = json!(dice.one(&["10 seconds", "3 minutes", "1 hour"]));
    }
    if config["event"] == "counted" {
        config["where"] = json!({
            "lodashCommand": "gt",
            "value": { "type": "get", "value": "event.data.n" },
            "compareTo": { "type": "raw", "value": 1 },
        });
    }
    json!({ "run": "WaitForEvent", "config": config })
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

/// What a condition may look at later, and what grows a little each time.
fn set(at: usize, dice: &mut Dice) -> Value {
    let all = json!({ "type": "get", "value": "note" });
    let values = json!({
        "n": dice.between(0, 3),
        "note": { format!("s{at}"): "{{process.id}}" },
        "copy": if dice.percent(50) { all } else { Value::Null },
    });
    json!({ "run": "Set", "config": { "values": values } })
}

/// Another process. Now and then its id is one that is live.
fn start(at: usize, dice: &mut Dice) -> Value {
    let process_id =
        dice.one(&["c-{{process.id}}".to_owned(), format!("c-{{{{process.id}}}}-s{at}")]);
    let data = json!({
        "tag": format!("{{{{process.id}}}} {{{{process.startedAt}}}} s{at} {{{{steps.s{at}.visits}}}}: "),
        "n": { "type": "get", "value": "n" },
        "when": "{{when}}",
        "phone": "{{phone}}",
        "mail": "{{mail}}",
    });
    json!({ "run": "Start", "config": { "sequence": CHILD, "process_id": process_id, "data": data } })
}

/// The end of a process that may not be there, of another's, or of its own.
fn stop(dice: &mut Dice) -> Value {
    let ids =
        ["c-{{process.id}}", "c-{{process.id}}", "c-{{process.id}}-s1", "p0", "{{process.id}}"];
    json!({ "run": "Stop", "config": { "process_id": dice.one(&ids) } })
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
