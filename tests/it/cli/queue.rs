//! `tick` and `intake`, as far as they need no queue.

use super::Desk;

#[test]
fn a_tick_without_a_queue_does_what_is_due() {
    let desk = Desk::new();
    desk.ask(&["apply", "call.yml"]);
    let data = r#"{"phone": "+385911234567", "date": "2000-01-01"}"#;
    desk.ask(&["start", "call", "--id", "p", "--data", data]);
    let tally = desk.ask_json(&["tick"]);
    assert_eq!(
        (&tally["queue"], &tally["sent"]),
        (&serde_json::Value::Null, &1.into()),
        "{tally:#}"
    );
    assert!(desk.ask(&["tick"]).starts_with("0 processes evaluated"));
    assert_eq!(desk.ask_json(&["show", "p"])["status"], "completed");
}

#[test]
fn to_take_in_needs_a_queue() {
    Desk::new().say(&["intake"]).refuses(1, &["RUNGS_SQS_QUEUE_URL names one"]);
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_that_reads_no_queue_says_which_one_does() {
    let desk = Desk::new();
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo";
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["intake"], &["tick"]] {
        let output = desk.command(args).env("RUNGS_SQS_QUEUE_URL", url).output().unwrap();
        super::Said::of(output).refuses(1, &["RUNGS_SQS_QUEUE_URL", "--features aws"]);
    }
    assert!(!desk.has("rungs.db"), "it is said before anything has happened");
}
