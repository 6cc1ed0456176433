//! The only place that reads the environment, and `rungs.toml`.
//!
//! Promises: a setting of the environment wins over the same one in the file; a setting
//! that is wrong is refused at the start with its name and what was expected; secrets
//! have no `Debug` that shows them. [`SETTINGS`] is the one table of what there is.
//! Called by: the command line, once.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use chrono_tz::Tz;
use rungs_runners::{Kind as Runner, builtin::KINDS};
use secrecy::SecretString;
use serde::Deserialize;
use toml::{Table, Value};
use url::Url;

use crate::{channels, engine::heartbeat};

mod file;
pub mod roesc;
mod settings;

pub use settings::{Kind, SETTINGS, Setting};

/// The file that is read if none is named.
const USUAL: &str = "rungs.toml";

/// How OpenTelemetry's exporter, which reads them itself, is told where its collector is.
const COLLECTORS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Everything Rungs is told from outside.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the API listens. Any other than a loopback address needs `api_keys`.
    pub listen: String,
    /// Keys that callers show as `Authorization: Bearer <key>`.
    pub api_keys: Vec<SecretString>,
    /// Where this server is reached from outside, for provider callbacks.
    pub public_url: Option<Url>,
    /// The zone of sequences that name none.
    pub timezone: Tz,
    /// How long ended processes are kept, in days.
    pub retention_days: u32,
    /// How long an attempt to deliver belongs to the program that began it, in seconds.
    pub lease_seconds: u32,
    /// Where processes live.
    pub database: Database,
    /// What is logged, and how.
    pub log: Log,
    /// Tells an outside watcher that all is well.
    pub heartbeat: heartbeat::Config,
    /// What roesc's requests leave open.
    pub roesc: Roesc,
    /// How messages of a queue are taken in.
    pub intake: Intake,
    /// The queue that they come from.
    pub sqs: Sqs,
    /// As a function of AWS Lambda.
    pub lambda: Lambda,
    /// Carries `phone` and `sms`.
    pub twilio: Option<channels::twilio::Config>,
    /// Carries `email`.
    pub smtp: Option<channels::smtp::Config>,
    /// Carries `pubnub`.
    pub pubnub: Option<channels::pubnub::Config>,
    /// Carries `webhook`.
    pub webhook: Option<channels::webhook::Config>,
    /// Stands in for what is not configured.
    pub console: channels::console::Config,
    /// How much each channel carries at once.
    pub limits: BTreeMap<String, channels::Limits>,
    /// Runners that live elsewhere, by name.
    pub runners: BTreeMap<String, channels::remote::Config>,
    /// Every runner that a sequence may name: those that come with Rungs, those of `runners`,
    /// and those of a program that is built around this one.
    #[serde(skip, default = "built_in")]
    pub kinds: Vec<Runner>,
    /// Which of roesc's variables had a say.
    #[serde(skip)]
    pub from_roesc: Vec<&'static str>,
}

fn built_in() -> Vec<Runner> {
    KINDS.to_vec()
}

