//! Requests to servers, against one that can do everything wrong.

use std::time::Duration;

use rungs::{
    channels::{Channels, Config, SendError, remote::signature},
    clock::{Clock, Stopwatch},
};
use rungs_runners::DeliveryStatus;
use serde_json::{Value, json};

use super::{DELIVERY, doubtful, refused, send, temporary};
use crate::fakes::{
    endpoint::Mood,
    web::{self, FakeWeb},
};

const SECRET: &str = "hush-hush-hush-hush";

fn config(more: &Value) -> Config {
    Config { webhook: Some(web::config(more)), ..Config::default() }
}

fn ask(fake: &FakeWeb) -> Value {
    json!({ "method": "POST", "url": fake.url("/hook?a=1"), "body": { "order": 7 }, "answer": true })
}

#[tokio::test]
async fn a_request_is_what_the_step_wrote_signed_and_under_the_deliverys_id() {
    let fake = FakeWeb::start().await;
    let secrets = json!({
        "secret": SECRET,
        "hosts": { "127.0.0.1": { "headers": { "Authorization": "Bearer hush-hush", "X-Both": "operator" } } },
    });
    let mut request = ask(&fake);
    request["headers"] = json!({ "X-Order": 7, "X-Both": "author", "X-Name": "Žuti" });
    fake.says(201, json!({ "approved": true }));
    let sent = send(&config(&secrets), "webhook", &request).await.unwrap();
    assert_eq!(sent.status, DeliveryStatus::Completed);
    let answer = sent.answer.unwrap();
    let kept = json!({ "httpStatus": 201, "answer": { "approved": true } });
    assert_eq!(
        (Value::Object(*answer.result.unwrap()), answer.message),
        (kept, Some("HTTP 201 Created".into()))
    );

    let came = fake.requests().remove(0);
    assert_eq!((came.method.as_str(), came.path.as_str()), ("POST", "/hook?a=1"));
    assert_eq!(came.json(), json!({ "order": 7 }));
    for (name, value) in [
        ("content-type", "application/json"),
        ("idempotency-key", DELIVERY),
        ("authorization", "Bearer hush-hush"),
        ("x-order", "7"),
        ("x-both", "operator"),
    ] {
        assert_eq!(came.header(name), value, "{name}");
    }
    assert_eq!(came.headers["x-name"].as_bytes(), "Žuti".as_bytes());
    let timestamp: i64 = came.header("rungs-timestamp").parse().unwrap();
    assert!((Clock::System.now().timestamp() - timestamp).abs() < 60);
    let signed = signature::sign(SECRET, timestamp, &came.body);
    assert_eq!(came.header("rungs-signature"), signed);
}

#[tokio::test]
async fn a_text_is_sent_as_it_is_and_a_get_has_no_body() {
    let fake = FakeWeb::start().await;
    let config = config(&json!({}));
    let text = json!({ "method": "PUT", "url": fake.url("/"), "body": "<a>ž</a>", "headers": { "content-type": "text/xml" } });
    let sent = send(&config, "webhook", &text).await.unwrap();
    assert_eq!((sent.status, sent.answer), (DeliveryStatus::Sent, None));
    send(&config, "webhook", &json!({ "method": "GET", "url": fake.url("/") })).await.unwrap();
    let [put, get] = &fake.requests()[..] else { panic!("two requests") };
    assert_eq!((&put.body[..], put.header("content-type")), ("<a>ž</a>".as_bytes(), "text/xml"));
    assert_eq!((get.method.as_str(), get.body.len(), get.header("content-type")), ("GET", 0, ""));
    assert_eq!(get.header("rungs-signature"), "", "nothing to sign with");
}

