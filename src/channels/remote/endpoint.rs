//! A runner at a URL: signed posts.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    MOST_ANSWERED, Transport,
    signature::{SHORTEST_SECRET, SIGNATURE, TIMESTAMP, sign},
};
use crate::{
    channels::{SendError, Shared, http},
    clock::Clock,
};

/// An endpoint.
pub(super) struct Endpoint {
    url: Url,
    secret: SecretString,
    timeout: Duration,
    http: Client,
}

/// Opens it; what is wrong is told with its key.
pub(super) fn open(
    url: &Url,
    secret: Option<&SecretString>,
    timeout: Duration,
    shared: &Shared,
) -> Result<Endpoint, (&'static str, &'static str)> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(("url", "expected an address that begins with https:// or http://"));
    }
    let secret = secret.filter(|it| it.expose_secret().trim().len() >= SHORTEST_SECRET);
    let secret =
        secret.ok_or(("secret", "expected at least 16 characters, which sign what is posted"))?;
    Ok(Endpoint { url: url.clone(), secret: secret.clone(), timeout, http: shared.http.clone() })
}

#[async_trait]
impl Transport for Endpoint {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn ask(&self, body: Vec<u8>, key: &str) -> Result<Vec<u8>, SendError> {
        // The receiver's clock is the machine's, also where ours is put forward.
        let timestamp = Clock::System.now().timestamp();
        let signature = sign(self.secret.expose_secret(), timestamp, &body);
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(body)
            .timeout(self.timeout);
        let response = request.send().await.map_err(|error| self.unanswered(error))?;
        let status = response.status();
        if !status.is_success() {
            let retry_after = http::retry_after(response.headers(), Clock::System.now());
            let hint = if status.is_redirection() { ": a redirect is not followed" } else { "" };
            return Err(SendError::Temporary {
                reason: format!("HTTP {status}{hint}"),
                retry_after,
            });
        }
        http::body_of(response, MOST_ANSWERED).await.map_err(SendError::temporary)
    }
}

impl Endpoint {
    /// Nobody is contacted by a question, so it does not matter whether it arrived.
    fn unanswered(&self, error: reqwest::Error) -> SendError {
        if error.is_timeout() {
            let reason = format!("no answer within {} s", self.timeout.as_secs_f64());
            return SendError::temporary(reason);
        }
        SendError::temporary(http::explain(&error.without_url()))
    }
}
