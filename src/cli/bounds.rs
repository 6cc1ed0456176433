//! The bounds of a sequence for machines, and the limits that a command line
//! holds against them.

use rungs_core::{
    Bounds,
    bounds::{Most, Since, Way},
    check::limits::{self, Limits},
};
use serde_json::{Map, Value, json};

use crate::channels;

use super::{Failure, Result};

/// What a sequence may do at most.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Messages that a process may send at most, in all or by one channel: 20, sms=5.
    #[arg(long = "max-messages", value_name = "[CHANNEL=]N", value_parser = messages)]
    messages: Vec<(Option<String>, u64)>,
    /// How long a process may live at most, such as 2d or 1h30m.
    #[arg(long = "max-life", value_name = "DURATION", value_parser = duration)]
    life: Option<u64>,
    /// When a person has to be contacted first at the latest, counted from the start.
    #[arg(long = "max-first-contact", value_name = "DURATION", value_parser = duration)]
    first_contact: Option<u64>,
}

impl Wanted {
    /// The same as the core knows it.
    pub fn limits(&self) -> Result<Limits> {
        let mut limits =
            Limits { life: self.life, first_contact: self.first_contact, ..Limits::default() };
        for (channel, most) in &self.messages {
            match channel {
                None => limits.messages = Some(*most),
                Some(name) if channels::names().any(|known| known == name) => {
                    limits.channels.push((name.clone(), *most));
                }
                Some(name) => {
                    let known: Vec<&str> = channels::names().collect();
                    let message = format!(
                        "--max-messages: there is no channel `{name}`; expected one of {}",
                        known.join(", ")
                    );
                    return Err(Failure::usage(message));
                }
            }
        }
        Ok(limits)
    }
}

fn messages(text: &str) -> std::result::Result<(Option<String>, u64), String> {
    let (channel, number) = match text.split_once('=') {
        Some((channel, number)) => (Some(channel.trim().to_owned()), number),
        None => (None, text),
    };
    let number = number.trim().parse();
    let number = number.map_err(|_| "expected a number such as 20, or sms=5 for one channel")?;
    Ok((channel, number))
}

fn duration(text: &str) -> std::result::Result<u64, &'static str> {
    limits::milliseconds(text).ok_or("expected a duration such as 10m, 1h30m or 2d, up to 366d")
}

/// The bounds for machines.
pub(super) fn document(bounds: &Bounds) -> Value {
    let channels: Map<String, Value> = bounds
        .channels
        .iter()
        .map(|(name, bound)| ((*name).to_owned(), most(bound, "most")))
        .collect();
    json!({
        "first_contact": bounds.first_contact.as_ref().map(|first| json!({
            "earliest_ms": first.earliest,
            "latest": most(&first.latest, "most_ms"),
            "nobody": first.nobody.as_ref().map(way),
        })),
        "messages": most(&bounds.messages, "most"),
        "channels": channels,
        "attempts": most(&bounds.attempts, "most"),
        "life": most(&bounds.life, "most_ms"),
        "waits": most(&bounds.waits, "most_ms"),
    })
}

fn most(bound: &Most, key: &str) -> Value {
    let mut document = json!({ key: bound.most, "way": way(&bound.way) });
    if let Some(Since { step, does }) = &bound.since {
        document["since"] = json!({ "step": step, "does": does });
    }
    document
}

fn way(way: &Way) -> Value {
    let rounds: Vec<Value> = way
        .rounds
        .iter()
        .map(|round| json!({ "from": round.from, "to": round.to, "times": round.times }))
        .collect();
    json!({ "steps": way.steps, "rounds": rounds })
}
