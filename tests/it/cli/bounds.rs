//! What `check` says a sequence can come to, and what makes it refuse one.

use serde_json::Value;

use super::desk::{Desk, in_order};

/// Three minutes, then two calls at most, five hours apart; then it waits for the order.
const BOUNDED: &str = "
sequence: bounded
timezone: Europe/Zagreb
steps:
  - { id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }
  - { id: ring, run: Phone, config: { to: '112', say: Hi } }
  - { id: settle, run: WaitForDuration, config: { amount: 5, unit: hours } }
  - { id: again, run: GoTo, config: { step: ring, times: 1 } }
";

#[test]
fn a_check_says_when_a_person_is_contacted_how_often_and_how_long_it_goes_on() {
    let desk = Desk::new();
    desk.put("bounded.yml", BOUNDED);
    let out = desk.ask(&["check", "bounded.yml", "ladder.yml"]);
    in_order(
        &out,
        &[
            "bounded bounded.yml",
            "first contact  after 3 min\n",
            "messages       2 at most (phone 2)",
            "life           10 h 3 min of waits at most",
            "ladder ladder.yml",
            "first contact  after 3 min\n",
            "messages       2 at most (phone 2)",
            "life           no bound: `confirmed` waits until its condition holds",
        ],
    );
}

#[test]
fn machines_are_told_the_same_on_a_line_without_a_severity() {
    let desk = Desk::new();
    desk.put("bounded.yml", BOUNDED);
    let out = desk.ask(&["check", "--format", "json", "bounded.yml", "ladder.yml"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [bounded, ladder] = &lines[..] else { panic!("{out}") };
    assert_eq!(
        (&bounded["file"], &bounded["sequence"]),
        (&"bounded.yml".into(), &"bounded".into())
    );
    assert!(bounded.get("severity").is_none(), "{out}");
    let bounds = &bounded["bounds"];
    assert_eq!(bounds["first_contact"]["latest"]["most_ms"], 180_000);
    assert_eq!(bounds["channels"]["phone"]["most"], 2);
    assert_eq!(bounds["messages"]["way"]["rounds"][0]["to"], "ring");
    assert_eq!(bounds["waits"]["most_ms"], 36_180_000);
    assert_eq!(ladder["bounds"]["life"]["since"]["step"], "confirmed");
    assert_eq!(ladder["bounds"]["life"]["most_ms"], Value::Null);
}

#[test]
fn a_sequence_that_may_do_more_than_is_wanted_is_refused() {
    let desk = Desk::new();
    desk.put("bounded.yml", BOUNDED);
    let wanted = ["--max-messages", "2", "--max-messages", "sms=0", "--max-first-contact", "3m"];
    desk.ask(&[&["check", "bounded.yml", "--max-life", "5d"], &wanted[..]].concat());
    let refused = desk.say(&[
        "check",
        "bounded.yml",
        "ladder.yml",
        "--max-messages",
        "phone=1",
        "--max-life",
        "300d",
        "--max-first-contact",
        "2m 59s",
    ]);
    refused.refuses(1, &["2 files checked: 5 errors"]);
    in_order(
        &refused.out,
        &[
            "error[too-late]: a person is contacted first after 3 min; 2 min 59 s at most are wanted",
            "bounded.yml:6:",
            "by way of grace -> ring",
            "error[too-many-messages]: a process may send by phone 2 messages; 1 message at most",
            "bounded.yml:8:",
            "by way of grace -> ring -> settle -> again (once back to ring) -> end",
            "error[too-long]: nothing bounds how long",
            "`confirmed` waits until its condition holds; 300 d at most are wanted",
        ],
    );
    let line = desk.say(&["--format", "json", "check", "bounded.yml", "--max-messages", "1"]).out;
    let found: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    assert_eq!((&found["code"], &found["line"]), (&"too-many-messages".into(), &8.into()));
}

#[test]
fn limits_that_are_none_are_refused() {
    let desk = Desk::new();
    for (limit, words) in [
        (["--max-messages", "smss=2"], "there is no channel `smss`; expected one of phone, sms"),
        (["--max-messages", "many"], "expected a number such as 20"),
        (["--max-messages", "-1"], "unexpected argument"),
        (["--max-life", "10"], "such as 10m, 1h30m or 2d"),
        (["--max-first-contact", "soon"], "such as 10m"),
    ] {
        desk.say(&[&["check", "ladder.yml"], &limit[..]].concat()).refuses(2, &[words]);
    }
}
