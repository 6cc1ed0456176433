//! Who calls whom, changed while programs run.

use reqwest::Method;
use serde_json::{Value, json};

use super::RESTAURANT;
use crate::{databases::Kind, every_database::on_every_database, harness::TestApp};

on_every_database!(
    a_registry_that_is_kept_is_gone_by_at_once_and_elsewhere_within_ten_seconds,
    a_number_without_a_caller_id_fails_that_delivery_and_no_other,
    a_registry_that_is_wrong_is_refused_and_changes_nothing,
);

const RING: &str = r#"
sequence: ring
steps:
  - { id: ring, run: Phone, config: { to: "{{phone}}", say: Hello } }
"#;

async fn caller_ids(app: &TestApp, method: Method, body: Value) -> (u16, Value) {
    let request = app.http.request(method, format!("{}/v1/caller-ids", app.url));
    let response = request.json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn callers(app: &TestApp) -> Vec<String> {
    app.twilio.calls().iter().map(|call| call.field("From").unwrap().to_owned()).collect()
}

async fn a_registry_that_is_kept_is_gone_by_at_once_and_elsewhere_within_ten_seconds(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    let elsewhere = app.another_engine().await;
    let configured = json!({ "+385": "+38515550100", "default": "+14155550100" });
    let (status, answer) = caller_ids(&app, Method::GET, Value::Null).await;
    assert_eq!((status, &answer), (200, &json!({ "kept": false, "caller_ids": configured })));
    app.start_process("ring", "a", json!({ "phone": RESTAURANT })).await;
    elsewhere.drain().await.unwrap();

    let kept = json!({ "+385": "+38517777777", "+38591": "+385918888888" });
    let (status, answer) = caller_ids(&app, Method::PUT, kept.clone()).await;
    assert_eq!((status, &answer), (200, &json!({ "kept": true, "caller_ids": kept })));
    app.start_process("ring", "b", json!({ "phone": RESTAURANT })).await;
    app.settle().await;
    app.clock_shows("09:01").await;
    app.start_process("ring", "c", json!({ "phone": RESTAURANT })).await;
    elsewhere.drain().await.unwrap();

    let (_, answer) = caller_ids(&app, Method::DELETE, Value::Null).await;
    assert_eq!(answer, json!({ "kept": false, "caller_ids": configured }));
    app.start_process("ring", "d", json!({ "phone": RESTAURANT })).await;
    app.settle().await;
    let expected = ["+38515550100", "+385918888888", "+385918888888", "+38515550100"];
    assert_eq!(callers(&app), expected);
    app.finish().await;
}

async fn a_number_without_a_caller_id_fails_that_delivery_and_no_other(kind: Kind) {
    let app = TestApp::on(kind).await;
    app.publish(RING).await;
    caller_ids(&app, Method::PUT, json!({ "+385": "+38517777777" })).await;
    app.start_process("ring", "abroad", json!({ "phone": "+442079460000" })).await;
    app.start_process("ring", "home", json!({ "phone": RESTAURANT })).await;
    app.settle().await;

    let delivery = app.process("abroad").await["deliveries"][0].clone();
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("failed"), &json!(1)));
    let error = delivery["error"].as_str().unwrap();
    assert!(error.starts_with("no caller id for +442079460000"), "{error}");
    assert_eq!(app.called(), [RESTAURANT]);
    app.finish().await;
}

async fn a_registry_that_is_wrong_is_refused_and_changes_nothing(kind: Kind) {
    let app = TestApp::on(kind).await;
    for (registry, words) in [
        (json!({ "croatia": "+38511111111" }), "is no prefix"),
        (json!({ "+385": "+38511111111", "385": "+38522222222" }), "is there twice"),
        (json!({ "default": "" }), "neither a phone number"),
        (json!({ "default": 5 }), "default"),
        (json!([]), ""),
    ] {
        let (status, problem) = caller_ids(&app, Method::PUT, registry.clone()).await;
        assert!([400, 422].contains(&status), "{registry}: {problem:#}");
        assert!(problem.to_string().contains(words), "{registry}: {problem:#}");
    }
    let (_, answer) = caller_ids(&app, Method::GET, Value::Null).await;
    assert_eq!(answer["kept"], false);

    app.engine.store.set("caller-ids", Some("{\"+385\":"), app.now()).await.unwrap();
    app.climb(RING, "a", json!({ "phone": RESTAURANT })).await;
    assert_eq!(app.called(), [RESTAURANT], "what cannot be read changes nothing");
    app.finish().await;
}
