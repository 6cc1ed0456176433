//! Runners that live elsewhere, each a channel of its own name: their visits are posted in
//! batches, and the answer says of each what the step does.
//!
//! Promises: what is posted is what Sequencer posts, and what is read is what its runners
//! answer. Whatever comes in the place of an answer, and whatever is wrong with the answer to
//! one visit, holds back the visits that it is about and no others, and is temporary: they
//! are asked again, under the same ids. Neither a secret nor data appear in an error.
//! Does not: decide what an answer does to a process (rungs-core does).
//! Called by: the engine, as a [`Channel`] that sends many; the configuration, for the kinds.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::TimeDelta;
use rungs_runners::{
    Kind,
    builtin::KINDS,
    remote::{Question, Remote, keep},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Url};
use uuid::Uuid;

use super::{
    Channel, Limits, Misconfigured, Outgoing, SendError, SendsMany, Sent, Shared, is_taken,
};

pub(super) mod answers;
mod endpoint;
#[cfg(feature = "aws")]
mod function;
pub mod signature;

/// Requests under way at once, and no pace, unless `limits` says otherwise.
pub const LIMITS: Limits = Limits { max_in_flight: 4, per_second: None };

/// Bytes of visits in one request. A single visit may have more.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The longest answer that is read, in bytes.
const MOST_ANSWERED: usize = 4 * 1024 * 1024;
/// The most visits in one request.
const LARGEST_BATCH: usize = 1_000;
/// The longest pause after a `noop`, in seconds.
const LONGEST_PAUSE: f64 = 366.0 * 24.0 * 3600.0;

/// A runner that lives elsewhere: at a URL, or as a Lambda function.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where its visits are posted.
    pub url: Option<Url>,
    /// The ARN of the function that is invoked with them instead.
    pub lambda: Option<String>,
    /// Signs what is posted, so that the receiver can tell that it comes from here.
    pub secret: Option<SecretString>,
    /// Seconds until an answer is given up.
    #[serde(default = "patience")]
    pub timeout: f64,
    /// Visits in one request at most.
    #[serde(default = "batch")]
    pub batch: usize,
    /// Seconds until a visit that was answered `noop` is asked anew, unless the answer says so.
    #[serde(default = "every")]
    pub every: f64,
}

impl Config {
    /// What to tell the operator of a connection that others can listen to.
    pub(super) fn notice(&self, name: &str) -> Option<String> {
        let url = self.url.as_ref().filter(|url| url.scheme() == "http")?;
        let is_near = match url.host()? {
            Host::Domain(domain) => domain == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        (!is_near).then(|| {
            format!(
                "runners.{name}.url is not https: who listens on the way reads data of processes"
            )
        })
    }
}

fn patience() -> f64 {
    10.0
}

fn batch() -> usize {
    50
}

fn every() -> f64 {
    60.0
}

/// The runner of this name, as sequences know it.
///
/// # Errors
/// A name that no runner can have, or a pause that is none.
pub fn kind(name: &str, config: &Config) -> Result<Kind, Misconfigured> {
    let wrong =
        |key: &str, reason: String| Misconfigured::new(format!("runners.{name}{key}"), reason);
    check_name(name).map_err(|reason| wrong("", reason))?;
    let every = Some(config.every).filter(|every| (1.0..=LONGEST_PAUSE).contains(every));
    let every = every
        .ok_or_else(|| wrong(".every", format!("expected seconds, from 1 to {LONGEST_PAUSE}")))?;
    let every = TimeDelta::try_milliseconds((every * 1000.0) as i64).unwrap_or(TimeDelta::MAX);
    Ok(Kind::remote(Remote { name: keep(name), every }))
}

fn check_name(name: &str) -> Result<(), String> {
    let is_name = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !is_name {
        return Err(
            "a runner's name is up to 64 letters, digits, `-` and `_`, beginning with a letter"
                .into(),
        );
    }
    let built_in = KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name));
    match built_in {
        Some(kind) => {
            Err(format!("the runner `{}` comes with Rungs; choose another name", kind.name))
        }
        None if is_taken(name) => Err("a channel is called so; choose another name".into()),
        None => Ok(()),
    }
}

