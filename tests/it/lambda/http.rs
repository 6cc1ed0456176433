//! `http`: the whole API.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Account, KEY, RING, answer, request};
use crate::{databases::Cluster, fakes::lambda::timed};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_api_answers_through_api_gateway() {
    let account = Account::new().await;
    let mut http = account.function("http").await;
    let put = request("PUT", "/v1/sequences/ring", "application/yaml", RING);
    let (status, body) = answer(http.invoke(&put).await);
    assert_eq!(status, 201, "{body:#}");

    let start =
        json!({ "process_id": "p 1/ž", "sequence": "ring", "data": { "phone": "+385911234567" } });
    let post = request("POST", "/v1/processes", "application/json", &start.to_string());
    let (status, body) = answer(http.invoke(&post).await);
    assert_eq!((status, &body["process_id"]), (201, &json!("p 1/ž")), "{body:#}");

    let read = request("GET", "/v1/processes/p%201%2F%C5%BE", "", "");
    let (status, body) = answer(http.invoke(&read).await);
    assert_eq!((status, &body["status"]), (200, &json!("active")), "{body:#}");
    let list = request("GET", "/v1/processes?status=active&limit=1", "", "");
    let (status, body) = answer(http.invoke(&list).await);
    assert_eq!((status, body["processes"].as_array().unwrap().len()), (200, 1), "{body:#}");

    let mut foreign = request("POST", "/v1/processes", "application/json", &start.to_string());
    foreign["headers"]["authorization"] = json!(format!("Bearer {KEY}x"));
    assert_eq!(answer(http.invoke(&foreign).await).0, 401);
    let broken = request("POST", "/v1/processes", "application/json", "{");
    let (status, body) = answer(http.invoke(&broken).await);
    assert_eq!((status, &body["type"]), (400, &json!("/problems/malformed-body")));
    let stop = request("POST", "/v1/processes/p%201%2F%C5%BE/stop", "", "");
    assert_eq!(answer(http.invoke(&stop).await).1["status"], "stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_base64_and_an_event_that_is_no_request_end_as_errors() {
    let account = Account::new().await;
    let mut http = account.function("http").await;
    let mut wrong = request("POST", "/v1/processes", "application/json", "{}");
    wrong["body"] = json!("%%%");
    assert!(http.invoke(&wrong).await.is_err());
    assert!(http.invoke(&json!({ "Records": [] })).await.is_err());
    // Neither holds up those behind it.
    assert_eq!(answer(http.invoke(&request("GET", "/readyz", "", "")).await).0, 200);
}

/// How long the first answer takes, from the start of the program, and the memory it needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_cold_start_is_short_and_small() {
    let account = Account::new().await;
    let get = request("GET", "/v1/processes", "", "");
    let (mut http, started) = timed(account.function("http")).await;
    let (first, answered) = timed(http.invoke(&get)).await;
    assert_eq!(answer(first).0, 200);
    let (_, again) = timed(http.invoke(&get)).await;
    let (cold, warm) = (started + answered, again);
    eprintln!("http: first answer after {cold:.0?}, then {warm:.1?}; {} KiB", http.resident());
    assert!(cold < Duration::from_secs(10) && http.resident() < 256 * 1024);
}

/// Nothing lives in a frozen function: not its timers, and maybe not its connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_was_frozen_while_the_database_went_away_goes_on() {
    let cluster = Cluster::start(&[]);
    let account = Account::over(cluster.url("postgres")).await;
    let mut http = account.function("http").await;
    let get: Value = request("GET", "/v1/processes", "", "");
    assert_eq!(answer(http.invoke(&get).await).0, 200);

    http.freeze();
    cluster.stop_immediately();
    cluster.start_again();
    sleep(Duration::from_secs(1)).await;
    http.thaw();
    assert_eq!(answer(http.invoke(&get).await).0, 200);

    cluster.stop_immediately();
    let (status, body) = answer(http.invoke(&get).await);
    assert_eq!((status, &body["type"]), (503, &json!("/problems/unavailable")));
    cluster.start_again();
    assert_eq!(answer(http.invoke(&get).await).0, 200);
}