/// Where processes live.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite:FILE` or `postgres://...`. Kept from `Debug`, since it may hold a password.
    pub url: SecretString,
    /// Connections to PostgreSQL at most.
    pub connections: u32,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter such as `info` or `rungs=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
    /// Whether OpenTelemetry's own variables name a collector of traces.
    #[serde(skip)]
    pub traces: bool,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What a request of roesc leaves open: it names whom to reach, not what to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roesc {
    /// What calls say.
    pub say: String,
    /// TwiML for calls, in place of `say`.
    pub call_url: Option<String>,
    /// Subject of mails.
    pub mail_subject: String,
    /// Text of mails.
    pub mail_body: String,
    /// Where roesc's own database is, to import from it.
    pub database_url: Option<SecretString>,
}

/// How messages of a queue are taken in.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// What becomes of a message that is wrong.
    pub invalid: Invalid,
    /// How long a command that drains the queue takes in at most, in seconds.
    pub max_seconds: u32,
}

/// What becomes of a message that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invalid {
    /// It is logged and deleted.
    Ignore,
    /// It is logged and left to the queue's redrive policy.
    DeadLetter,
}

/// A queue at SQS. Credentials, region and endpoint come from AWS's own variables and files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sqs {
    /// Which queue; none without it.
    pub queue_url: Option<Url>,
    /// How long a receive waits for messages, in seconds.
    pub wait_seconds: Option<u8>,
}

/// As a function of AWS Lambda.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lambda {
    /// Which function this is.
    pub function: Option<Function>,
}

/// A function of AWS Lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// The whole API.
    Http,
    /// What a queue gives.
    Intake,
    /// What is due, on a schedule.
    Evaluate,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7447".to_owned(),
            api_keys: Vec::new(),
            public_url: None,
            timezone: Tz::UTC,
            retention_days: 90,
            lease_seconds: 120,
            database: Database::default(),
            log: Log::default(),
            heartbeat: heartbeat::Config::default(),
            roesc: Roesc::default(),
            intake: Intake::default(),
            sqs: Sqs::default(),
            lambda: Lambda::default(),
            twilio: None,
            smtp: None,
            pubnub: None,
            webhook: None,
            console: channels::console::Config::default(),
            limits: BTreeMap::new(),
            runners: BTreeMap::new(),
            kinds: built_in(),
            from_roesc: Vec::new(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { url: SecretString::from("sqlite:rungs.db"), connections: 10 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text, traces: false }
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self { invalid: Invalid::Ignore, max_seconds: 50 }
    }
}

impl Default for Roesc {
    fn default() -> Self {
        Self {
            say: "You have new orders.".to_owned(),
            call_url: None,
            mail_subject: "New orders".to_owned(),
            mail_body: "You have new orders.".to_owned(),
            database_url: None,
        }
    }
}

/// A configuration that cannot be used. For the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misconfigured(String);

impl Config {
    /// Reads `file` (by default `rungs.toml`, if there is one) and the environment.
    ///
    /// # Errors
    /// The first setting that is wrong.
    #[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
    pub fn load(file: Option<&Path>) -> Result<Self, Misconfigured> {
        let usual = Path::new(USUAL);
        let path = file.or_else(|| usual.exists().then_some(usual));
        let text = path.map(file::read).transpose()?;
        let name = path.unwrap_or(usual).display().to_string();
        let names = SETTINGS.iter().map(|setting| setting.env);
        let environment = names
            .chain(roesc::VARIABLES.iter().map(|variable| variable.env))
            .filter_map(|name| Some((name, std::env::var(name).ok()?)))
            .collect();
        let from = text.as_deref().map(|text| (name.as_str(), text));
        let mut config = Self::from_parts(from, &environment)?;
        let is_set = |name: &&str| std::env::var(name).is_ok_and(|text| !text.is_empty());
        config.log.traces = COLLECTORS.iter().any(is_set);
        Ok(config)
    }

    /// The same, from what was read: the name of a file with its text, and the environment.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn from_parts(
        file: Option<(&str, &str)>,
        environment: &HashMap<&'static str, String>,
    ) -> Result<Self, Misconfigured> {
        let mut table: Table = match file {
            Some((name, text)) => {
                text.parse().map_err(|error| Misconfigured(format!("{name}: {error}")))?
            }
            None => Table::new(),
        };
        for setting in SETTINGS {
            // An empty variable is one that was not set: compose files write them so.
            let Some(text) = environment.get(setting.env).filter(|text| !text.is_empty()) else {
                continue;
            };
            let value = setting.read(text)?;
            put(&mut table, setting.key, value).ok_or_else(|| {
                let name = file.map_or(USUAL, |(name, _)| name);
                Misconfigured(format!("{name}: `{}` is no table", setting.key))
            })?;
        }
        let from_roesc = roesc::apply(&mut table, environment)?;
        let mut config: Self = serde_path_to_error::deserialize(Value::Table(table))
            .map_err(|error| file::wrong(&error, file.map(|(name, _)| name), environment))?;
        config.from_roesc = from_roesc;
        if let Some(twilio) = &mut config.twilio {
            twilio.public_url = twilio.public_url.take().or_else(|| config.public_url.clone());
        }
        for (name, runner) in &config.runners {
            let kind = channels::remote::kind(name, runner);
            config.kinds.push(kind.map_err(|error| Misconfigured(error.to_string()))?);
        }
        Ok(config)
    }

    /// The same with more runners.
    ///
    /// # Errors
    /// One that has the name of another.
    pub fn with_kinds(mut self, more: &[Runner]) -> Result<Self, Misconfigured> {
        for kind in more {
            let name = kind.name;
            if self.runners.contains_key(name) {
                let reason = "this program has a runner of that name already";
                return Err(Misconfigured(format!("runners.{name}: {reason}")));
            }
            if self.kinds.iter().any(|known| known.name == name) {
                return Err(Misconfigured(format!("there are two runners `{name}`")));
            }
            self.kinds.push(*kind);
        }
        Ok(self)
    }

    /// What the channels are told.
    pub fn channels(&self) -> channels::Config {
        channels::Config {
            twilio: self.twilio.clone(),
            smtp: self.smtp.clone(),
            pubnub: self.pubnub.clone(),
            webhook: self.webhook.clone(),
            runners: self.runners.clone(),
            console: self.console,
            limits: self.limits.clone(),
        }
    }
}

/// The value at a dotted key.
fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((first, rest)) => get(table.get(first)?.as_table()?, rest),
    }
}

/// Puts a value at a dotted key.
fn put(table: &mut Table, key: &str, value: Value) -> Option<()> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Some(())
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            put(inner.as_table_mut()?, rest, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn load(file: &str, environment: &[(&'static str, &str)]) -> Result<Config, Misconfigured> {
        let environment = environment.iter().map(|(name, text)| (*name, (*text).to_owned()));
        Config::from_parts(Some(("rungs.toml", file)), &environment.collect())
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "listen = '127.0.0.1:1'\n[database]\nurl = 'sqlite:a.db'\nconnections = 3";
        let config = load(file, &[("RUNGS_DATABASE_URL", "sqlite:b.db")]).unwrap();
        assert_eq!(config.database.url.expose_secret(), "sqlite:b.db");
        assert_eq!((config.database.connections, config.listen.as_str()), (3, "127.0.0.1:1"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (file, environment, expected) in [
            ("listne = 'x'", vec![], "rungs.toml: `listne`: unknown field"),
            ("[webhook]\nhosts = 3", vec![], "rungs.toml: `webhook.hosts`: invalid type"),
            ("", vec![("RUNGS_RETENTION_DAYS", "-1")], "RUNGS_RETENTION_DAYS: invalid value"),
            ("", vec![("RUNGS_RETENTION_DAYS", "soon")], "RUNGS_RETENTION_DAYS"),
            ("", vec![("RUNGS_TIMEZONE", "Zagreb")], "Zagreb"),
            ("", vec![("RUNGS_CALLER_IDS", "+385")], "RUNGS_CALLER_IDS"),
            ("", vec![("RUNGS_SQS_QUEUE_URL", "orders.fifo")], "relative URL"),
            ("", vec![("RUNGS_INTAKE_INVALID", "delete")], "dead-letter"),
            ("database = 3", vec![("RUNGS_DATABASE_URL", "sqlite:b.db")], "database.url"),
            ("a = [", vec![], "rungs.toml"),
        ] {
            let error = load(file, &environment).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_page_of_settings_shows_every_one() {
        let page = include_str!("../docs/settings.md");
        for Setting { env, key, about, .. } in SETTINGS {
            let row = format!("| `{env}` | `{key}` | {about} |");
            assert!(page.contains(&row), "docs/settings.md lacks: {row}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = load(
            "",
            &[
                ("RUNGS_API_KEYS", "hush1, hush2"),
                ("RUNGS_DATABASE_URL", "postgres://u:hush3@h/d"),
                ("RUNGS_TWILIO_ACCOUNT_SID", "AC1"),
                ("RUNGS_TWILIO_AUTH_TOKEN", "hush4"),
                ("RUNGS_HEARTBEAT_URL", "https://watch.example/hush5"),
            ],
        )
        .unwrap();
        assert_eq!(config.api_keys.len(), 2);
        let shown = format!("{config:?}");
        assert!(shown.contains("AC1") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn runners_that_live_elsewhere_come_from_the_file_or_the_environment() {
        let runners = r#"{"Credit": {"url": "https://a.example", "secret": "hush6-hush6-hush6"}}"#;
        let config = load("", &[("RUNGS_RUNNERS", runners)]).unwrap();
        let names: Vec<&str> = config.kinds.iter().map(|kind| kind.name).collect();
        assert_eq!((names.len(), names.last()), (KINDS.len() + 1, Some(&"Credit")));
        assert!(config.channels().runners.contains_key("Credit"));
        let shown = format!("{config:?}");
        assert!(shown.contains("a.example") && !shown.contains("hush"), "{shown}");
        for (file, expected) in [
            ("[runners.phone]", "runners.phone: the runner `Phone` comes with Rungs"),
            ("[runners.'a b']", "runners.a b: a runner's name"),
            ("[runners.Credit]\nurl = 'nowhere'", "URL"),
            ("[runners.Credit]\nuri = 'https://a.example'", "uri"),
        ] {
            let error = load(file, &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_runner_of_a_name_that_is_taken_is_refused() {
        let refused = |file: &str, more: &[Runner]| {
            load(file, &[]).unwrap().with_kinds(more).unwrap_err().to_string()
        };
        assert!(refused("", &KINDS[..1]).contains(KINDS[0].name));
        let config = load("[runners.Own]", &[]).unwrap();
        let own = config.kinds.last().copied().unwrap();
        assert!(refused("[runners.Own]", &[own]).contains("runners.Own"));
        assert!(refused("", &[own, own]).contains("two runners `Own`"));
        assert_eq!(load("", &[]).unwrap().with_kinds(&[own]).unwrap().kinds.len(), KINDS.len() + 1);
    }

    #[test]
    fn callbacks_use_the_public_address() {
        let environment = [
            ("RUNGS_PUBLIC_URL", "https://rungs.example"),
            ("RUNGS_TWILIO_ACCOUNT_SID", "AC1"),
            ("RUNGS_TWILIO_AUTH_TOKEN", "t"),
        ];
        let twilio = load("", &environment).unwrap().twilio.unwrap();
        assert_eq!(twilio.public_url.unwrap().as_str(), "https://rungs.example/");
    }
}