/// Opens the channel to a runner.
pub(super) fn open(
    name: &'static str,
    config: &Config,
    shared: &Shared,
) -> Result<Arc<dyn Channel>, Misconfigured> {
    let wrong =
        |key: &str, reason: &str| Misconfigured::new(format!("runners.{name}.{key}"), reason);
    if !(1..=LARGEST_BATCH).contains(&config.batch) {
        return Err(wrong("batch", &format!("expected a number from 1 to {LARGEST_BATCH}")));
    }
    let timeout = Duration::try_from_secs_f64(config.timeout).ok().filter(|it| !it.is_zero());
    let timeout = timeout.ok_or_else(|| wrong("timeout", "expected seconds, more than 0"))?;
    let transport: Box<dyn Transport> = match (&config.url, &config.lambda) {
        (Some(url), None) => {
            let secret = config.secret.as_ref();
            Box::new(
                endpoint::open(url, secret, timeout, shared)
                    .map_err(|(key, why)| wrong(key, why))?,
            )
        }
        (None, Some(arn)) => function(name, arn, config, timeout)?,
        (Some(_), Some(_)) => {
            return Err(wrong("lambda", "there is a `url` as well; expected one of the two"));
        }
        (None, None) => {
            return Err(wrong("url", "expected a `url`, or `lambda` with the ARN of a function"));
        }
    };
    Ok(Arc::new(RemoteRunner { name, batch: config.batch, transport }))
}

#[cfg(feature = "aws")]
fn function(
    name: &str,
    arn: &str,
    config: &Config,
    timeout: Duration,
) -> Result<Box<dyn Transport>, Misconfigured> {
    let wrong =
        |key: &str, reason: &str| Misconfigured::new(format!("runners.{name}.{key}"), reason);
    if config.secret.is_some() {
        return Err(wrong("secret", "who may invoke a function is decided by AWS; leave it out"));
    }
    let function = function::open(arn, timeout).map_err(|reason| wrong("lambda", &reason))?;
    Ok(Box::new(function))
}

#[cfg(not(feature = "aws"))]
fn function(
    name: &str,
    _: &str,
    _: &Config,
    _: Duration,
) -> Result<Box<dyn Transport>, Misconfigured> {
    Err(Misconfigured::new(
        format!("runners.{name}.lambda"),
        "this program was built without the feature `aws`, which invokes functions",
    ))
}

/// How a request gets to where the runner lives, and its answer back.
#[async_trait]
trait Transport: Send + Sync {
    /// For logs.
    fn name(&self) -> &'static str;

    /// Sends a body and gives that of the answer. `key` is the same if the same visits are
    /// asked again. Always temporary, if it fails.
    async fn ask(&self, body: Vec<u8>, key: &str) -> Result<Vec<u8>, SendError>;
}

/// A runner that lives elsewhere.
struct RemoteRunner {
    name: &'static str,
    batch: usize,
    transport: Box<dyn Transport>,
}

/// What is posted.
#[derive(Serialize)]
struct Request<'a> {
    /// The step's config as it is written.
    config: &'a Value,
    runners: Vec<Entry<'a>>,
}

/// One visit.
#[derive(Serialize)]
struct Entry<'a> {
    /// The delivery's: the visit's idempotency key.
    id: &'a str,
    /// The step's config, rendered for this process.
    config: &'a Value,
    data: &'a Map<String, Value>,
    process: &'a str,
    step: &'a str,
    attempt: u32,
}

/// A visit to be asked about, and where its result goes.
struct Visit<'a> {
    place: usize,
    outgoing: &'a Outgoing,
    question: Question,
}

impl Visit<'_> {
    fn written(&self) -> &Value {
        self.question.written.as_ref().unwrap_or(&self.question.config)
    }

    fn size(&self) -> usize {
        use rungs_runners::data::length;
        length(&self.question.config) + length(&self.question.data)
    }

    fn entry(&self) -> Entry<'_> {
        let Outgoing { id, process_id, step, attempt, .. } = self.outgoing;
        let Question { config, data, .. } = &self.question;
        Entry { id, config, data, process: process_id, step, attempt: *attempt }
    }
}

#[async_trait]
impl Channel for RemoteRunner {
    fn name(&self) -> &'static str {
        self.transport.name()
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let mut sent = self.send_many(std::slice::from_ref(outgoing)).await;
        sent.pop().unwrap_or_else(|| Err(SendError::temporary("it was not asked")))
    }

    fn sends_many(&self) -> Option<&dyn SendsMany> {
        Some(self)
    }
}

