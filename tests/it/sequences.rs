//! The sequences that ship as examples: what each ladder does when nobody can be reached,
//! when everybody can, and when its goal is achieved half-way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rungs_core::{Advanced, Event, News, Process, Sequence, Start, Status, advance, check, start};
use rungs_runners::{DeliveryStatus, DeliveryView, builtin::KINDS};
use serde_json::{Value, json};

/// Cycles within which each of them ends.
const MOST_CYCLES: usize = 100;

macro_rules! example {
    ($name:literal) => {
        Example {
            source: include_str!(concat!("../../sequences/", $name, ".yml")),
            data: include_str!(concat!("../../sequences/", $name, ".data.json")),
        }
    };
}

const APPOINTMENT_REMINDER: Example = example!("appointment-reminder");
const INVOICE_DUNNING: Example = example!("invoice-dunning");
const LEAD_FOLLOW_UP: Example = example!("lead-follow-up");
const ON_CALL: Example = example!("on-call");
const ORDER_ESCALATION: Example = example!("order-escalation");

/// A sequence and the data that stands beside it.
struct Example {
    source: &'static str,
    data: &'static str,
}

/// How every delivery of a climb turns out.
#[derive(Clone, Copy)]
enum Everybody {
    Reached,
    Unreachable,
}

/// A process on its way, and the time.
struct Climb {
    sequence: Sequence,
    process: Process,
    now: DateTime<Utc>,
    /// Deliveries so far, by channel.
    written: BTreeMap<&'static str, usize>,
}

impl Example {
    /// A process of the example data, at its first step. The check has nothing to say.
    fn begin(&self) -> Climb {
        let checked = check(self.source, KINDS);
        assert_eq!(checked.diagnostics, [], "{}", self.source);
        let sequence = checked.sequence.unwrap();
        let now = "2026-11-02T08:00:00Z".parse().unwrap();
        let data: Value = serde_json::from_str(self.data).unwrap();
        let new = Start {
            key: "01900000-0000-7000-8000-000000000001".into(),
            process_id: "example".into(),
            version: 1,
            data,
            default_timezone: chrono_tz::UTC,
            now,
        };
        let process = start(&sequence, new).expect("the example data fits the input");
        Climb { sequence, process, now, written: BTreeMap::new() }
    }

    /// What a whole climb writes, by channel.
    fn climbed(&self, everybody: Everybody) -> Vec<(&'static str, usize)> {
        let mut climb = self.begin();
        climb.until(everybody, |_| false);
        assert_eq!(climb.process.status, Status::Completed, "{:?}", climb.process.reason);
        climb.written.into_iter().collect()
    }

    /// Nobody can be reached until the cursor comes to `step`, where `data` achieves the
    /// goal. From there on nobody is contacted.
    #[track_caller]
    fn achieved_at(&self, step: &str, before: &[(&str, usize)], event: &str, data: Value) {
        let mut climb = self.begin();
        climb.until(Everybody::Unreachable, |process| process.cursor.as_deref() == Some(step));
        assert_eq!(climb.process.status, Status::Active, "it came to `{step}`");
        assert_eq!(climb.written.clone().into_iter().collect::<Vec<_>>(), before);

        let event = Event { r#type: event.into(), data, at: climb.now };
        let after = climb.cycle(vec![News::Event(event)]);
        assert_eq!(after.deliveries, []);
        assert_eq!((after.process.status, after.process.due_at), (Status::Completed, None));
    }
}

impl Climb {
    /// Cycle after cycle, each at the time for which the one before asked, until the
    /// process ends or `stands` where it was meant to come.
    fn until(&mut self, everybody: Everybody, stands: impl Fn(&Process) -> bool) {
        let mut news = Vec::new();
        for _ in 0..MOST_CYCLES {
            let after = self.cycle(std::mem::take(&mut news));
            if self.process.status != Status::Active || stands(&self.process) {
                return;
            }
            for delivery in &after.deliveries {
                news.push(News::Delivery(DeliveryView {
                    id: delivery.id.clone(),
                    step: delivery.step.clone(),
                    status: everybody.answer(delivery.what.channel),
                    attempts: 1,
                    provider_id: None,
                    error: None,
                    answer: None,
                }));
            }
            if let Some(due_at) = self.process.due_at.filter(|_| news.is_empty()) {
                self.now = due_at;
            } else {
                assert!(!news.is_empty(), "nothing would ever wake it: {:?}", self.process);
            }
        }
        panic!("it has not come to its end: {:?}", self.process);
    }

