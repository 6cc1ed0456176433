//! Sequences and starts, from the caller's text to the process that climbs.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Server, segment};

const ORDERS: &str = r#"
sequence: orders
timezone: Europe/Zagreb
input:
  type: object
  required: [restaurant]
  properties:
    restaurant:
      type: object
      properties: { phone: { type: string } }
    retries: { type: integer, default: 3 }
steps:
  - id: text
    run: SMS
    config: { to: "{{restaurant.phone}}", message: "{{retries}} orders are waiting." }
  - id: mail
    run: Email
    config: { to: owner@example.com, subject: Orders, text: They are waiting. }
"#;

fn steps() -> Value {
    json!([{ "id": "text", "run": "SMS", "config": { "to": "+38591111222", "message": "Hello." } }])
}

#[tokio::test]
async fn publishing_the_same_again_changes_nothing() {
    let server = Server::start().await;
    let first = server.publish("orders", ORDERS).await;
    let expected = json!({ "name": "orders", "version": 1, "changed": true, "warnings": [] });
    assert_eq!(first.ok(201), expected);
    assert_eq!(first.header("location"), "/v1/sequences/orders/versions/1");
    let again = server.publish("orders", ORDERS).await.ok(200);
    assert_eq!((&again["version"], &again["changed"]), (&json!(1), &json!(false)));
    let second = server.publish("orders", &ORDERS.replace("default: 3", "default: 4")).await;
    assert_eq!(second.ok(201)["version"], 2);
    assert_eq!(server.get("/v1/sequences/orders?version=1").await.ok(200)["source"], ORDERS);
}

