//! What happened to a process, line by line: its history, and between it what was reported
//! of its deliveries.
//!
//! Promises: in the order in which it happened; everything is there in JSON, and in text
//! all but what the line before has said already.
//! Called by: `run`, again and again while the process climbs, and `show`, once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rungs_core::{Entry, delivery::LogLine, process::iso, simulate};
use serde_json::{Value, json};

use crate::store::{Result, Store, entity::delivery, history::Moment};

use super::view;

mod text;

pub(super) use text::Teller;

/// Moments read at once.
const PAGE: u64 = 1_000;

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    at: DateTime<Utc>,
    what: What,
    /// The line below says the same, and more.
    implied: bool,
}

/// What happened.
#[derive(Debug, Clone)]
enum What {
    /// The process did something, or something was done to it.
    Entry(Entry),
    /// It wrote a delivery.
    Wrote { entry: Entry, step: String, channel: String, request: Value },
    /// Something was reported of a delivery.
    Reported { step: String, delivery: String, channel: String, line: LogLine },
}

impl What {
    fn of(simulated: &simulate::What) -> Self {
        match simulated.clone() {
            simulate::What::Did(entry) => Self::Entry(entry),
            simulate::What::Wrote { step, delivery, channel, request } => {
                let channel = channel.into_owned();
                let entry = Entry::Wrote { step: step.clone(), delivery, channel: channel.clone() };
                Self::Wrote { entry, step, channel, request }
            }
            simulate::What::Heard { step, delivery, channel, status } => {
                let what = status.to_string();
                let line = LogLine { at: 0, attempt: None, what, error: None };
                Self::Reported { step, delivery, channel: channel.into_owned(), line }
            }
        }
    }
}

/// How far a timeline has been read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    history: i64,
    /// Lines read of the log of each delivery.
    logs: HashMap<String, usize>,
}

impl Reader {
    /// Reads what is new.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(&mut self, store: &Store, key: &str) -> Result<Vec<Line>> {
        let mut moments = Vec::new();
        loop {
            let page = store.history(key, self.history, PAGE).await?;
            let Some(last) = page.last() else { break };
            self.history = last.seq;
            moments.extend(page);
        }
        let deliveries = store.deliveries_of(key).await?;
        let mut reports: Vec<Line> =
            deliveries.iter().flat_map(|delivery| self.reports(delivery)).collect();
        reports.sort_by_key(|line| line.at);
        Ok(merge(moments, reports, &deliveries))
    }

    fn reports(&mut self, delivery: &delivery::Model) -> Vec<Line> {
        let log = view::log(delivery);
        let seen = self.logs.insert(delivery.id.clone(), log.len()).unwrap_or(0);
        log.into_iter()
            .skip(seen)
            .map(|line| Line {
                at: view::millis(Some(line.at)).unwrap_or_default(),
                what: What::Reported {
                    step: delivery.step.clone(),
                    delivery: delivery.id.clone(),
                    channel: delivery.channel.clone(),
                    line,
                },
                implied: false,
            })
            .collect()
    }
}

/// Both in their own order. In the same millisecond, a process hears of a report after it
/// came, and everything else it does comes first.
fn merge(moments: Vec<Moment>, reports: Vec<Line>, deliveries: &[delivery::Model]) -> Vec<Line> {
    let mut reports = reports.into_iter().peekable();
    let mut lines = Vec::new();
    for moment in moments {
        let hears = moment.entries.iter().any(|entry| matches!(entry, Entry::Heard { .. }));
        while let Some(report) =
            reports.next_if(|report| report.at < moment.at || (hears && report.at == moment.at))
        {
            lines.push(report);
        }
        let mut entries = moment.entries.into_iter().peekable();
        while let Some(entry) = entries.next() {
            let implied = matches!(entries.peek(), Some(Entry::Wrote { .. }));
            lines.push(Line { implied, ..Line::of(moment.at, entry, deliveries) });
        }
    }
    lines.extend(reports);
    lines
}

impl Line {
    /// What a simulation says, as a history would say it.
    pub fn simulated(lines: &[simulate::Line]) -> Vec<Self> {
        let mut told = Vec::with_capacity(lines.len());
        let mut lines = lines.iter().peekable();
        while let Some(simulate::Line { at, what }) = lines.next() {
            let next = lines.peek().map(|line| &line.what);
            let is_visit = matches!(what, simulate::What::Did(Entry::Visited { .. }));
            let writes = matches!(
                next,
                Some(simulate::What::Wrote { .. } | simulate::What::Did(Entry::Held { .. }))
            );
            let implied = is_visit && writes;
            told.push(Self { at: *at, what: What::of(what), implied });
        }
        told
    }

    fn of(at: DateTime<Utc>, entry: Entry, deliveries: &[delivery::Model]) -> Self {
        let what = match &entry {
            Entry::Wrote { step, delivery, channel } => What::Wrote {
                step: step.clone(),
                channel: channel.clone(),
                request: deliveries
                    .iter()
                    .find(|written| written.id == *delivery)
                    .map(view::request)
                    .unwrap_or_default(),
                entry,
            },
            _ => What::Entry(entry),
        };
        Self { at, what, implied: false }
    }

    /// For machines. `kind` says what happened.
    pub fn json(&self) -> Value {
        let more = match &self.what {
            What::Entry(entry) => entry.shown(),
            What::Wrote { entry, request, .. } => {
                let mut more = json!(entry);
                more["request"] = request.clone();
                more
            }
            What::Reported { step, delivery, channel, line } => {
                let mut more = json!({
                    "kind": "reported", "step": step, "delivery": delivery, "channel": channel,
                });
                if let (Value::Object(more), Value::Object(line)) = (&mut more, json!(line)) {
                    more.extend(line.into_iter().filter(|(key, _)| key != "at"));
                }
                more
            }
        };
        let mut json = json!({ "at": iso(self.at) });
        if let (Value::Object(json), Value::Object(more)) = (&mut json, more) {
            json.extend(more);
            if let Some(until) = json.get_mut("until") {
                *until = json!(view::millis(until.as_i64()).map(iso));
            }
        }
        json
    }
}
