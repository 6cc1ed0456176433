//! The ways out: how a delivery leaves, and what is heard of it.
//!
//! Promises: a channel sends one delivery when told to and says plainly what became of
//! it: the provider took it, it may be tried again, it will never go, or nobody knows.
//! Secrets never appear in an error, a log line or a `Debug`.
//! Does not: retry, pace, store, or decide what a process does next (the engine does).
//! Called by: the engine, to dispatch and to ask; intake, to read provider callbacks.
//!
//! A new channel is one file, and one line in [`OPENERS`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rungs_runners::{Answer, DeliveryStatus, builtin::process::CHANNEL, remote::keep};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

pub mod caller_ids;
pub mod console;
pub(crate) mod http;
pub mod pubnub;
pub mod remote;
pub mod smtp;
pub mod twilio;
pub mod webhook;

pub use console::Print;

/// How deliveries of one kind leave.
#[async_trait]
pub trait Channel: Send + Sync {
    /// For logs and `ps`: `twilio`, `smtp`, `console`.
    fn name(&self) -> &'static str;

    /// Makes one attempt.
    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError>;

    /// Only for channels that take many deliveries in one request.
    fn sends_many(&self) -> Option<&dyn SendsMany> {
        None
    }

    /// Only for channels that can be asked what became of something they sent.
    fn asks(&self) -> Option<&dyn AsksStatus> {
        None
    }

    /// Only for channels that can be asked whether something arrived that may have been sent.
    fn searches(&self) -> Option<&dyn Searches> {
        None
    }
}

/// A channel that takes many deliveries of one step in one request, and says of each what
/// became of it.
#[async_trait]
pub trait SendsMany: Send + Sync {
    /// How many at most.
    fn most(&self) -> usize;

    /// Makes an attempt of each. The results are in the order of the deliveries.
    async fn send_many(&self, outgoing: &[Outgoing]) -> Vec<Result<Sent, SendError>>;
}

/// A channel that can be asked what became of something it sent.
#[async_trait]
pub trait AsksStatus: Send + Sync {
    /// What the provider says of it now. Never [`SendError::InDoubt`]: asking changes nothing.
    async fn status(&self, enquiry: &Enquiry<'_>) -> Result<Heard, SendError>;

    /// Whether the provider also calls back, so that asking is only for what got lost.
    fn is_called_back(&self) -> bool;
}

/// A channel whose provider can be asked whether an attempt arrived, of which only the
/// request is known. A provider to which a repetition is harmless (mail under the same
/// `Message-ID`) needs none.
#[async_trait]
pub trait Searches: Send + Sync {
    /// Everything the provider has that this attempt may have created, oldest first. Never
    /// [`SendError::InDoubt`]; [`SendError::Refused`] if the provider cannot be asked at all.
    async fn search(&self, search: &Search<'_>) -> Result<Vec<Heard>, SendError>;
}

/// A search for an attempt that is in doubt.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// What was to be sent.
    pub request: &'a Value,
    /// When the attempt began.
    pub since: DateTime<Utc>,
    /// When it is looked for.
    pub now: DateTime<Utc>,
}

impl Search<'_> {
    /// The request as the shape that the channel takes.
    fn read<T: DeserializeOwned>(&self) -> Result<T, SendError> {
        read(self.request)
    }
}

fn read<T: DeserializeOwned>(request: &Value) -> Result<T, SendError> {
    T::deserialize(request)
        .map_err(|error| SendError::failed(format!("the request is malformed: {error}")))
}

/// One attempt to send a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The delivery's id: a UUID, and the idempotency key towards the provider.
    pub id: String,
    /// The process that wrote it.
    pub process_id: String,
    /// The step that wrote it.
    pub step: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// What to send, in the shape that the runner's file defines (`phone::Call`, ...).
    pub request: Value,
    /// When the attempt begins.
    pub now: DateTime<Utc>,
}

impl Outgoing {
    /// The request as the shape that the channel takes.
    fn read<T: DeserializeOwned>(&self) -> Result<T, SendError> {
        read(&self.request)
    }
}

/// A question about a delivery that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Enquiry<'a> {
    /// The provider's id of it.
    pub provider_id: &'a str,
    /// What was sent.
    pub request: &'a Value,
    /// When it is asked.
    pub now: DateTime<Utc>,
}

/// The provider took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The provider's own id, if it gives one.
    pub provider_id: Option<String>,
    /// How far it has come: usually [`DeliveryStatus::Sent`].
    pub status: DeliveryStatus,
    /// What the channel knows of its further fate already, to be recorded afterwards in
    /// this order, as if the provider had called back.
    pub then: Vec<Heard>,
    /// What was answered, where the delivery is a question.
    pub answer: Option<Answer>,
}

