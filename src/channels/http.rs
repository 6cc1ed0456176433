//! What every channel over HTTP needs: one client, bodies that cannot grow without end,
//! and the difference between "nothing left" and "nobody knows".

use std::{error::Error, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    Certificate, Client, ClientBuilder, Response, dns::Resolve, header::HeaderMap, redirect,
};

use super::{Misconfigured, SendError};

/// The longest answer that is read, in bytes. Providers answer with a few kilobytes.
pub(super) const MOST: usize = 1024 * 1024;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// The client that all channels share: it pools connections, and follows no redirect,
/// since a redirected POST would be another request than the one that was asked for.
pub(crate) fn client() -> Result<Client, Misconfigured> {
    build(|builder| builder)
}

/// The same, for what is on this machine itself: no proxy of the environment is asked.
pub(crate) fn direct_client() -> Result<Client, Misconfigured> {
    build(ClientBuilder::no_proxy)
}

/// The same, for addresses that a sequence names: it asks no proxy, which would look for them
/// itself, and connects only to where `reach` leads.
pub(super) fn client_that_reaches(
    reach: Arc<impl Resolve + 'static>,
) -> Result<Client, Misconfigured> {
    build(|builder| builder.no_proxy().dns_resolver(reach))
}

fn build(more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client, Misconfigured> {
    // The first one wins, and every later call is told so: that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let roots: Vec<Certificate> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| Certificate::from_der(root).ok())
        .collect();
    let builder = Client::builder()
        .user_agent(concat!("rungs/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(redirect::Policy::none())
        .tls_certs_merge(roots);
    more(builder).build().map_err(|error| Misconfigured::new("TLS", explain(&error)))
}

/// Sorts an error that came before any answer.
pub(super) fn unanswered(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let reason = explain(&error);
    if error.is_builder() {
        SendError::failed(reason)
    } else if error.is_connect() {
        SendError::temporary(reason)
    } else {
        SendError::InDoubt { reason }
    }
}

/// The body of an answer, or why it could not be read.
pub(crate) async fn body(response: Response) -> Result<Vec<u8>, String> {
    body_of(response, MOST).await
}

/// The body of an answer of up to `most` bytes, or why it could not be read.
pub(super) async fn body_of(response: Response, most: usize) -> Result<Vec<u8>, String> {
    let body = read(response, most).await;
    body.map_err(|(Unread::TooLong(reason) | Unread::Broken(reason))| reason)
}

/// Why a body could not be read.
pub(super) enum Unread {
    /// There is more of it than may be read.
    TooLong(String),
    /// The rest did not come.
    Broken(String),
}

/// The body of an answer of up to `most` bytes.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                return Err(Unread::TooLong(format!("the answer is longer than {most} bytes")));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err(Unread::Broken(explain(&error.without_url()))),
        }
    }
}

/// The longest wait that a provider is granted. No escalation outlives a longer one.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// How long `Retry-After` asks to wait: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.to_utc() - now).to_std().unwrap_or_default().min(LONGEST_WAIT))
}

/// An error with what lies beneath it.
pub(crate) fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        let more = below.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = below.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_or_nothing() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("18446744073709551615", Some(86_400)),
            ("Mon, 21 Oct 2515 07:28:00 GMT", Some(86_400)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
