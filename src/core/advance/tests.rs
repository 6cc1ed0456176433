//! Climbs, told as incidents.

use chrono::{DateTime, Utc};
use rungs_runners::{DeliveryStatus, DeliveryView, builtin::KINDS};
use serde_json::{Value, json};

use crate::{
    Advanced, Entry, Event, News, Process, Sequence, Start, Status, Target, advance, check, start,
};

mod properties;
mod remote;
mod waits;

const LADDER: &str = r"
sequence: ladder
steps:
  - id: grace
    run: WaitForDuration
    config: { amount: 3, unit: minutes }
  - id: ring
    run: Phone
    config: { to: '+385911234567', say: Hello, await: answered }
    altNext: breathe
  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: minutes }
  - id: breathe
    run: WaitForDuration
    config: { amount: 2, unit: minutes }
  - id: again
    run: GoTo
    config: { step: ring, times: 2 }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: status }
      compareTo: { type: raw, value: confirmed }
";

fn sequence(yaml: &str) -> Sequence {
    let checked = check(yaml, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-23T{time}Z").parse().unwrap()
}

fn begin(sequence: &Sequence, data: Value) -> Process {
    let new = Start {
        key: "01900000-0000-7000-8000-000000000001".into(),
        process_id: "order-7".into(),
        version: 1,
        data,
        default_timezone: chrono_tz::UTC,
        now: at("09:00:00"),
    };
    start(sequence, new).unwrap()
}

fn happened(data: Value) -> News {
    News::Event(Event { r#type: "order".into(), data, at: at("09:00:00") })
}

fn heard(process: &Process, status: DeliveryStatus) -> News {
    let open = process.state.delivery.clone().expect("an open delivery");
    News::Delivery(DeliveryView { status, ..open })
}

/// Advances at a time of day, with news.
fn go(sequence: &Sequence, process: Process, time: &str, news: Vec<News>) -> Advanced {
    advance(sequence, process, news, at(time))
}

#[test]
fn a_wait_lasts_from_its_first_visit() {
    let ladder = sequence(LADDER);
    let first = go(&ladder, begin(&ladder, json!({})), "09:00:10", vec![]);
    assert_eq!(first.process.due_at, Some(at("09:03:10")));

    let woken = go(&ladder, first.process, "09:01:00", vec![happened(json!({ "x": 1 }))]);
    assert_eq!(woken.process.due_at, Some(at("09:03:10")), "an event does not begin it anew");
    assert!(woken.deliveries.is_empty());
}

#[test]
fn nobody_answers_and_the_ladder_goes_round() {
    let ladder = sequence(LADDER);
    let waiting = go(&ladder, begin(&ladder, json!({})), "09:00:00", vec![]).process;
    let ringing = go(&ladder, waiting, "09:03:00", vec![]);
    assert_eq!(ringing.deliveries.len(), 1);
    assert_eq!(ringing.process.due_at, None, "until there is news of the call");
    let first = ringing.deliveries[0].id.clone();

    let news = vec![heard(&ringing.process, DeliveryStatus::NoAnswer)];
    let breathing = go(&ladder, ringing.process, "09:03:30", news);
    assert_eq!(breathing.process.cursor.as_deref(), Some("breathe"));
    let again = go(&ladder, breathing.process, "09:05:30", vec![]);

    assert_eq!(again.process.cursor.as_deref(), Some("ring"));
    assert_ne!(again.deliveries[0].id, first, "another stay, another delivery");
    assert_eq!(again.process.state.steps["ring"]["visits"], 2);
    assert_eq!(again.process.state.steps["again"]["visits"], 1);
}

#[test]
fn the_same_climb_gives_the_same_ids() {
    let ladder = sequence(LADDER);
    let waiting = go(&ladder, begin(&ladder, json!({})), "09:00:00", vec![]).process;
    let once = go(&ladder, waiting.clone(), "09:03:00", vec![]);
    let twice = go(&ladder, waiting, "09:04:00", vec![]);
    assert_eq!(once.deliveries[0].id, twice.deliveries[0].id);
}

#[test]
fn a_goal_ahead_pulls_the_cursor_and_withdraws_the_call() {
    let ladder = sequence(LADDER);
    let waiting = go(&ladder, begin(&ladder, json!({})), "09:00:00", vec![]).process;
    let ringing = go(&ladder, waiting, "09:03:00", vec![]);
    let call = ringing.deliveries[0].id.clone();

    let news = vec![happened(json!({ "status": "confirmed" }))];
    let done = go(&ladder, ringing.process, "09:03:05", news);

    assert_eq!(done.process.status, Status::Completed);
    assert_eq!(done.process.ended_at, Some(at("09:03:05")));
    assert_eq!(done.withdrawn, [call]);
    assert!(done.deliveries.is_empty());
    let achieved = Entry::Achieved { step: "confirmed".into(), from: "ring".into() };
    assert!(done.history.contains(&achieved), "{:#?}", done.history);
}

#[test]
fn a_goal_that_is_reached_waits_for_its_event() {
    let ladder = sequence(LADDER);
    let mut process = begin(&ladder, json!({}));
    process.cursor = Some("confirmed".into());
    let waiting = go(&ladder, process, "09:00:00", vec![]).process;
    assert_eq!((waiting.status, waiting.due_at), (Status::Active, None));

    let other = go(&ladder, waiting, "09:10:00", vec![happened(json!({ "status": "new" }))]);
    assert_eq!(other.process.status, Status::Active);
    let news = vec![happened(json!({ "status": "confirmed" }))];
    let done = go(&ladder, other.process, "09:20:00", news);
    assert_eq!(done.process.status, Status::Completed);
}

#[test]
fn the_furthest_goal_wins_and_the_process_goes_on_after_it() {
    let yaml = r"
sequence: goals
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: day } }
  - id: near
    run: Goal
    config: { lodashCommand: isNumber, value: { type: get, value: n } }
  - { id: between, run: WaitForDuration, config: { amount: 1, unit: day } }
  - id: far
    run: Goal
    config:
      lodashCommand: gt
      value: { type: get, value: n }
      compareTo: { type: raw, value: 10 }
  - { id: after, run: WaitForDuration, config: { amount: 1, unit: hour } }
";
    let goals = sequence(yaml);
    let waiting = go(&goals, begin(&goals, json!({})), "09:00:00", vec![]).process;
    let near = go(&goals, waiting.clone(), "09:01:00", vec![happened(json!({ "n": 1 }))]).process;
    assert_eq!(near.cursor.as_deref(), Some("between"));
    let far = go(&goals, waiting, "09:01:00", vec![happened(json!({ "n": 11 }))]).process;
    assert_eq!(far.cursor.as_deref(), Some("after"));
    assert_eq!(far.due_at, Some(at("10:01:00")));
}

#[test]
fn what_a_call_came_to_can_achieve_a_goal() {
    let yaml = r"
sequence: reached
steps:
  - id: ring
    run: Phone
    config: { to: '+385911234567', say: Hello }
  - { id: wait, run: WaitForDuration, config: { amount: 10, unit: minutes } }
  - id: text
    run: Phone
    config: { to: '+385911234568', say: Nobody answered }
  - id: reached
    run: Goal
    config:
      lodashCommand: includes
      value: { type: raw, value: [answered, completed] }
      compareTo: { type: get, value: steps.ring.status }
      otherwise: end
";
    let reached = sequence(yaml);
    let ringing = go(&reached, begin(&reached, json!({})), "09:00:00", vec![]).process;
    let call = ringing.state.delivery.clone().unwrap();
    let news = vec![heard(&ringing, DeliveryStatus::Sent)];
    let waiting = go(&reached, ringing, "09:00:01", news).process;
    assert_eq!(waiting.cursor.as_deref(), Some("wait"), "placed is what it awaited");

    let picked_up = News::Delivery(DeliveryView { status: DeliveryStatus::Answered, ..call });
    let done = go(&reached, waiting, "09:00:09", vec![picked_up]);
    assert_eq!(done.process.status, Status::Completed);
    assert!(done.deliveries.is_empty());
}

#[test]
fn a_failed_notification_goes_on_unless_the_step_says_fail() {
    let yaml = |step: &str| {
        format!(
            "
sequence: text
steps:
  - id: ring
    run: Phone
    config: {{ to: '+385911234567', say: Hello, await: answered }}
    {step}
  - {{ id: wait, run: WaitForDuration, config: {{ amount: 1, unit: day }} }}
  - {{ id: other, run: WaitForDuration, config: {{ amount: 2, unit: days }} }}
"
        )
    };
    for (step, status, cursor) in [
        ("next: wait", Status::Active, "wait"),
        ("altNext: other", Status::Active, "other"),
        ("onFailure: fail", Status::Failed, "ring"),
    ] {
        let sequence = sequence(&yaml(step));
        let ringing = go(&sequence, begin(&sequence, json!({})), "09:00:00", vec![]).process;
        let news = vec![heard(&ringing, DeliveryStatus::Busy)];
        let after = go(&sequence, ringing, "09:00:30", news).process;
        assert_eq!((after.status, after.cursor.as_deref()), (status, Some(cursor)), "{step}");
        assert_eq!(after.state.steps["ring"]["status"], "busy", "{step}");
    }
}

#[test]
fn a_failed_process_that_is_tried_again_writes_a_new_delivery() {
    let yaml = "
sequence: text
steps:
  - id: ring
    run: Phone
    config: { to: '+385911234567', say: Hello, await: answered }
    onFailure: fail
";
    let sequence = sequence(yaml);
    let ringing = go(&sequence, begin(&sequence, json!({})), "09:00:00", vec![]);
    let news = vec![heard(&ringing.process, DeliveryStatus::Busy)];
    let mut failed = go(&sequence, ringing.process, "09:00:30", news).process;
    assert_eq!(failed.reason.as_deref(), Some("step `ring`: busy"));

    (failed.status, failed.due_at) = (Status::Active, Some(at("09:10:00")));
    let again = go(&sequence, failed, "09:10:00", vec![]);
    assert_eq!(again.deliveries.len(), 1);
    assert_ne!(again.deliveries[0].id, ringing.deliveries[0].id);
}

#[test]
fn a_template_that_cannot_be_rendered_fails_its_process_with_the_reason() {
    let yaml = r#"
sequence: dated
steps:
  - id: ring
    run: Phone
    config: { to: "+385911234567", say: "{{date appointment 'D MMMM'}}" }
"#;
    let sequence = sequence(yaml);
    let failed =
        go(&sequence, begin(&sequence, json!({ "appointment": "soon" })), "09:00:00", vec![]);
    assert_eq!(failed.process.status, Status::Failed);
    let reason = failed.process.reason.unwrap();
    assert!(reason.starts_with("step `ring`: config") && reason.contains("soon"), "{reason}");
}

#[test]
fn a_climb_that_never_rests_is_failed_and_not_followed_for_ever() {
    // The check refuses such a loop, so this one is made behind its back.
    let yaml = "
sequence: round
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: day } }
  - id: goal
    run: Goal
    config: { lodashCommand: isNumber, value: { type: get, value: n } }
