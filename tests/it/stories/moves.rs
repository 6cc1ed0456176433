//! Processes that are moved to another version while they climb, and what was recorded of
//! them replayed through another.

use std::ops::ControlFlow;

use rungs::intake::{self, Compared, Look, Moves};
use rungs_core::moving::Stranded;
use serde_json::{Value, json};

use super::{RESTAURANT, phone};
use crate::{
    databases::Kind, every_database::on_every_database, fakes::twilio::Fate, harness::TestApp,
};

on_every_database!(
    a_call_under_way_is_not_made_again_and_its_answer_reaches_the_step_by_its_new_name,
    what_is_heard_of_a_call_later_stands_under_the_new_name,
    a_wait_that_is_shorter_now_is_over_at_once,
    who_cannot_move_is_told_and_left_and_who_has_ended_is_passed_by,
    a_plan_says_where_processes_would_land_and_whom_they_would_reach,
    a_plan_counts_on_what_is_under_way_and_on_what_the_night_holds,
    who_has_sent_nothing_yet_is_kept_by_nothing_that_is_under_way,
    a_plan_and_an_explanation_hear_what_a_paused_process_was_told,
    what_was_recorded_is_replayed_through_another_version,
    who_started_before_that_was_kept_is_said_not_to_be_replayed,
    what_the_night_held_is_replayed_as_it_left_and_acts_reach_nobody,
);

/// Waits for an acknowledgement, and else tells the boss.
const ACK: &str = r#"
sequence: ack
steps:
  - id: ack
    run: WaitForEvent
    config:
      event: acked
      where: { lodashCommand: eq, value: { type: get, value: event.data.level }, compareTo: { type: raw, value: 1 } }
      timeout: 30 minutes
    next: end
    altNext: boss
  - { id: boss, run: SMS, config: { to: "{{phone}}", message: "Help" }, lateness: { most: 10 minutes, then: skip } }
"#;

/// Waits, rings until somebody picks up, else texts.
const WATCH: &str = r#"
sequence: watch
steps:
  - { id: grace, run: WaitForDuration, config: { amount: 30, unit: minutes } }
  - id: ring
    run: Phone
    config: { to: "{{phone}}", say: "Hello!", await: answered }
    altNext: text
  - { id: settle, run: WaitForDuration, config: { amount: 1, unit: hour }, next: end }
  - { id: text, run: SMS, config: { to: "{{phone}}", message: "Call us" } }
"#;

/// The same, without a grace, and with another name for the step that rings.
fn called() -> String {
    WATCH
        .replace("id: ring", "id: call")
        .replace("sequence: watch", "sequence: watch\nmoved: { ring: call }")
}

/// Publishes a version and moves everybody; who is left, and why.
async fn move_to(app: &TestApp, version: &str) -> (Moves, Vec<String>) {
    let published = intake::publish(&app.engine, None, version).await.unwrap();
    let (name, number) = (published.name, published.version);
    let mut left = Vec::new();
    let moves = intake::move_processes(&app.engine, &name, number, false, |one| {
        left.push(format!("{} {}", one.process_id, one.code));
    });
    let moves = moves.await.unwrap();
    (moves, left)
}

async fn moved(app: &TestApp, version: &str) -> u64 {
    let (moves, left) = move_to(app, version).await;
    assert!(left.is_empty(), "{left:?}");
    moves.moved
}

async fn a_call_under_way_is_not_made_again_and_its_answer_reaches_the_step_by_its_new_name(
    kind: Kind,
) {
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::Answered);
    app.publish(WATCH).await;
    app.start_process("watch", "w1", phone()).await;
    app.clock_shows("09:29").await;
    app.engine.clock.set(app.now() + chrono::TimeDelta::minutes(1));
    app.engine.drain().await.unwrap();
    assert_eq!(app.called().len(), 1, "it rings, and nothing is heard of it yet");

    assert_eq!(moved(&app, &called()).await, 1);
    app.engine.drain().await.unwrap();
    assert_eq!(app.called().len(), 1, "it has looked around, and rings on");
    app.settle().await;

    assert_eq!(app.called().len(), 1);
    assert_eq!(app.stands("w1").await, "active at settle");
    let process = app.process("w1").await;
    assert_eq!(process["version"], 2);
    assert_eq!(process["steps"]["call"]["visits"], 1);
    assert_eq!(process["deliveries"][0]["step"], "call");
    let history = app.history("w1").await;
    let at = |what: &str| {
        history
            .iter()
            .position(|line| line.ends_with(what))
            .unwrap_or_else(|| panic!("{what}: {history:#?}"))
    };
    assert!(at("ring wrote phone") < at("moved") && at("moved") < at("call heard completed"));
    app.clock_shows("12:00").await;
    assert_eq!((app.called().len(), app.texted().len()), (1, 0));
    app.finish().await;
}

