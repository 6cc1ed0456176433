//! Webhooks: HTTP requests to servers that a sequence names, and their answers.
//!
//! Promises: only hosts that the operator allows are reached (see [`reach`]), no redirect is
//! followed and no proxy of the environment is asked, since either would lead elsewhere. What
//! is read of an answer is bounded, and so is the time it takes. Every attempt of a delivery
//! bears the same `Idempotency-Key`. Headers and secrets of the configuration go to the host
//! that they are meant for, and are neither logged, shown, nor kept where a server repeats them.
//! Does not: look for a request that may have arrived. Where it is in doubt, the step's
//! `inDoubt` decides.
//! Called by: the engine, as a [`Channel`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use rungs_runners::{
    Answer, DeliveryStatus,
    builtin::webhook::{Request, check_url, header_text},
    data,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::{
    Channel, Misconfigured, Outgoing, SendError, Sent, Shared, http,
    remote::{
        answers::unreadable,
        signature::{SHORTEST_SECRET, SIGNATURE, TIMESTAMP, sign},
    },
};
use crate::clock::Clock;

mod reach;

use reach::{Reach, not_allowed, plain};

/// The longest answer that is read, in bytes: it becomes part of the process.
const MOST_ANSWERED: usize = 64 * 1024;
/// What a server says is wrong is told in so many characters.
const LONGEST_COMPLAINT: usize = 200;
/// A shorter secret may stand in an answer by chance.
const SHORTEST_TOLD: usize = 8;

/// Which servers may be reached, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Hosts: `hooks.example.com`, `*.example.com`, an address, or `*` for every public one.
    pub allow: Vec<String>,
    /// Seconds until an answer is given up.
    #[serde(default = "patience")]
    pub timeout: f64,
    /// Signs what is sent, unless the host has a secret of its own.
    pub secret: Option<SecretString>,
    /// What hosts get beside what sequences say.
    #[serde(default)]
    pub hosts: BTreeMap<String, HostConfig>,
}

/// What one host gets beside what sequences say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostConfig {
    /// Headers, such as `Authorization`. They win over those of a sequence.
    pub headers: BTreeMap<String, SecretString>,
    /// Signs what is sent there.
    pub secret: Option<SecretString>,
}

fn patience() -> f64 {
    10.0
}

/// Opens the `webhook` channel.
pub(super) fn open(
    config: &super::Config,
    _: &Shared,
) -> Result<Option<Arc<dyn Channel>>, Misconfigured> {
    let Some(config) = &config.webhook else { return Ok(None) };
    let wrong = |key: &str, reason: String| Misconfigured::new(format!("webhook{key}"), reason);
    let reach = Reach::read(&config.allow).map_err(|reason| wrong(".allow", reason))?;
    let timeout = Duration::try_from_secs_f64(config.timeout).ok().filter(|it| !it.is_zero());
    let timeout =
        timeout.ok_or_else(|| wrong(".timeout", "expected seconds, more than 0".into()))?;
    check_secret(config.secret.as_ref()).map_err(|reason| wrong(".secret", reason))?;
    let mut hosts = BTreeMap::new();
    for (name, host) in &config.hosts {
        let place = format!(".hosts.{name}");
        check_secret(host.secret.as_ref()).map_err(|reason| wrong(&place, reason))?;
        let host = OfHost::read(host, config.secret.as_ref());
        let name = name_of_host(name).map_err(|reason| wrong(&place, reason))?;
        hosts.insert(name, host.map_err(|reason| wrong(&place, reason))?);
    }
    let http = http::client_that_reaches(Arc::new(reach.clone()))?;
    let others = OfHost { headers: HeaderMap::new(), secret: config.secret.clone() };
    Ok(Some(Arc::new(Webhook { reach, timeout, hosts, others, http })))
}

/// The name of a host as it stands in an address. One that never does would send its host's
/// requests without their secrets, and nobody would hear of it.
fn name_of_host(text: &str) -> Result<String, String> {
    let expected = || {
        format!(
            "`{text}` is no host; expected a name such as `api.example.com`, or an address, without scheme, port and path"
        )
    };
    let bracketed = match text.parse::<std::net::Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]"),
        Err(_) => text.to_owned(),
    };
    let host = url::Host::parse(&bracketed).map_err(|_| expected())?.to_string();
    // A port or a path would be part of the name, if they were let through.
    let is_plain = host.chars().all(|c| c.is_ascii_alphanumeric() || "-_.[:]".contains(c));
    if is_plain { Ok(plain(&host)) } else { Err(expected()) }
}

