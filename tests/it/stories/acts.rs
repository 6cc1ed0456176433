//! Steps that set data, and steps that start and stop processes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rungs::{
    channels::Channels,
    engine::Engine,
    store::{
        probe::{Point, Probe},
        processes::Filter,
    },
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{RESTAURANT, delivery_of, phone};
use crate::{databases::Kind, every_database::on_every_database, harness::TestApp};

on_every_database!(
    what_is_set_is_data_from_then_on,
    what_is_set_achieves_a_goal,
    data_that_would_be_too_much_fail_the_process,
    a_process_is_started_with_data_that_keep_their_types,
    a_start_that_repeats_a_live_id_changes_nothing,
    what_cannot_be_started_takes_the_other_way_or_fails,
    the_newest_version_is_started,
    a_stop_is_the_last_of_another_process,
    what_is_not_live_cannot_be_stopped_and_that_is_fine,
    a_process_may_stop_itself,
    a_process_that_is_stopped_meanwhile_starts_nothing,
    processes_that_start_each_other_come_to_an_end,
    a_chain_that_takes_its_time_goes_on,
    processes_that_stop_each_other_leave_one_of_each_pair,
    wherever_a_program_dies_the_child_is_born_once,
);

const SET: &str = r#"
sequence: set
steps:
  - id: remember
    run: Set
    config:
      values:
        order: { count: { type: get, value: more }, gone: null, by: "{{phone}}" }
        tries: 1
  - id: tell
    run: SMS
    config: { to: "{{phone}}", message: "{{json order}} {{tries}}" }
  - id: rest
    run: WaitForDuration
    config: { amount: 1, unit: hour }
  - id: done
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: order.status }
      compareTo: { type: raw, value: confirmed }
      otherwise: end
"#;

const CHILD: &str = r#"
sequence: child
input:
  type: object
  required: [phone]
  properties: { phone: { type: string }, count: { type: integer, default: 1 } }
steps:
  - id: text
    run: SMS
    config: { to: "{{phone}}", message: "{{json order}} {{count}}" }
"#;

const PARENT: &str = r#"
sequence: parent
steps:
  - id: launch
    run: Start
    config:
      sequence: child
      process_id: "child-of-{{process.id}}"
      data: { phone: "{{phone}}", order: { type: get, value: order } }
  - id: tell
    run: SMS
    config: { to: "{{phone}}", message: "{{steps.launch.started}} {{steps.launch.process_id}}" }
"#;

/// Waits until it is stopped, and would text then.
const SLEEPER: &str = r#"
sequence: sleeper
steps:
  - { id: sleep, run: WaitForDuration, config: { amount: 1, unit: hour } }
  - id: text
    run: SMS
    config: { to: "{{phone}}", message: "I slept" }
"#;

async fn what_is_set_is_data_from_then_on(kind: Kind) {
    let app = TestApp::on(kind).await;
    let data = json!({ "phone": RESTAURANT, "more": 3, "order": { "id": 7, "gone": 1 } });
    app.climb(SET, "p1", data).await;
    let order = json!({ "id": 7, "count": 3, "by": RESTAURANT });
    assert_eq!(app.texted(), [format!("{RESTAURANT}: {order} 1")]);
    let data = app.process("p1").await["data"].clone();
    assert_eq!((&data["order"], &data["tries"]), (&order, &json!(1)));
    app.finish().await;
}

async fn what_is_set_achieves_a_goal(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = SET.replace("tries: 1", "order: { status: confirmed }");
    let yaml = yaml.replace(
        "        order: { count: { type: get, value: more }, gone: null, by: \"{{phone}}\" }\n",
        "",
    );
    app.climb(&yaml, "p1", phone()).await;
    assert_eq!(app.stands("p1").await, "completed at done");
    assert!(app.texted().is_empty());
    app.finish().await;
}

async fn data_that_would_be_too_much_fail_the_process(kind: Kind) {
    let app = TestApp::on(kind).await;
    let yaml = "
sequence: grow
steps:
  - { id: grow, run: Set, config: { values: { text: '{{text}}{{text}}' } } }
  - { id: again, run: GoTo, config: { step: grow, times: 100 } }
";
    app.climb(yaml, "p1", json!({ "text": "x".repeat(1024) })).await;
    let process = app.process("p1").await;
    assert_eq!(process["status"], "failed");
    let reason = process["reason"].as_str().unwrap();
    assert!(reason.contains("step `grow`") && reason.contains("262144 bytes"), "{reason}");
    app.finish().await;
}