async fn what_is_heard_of_a_call_later_stands_under_the_new_name(kind: Kind) {
    let placed = WATCH.replace("await: answered", "await: placed");
    let renamed = called().replace("await: answered", "await: placed");
    let app = TestApp::on(kind).await;
    app.twilio.script(RESTAURANT, Fate::Busy);
    app.publish(&placed).await;
    app.start_process("watch", "w1", phone()).await;
    app.clock_shows("09:29").await;
    app.engine.clock.set(app.now() + chrono::TimeDelta::minutes(1));
    app.engine.drain().await.unwrap();
    assert_eq!(app.stands("w1").await, "active at settle", "it was placed, and that will do");

    assert_eq!(moved(&app, &renamed).await, 1);
    app.settle().await;

    let process = app.process("w1").await;
    assert_eq!(process["steps"]["call"]["status"], "busy", "{process:#}");
    assert_eq!(process["steps"]["ring"], Value::Null);
    app.finish().await;
}

async fn a_wait_that_is_shorter_now_is_over_at_once(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(WATCH, "w1", phone()).await;
    app.clock_shows("09:10").await;
    assert!(app.called().is_empty());
    let hasty = WATCH.replace("amount: 30", "amount: 5");

    assert_eq!(moved(&app, &hasty).await, 1);
    app.settle().await;
    assert_eq!(app.called().len(), 1, "ten of five minutes have passed");
    assert_eq!(moved(&app, &hasty).await, 0, "again changes nothing");
    let history = app.history("w1").await;
    assert_eq!(history.iter().filter(|line| line.ends_with("moved")).count(), 1, "{history:#?}");
    app.finish().await;
}