#[tokio::test]
async fn json_and_plain_text_are_taken_as_well() {
    let server = Server::start().await;
    let json = json!({ "sequence": "short", "steps": steps() }).to_string();
    for (r#type, status) in [("application/json", 201), ("text/yaml", 200), ("text/plain", 200)] {
        let answer = server.send(Method::PUT, "/v1/sequences/short", r#type, json.as_str()).await;
        assert_eq!(answer.ok(status)["version"], 1);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_sequence_is_said_at_once() {
    let server = Server::start().await;
    let broken = ORDERS.replace("run: SMS", "run: SSM").replace("subject:", "subjcet:");
    let problem = server.publish("orders", &broken).await.problem(422, "invalid-sequence");
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.len() >= 2, "{problem}");
    for error in errors {
        assert!(error["pointer"].as_str().unwrap().starts_with("/steps/"), "{error}");
        assert!(error["line"].as_u64().unwrap() > 1 && error["column"].is_u64(), "{error}");
        assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
    }
    server.get("/v1/sequences/orders").await.problem(404, "unknown-sequence");
}

#[tokio::test]
async fn a_sequence_is_published_under_its_own_name_only() {
    let server = Server::start().await;
    let problem = server.publish("invoices", ORDERS).await.problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/sequence");
}

#[tokio::test]
async fn a_start_that_repeats_a_live_id_changes_nothing_and_says_so() {
    let server = Server::start().await;
    server.publish("orders", ORDERS).await.ok(201);
    let id = "orders/42 🍕";
    let start = |phone: &str| {
        let data = json!({ "restaurant": { "phone": phone } });
        json!({ "process_id": id, "sequence": "orders", "data": data })
    };
    let first = server.post("/v1/processes", &start("+38591111222")).await;
    let body = first.ok(201);
    assert_eq!((&body["started"], &body["process_id"]), (&json!(true), &json!(id)));
    assert_eq!((&body["sequence"], &body["version"]), (&json!("orders"), &json!(1)));
    assert_eq!((&body["timezone"], &body["cursor"]), (&json!("Europe/Zagreb"), &json!("text")));
    assert_eq!(body["data"]["retries"], 3);
    assert_eq!(first.header("location"), format!("/v1/processes/{}", segment(id)));
    assert_eq!(server.get(first.header("location")).await.ok(200)["key"], body["key"]);

    let again = server.post("/v1/processes", &start("+38591333444")).await.ok(200);
    assert_eq!((&again["started"], &again["key"]), (&json!(false), &body["key"]));
    assert_eq!(again["data"]["restaurant"]["phone"], "+38591111222");
}

#[tokio::test]
async fn data_that_does_not_fit_is_named_place_by_place() {
    let server = Server::start().await;
    server.publish("orders", ORDERS).await.ok(201);
    for (data, pointers) in [
        (json!({}), vec!["/data"]),
        (
            json!({ "restaurant": { "phone": 3 }, "retries": "x" }),
            vec!["/data/restaurant/phone", "/data/retries"],
        ),
        (json!({ "restaurant": {}, "steps": 1 }), vec!["/data/steps"]),
        (json!([]), vec!["/data"]),
    ] {
        let start = json!({ "sequence": "orders", "data": data });
        let problem = server.post("/v1/processes", &start).await.problem(422, "invalid-data");
        let errors = problem["errors"].as_array().unwrap();
        let mut found: Vec<&str> =
            errors.iter().map(|one| one["pointer"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, pointers, "{problem}");
    }
}

#[tokio::test]
async fn steps_may_come_with_the_start() {
    let server = Server::start().await;
    let start = json!({
        "steps": steps(),
        "timezone": "Europe/Zagreb",
        "input": { "required": ["a"] },
        "data": { "a": 1 },
    });
    let started = server.post("/v1/processes", &start).await.ok(201);
    assert_eq!(
        (&started["timezone"], &started["cursor"]),
        (&json!("Europe/Zagreb"), &json!("text"))
    );
    // They are nobody's sequence.
    assert_eq!(server.get("/v1/sequences").await.ok(200), json!({ "sequences": [] }));

    let mut wrong = start;
    wrong["steps"][0]["config"]["message"] = json!(["no text"]);
    let problem = server.post("/v1/processes", &wrong).await.problem(422, "invalid-sequence");
    let error = &problem["errors"][0];
    assert!(error["pointer"].as_str().unwrap().starts_with("/steps/0/config"), "{problem}");
    assert!(error["line"].is_null(), "a line of what the caller never saw: {error}");
}

#[tokio::test]
async fn each_start_of_a_batch_is_answered_for_itself_and_in_order() {
    let server = Server::start().await;
    let batch = json!({ "processes": [
        { "process_id": "a", "steps": steps() },
        { "process_id": "b", "sequence": "nobody" },
        { "process_id": "a", "steps": steps() },
        { "process_id": 3 },
        { "process_id": "c", "steps": steps(), "data": { "events": {} } },
        { "process_id": "d", "steps": steps() },
    ]});
    let answer = server.post("/v1/processes/batch", &batch).await.ok(200);
    let results = answer["results"].as_array().unwrap();
    let statuses: Vec<u64> = results.iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 404, 200, 422, 422, 201], "{answer}");
    assert_eq!(results[0], json!({ "status": 201, "started": true, "process_id": "a" }));
    assert_eq!(results[2], json!({ "status": 200, "started": false, "process_id": "a" }));
    assert_eq!(results[1]["problem"]["type"], "/problems/unknown-sequence");
    assert_eq!(results[3]["problem"]["errors"][0]["pointer"], "/processes/3/process_id");
    assert_eq!(results[4]["problem"]["errors"][0]["pointer"], "/processes/4/data/events");
    let live = server.get("/v1/processes").await.ok(200);
    assert_eq!(live["processes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_thousand_processes_start_in_one_batch() {
    let server = Server::start().await;
    let one = |number| json!({ "process_id": format!("order-{number}"), "steps": steps() });
    let batch = json!({ "processes": (0..1000).map(one).collect::<Vec<_>>() });
    let answer = server.post("/v1/processes/batch", &batch).await.ok(200);
    assert!(answer["results"].as_array().unwrap().iter().all(|one| one["status"] == 201));
    assert!(server.get("/metrics").await.text.contains("rungs_processes{status=\"active\"} 1000"));
}

#[tokio::test]
async fn what_a_process_did_is_told_in_its_history_and_its_deliveries() {
    let server = Server::start().await;
    server.publish("orders", ORDERS).await.ok(201);
    let data = json!({ "restaurant": { "phone": "+38591111222" } });
    let start = json!({ "process_id": "a", "sequence": "orders", "data": data });
    server.post("/v1/processes", &start).await.ok(201);
    server.engine.drain().await.unwrap();

    let shown = server.get("/v1/processes/a").await.ok(200);
    assert_eq!(shown["status"], "completed", "{shown}");
    assert_eq!(shown["steps"]["text"]["action"], "next", "{shown}");
    let deliveries = shown["deliveries"].as_array().unwrap();
    let of_step = |step: &str| deliveries.iter().find(|one| one["step"] == step).unwrap();
    let (text, mail) = (of_step("text"), of_step("mail"));
    assert_eq!((&text["channel"], &mail["channel"]), (&json!("sms"), &json!("email")));
    assert_eq!((&text["attempts"], &text["error"]), (&json!(1), &Value::Null));
    assert_eq!(text["request"]["to"], "+38591111222");
    assert_eq!(text["log"][0]["at"], "2026-03-02T08:00:00.000Z");
    assert_eq!(
        server.get("/v1/processes/a/deliveries").await.ok(200)["deliveries"],
        shown["deliveries"]
    );

    let all = server.get("/v1/processes/a/history?limit=200").await.ok(200);
    let all = all["history"].as_array().unwrap();
    let of_kind = |kind: &str| all.iter().filter(|entry| entry["kind"] == kind).count();
    assert_eq!((of_kind("started"), of_kind("wrote"), of_kind("completed")), (1, 2, 1), "{all:?}");
    assert!(all.iter().all(|entry| entry["at"] == "2026-03-02T08:00:00.000Z"));
    // Several entries share a moment; pages end between them all the same.
    let (mut one_by_one, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/processes/a/history?limit=1{cursor}")).await.ok(200);
        one_by_one.extend(page["history"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&one_by_one, all);
}

#[tokio::test]
async fn requests_of_roesc_start_stop_or_change_nothing() {
    let server = Server::start().await;
    let start = json!({ "process-id": "r", "action": "start", "notifications": [
        { "channel": "phone", "at": 1_772_438_400, "phone-number": "+38591111222" },
        { "channel": "email", "at": 1_772_438_460, "email": "owner@example.com" },
    ]});
    let stop = json!({ "process-id": "r", "action": "stop" });
    for (request, result) in [
        (&stop, "ignored"),
        (&start, "started"),
        (&start, "ignored"),
        (&stop, "stopped"),
        (&stop, "ignored"),
    ] {
        let answer = server.post("/v1/requests", request).await.ok(202);
        assert_eq!(answer, json!({ "result": result }));
    }
    let fax = json!([{ "at": 1, "channel": "fax" }]);
    let wrong = json!({ "process-id": "r", "action": "start", "notifications": fax });
    let problem = server.post("/v1/requests", &wrong).await.problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/notifications/0/channel");
}