async fn a_process_is_started_with_data_that_keep_their_types(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(CHILD).await;
    app.climb(PARENT, "p1", json!({ "phone": RESTAURANT, "order": { "count": 2 } })).await;
    let child = app.process("child-of-p1").await;
    let data = json!({ "phone": RESTAURANT, "order": { "count": 2 }, "count": 1 });
    assert_eq!((&child["data"], &child["status"]), (&data, &json!("completed")));
    let mut texted = app.texted();
    texted.sort();
    let expected =
        [format!("{RESTAURANT}: true child-of-p1"), format!("{RESTAURANT}: {{\"count\":2}} 1")];
    assert_eq!(texted, expected);
    let process = app.process("p1").await;
    let delivery = delivery_of(&process, "launch");
    assert_eq!(
        (&delivery["channel"], &delivery["status"]),
        (&json!("process"), &json!("completed"))
    );
    assert_eq!(delivery["answer"]["message"], "started child-of-p1");
    app.finish().await;
}

async fn a_start_that_repeats_a_live_id_changes_nothing(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(CHILD).await;
    app.publish(SLEEPER).await;
    app.start_process("sleeper", "child-of-p1", phone()).await;
    let before = app.process("child-of-p1").await;
    app.climb(PARENT, "p1", phone()).await;
    assert_eq!(app.texted(), [format!("{RESTAURANT}: false child-of-p1")]);
    let after = app.process("child-of-p1").await;
    assert_eq!((&after["key"], &after["sequence"]), (&before["key"], &json!("sleeper")));
    app.finish().await;
}

async fn what_cannot_be_started_takes_the_other_way_or_fails(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(PARENT, "p1", phone()).await;
    let process = app.process("p1").await;
    assert_eq!(process["status"], "failed");
    let reason = process["reason"].as_str().unwrap();
    assert!(reason.contains("step `launch`: failed: there is no sequence `child`"), "{reason}");

    app.publish(CHILD).await;
    let yaml = PARENT.replace("sequence: parent", "sequence: wary");
    let yaml = yaml.replace("phone: \"{{phone}}\", ", "count: many, ");
    let yaml = yaml.replace("  - id: tell\n", "    altNext: instead\n  - id: tell\n");
    let yaml = format!(
        "{yaml}    next: end\n  - id: instead\n    run: SMS\n    config: {{ to: \"{{{{phone}}}}\", message: \"{{{{steps.launch.error}}}}\" }}\n"
    );
    app.climb(&yaml, "p2", phone()).await;
    let texted = app.texted();
    assert_eq!(texted.len(), 1, "{texted:?}");
    assert!(
        texted[0].contains("the data do not fit") && texted[0].contains("/count"),
        "{texted:?}"
    );
    app.finish().await;
}

async fn the_newest_version_is_started(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(CHILD).await;
    let waits = PARENT.replace(
        "steps:\n",
        "steps:\n  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: minute } }\n",
    );
    app.climb(&waits, "p1", phone()).await;
    app.publish(&CHILD.replace("{{json order}}", "the second")).await;
    app.clock_shows("09:01").await;
    assert!(app.texted().contains(&format!("{RESTAURANT}: the second 1")), "{:?}", app.texted());
    assert_eq!(app.process("child-of-p1").await["version"], 2);
    app.finish().await;
}

const STOP: &str = r#"
sequence: stop
steps:
  - { id: stop, run: Stop, config: { process_id: "{{whom}}" } }
  - id: tell
    run: SMS
    config: { to: "{{phone}}", message: "{{steps.stop.stopped}}" }
"#;

fn stops(whom: &str) -> Value {
    json!({ "phone": RESTAURANT, "whom": whom })
}

async fn a_stop_is_the_last_of_another_process(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(SLEEPER).await;
    app.start_process("sleeper", "s1", phone()).await;
    app.clock_shows("09:30").await;
    app.climb(STOP, "p1", stops("s1")).await;
    app.clock_shows("11:00").await;
    assert_eq!(app.texted(), [format!("{RESTAURANT}: true")]);
    let stopped = app.process("s1").await;
    assert_eq!(
        (&stopped["status"], &stopped["reason"]),
        (&json!("stopped"), &json!("by the process p1"))
    );
    assert_eq!(app.history("s1").await.last().unwrap(), "09:30 stopped");
    app.finish().await;
}

async fn what_is_not_live_cannot_be_stopped_and_that_is_fine(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(STOP, "p1", stops("nobody")).await;
    app.start_process("stop", "p2", stops("p1")).await;
    app.settle().await;
    assert_eq!(app.texted(), vec![format!("{RESTAURANT}: false"); 2]);
    assert_eq!(app.stands("p1").await, "completed at tell");
    app.finish().await;
}

async fn a_process_may_stop_itself(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(STOP, "p1", stops("p1")).await;
    app.clock_shows("09:30").await;
    assert_eq!(app.stands("p1").await, "stopped at stop");
    assert!(app.texted().is_empty());
    assert_eq!(app.process("p1").await["deliveries"][0]["status"], "completed");
    app.finish().await;
}

