//! Runners that live elsewhere: a visit becomes a question, and the answer is the outcome.
//!
//! Promises: pure, as every runner. The question is a delivery, so it never leaves inside a
//! cycle, and it is asked until there is an answer. One that was answered `noop` is asked
//! anew, with the data as they are then: when it said so, or after `every`; or, if an event
//! has come since it was asked, soon.
//! Does not: know where the runner lives, or how it is asked (channels do).
//! Called by: rungs-core, through [`Kind::remote`](crate::Kind::remote); the channel, for
//! [`Question`].

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Action, Answer, DeliveryStatus, Failure, Jump, NewDelivery, Outcome, Prepared, Problem, Scope,
    Stay, Visit, data, hours::Calendars, prepare::Node, template::Use,
};

/// How long an answer of `noop` holds at least, whatever happens: events that follow each
/// other closely shall not make a storm of questions.
const SOONEST: TimeDelta = TimeDelta::seconds(1);

/// A runner that lives elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// What `run:` says, and the name of the channel that asks it. See [`keep`].
    pub name: &'static str,
    /// How long after a `noop` it is asked again, unless the answer says so.
    pub every: TimeDelta,
}

/// What the channel is asked to ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The step's config, rendered for this process.
    pub config: Value,
    /// The same as it is written, and so the same for every process at this step, where the
    /// two differ.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub written: Option<Value>,
    /// The process's data at the time of the visit.
    pub data: Map<String, Value>,
}

/// A name that is read from a configuration, for as long as the program runs: runners and
/// channels are known by such. There are few, and each is kept once.
pub fn keep(name: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    kept.insert(name);
    name
}

pub(crate) fn prepare(remote: Remote, config: &Value) -> Result<Box<dyn Prepared>, Vec<Problem>> {
    let mut problems = Vec::new();
    let rendering = Node::parse(config, "", false, &[], &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let written = (!matches!(rendering, Node::Fixed(_))).then(|| config.clone());
    Ok(Box::new(Step { remote, written, rendering }))
}

/// A step that such a runner runs.
struct Step {
    remote: Remote,
    /// The config, where it has templates.
    written: Option<Value>,
    rendering: Node,
}

impl Prepared for Step {
    fn visit(&self, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let Some(delivery) = visit.delivery else { return self.ask(visit.scope) };
        if let Some(answer) = &delivery.answer {
            return self.follow(answer, visit);
        }
        let status = delivery.status;
        let told = match &delivery.error {
            Some(error) => format!("{status}: {error}"),
            None => status.to_string(),
        };
        Ok(match status {
            DeliveryStatus::Skipped => Outcome::next(told),
            status if status.is_failure() => Outcome::undelivered(told),
            _ => Outcome::wait(told),
        })
    }

    fn achieved(&self, _: &Scope<'_>) -> Result<bool, Failure> {
        Ok(false)
    }

    fn rests(&self) -> bool {
        true
    }

    /// It is asked again for as long as it says `noop`. Whom it reaches itself, nobody knows.
    fn stay(&self, _: Option<Tz>, _: &Calendars) -> Stay {
        Stay::unbounded(format!("waits until `{}` answers", self.remote.name))
    }

    fn jump(&self) -> Option<Jump<'_>> {
        None
    }

    fn uses(&self) -> Vec<(String, Vec<String>, Use)> {
        let mut found = Vec::new();
        self.rendering.uses("", &mut found);
        found
    }
}

impl Step {
    fn ask(&self, scope: &Scope<'_>) -> Result<Outcome, Failure> {
        let config = self.rendering.render(scope)?;
        if data::length(&config) > data::MOST {
            let reason = format!("config: rendered, it has more than {} bytes", data::MOST);
            return Err(Failure(reason));
        }
        let question =
            Question { config, written: self.written.clone(), data: scope.data().clone() };
        let request = serde_json::to_value(question).map_err(|error| Failure(error.to_string()))?;
        let channel = self.remote.name;
        Ok(Outcome::deliver(NewDelivery { channel, request }, "to be asked"))
    }

    fn follow(&self, answer: &Answer, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let message = answer.message.clone().unwrap_or_default();
        match answer.action {
            Action::Next => Ok(Outcome::next(message)),
            Action::AltNext => Ok(Outcome::alt_next(message)),
            Action::Noop => {
                let until = self.ask_again_at(answer, visit);
                if visit.now >= until {
                    return self.ask(visit.scope);
                }
                Ok(Outcome::wait_until(until, message))
            }
        }
    }

