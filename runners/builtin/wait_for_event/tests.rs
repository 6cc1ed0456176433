use serde_json::{Value, json};

use super::*;
use crate::{
    Kind,
    builtin::trial::{Trial, problems},
};

fn by(name: &str) -> Value {
    json!({
        "event": "acknowledged",
        "where": {
            "lodashCommand": "eq",
            "value": { "type": "get", "value": "event.data.by" },
            "compareTo": { "type": "raw", "value": name },
        },
        "timeout": "10 minutes",
    })
}

fn came(at: &str, by: &str) -> Value {
    json!({ "acknowledged": { "at": at, "data": { "by": by }, "count": 1 } })
}

#[test]
fn it_waits_until_the_event_comes_or_the_time_is_up() {
    let trial = Trial::at("2026-05-04T10:05").entered("2026-05-04T10:00");
    let outcome = trial.visit::<WaitForEvent>(&by("ana"));
    trial.assert_waits(
        &outcome,
        "2026-05-04T10:10",
        "for acknowledged, until 2026-05-04 10:10 UTC",
    );
    let trial = Trial::at("2026-05-04T10:10").entered("2026-05-04T10:00");
    assert_eq!(
        trial.visit::<WaitForEvent>(&by("ana")),
        Ok(Outcome::alt_next("no acknowledged by 2026-05-04 10:10 UTC"))
    );
    let forever = trial.visit::<WaitForEvent>(&json!({ "event": "acknowledged" }));
    assert_eq!(forever, Ok(Outcome::wait("for acknowledged")));
}

#[test]
fn an_event_that_came_before_counts_unless_it_must_be_fresh() {
    let trial =
        || Trial::at("2026-05-04T10:05").entered("2026-05-04T10:00").heard("2026-05-04T09:30");
    assert_eq!(
        trial().visit::<WaitForEvent>(&by("ana")),
        Ok(Outcome::next("acknowledged came at 2026-05-04 09:30 UTC"))
    );
    let mut fresh = by("ana");
    fresh["fresh"] = json!(true);
    assert_eq!(trial().visit::<WaitForEvent>(&fresh).unwrap().action, crate::Action::Noop);
    let trial = trial().heard_here("2026-05-04T10:01");
    assert_eq!(trial.visit::<WaitForEvent>(&fresh).unwrap().action, crate::Action::Next);
}

#[test]
fn an_event_in_time_counts_also_when_it_is_over() {
    let trial = Trial::at("2026-05-04T12:00").entered("2026-05-04T10:00");
    let trial = trial.heard_here("2026-05-04T10:09");
    assert_eq!(trial.visit::<WaitForEvent>(&by("ana")).unwrap().action, crate::Action::Next);
    let trial = Trial::at("2026-05-04T12:00").entered("2026-05-04T10:00");
    let trial = trial.heard_here("2026-05-04T10:11");
    assert_eq!(trial.visit::<WaitForEvent>(&by("ana")).unwrap().action, crate::Action::AltNext);
}

#[test]
fn the_last_event_is_looked_at_with_the_data_of_now() {
    let trial = |by| Trial::at("2026-05-04T10:05").events(came("2026-05-04T10:01:00.000Z", by));
    assert_eq!(
        trial("ana").visit::<WaitForEvent>(&by("ana")),
        Ok(Outcome::next("acknowledged came at 2026-05-04 10:01 UTC"))
    );
    let passed = trial("ben").visit::<WaitForEvent>(&by("ana")).unwrap();
    assert_eq!(
        passed.message,
        "for acknowledged, until 2026-05-04 10:15 UTC, and none that came counts"
    );
}

#[test]
fn a_listener_hears_its_own_events() {
    let step = Kind::of::<WaitForEvent>().prepare(&by("ana")).unwrap();
    let hears = |event: &str, data: Value| {
        let (process, nothing) = (serde_json::Map::new(), json!({}));
        let scope = Scope::new(&process, || json!({}), &nothing, &nothing);
        let seen = json!({ "type": event, "data": data });
        step.hears(event, true, &scope.with_event(&seen))
    };
    assert_eq!(hears("acknowledged", json!({ "by": "ana" })), Ok(true));
    assert_eq!(hears("acknowledged", json!({ "by": "ben" })), Ok(false));
    assert_eq!(hears("acknowledged", Value::Null), Ok(false));
    assert_eq!(hears("resolved", json!({ "by": "ana" })), Ok(false));
}

#[test]
fn a_timeout_is_a_text_a_number_or_an_amount() {
    for (timeout, end) in [
        (json!("1 hour 30 minutes"), "2026-03-28T11:30"),
        (json!(90), "2026-03-28T10:01:30"),
        (json!({ "amount": 1, "unit": "day" }), "2026-03-29T10:00"),
        (json!("{{n}} minutes"), "2026-03-28T10:05"),
        (json!({ "amount": "{{n}}", "unit": "hours" }), "2026-03-28T15:00"),
    ] {
        let trial = Trial::at("2026-03-28T10:00").zone(chrono_tz::Europe::Zagreb);
        let trial = trial.data(json!({ "n": 5 }));
        let outcome = trial.visit::<WaitForEvent>(&json!({ "event": "x", "timeout": timeout }));
        let expected = calendar::parse(end, chrono_tz::Europe::Zagreb).unwrap();
        assert_eq!(outcome.unwrap().until, Some(expected), "{timeout}");
    }
}

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    for (config, pointer) in [
        (json!({ "event": " " }), "/event"),
        (json!({ "event": "x", "timeout": "soon" }), "/timeout"),
        (json!({ "event": "x", "timeout": -1 }), "/timeout"),
        (json!({ "event": "x", "timeout": { "amount": -1, "unit": "days" } }), "/timeout"),
        (json!({ "event": "x", "timeout": { "amount": 1.5, "unit": "days" } }), "/timeout/amount"),
        (json!({ "event": "x", "where": { "all": [] } }), "/where/all"),
    ] {
        let found = problems::<WaitForEvent>(&config);
        let told: Vec<_> = found.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(told, [pointer], "{config}: {found:?}");
    }
    for config in [by("ana"), json!({ "event": "{{type}}", "timeout": "{{wait}}", "fresh": true })]
    {
        assert_eq!(problems::<WaitForEvent>(&config), [], "{config}");
    }
}

#[test]
fn a_timeout_of_nothing_is_no_rest() {
    let rests = |timeout: Value| {
        let config = json!({ "event": "x", "timeout": timeout });
        Kind::of::<WaitForEvent>().prepare(&config).unwrap().rests()
    };
    assert!(!rests(json!(0)) && !rests(json!("0 s")));
    assert!(rests(json!("1 s")) && rests(json!("{{t}}")) && rests(Value::Null));
}
