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
