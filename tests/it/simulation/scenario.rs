//! What one seed makes of the world: who climbs what, what happens from outside, and what
//! goes wrong.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{dice::Dice, sequences::Written, stage::Point};

/// When every scenario begins.
pub fn origin() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_424_220, 0).unwrap()
}

/// A whole scenario. Everything in it can be left out, which is how it is shrunk.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each can be left out")]
pub struct Scenario {
    pub seed: u64,
    /// The way of each process does not depend on when anything happens, so that a run
    /// without faults must take the same.
    pub timeless: bool,
    pub sequences: Vec<Written>,
    /// The second versions of some of them.
    pub seconds: Vec<Written>,
    pub processes: Vec<Climber>,
    pub deeds: Vec<Deed>,
    pub faults: Vec<Fault>,
    pub programs: Vec<Program>,
    /// Whether providers call back.
    pub called_back: bool,
    /// Whether providers refuse, are out of order, or time out.
    pub troubled: bool,
    /// Whether who goes next is drawn; else it is always the first.
    pub shuffled: bool,
    /// Of a hundred stops around a commit, how many are made.
    pub commits_held: u32,
    /// Of a hundred steps, before how many time passes though somebody could go on.
    pub slowness: u32,
}

/// A process to start.
#[derive(Debug, Clone)]
pub struct Climber {
    pub id: String,
    pub sequence: String,
    pub data: Value,
}

/// Something done from outside. Whoever does it tries again until it is answered.
#[derive(Debug, Clone)]
pub struct Deed {
    pub at: DateTime<Utc>,
    pub process: String,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Start,
    Event {
        id: String,
        r#type: &'static str,
        data: Value,
    },
    Stop,
    Pause,
    Resume,
    /// The second version of its sequence is published, and all processes move to it.
    Move {
        name: String,
        source: String,
    },
}

/// Something that goes wrong when somebody comes to a point for the `nth` time.
#[derive(Debug, Clone)]
pub struct Fault {
    pub at: Point,
    pub nth: u32,
    pub what: Wrong,
}

#[derive(Debug, Clone)]
pub enum Wrong {
    /// The program dies, and comes back after a while.
    Crash(TimeDelta),
    /// All programs die.
    Downtime(TimeDelta),
    /// Only the one at the point stands still.
    Stall(TimeDelta),
    /// The clock of every program is put forward or back.
    Jump(TimeDelta),
}

/// A program over the common store.
#[derive(Debug, Clone)]
pub struct Program {
    pub shape: Shape,
    /// By how much its clock is ahead of the others'.
    pub ahead: TimeDelta,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All passes at once, for ever, as `serve` does.
    Serve,
    /// One pass after the other until nothing is due, again and again, as a scheduled
    /// `evaluate` does.
    Rounds,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn of(seed: u64) -> Self {
        let dice = &mut Dice::of(seed);
        let timeless = dice.percent(30);
        let sequences: Vec<Written> = (0..dice.between(1, 2))
            .map(|n| Written::random(&format!("ladder-{n}"), timeless, dice))
            .collect();
        let processes: Vec<Climber> = (0..dice.one(&[1, 2, 3, 4, 6]))
            .map(|n| climber(n, &dice.one(&sequences).name, dice))
            .collect();
        let deeds = processes.iter().flat_map(|process| deeds(process, timeless, dice)).collect();
        let programs = (0..dice.one(&[1, 1, 1, 2, 2, 3])).map(|_| program(dice)).collect();
        let mut scenario = Self {
            seed,
            timeless,
            sequences,
            seconds: vec![],
            processes,
            deeds,
            faults: (0..dice.one(&[0, 1, 2, 3, 5, 8, 12])).map(|_| fault(dice)).collect(),
            programs,
            called_back: dice.percent(70),
            troubled: dice.percent(75),
            shuffled: dice.percent(85),
            commits_held: dice.one(&[0, 30, 100]),
            slowness: dice.one(&[0, 0, 1, 4]),
        };
        if !timeless {
            scenario.moves(dice);
        }
        if scenario.written().any(|written| written.runs("Start")) {
            let child = Written::child(dice);
            scenario.sequences.push(child);
        }
        scenario
    }

    fn moves(&mut self, dice: &mut Dice) {
        for first in self.sequences.clone() {
            let climber = self.processes.iter().find(|process| process.sequence == first.name);
            let Some(climber) = climber.filter(|_| dice.percent(40)) else { continue };
            let second = first.next_version(dice);
            let most = dice.one(&[5_000, 3 * 60_000, 20 * 60_000]);
            let (name, source) = (second.name.clone(), second.source());
            self.deeds.push(Deed {
                at: origin() + TimeDelta::milliseconds(dice.between(0, most)),
                process: climber.id.clone(),
                what: What::Move { name, source },
            });
            self.seconds.push(second);
        }
    }

    /// Every version of every sequence.
    fn written(&self) -> impl Iterator<Item = &Written> {
        self.sequences.iter().chain(&self.seconds)
    }