fn check_secret(secret: Option<&SecretString>) -> Result<(), String> {
    match secret {
        Some(secret) if secret.expose_secret().trim().len() < SHORTEST_SECRET => {
            Err(format!("expected a secret of at least {SHORTEST_SECRET} characters"))
        }
        _ => Ok(()),
    }
}

/// The `webhook` channel.
struct Webhook {
    reach: Reach,
    timeout: Duration,
    hosts: BTreeMap<String, OfHost>,
    others: OfHost,
    http: Client,
}

/// What a host gets.
struct OfHost {
    /// Each marked as a secret.
    headers: HeaderMap,
    secret: Option<SecretString>,
}

impl OfHost {
    fn read(config: &HostConfig, secret: Option<&SecretString>) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let read = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("`{name}` is no name of a header"))?;
            let mut value = HeaderValue::from_str(value.expose_secret())
                .map_err(|_| format!("the value of `{name}` cannot be sent in a header"))?;
            value.set_sensitive(true);
            headers.insert(read, value);
        }
        let secret = config.secret.as_ref().or(secret);
        Ok(Self { headers, secret: secret.cloned() })
    }

    fn has_secrets(&self) -> bool {
        !self.headers.is_empty()
    }

    /// Whether an answer repeats a secret that was sent: in any of its texts, however the JSON
    /// spells them.
    fn is_repeated_in(&self, answer: &Value) -> bool {
        let values: Vec<&str> = self.headers.values().filter_map(|it| it.to_str().ok()).collect();
        let secrets: Vec<&str> = values.into_iter().flat_map(secrets_of).collect();
        has_text(answer, &|text| secrets.iter().any(|secret| text.contains(secret)))
    }
}

/// What is secret in the value of a header: `Bearer SECRET`, `session=SECRET; path=/`.
fn secrets_of(value: &str) -> impl Iterator<Item = &str> {
    let parts = value.split([' ', ';', ',']);
    let told = parts.flat_map(|part| [Some(part), part.split_once('=').map(|(_, right)| right)]);
    told.flatten()
        .map(|secret| secret.trim_matches('"'))
        .filter(|secret| secret.len() >= SHORTEST_TOLD)
}

/// Whether any text in it, names of keys too, is such. Its depth has been looked at.
fn has_text(value: &Value, is_such: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_such(text),
        Value::Array(all) => all.iter().any(|one| has_text(one, is_such)),
        Value::Object(all) => all.iter().any(|(key, one)| is_such(key) || has_text(one, is_such)),
        // A secret may be a number.
        Value::Number(number) => is_such(&number.to_string()),
        Value::Null | Value::Bool(_) => false,
    }
}

#[async_trait]
impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let request: Request = outgoing.read()?;
        let url = check_url(&request.url)
            .map_err(|wrong| SendError::failed(format!("the url: {wrong}")))?;
        self.reach.check(&url).map_err(|wrong| SendError::failed(wrong.to_string()))?;
        let host = self.host(&url)?;
        let body = Body::of(&request);
        let timestamp = Clock::System.now().timestamp();
        let mut headers = headers(&request, &body)?;
        // The receiver's clock is the machine's, also where ours is put forward.
        let mut own = vec![("Idempotency-Key", outgoing.id.clone())];
        if let Some(secret) = &host.secret {
            own.push((TIMESTAMP, timestamp.to_string()));
            own.push((SIGNATURE, sign(secret.expose_secret(), timestamp, &body.bytes)));
        }
        for (name, value) in own {
            headers.insert(name_of(name)?, value_of(name, &value)?);
        }
        headers.extend(host.headers.clone());
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .map_err(|_| SendError::failed("the method cannot be sent"))?;
        let mut sending = self.http.request(method, url).headers(headers).timeout(self.timeout);
        if body.is_some {
            sending = sending.body(body.bytes);
        }
        let response = sending.send().await.map_err(|error| self.unanswered(error))?;
        self.answered(response, &request, host, outgoing).await
    }
}