impl Sent {
    /// Taken, under the id that the provider gave it.
    fn taken(provider_id: Option<String>, status: DeliveryStatus) -> Self {
        Self { provider_id, status, then: Vec::new(), answer: None }
    }

    /// Asked, and answered.
    fn answered(answer: Answer) -> Self {
        Self { answer: Some(answer), ..Self::taken(None, DeliveryStatus::Completed) }
    }
}

/// What a provider says of a delivery, by callback or when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The provider's own id of it.
    pub provider_id: Option<String>,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// What went wrong, or what else is worth knowing.
    pub error: Option<String>,
}

/// Why an attempt did not succeed. Reasons are for the history: they name no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again later: nothing left.
    #[error("{reason}")]
    Temporary {
        /// What happened.
        reason: String,
        /// How long the provider asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Never again: it would be refused every time.
    #[error("{reason}")]
    Refused {
        /// [`DeliveryStatus::Failed`] or [`DeliveryStatus::Rejected`].
        status: DeliveryStatus,
        /// What happened.
        reason: String,
    },
    /// Nobody knows whether it arrived: the provider may have taken it.
    #[error("{reason}")]
    InDoubt {
        /// What happened.
        reason: String,
    },
}

impl SendError {
    /// Refused for good.
    fn failed(reason: impl Into<String>) -> Self {
        Self::Refused { status: DeliveryStatus::Failed, reason: reason.into() }
    }

    /// Nothing left, for now.
    fn temporary(reason: impl Into<String>) -> Self {
        Self::Temporary { reason: reason.into(), retry_after: None }
    }
}

/// Which providers there are, and how much they may be asked at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Carries `phone` and `sms`.
    pub twilio: Option<twilio::Config>,
    /// Carries `email`.
    pub smtp: Option<smtp::Config>,
    /// Carries `pubnub`.
    pub pubnub: Option<pubnub::Config>,
    /// Carries `webhook`.
    pub webhook: Option<webhook::Config>,
    /// Runners that live elsewhere, by name: each is a channel of that name.
    pub runners: BTreeMap<String, remote::Config>,
    /// Stands in for everything that is not configured.
    pub console: console::Config,
    /// By channel: `phone`, `sms`, `email`, `pubnub`, `webhook`, or the name of one of `runners`.
    pub limits: BTreeMap<String, Limits>,
}

/// How much a channel may carry.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Attempts (of runners, requests) that may be under way at the same time. At least 1.
    pub max_in_flight: usize,
    /// Attempts that may begin within a second, if that is limited. More than 0.
    pub per_second: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_in_flight: 16, per_second: None }
    }
}

impl Limits {
    fn check(self) -> Result<(), String> {
        if self.max_in_flight == 0 {
            return Err("max_in_flight is 0, so nothing would ever leave".into());
        }
        match self.per_second {
            Some(rate) if !rate.is_finite() || rate <= 0.0 => {
                Err(format!("per_second is {rate}; expected more than 0"))
            }
            _ => Ok(()),
        }
    }
}

impl Config {
    fn limits(&self, name: &str, usual: Limits) -> Result<Limits, Misconfigured> {
        let limits = self.limits.get(name).copied().unwrap_or(usual);
        let wrong = |reason| Misconfigured::new(format!("limits.{name}"), reason);
        limits.check().map_err(wrong)?;
        Ok(limits)
    }
}

/// A configuration with which no channel can be opened. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Misconfigured {
    /// Where in the configuration.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Misconfigured {
    fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

/// What channels share.
struct Shared {
    http: reqwest::Client,
    caller_ids: Arc<caller_ids::Registry>,
}

/// What opens a channel: `None` if the configuration says nothing of it.
type Opener = fn(&Config, &Shared) -> Result<Option<Arc<dyn Channel>>, Misconfigured>;

/// The channels, and what carries each if it is configured.
const OPENERS: &[(&str, Opener)] = &[
    ("phone", twilio::calls),
    ("sms", twilio::messages),
    ("email", smtp::open),
    ("pubnub", pubnub::open),
    ("webhook", webhook::open),
];

/// The names of the channels that come with Rungs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPENERS.iter().map(|(name, _)| *name)
}

/// Every channel there is, by the name that runners give. None at first.
#[derive(Default)]
pub struct Channels {
    /// Who calls and texts whom.
    pub caller_ids: Arc<caller_ids::Registry>,
    ways: BTreeMap<&'static str, Way>,
    notices: Vec<String>,
}

/// A channel and how much it may carry.
#[derive(Clone)]
pub struct Way {
    /// What sends.
    pub channel: Arc<dyn Channel>,
    /// How much at once.
    pub limits: Limits,
}

impl Channels {
    /// Opens every channel; what is not configured becomes the console, on stderr.
    ///
    /// # Errors
    /// The first place of the configuration with which a channel cannot be opened.
    pub fn open(config: &Config) -> Result<Self, Misconfigured> {
        Self::open_printing(config, &console::stderr())
    }

