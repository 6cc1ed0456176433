//! What an operator's probes see.

use chrono::TimeDelta;
use serde_json::json;

use super::{Server, insert, process};

#[tokio::test]
async fn a_server_without_its_schema_is_alive_but_not_ready() {
    let server = Server::start_empty(|_| ()).await;
    assert_eq!(server.get("/healthz").await.ok(200), json!({ "status": "ok" }));
    let answer = server.get("/readyz").await;
    assert_eq!(answer.problem(503, "not-ready")["errors"][0]["code"], "migrations");
    assert_eq!(answer.header("retry-after"), "5");
    server.engine.store.migrate().await.unwrap();
    server.get("/readyz").await.ok(200);
}

#[tokio::test]
async fn what_is_overdue_by_more_than_a_minute_makes_it_unready() {
    let server = Server::start().await;
    let sleeping = process("1", "a");
    let due_at = sleeping.due_at.unwrap();
    insert(&server, &[sleeping]).await;
    server.engine.clock.set(due_at + TimeDelta::minutes(1));
    server.get("/readyz").await.ok(200);
    server.engine.clock.set(due_at + TimeDelta::milliseconds(60_001));
    let problem = server.get("/readyz").await.problem(503, "not-ready");
    assert_eq!(problem["errors"][0]["code"], "overdue");
    assert_eq!(problem["detail"], "processes overdue by more than a minute: 1");
    // Whom nobody climbs is not late.
    server.post("/v1/processes/a/pause", &json!(null)).await.ok(200);
    server.get("/readyz").await.ok(200);
}

#[tokio::test]
async fn a_database_that_is_gone_is_answered_without_its_words() {
    let server = Server::start().await;
    server.engine.store.clone().close().await.unwrap();
    server.get("/healthz").await.ok(200);
    assert_eq!(
        server.get("/readyz").await.problem(503, "not-ready")["errors"][0]["code"],
        "database"
    );
    let event = json!({ "type": "a" });
    for answer in [
        server.get("/v1/processes").await,
        server.get("/v1/processes/a").await,
        server.get("/v1/sequences/a").await,
        server.get("/metrics").await,
        server.post("/v1/processes/a/events", &event).await,
        server.post("/v1/processes/a/stop", &json!({})).await,
        server.post("/v1/processes", &json!({ "sequence": "a" })).await,
    ] {
        let problem = answer.problem(503, "unavailable");
        assert_eq!(problem["detail"], "the database is in trouble; try again");
        assert_eq!(answer.header("retry-after"), "5");
    }
}

#[tokio::test]
async fn metrics_are_in_the_text_format_of_prometheus() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a"), process("2", "b")]).await;
    server.post("/v1/processes/a/stop", &json!({})).await.ok(200);
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "rungs_processes{status=\"active\"} 1",
        "rungs_processes{status=\"stopped\"} 1",
        "rungs_database_errors_total 0",
        "# TYPE rungs_due_lag_seconds histogram",
    ] {
        assert!(answer.text.lines().any(|one| one == line), "{line} in {}", answer.text);
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_end_does() {
    let server = Server::start().await;
    let (http, url) = (server.http.clone(), server.url.clone());
    server.get("/healthz").await.ok(200);
    server.stop().await;
    assert!(http.get(format!("{url}/healthz")).send().await.unwrap_err().is_connect());
}
