//! What comes in through the doors, and what leaves by mail.

use serde_json::json;

use super::RESTAURANT;
use crate::{
    databases::Kind,
    every_database::on_every_database,
    fakes::{smtp::MailServer, twilio::Fate},
    harness::{Setup, TestApp},
};

on_every_database!(
    a_request_of_roesc_is_climbed,
    requests_of_roesc_that_repeat_or_are_late,
    requests_of_roesc_that_are_wrong,
    inline_steps_are_checked_and_climbed,
    a_mail_reaches_a_real_server,
    a_mail_server_that_is_busy_and_a_mailbox_that_is_none,
);

/// Unix seconds at a time of day of the test's day.
fn epoch(time: &str) -> i64 {
    format!("2026-11-23T{time}:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp()
}

async fn a_request_of_roesc_is_climbed(kind: Kind) {
    let app = TestApp::on(kind).await;
    let request = json!({
        "process-id": "order-7",
        "action": "start",
        "notifications": [
            { "channel": "email", "at": epoch("09:20"), "email": "galija@example.com" },
            { "channel": "phone", "at": epoch("09:10"), "phone-number": RESTAURANT },
            { "channel": "phone", "at": epoch("08:00"), "phone-number": "+385919999999" },
            { "channel": "pubnub", "at": epoch("09:15"), "pubnub-channel": "screen-7" },
        ],
    });
    let (status, answer) = app.post("/v1/requests", &request).await;
    assert_eq!((status, &answer["result"]), (202, &json!("started")), "{answer:#}");
    app.settle().await;
    assert_eq!(app.called(), ["+385919999999"], "what was due already goes out at once");

    app.clock_shows("09:10").await;
    assert_eq!(app.called().len(), 2);
    assert!(app.printed.lock().unwrap().is_empty());
    app.clock_shows("09:15").await;
    assert_eq!(app.printed.lock().unwrap().concat(), "pubnub [order-7, publish-3] to screen-7: {}");
    app.clock_shows("09:20").await;
    let printed = app.printed.lock().unwrap().join("\n");
    assert!(printed.contains("galija@example.com") && printed.contains("New orders"), "{printed}");
    assert_eq!(app.process("order-7").await["status"], "completed");
    app.finish().await;
}

async fn requests_of_roesc_that_repeat_or_are_late(kind: Kind) {
    let app = TestApp::on(kind).await;
    let phone = json!({ "channel": "phone", "at": epoch("09:10"), "phone-number": RESTAURANT });
    let start = json!({ "process-id": "o", "action": "start", "notifications": [phone] });
    let stop = json!({ "process-id": "o", "action": "stop" });
    let mut results = Vec::new();
    for request in [&stop, &start, &start, &stop, &stop, &start] {
        let (status, answer) = app.post("/v1/requests", request).await;
        assert_eq!(status, 202, "{answer:#}");
        results.push(answer["result"].as_str().unwrap().to_owned());
    }
    assert_eq!(results, ["ignored", "started", "ignored", "stopped", "ignored", "started"]);
    app.clock_shows("10:00").await;
    assert_eq!(app.called(), [RESTAURANT], "once, by the last one");
    app.finish().await;
}

async fn requests_of_roesc_that_are_wrong(kind: Kind) {
    let app = TestApp::on(kind).await;
    let phone = |at: serde_json::Value| {
        let one = json!({ "channel": "phone", "at": at, "phone-number": RESTAURANT });
        json!({ "process-id": "o", "action": "start", "notifications": [one] })
    };
    for (request, pointer) in [
        (json!([]), ""),
        (json!({ "action": "stop" }), "/process-id"),
        (json!({ "process-id": 7, "action": "stop" }), "/process-id"),
        (json!({ "process-id": "o", "action": "restart" }), "/action"),
        (json!({ "process-id": "o", "action": "start" }), "/notifications"),
        (json!({ "process-id": "o", "action": "start", "notifications": [] }), "/notifications"),
        (json!({ "process-id": "o", "action": "start", "notifications": [3] }), "/notifications/0"),
        (phone(json!("now")), "/notifications/0/at"),
        (
            json!({ "process-id": "o", "action": "start", "notifications": [
                { "channel": "phone", "at": 1, "phone-number": "hello" }] }),
            "/notifications/0/phone-number",
        ),
        (
            json!({ "process-id": "o", "action": "start", "notifications": [
                { "channel": "email", "at": 1, "email": "a@b.hr\r\nBcc: z@z.hr" }] }),
            "/notifications/0/email",
        ),
        (phone(json!(1e300)), "/notifications/0/at"),
        (
            json!({ "process-id": "o", "action": "start", "notifications": [{ "channel": "fax", "at": 1 }] }),
            "/notifications/0/channel",
        ),
        (
            json!({ "process-id": "o", "action": "start", "notifications": [
                { "channel": "pubnub", "at": 1, "pubnub-channel": "a,b" }] }),
            "/notifications/0/pubnub-channel",
        ),
        (
            json!({ "process-id": "o", "action": "start", "notifications": [{ "channel": "email", "at": 1 }] }),
            "/notifications/0/email",
        ),
    ] {
        let (status, problem) = app.post("/v1/requests", &request).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{request}: {problem:#}"
        );
    }
    app.finish().await;
}

async fn inline_steps_are_checked_and_climbed(kind: Kind) {
    let app = TestApp::on(kind).await;
    let steps = json!([
        { "id": "wait", "run": "WaitForDuration", "config": { "amount": 10, "unit": "minutes" } },
        { "id": "ring", "run": "Phone", "config": { "to": "{{phone}}", "say": "Hello" } },
    ]);
    for id in ["a", "b"] {
        let body = json!({ "process_id": id, "steps": steps, "data": { "phone": RESTAURANT } });
        let (status, answer) = app.post("/v1/processes", &body).await;
        assert_eq!(status, 201, "{answer:#}");
    }
    assert_eq!(app.process("a").await["sequence"], app.process("b").await["sequence"]);
    app.clock_shows("09:10").await;
    assert_eq!(app.called().len(), 2);

    let wrong = json!({ "steps": [{ "id": "ring", "run": "Fone", "config": {} }] });
    let (status, problem) = app.post("/v1/processes", &wrong).await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"][0]["pointer"], "/steps/0/run", "{problem:#}");
    app.finish().await;
}

const MAIL: &str = r#"
sequence: mail
steps:
  - id: mail
    run: Email
    config:
      to: ["{{to}}", "Boss <boss@example.com>"]
      subject: "Order {{number}}"
      text: "{{name}} ordered."
      html: "<b>{{name}}</b> ordered."
    altNext: ring
  - { id: sent, run: GoTo, config: { step: end } }
  - { id: ring, run: Phone, config: { to: "+385911234567", say: Hello } }
"#;

async fn a_mail_reaches_a_real_server(kind: Kind) {
    let mut server = MailServer::start();
    let app = Setup { smtp: Some(server.config()), ..Setup::on(kind) }.start().await;
    let data = json!({ "to": "galija@example.com", "number": 7, "name": "Tom & <Jerry>" });
    app.climb(MAIL, "m", data).await;

    let mail = server.message();
    let delivery = app.process("m").await["deliveries"][0]["id"].as_str().unwrap().to_owned();
    assert!(mail.raw.contains(&format!("Message-ID: <{delivery}@")), "{}", mail.raw);
    assert!(mail.raw.contains("multipart/alternative"), "{}", mail.raw);
    assert!(mail.raw.contains("Tom & <Jerry> ordered."), "{}", mail.raw);
    assert!(mail.raw.contains("<b>Tom &amp; &lt;Jerry&gt;</b> ordered."), "{}", mail.raw);
    assert_eq!(app.stands("m").await, "completed at sent");
    app.finish().await;
}

async fn a_mail_server_that_is_busy_and_a_mailbox_that_is_none(kind: Kind) {
    let server = MailServer::start();
    let app = Setup { smtp: Some(server.config()), ..Setup::on(kind) }.start().await;
    app.twilio.script(RESTAURANT, Fate::Answered);
    app.publish(MAIL).await;
    for to in ["busy", "nobody"] {
        let data = json!({ "to": format!("{to}@example.com"), "number": 7, "name": "Ana" });
        app.start_process("mail", to, data).await;
    }
    app.clock_shows("10:00").await;

    let busy = app.process("busy").await["deliveries"][0].clone();
    assert_eq!(busy["attempts"], 5, "tried again, and given up: {busy:#}");
    assert_eq!(
        app.called(),
        [RESTAURANT],
        "the other way for one; the other mail went to the boss"
    );
    app.finish().await;
}
