//! What was recorded under one version, replayed through another.

use chrono_tz::Tz;
use rungs_runners::builtin::KINDS;
use serde_json::json;

use super::*;
use crate::{
    check,
    simulate::{Answer, Line, What},
};

fn sequence(head: &str, steps: &[&str]) -> Sequence {
    let source = format!("sequence: ladder\n{head}\nsteps:\n  - {}\n", steps.join("\n  - "));
    let checked = check(&source, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

const GRACE: &str = "{ id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }";
const RING: &str = "{ id: ring, run: Phone, config: { to: '+385911', say: Hi, await: answered }, \
                    altNext: text }";
const DONE: &str = "{ id: done, run: WaitForDuration, config: { amount: 1, unit: hours }, next: \
                    end }";
const TEXT: &str = "{ id: text, run: SMS, config: { to: '+385917', message: Help } }";

fn nine() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn minute(minute: i64) -> DateTime<Utc> {
    nine() + TimeDelta::minutes(minute)
}

/// What the store would have of a process that climbed so.
fn recorded(sequence: &Sequence, data: &Value, events: Vec<Event>, answers: &[&str]) -> Recorded {
    let answers: Vec<Answer> = answers.iter().map(|text| text.parse().unwrap()).collect();
    let happenings: Vec<Happening> = events
        .iter()
        .map(|event| Happening {
            after: event.at - nine(),
            r#type: event.r#type.clone(),
            data: event.data.clone(),
            says: String::new(),
        })
        .collect();
    let start = Start {
        key: "01900000-0000-7000-8000-000000000001".into(),
        process_id: "order-7".into(),
        version: 1,
        data: data.clone(),
        default_timezone: chrono_tz::UTC,
        now: nine(),
    };
    let climbed =
        simulate::simulate(sequence, start, &happenings, &mut answers.as_slice()).unwrap();
    let contacts = contacts::of(&climbed, sequence);
    let ids = climbed.lines.iter().filter_map(|line| match &line.what {
        What::Wrote { delivery, .. } => Some(delivery.clone()),
        _ => None,
    });
    let deliveries = ids.zip(contacts).map(|(id, contact)| Sent {
        id,
        contact,
        begun: true,
        is_question: false,
        ended: None,
    });
    Recorded {
        data: data.as_object().unwrap().clone(),
        events,
        deliveries: deliveries.collect(),
        history: climbed.lines.iter().map(|line| (line.at, vec![entry(line)])).collect(),
        process: climbed.process,
    }
}

fn entry(line: &Line) -> Entry {
    match line.what.clone() {
        What::Did(entry) => entry,
        What::Wrote { step, delivery, channel, .. } => {
            Entry::Wrote { step, delivery, channel: channel.into_owned() }
        }
        What::Heard { step, delivery, status, .. } => {
            let status = status.to_string();
            Entry::Heard { step, delivery, status, error: None, answer: None }
        }
    }
}

/// `minute to` of each.
fn told(contacts: &[Contact]) -> Vec<String> {
    let minutes = |contact: &Contact| (contact.at - nine()).num_seconds() as f64 / 60.0;
    contacts.iter().map(|contact| format!("{} {}", minutes(contact), contact.to())).collect()
}

#[test]
fn under_its_own_version_a_process_does_what_it_did() {
    let ladder = sequence("", &[GRACE, RING, DONE, TEXT]);
    for answers in [&["ring=busy+20s"][..], &["ring=answered+7s"], &["ring=no-answer+55s"]] {
        let recorded = recorded(&ladder, &json!({}), vec![], answers);
        let replayed = backtest(&ladder, &recorded, Tz::UTC, minute(600)).unwrap();
        assert!(replayed.difference.is_empty(), "{answers:?}: {replayed:#?}");
        assert_eq!(replayed.assumed, 0);
        assert_eq!(replayed.process.status, recorded.process.status);
    }
}

#[test]
fn somebody_picked_up_and_so_they_would_under_the_new_version() {
    let old = sequence("", &[GRACE, RING, DONE, TEXT]);
    let recorded = recorded(&old, &json!({}), vec![], &["ring=answered+12s"]);
    // Without the grace, under another name, and somebody is mailed whom nobody mailed before.
    let call = RING.replace("id: ring", "id: call");
    let mail = "{ id: mail, run: Email, config: { to: ana@example.com, text: Hi, subject: Hi } }";
    let new = sequence("moved: { ring: call }", &[mail, &call, DONE, TEXT]);
    let replayed = backtest(&new, &recorded, Tz::UTC, minute(600)).unwrap();
    assert_eq!(told(&replayed.difference.only_after), ["0 ana@example.com"]);
    let [(shifted, was)] = &replayed.difference.shifted[..] else { panic!("{replayed:#?}") };
    assert_eq!(
        (told(std::slice::from_ref(shifted)), *was),
        (vec!["0 +385911".to_owned()], minute(3))
    );
    assert_eq!((replayed.asked, replayed.assumed), (2, 1), "the mail is taken to be sent");

    // As another step it was never asked, and usually nobody picks up.
    let unsaid = sequence("", &[mail, &call, DONE, TEXT]);
    let replayed = backtest(&unsaid, &recorded, Tz::UTC, minute(600)).unwrap();
    assert_eq!(told(&replayed.difference.only_after).last().unwrap(), "0.5 +385917");
    assert_eq!((replayed.asked, replayed.assumed), (3, 3));
}

#[test]
fn the_events_of_then_come_at_their_times() {
    let goal = "{ id: confirmed, run: Goal, config: { lodashCommand: eq, value: { type: get, \
                value: order }, compareTo: { type: raw, value: confirmed }, otherwise: end } }";
    let patient = GRACE.replace("amount: 3", "amount: 10");
    let [old, new] = [GRACE, &patient].map(|grace| sequence("", &[grace, TEXT, goal]));
    let confirmed =
        Event { r#type: "data".into(), data: json!({ "order": "confirmed" }), at: minute(5) };
    let recorded = recorded(&old, &json!({ "order": "new" }), vec![confirmed], &[]);
    let replayed = backtest(&new, &recorded, Tz::UTC, minute(600)).unwrap();
    assert_eq!(told(&replayed.difference.only_before), ["3 +385917"], "nobody had to be texted");
    assert!(replayed.difference.only_after.is_empty());
    assert!(!is_as_started(&recorded.events, &recorded.history));
}

#[test]
fn nobody_knows_what_would_have_happened_after_a_stop_or_while_it_was_held() {
    let [old, new] = [sequence("", &[TEXT, DONE]), sequence("", &[GRACE, RING, DONE, TEXT])];
    let mut stopped = recorded(&old, &json!({}), vec![], &[]);
    stopped.process.status = Status::Stopped;
    stopped.process.ended_at = Some(minute(2));
    let replayed = backtest(&new, &stopped, Tz::UTC, minute(600)).unwrap();
    assert_eq!(told(&replayed.difference.only_before), ["0 +385917"]);
    assert!(replayed.difference.only_after.is_empty(), "{replayed:#?}");
    assert_eq!(replayed.cut, Some(Cut::Stopped), "and that is said");

    let mut held = recorded(&old, &json!({}), vec![], &[]);
    held.history.push((minute(4), vec![Entry::Paused]));
    let replayed = backtest(&new, &held, Tz::UTC, minute(600)).unwrap();
    assert_eq!(told(&replayed.after), ["3 +385911", "3.5 +385917"]);
    assert_eq!(told(&replayed.difference.only_after), ["3 +385911"]);
    assert_eq!(replayed.cut, None, "the new version would have ended before");
    let replayed = backtest(&new, &held, Tz::UTC, minute(1)).unwrap();
    assert!(replayed.after.is_empty(), "that is not over yet");
    assert_eq!(replayed.cut, Some(Cut::Now));
    held.history.insert(0, (minute(2), vec![Entry::Paused]));
    assert_eq!(backtest(&new, &held, Tz::UTC, minute(600)).unwrap().cut, Some(Cut::Paused));
}

#[test]
fn a_start_that_the_new_version_refuses_is_said() {
    let old = sequence("", &[TEXT]);
    let new = sequence("input: { type: object, required: [phone] }", &[TEXT]);
    let recorded = recorded(&old, &json!({}), vec![], &[]);
    assert_eq!(backtest(&new, &recorded, Tz::UTC, minute(9)).unwrap_err().len(), 1);
}

#[test]
fn what_is_ahead_of_a_process_begins_where_it_stands() {
    let ladder = sequence("", &[GRACE, RING, DONE, TEXT]);
    let start = Start {
        key: "01900000-0000-7000-8000-000000000001".into(),
        process_id: "order-7".into(),
        version: 1,
        data: json!({}),
        default_timezone: chrono_tz::UTC,
        now: nine(),
    };
    let waiting = crate::start(&ladder, start).unwrap();
    let waiting = crate::advance(&ladder, waiting, vec![], nine()).process;
    let rings = crate::advance(&ladder, waiting.clone(), vec![], minute(3));
    let mut call = simulate::Written::new(rings.deliveries[0].clone(), &waiting.key, minute(3));
    let usual: &[Answer] = &[];
    let ahead = |process: &Process, written: &[simulate::Written], now| {
        let ahead = simulate::ahead(&ladder, process.clone(), written, now, 100, &mut { usual });
        told(&contacts::of(&ahead, &ladder))
    };
    assert_eq!(ahead(&waiting, &[], minute(1)), ["3 +385911", "3.5 +385917"]);
    // It has not left yet.
    let ringing = rings.process;
    assert_eq!(ahead(&ringing, &[call.clone()], minute(3)), ["3 +385911", "3.5 +385917"]);
    // Nobody picks up the call that is under way; it is not made again.
    (call.record.status, call.record.begun_at) = (DeliveryStatus::Sent, Some(minute(3)));
    assert_eq!(ahead(&ringing, &[call.clone()], minute(3)), ["3.5 +385917"]);
    // From a minute on it is late, and there is no place for it until then.
    call.record.status = DeliveryStatus::Pending;
    call.record.due_at = Some(minute(6));
    assert_eq!(ahead(&ringing, &[call.clone()], minute(3)), ["6 +385911", "6.5 +385917"]);
    call.record.late = Some((minute(5), crate::Remedy::Fail));
    assert_eq!(ahead(&ringing, &[call], minute(3)), ["5 +385917"]);
    let one_cycle = simulate::ahead(&ladder, waiting, &[], minute(1), 1, &mut { usual });
    assert_eq!(one_cycle.end, simulate::End::Endless);
}

#[test]
fn a_version_that_names_no_zone_climbs_in_that_of_the_server() {
    let at_nine = "{ id: nine, run: WaitForWindow, config: { from: '09:00', to: '17:00' } }";
    let old = sequence("timezone: Europe/Zagreb", &[at_nine, TEXT]);
    let recorded = recorded(&old, &json!({}), vec![], &[]);
    let new = sequence("", &[at_nine, TEXT]);
    let differs = |zone: Tz| {
        let replayed = backtest(&new, &recorded, zone, minute(6_000)).unwrap();
        !replayed.difference.is_empty()
    };
    assert!(!differs(Tz::Europe__Zagreb));
    assert!(differs(Tz::Asia__Tokyo), "it is six in the evening there");
}

#[test]
fn what_a_ladder_does_to_itself_another_would_not_have_done() {
    let stop = "{ id: stop, run: Stop, config: { process_id: '{{process.id}}' } }";
    let old = sequence("", &[GRACE, stop, TEXT]);
    let recorded = recorded(&old, &json!({}), vec![], &[]);
    assert_eq!(recorded.process.status, Status::Stopped);
    let replayed = |steps: &[&str]| {
        backtest(&sequence("", steps), &recorded, Tz::UTC, minute(600)).unwrap().difference
    };
    assert!(replayed(&[GRACE, stop, TEXT]).is_empty());
    assert_eq!(replayed(&[GRACE, TEXT]).only_after.len(), 1);
}

#[test]
fn what_was_passed_by_or_has_not_left_yet_reaches_nobody_in_the_replay_either() {
    let ladder = sequence("", &[GRACE, TEXT, DONE]);
    let told = |status: Option<DeliveryStatus>| {
        let mut recorded = recorded(&ladder, &json!({}), vec![], &[]);
        for sent in &mut recorded.deliveries {
            sent.begun = false;
            sent.ended = status.map(|status| (minute(4), status));
        }
        for (_, entries) in &mut recorded.history {
            entries.retain(|entry| !matches!(entry, Entry::Heard { .. }));
        }
        backtest(&ladder, &recorded, Tz::UTC, minute(600)).unwrap().difference
    };
    assert!(told(Some(DeliveryStatus::Skipped)).is_empty());
    assert!(told(None).is_empty());
}