#[async_trait]
impl SendsMany for RemoteRunner {
    fn most(&self) -> usize {
        self.batch
    }

    async fn send_many(&self, outgoing: &[Outgoing]) -> Vec<Result<Sent, SendError>> {
        let not_asked = || Err(SendError::temporary("it was not asked"));
        let mut results: Vec<_> = outgoing.iter().map(|_| not_asked()).collect();
        let mut visits = Vec::with_capacity(outgoing.len());
        for (place, (outgoing, result)) in outgoing.iter().zip(&mut results).enumerate() {
            match outgoing.read() {
                Ok(question) => visits.push(Visit { place, outgoing, question }),
                Err(error) => *result = Err(error),
            }
        }
        for portion in portions(visits) {
            for (place, sent) in self.ask(&portion).await {
                if let Some(result) = results.get_mut(place) {
                    *result = sent;
                }
            }
        }
        results
    }
}

/// Visits that may share a request: with the same config, and not too many bytes.
fn portions(visits: Vec<Visit<'_>>) -> Vec<Vec<Visit<'_>>> {
    let mut portions: Vec<Vec<Visit<'_>>> = Vec::new();
    let mut bytes = 0;
    for visit in visits {
        let size = visit.size();
        let last = portions.last_mut();
        let fits = |visits: &&mut Vec<Visit<'_>>| {
            bytes + size <= MOST_BYTES
                && visits.last().is_some_and(|last| last.written() == visit.written())
        };
        if let Some(portion) = last.filter(fits) {
            bytes += size;
            portion.push(visit);
        } else {
            bytes = size;
            portions.push(vec![visit]);
        }
    }
    portions
}

