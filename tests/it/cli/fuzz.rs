//! `fuzz`: what it prints is a file of cases that `test` takes.

use super::{Desk, desk::in_order};

/// Sends a text although somebody has confirmed, since that stands below the goal.
const LATE: &str = "
sequence: late
input: { type: object, required: [phone], properties: { phone: { type: string } } }
steps:
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: Hello, await: answered }
    altNext: pause
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: order.status }
      compareTo: { type: raw, value: confirmed }
      otherwise: end
  - { id: pause, run: WaitForDuration, config: { amount: 2, unit: minutes } }
  - { id: text, run: SMS, config: { to: '{{phone}}', message: Hello } }
";

#[test]
fn what_is_found_is_a_case_that_shows_it() {
    let desk = Desk::new();
    desk.put("late.yml", LATE);
    let found = desk.say(&["fuzz", "late.yml", "--runs", "200"]);
    found.refuses(1, &["after-goal: `text` contacts somebody at", "1 flaw found", "seed 1"]);
    in_order(
        &found.out,
        &["cases:", "order.status=confirmed", "then:", "ring", "text # after", "completed"],
    );

    desk.put("late.test.yml", &found.out);
    let tried = desk.say(&["test", "late.test.yml"]);
    assert_eq!(tried.code, Some(0), "{tried:#?}");
    assert_eq!(desk.say(&["fuzz", "late.yml", "--runs", "200"]).out, found.out, "the same again");
    desk.ask(&["fuzz", "late.yml", "--runs", "200", "--except", "after-goal"]);
}

#[test]
fn a_shipped_ladder_is_left_in_peace_and_wrong_use_is_answered() {
    let desk = Desk::new();
    desk.put("order.yml", include_str!("../../../sequences/order-escalation.yml"));
    desk.put("order.data.json", include_str!("../../../sequences/order-escalation.data.json"));
    let clean = desk.say(&["fuzz", "order.yml", "--runs", "60"]);
    assert_eq!((clean.code, clean.out.as_str()), (Some(0), ""), "{clean:#?}");
    assert!(clean.err.contains("nothing found"), "{clean:#?}");

    desk.say(&["fuzz", "nothing.yml"]).refuses(1, &["nothing.yml"]);
    desk.say(&["fuzz", "order.yml", "--seconds", "0"]).refuses(2, &["--seconds"]);
    desk.say(&["fuzz", "order.yml", "--except", "boredom"]).refuses(2, &["expected one of nobody"]);
    desk.say(&["fuzz", "order.yml", "--data", "[]", "--runs", "3"])
        .refuses(1, &["no data were found"]);
}

#[test]
fn what_fragments_and_calendars_speak_of_is_drawn_as_well() {
    let desk = Desk::new();
    desk.put(
        "kitchen.yml",
        "
fragment: kitchen
steps:
  - id: acked
    run: WaitForEvent
    config:
      event: order.acked
      where: { lodashCommand: eq, value: { type: get, value: event.data.level }, compareTo: { type: raw, value: 7 } }
  - { id: told, run: Set, config: { values: { order: { status: confirmed } } } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minutes } }
  - { id: late, run: SMS, config: { to: '+385911234567', message: Late } }
",
    );
    let ladder = "
sequence: ladder
timezone: Europe/Zagreb
calendars: { office: { hours: { mon-fri: 09:00-17:00 } } }
steps:
  - { id: open, run: WaitForWindow, config: { calendar: office } }
  - { id: kitchen, run: ./kitchen.yml }
";
    desk.put("ladder.yml", ladder);
    let clean = desk.say(&["fuzz", "ladder.yml", "--runs", "100"]);
    assert_eq!((clean.code, clean.out.as_str()), (Some(0), ""), "{clean:#?}");

    let goal = "
  - id: confirmed
    run: Goal
    config: { lodashCommand: eq, value: { type: get, value: order.status }, compareTo: { type: raw, value: confirmed }, otherwise: continue }
";
    let late = ladder.replace("  - { id: kitchen", &format!("{goal}  - {{ id: kitchen"));
    desk.put("ladder.yml", &late);
    let found = desk.say(&["fuzz", "ladder.yml", "--runs", "400"]);
    found.refuses(1, &["after-goal: `kitchen--late` contacts somebody"]);
    in_order(&found.out, &["order.acked", "kitchen--late # after"]);
    desk.put("ladder.test.yml", &found.out);
    let tried = desk.say(&["test", "ladder.test.yml"]);
    assert_eq!(tried.code, Some(0), "{tried:#?}");
}
