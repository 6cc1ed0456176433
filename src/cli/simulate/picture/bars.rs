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
    /// The step that it is about, if it is a delivery.
    pub step: Option<String>,
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
    /// Quiet hours hold what was written.
    Held,
    /// Something happened from outside, or a goal was achieved.
    Event,
    /// Somebody was reached.
    Reached,
    /// Nobody was.
    Missed,
    /// It left, and nothing more was heard.
    Open,
}

/// Every bar: the waits first, then what happened, then each channel. `events` are what happens
/// from outside, in its order, in the words of who said so.
pub(super) fn bars(simulation: &Simulation, events: &[String]) -> Vec<Bar> {
    let lines = &simulation.lines;
    let mut bars = waits(lines, simulation.ended_at);
    let mut events = events.iter();
    bars.extend(lines.iter().filter_map(|line| happened(line, &mut events)));
    let mut deliveries: Vec<Bar> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let What::Wrote { step, delivery, channel, .. } = &line.what {
            let (before, rest) = lines.split_at_checked(number).unwrap_or_default();
            deliveries.extend(held(before, line.at, step, delivery, channel));
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
            let (lane, step) = ("waits".into(), None);
            bars.push(Bar { lane, step, from, to, label, kind: Kind::Wait });
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

fn happened<'e>(line: &Line, events: &mut impl Iterator<Item = &'e String>) -> Option<Bar> {
    let label = match &line.what {
        What::Did(Entry::Happened { event }) => events.next().unwrap_or(event).clone(),
        What::Did(Entry::Achieved { step, .. }) => format!("★ {step}"),
        _ => return None,
    };
    let (from, to, kind) = (line.at, line.at, Kind::Event);
    Some(Bar { lane: "events".to_owned(), step: None, from, to, label, kind })
}

/// From when it was written to when it left, if quiet hours held it.
fn held(
    lines: &[Line],
    left_at: DateTime<Utc>,
    step: &str,
    id: &str,
    channel: &str,
) -> Option<Bar> {
    let is_it = |line: &&Line| matches!(&line.what, What::Did(Entry::Held { delivery, .. }) if delivery == id);
    let from = lines.iter().rev().find(is_it)?.at;
    Some(Bar {
        lane: lane(channel).to_owned(),
        step: Some(step.to_owned()),
        from,
        to: left_at,
        label: format!("{step}: held"),
        kind: Kind::Held,
    })
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
    Bar {
        lane: lane(channel).to_owned(),
        step: Some(step.to_owned()),
        from,
        to,
        label: format!("{step}: {status}"),
        kind,
    }
}

fn lane(channel: &str) -> &str {
    match channel {
        "phone" => "calls",
        "sms" => "texts",
        "email" => "mails",
        other => other,
    }
}
