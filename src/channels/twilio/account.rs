//! An account: authenticated requests, and what the answers mean.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use rungs_runners::{DeliveryStatus, address::is_messaging_service};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Config, callback::Callbacks};
use crate::channels::{SendError, Shared, caller_ids::Registry, http};

/// The answer to a request that was taken.
type Answer = serde_json::Map<String, Value>;

/// How many calls or messages are listed at most, the newest first: of one sender to one
/// recipient, within the minutes that matter.
const MOST_LISTED: &str = "100";

/// How far the provider's clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Whether a call or message was created by a request that left at `since`, or later. One
/// that says nothing of it counts: to adopt too few is to repeat too many.
pub(super) fn is_since(answer: &Answer, since: DateTime<Utc>) -> bool {
    let created_at = answer.get("date_created").and_then(Value::as_str);
    let created_at = created_at.and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    created_at.is_none_or(|created_at| created_at.to_utc() >= since - SKEW)
}

/// What Twilio answers when the callee has unsubscribed from the sender.
const UNSUBSCRIBED: u64 = 21610;

pub(super) struct Account {
    config: Config,
    http: Client,
    caller_ids: Arc<Registry>,
}

impl Account {
    pub fn new(config: Config, shared: &Shared) -> Self {
        Self { config, http: shared.http.clone(), caller_ids: Arc::clone(&shared.caller_ids) }
    }

    /// Where Twilio reports on the delivery `id`, if it can reach us.
    pub fn callback(&self, resource: &str, id: &str) -> Option<String> {
        let public = self.config.public_url.as_ref()?;
        Some(Callbacks::address(public, resource, id))
    }

    pub fn is_called_back(&self) -> bool {
        self.config.public_url.is_some()
    }

    /// The number that calls or texts `to`: the step's, else the registry's.
    pub fn caller_id(&self, from: Option<&str>, to: &str) -> Result<String, SendError> {
        let from = from.map(str::trim).filter(|from| !from.is_empty()).map(str::to_owned);
        from.or_else(|| self.caller_ids.for_number(to)).ok_or_else(|| {
            SendError::failed(format!(
                "no caller id for {to}: the step has no `from`, and the registry of caller ids \
                 neither a matching prefix nor a default"
            ))
        })
    }

    /// Creates a call or a message.
    pub async fn create(
        &self,
        resource: &str,
        form: &[(&str, String)],
        now: DateTime<Utc>,
    ) -> Result<Answer, SendError> {
        let request = self.http.post(self.address(&format!("{resource}.json"))).form(form);
        let response = self.authenticated(request).send().await.map_err(http::unanswered)?;
        let answer = taken(response, now).await?;
        if answer.get("sid").is_some_and(Value::is_string) {
            Ok(answer)
        } else {
            Err(SendError::InDoubt { reason: "the answer names no sid".into() })
        }
    }

    /// Asks for a call or a message.
    pub async fn fetch(
        &self,
        resource: &str,
        sid: &str,
        now: DateTime<Utc>,
    ) -> Result<Answer, SendError> {
        if sid.is_empty() || !sid.chars().all(|char| char.is_ascii_alphanumeric() || char == '-') {
            return Err(SendError::failed(format!("{sid:?} is no sid")));
        }
        self.get(self.http.get(self.address(&format!("{resource}/{sid}.json"))), now).await
    }