";
    let mut round = sequence(yaml);
    round.steps[1].next = Target::Step(0);
    let failed = go(&round, begin(&round, json!({ "n": 1 })), "09:00:00", vec![]);
    assert_eq!(failed.process.status, Status::Failed);
    assert_eq!(failed.visits, crate::advance::MOST_VISITS);
    assert!(failed.process.reason.unwrap().contains("came to no rest"));
}

/// Rings for ever, and breathes only while it rings.
const RING_FOR_EVER: &str = r#"
sequence: ring-for-ever
steps:
  - { id: ring, run: Phone, config: { to: "{{phone}}", say: Hello } }
  - { id: again, run: GoTo, config: { step: ring } }
  - id: confirmed
    run: Goal
    config: { lodashCommand: isString, value: { type: get, value: confirmed } }
"#;

#[test]
fn a_number_is_missing_and_the_ladder_goes_round_slowly_until_somebody_adds_it() {
    let ladder = sequence(RING_FOR_EVER);
    let mut process = begin(&ladder, json!({}));
    for (time, until) in
        [("09:00:00", "09:00:10"), ("09:00:10", "09:00:20"), ("09:00:20", "09:00:30")]
    {
        let paused = go(&ladder, process, time, vec![]);
        assert!(paused.deliveries.is_empty());
        assert_eq!(paused.visits, 3, "once round, and no further");
        process = paused.process;
        assert_eq!((process.status, process.cursor.as_deref()), (Status::Active, Some("ring")));
        assert_eq!(process.due_at, Some(at(until)));
    }

    let news = vec![happened(json!({ "phone": "+385911234567" }))];
    let ringing = go(&ladder, process, "09:00:21", news);
    assert_eq!(ringing.deliveries.len(), 1, "in the stay that was paused");
    assert_eq!(ringing.process.due_at, None);
    let news = vec![happened(json!({ "confirmed": "by Ana" }))];
    let done = go(&ladder, ringing.process, "09:00:30", news);
    assert_eq!(done.process.status, Status::Completed);
}

