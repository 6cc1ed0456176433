//! Whatever is sent, the answer says what is wrong with it.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Answer, Server, insert, process};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn json_that_is_none_is_answered_with_the_place() {
    let server = Server::start().await;
    for (body, line, column) in [
        ("", 1, 0),
        ("{\n  \"sequence\": \"a\",,\n}", 2, 19),
        ("{\"sequence\": \"a\"", 1, 16),
        ("{\"sequence\": \"a\"} trailing", 1, 19),
        ("\u{0}\u{1}\u{2}", 1, 1),
        ("sequence: a", 1, 1),
    ] {
        let answer = server.send(Method::POST, "/v1/processes", "application/json", body).await;
        let problem = answer.problem(400, "malformed-body");
        let place = &problem["errors"][0];
        assert_eq!((&place["line"], &place["column"]), (&json!(line), &json!(column)), "{problem}");
    }
    let junk = server
        .request(Method::PUT, "/v1/sequences/a")
        .header("content-type", "application/yaml")
        .body(vec![b'a', 0xff, 0xfe]);
    let problem = Answer::of(junk).await.problem(400, "malformed-body");
    assert_eq!(problem["detail"], "byte 2 is not UTF-8");
}

#[tokio::test]
async fn what_does_not_fit_is_named_by_its_pointer() {
    let server = Server::start().await;
    for (path, body, pointer, says) in [
        ("/v1/processes", json!({ "sequenec": "a" }), "/sequenec", "sequenec"),
        ("/v1/processes", json!({ "sequence": 3 }), "/sequence", "expected a string"),
        ("/v1/processes", json!({ "sequence": "a", "version": 1.5 }), "/version", "expected i32"),
        ("/v1/processes", json!(["a", null]), "", "an object"),
        ("/v1/processes", json!({}), "", "either `sequence` or `steps`"),
        ("/v1/processes", json!({ "sequence": "a", "steps": [] }), "", "either"),
        ("/v1/processes", json!({ "steps": [], "version": 1 }), "/version", "`sequence`"),
        ("/v1/processes", json!({ "sequence": "a", "input": {} }), "/input", "`steps`"),
        ("/v1/processes", json!({ "sequence": "a", "timezone": "UTC" }), "/timezone", "`steps`"),
        ("/v1/processes", json!({ "sequence": "a", "process_id": "" }), "/process_id", "empty"),
        (
            "/v1/processes",
            json!({ "sequence": "a", "process_id": "x".repeat(256) }),
            "/process_id",
            "longer than 255",
        ),
        ("/v1/processes/batch", json!({}), "", "missing field `processes`"),
        ("/v1/processes/batch", json!({ "processes": {} }), "/processes", "a sequence"),
        (
            "/v1/processes/batch",
            json!({ "processes": vec![1; 1001] }),
            "/processes",
            "at most 1000",
        ),
        ("/v1/processes/a/events", json!({ "data": {} }), "", "missing field `type`"),
        ("/v1/processes/a/events", json!({ "type": "" }), "/type", "expected 1 to 100"),
        ("/v1/processes/a/events", json!({ "type": "a", "data": 3 }), "/data", "an object"),
        ("/v1/processes/a/events", json!({ "type": "a", "x": 3 }), "/x", "unknown field `x`"),
        ("/v1/processes/a/stop", json!({ "why": "x" }), "/why", "unknown field `why`"),
        ("/v1/requests", json!([]), "", "expected an object"),
        ("/v1/requests", json!({ "process-id": "a", "action": "go" }), "/action", "`start`"),
    ] {
        let problem = server.post(path, &body).await.problem(422, "invalid-request");
        let place = &problem["errors"][0];
        assert_eq!(place["pointer"], pointer, "{body}: {problem}");
        assert!(place["message"].as_str().unwrap().contains(says), "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{body}: {problem}");
    }
}

