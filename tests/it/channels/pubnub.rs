//! Messages, against a PubNub that is as strict as its documentation.

use std::time::Duration;

use rungs::channels::{Config, SendError};
use rungs_runners::{DeliveryStatus, builtin::pubnub::Publication};
use serde_json::json;

use super::{doubtful, refused, send, temporary};
use crate::fakes::pubnub::{FakePubNub, KEYS, Published};

fn config(fake: &FakePubNub) -> Config {
    Config { pubnub: Some(fake.config()), ..Config::default() }
}

fn publication() -> Publication {
    let message = json!({ "order": 1042, "text": "čekaju <narudžbe>" });
    Publication { channel: "orders-galija".into(), message, store: false }
}

#[tokio::test]
async fn a_message_is_published_as_json_to_its_channel() {
    let fake = FakePubNub::start().await;
    let sent = send(&config(&fake), "pubnub", &publication()).await.unwrap();
    assert_eq!(sent.provider_id.as_deref(), Some("14375189629170001"), "the timetoken");
    assert_eq!((sent.status, sent.then.len()), (DeliveryStatus::Sent, 0));
    let odd = Publication { channel: "ž:a.b?c#d%2F".into(), store: true, message: json!("hi") };
    send(&config(&fake), "pubnub", &odd).await.unwrap();
    let published = |publication: Publication, store: &str| Published {
        channel: publication.channel,
        message: publication.message,
        store: store.into(),
        uuid: "rungs-1".into(),
    };
    assert_eq!(fake.published(), [published(publication(), "0"), published(odd, "1")]);
}

#[tokio::test]
async fn two_hundred_with_an_error_inside_is_no_success() {
    let fake = FakePubNub::start().await;
    fake.next((200, r#"[0,"Account quota exceeded (2/1000000)","0"]"#));
    let reason = temporary(send(&config(&fake), "pubnub", &publication()).await);
    assert_eq!(reason, "HTTP 200, but it was not published: Account quota exceeded (2/1000000)");
    fake.next((200, r#"[0,"Message Too Large","0"]"#));
    assert!(refused(send(&config(&fake), "pubnub", &publication()).await).contains("Too Large"));
    fake.next((200, "<html>captive portal</html>"));
    doubtful(send(&config(&fake), "pubnub", &publication()).await);
    assert!(fake.published().is_empty());
}

#[tokio::test]
async fn a_wrong_key_is_refused_with_pubnubs_words_and_without_the_key() {
    let fake = FakePubNub::start().await;
    let mut config = config(&fake);
    config.pubnub.as_mut().unwrap().publish_key = "pub-c-hushhush".into();
    let reason = refused(send(&config, "pubnub", &publication()).await);
    assert_eq!(reason, "HTTP 400 Bad Request: Invalid Key");
    let shown = format!("{config:?}");
    assert!(!shown.contains(KEYS.0) && !shown.contains(KEYS.1), "{shown}");
}

#[tokio::test]
async fn trouble_is_sorted_by_whether_it_may_have_been_published() {
    let fake = FakePubNub::start().await;
    fake.asks_to_wait("7");
    for status in [429, 503, 408] {
        fake.next((status, r#"{"error":true,"message":"Slow down"}"#));
        let error = send(&config(&fake), "pubnub", &publication()).await.unwrap_err();
        let SendError::Temporary { reason, retry_after } = error else { panic!("{error:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(7)), "{status}: {reason}");
        assert!(reason.ends_with("Slow down"), "{reason}");
    }
    for status in [500, 502, 504] {
        fake.next((status, ""));
        doubtful(send(&config(&fake), "pubnub", &publication()).await);
    }
    for status in [400, 403, 413, 414] {
        fake.next((status, "[0,\"no\"]"));
        assert!(refused(send(&config(&fake), "pubnub", &publication()).await).ends_with(": no"));
    }
    let gone = { FakePubNub::start().await.config() };
    let config = Config { pubnub: Some(gone), ..Config::default() };
    let reason = temporary(send(&config, "pubnub", &publication()).await);
    assert!(!reason.contains("hush"), "{reason}");
}
