//! What is done to a process that is there.

use reqwest::Method;
use rungs_core::Process;
use serde_json::{Value, json};

use super::{Answer, Server, insert, process, segment};

#[tokio::test]
async fn a_process_is_shown_as_it_stands() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a")]).await;
    let expected = json!({
        "process_id": "a",
        "key": "1",
        "sequence": "orders",
        "version": 1,
        "priority": "normal",
        "status": "active",
        "cursor": "grace",
        "timezone": "Europe/Zagreb",
        "due_at": "2026-03-02T08:03:00.000Z",
        "reason": null,
        "started_at": "2026-03-02T08:00:00.000Z",
        "ended_at": null,
        "data": { "order": { "count": 3 } },
        "steps": {},
        "events": {},
        "deliveries": [],
    });
    assert_eq!(server.get("/v1/processes/a").await.ok(200), expected);
    let deliveries = server.get("/v1/processes/a/deliveries").await.ok(200);
    assert_eq!(deliveries, json!({ "deliveries": [] }));
}

#[tokio::test]
async fn an_id_may_have_any_characters() {
    let server = Server::start().await;
    let ids = [
        "a/b/c",
        "...",
        "a b+c",
        "100%",
        "%2F",
        "?x=1#y",
        "š",
        "👩‍🚒 alarm",
        "batch",
        "a\\b",
        "<&>\"'",
        "a.b;c",
        "history",
    ];
    for (number, id) in ids.iter().enumerate() {
        insert(&server, &[process(&format!("{number:02}"), id)]).await;
        let path = format!("/v1/processes/{}", segment(id));
        assert_eq!(server.get(&path).await.ok(200)["process_id"], *id);
        assert_eq!(
            server.get(&format!("{path}/history")).await.ok(200)["history"][0]["kind"],
            "started"
        );
        let event = server.post(&format!("{path}/events"), &json!({ "type": "seen" })).await;
        assert_eq!(event.ok(202), json!({ "taken": true }), "{id}");
        let query = format!("/v1/processes?process_id={}", segment(id));
        let page = server.get(&query).await.ok(200);
        assert_eq!(page["processes"][0]["process_id"], *id);
        assert_eq!(page["processes"].as_array().unwrap().len(), 1, "{id}");
        let stopped = server.post(&format!("{path}/stop"), &json!({})).await.ok(200);
        assert_eq!((&stopped["process_id"], &stopped["status"]), (&json!(id), &json!("stopped")));
    }
}

#[tokio::test]
async fn an_event_is_taken_once_and_seen_at_once() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a")]).await;
    let event =
        json!({ "id": "e1", "type": "order.confirmed", "data": { "order": { "by": "Iva" } } });
    assert_eq!(
        server.post("/v1/processes/a/events", &event).await.ok(202),
        json!({ "taken": true })
    );
    assert_eq!(
        server.post("/v1/processes/a/events", &event).await.ok(200),
        json!({ "taken": false })
    );
    let shown = server.get("/v1/processes/a").await.ok(200);
    assert_eq!(shown["data"], json!({ "order": { "count": 3, "by": "Iva" } }));
    assert_eq!(shown["events"]["order.confirmed"]["count"], 1);
    assert_eq!(shown["due_at"], "2026-03-02T08:00:00.000Z");
    let reserved = json!({ "type": "a", "data": { "steps": {} } });
    let problem =
        server.post("/v1/processes/a/events", &reserved).await.problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/data/steps");
}

#[tokio::test]
async fn stop_pause_and_resume_may_be_repeated() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a")]).await;
    for (change, changed, status) in [
        ("pause", true, "paused"),
        ("pause", false, "paused"),
        ("resume", true, "active"),
        ("resume", false, "active"),
        ("stop", true, "stopped"),
        ("stop", false, "stopped"),
    ] {
        let answer = Answer::of(server.request(Method::POST, &format!("/v1/processes/a/{change}")));
        let answer = answer.await.ok(200);
        assert_eq!((&answer["changed"], &answer["status"]), (&json!(changed), &json!(status)));
    }
    for change in ["pause", "resume"] {
        let answer = server.post(&format!("/v1/processes/a/{change}"), &json!({})).await;
        assert_eq!(answer.problem(409, "conflict")["detail"], "the process is stopped");
    }
    let event = server.post("/v1/processes/a/events", &json!({ "type": "late" })).await;
    event.problem(409, "conflict");
}

#[tokio::test]
async fn a_stop_may_say_why() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a")]).await;
    let answer =
        server.post("/v1/processes/a/stop", &json!({ "reason": "it is paid" })).await.ok(200);
    assert_eq!(answer["reason"], "it is paid");
    let history = server.get("/v1/processes/a/history").await.ok(200);
    let stopped =
        json!({ "at": "2026-03-02T08:00:00.000Z", "kind": "stopped", "reason": "it is paid" });
    assert_eq!(history["history"][1], stopped);
}

#[tokio::test]
async fn one_that_bore_the_id_before_is_read_by_its_key() {
    let server = Server::start().await;
    insert(&server, &[Process { cursor: Some("ring".to_owned()), ..process("1", "a") }]).await;
    server.post("/v1/processes/a/stop", &json!({})).await.ok(200);
    insert(&server, &[process("2", "a"), process("3", "b")]).await;
    let cursor = async |path: &str| -> Value { server.get(path).await.ok(200)["cursor"].clone() };
    assert_eq!(cursor("/v1/processes/a").await, "grace");
    assert_eq!(cursor("/v1/processes/a?key=1").await, "ring");
    assert_eq!(cursor("/v1/processes/a?key=2").await, "grace");
    let history = server.get("/v1/processes/a/history?key=1").await.ok(200);
    assert_eq!(history["history"][1]["kind"], "stopped");
    server.get("/v1/processes/a?key=3").await.problem(404, "unknown-process");
}
