//! Contacts: who is reached when, and how two climbs differ in it.
//!
//! Promises: pure. Questions to runners that live elsewhere, and what is done to processes, reach
//! nobody, and are no contacts. A webhook is one: others see it, and it may lead to a person.
//! Called by: intake, for `plan`, and [`backtest`](crate::backtest).

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use rungs_runners::DeliveryStatus;
use serde_json::Value;

use crate::{
    Sequence,
    simulate::{Line, Simulation, What},
};

/// Somebody is reached, or was to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The step that wrote it.
    pub step: String,
    /// Through which channel.
    pub channel: String,
    /// What was sent.
    pub request: Value,
}

impl Contact {
    /// Whom it reaches, as far as that can be told: an address, or several.
    pub fn to(&self) -> String {
        let found = ["to", "channel", "url"].iter().find_map(|key| self.request.get(key));
        match found {
            Some(Value::String(to)) => to.clone(),
            Some(Value::Array(all)) => {
                let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
                all.join(", ")
            }
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }
}

/// The contacts of a simulation.
pub fn of(simulation: &Simulation, sequence: &Sequence) -> Vec<Contact> {
    of_sent(simulation, sequence, |_| true)
}

/// Those whose deliveries, by their ids, were sent. One that was passed by was not.
pub fn of_sent(
    simulation: &Simulation,
    sequence: &Sequence,
    is_sent: impl Fn(&str) -> bool,
) -> Vec<Contact> {
    let skipped = simulation.lines.iter().filter_map(|line| match &line.what {
        What::Heard { delivery, status: DeliveryStatus::Skipped, .. } => Some(delivery.as_str()),
        _ => None,
    });
    let skipped: HashSet<&str> = skipped.collect();
    let is_sent = |delivery: &str| is_sent(delivery) && !skipped.contains(delivery);
    let asks = |step: &str| {
        let position = sequence.position(step);
        position.and_then(|at| sequence.steps.get(at)).is_some_and(|step| step.kind.asks)
    };
    let contact = |line: &Line| match &line.what {
        What::Wrote { step, delivery, channel, request } if !asks(step) && is_sent(delivery) => {
            Some(Contact {
                at: line.at,
                step: step.clone(),
                channel: channel.to_string(),
                request: request.clone(),
            })
        }
        _ => None,
    };
    simulation.lines.iter().filter_map(contact).collect()
}

/// How two climbs differ in whom they reach.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Contacts of the first that the second does not have.
    pub only_before: Vec<Contact>,
    /// Contacts of the second that the first does not have.
    pub only_after: Vec<Contact>,
    /// Contacts of both at another time: the second's, and when the first's was.
    pub shifted: Vec<(Contact, DateTime<Utc>)>,
    /// Contacts of both with other words: the second's.
    pub reworded: Vec<Contact>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.only_before.is_empty()
            && self.only_after.is_empty()
            && self.shifted.is_empty()
            && self.reworded.is_empty()
    }
}

/// One person's contacts, of the first climb and of the second.
type Both<'a> = (Vec<&'a Contact>, Vec<&'a Contact>);

/// Compares two climbs: the same person over the same channel within `tolerance` is the same
/// contact. What is left over of a person on both sides is the same contact at another time.
pub fn difference(before: &[Contact], after: &[Contact], tolerance: TimeDelta) -> Difference {
    let mut difference = Difference::default();
    let mut all: BTreeMap<(&str, String), Both<'_>> = BTreeMap::new();
    for contact in before {
        all.entry((&contact.channel, contact.to())).or_default().0.push(contact);
    }
    for contact in after {
        all.entry((&contact.channel, contact.to())).or_default().1.push(contact);
    }
    for (before, after) in all.into_values() {
        pair(&before, &after, tolerance, &mut difference);
    }
    let Difference { only_before, only_after, shifted, reworded } = &mut difference;
    for contacts in [only_before, only_after, reworded] {
        contacts.sort_by_key(|contact| contact.at);
    }
    shifted.sort_by_key(|(contact, _)| contact.at);
    difference
}

/// Contacts of one person, both in the order of time.
fn pair(before: &[&Contact], after: &[&Contact], tolerance: TimeDelta, into: &mut Difference) {
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    loop {
        match (before.peek(), after.peek()) {
            (Some(one), Some(other)) if (one.at - other.at).abs() <= tolerance => {
                if one.request != other.request {
                    into.reworded.push((**other).clone());
                }
                before.next();
                after.next();
            }
            (Some(one), other) if other.is_none_or(|other| one.at < other.at) => {
                gone.extend(before.next().map(|contact| (*contact).clone()));
            }
            (_, Some(_)) => new.extend(after.next().map(|contact| (*contact).clone())),
            (_, None) => break,
        }
    }
    let both = gone.len().min(new.len());
    into.only_before.extend(gone.drain(both..));
    into.only_after.extend(new.drain(both..));
    into.shifted.extend(new.into_iter().zip(gone.into_iter().map(|contact| contact.at)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `minute to words`, each in an order of time.
    fn contacts(told: &[&str]) -> Vec<Contact> {
        let nine: DateTime<Utc> = "2026-11-23T09:00:00Z".parse().unwrap();
        let read = |told: &&str| {
            let [minute, to, words] = told.split(' ').collect::<Vec<_>>()[..] else { panic!() };
            Contact {
                at: nine + TimeDelta::seconds((minute.parse::<f64>().unwrap() * 60.0) as i64),
                step: "text".into(),
                channel: "sms".into(),
                request: json!({ "to": to, "message": words }),
            }
        };
        told.iter().map(read).collect()
    }

    #[test]
    fn the_same_person_at_about_the_same_time_is_the_same_contact() {
        let before = contacts(&["1 ana hi", "5 ana hi", "9 bo hi", "9 di hi"]);
        let after = contacts(&["1.5 ana hi", "7 ana hi", "9 ana hi", "9.2 bo hello", "20 cy hi"]);
        let found = difference(&before, &after, TimeDelta::minutes(1));
        assert_eq!(found.only_before, contacts(&["9 di hi"]));
        assert_eq!(found.shifted, [(after[1].clone(), before[1].at)]);
        assert_eq!(found.only_after, contacts(&["9 ana hi", "20 cy hi"]));
        assert_eq!(found.reworded, contacts(&["9.2 bo hello"]));
        assert!(difference(&before, &before, TimeDelta::zero()).is_empty());
    }
}