    /// The same without anything that goes wrong in our programs.
    pub fn without_faults(&self) -> Self {
        Self { faults: vec![], slowness: 0, ..self.clone() }
    }

    /// The channels that its sequences use.
    pub fn channels(&self) -> Vec<&'static str> {
        let uses = |runner: &str| self.written().any(|written| written.runs(runner));
        let channels = [("Ask", "Ask"), ("Email", "email"), ("Phone", "phone"), ("SMS", "sms")];
        channels.into_iter().filter(|(runner, _)| uses(runner)).map(|(_, name)| name).collect()
    }

    /// Whether a step waits for more than that the provider took its delivery.
    pub fn awaits_the_end(&self, process: &str, step: &str) -> bool {
        let sequence = self.processes.iter().find(|one| one.id == process).map(|one| &one.sequence);
        let steps = self.written().filter(|written| Some(&written.name) == sequence);
        steps.flat_map(|written| &written.steps).any(|one| {
            one["id"] == step
                && ["answered", "completed", "delivered"]
                    .iter()
                    .any(|it| one["config"]["await"] == *it)
        })
    }
}

fn climber(number: i64, sequence: &str, dice: &mut Dice) -> Climber {
    // Now and then two of them have the same number.
    let phone = if dice.percent(30) { 0 } else { number };
    let when = origin() + TimeDelta::minutes(dice.between(-60, 600));
    Climber {
        id: format!("p{number}"),
        sequence: sequence.to_owned(),
        data: json!({
            "n": dice.between(0, 3),
            "when": when.to_rfc3339(),
            "phone": format!("+38591000000{phone}"),
            "mail": format!("p{number}@example.com"),
        }),
    }
}

fn deeds(process: &Climber, timeless: bool, dice: &mut Dice) -> Vec<Deed> {
    let later =
        |dice: &mut Dice, most: i64| origin() + TimeDelta::milliseconds(dice.between(0, most));
    let deed = |at, what| Deed { at, process: process.id.clone(), what };
    let mut deeds = vec![deed(later(dice, 120_000), What::Start)];
    if timeless {
        return deeds;
    }
    let (at_once, soon) = (3 * 60_000, 20 * 60_000);
    for number in 0..dice.one(&[0, 1, 1, 2, 4]) {
        let most = dice.one(&[at_once, soon, 3 * 3_600_000]);
        let (r#type, data) = match dice.index(5) {
            0 | 1 => ("order.confirmed", json!({ "order": { "status": "confirmed" } })),
            2 => ("counted", json!({ "n": dice.between(0, 4) })),
            3 => ("unknown", json!({ "n": null })),
            _ => ("note", Value::Null),
        };
        let id = format!("e{number}");
        deeds.push(deed(later(dice, most), What::Event { id, r#type, data }));
    }
    if dice.percent(25) {
        let most = dice.one(&[at_once, soon]);
        deeds.push(deed(later(dice, most), What::Stop));
    }
    if dice.percent(20) {
        deeds.push(deed(later(dice, soon), What::Pause));
        if dice.percent(80) {
            deeds.push(deed(later(dice, 3 * soon), What::Resume));
        }
    }
    if dice.percent(25) {
        deeds.push(deed(later(dice, 2 * soon), What::Start));
    }
    if dice.percent(10) {
        // A failed process is tried again.
        deeds.push(deed(later(dice, 3 * soon), What::Resume));
    }
    deeds
}

fn program(dice: &mut Dice) -> Program {
    let ahead = if dice.percent(25) { dice.between(-2_000, 2_000) } else { 0 };
    Program {
        shape: if dice.percent(75) { Shape::Serve } else { Shape::Rounds },
        ahead: TimeDelta::milliseconds(ahead),
    }
}

fn fault(dice: &mut Dice) -> Fault {
    // Sends are few, and what happens around them matters most.
    let at = dice.one(&[
        Point::Begin,
        Point::Commit,
        Point::Committed,
        Point::Read,
        Point::Send,
        Point::Send,
        Point::Sent,
        Point::Sent,
        Point::Sent,
        Point::Ask,
    ]);
    let nth = match at {
        Point::Send | Point::Sent | Point::Ask => dice.between(1, 6),
        _ => {
            let most = dice.one(&[20, 100, 400]);
            dice.between(1, most)
        }
    };
    let down = dice.one(&[0, 500, 5_000, 60_000, 180_000, 4 * 3_600_000, 9 * 3_600_000]);
    let stall = dice.one(&[500, 5_000, 30_000, 110_000, 119_999, 121_000, 150_000, 3_600_000]);
    let jump = dice.one(&[-3_600_000, -60_000, -1_000, 1_000, 60_000, 130_000, 3_600_000]);
    let what = match dice.index(10) {
        0..=4 => Wrong::Crash(TimeDelta::milliseconds(down)),
        5 => Wrong::Downtime(TimeDelta::milliseconds(down)),
        6..=8 => Wrong::Stall(TimeDelta::milliseconds(stall)),
        _ => Wrong::Jump(TimeDelta::milliseconds(jump)),
    };
    Fault { at, nth: u32::try_from(nth).unwrap(), what }
}
