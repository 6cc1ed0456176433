//! One visit of one step, for the tests of the runners: through the door that the core
//! uses, templates included.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::{
    DeliveryStatus, DeliveryView, Failure, Heard, Kind, Outcome, Problem, Runner, Scope, Visit,
    calendar,
    hours::{Calendar, Calendars},
    template::is_template,
};

/// A process that comes to a step.
pub(super) struct Trial {
    now: &'static str,
    entered_at: Option<&'static str>,
    zone: Tz,
    data: Map<String, Value>,
    delivery: Option<DeliveryView>,
    heard: (Option<&'static str>, Option<&'static str>),
    events: Value,
    calendars: Calendars,
}

impl Trial {
    /// It comes at this moment, read in the process's zone.
    pub(super) fn at(now: &'static str) -> Self {
        Self {
            now,
            entered_at: None,
            zone: Tz::UTC,
            data: Map::new(),
            delivery: None,
            heard: (None, None),
            events: json!({}),
            calendars: Calendars::new(),
        }
    }

    /// Its zone is this one instead of UTC.
    pub(super) fn zone(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// It came at this moment, and now it is visited again.
    pub(super) fn entered(self, at: &'static str) -> Self {
        Self { entered_at: Some(at), ..self }
    }

    /// It has these data.
    pub(super) fn data(self, data: Value) -> Self {
        let Value::Object(data) = data else { panic!("data are an object") };
        Self { data, ..self }
    }

    /// Its stay has written a delivery that has come this far.
    pub(super) fn delivery(self, status: DeliveryStatus, error: Option<&str>) -> Self {
        let delivery = DeliveryView {
            id: "0190".into(),
            step: "step".into(),
            status,
            attempts: 1,
            provider_id: None,
            error: error.map(Into::into),
            answer: None,
        };
        Self { delivery: Some(delivery), ..self }
    }

    /// It remembers these events.
    pub(super) fn events(self, events: Value) -> Self {
        Self { events, ..self }
    }

    /// It heard an event at this moment, and it had not come to the step yet.
    pub(super) fn heard(self, at: &'static str) -> Self {
        Self { heard: (Some(at), None), ..self }
    }

    /// It heard an event at this moment, while it was here.
    pub(super) fn heard_here(self, at: &'static str) -> Self {
        Self { heard: (Some(at), Some(at)), ..self }
    }

    /// Its sequence has this calendar.
    pub(super) fn calendar(mut self, name: &str, calendar: Calendar) -> Self {
        self.calendars.insert(name.to_owned(), calendar);
        self
    }

    /// Its delivery was a question, and this is the answer.
    pub(super) fn answered(self, answer: crate::Answer) -> Self {
        let trial = self.delivery(DeliveryStatus::Completed, None);
        let delivery = trial.delivery.map(|it| DeliveryView { answer: Some(answer), ..it });
        Self { delivery, ..trial }
    }

    /// The step answers.
    pub(super) fn visit<R: Runner>(&self, config: &Value) -> Result<Outcome, Failure> {
        let steps = json!({});
        let scope = Scope::new(&self.data, || json!({}), &steps, &self.events);
        let step = Kind::of::<R>().prepare(config).unwrap_or_else(|found| panic!("{found:?}"));
        step.visit(&Visit {
            now: self.moment(self.now),
            timezone: self.zone,
            entered_at: self.moment(self.entered_at.unwrap_or(self.now)),
            stay: 1,
            delivery: self.delivery.as_ref(),
            stirred: false,
            heard: Heard {
                ever: self.heard.0.map(|at| self.moment(at)),
                here: self.heard.1.map(|at| self.moment(at)),
            },
            calendars: &self.calendars,
            scope: &scope,
        })
    }

    /// The answer is to wait until a moment, read in the process's zone.
    pub(super) fn assert_waits(
        &self,
        outcome: &Result<Outcome, Failure>,
        until: &str,
        message: &'static str,
    ) {
        assert_eq!(outcome, &Ok(Outcome::wait_until(self.moment(until), message)));
    }

    fn moment(&self, text: &str) -> DateTime<Utc> {
        calendar::parse(text, self.zone).unwrap()
    }
}

/// What is wrong with a config: first by its schema, then by the runner's own check.
pub(super) fn problems<R: Runner>(config: &Value) -> Vec<Problem> {
    let kind = Kind::of::<R>();
    let schema = jsonschema::validator_for(&(kind.schema)()).unwrap();
    let found: Vec<Problem> = schema
        .iter_errors(config)
        .filter(|error| !error.instance().as_str().is_some_and(is_template))
        .map(|error| Problem::at(error.instance_path().to_string(), error.to_string()))
        .collect();
    if found.is_empty() { kind.prepare(config).err().unwrap_or_default() } else { found }
}
