//! Quiet hours, windows, waits for events, and acts, as people are told of them.

use super::*;
use crate::Event;

/// A Monday.
const MORNING: &str = "2026-11-23T09:00";

fn event(world: &mut World, name: &str, data: Value) {
    let event = Event { r#type: name.into(), data, at: world.now };
    world.cycle(vec![News::Event(event)]);
}

#[test]
fn a_text_that_quiet_hours_hold_says_until_when() {
    let ladder = r#"
sequence: ladder
timezone: Europe/Zagreb
quietHours: { from: "22:00", to: "07:00" }
steps:
  - { id: text, run: SMS, config: { to: "+385911234567", message: Hello, await: sent } }
"#;
    let mut world = World::start(ladder, json!({}), "2026-11-23T23:30");
    let until = "held until 2026-11-24 07:00 CET: quiet hours, 22:00 to 07:00";
    let held = format!("`text` waits for its text to be sent, which is {until}.");
    assert_eq!(section(&world, "held by"), [held]);
    let contact = format!("2026-11-23 23:30 CET: `text`, a text to +385911234567, is {until}.");
    assert_eq!(section(&world, "contacts"), [contact]);
    let ahead = section(&world, "ahead");
    assert!(ahead[0].contains("1 text follows, and it completes at 2026-11-24 07:00 CET"));
    assert_eq!(ahead[1], "  2026-11-24 07:00 CET: `text` sends a text to +385911234567");
    // Held by somebody as well, it leaves when both are over.
    world.process.status = Status::Paused;
    let ahead = section(&world, "ahead");
    assert!(ahead[0].starts_with("If somebody resumes it"), "{ahead:?}");
    assert!(ahead[1].ends_with("07:00 CET: `text` sends a text to +385911234567"), "{ahead:?}");
    world.process.status = Status::Active;
    // In the morning it is sent like any other.
    world.now = calendar::parse("2026-11-24T07:00", Tz::Europe__Zagreb).unwrap();
    assert!(section(&world, "contacts")[0].contains("is sent as soon as its channel has a place"));
    // Nobody sends it.
    world.now += TimeDelta::minutes(20);
    let told = section(&world, "contacts");
    assert!(told[0].contains("it has been due for 20 minutes"), "{told:?}");
    // Somebody does.
    let sent = &mut world.written[0].record;
    (sent.status, sent.attempts, sent.begun_at) = (DeliveryStatus::Sent, 1, Some(world.now));
    let told = section(&world, "contacts");
    assert!(told[0].ends_with("left at 2026-11-24 07:20 CET and was sent; what became of it is not known yet, and is asked for at 2026-11-24 07:00 CET."), "{told:?}");
    world.written[0].record.status = DeliveryStatus::Pending;
    // A try that failed at noon is not held by the night.
    world.now = calendar::parse("2026-11-24T12:00", Tz::Europe__Zagreb).unwrap();
    let record = &mut world.written[0].record;
    (record.attempts, record.due_at) = (1, Some(world.now + TimeDelta::minutes(5)));
    let told = section(&world, "contacts");
    assert!(told[0].contains("is tried again at 2026-11-24 12:05 CET"), "{told:?}");
}

#[test]
fn a_closed_window_says_when_it_is_open_and_what_day_it_is() {
    let ladder = r#"
sequence: ladder
timezone: Europe/Zagreb
quietHours: { from: "09:00", to: "10:00" }
steps:
  - { id: office, run: WaitForWindow, config: { days: mon-fri, from: "09:30", to: "17:00", except: [12-25] } }
  - { id: set, run: Set, config: { values: { opened: true } } }
  - { id: text, run: SMS, config: { to: "+385911234567", message: Hello } }
"#;
    let world = World::start(ladder, json!({}), "2026-11-22T09:00");
    assert_eq!(
        section(&world, "held by"),
        [
            "`office` waits until Mon 2026-11-23 09:30 CET.",
            "  It is open mon,tue,wed,thu,fri 09:30 to 17:00, except 12-25 in Europe/Zagreb, and it is Sun 2026-11-22 09:00 CET now.",
        ]
    );
    let ahead = section(&world, "ahead");
    assert_eq!(
        &ahead[1..],
        [
            "  2026-11-23 09:30 CET: `set` set \"opened\"",
            "  2026-11-23 09:30 CET: `text` is held until 2026-11-23 10:00 CET: quiet hours",
            "  2026-11-23 10:00 CET: `text` sends a text to +385911234567",
            "  2026-11-23 10:00 CET: completed",
        ]
    );
}

#[test]
fn a_wait_for_an_event_says_which_clause_the_last_one_missed() {
    let ladder = r"
sequence: ladder
timezone: Europe/Zagreb
steps:
  - id: acked
    run: WaitForEvent
    config:
      event: ticket.acked
      where:
        lodashCommand: eq
        value: { type: get, value: event.data.level }
        compareTo: { type: raw, value: 2 }
      timeout: 15 minutes
";
    let mut world = World::start(ladder, json!({}), MORNING);
    assert_eq!(
        section(&world, "held by"),
        [
            "`acked` waits for ticket.acked, until 2026-11-23 09:15 CET.",
            "  No ticket.acked has come yet.",
            "  15 minutes from 2026-11-23 09:00 CET: 2026-11-23 09:15 CET.",
        ]
    );
    world.now += TimeDelta::minutes(2);
    event(&mut world, "ticket.acked", json!({ "level": 1 }));
    assert_eq!(
        section(&world, "held by"),
        [
            "`acked` waits for ticket.acked, until 2026-11-23 09:15 CET, and none that came counts.",
            "  ✗ event.data.level is 1, wants eq 2",
            "  The last ticket.acked came at 2026-11-23 09:02 CET.",
            "  15 minutes from 2026-11-23 09:00 CET: 2026-11-23 09:15 CET.",
        ]
    );
}

#[test]
fn acts_say_what_they_ask_for_and_what_came_of_it() {
    let ladder = r#"
sequence: ladder
timezone: Europe/Zagreb
steps:
  - { id: stop, run: Stop, config: { process_id: order-6 } }
  - { id: hook, run: Webhook, config: { url: "https://hooks.example.com/a", await: answered } }
  - { id: more, run: Start, config: { sequence: owner, process_id: owner-7 } }
"#;
    let mut world = World::start(ladder, json!({}), MORNING);
    let held = "`stop` waits for its request to be done, which is pending so far.";
    assert_eq!(section(&world, "held by"), [held]);
    assert_eq!(
        section(&world, "ahead")[1..],
        [
            "  2026-11-23 09:00 CET: `stop` sends a request to stop order-6",
            "  2026-11-23 09:00 CET: `stop` hears: completed",
            "  2026-11-23 09:00 CET: `hook` sends a request to https://hooks.example.com/a",
            "  2026-11-23 09:00 CET: `hook` hears: completed",
            "  2026-11-23 09:00 CET: `more` sends a request to start owner as owner-7",
            "  2026-11-23 09:00 CET: `more` hears: completed",
            "  2026-11-23 09:00 CET: completed",
        ]
    );
    world.written[0].record.answer =
        Some(rungs_runners::builtin::process::stopped("order-6", true));
    world.heard(DeliveryStatus::Completed, None);
    assert_eq!(
        section(&world, "held by"),
        ["`hook` waits for its request to be answered, which is pending so far."]
    );
    assert_eq!(
        section(&world, "contacts")[0],
        "2026-11-23 09:00 CET: `stop`, a request to stop order-6, was done: stopped order-6."
    );
}
