//! Claiming what is due.

use std::collections::HashMap;

use rungs_core::{Advanced, Entry, Event, News, Process, Status};
use serde_json::json;

use super::{insert, minutes, nine, process};
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
};

on_every_database!(
    what_is_due_is_claimed_once_and_longest_overdue_first,
    a_cycle_that_is_dropped_has_not_happened,
    what_a_cycle_writes_can_be_read_again,
    eight_evaluators_advance_each_process_once,
    an_event_wakes_a_process_and_is_heard_once,
    a_row_that_cannot_be_read_fails_and_holds_up_nobody,
    the_next_due_moment_is_known,
    cycles_beside_each_other_are_few_on_a_database,
);

fn rest(process: Process) -> Advanced {
    Advanced {
        process: Process { due_at: None, ..process },
        deliveries: vec![],
        withdrawn: vec![],
        superseded: vec![],
        data_changed: false,
        history: vec![],
        visits: 0,
    }
}

async fn what_is_due_is_claimed_once_and_longest_overdue_first(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let due = |id: &str, in_minutes| Process {
        due_at: Some(nine() + minutes(in_minutes)),
        ..process(id)
    };
    let processes = [due("second", -5), due("first", -9), due("third", 0), due("later", 1)];
    store.insert(&processes, nine()).await.unwrap();

    let mut cycle = store.claim(nine(), 10).await.unwrap();
    let ids: Vec<_> = cycle.claimed.iter().map(|one| one.process.process_id.as_str()).collect();
    assert_eq!(ids, ["first", "second", "third"]);
    let advanced: Vec<_> =
        std::mem::take(&mut cycle.claimed).into_iter().map(|one| rest(one.process)).collect();
    cycle.commit(&advanced, &[], nine()).await.unwrap();

    assert!(store.claim(nine(), 10).await.unwrap().claimed.is_empty());
}

