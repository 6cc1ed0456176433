//! Programs that are killed while steps start and stop processes.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::site::{Program, Site, What};
use crate::databases::{Database, Kind};

/// Starts a child, which is over at once, and one that sleeps; stops the sleeper.
const PARENT: &str = r#"
sequence: parent
steps:
  - { id: child, run: Start, config: { sequence: over, process_id: "over-{{process.id}}" } }
  - { id: sleeper, run: Start, config: { sequence: sleeper, process_id: "sleeper-{{process.id}}" } }
  - { id: stop, run: Stop, config: { process_id: "sleeper-{{process.id}}" } }
"#;
const OVER: &str = "
sequence: over
steps: [{ id: set, run: Set, config: { values: { over: true } } }]
";
const SLEEPER: &str = "
sequence: sleeper
steps: [{ id: sleep, run: WaitForDuration, config: { amount: 1, unit: day } }]
";

const ROUNDS: usize = 6;
const PROCESSES: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn each_child_is_born_once_when_serve_is_killed_on_sqlite() {
    let database = Database::fresh(Kind::Sqlite).await;
    let site = Site::over(&database.url, 1).await;
    let programs = vec![site.start(What::Serve(0))];
    births(site, programs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_child_is_born_once_when_programs_are_killed_on_postgres() {
    let database = Database::fresh(Kind::Postgres).await;
    let site = Site::over(&database.url, 2).await;
    let programs = vec![site.start(What::Serve(0)), site.start(What::Serve(1))];
    births(site, programs).await;
}

async fn births(site: Site, mut programs: Vec<Program>) {
    for number in 0..programs.len() {
        site.ready(number).await;
    }
    for (name, yaml) in [("over", OVER), ("sleeper", SLEEPER), ("parent", PARENT)] {
        let url = format!("http://127.0.0.1:{}/v1/sequences/{name}", site.ports[0]);
        let put = site.http.put(url).header("content-type", "application/yaml").body(yaml);
        assert!(put.send().await.unwrap().status().is_success());
    }
    for round in 0..ROUNDS {
        let processes: Vec<Value> = (0..PROCESSES)
            .map(|number| json!({ "sequence": "parent", "process_id": format!("p{round}-{number}") }))
            .collect();
        let body = json!({ "processes": processes });
        assert_eq!(site.post("/v1/processes/batch", &body).await.0, 200);
        // Uneven, so that the blows fall into different moments.
        sleep(Duration::from_millis(20 + (round as u64 * 37) % 120)).await;
        let victim = round % programs.len();
        site.kill(&mut programs[victim]);
        site.ready(victim).await;
    }
    site.over_and_done(&mut programs).await;
    let (status, found) = site.audit();
    assert!(status.success(), "{found}");

    let mut ends: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut born: BTreeMap<String, usize> = BTreeMap::new();
    let mut before = String::new();
    loop {
        let url = format!("http://127.0.0.1:{}/v1/processes?limit=100{before}", site.ports[0]);
        let page: Value = site.http.get(url).send().await.unwrap().json().await.unwrap();
        for process in page["processes"].as_array().unwrap() {
            let text = |key: &str| process[key].as_str().unwrap().to_owned();
            *ends.entry((text("sequence"), text("status"))).or_default() += 1;
            *born.entry(text("process_id")).or_default() += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => before = format!("&cursor={next}"),
            None => break,
        }
    }
    let all = ROUNDS * PROCESSES;
    let expected = [
        (("over", "completed"), all),
        (("parent", "completed"), all),
        (("sleeper", "stopped"), all),
    ];
    let expected =
        expected.map(|((one, other), count)| ((one.to_owned(), other.to_owned()), count));
    assert_eq!(ends, BTreeMap::from(expected));
    assert!(born.values().all(|times| *times == 1), "{born:?}");
}