    fn cycle(&mut self, news: Vec<News>) -> Advanced {
        let after = advance(&self.sequence, self.process.clone(), news, self.now);
        self.process = after.process.clone();
        for delivery in &after.deliveries {
            *self.written.entry(delivery.what.channel).or_default() += 1;
        }
        after
    }
}

impl Everybody {
    fn answer(self, channel: &str) -> DeliveryStatus {
        match (self, channel) {
            (Self::Unreachable, _) => DeliveryStatus::Failed,
            (Self::Reached, "phone") => DeliveryStatus::Completed,
            (Self::Reached, _) => DeliveryStatus::Delivered,
        }
    }
}

#[test]
fn an_appointment_is_texted_and_rung_and_mailed_where_no_text_arrives() {
    let reached = APPOINTMENT_REMINDER.climbed(Everybody::Reached);
    assert_eq!(reached, [("phone", 1), ("sms", 1)]);
    let unreachable = APPOINTMENT_REMINDER.climbed(Everybody::Unreachable);
    assert_eq!(unreachable, [("email", 1), ("phone", 1), ("sms", 1)]);
}

#[test]
fn an_appointment_that_is_confirmed_the_day_before_is_not_rung() {
    APPOINTMENT_REMINDER.achieved_at(
        "before-the-call",
        &[("email", 1), ("sms", 1)],
        "confirmed",
        json!({ "appointment": { "confirmed": true } }),
    );
}

#[test]
fn an_invoice_is_mailed_twice_and_rung_once_whoever_answers() {
    for everybody in [Everybody::Reached, Everybody::Unreachable] {
        assert_eq!(INVOICE_DUNNING.climbed(everybody), [("email", 2), ("phone", 1)]);
    }
}

#[test]
fn an_invoice_that_is_paid_after_the_first_reminder_gets_no_second() {
    INVOICE_DUNNING.achieved_at(
        "two-weeks",
        &[("email", 1)],
        "payment",
        json!({ "invoice": { "status": "paid" } }),
    );
}

#[test]
fn a_lead_is_texted_once_and_mailed_twice_whoever_answers() {
    for everybody in [Everybody::Reached, Everybody::Unreachable] {
        assert_eq!(LEAD_FOLLOW_UP.climbed(everybody), [("email", 2), ("sms", 1)]);
    }
}

#[test]
fn a_lead_that_replies_to_the_first_mail_gets_no_second() {
    LEAD_FOLLOW_UP.achieved_at("a-week", &[("email", 1), ("sms", 1)], "reply", json!({}));
}

#[test]
fn an_alert_goes_three_times_round_the_second_and_the_lead_whoever_answers() {
    // To answer is not to acknowledge.
    for everybody in [Everybody::Reached, Everybody::Unreachable] {
        assert_eq!(ON_CALL.climbed(everybody), [("email", 3), ("phone", 7), ("sms", 1)]);
    }
}

#[test]
fn an_alert_that_the_second_acknowledges_does_not_wake_the_lead() {
    ON_CALL.achieved_at(
        "time-for-secondary",
        &[("email", 1), ("phone", 2), ("sms", 1)],
        "acknowledged",
        json!({ "alert": { "acknowledged": true } }),
    );
}

#[test]
fn an_order_is_rung_four_times_and_its_manager_texted_when_nobody_picks_up() {
    assert_eq!(ORDER_ESCALATION.climbed(Everybody::Reached), [("phone", 4)]);
    let unreachable = ORDER_ESCALATION.climbed(Everybody::Unreachable);
    assert_eq!(unreachable, [("phone", 4), ("sms", 4)]);
}

#[test]
fn an_order_that_is_confirmed_after_the_first_text_is_rung_no_more() {
    ORDER_ESCALATION.achieved_at(
        "breathe",
        &[("phone", 1), ("sms", 1)],
        "order",
        json!({ "order": { "status": "confirmed" } }),
    );
}