impl Webhook {
    /// What the host of an address gets. Secrets do not go where others can listen.
    fn host(&self, url: &Url) -> Result<&OfHost, SendError> {
        let name = plain(url.host_str().unwrap_or_default());
        let host = self.hosts.get(&name).unwrap_or(&self.others);
        let is_near = match url.host() {
            Some(Host::Domain(name)) => plain(name) == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if host.has_secrets() && url.scheme() != "https" && !is_near {
            return Err(SendError::failed(
                "the url is not https, and what `webhook.hosts` sends there is a secret",
            ));
        }
        Ok(host)
    }

    fn unanswered(&self, error: reqwest::Error) -> SendError {
        if let Some(wrong) = not_allowed(&error) {
            return SendError::failed(wrong.to_string());
        }
        if error.is_timeout() && !error.is_connect() {
            return SendError::InDoubt { reason: self.too_slow() };
        }
        http::unanswered(error)
    }

    fn too_slow(&self) -> String {
        format!("no answer within {} s", self.timeout.as_secs_f64())
    }

    /// Sorts an answer.
    async fn answered(
        &self,
        response: Response,
        request: &Request,
        host: &OfHost,
        outgoing: &Outgoing,
    ) -> Result<Sent, SendError> {
        let status = response.status();
        let told = format!("HTTP {status}");
        if status.is_success() {
            if !request.answer {
                return Ok(Sent::taken(None, DeliveryStatus::Sent));
            }
            let answer = match http::read(response, MOST_ANSWERED).await {
                Ok(body) => read(&body, host),
                Err(http::Unread::TooLong(reason)) => Err(reason),
                Err(http::Unread::Broken(_)) if status == StatusCode::NO_CONTENT => Ok(Value::Null),
                Err(http::Unread::Broken(reason)) => {
                    return Err(SendError::InDoubt {
                        reason: format!("{told}, and then: {reason}"),
                    });
                }
            };
            let answer = answer.map_err(|wrong| SendError::failed(format!("{told}: {wrong}")))?;
            let kept = json!({ "httpStatus": status.as_u16(), "answer": answer });
            let kept: Map<String, Value> = kept.as_object().cloned().unwrap_or_default();
            return Ok(Sent::answered(Answer::keeping(kept, Some(told))));
        }
        let retry_after = http::retry_after(response.headers(), outgoing.now);
        let reason = match complaint(response, host).await {
            _ if status.is_redirection() => format!("{told}: a redirect is not followed"),
            Some(said) => format!("{told}: {said}"),
            None => told,
        };
        Err(match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                SendError::Temporary { reason, retry_after }
            }
            _ if status.is_server_error() => SendError::Temporary { reason, retry_after },
            _ => SendError::failed(reason),
        })
    }
}

/// A body as it is sent.
struct Body {
    bytes: Vec<u8>,
    is_some: bool,
    kind: &'static str,
}

impl Body {
    fn of(request: &Request) -> Self {
        let (bytes, kind) = match &request.body {
            Value::Null => return Self { bytes: Vec::new(), is_some: false, kind: "" },
            Value::String(text) => (text.clone().into_bytes(), "text/plain; charset=utf-8"),
            json => (json.to_string().into_bytes(), "application/json"),
        };
        Self { bytes, is_some: true, kind }
    }
}

/// The headers that the sequence says, and what the body is.
fn headers(request: &Request, body: &Body) -> Result<HeaderMap, SendError> {
    let mut headers = HeaderMap::new();
    if body.is_some {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.kind));
    }
    for (name, value) in &request.headers {
        let text = header_text(value).unwrap_or_default();
        headers.insert(name_of(name)?, value_of(name, &text)?);
    }
    Ok(headers)
}

fn name_of(name: &str) -> Result<HeaderName, SendError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| SendError::failed(format!("{name:?} is no name of a header")))
}

fn value_of(name: &str, text: &str) -> Result<HeaderValue, SendError> {
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| SendError::failed(format!("the value of the header {name:?} cannot be sent")))
}

/// What was answered, or why it is not kept.
fn read(body: &[u8], host: &OfHost) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let answer: Value =
        serde_json::from_slice(body).map_err(|error| unreadable(body, &error, "JSON"))?;
    data::check_depth(&answer).map_err(|reason| format!("the answer: {reason}"))?;
    if host.is_repeated_in(&answer) {
        return Err("the answer repeats a secret of the configuration".to_owned());
    }
    Ok(answer)
}

