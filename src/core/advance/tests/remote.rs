//! Runners that live elsewhere: what an answer does to a process.

use rungs_runners::{Action, Answer, Kind, data, remote::Remote};

use super::*;
use crate::Remedy;

const ASK: &str = "
sequence: ask
steps:
  - { id: check, run: Credit, altNext: poor }
  - { id: rich, run: WaitForDuration, config: { amount: 1, unit: day } }
  - { id: poor, run: WaitForDuration, config: { amount: 1, unit: day } }
";

fn kinds() -> Vec<Kind> {
    let remote = Remote { name: "Credit", every: chrono::TimeDelta::seconds(60) };
    KINDS.iter().copied().chain([Kind::remote(remote)]).collect()
}

fn asks(yaml: &str) -> Sequence {
    let checked = check(yaml, &kinds());
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// The open question is answered at a time of day.
fn answered(process: &Process, action: Action, data: &Value, time: &str) -> News {
    let open = process.state.delivery.clone().expect("an open question");
    let answer = Answer {
        action,
        message: Some("why".into()),
        data: data.as_object().cloned(),
        result: None,
        pause: None,
        at: at(time).timestamp_millis(),
    };
    let status = DeliveryStatus::Completed;
    News::Delivery(DeliveryView { status, answer: Some(answer), ..open })
}

#[test]
fn the_answer_moves_the_cursor_and_its_data_are_merged() {
    let ask = asks(ASK);
    let first = go(&ask, begin(&ask, json!({ "a": 1, "b": 1 })), "09:00:00", vec![]);
    assert_eq!((first.deliveries.len(), first.data_changed), (1, false));
    let patch = json!({ "a": null, "c": { "d": 2 } });
    let news = answered(&first.process, Action::AltNext, &patch, "09:00:01");
    let second = go(&ask, first.process, "09:00:01", vec![news]);
    assert_eq!(second.process.cursor.as_deref(), Some("poor"));
    assert!(second.data_changed);
    assert_eq!(Value::Object(second.process.data), json!({ "b": 1, "c": { "d": 2 } }));
    let Entry::Heard { answer: Some(answer), .. } = &second.history[0] else {
        panic!("{:#?}", second.history)
    };
    assert_eq!(answer.data.clone().map(Value::Object), Some(patch), "the history is the truth");
}

#[test]
fn each_round_of_a_stay_has_an_id_of_its_own_and_takes_the_place_of_the_one_before() {
    let ask = asks(ASK);
    let mut process = begin(&ask, json!({}));
    let (mut ids, mut superseded) = (Vec::new(), Vec::new());
    for minute in 0..4 {
        let asked = go(&ask, process, &format!("09:0{minute}:00"), vec![]);
        ids.extend(asked.deliveries.iter().map(|delivery| delivery.id.clone()));
        superseded.extend(asked.superseded.clone());
        let time = format!("09:0{minute}:00");
        let news = answered(&asked.process, Action::Noop, &json!({ "n": minute }), &time);
        let rests = go(&ask, asked.process, &time, vec![news]);
        assert_eq!(rests.process.due_at, Some(at(&format!("09:0{}:00", minute + 1))));
        let kept = rests.process.state.delivery.as_ref().and_then(|it| it.answer.as_ref());
        assert_eq!(kept.map(|answer| answer.data.is_none()), Some(true), "they are merged");
        process = rests.process;
    }
    assert_eq!(superseded, ids[..3]);
    let mut distinct = ids.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "{ids:?}");
    // The first is that of any delivery.
    let phone = sequence(LADDER);
    let ring = go(&phone, begin(&phone, json!({})), "09:00:00", vec![]);
    assert!(!serde_json::to_string(&ring.process.state).unwrap().contains("round"));
    // And a new stay begins with the first round.
    let failed = crate::advance::fail(process, vec![], "it broke".into(), at("09:10:00"));
    assert_eq!(failed.process.state.round, 0);
}

#[test]
fn the_same_cycle_again_asks_the_same() {
    let ask = asks(ASK);
    let process = begin(&ask, json!({ "a": 1 }));
    let again = || go(&ask, process.clone(), "09:00:00", vec![]);
    assert_eq!(again(), again());
}

#[test]
fn an_answer_to_another_stay_is_noted_and_changes_nothing() {
    let ask = asks(ASK);
    let first = go(&ask, begin(&ask, json!({})), "09:00:00", vec![]);
    let news = answered(&first.process, Action::Next, &json!({ "late": true }), "09:00:01");
    let failed =
        crate::advance::fail(first.process.clone(), vec![], "it broke".into(), at("09:00:00"));
    let resumed = Process { status: Status::Active, ended_at: None, ..failed.process };
    let second = go(&ask, resumed, "09:00:01", vec![news]);
    assert_eq!(second.process.cursor.as_deref(), Some("check"));
    assert_eq!((second.process.data.len(), second.data_changed), (0, false));
    assert_ne!(second.deliveries[0].id, first.deliveries[0].id, "it asks anew");
}

#[test]
fn data_for_which_there_is_no_room_make_the_answer_a_failure() {
    let ask = asks(&ASK.replace(", altNext: poor", "").replace("  - { id: poor", "  - { id: end2"));
    let large = json!({ "large": "x".repeat(data::MOST - 20) });
    let first = go(&ask, begin(&ask, large), "09:00:00", vec![]);
    let news =
        answered(&first.process, Action::Next, &json!({ "more": "12345678901" }), "09:00:01");
    let second = go(&ask, first.process, "09:00:01", vec![news]);
    assert_eq!(second.process.status, Status::Failed, "there is no other way");
    let reason = second.process.reason.unwrap();
    assert!(reason.contains("with the answer's data"), "{reason}");
    assert!(!second.data_changed && !second.process.data.contains_key("more"));
}

#[test]
fn a_question_is_asked_without_end_unless_the_step_says_otherwise() {
    let step = |more: &str| {
        let asks = asks(&ASK.replace("run: Credit", &format!("run: Credit{more}")));
        let first = go(&asks, begin(&asks, json!({})), "09:00:00", vec![]);
        (first.deliveries[0].retry.unwrap().attempts, asks.steps[0].fail_on_failure)
    };
    assert_eq!(step(""), (u32::MAX, false), "altNext is there for that");
    assert_eq!(step(", retry: { attempts: 3 }"), (3, false));
    assert_eq!(step(", onFailure: fail"), (u32::MAX, true));
    let one_way = |more: &str| {
        let yaml = format!("sequence: a\nsteps:\n  - {{ id: check, run: Credit{more} }}");
        asks(&yaml).steps[0].fail_on_failure
    };
    assert!(one_way(""), "without an answer there is no next");
    assert!(!one_way(", onFailure: continue"));
}

#[test]
fn in_doubt_says_nothing_of_a_question() {
    let doubtful = ASK.replace("sequence: ask", "sequence: ask\ndefaults: { inDoubt: fail }");
    assert_eq!(asks(&doubtful).steps[0].in_doubt, Remedy::Send);
    let refused = check(&ASK.replace("run: Credit", "run: Credit, inDoubt: skip"), &kinds());
    let codes: Vec<&str> = refused.diagnostics.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["no-doubt"]);
}
