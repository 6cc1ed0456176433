//! Providers that call back.

use reqwest::Method;
use rungs::channels::twilio::{self, Callbacks, signature};
use secrecy::SecretString;

use super::{Answer, Server};

const PUBLIC: &str = "https://rungs.example/in";
const TOKEN: &str = "hush";

async fn believing() -> Server {
    let config: twilio::Config = toml::from_str(&format!(
        "account_sid = 'AC1'\nauth_token = '{TOKEN}'\npublic_url = '{PUBLIC}'"
    ))
    .unwrap();
    Server::start_with(|state| {
        state.callbacks = Callbacks::new(&config);
        state.api_keys = vec![SecretString::from("key")];
    })
    .await
}

async fn call_back(
    server: &Server,
    path: &str,
    fields: &[(&str, &str)],
    signature: &str,
) -> Answer {
    let request = server.request(Method::POST, path).form(fields);
    Answer::of(request.header("x-twilio-signature", signature)).await
}

fn sign(path: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    signature::sign(TOKEN, &format!("{PUBLIC}{path}"), &fields)
}

#[tokio::test]
async fn a_signed_callback_needs_no_key() {
    let server = believing().await;
    let call = [("CallSid", "CA1"), ("CallStatus", "completed"), ("To", "+385 91 č")];
    let message = [("MessageSid", "SM1"), ("MessageStatus", "delivered")];
    for (path, fields) in [
        ("/callbacks/twilio/calls/d1", &call[..]),
        ("/callbacks/twilio/calls/d1?attempt=2&of=%2B3", &call[..]),
        ("/callbacks/twilio/messages/d1", &message[..]),
    ] {
        let answer = call_back(&server, path, fields, &sign(path, fields)).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}");
    }
}

#[tokio::test]
async fn a_callback_that_is_not_signed_for_this_very_request_is_not_believed() {
    let server = believing().await;
    let fields = [("CallSid", "CA1"), ("CallStatus", "completed")];
    let path = "/callbacks/twilio/calls/d1";
    let signature = sign(path, &fields);
    let forged = [("CallSid", "CA1"), ("CallStatus", "busy")];
    for (path, fields, signature) in [
        (path, fields, ""),
        (path, fields, "bm9uZQ=="),
        (path, forged, signature.as_str()),
        ("/callbacks/twilio/calls/d2", fields, signature.as_str()),
        ("/callbacks/twilio/calls/d1?x", fields, signature.as_str()),
        ("/callbacks/twilio/messages/d1", fields, signature.as_str()),
    ] {
        let answer = call_back(&server, path, &fields, signature).await;
        answer.problem(403, "unsigned-callback");
    }
    let bare = server.request(Method::POST, path).form(&fields).bearer_auth("key");
    Answer::of(bare).await.problem(403, "unsigned-callback");
}

#[tokio::test]
async fn where_no_provider_calls_back_there_is_nothing() {
    let server = Server::start().await;
    let path = "/callbacks/twilio/calls/d1";
    call_back(&server, path, &[], &sign(path, &[])).await.problem(404, "not-found");
}