#[test]
fn the_pause_of_a_number_that_is_none_is_the_first_of_its_retries() {
    let hourly = RING_FOR_EVER.replace("say: Hello }", "say: Hello }, retry: { first: 1 hour }");
    let ladder = sequence(&hourly);
    let paused = go(&ladder, begin(&ladder, json!({ "phone": "none" })), "09:00:00", vec![]);
    assert_eq!(paused.process.due_at, Some(at("10:00:00")));
    let Some(Entry::Visited { message, .. }) = paused.history.last() else { panic!() };
    assert!(message.starts_with("\"none\" is no phone number; a pause"), "{message}");
}

#[test]
fn a_call_that_was_placed_and_failed_is_not_paused() {
    let ladder = sequence(RING_FOR_EVER);
    let start = begin(&ladder, json!({ "phone": "+385911234567" }));
    let ringing = go(&ladder, start, "09:00:00", vec![]).process;
    let news = vec![heard(&ringing, DeliveryStatus::Busy)];
    let again = go(&ladder, ringing, "09:00:30", news);
    assert_eq!(again.deliveries.len(), 1, "the next call follows at once");
}

#[test]
fn the_longest_loop_that_passes_the_check_comes_to_its_end() {
    let longest = "
sequence: longest
steps:
  - { id: again, run: GoTo, config: { step: again, times: 998 } }
";
    let longest = sequence(longest);
    let done = go(&longest, begin(&longest, json!({})), "09:00:00", vec![]);
    assert_eq!((done.process.status, done.visits), (Status::Completed, 999));
}