#[tokio::test]
async fn a_content_type_that_is_not_taken_is_told_what_is() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a")]).await;
    let form = "application/x-www-form-urlencoded";
    for (method, path, r#type, expected) in [
        (Method::POST, "/v1/processes", "text/plain", "application/json"),
        (Method::POST, "/v1/processes", "", "application/json"),
        (Method::POST, "/v1/processes/a/stop", "text/plain", "application/json"),
        (Method::PUT, "/v1/sequences/a", form, "application/yaml` or `text/yaml"),
        (Method::POST, "/callbacks/twilio/calls/1", "application/json", form),
    ] {
        let answer = server.send(method, path, r#type, "{}").await;
        let problem = answer.problem(415, "unsupported-media-type");
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{problem}");
    }
    let json = "Application/JSON; charset=utf-8";
    server.send(Method::POST, "/v1/processes/a/stop", json, "{}").await.ok(200);
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_refused_however_it_is_sent() {
    let server = Server::start().await;
    let yaml = |length| "#".repeat(length);
    for length in [MIB + 1, 50 * MIB] {
        let answer = server.publish("a", &yaml(length)).await;
        let problem = answer.problem(413, "body-too-large");
        assert!(problem["detail"].as_str().unwrap().contains("1048576"), "{problem}");
    }
    let chunk = format!("{:x}\r\n{}\r\n", MIB, yaml(MIB));
    for head in [
        format!("Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(2)),
        // Who asks before sending is answered before sending.
        format!("Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", 2 * MIB),
        format!("Content-Length: {}\r\n\r\n", 1_u64 << 40),
    ] {
        let answer = raw(&server, &head).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }

    let start = |length| json!({ "processes": [], "padding": "x".repeat(length) });
    let batch = server.post("/v1/processes/batch", &start(2 * MIB)).await;
    assert_eq!(batch.problem(422, "invalid-request")["errors"][0]["pointer"], "/padding");
    let batch = server.post("/v1/processes/batch", &start(8 * MIB)).await;
    batch.problem(413, "body-too-large");
    // The server lives on.
    server.get("/healthz").await.ok(200);
}

#[tokio::test]
async fn json_that_is_nested_too_deeply_is_refused() {
    let server = Server::start().await;
    let nested = |depth: usize| format!("{{\"data\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let json = "application/json";
    for depth in [64, 1000, 500_000] {
        let answer = server.send(Method::POST, "/v1/processes", json, nested(depth)).await;
        let problem = answer.problem(400, "nested-too-deeply");
        assert_eq!(problem["errors"][0]["column"], 72, "{problem}");
    }
    let answer = server.send(Method::POST, "/v1/processes", json, nested(63)).await;
    answer.problem(422, "invalid-request");
}

#[tokio::test]
async fn paths_methods_and_parameters_that_are_not_there_are_problems_too() {
    let server = Server::start().await;
    for path in ["/", "/v1", "/v1/processes/", "/v1/process", "/callbacks/twilio/calls"] {
        server.get(path).await.problem(404, "not-found");
    }
    let answer = Answer::of(server.request(Method::DELETE, "/v1/processes/a")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    for (query, says) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("limit=-1", "limit"),
        ("status=asleep", "status"),
        ("cursor=x", "cursor"),
        ("curser=x", "curser"),
    ] {
        let problem = server.get(&format!("/v1/processes?{query}")).await;
        let problem = problem.problem(400, "invalid-parameter");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    for path in [
        "/v1/sequences/a?version=first",
        "/v1/sequences/a/versions/first",
        "/v1/sequences?cursor=WyJwcm9jZXNzZXMiLCJhIl0",
        "/v1/processes/a/history?limit=1000",
        "/v1/processes/%ff",
    ] {
        server.get(path).await.problem(400, "invalid-parameter");
    }
}

#[tokio::test]
async fn what_is_unknown_is_not_found() {
    let server = Server::start().await;
    for path in ["/v1/sequences/nobody", "/v1/sequences/nobody/versions/3"] {
        server.get(path).await.problem(404, "unknown-sequence");
    }
    for path in ["", "/history", "/deliveries", "?key=1"] {
        let answer = server.get(&format!("/v1/processes/nobody{path}")).await;
        answer.problem(404, "unknown-process");
    }
    for path in ["stop", "pause", "resume"] {
        let answer = server.post(&format!("/v1/processes/nobody/{path}"), &json!({})).await;
        answer.problem(404, "unknown-process");
    }
    let answer = server.post("/v1/processes", &json!({ "sequence": "nobody" })).await;
    answer.problem(404, "unknown-sequence");
    let event = server.post("/v1/processes/nobody/events", &json!({ "type": "a" })).await;
    let problem: Value = event.problem(404, "unknown-process");
    assert_eq!(problem["detail"], "no process bears the id `nobody`");
}

/// Publishes with a request written by hand, `rest` being its last headers and its body.
async fn raw(server: &Server, rest: &str) -> String {
    let host = server.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).await.unwrap();
    let head = "PUT /v1/sequences/a HTTP/1.1\r\nHost: rungs\r\nContent-Type: text/yaml\r\n";
    connection.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}
