//! PubNub: messages to programs that listen.
//!
//! Promises: one `POST` of the message as JSON; the answer is read, not only its status,
//! since PubNub also answers 200 with an error inside. Neither key appears in an error.
//! Does not: look for a message that may have arrived. PubNub knows no id of ours, so where
//! it is in doubt, the step's `inDoubt` decides.
//! Called by: the engine, as a [`Channel`].
//! Source: the REST API's "Publish" (`www.pubnub.com/docs/sdks/rest-api`).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Response, StatusCode};
use rungs_runners::{DeliveryStatus, builtin::pubnub::Publication};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Channel, Misconfigured, Outgoing, SendError, Sent, Shared, http};

/// A keyset at PubNub.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Allows to publish.
    pub publish_key: SecretString,
    /// Names the keyset.
    pub subscribe_key: SecretString,
    /// Where the API is.
    #[serde(default = "pubnub")]
    pub service_url: Url,
    /// Who publishes, for PubNub's own reports.
    #[serde(default = "rungs")]
    pub uuid: String,
    /// Seconds until an answer is given up.
    #[serde(default = "patience")]
    pub timeout: f64,
}

/// PubNub itself: a constant address.
fn pubnub() -> Url {
    Url::parse("https://ps.pndsn.com").unwrap_or_else(|_| unreachable!("a constant address"))
}

fn rungs() -> String {
    "rungs".to_owned()
}

fn patience() -> f64 {
    10.0
}

/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Opens the `pubnub` channel.
pub(super) fn open(
    config: &super::Config,
    shared: &Shared,
) -> Result<Option<Arc<dyn Channel>>, Misconfigured> {
    let Some(config) = &config.pubnub else { return Ok(None) };
    let wrong = |key: &str, reason: &str| Misconfigured::new(format!("pubnub.{key}"), reason);
    let keys = [("publish_key", &config.publish_key), ("subscribe_key", &config.subscribe_key)];
    if let Some((key, _)) = keys.iter().find(|(_, it)| it.expose_secret().trim().is_empty()) {
        return Err(wrong(key, "expected a key"));
    }
    let service = config.service_url.as_str().trim_end_matches('/').to_owned();
    if !matches!(config.service_url.scheme(), "http" | "https") || service.contains(['?', '#']) {
        return Err(wrong(
            "service_url",
            "expected an address that begins with https:// or http://, without ? and #",
        ));
    }
    let timeout = Duration::try_from_secs_f64(config.timeout).ok().filter(|it| !it.is_zero());
    let timeout = timeout.ok_or_else(|| wrong("timeout", "expected seconds, more than 0"))?;
    Ok(Some(Arc::new(PubNub {
        config: config.clone(),
        service,
        timeout,
        http: shared.http.clone(),
    })))
}

/// The `pubnub` channel.
struct PubNub {
    config: Config,
    service: String,
    timeout: Duration,
    http: Client,
}

impl PubNub {
    fn address(&self, channel: &str) -> String {
        let Config { publish_key, subscribe_key, .. } = &self.config;
        let [publish, subscribe, channel] =
            [publish_key.expose_secret(), subscribe_key.expose_secret(), channel]
                .map(|part| utf8_percent_encode(part, PLAIN));
        format!("{}/publish/{publish}/{subscribe}/0/{channel}/0", self.service)
    }
}

#[async_trait]
impl Channel for PubNub {
    fn name(&self) -> &'static str {
        "pubnub"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let Publication { channel, message, store } = outgoing.read()?;
        let query = [("store", if store { "1" } else { "0" }), ("uuid", &self.config.uuid)];
        let request = self.http.post(self.address(&channel)).query(&query).json(&message);
        let response = request.timeout(self.timeout).send().await.map_err(http::unanswered)?;
        published(response, outgoing.now).await
    }
}

/// Sorts an answer: `[1, "Sent", "<timetoken>"]`, and everything else.
async fn published(response: Response, now: DateTime<Utc>) -> Result<Sent, SendError> {
    let status = response.status();
    let retry_after = http::retry_after(response.headers(), now);
    let body = http::body(response).await;
    if status.is_success() {
        let body = body.map_err(|reason| SendError::InDoubt { reason })?;
        return said(&body);
    }
    let reason = complaint(&body.unwrap_or_default());
    let reason =
        reason.map_or_else(|| format!("HTTP {status}"), |it| format!("HTTP {status}: {it}"));
    Err(match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => SendError::Temporary { reason, retry_after },
        _ if status.is_server_error() => SendError::InDoubt { reason },
        _ => SendError::failed(reason),
    })
}

/// What an answer of 200 says.
fn said(body: &[u8]) -> Result<Sent, SendError> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match (answer.get(0).and_then(Value::as_i64), answer.get(2)) {
        (Some(1), timetoken) => {
            let provider_id = timetoken.and_then(Value::as_str).map(str::to_owned);
            Ok(Sent::taken(provider_id, DeliveryStatus::Sent))
        }
        (Some(0), _) => {
            let reason = complaint(body).unwrap_or_else(|| "without a reason".to_owned());
            // What is wrong with the keys or the message stays wrong; a quota does not.
            let stays =
                ["invalid", "too large"].iter().any(|it| reason.to_lowercase().contains(it));
            let reason = format!("HTTP 200, but it was not published: {reason}");
            Err(if stays { SendError::failed(reason) } else { SendError::temporary(reason) })
        }
        _ => Err(SendError::InDoubt { reason: "the answer is not that of PubNub".to_owned() }),
    }
}

/// What PubNub says is wrong: the second of a list, or the `message` of an object.
fn complaint(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let said = answer.get(1).or_else(|| answer.get("message"))?.as_str()?;
    Some(said.chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(line: &str) -> Result<Option<Arc<dyn Channel>>, Misconfigured> {
        let text = format!("[pubnub]\npublish_key = 'p'\nsubscribe_key = 's'\n{line}");
        let config = toml::from_str(&text).expect("TOML of the right shape");
        let shared = Shared { http: http::client().unwrap(), caller_ids: Arc::default() };
        super::open(&config, &shared)
    }

    #[test]
    fn what_could_not_work_is_refused_by_its_place() {
        assert!(open("").unwrap().is_some());
        for (line, place) in [
            ("service_url = 'ftp://ps.pndsn.com'", "pubnub.service_url"),
            ("service_url = 'https://ps.pndsn.com/?a=1'", "pubnub.service_url"),
            ("timeout = 0.0", "pubnub.timeout"),
        ] {
            assert_eq!(open(line).err().expect(line).place, place);
        }
    }

    #[test]
    fn two_hundred_is_not_enough() {
        let sent = said(br#"[1,"Sent","14375189629170609"]"#).unwrap();
        assert_eq!(sent.provider_id.as_deref(), Some("14375189629170609"));
        let refused = said(br#"[0,"Invalid Key","0"]"#).unwrap_err();
        assert!(
            matches!(&refused, SendError::Refused { reason, .. } if reason.contains("Invalid Key"))
        );
        let quota = said(br#"[0,"Account quota exceeded (2/1000000)","0"]"#).unwrap_err();
        assert!(matches!(quota, SendError::Temporary { .. }));
        for odd in [&b"<html>"[..], b"{}", b"[]", b"1", br#"["1"]"#, br#"[2,"Sent"]"#, b""] {
            assert!(matches!(said(odd), Err(SendError::InDoubt { .. })), "{odd:?}");
        }
    }
}