#[test]
fn what_ended_hears_and_does_not_move() {
    let ladder = sequence(LADDER);
    let mut stopped = begin(&ladder, json!({}));
    (stopped.status, stopped.due_at) = (Status::Stopped, None);
    let after = go(&ladder, stopped, "09:30:00", vec![happened(json!({ "status": "confirmed" }))]);
    assert_eq!((after.process.status, after.visits), (Status::Stopped, 0));
    assert_eq!(after.process.data["status"], "confirmed");
}

#[test]
fn a_sequence_that_lost_its_step_fails_the_process() {
    let ladder = sequence(LADDER);
    let mut process = begin(&ladder, json!({}));
    process.cursor = Some("gone".into());
    let failed = go(&ladder, process, "09:00:00", vec![]).process;
    assert_eq!(failed.reason.as_deref(), Some("the sequence has no step `gone`"));
}

#[test]
fn data_is_held_against_input_and_defaults_are_filled_in() {
    let yaml = r#"
sequence: typed
timezone: "{{place.zone}}"
input:
  type: object
  required: [name]
  properties:
    name: { type: string }
    place:
      type: object
      default: {}
      properties: { zone: { type: string, default: Europe/Zagreb } }
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: day } }
"#;
    let typed = sequence(yaml);
    let process = begin(&typed, json!({ "name": "Ana", "place": {} }));
    assert_eq!(process.data["place"]["zone"], "Europe/Zagreb");
    assert_eq!(process.timezone, chrono_tz::Europe::Zagreb);

    let refused = |data: Value| {
        let new = Start {
            key: String::new(),
            process_id: "x".into(),
            version: 1,
            data,
            default_timezone: chrono_tz::UTC,
            now: at("09:00:00"),
        };
        let problems = start(&typed, new).unwrap_err();
        problems.into_iter().map(|problem| problem.pointer).collect::<Vec<_>>()
    };
    assert_eq!(refused(json!({ "name": 7 })), ["/name"]);
    assert_eq!(refused(json!({ "name": 7, "place": { "zone": 1 } })), ["/name", "/place/zone"]);
    assert_eq!(refused(json!({ "name": "x", "steps": 1 })), ["/steps"]);
    assert_eq!(refused(json!({ "name": "x", "place": { "zone": "Mars/Base" } })), [""]);
    assert_eq!(refused(json!([1])), [""]);
}