async fn a_cycle_that_is_dropped_has_not_happened(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    let event = Event { r#type: "data".into(), data: json!({"x": 1}), at: nine() };
    store.receive("a", "e1", &event, 1_000_000, nine()).await.unwrap();

    drop(store.claim(nine(), 10).await.unwrap());

    // PostgreSQL rolls back in its own time; until then the row is passed by.
    let mut cycle = store.claim(nine(), 10).await.unwrap();
    for _ in 0..1_000 {
        if !cycle.claimed.is_empty() {
            break;
        }
        cycle = store.claim(nine(), 10).await.unwrap();
    }
    assert_eq!(cycle.claimed.len(), 1, "it is still due");
    assert_eq!(cycle.claimed[0].news, [News::Event(event)], "and has not heard of the event");
}

async fn what_a_cycle_writes_can_be_read_again(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a"]).await;
    // Only an event changes the data.
    let event = Event { r#type: "order".into(), data: json!({}), at: nine() };
    store.receive("a", "1", &event, usize::MAX, nine()).await.unwrap();

    let mut cycle = store.claim(nine(), 10).await.unwrap();
    let mut changed = cycle.claimed.remove(0).process;
    changed.status = Status::Failed;
    changed.cursor = Some("text".into());
    changed.data.insert("\u{0}".into(), json!("\u{0} \u{1f514} 'quoted' \"twice\" \\"));
    changed.state.entered_at = Some(nine().timestamp_millis());
    changed.state.steps = json!({ "ring": { "visits": 2, "status": "busy" } });
    changed.due_at = None;
    changed.ended_at = Some(nine());
    changed.reason = Some("no step `x\u{0}`".into());
    let history = vec![
        Entry::Happened { event: "order\u{0}".into() },
        Entry::Failed { reason: "it's over".into() },
    ];
    let advanced =
        Advanced { history: history.clone(), data_changed: true, ..rest(changed.clone()) };
    cycle.commit(&[advanced], &[], nine()).await.unwrap();

    let read = store.process("a").await.unwrap().unwrap();
    assert_eq!(read, Process { reason: Some("no step `x\u{fffd}`".into()), ..changed.clone() });
    let moments = store.history(&changed.key, 0, 10).await.unwrap();
    assert_eq!(moments.len(), 2, "the start, and this");
    assert_eq!((moments[1].at, &moments[1].entries), (nine(), &history));
}

/// Two hundred processes with three steps each, eight evaluators: nobody climbs twice.
async fn eight_evaluators_advance_each_process_once(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    let ids: Vec<String> = (0..200).map(|number| format!("p{number}")).collect();
    insert(&store, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;

    let evaluators = (0..8).map(|_| async {
        let store = database.store().await;
        let mut advanced: HashMap<String, usize> = HashMap::new();
        let mut idle = 0;
        while idle < 3 {
            let mut cycle = store.claim(nine(), 7).await.unwrap();
            let claimed = std::mem::take(&mut cycle.claimed);
            // Another may hold the last ones: look again before going home.
            idle = if claimed.is_empty() { idle + 1 } else { 0 };
            let steps: Vec<Advanced> =
                claimed.into_iter().map(|one| one_step_on(one.process)).collect();
            for step in &steps {
                *advanced.entry(step.process.process_id.clone()).or_default() += 1;
            }
            cycle.commit(&steps, &[], nine()).await.unwrap();
        }
        advanced
    });
    let mut total: HashMap<String, usize> = HashMap::new();
    for advanced in futures::future::join_all(evaluators).await {
        for (id, count) in advanced {
            *total.entry(id).or_default() += count;
        }
    }

    assert_eq!(total.len(), 200);
    assert!(total.values().all(|count| *count == 3), "{total:?}");
    for id in ids {
        let process = store.process(&id).await.unwrap().unwrap();
        assert_eq!(process.state.steps, json!({ "climbed": 3 }), "{id}");
        assert_eq!(store.history(&process.key, 0, 10).await.unwrap().len(), 4, "{id}");
    }
}

/// A process that completes at its third step.
fn one_step_on(mut process: Process) -> Advanced {
    let climbed = process.state.steps["climbed"].as_u64().unwrap_or(0) + 1;
    process.state.steps = json!({ "climbed": climbed });
    if climbed == 3 {
        (process.status, process.due_at, process.ended_at) =
            (Status::Completed, None, Some(nine()));
    }
    Advanced {
        process,
        deliveries: vec![],
        withdrawn: vec![],
        superseded: vec![],
        data_changed: false,
        history: vec![Entry::Happened { event: format!("step {climbed}") }],
        visits: 1,
    }
}

async fn an_event_wakes_a_process_and_is_heard_once(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["a", "b"]).await;
    let mut cycle = store.claim(nine(), 10).await.unwrap();
    let advanced: Vec<_> =
        std::mem::take(&mut cycle.claimed).into_iter().map(|one| rest(one.process)).collect();
    cycle.commit(&advanced, &[], nine()).await.unwrap();

    let later = nine() + minutes(5);
    for (id, count) in [("e1", 1), ("e2", 2)] {
        let event = Event { r#type: "order".into(), data: json!({ "count": count }), at: later };
        store.receive("a", id, &event, 1_000_000, later).await.unwrap();
    }

    let mut cycle = store.claim(later, 10).await.unwrap();
    assert_eq!(cycle.claimed.len(), 1, "b sleeps on");
    let claimed = cycle.claimed.remove(0);
    let counts: Vec<_> = claimed
        .news
        .iter()
        .map(|news| match news {
            News::Event(event) => event.data["count"].clone(),
            News::Delivery(_) => panic!("no delivery was written"),
        })
        .collect();
    assert_eq!(counts, [json!(1), json!(2)], "in the order in which they came");
    cycle.commit(&[rest(claimed.process)], &[], later).await.unwrap();

    assert!(store.claim(later + minutes(60), 10).await.unwrap().claimed.is_empty());
}

async fn a_row_that_cannot_be_read_fails_and_holds_up_nobody(kind: Kind) {
    use sea_orm::ConnectionTrait;
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    insert(&store, &["broken", "fine"]).await;
    let raw = sea_orm::Database::connect(&database.url).await.unwrap();
    raw.execute_unprepared("UPDATE processes SET state = '{' WHERE process_id = 'broken'")
        .await
        .unwrap();

    let mut cycle = store.claim(nine(), 10).await.unwrap();
    let ids: Vec<_> = cycle.claimed.iter().map(|one| one.process.process_id.clone()).collect();
    assert_eq!(ids, ["fine"]);
    let fine = cycle.claimed.remove(0).process;
    cycle.commit(&[rest(fine)], &[], nine()).await.unwrap();

    raw.execute_unprepared("UPDATE processes SET state = '{}' WHERE process_id = 'broken'")
        .await
        .unwrap();
    let broken = store.process("broken").await.unwrap().unwrap();
    assert_eq!(broken.status, Status::Failed);
    assert!(broken.reason.unwrap().contains("its state cannot be read"));
}

async fn the_next_due_moment_is_known(kind: Kind) {
    let database = Database::fresh(kind).await;
    let store = database.store().await;
    assert_eq!(store.next_due_at(nine()).await.unwrap(), None);
    let sleeping = Process { due_at: Some(nine() + minutes(30)), ..process("a") };
    let held =
        Process { due_at: Some(nine() + minutes(10)), status: Status::Paused, ..process("b") };
    store.insert(&[sleeping, held], nine()).await.unwrap();
    assert_eq!(store.next_due_at(nine()).await.unwrap(), Some(nine() + minutes(30)));
}

async fn cycles_beside_each_other_are_few_on_a_database(kind: Kind) {
    let database = Database::fresh(kind).await;
    // Two programs.
    let (one, other) = (database.store().await, database.store().await);
    insert(&one, &["a", "b", "c", "d", "e"]).await;
    if kind == Kind::Sqlite {
        // Its writers take turns, and there is no need to count them.
        assert!(one.claim_beside(nine(), 1, true).await.unwrap().is_some());
        return;
    }
    let first = one.claim_beside(nine(), 1, false).await.unwrap().unwrap();
    let second = one.claim_beside(nine(), 1, true).await.unwrap().unwrap();
    let third = other.claim_beside(nine(), 1, false).await.unwrap().unwrap();

    assert!(one.claim_beside(nine(), 1, true).await.unwrap().is_none(), "there is no fourth place");
    assert!(other.claim_beside(nine(), 1, true).await.unwrap().is_none());
    let beyond = other.claim_beside(nine(), 1, false).await.unwrap().unwrap();
    assert_eq!(beyond.claimed.len(), 1, "a program's only cycle goes all the same");

    second.commit(&[], &[], nine()).await.unwrap();
    let next = other.claim_beside(nine(), 1, true).await.unwrap();
    assert_eq!(next.unwrap().claimed.len(), 1, "and whoever ends gives its place to another");
    drop((first, third, beyond));
}
