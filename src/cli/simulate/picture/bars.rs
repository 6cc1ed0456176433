//! What stands in the lanes.

use chrono::{DateTime, Utc};
use rungs_core::{
    Entry,
    simulate::{Line, Simulation, What},
};
use rungs_runners::{Action, DeliveryStatus};

/// A stretch of a climb.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub lane: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub label: String,
    pub kind: Kind,
}

/// What kind of stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A step waits.
    Wait,
    /// Something happened from outside, or a goal was achieved.
    Event,
    /// Somebody was reached.
    Reached,
    /// Nobody was.
    Missed,
    /// It left, and nothing more was heard.
    Open,
}

/// Every bar: the waits first, then what happened, then each channel.
pub(super) fn bars(simulation: &Simulation) -> Vec<Bar> {
    let lines = &simulation.lines;
    let mut bars = waits(lines, simulation.ended_at);
    bars.extend(lines.iter().filter_map(happened));
    let mut deliveries: Vec<Bar> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let What::Wrote { step, delivery, channel, .. } = &line.what {
            let rest = lines.get(number..).unwrap_or_default();
            deliveries.push(delivered(rest, line.at, step, delivery, channel));
        }
    }
    // Each channel keeps the place of its first delivery.
    let mut ways: Vec<&str> = Vec::new();
    for bar in &deliveries {
        if !ways.contains(&&*bar.lane) {
            ways.push(&bar.lane);
        }
    }
    for lane in ways {
        bars.extend(deliveries.iter().filter(|bar| bar.lane == lane).cloned());
    }
    bars
}

/// From the first visit of each stay that waits, without having written something, to the
/// moment at which the cursor leaves.
fn waits(lines: &[Line], ended_at: DateTime<Utc>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut open: Option<(String, DateTime<Utc>)> = None;
    let mut wrote = false;
    let mut close = |open: &mut Option<(String, DateTime<Utc>)>, to| {
        if let Some((label, from)) = open.take().filter(|(_, from)| *from < to) {
            bars.push(Bar { lane: "waits".into(), from, to, label, kind: Kind::Wait });
        }
    };
    for line in lines {
        match &line.what {
            What::Did(Entry::Visited { step, action: Action::Noop, .. })
                if wrote || open.as_ref().is_some_and(|(known, _)| *known == *step) => {}
            What::Did(Entry::Visited { step, action: Action::Noop, .. }) => {
                close(&mut open, line.at);
                open = Some((step.clone(), line.at));
            }
            // What it does then is no waiting: the channel's lane shows it.
            What::Wrote { .. } => {
                open = None;
                wrote = true;
            }
            What::Did(Entry::Visited { .. } | Entry::Achieved { .. }) => {
                wrote = false;
                close(&mut open, line.at);
            }
            _ => {}
        }
    }
    close(&mut open, ended_at);
    bars
}

fn happened(line: &Line) -> Option<Bar> {
    let label = match &line.what {
        What::Did(Entry::Happened { event }) => event.clone(),
        What::Did(Entry::Achieved { step, .. }) => format!("★ {step}"),
        _ => return None,
    };
    Some(Bar { lane: "events".into(), from: line.at, to: line.at, label, kind: Kind::Event })
}

fn delivered(lines: &[Line], from: DateTime<Utc>, step: &str, id: &str, channel: &str) -> Bar {
    let last = lines.iter().rev().find_map(|line| match &line.what {
        What::Heard { delivery, status, .. } if delivery == id => Some((line.at, *status)),
        _ => None,
    });
    let (to, status) = last.unwrap_or((from, DeliveryStatus::Pending));
    let kind = match status {
        status if status.is_failure() => Kind::Missed,
        status if status >= DeliveryStatus::Sent => Kind::Reached,
        _ => Kind::Open,
    };
    Bar { lane: lane(channel).to_owned(), from, to, label: format!("{step}: {status}"), kind }
}

fn lane(channel: &str) -> &str {
    match channel {
        "phone" => "calls",
        "sms" => "texts",
        "email" => "mails",
        other => other,
    }
}