    fn ask_again_at(&self, answer: &Answer, visit: &Visit<'_>) -> DateTime<Utc> {
        let answered_at = DateTime::from_timestamp_millis(answer.at).unwrap_or(visit.now);
        let said = answer.pause.and_then(|pause| i64::try_from(pause).ok());
        let pause = said.and_then(TimeDelta::try_milliseconds).unwrap_or(self.remote.every);
        let pause = if visit.stirred { SOONEST } else { pause.max(SOONEST) };
        answered_at.checked_add_signed(pause).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use serde_json::json;

    use super::*;
    use crate::{DeliveryView, Kind};

    /// One visit of a step, in the second `now` of 2026.
    fn visit(config: &Value, delivery: Option<&DeliveryView>, now: i64, stirred: bool) -> Outcome {
        let remote = Remote { name: "CreditCheck", every: TimeDelta::seconds(60) };
        let step = Kind::remote(remote).prepare(config).unwrap_or_else(|found| panic!("{found:?}"));
        let data = json!({ "order": { "total": 42 } });
        let (steps, events) = (json!({}), json!({}));
        let scope = Scope::new(data.as_object().unwrap(), || json!({}), &steps, &events);
        let now = moment(now);
        let (timezone, entered_at) = (Tz::UTC, now);
        let calendars = crate::hours::Calendars::new();
        step.visit(&Visit {
            now,
            timezone,
            entered_at,
            stay: 1,
            delivery,
            stirred,
            heard: crate::Heard::default(),
            calendars: &calendars,
            scope: &scope,
        })
        .unwrap()
    }

    fn moment(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap()
    }

    fn heard(status: DeliveryStatus, answer: Option<Answer>) -> DeliveryView {
        DeliveryView {
            id: "0190".into(),
            step: "check".into(),
            status,
            attempts: 1,
            provider_id: None,
            error: None,
            answer,
        }
    }

    /// Answered in second 10.
    fn answered(action: Action, pause: Option<u64>) -> DeliveryView {
        let at = moment(10).timestamp_millis();
        let answer =
            Answer { action, message: Some("why".into()), data: None, result: None, pause, at };
        heard(DeliveryStatus::Completed, Some(answer))
    }

    fn question(outcome: Outcome) -> Question {
        let delivery = outcome.deliver.expect("a question");
        assert_eq!(delivery.channel, "CreditCheck");
        serde_json::from_value(delivery.request).unwrap()
    }

    #[test]
    fn the_first_visit_asks_with_the_data_as_they_are() {
        let config = json!({ "most": "{{order.total}}", "depth": { "of": [1, null] } });
        let asked = question(visit(&config, None, 0, false));
        assert_eq!(asked.config, json!({ "most": "42", "depth": { "of": [1, null] } }));
        assert_eq!(asked.written, Some(config));
        assert_eq!(Value::Object(asked.data), json!({ "order": { "total": 42 } }));
    }

    #[test]
    fn a_config_without_templates_is_said_once() {
        let asked = question(visit(&json!({ "most": 3 }), None, 0, false));
        assert_eq!((asked.config, asked.written), (json!({ "most": 3 }), None));
    }

    #[test]
    fn the_answer_is_the_outcome() {
        for (action, outcome) in
            [(Action::Next, Outcome::next("why")), (Action::AltNext, Outcome::alt_next("why"))]
        {
            assert_eq!(visit(&json!({}), Some(&answered(action, None)), 12, false), outcome);
        }
    }

    #[test]
    fn until_there_is_an_answer_it_waits_and_a_final_failure_is_one() {
        let at = |status| visit(&json!({}), Some(&heard(status, None)), 12, false);
        for status in DeliveryStatus::ALL {
            let expected = match status {
                DeliveryStatus::Skipped => Outcome::next("skipped"),
                status if status.is_failure() => Outcome::undelivered(status.as_str()),
                status => Outcome::wait(status.as_str()),
            };
            assert_eq!(at(status), expected, "{status}");
        }
    }

    #[test]
    fn after_a_noop_it_is_asked_anew_when_the_answer_says_so_or_after_a_while() {
        for (pause, again) in [(None, 70), (Some(5_000), 15), (Some(86_400_000), 86_410)] {
            let noop = answered(Action::Noop, pause);
            let waits = visit(&json!({}), Some(&noop), again - 1, false);
            assert_eq!(waits, Outcome::wait_until(moment(again), "why"));
            question(visit(&json!({}), Some(&noop), again, false));
        }
    }

    #[test]
    fn an_event_makes_it_ask_soon_and_not_at_once() {
        let noop = answered(Action::Noop, Some(86_400_000));
        let waits = visit(&json!({}), Some(&noop), 10, true);
        assert_eq!(waits, Outcome::wait_until(moment(11), "why"), "no storm of questions");
        question(visit(&json!({}), Some(&noop), 11, true));
        // Nor if the answer itself asks for no pause.
        let hasty = visit(&json!({}), Some(&answered(Action::Noop, Some(0))), 10, false);
        assert_eq!(hasty, Outcome::wait_until(moment(11), "why"));
    }

    #[test]
    fn a_template_that_does_not_parse_is_told_where_it_stands() {
        let remote = Remote { name: "CreditCheck", every: TimeDelta::seconds(60) };
        let Err(problems) = Kind::remote(remote).prepare(&json!({ "a": ["{{#if}}"] })) else {
            panic!("it does not parse")
        };
        assert_eq!(problems[0].pointer, "/a/0");
    }

    #[test]
    fn a_name_is_kept_once() {
        let (one, other) = (keep("Same"), keep(&String::from("Same")));
        assert!(std::ptr::eq(one, other));
    }
}