/// What a server says is wrong, where it says so in JSON.
async fn complaint(response: Response, host: &OfHost) -> Option<String> {
    let body = http::read(response, MOST_ANSWERED).await.ok()?;
    let said: Value = serde_json::from_slice(&body).ok()?;
    let text = ["detail", "message", "error", "title"]
        .into_iter()
        .find_map(|key| said.get(key)?.as_str())?;
    let is_secret = host.is_repeated_in(&Value::from(text));
    let said = text.chars().filter(|c| !c.is_control()).take(LONGEST_COMPLAINT);
    (!is_secret).then(|| said.collect()).filter(|said: &String| !said.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lines: &str) -> String {
        let config =
            toml::from_str(&format!("[webhook]\n{lines}")).expect("TOML of the right shape");
        let shared = Shared { http: http::client().unwrap(), caller_ids: Arc::default() };
        open(&config, &shared).err().map_or_else(|| "fine".to_owned(), |error| error.place)
    }

    #[test]
    fn what_could_not_work_is_refused_by_its_place() {
        for (lines, expected) in [
            ("allow = ['*', 'erp.internal']", "fine"),
            ("allow = []", "fine"),
            ("allow = ['https://a.example']", "webhook.allow"),
            ("allow = []\ntimeout = 0.0", "webhook.timeout"),
            ("allow = []\nsecret = 'short'", "webhook.secret"),
            ("allow = []\nhosts.'a.example'.headers = { 'X A' = 'b' }", "webhook.hosts.a.example"),
            (
                "allow = []\nhosts.'a.example'.headers = { A = \"b\\nc\" }",
                "webhook.hosts.a.example",
            ),
        ] {
            assert_eq!(place(lines), expected, "{lines}");
        }
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_its_header() {
        let secrets = |value| secrets_of(value).collect::<Vec<_>>();
        assert_eq!(secrets("Bearer hush-hush"), ["hush-hush"]);
        let cookie = secrets("session=0123456789; path=/");
        assert_eq!(cookie, ["session=0123456789", "0123456789"]);
        assert_eq!(secrets("Basic dXNlcjpwYXNzd29yZA=="), ["dXNlcjpwYXNzd29yZA=="]);
    }

    #[test]
    fn a_host_that_no_address_names_is_refused() {
        for (written, name) in [
            ("API.example.com.", "api.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("10.0.0.7", "10.0.0.7"),
        ] {
            assert_eq!(name_of_host(written).as_deref(), Ok(name));
            let at = if written.parse::<std::net::Ipv6Addr>().is_ok() { name } else { written };
            let url: Url = format!("https://{at}/x").parse().unwrap();
            assert_eq!(url.host_str().map(plain).as_deref(), Some(name), "as it is looked up");
        }
        for wrong in ["https://api.example.com", "api.example.com:8443", "a.example/x", "", "a b"] {
            assert!(name_of_host(wrong).is_err_and(|it| it.contains("without scheme")), "{wrong}");
        }
    }

    #[test]
    fn secrets_go_to_their_host_and_not_where_others_listen() {
        let config: super::super::Config = toml::from_str(
            "[webhook]\nallow = ['*']\nsecret = 'common-common-common'\n\
             [webhook.hosts.'API.example.com']\nheaders = { Authorization = 'Bearer hush-hush' }",
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
        let config = config.webhook.unwrap();
        let host = OfHost::read(&config.hosts["API.example.com"], config.secret.as_ref()).unwrap();
        assert!(!format!("{:?}", host.headers).contains("hush"));
        let repeats = |json: &str| host.is_repeated_in(&serde_json::from_str(json).unwrap());
        assert!(repeats(r#"{"you sent": "Bearer hush-hush"}"#));
        assert!(repeats(r#"[{"hush\u002dhush": 1}]"#), "spelled otherwise, and as a key");
        assert!(!repeats(r#"{"you sent": "nothing", "Bearer": 1}"#));
        let others = OfHost { headers: HeaderMap::new(), secret: None };
        let hosts = BTreeMap::from([(plain("API.example.com"), host)]);
        let webhook = Webhook {
            reach: Reach::read(&config.allow).unwrap(),
            timeout: Duration::from_secs(1),
            hosts,
            others,
            http: http::client().unwrap(),
        };
        let of = |url: &str| webhook.host(&url.parse().unwrap()).map(OfHost::has_secrets);
        assert_eq!(of("https://api.example.com./x"), Ok(true));
        assert_eq!(of("https://example.com"), Ok(false));
        assert!(of("http://api.example.com").is_err_and(|e| e.to_string().contains("not https")));
    }
}
