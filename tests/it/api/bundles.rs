//! Sequences that carry the files they are made of.

use serde_json::json;

use super::Server;

const ALONE: &str = r"sequence: orders
steps:
  - { id: kitchen, run: ./shared/ring.yml, config: { minutes: 3 } }
";

fn bundle(unit: &str) -> String {
    format!(
        "{ALONE}---
file: shared/ring.yml
text: |
  fragment: ring
  parameters: {{ properties: {{ minutes: {{ type: integer }} }} }}
  steps:
    - {{ id: grace, run: WaitForDuration, config: {{ amount: \"{{{{param.minutes}}}}\", unit: {unit} }} }}
"
    )
}

#[tokio::test]
async fn a_sequence_comes_with_its_files_and_is_climbed() {
    let server = Server::start().await;
    assert_eq!(server.publish("orders", &bundle("minutes")).await.ok(201)["version"], 1);
    assert_eq!(server.publish("orders", &bundle("minutes")).await.ok(200)["changed"], false);
    assert_eq!(server.publish("orders", &bundle("hours")).await.ok(201)["version"], 2);
    let read = server.get("/v1/sequences/orders?version=1").await.ok(200);
    assert_eq!(read["source"], bundle("minutes"));

    let start = json!({ "sequence": "orders", "process_id": "o-1" });
    server.post("/v1/processes", &start).await.ok(201);
    server.engine.evaluate().await.unwrap();
    let process = server.get("/v1/processes/o-1").await.ok(200);
    assert_eq!(process["cursor"], "kitchen--grace", "{process}");
    assert_eq!(process["due_at"], "2026-03-02T11:00:00.000Z", "{process}");
}

#[tokio::test]
async fn a_mistake_in_a_file_is_told_in_it() {
    let server = Server::start().await;
    let problem = server.publish("orders", &bundle("minuts")).await;
    let problem = problem.problem(422, "invalid-sequence");
    let error = &problem["errors"][0];
    assert_eq!(error["file"], "shared/ring.yml");
    assert_eq!((&error["line"], &error["pointer"]), (&json!(4), &json!("/steps/0/config/unit")));
}

#[tokio::test]
async fn a_file_that_does_not_come_along_is_never_looked_for() {
    let server = Server::start().await;
    let problem = server.publish("orders", ALONE).await.problem(422, "invalid-sequence");
    let error = &problem["errors"][0];
    assert_eq!((&error["code"], &error["line"]), (&json!("file"), &json!(3)));
    assert!(error["help"].as_str().unwrap().contains("rungs apply"), "{error}");
    let inline = json!({ "steps": [{ "id": "a", "run": "./Cargo.toml" }] });
    let problem = server.post("/v1/processes", &inline).await.problem(422, "invalid-sequence");
    assert_eq!(problem["errors"][0]["pointer"], "/steps/0/run");

    for (document, code) in [
        ("file: /etc/passwd\ntext: a\n", "file"),
        ("file: a/../b.yml\ntext: a\n", "file"),
        ("file: a.yml\n", "missing-key"),
        ("file: a.yml\ntext: 1\n", "wrong-type"),
        ("file: a.yml\ntext: ''\nmode: x\n", "unknown-key"),
        ("sequence: second\n", "documents"),
    ] {
        let source = format!("{ALONE}---\n{document}");
        let problem = server.publish("orders", &source).await.problem(422, "invalid-sequence");
        assert_eq!(
            problem["errors"].as_array().unwrap().last().unwrap()["code"],
            code,
            "{problem}"
        );
    }
}