async fn a_process_that_is_stopped_meanwhile_starts_nothing(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(CHILD).await;
    app.publish(PARENT).await;
    app.start_process("parent", "p1", phone()).await;
    app.engine.evaluate().await.unwrap();
    // Its attempt has begun when the stop comes.
    let now = app.now();
    let lease_until = now + app.engine.options.lease;
    let begun = app.engine.store.begin_attempts("process", 9, now, lease_until).await.unwrap();
    assert_eq!(begun.len(), 1);
    assert_eq!(app.post("/v1/processes/p1/stop", &json!({})).await.0, 200);
    let acts = app.engine.options.acts.clone().unwrap();
    acts.act(&app.engine, &begun[0]).await.unwrap();
    app.settle().await;
    assert_eq!(app.process("p1").await["deliveries"][0]["status"], "cancelled");
    assert_eq!(app.engine.store.processes(&Filter::default(), 9).await.unwrap().len(), 1);
    app.finish().await;
}

/// Starts another of its kind.
const RING_OF_STARTS: &str = r#"
sequence: again
steps:
  - { id: wait, run: WaitForDuration, config: { amount: "{{minutes}}", unit: minutes } }
  - id: launch
    run: Start
    config: { sequence: again, data: { minutes: { type: get, value: minutes } } }
"#;

async fn processes_that_start_each_other_come_to_an_end(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(RING_OF_STARTS, "p0", json!({ "minutes": 0 })).await;
    app.clock_shows("12:00").await;
    let all = app.engine.store.processes(&Filter::default(), 100).await.unwrap();
    assert_eq!(all.len(), 11, "ten generations after the first");
    let reason = all[0].reason.clone().unwrap();
    assert!(reason.contains("10 generations of processes have started each other"), "{reason}");
    assert!(all[1..].iter().all(|process| process.reason.is_none()));
    app.finish().await;
}

async fn a_chain_that_takes_its_time_goes_on(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.climb(RING_OF_STARTS, "p0", json!({ "minutes": 60 })).await;
    app.advance_to(app.now() + chrono::TimeDelta::minutes(60 * 15 + 1)).await;
    let all = app.engine.store.processes(&Filter::default(), 100).await.unwrap();
    assert_eq!(all.len(), 16);
    assert!(all.iter().all(|process| process.reason.is_none()));
    app.finish().await;
}

async fn processes_that_stop_each_other_leave_one_of_each_pair(kind: Kind) {
    const PAIRS: usize = 25;
    let app = TestApp::on(kind).await;
    app.publish(STOP).await;
    for pair in 0..PAIRS {
        let (one, other) = (format!("a{pair}"), format!("b{pair}"));
        app.start_process("stop", &one, stops(&other)).await;
        app.start_process("stop", &other, stops(&one)).await;
    }
    app.settle().await;
    for pair in 0..PAIRS {
        let mut ends = Vec::new();
        for id in [format!("a{pair}"), format!("b{pair}")] {
            ends.push(app.process(&id).await["status"].as_str().unwrap().to_owned());
        }
        ends.sort();
        assert_eq!(ends, ["completed", "stopped"], "pair {pair}");
    }
    app.finish().await;
}

/// Holds a program for ever at one of its points.
struct Death {
    left: AtomicUsize,
    came: Notify,
}

#[async_trait::async_trait]
impl Probe for Death {
    async fn at(&self, _: Point) {
        let left =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1));
        if left.is_err() {
            self.came.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

async fn wherever_a_program_dies_the_child_is_born_once(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(CHILD).await;
    app.publish(PARENT).await;
    let mut deaths = 0;
    loop {
        let id = format!("p{deaths}");
        app.start_process("parent", &id, phone()).await;
        app.engine.evaluate().await.unwrap();
        let death = Arc::new(Death { left: AtomicUsize::new(deaths), came: Notify::new() });
        let store = app.engine.store.clone().probed(Arc::clone(&death) as Arc<dyn Probe>);
        let (clock, options) = (app.engine.clock.clone(), app.engine.options.clone());
        let dying = Engine::new(store, clock, Channels::default(), options);
        let survived = tokio::select! {
            done = dying.dispatch() => { done.unwrap(); true }
            () = death.came.notified() => false,
        };
        // The child may be born, and be over, before the parent is looked at again.
        app.settle().await;
        app.advance_to(app.now() + chrono::TimeDelta::minutes(10)).await;
        let child = Filter { process_id: Some(format!("child-of-{id}")), ..Filter::default() };
        let born = app.engine.store.processes(&child, 9).await.unwrap();
        assert_eq!(born.len(), 1, "at point {deaths}");
        assert_eq!(app.stands(&id).await, "completed at tell", "at point {deaths}");
        assert!(
            app.texted().contains(&format!("{RESTAURANT}: true child-of-{id}")),
            "at point {deaths}"
        );
        if survived {
            break;
        }
        deaths += 1;
    }
    assert!(deaths >= 6, "only {deaths} points to die at");
    app.finish().await;
}