    /// As [`open`](Self::open), with another place for what the console prints.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_printing(config: &Config, print: &Print) -> Result<Self, Misconfigured> {
        let runners = config.runners.keys().map(String::as_str);
        let known: Vec<&str> = OPENERS.iter().map(|(name, _)| *name).chain(runners).collect();
        if let Some(name) = config.limits.keys().find(|name| !known.contains(&name.as_str())) {
            let reason = format!("there is no such channel; expected one of {}", known.join(", "));
            return Err(Misconfigured::new(format!("limits.{name}"), reason));
        }
        let configured = config.twilio.as_ref().map(|twilio| twilio.caller_ids.clone());
        let caller_ids = Arc::new(caller_ids::Registry::new(configured.unwrap_or_default()));
        let shared = Shared { http: http::client()?, caller_ids: Arc::clone(&caller_ids) };
        let mut channels = Self { caller_ids, ..Self::default() };
        for (name, opener) in OPENERS {
            let limits = config.limits(name, Limits::default())?;
            let channel = opener(config, &shared)?.unwrap_or_else(|| {
                channels.notices.push(config.console.notice(name));
                Arc::new(console::Console::new(name, config.console, Arc::clone(print)))
            });
            channels.put(name, channel, limits);
        }
        for (name, runner) in &config.runners {
            let limits = config.limits(name, remote::LIMITS)?;
            let name = keep(name);
            channels.put(name, remote::open(name, runner, &shared)?, limits);
            channels.notices.extend(runner.notice(name));
        }
        channels.notices.extend(config.twilio.iter().filter_map(twilio::Config::notice));
        channels.notices.extend(config.smtp.iter().filter_map(smtp::Config::notice));
        Ok(channels)
    }

    /// Puts `channel` in the place of what carried `name`.
    pub fn put(&mut self, name: &'static str, channel: Arc<dyn Channel>, limits: Limits) {
        self.ways.insert(name, Way { channel, limits });
    }

    /// The way out for deliveries of the kind `name`.
    pub fn get(&self, name: &str) -> Option<&Way> {
        self.ways.get(name)
    }

    /// Every way out with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Way)> {
        self.ways.iter().map(|(name, way)| (*name, way))
    }

    /// What the operator should be told at the start, one line each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }
}

/// Whether a channel that comes with Rungs is called so, in whatever case.
pub(crate) fn is_taken(name: &str) -> bool {
    let known = OPENERS.iter().map(|(known, _)| *known).chain([CHANNEL]);
    known.into_iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(config: &str) -> Result<Channels, Misconfigured> {
        Channels::open(&toml::from_str(config).expect("TOML of the right shape"))
    }

    #[test]
    fn without_configuration_everything_is_printed_and_the_operator_is_told() {
        let channels = open("").unwrap();
        let names: Vec<_> = channels.iter().map(|(name, way)| (name, way.channel.name())).collect();
        assert_eq!(names.len(), OPENERS.len());
        assert!(names.iter().all(|(_, carried_by)| *carried_by == "console"), "{names:?}");
        assert_eq!(channels.notices().len(), OPENERS.len());
        assert!(channels.notices()[0].starts_with("phone is not configured"));
    }

    #[tokio::test]
    async fn a_configured_provider_takes_its_channels_and_leaves_the_rest_to_the_console() {
        let channels = open(
            r#"
            twilio = { account_sid = "AC1", auth_token = "t", public_url = "https://r.example" }
            limits = { phone = { max_in_flight = 2, per_second = 1.0 } }
            "#,
        )
        .unwrap();
        assert_eq!(channels.get("phone").unwrap().channel.name(), "twilio");
        assert_eq!(channels.get("sms").unwrap().channel.name(), "twilio");
        assert_eq!(channels.get("email").unwrap().channel.name(), "console");
        let limits = Limits { max_in_flight: 2, per_second: Some(1.0) };
        assert_eq!(channels.get("phone").unwrap().limits, limits);
        assert_eq!(channels.get("sms").unwrap().limits, Limits::default());
    }

    #[test]
    fn limits_that_let_nothing_through_or_name_no_channel_are_refused() {
        for (config, place) in [
            ("limits = { phone = { max_in_flight = 0 } }", "limits.phone"),
            ("limits = { sms = { per_second = 0.0 } }", "limits.sms"),
            ("limits = { sms = { per_second = nan } }", "limits.sms"),
            ("limits = { fax = { max_in_flight = 1 } }", "limits.fax"),
        ] {
            assert_eq!(open(config).err().expect(config).place, place);
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let config: Config = toml::from_str(
            r#"
            twilio = { account_sid = "AC1", auth_token = "hush-1" }
            smtp = { host = "mail.example", username = "u", password = "hush-2" }
            "#,
        )
        .unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("AC1") && !shown.contains("hush"), "{shown}");
    }
}