async fn who_cannot_move_is_told_and_left_and_who_has_ended_is_passed_by(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(WATCH).await;
    for id in ["ended", "held", "ringing"] {
        app.start_process("watch", id, phone()).await;
    }
    app.settle().await;
    app.post("/v1/processes/ended/stop", &json!({})).await;
    app.post("/v1/processes/held/pause", &json!({})).await;
    app.clock_shows("09:29").await;
    app.engine.clock.set(app.now() + chrono::TimeDelta::minutes(1));
    app.engine.drain().await.unwrap();
    assert_eq!(app.called().len(), 1);

    // `ring` texts now: nobody could tell what became of the call.
    let text = r#"{ to: "{{phone}}", message: "Hi" }"#;
    let other = WATCH
        .replace("run: Phone", "run: SMS")
        .replace(r#"{ to: "{{phone}}", say: "Hello!", await: answered }"#, text);
    let (moves, left) = move_to(&app, &other).await;
    assert_eq!((moves, left), (Moves { moved: 1, left: 1 }, vec!["ringing under-way".to_owned()]));
    for (id, version) in [("ended", 1), ("held", 2), ("ringing", 1)] {
        assert_eq!(app.process(id).await["version"], version, "{id}");
    }
    assert_eq!(app.stands("held").await, "paused at grace", "moved, and still held");
    app.post("/v1/processes/held/resume", &json!({})).await;
    app.clock_shows("11:00").await;
    assert_eq!(app.called().len(), 1);
    assert!(app.texted().iter().any(|text| text.ends_with(": Hi")), "{:?}", app.texted());
    app.finish().await;
}

async fn a_plan_says_where_processes_would_land_and_whom_they_would_reach(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(WATCH).await;
    for number in 0..5 {
        app.start_process("watch", &format!("w{number}"), phone()).await;
    }
    app.settle().await;
    app.clock_shows("09:10").await;
    let boss = "  - { id: boss, run: SMS, config: { to: '+385990', message: Help } }";
    let bold = format!("{}{boss}\n", called().replace("amount: 30", "amount: 20"));

    let plan = intake::plan(&app.engine, &bold, &Look::Some(2)).await.unwrap();
    assert_eq!((plan.published, plan.version, plan.is_published()), (Some(1), 2, false));
    let [group] = &plan.standing[..] else { panic!("{plan:#?}") };
    assert_eq!((group.standing.count, group.lands.as_deref()), (5, Ok("grace")));
    assert_eq!(plan.outlooks.len(), 2, "as many as were asked for");
    for outlook in &plan.outlooks {
        let difference = &outlook.difference;
        assert_eq!(difference.only_after[0].step, "boss", "{difference:#?}");
        assert_eq!(difference.only_before, []);
        let steps: Vec<&str> = difference.shifted.iter().map(|(it, _)| it.step.as_str()).collect();
        assert_eq!(steps, ["call", "text"], "ten minutes earlier");
        assert_eq!(
            outlook.next_after.as_ref().unwrap().at.to_rfc3339(),
            "2026-11-23T09:20:00+00:00"
        );
    }
    let one = intake::plan(&app.engine, &bold, &Look::One("w3".into())).await.unwrap();
    assert_eq!(one.outlooks[0].process.process_id, "w3");
    let stranger = intake::plan(&app.engine, &bold, &Look::One("w9".into())).await;
    assert!(stranger.unwrap_err().to_string().contains("w9"));

    let same = intake::plan(&app.engine, WATCH, &Look::Some(9)).await.unwrap();
    assert!(same.is_published() && same.changes.unwrap().is_empty() && same.outlooks.is_empty());
    let elsewhere = WATCH.replace("id: grace", "id: pause");
    let plan = intake::plan(&app.engine, &elsewhere, &Look::Some(9)).await.unwrap();
    assert_eq!(plan.standing[0].lands.as_ref().unwrap_err().code(), "step-gone");
    assert_eq!(app.process("w0").await["version"], 1, "nothing has changed");
    app.finish().await;
}

async fn a_plan_and_an_explanation_hear_what_a_paused_process_was_told(kind: Kind) {
    let app = TestApp::on(kind).await;
    for id in ["told", "untold"] {
        app.climb(ACK, id, phone()).await;
        intake::pause(&app.engine, id).await.unwrap();
    }
    // It is not hidden by the one that comes after it.
    for level in [1, 2] {
        app.event("told", "acked", json!({ "level": level })).await;
    }
    app.clock_shows("13:00").await;
    assert!(app.texted().is_empty());

    let next = ACK.replace("Help", "Help!");
    let mut found = Vec::new();
    for id in ["told", "untold"] {
        let plan = intake::plan(&app.engine, &next, &Look::One(id.to_owned())).await.unwrap();
        let [outlook] = &plan.outlooks[..] else { panic!("{plan:#?}") };
        let step = outlook.next_before.as_ref().map(|contact| contact.step.clone());
        found.push((step, outlook.difference.reworded.len()));
    }
    assert_eq!(found, [(None, 0), (Some("boss".to_owned()), 1)]);
    let explained = app.get("/v1/processes/told/explain").await;
    let told = explained["ahead"]["next"].to_string();
    assert!(told.contains("completed") && !told.contains("boss"), "{explained:#}");

    for id in ["told", "untold"] {
        intake::resume(&app.engine, id).await.unwrap();
    }
    app.settle().await;
    assert_eq!(app.texted().len(), 1, "nobody has acknowledged the other");
    assert_eq!(app.process("told").await["status"], "completed");
    app.finish().await;
}

async fn who_has_sent_nothing_yet_is_kept_by_nothing_that_is_under_way(kind: Kind) {
    let app = TestApp::on(kind).await;
    let text = "sequence: first\nsteps:\n  - { id: ring, run: SMS, config: { to: '{{phone}}', message: Hi, await: delivered } }\n";
    app.publish(text).await;
    app.start_process("first", "sent", phone()).await;
    app.settle().await;
    app.start_process("first", "new", phone()).await;
    let call =
        text.replace("SMS", "Phone").replace("message", "say").replace("delivered", "answered");

    let plan = intake::plan(&app.engine, &call, &Look::Some(9)).await.unwrap();

    let lands: Vec<_> = plan
        .standing
        .iter()
        .map(|group| {
            let lands = group.lands.as_ref().map(String::as_str).map_err(Stranded::code);
            (group.standing.count, lands)
        })
        .collect();
    assert_eq!(lands, [(1, Ok("ring")), (1, Err("under-way"))]);
    let (moves, left) = move_to(&app, &call).await;
    assert_eq!((moves.moved, left), (1, vec!["sent under-way".to_owned()]));
    app.finish().await;
}

async fn a_plan_counts_on_what_is_under_way_and_on_what_the_night_holds(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(WATCH, "ringing", phone()).await;
    app.clock_shows("09:29").await;
    app.engine.clock.set(app.now() + chrono::TimeDelta::minutes(1));
    app.engine.drain().await.unwrap();
    assert_eq!(app.called().len(), 1, "it rings, and nothing is heard of it yet");
    let patient = WATCH.replace("Call us", "Call us now");
    let look = |id: &str| Look::One(id.to_owned());
    let plan = intake::plan(&app.engine, &patient, &look("ringing")).await.unwrap();
    let [outlook] = &plan.outlooks[..] else { panic!("{plan:#?}") };
    let next = outlook.next_before.as_ref().unwrap();
    assert_eq!((next.step.as_str(), outlook.difference.only_after.len()), ("text", 0));
    assert_eq!(outlook.difference.reworded.len(), 1);

    // Written at night, it leaves in the morning, whether its process moves or not.
    let night = "sequence: night\nquietHours: { from: '08:00', to: '18:00' }\nsteps:\n  - { id: \
                 text, run: SMS, config: { to: '{{phone}}', message: Hello, await: sent } }\n";
    app.climb(night, "held", phone()).await;
    let renamed =
        night.replace("id: text", "id: sms").replace("steps:", "moved: { text: sms }\nsteps:");
    let more = "  - { id: boss, run: SMS, config: { to: '+385990', message: Help } }\n";
    let plan = intake::plan(&app.engine, &format!("{renamed}{more}"), &look("held")).await.unwrap();
    let [outlook] = &plan.outlooks[..] else { panic!("{plan:#?}") };
    let evening = "2026-11-23T18:00:00+00:00";
    for (next, step) in [(&outlook.next_before, "text"), (&outlook.next_after, "sms")] {
        let next = next.as_ref().unwrap();
        assert_eq!((next.at.to_rfc3339().as_str(), next.step.as_str()), (evening, step));
    }
    let steps: Vec<&str> =
        outlook.difference.only_after.iter().map(|contact| contact.step.as_str()).collect();
    assert_eq!(steps, ["boss"]);
    app.finish().await;
}

/// What a replay of everything says: a line for each process that differs, and the sum.
async fn replayed(app: &TestApp, version: &str) -> (Vec<String>, intake::Backtest) {
    let mut told = Vec::new();
    let since = app.now() - chrono::TimeDelta::days(30);
    let sum = intake::backtest(&app.engine, version, since, 100, |process, compared| {
        let id = &process.process_id;
        match compared {
            Compared::Replayed(replayed) if !replayed.difference.is_empty() => {
                let difference = &replayed.difference;
                let steps = |all: &[rungs_core::contacts::Contact]| {
                    all.iter().map(|it| it.step.clone()).collect::<Vec<_>>().join(",")
                };
                let shifted = difference.shifted.iter().map(|(it, _)| it.clone());
                let shifted: Vec<_> = shifted.collect();
                told.push(format!(
                    "{id} -{} +{} ~{}",
                    steps(&difference.only_before),
                    steps(&difference.only_after),
                    steps(&shifted)
                ));
            }
            Compared::Replayed(_) => {}
            Compared::Refused(_) => told.push(format!("{id} refused")),
            Compared::Not(why) => told.push(format!("{id} not: {why}")),
        }
        ControlFlow::Continue(())
    });
    let sum = sum.await.unwrap();
    told.sort();
    (told, sum)
}

async fn what_was_recorded_is_replayed_through_another_version(kind: Kind) {
    let goal = "  - { id: done, run: Goal, config: { lodashCommand: eq, value: { type: get, value: \
                done }, compareTo: { type: raw, value: true }, otherwise: end } }\n";
    let watch = format!("{WATCH}{goal}");
    let app = TestApp::on(kind).await;
    let other = "+385912222222";
    app.twilio.script(RESTAURANT, Fate::Answered);
    app.twilio.script(other, Fate::NoAnswer);
    app.publish(&watch).await;
    app.start_process("watch", "answers", phone()).await;
    app.start_process("watch", "silent", json!({ "phone": other })).await;
    app.start_process("watch", "early", json!({ "phone": other, "done": false })).await;
    app.clock_shows("09:20").await;
    app.event("early", "data", json!({ "done": true })).await;
    app.clock_shows("13:00").await;
    assert_eq!((app.called().len(), app.texted().len()), (2, 1));

    let (told, sum) = replayed(&app, &watch).await;
    assert_eq!(told, [""; 0], "under its own version everybody does what they did");
    assert_eq!((sum.of, sum.replayed, sum.assumed), (3, 3, 0), "{sum:#?}");

    let hasty = watch.replace("amount: 30", "amount: 10");
    let (told, sum) = replayed(&app, &hasty).await;
    assert_eq!(told, ["answers - + ~ring", "early - +ring,text ~", "silent - + ~ring,text"]);
    // `early` was started without that it was done, and was rung by nobody then.
    assert_eq!((sum.asked, sum.assumed), (5, 2), "{sum:#?}");
    assert_eq!(sum.contacts["phone"], (2, 3));

    let picky = hasty.replace("sequence: watch", "sequence: watch\ninput: { required: [done] }");
    let (told, sum) = replayed(&app, &picky).await;
    assert_eq!(told, ["answers refused", "early - +ring,text ~", "silent refused"]);
    assert_eq!((sum.replayed, sum.refused), (1, 2));
    app.finish().await;
}

async fn who_started_before_that_was_kept_is_said_not_to_be_replayed(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(WATCH).await;
    app.start_process("watch", "told", phone()).await;
    app.start_process("watch", "untold", phone()).await;
    app.settle().await;
    app.event("told", "data", json!({ "note": 1 })).await;
    app.settle().await;
    let (told, _) = replayed(&app, WATCH).await;
    assert_eq!(told, [""; 0]);
    // As an older program would have left it.
    app.sabotage("UPDATE processes SET started_with = NULL WHERE process_id = 'told'").await;
    let (told, sum) = replayed(&app, WATCH).await;
    assert_eq!(told, ["told not: the data with which they started was not kept"]);
    assert_eq!((sum.replayed, sum.looked_at), (1, 2));

    // Here the program was replaced by one that keeps them. What it keeps of a process that was
    // told something before are not the data of its start.
    app.sabotage(
        "UPDATE settings SET value = (SELECT CAST(MAX(seq) AS TEXT) FROM events)
         WHERE name = 'started_with_since'",
    )
    .await;
    for id in ["told", "untold"] {
        app.event(id, "data", json!({ "note": 2 })).await;
    }
    app.settle().await;
    let (told, sum) = replayed(&app, WATCH).await;
    assert_eq!(told, ["told not: the data with which they started was not kept"]);
    assert_eq!((sum.replayed, sum.looked_at), (1, 2));
    app.finish().await;
}

async fn what_the_night_held_is_replayed_as_it_left_and_acts_reach_nobody(kind: Kind) {
    let night = "
sequence: night
quietHours: { from: 07:00, to: 11:00 }
steps:
  - { id: text, run: SMS, config: { to: '{{phone}}', message: Hello, await: delivered } }
  - { id: enough, run: Stop, config: { process_id: other } }
";
    let app = TestApp::on(kind).await;
    app.publish(night).await;
    app.start_process("night", "n", phone()).await;
    assert!(app.texted().is_empty(), "it is nine");
    app.clock_shows("11:00").await;
    assert_eq!(app.texted().len(), 1);
    app.clock_shows("12:00").await;

    let (told, sum) = replayed(&app, night).await;
    assert_eq!(told, [""; 0], "it left at eleven, then as now");
    let channels: Vec<&str> = sum.contacts.keys().map(String::as_str).collect();
    assert_eq!((sum.replayed, channels), (1, vec!["sms"]), "{sum:#?}");

    let (told, _) = replayed(&app, &night.replace("11:00", "09:30")).await;
    assert_eq!(told, ["n - + ~text"], "it leaves earlier");
    app.finish().await;
}