    /// Asks for all calls or messages from `from` to `to`, the newest first.
    pub async fn list(
        &self,
        resource: &str,
        from: &str,
        to: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Answer>, SendError> {
        let mut query = vec![("To", to), ("PageSize", MOST_LISTED)];
        // A messaging service chooses among its senders itself.
        if !is_messaging_service(from) {
            query.push(("From", from));
        }
        let request = self.http.get(self.address(&format!("{resource}.json"))).query(&query);
        let mut answer = self.get(request, now).await?;
        match answer.remove(&resource.to_ascii_lowercase()) {
            Some(Value::Array(items)) => Ok(items
                .into_iter()
                .filter_map(|item| match item {
                    Value::Object(item) => Some(item),
                    _ => None,
                })
                .collect()),
            _ => Err(SendError::temporary("the answer has no list")),
        }
    }

    async fn get(&self, request: RequestBuilder, now: DateTime<Utc>) -> Result<Answer, SendError> {
        let answer = match self.authenticated(request).send().await {
            Ok(response) => taken(response, now).await,
            Err(error) => Err(http::unanswered(error)),
        };
        // Asking changes nothing, so that a lost answer leaves nothing in doubt.
        answer.map_err(|error| match error {
            SendError::InDoubt { reason } => SendError::temporary(reason),
            other => other,
        })
    }

    fn address(&self, rest: &str) -> String {
        let base = self.config.base_url.as_str().trim_end_matches('/');
        format!("{base}/2010-04-01/Accounts/{}/{rest}", self.config.account_sid)
    }

    fn authenticated(&self, request: RequestBuilder) -> RequestBuilder {
        let timeout = self.config.timeout().unwrap_or(Duration::MAX);
        request
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose_secret()))
            .timeout(timeout)
    }
}

/// Sorts an answer: what was taken, and everything else.
async fn taken(response: Response, now: DateTime<Utc>) -> Result<Answer, SendError> {
    let status = response.status();
    let retry_after = http::retry_after(response.headers(), now);
    let body = http::body(response).await;
    if status.is_success() {
        let body = body.map_err(|reason| SendError::InDoubt { reason })?;
        return serde_json::from_slice(&body).map_err(|_| SendError::InDoubt {
            reason: format!("HTTP {status}, but the answer is no JSON object{}", excerpt(&body)),
        });
    }
    let (code, reason) = complaint(status, &body.unwrap_or_default());
    Err(match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            SendError::Temporary { reason, retry_after }
        }
        // It says itself that it did nothing; of other trouble between us and the database
        // over there, nobody knows how far the request had come.
        StatusCode::SERVICE_UNAVAILABLE => SendError::Temporary { reason, retry_after },
        _ if status.is_server_error() => SendError::InDoubt { reason },
        _ if code == Some(UNSUBSCRIBED) => {
            SendError::Refused { status: DeliveryStatus::Rejected, reason }
        }
        _ => SendError::failed(reason),
    })
}

/// Twilio's code, and what it says is wrong.
fn complaint(status: StatusCode, body: &[u8]) -> (Option<u64>, String) {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return (None, format!("HTTP {status}{}", excerpt(body)));
    };
    let code = answer.get("code").and_then(Value::as_u64);
    let text = |key: &str| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut reason = format!("HTTP {status}");
    if let Some(code) = code {
        reason = format!("{reason}, code {code}");
    }
    if let Some(message) = text("message") {
        reason = format!("{reason}: {message}");
    }
    if let Some(more) = text("more_info") {
        reason = format!("{reason} ({more})");
    }
    (code, reason)
}

/// The beginning of an answer that nobody expected, on one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..200).unwrap_or(body)).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_carries_the_providers_code_words_and_link() {
        let body = br#"{"code": 21211, "message": "The 'To' number is not valid.",
            "more_info": "https://www.twilio.com/docs/errors/21211", "status": 400}"#;
        let (code, reason) = complaint(StatusCode::BAD_REQUEST, body);
        assert_eq!(code, Some(21211));
        assert_eq!(
            reason,
            "HTTP 400 Bad Request, code 21211: The 'To' number is not valid. \
             (https://www.twilio.com/docs/errors/21211)"
        );
    }

    #[test]
    fn an_answer_that_is_no_json_is_quoted_in_brief() {
        let body = format!("<html>\n\t<h1>Bad  gateway</h1>{}", "x".repeat(10_000));
        let (code, reason) = complaint(StatusCode::BAD_GATEWAY, body.as_bytes());
        assert_eq!(code, None);
        assert!(reason.starts_with("HTTP 502 Bad Gateway: <html> <h1>Bad gateway</h1>xx"));
        assert!(reason.len() < 250, "{}", reason.len());
    }
}