#[tokio::test]
async fn what_is_no_json_is_no_answer() {
    let fake = FakeWeb::start().await;
    let config = config(&json!({}));
    for (mood, expected) in [
        (
            Mood::Text("<html>Welcome!</html>"),
            "HTTP 200 OK: the answer is HTML or XML; expected JSON",
        ),
        (Mood::Text("OK"), "HTTP 200 OK: the answer is no JSON (line 1, column 1)"),
        (Mood::Text("{\"a\":"), "HTTP 200 OK: the answer is no JSON (line 1, column 5)"),
        (Mood::Megabytes(10), "HTTP 200 OK: the answer is longer than 65536 bytes"),
        (Mood::Endless, "HTTP 200 OK: the answer is longer than 65536 bytes"),
        (Mood::Redirect, "HTTP 307 Temporary Redirect: a redirect is not followed"),
    ] {
        fake.next(mood);
        assert_eq!(refused(send(&config, "webhook", &ask(&fake)).await), expected);
    }
    fake.says(200, (0..65).fold(json!(1), |inner, _| json!([inner])));
    assert!(refused(send(&config, "webhook", &ask(&fake)).await).contains("64 deep"));
    assert_eq!(fake.requests().len(), 7, "and nothing was asked twice");
    // Nothing at all is an answer.
    let sent = send(&config, "webhook", &ask(&fake)).await.unwrap();
    assert_eq!(sent.answer.unwrap().result.unwrap()["answer"], Value::Null);
    // Where no answer is awaited, nobody reads it.
    let mut request = ask(&fake);
    request["answer"] = json!(false);
    fake.next(Mood::Endless);
    assert_eq!(send(&config, "webhook", &request).await.unwrap().status, DeliveryStatus::Sent);
}

#[tokio::test]
async fn trouble_is_sorted_by_whether_it_may_have_arrived() {
    let fake = FakeWeb::start().await;
    let config = config(&json!({}));
    for status in [408, 429, 500, 502, 503] {
        fake.next(Mood::Busy(status, "7"));
        let error = send(&config, "webhook", &ask(&fake)).await.unwrap_err();
        let SendError::Temporary { retry_after, .. } = error else { panic!("{error:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(7)), "{status}");
    }
    for status in [400, 401, 404, 410, 422] {
        fake.says(status, json!({ "message": "no\u{7} such order" }));
        let reason = refused(send(&config, "webhook", &ask(&fake)).await);
        assert!(
            reason.starts_with(&format!("HTTP {status}")) && reason.ends_with(": no such order"),
            "{reason}"
        );
    }
    let watch = Stopwatch::start();
    fake.next(Mood::Silent);
    assert_eq!(doubtful(send(&config, "webhook", &ask(&fake)).await), "no answer within 1 s");
    assert!(watch.elapsed() < Duration::from_secs(10));
    fake.next(Mood::HangUp);
    assert!(
        doubtful(send(&config, "webhook", &ask(&fake)).await).starts_with("HTTP 200 OK, and then")
    );
    let gone = { ask(&FakeWeb::start().await) };
    temporary(send(&config, "webhook", &gone).await);
}

#[tokio::test]
async fn only_what_is_allowed_is_reached_whatever_a_name_leads_to() {
    let fake = FakeWeb::start().await;
    let public = config(&json!({ "allow": ["*"] }));
    let localhost = ask(&fake)["url"].as_str().unwrap().replace("127.0.0.1", "localhost");
    for url in [&fake.url("/"), &localhost, "http://169.254.169.254/latest/meta-data/"] {
        let request = json!({ "method": "GET", "url": url });
        let reason = refused(send(&public, "webhook", &request).await);
        assert!(reason.contains("`webhook.allow` does not allow"), "{url}: {reason}");
    }
    assert!(fake.requests().is_empty());
    let named = config(&json!({ "allow": ["localhost"] }));
    send(&named, "webhook", &json!({ "method": "GET", "url": localhost })).await.unwrap();
    let by_address = json!({ "method": "GET", "url": fake.url("/") });
    refused(send(&named, "webhook", &by_address).await);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_secret_that_a_server_repeats_is_not_kept_and_not_told() {
    let fake = FakeWeb::start().await;
    let secrets =
        json!({ "hosts": { "127.0.0.1": { "headers": { "Authorization": "Bearer hush-hush" } } } });
    let config = config(&secrets);
    fake.echoes();
    let reason = refused(send(&config, "webhook", &ask(&fake)).await);
    assert_eq!(reason, "HTTP 200 OK: the answer repeats a secret of the configuration");
    fake.says(401, json!({ "message": "the token hush-hush has expired" }));
    assert_eq!(refused(send(&config, "webhook", &ask(&fake)).await), "HTTP 401 Unauthorized");
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[tokio::test]
async fn what_is_not_configured_is_printed() {
    let channels = Channels::open(&Config::default()).unwrap();
    assert_eq!(channels.get("webhook").unwrap().channel.name(), "console");
    let request = json!({ "method": "POST", "url": "https://a.example", "answer": true });
    let sent = super::send_with(&channels, "webhook", &request).await.unwrap();
    assert_eq!(
        sent.answer.unwrap().result.unwrap()["httpStatus"],
        200,
        "a step that awaits an answer goes on"
    );
}
