//! Webhooks that are answered in JSON, steps that set data, and processes that are started
//! and stopped, or would be.

use super::*;

const HOOK: &str = r#"
sequence: hook
steps:
  - id: hook
    run: Webhook
    config: { url: "https://hooks.example.com", await: answered }
    altNext: instead
  - id: keep
    run: Set
    config: { values: { by: { type: get, value: steps.hook.answer.by }, code: { type: get, value: steps.hook.httpStatus } } }
  - id: launch
    run: Start
    config: { sequence: other, process_id: "other-{{by}}" }
    altNext: instead
  - id: stop
    run: Stop
    config: { process_id: "{{whom}}" }
    next: end
  - id: instead
    run: SMS
    config: { to: '+385911234567', message: "no: {{steps.launch.status}}" }
"#;

fn hook(whom: &str, answers: &str) -> Simulation {
    let checked = check(HOOK, KINDS);
    let sequence = checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let answers = if answers.is_empty() { vec![] } else { answer::several(answers).unwrap() };
    answer::fit(&answers, &sequence).unwrap();
    let new = Start { data: json!({ "whom": whom }), ..begin() };
    simulate(&sequence, new, &[], &mut &answers[..]).unwrap()
}

#[test]
fn what_is_answered_in_json_is_there_for_the_steps_that_follow() {
    let simulation = hook("s1", r#"hook={"by":"Ana"}+20s"#);
    let expected = [
        "09:00:00 hook",
        "09:00:20 hook completed",
        "09:00:20 launch",
        "09:00:20 launch completed",
        "09:00:20 stop",
        "09:00:20 stop completed",
    ];
    assert_eq!(contacts(&simulation), expected);
    let process = &simulation.process;
    assert_eq!(process.status, Status::Completed);
    assert_eq!(json!(process.data), json!({ "whom": "s1", "by": "Ana", "code": 200 }));
    let launched = &process.state.steps["launch"];
    assert_eq!(
        (&launched["started"], &launched["process_id"]),
        (&json!(true), &json!("other-Ana"))
    );
    assert_eq!(process.state.steps["stop"]["stopped"], true);
}

#[test]
fn nothing_is_started_where_it_is_said_to_fail() {
    let simulation = hook("s1", "launch=altNext");
    let told = contacts(&simulation);
    assert_eq!(told.iter().find(|line| line.ends_with("instead")).unwrap(), "09:00:00 instead");
    let live = hook("s1", r#"launch={"started":false}"#);
    assert_eq!(live.process.state.steps["launch"]["started"], false);
    assert_eq!(live.process.status, Status::Completed);
}

#[test]
fn a_process_that_stops_itself_has_stopped() {
    let simulation = hook("order-7", "");
    let process = &simulation.process;
    assert_eq!((simulation.end, process.status), (End::Ended, Status::Stopped));
    assert_eq!(process.reason.as_deref(), Some("by the process order-7"));
    let last = simulation.lines.last().map(|line| &line.what);
    assert!(matches!(last, Some(What::Did(Entry::Stopped { .. }))), "{last:?}");
}

#[test]
fn every_way_of_what_may_be_answered_is_found() {
    let checked = check(HOOK, KINDS).sequence.unwrap();
    let new = Start { data: json!({ "whom": "s1" }), ..begin() };
    let explored = explore(&checked, &Value::Null, &new, &[], &[], 100).unwrap();
    let ways: Vec<Vec<&str>> = explored
        .ways
        .iter()
        .map(|way| way.answers.iter().map(|(_, _, _, what)| *what).collect())
        .collect();
    assert!(ways.contains(&vec!["completed", "next", "next"]), "{ways:?}");
    assert!(ways.contains(&vec!["completed", "altNext", "delivered"]), "{ways:?}");
    assert!(ways.contains(&vec!["failed", "delivered"]), "{ways:?}");
    assert!(ways.contains(&vec!["completed", "next", "altNext"]), "{ways:?}");
}

#[test]
fn an_answer_in_json_is_for_who_keeps_it() {
    let checked = check(HOOK, KINDS).sequence.unwrap();
    let fit = |text: &str| answer::fit(&answer::several(text).unwrap(), &checked);
    assert!(fit(r#"instead={"a":1}"#).unwrap_err().contains("gets no answer in JSON"));
    assert!(fit("launch=completed").unwrap_err().contains("next or altNext"));
    assert_eq!(fit("hook=failed,launch=failed"), Ok(()));
}