impl RemoteRunner {
    /// One request; what came of each visit in it, by its place.
    async fn ask(&self, visits: &[Visit<'_>]) -> Vec<(usize, Result<Sent, SendError>)> {
        match self.exchange(visits).await {
            Ok(answers) => {
                let sent = answers.into_iter().map(|answer| match answer {
                    Ok(answer) => Ok(Sent::answered(answer)),
                    Err(reason) => Err(SendError::temporary(reason)),
                });
                visits.iter().map(|visit| visit.place).zip(sent).collect()
            }
            Err(error) => visits.iter().map(|visit| (visit.place, Err(error.clone()))).collect(),
        }
    }

    async fn exchange(&self, visits: &[Visit<'_>]) -> Result<Vec<answers::Answered>, SendError> {
        let Some(first) = visits.first() else { return Ok(Vec::new()) };
        let runners = visits.iter().map(Visit::entry).collect();
        let request = Request { config: first.written(), runners };
        let body = serde_json::to_vec(&request)
            .map_err(|error| SendError::failed(format!("the visit is no JSON: {error}")))?;
        let answer = self.transport.ask(body, &key(visits)).await?;
        let asked = visits.iter().map(|visit| (visit.outgoing.id.as_str(), &visit.question.data));
        let answers::Answers { each, strangers } =
            answers::read(&answer, &asked.collect::<Vec<_>>()).map_err(SendError::temporary)?;
        if strangers > 0 {
            let runner = self.name;
            tracing::warn!(
                runner,
                strangers,
                "an answer speaks of visits that were not asked about"
            );
        }
        Ok(each)
    }
}

/// The idempotency key of a request: the visit's, or one that is made of those of all visits.
fn key(visits: &[Visit<'_>]) -> String {
    let ids: Vec<&str> = visits.iter().map(|visit| visit.outgoing.id.as_str()).collect();
    match ids.as_slice() {
        [one] => (*one).to_owned(),
        many => Uuid::new_v5(&Uuid::NAMESPACE_OID, many.join(",").as_bytes()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channels::{Channels, http};

    fn config(lines: &str) -> Config {
        toml::from_str(lines).expect("TOML of the right shape")
    }

    fn place(name: &str, lines: &str) -> String {
        let config = config(lines);
        let shared = Shared { http: http::client().unwrap(), caller_ids: Arc::default() };
        let opened = kind(name, &config).and_then(|_| open(keep(name), &config, &shared));
        opened.err().map_or_else(|| "fine".to_owned(), |error| error.place)
    }

    const URL: &str = "url = 'https://runners.example/credit'\nsecret = 'hush-hush-hush-hush'\n";

    #[test]
    fn what_could_not_work_is_refused_by_its_place() {
        assert_eq!(place("CreditCheck", URL), "fine");
        for (lines, at) in [
            ("", "url"),
            ("lambda = 'x'\nurl = 'https://a.example'", "lambda"),
            ("url = 'https://a.example'", "secret"),
            ("url = 'https://a.example'\nsecret = 'short'", "secret"),
            ("url = 'ftp://a.example'\nsecret = 'hush-hush-hush-hush'", "url"),
            (&format!("{URL}batch = 0"), "batch"),
            (&format!("{URL}batch = 1001"), "batch"),
            (&format!("{URL}timeout = 0.0"), "timeout"),
            (&format!("{URL}timeout = nan"), "timeout"),
            (&format!("{URL}every = 0.5"), "every"),
            (&format!("{URL}every = inf"), "every"),
        ] {
            assert_eq!(place("CreditCheck", lines), format!("runners.CreditCheck.{at}"), "{lines}");
        }
    }

    #[test]
    fn a_name_that_another_runner_or_a_channel_has_is_refused() {
        for name in ["Phone", "phone", "SMS", "goto", "PUBNUB", "email", "", "1st", "a b", "ž"] {
            assert_eq!(place(name, URL), format!("runners.{name}"));
        }
        assert_eq!(place("Phone2", URL), "fine");
        assert_eq!(place("credit-check_v2", URL), "fine");
    }

    #[test]
    fn the_operator_is_told_of_a_line_that_others_can_listen_to() {
        for (url, is_told) in [
            ("http://runners.example/", true),
            ("http://10.0.0.1/", true),
            ("https://runners.example/", false),
            ("http://localhost:8000/", false),
            ("http://127.0.0.1:8000/", false),
            ("http://[::1]/", false),
        ] {
            let config = config(&format!("url = '{url}'"));
            assert_eq!(config.notice("Own").is_some(), is_told, "{url}");
        }
    }

    #[cfg(not(feature = "aws"))]
    #[test]
    fn without_the_feature_a_function_is_refused_with_what_is_missing() {
        let config = config("lambda = 'arn:aws:lambda:eu-west-1:123456789012:function:credit'");
        let shared = Shared { http: http::client().unwrap(), caller_ids: Arc::default() };
        let error = open("CreditCheck", &config, &shared).err().unwrap();
        assert!(error.to_string().contains("without the feature `aws`"), "{error}");
    }

    #[test]
    fn a_runner_has_limits_of_its_own() {
        let text = format!(
            "[runners.CreditCheck]\n{URL}[runners.Other]\n{URL}[limits.Other]\nmax_in_flight = 1"
        );
        let channels = Channels::open(&toml::from_str(&text).unwrap()).unwrap();
        assert_eq!(channels.get("CreditCheck").unwrap().limits, LIMITS);
        assert_eq!(channels.get("Other").unwrap().limits.max_in_flight, 1);
    }

    #[test]
    fn visits_share_a_request_if_their_config_is_the_same_and_there_is_room() {
        let outgoing = Outgoing {
            id: "1".into(),
            process_id: "p".into(),
            step: "check".into(),
            attempt: 1,
            request: Value::Null,
            now: chrono::DateTime::UNIX_EPOCH,
        };
        let visit = |written: &str, bytes: usize| Visit {
            place: 0,
            outgoing: &outgoing,
            question: Question {
                config: json!({}),
                written: Some(json!(written)),
                data: json!({ "a": "x".repeat(bytes) }).as_object().unwrap().clone(),
            },
        };
        let sizes = |visits| portions(visits).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![visit("a", 1), visit("a", 1), visit("b", 1), visit("b", 1)]), [2, 2]);
        let half = MOST_BYTES / 2;
        assert_eq!(sizes(vec![visit("a", half), visit("a", half), visit("a", 1)]), [1, 2]);
        assert_eq!(sizes(vec![visit("a", MOST_BYTES * 2), visit("a", 1)]), [1, 1]);
        assert_eq!(sizes(vec![]), [0; 0]);
    }
}
