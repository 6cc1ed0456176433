//! Many processes, many programs.

use std::collections::HashMap;

use futures::future::join_all;
use serde_json::json;

use super::RING;
use crate::{
    databases::Kind, every_database::on_every_database, fakes::twilio::Fate, harness::TestApp,
};

on_every_database!(
    eight_programs_on_one_database_ring_everybody_once,
    events_and_stops_race_the_evaluators,
);

async fn eight_programs_on_one_database_ring_everybody_once(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let numbers: Vec<String> = (0..300).map(|number| format!("+3859100{number:05}")).collect();
    let processes: Vec<_> = numbers
        .iter()
        .map(|number| json!({ "sequence": "ring", "process_id": number, "data": { "phone": number } }))
        .collect();
    let (status, answer) =
        app.post("/v1/processes/batch", &json!({ "processes": processes })).await;
    assert_eq!(status, 200, "{answer:#}");
    for number in &numbers {
        app.twilio.script(number, Fate::NoAnswer);
    }

    let programs = join_all((0..8).map(|_| app.another_engine())).await;
    loop {
        for drained in join_all(programs.iter().map(|program| program.drain())).await {
            drained.unwrap();
        }
        if app.twilio.play().await == 0 {
            break;
        }
    }

    let mut called: HashMap<String, usize> = HashMap::new();
    app.called().into_iter().for_each(|number| *called.entry(number).or_default() += 1);
    assert_eq!((called.len(), called.values().max()), (300, Some(&1)));
    assert_eq!(app.texted().len(), 300);
    let left = app.get("/v1/processes?status=active").await;
    assert_eq!(left["processes"], json!([]));
    app.finish().await;
}

/// Two hundred processes; while eight evaluators advance them, half are stopped and half
/// are told something: whoever was stopped before evaluation is never called.
async fn events_and_stops_race_the_evaluators(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    for number in 0..200 {
        let phone = format!("+3859100{number:05}");
        app.start_process("ring", &format!("p{number}"), json!({ "phone": phone })).await;
    }
    let programs = join_all((0..4).map(|_| app.another_engine())).await;

    let drained = join_all(programs.iter().map(|program| program.drain()));
    let outside = async {
        let mut stopped = Vec::new();
        for number in 0..200 {
            let path = format!("/v1/processes/p{number}");
            if number % 2 == 0 {
                let called_before = app.called().len();
                let (status, process) = app.post(&format!("{path}/stop"), &json!({})).await;
                assert_eq!(status, 200, "{process:#}");
                stopped.push((number, called_before));
            } else {
                app.post(&format!("{path}/events"), &json!({ "type": "ping", "data": {} })).await;
            }
        }
        stopped
    };
    let (drained, stopped) = tokio::join!(drained, outside);
    assert!(drained.iter().all(Result::is_ok), "{drained:?}");
    app.settle().await;

    for (number, _) in stopped {
        let process = app.process(&format!("p{number}")).await;
        assert_eq!(process["status"], "stopped");
        for delivery in process["deliveries"].as_array().unwrap() {
            let begun = delivery["attempts"] != 0;
            let cancelled = delivery["status"] == "cancelled";
            assert!(begun != cancelled, "{delivery:#}");
        }
    }
    for number in (1..200).step_by(2) {
        let history = app.history(&format!("p{number}")).await;
        assert!(history.iter().any(|line| line.ends_with("happened ping")), "{history:#?}");
        assert_eq!(history.iter().filter(|line| line.ends_with("wrote phone")).count(), 1);
    }
    app.finish().await;
}
