//! Programs that are killed between the answer of a runner that lives elsewhere and its record.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::site::{Site, What};
use crate::{
    databases::{Database, Kind},
    every_database::on_every_database,
    fakes::endpoint::{FakeEndpoint, Mood},
};

on_every_database!(an_answer_that_nobody_lived_to_write_down_is_asked_for_again);

const ASK: &str = "
sequence: ask
steps:
  - { id: check, run: Credit }
  - { id: again, run: Credit, config: { second: true } }
";

const KILLS: usize = 3;
const PROCESSES: usize = 5;

async fn an_answer_that_nobody_lived_to_write_down_is_asked_for_again(kind: Kind) {
    let (database, endpoint) = (Database::fresh(kind).await, FakeEndpoint::start().await);
    let mut site = Site::over(&database.url, 1).await;
    let mut runner = endpoint.json();
    runner["timeout"] = json!(20);
    site.settings.push(("RUNGS_RUNNERS", json!({ "Credit": runner }).to_string()));
    let mut programs = [site.start(What::Serve(0))];
    site.ready(0).await;
    let url = format!("http://127.0.0.1:{}/v1/sequences/ask", site.ports[0]);
    let put = site.http.put(url).header("content-type", "application/yaml").body(ASK);
    assert!(put.send().await.unwrap().status().is_success());
    for kill in 0..KILLS {
        endpoint.next(Mood::Held);
        let before = endpoint.requests().len();
        let processes: Vec<Value> = (0..PROCESSES)
            .map(|number| {
                let process = format!("p{kill}-{number}");
                let data = json!({ "sum": 1 });
                endpoint.says(&process, &[json!({ "action": "next", "data": data })]);
                json!({ "sequence": "ask", "process_id": process, "data": {} })
            })
            .collect();
        let body = json!({ "processes": processes });
        assert_eq!(site.post("/v1/processes/batch", &body).await.0, 200);
        endpoint.has_come(before + 1).await;
        site.kill(&mut programs[0]);
        site.ready(0).await;
    }
    site.over_and_done(&mut programs).await;
    let (status, found) = site.audit();
    assert!(status.success(), "{found}");

    for kill in 0..KILLS {
        for number in 0..PROCESSES {
            let url = format!("http://127.0.0.1:{}/v1/processes/p{kill}-{number}", site.ports[0]);
            let process: Value = site.http.get(url).send().await.unwrap().json().await.unwrap();
            assert_eq!(process["status"], "completed", "{process:#}");
            assert_eq!(process["data"], json!({ "sum": 1 }), "{process:#}");
        }
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for visit in endpoint.asked() {
        *times.entry(visit["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(times.len(), 2 * KILLS * PROCESSES, "two visits of each process, whatever happened");
    assert!(times.values().any(|times| *times > 1), "the held ones were asked about again");
}
