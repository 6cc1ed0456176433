//! What the provider says by itself, at a door that believes only what is signed.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use rungs::channels::{
    Channels, Config, Heard,
    twilio::{Callbacks, callback},
};
use rungs_runners::{
    DeliveryStatus,
    builtin::{phone::Call, sms::Sms},
};
use tokio::net::TcpListener;

use super::{DELIVERY, call, send, send_with, sms};
use crate::fakes::twilio::{FakeTwilio, Fate, TOKEN, field};

/// A door for callbacks that believes only what is signed, and notes what it heard.
struct Door {
    public_url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Door {
    /// For deliveries of `request`.
    async fn open(request: serde_json::Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let config = serde_json::json!({
            "account_sid": "AC1", "auth_token": TOKEN, "public_url": public_url });
        let callbacks = Callbacks::new(&serde_json::from_value(config).unwrap()).unwrap();
        let state = (Arc::new(callbacks), Arc::new(request), Arc::clone(&heard));
        let routes = Router::new().fallback(take).with_state(state);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { public_url, heard }
    }

    fn config(&self, fake: &FakeTwilio) -> Config {
        Config { twilio: Some(fake.config(Some(&self.public_url))), ..Config::default() }
    }

    /// What was heard since this was asked last.
    fn heard(&self) -> Vec<DeliveryStatus> {
        self.heard.lock().unwrap().drain(..).map(|heard| heard.status).collect()
    }
}

type DoorState = (Arc<Callbacks>, Arc<serde_json::Value>, Arc<Mutex<Vec<Heard>>>);

async fn take(
    State((callbacks, request, heard)): State<DoorState>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let form: Vec<_> = url::form_urlencoded::parse(&body).into_owned().collect();
    let signature = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
    if callbacks.verify(&uri.to_string(), &form, signature).is_err() {
        return StatusCode::FORBIDDEN;
    }
    let is_call = uri.path().starts_with("/callbacks/twilio/calls/");
    let news = if is_call { callback::call(&form, &request) } else { callback::message(&form) };
    heard.lock().unwrap().extend(news);
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn a_call_is_followed_from_ringing_to_its_end() {
    use DeliveryStatus::{Answered, Busy, Completed, Failed, NoAnswer, Rejected, Sent};
    let fake = FakeTwilio::start().await;
    let door = Door::open(serde_json::to_value(call()).unwrap()).await;
    let config = door.config(&fake);
    for (fate, statuses) in [
        (Fate::Answered, vec![Sent, Sent, Answered, Completed]),
        (Fate::Busy, vec![Sent, Sent, Busy]),
        (Fate::NoAnswer, vec![Sent, Sent, NoAnswer]),
        (Fate::Declined, vec![Sent, Sent, Rejected]),
        (Fate::NoSuchNumber, vec![Sent, Sent, Failed]),
    ] {
        let sid = send(&config, "phone", &call()).await.unwrap().provider_id.unwrap();
        assert_eq!(fake.ring(&sid, fate).await, vec![204; statuses.len()]);
        assert_eq!(door.heard(), statuses, "{fate:?}");
    }
}

#[tokio::test]
async fn a_machine_never_counts_as_an_answer_if_it_is_looked_for() {
    use DeliveryStatus::{Answered, Completed, Machine, Sent};
    let fake = FakeTwilio::start().await;
    let detecting = Call { detect_machine: true, ..call() };
    let door = Door::open(serde_json::to_value(&detecting).unwrap()).await;
    let config = door.config(&fake);
    for (fate, statuses, end) in [
        (Fate::Answered, vec![Sent, Sent, Sent, Answered, Completed], Completed),
        (Fate::Machine, vec![Sent, Sent, Sent, Machine, Completed], Machine),
        (Fate::Unclear, vec![Sent, Sent, Sent, Machine, Completed], Machine),
    ] {
        let sid = send(&config, "phone", &detecting).await.unwrap().provider_id.unwrap();
        fake.ring(&sid, fate).await;
        let heard = door.heard();
        assert_eq!(heard, statuses, "{fate:?}");
        let known = heard.into_iter().fold(Sent, DeliveryStatus::after);
        assert_eq!(known, end, "{fate:?}");
    }
}

#[tokio::test]
async fn callbacks_may_come_twice_late_and_in_any_order() {
    let fake = FakeTwilio::start().await;
    let door = Door::open(serde_json::to_value(call()).unwrap()).await;
    let sid = send(&door.config(&fake), "phone", &call()).await.unwrap().provider_id.unwrap();
    let callbacks = fake.happens(&sid, Fate::Answered);
    for callback in callbacks.iter().rev().chain(&callbacks) {
        assert_eq!(fake.call_back(callback).await, 204);
    }
    let heard = door.heard();
    assert_eq!(heard.len(), 8);
    let known = heard.into_iter().fold(DeliveryStatus::Sent, DeliveryStatus::after);
    assert_eq!(known, DeliveryStatus::Completed);
}

#[tokio::test]
async fn a_forged_callback_is_not_believed() {
    let fake = FakeTwilio::start().await;
    let door = Door::open(serde_json::to_value(sms()).unwrap()).await;
    let sid = send(&door.config(&fake), "sms", &sms()).await.unwrap().provider_id.unwrap();
    let callbacks = fake.happens(&sid, Fate::Delivered);
    let mut forged = callbacks[1].clone();
    forged.form.iter_mut().for_each(|(_, value)| *value = value.replace("delivered", "failed"));
    assert_eq!(field(&forged.form, "MessageStatus"), Some("failed"));
    assert_eq!(fake.call_back(&forged).await, 403);
    let mut elsewhere = callbacks[1].clone();
    elsewhere.url.push_str("-other");
    assert_eq!(fake.call_back(&elsewhere).await, 403);
    assert_eq!(door.heard(), []);
    assert_eq!(fake.call_back(&callbacks[1]).await, 204);
    assert_eq!(door.heard(), [DeliveryStatus::Delivered]);
}

#[tokio::test]
async fn each_number_meets_its_own_fate() {
    let fake = FakeTwilio::start().await;
    let door = Door::open(serde_json::to_value(call()).unwrap()).await;
    let channels = Channels::open(&door.config(&fake)).unwrap();
    fake.script("+385911111111", Fate::Busy);
    fake.script("+385922222222", Fate::Delivered);
    for to in ["+385911111111", "+385933333333"] {
        send_with(&channels, "phone", &Call { to: to.into(), ..call() }).await.unwrap();
    }
    let sms = Sms { to: "+385922222222".into(), ..sms() };
    send_with(&channels, "sms", &sms).await.unwrap();
    assert_eq!(fake.play().await, 2);
    assert_eq!(fake.play().await, 0, "each fate is met once");
    let statuses: Vec<_> = fake.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, ["busy", "queued"]);
    assert_eq!(door.heard().last(), Some(&DeliveryStatus::Delivered));
    assert_eq!(fake.calls()[0].delivery(), Some(DELIVERY));
}
