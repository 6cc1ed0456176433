//! Events that are waited for, and quiet hours.

use super::*;

const ACKNOWLEDGED: &str = r"
sequence: incident
steps:
  - id: grace
    run: WaitForDuration
    config: { amount: 3, unit: minutes }
  - id: acknowledged
    run: WaitForEvent
    config:
      event: acknowledged
      where:
        lodashCommand: eq
        value: { type: get, value: event.data.level }
        compareTo: { type: raw, value: 2 }
      timeout: 10 minutes
      FRESH
    altNext: late
  - id: thanks
    run: GoTo
    config: { step: end }
  - id: late
    run: WaitForDuration
    config: { amount: 1, unit: hour }
";

fn incident(fresh: bool) -> Sequence {
    sequence(&ACKNOWLEDGED.replace("FRESH", if fresh { "fresh: true" } else { "" }))
}

fn acknowledged(level: u32, time: &str) -> News {
    let data = json!({ "level": level });
    News::Event(Event { r#type: "acknowledged".into(), data, at: at(time) })
}

fn stands(advanced: &Advanced) -> (Status, Option<&str>) {
    (advanced.process.status, advanced.process.cursor.as_deref())
}

#[test]
fn an_event_is_not_hidden_by_another_of_its_type() {
    let incident = incident(false);
    let waits = go(&incident, begin(&incident, json!({})), "09:00:00", vec![]);
    let news = vec![acknowledged(2, "09:01:00"), acknowledged(1, "09:01:30")];
    let waits = go(&incident, waits.process, "09:02:00", news);
    assert_eq!(stands(&waits), (Status::Active, Some("grace")));
    assert_eq!(waits.process.state.events["acknowledged"]["data"]["level"], 1);

    let on = go(&incident, waits.process, "09:03:00", vec![]);

    assert_eq!(stands(&on), (Status::Completed, Some("thanks")), "{:#?}", on.history);
}

#[test]
fn of_many_large_events_the_oldest_leave_no_more_than_that_they_came() {
    let incident = incident(false);
    let mut process = begin(&incident, json!({}));
    for number in 0..5 {
        let data = json!({ "gone": null, "text": "x".repeat(100_000) });
        let at = "2026-11-23T09:01:00Z".parse().unwrap();
        process.take_event(Event { r#type: format!("t{number}"), data, at });
    }
    let has_data = |number: i32| !process.state.events[format!("t{number}")]["data"].is_null();
    assert_eq!([0, 1, 2, 3, 4].map(has_data), [false, false, false, true, true]);
    assert_eq!(process.state.events["t0"]["count"], 1);
}

#[test]
fn a_fresh_event_comes_while_the_process_waits_for_it() {
    let incident = incident(true);
    let waits = go(&incident, begin(&incident, json!({})), "09:00:00", vec![]);
    let waits = go(&incident, waits.process, "09:02:00", vec![acknowledged(2, "09:01:00")]);
    let waits = go(&incident, waits.process, "09:03:00", vec![acknowledged(2, "09:03:00")]);
    assert_eq!(stands(&waits), (Status::Active, Some("acknowledged")), "both came before");
    assert_eq!(waits.process.due_at, Some(at("09:13:00")));
    let still = go(&incident, waits.process, "09:04:00", vec![acknowledged(1, "09:04:00")]);
    assert_eq!(stands(&still), (Status::Active, Some("acknowledged")));

    let on = go(&incident, still.process, "09:05:00", vec![acknowledged(2, "09:05:00")]);

    assert_eq!(stands(&on), (Status::Completed, Some("thanks")));
}

#[test]
fn a_loop_waits_for_a_fresh_event_in_every_round() {
    let beat = sequence(
        r"
sequence: beat
steps:
  - { id: beat, run: WaitForEvent, config: { event: beat, fresh: true, timeout: 1 minute }, altNext: silent }
  - { id: again, run: GoTo, config: { step: beat } }
  - { id: silent, run: GoTo, config: { step: end } }
",
    );
    let news =
        || News::Event(Event { r#type: "beat".into(), data: json!(null), at: at("09:00:30") });
    let first = go(&beat, begin(&beat, json!({})), "09:00:00", vec![]);
    let second = go(&beat, first.process, "09:00:30", vec![news(), news()]);
    assert_eq!(stands(&second), (Status::Active, Some("beat")), "it waits for the next");
    assert_eq!(second.process.due_at, Some(at("09:01:30")));
    let over = go(&beat, second.process, "09:01:30", vec![]);
    assert_eq!(stands(&over), (Status::Completed, Some("silent")));
}

#[test]
fn after_downtime_what_came_in_time_is_heard() {
    let incident = incident(true);
    let waits = go(&incident, begin(&incident, json!({})), "09:00:00", vec![]);
    let waits = go(&incident, waits.process, "09:03:00", vec![]);
    let news = vec![acknowledged(2, "09:12:59"), acknowledged(2, "09:30:00")];
    let on = go(&incident, waits.process.clone(), "11:00:00", news);
    assert_eq!(stands(&on), (Status::Completed, Some("thanks")));
    let late = go(&incident, waits.process, "11:00:00", vec![acknowledged(2, "09:13:01")]);
    assert_eq!(stands(&late), (Status::Active, Some("late")));
}

#[test]
fn what_was_heard_is_kept_in_the_state_and_older_states_are_read() {
    let incident = incident(false);
    let waits =
        go(&incident, begin(&incident, json!({})), "09:00:00", vec![acknowledged(2, "09:00:00")]);
    let text = serde_json::to_string(&waits.process.state).unwrap();
    assert!(text.contains(r#""heard":{"acknowledged":"#), "{text}");
    let read: crate::process::State = serde_json::from_str(&text).unwrap();
    assert_eq!(read, waits.process.state);
    let old: crate::process::State = serde_json::from_str(r#"{"steps":{},"events":{}}"#).unwrap();
    assert!(!serde_json::to_string(&old).unwrap().contains("heard"));
}

const NIGHTS: &str = r"
sequence: nights
quietHours: { from: 22:00, to: 07:00 }
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 13, unit: hours } }
  - id: text
    run: SMS
    config: { to: '+385911234567', message: Hello }
    lateness: { most: 1 hour, then: skip }
";

fn at_ten_in_the_evening(yaml: &str) -> Advanced {
    let nights = sequence(yaml);
    let waits = go(&nights, begin(&nights, json!({ "zone": "Europe/Zagreb" })), "09:00:00", vec![]);
    go(&nights, waits.process, "22:00:00", vec![])
}

fn on_the_24th(time: &str) -> DateTime<Utc> {
    format!("2026-11-24T{time}Z").parse().unwrap()
}

#[test]
fn what_is_written_in_quiet_hours_is_held_and_the_visit_is_not() {
    let written = at_ten_in_the_evening(NIGHTS);
    let held = written.deliveries[0].held.as_ref().unwrap();
    assert_eq!(held.leaves_at, on_the_24th("07:00:00"));
    assert_eq!(held.falls_at, Some(on_the_24th("22:00:00")));
    assert_eq!(written.deliveries[0].late.unwrap().0, on_the_24th("08:00:00"), "an hour after");
    let until = on_the_24th("07:00:00").timestamp_millis();
    let last = written.history.last().unwrap();
    assert!(matches!(last, Entry::Held { step, until: at, .. } if step == "text" && *at == until));
}

#[test]
fn a_step_may_have_no_quiet_hours_or_those_of_another_zone() {
    let urgent = format!("{NIGHTS}    quietHours: none\n");
    assert_eq!(at_ten_in_the_evening(&urgent).deliveries[0].held, None);
    let zone = NIGHTS.replace("to: 07:00", "to: 07:00, timezone: '{{zone}}'");
    let held = at_ten_in_the_evening(&zone).deliveries[0].held.clone().unwrap();
    assert_eq!(held.leaves_at, on_the_24th("06:00:00"));
    let mars = NIGHTS.replace("to: 07:00", "to: 07:00, timezone: '{{zone}}x'");
    let failed = at_ten_in_the_evening(&mars).process;
    assert_eq!(failed.status, Status::Failed);
    let reason = failed.reason.unwrap();
    assert!(reason.starts_with("step `text`: quietHours: timezone: there is no"), "{reason}");
}

#[test]
fn by_day_a_delivery_leaves_at_once_and_carries_its_quiet_hours() {
    let nights = sequence(&NIGHTS.replace("13", "1"));
    let waits = go(&nights, begin(&nights, json!({})), "09:00:00", vec![]);
    let written = go(&nights, waits.process, "10:00:00", vec![]);
    let held = written.deliveries[0].held.as_ref().unwrap();
    assert_eq!((held.leaves_at, held.falls_at), (at("10:00:00"), Some(at("22:00:00"))));
    assert!(!written.history.iter().any(|entry| matches!(entry, Entry::Held { .. })));
}
