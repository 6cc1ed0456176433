//! The only place that reads the environment, and `rungs.toml`.
//!
//! Promises: a setting of the environment wins over the same one in the file; a setting
//! that is wrong is refused at the start with its name and what was expected; secrets
//! have no `Debug` that shows them. [`SETTINGS`] is the one table of what there is.
//! Called by: the command line, once.

use std::{collections::HashMap, path::Path};

use chrono_tz::Tz;
use secrecy::SecretString;
use serde::Deserialize;
use toml::{Table, Value};
use url::Url;

use crate::channels;

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
    /// What roesc's requests leave open.
    pub roesc: Roesc,
    /// Carries `phone` and `sms`.
    pub twilio: Option<channels::twilio::Config>,
    /// Carries `email`.
    pub smtp: Option<channels::smtp::Config>,
    /// Stands in for what is not configured.
    pub console: channels::console::Config,
    /// How much each channel carries at once.
    pub limits: std::collections::BTreeMap<String, channels::Limits>,
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
            roesc: Roesc::default(),
            twilio: None,
            smtp: None,
            console: channels::console::Config::default(),
            limits: std::collections::BTreeMap::new(),
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
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Roesc {
    fn default() -> Self {
        Self {
            say: "You have new orders.".to_owned(),
            call_url: None,
            mail_subject: "New orders".to_owned(),
            mail_body: "You have new orders.".to_owned(),
        }
    }
}

/// How a setting's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Text,
    /// Several texts, separated by commas.
    List,
    /// A number.
    Number,
    /// A JSON object.
    Json,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in the environment.
    pub env: &'static str,
    /// Its place in `rungs.toml`.
    pub key: &'static str,
    /// How its text is read.
    pub kind: Kind,
    /// What it does, and its default.
    pub about: &'static str,
}

const fn setting(env: &'static str, key: &'static str, kind: Kind, about: &'static str) -> Setting {
    Setting { env, key, kind, about }
}

/// Every setting there is. The README shows this table.
pub const SETTINGS: &[Setting] = &[
    setting(
        "RUNGS_DATABASE_URL",
        "database.url",
        Kind::Text,
        "`sqlite:FILE` or `postgres://...`; default `sqlite:rungs.db`",
    ),
    setting(
        "RUNGS_DATABASE_CONNECTIONS",
        "database.connections",
        Kind::Number,
        "connections to PostgreSQL at most; default 10",
    ),
    setting(
        "RUNGS_LISTEN",
        "listen",
        Kind::Text,
        "where the API listens; default `127.0.0.1:7447`; any address but loopback needs an API key",
    ),
    setting(
        "RUNGS_API_KEYS",
        "api_keys",
        Kind::List,
        "keys for `Authorization: Bearer <key>`, separated by commas; default none",
    ),
    setting(
        "RUNGS_PUBLIC_URL",
        "public_url",
        Kind::Text,
        "where providers reach this server for callbacks; without it they are asked",
    ),
    setting(
        "RUNGS_TIMEZONE",
        "timezone",
        Kind::Text,
        "IANA zone of sequences that name none; default `UTC`",
    ),
    setting(
        "RUNGS_RETENTION_DAYS",
        "retention_days",
        Kind::Number,
        "how long ended processes are kept; default 90",
    ),
    setting(
        "RUNGS_LEASE_SECONDS",
        "lease_seconds",
        Kind::Number,
        "after how long an attempt whose program died is repeated; longer than any provider takes; default 120",
    ),
    setting(
        "RUNGS_LOG",
        "log.level",
        Kind::Text,
        "what is logged, such as `info` or `rungs=debug`; default `info`",
    ),
    setting("RUNGS_LOG_FORMAT", "log.format", Kind::Text, "`text` or `json`; default `text`"),
    setting(
        "RUNGS_TWILIO_ACCOUNT_SID",
        "twilio.account_sid",
        Kind::Text,
        "account at Twilio or Somleng; without it calls and texts go to the console",
    ),
    setting("RUNGS_TWILIO_AUTH_TOKEN", "twilio.auth_token", Kind::Text, "its token (secret)"),
    setting(
        "RUNGS_TWILIO_BASE_URL",
        "twilio.base_url",
        Kind::Text,
        "where its API is; default `https://api.twilio.com`",
    ),
    setting(
        "RUNGS_TWILIO_TIMEOUT",
        "twilio.timeout",
        Kind::Number,
        "seconds until an answer is given up; default 20",
    ),
    setting(
        "RUNGS_CALLER_IDS",
        "twilio.caller_ids",
        Kind::Json,
        "who calls whom, by number prefix: `{\"+385\": \"+38511234567\", \"default\": \"+1...\"}`",
    ),
    setting(
        "RUNGS_SMTP_HOST",
        "smtp.host",
        Kind::Text,
        "mail server; without it mails go to the console",
    ),
    setting(
        "RUNGS_SMTP_PORT",
        "smtp.port",
        Kind::Number,
        "its port; default 587, 465 or 25, by security",
    ),
    setting(
        "RUNGS_SMTP_SECURITY",
        "smtp.security",
        Kind::Text,
        "`starttls`, `tls` or `plain`; default `starttls`",
    ),
    setting("RUNGS_SMTP_USERNAME", "smtp.username", Kind::Text, "who we are there"),
    setting("RUNGS_SMTP_PASSWORD", "smtp.password", Kind::Text, "the password (secret)"),
    setting("RUNGS_SMTP_FROM", "smtp.from", Kind::Text, "sender of mails whose step names none"),
    setting(
        "RUNGS_CONSOLE_CALLS",
        "console.calls",
        Kind::Text,
        "how calls on the console end: `no-answer`, `answered`, `busy`, ...; default `no-answer`",
    ),
    setting(
        "RUNGS_PHONE_MAX_IN_FLIGHT",
        "limits.phone.max_in_flight",
        Kind::Number,
        "calls being placed at once; default 16",
    ),
    setting(
        "RUNGS_PHONE_PER_SECOND",
        "limits.phone.per_second",
        Kind::Number,
        "calls begun per second; default no limit",
    ),
    setting(
        "RUNGS_SMS_MAX_IN_FLIGHT",
        "limits.sms.max_in_flight",
        Kind::Number,
        "messages being sent at once; default 16",
    ),
    setting(
        "RUNGS_SMS_PER_SECOND",
        "limits.sms.per_second",
        Kind::Number,
        "messages begun per second; default no limit",
    ),
    setting(
        "RUNGS_EMAIL_MAX_IN_FLIGHT",
        "limits.email.max_in_flight",
        Kind::Number,
        "mails being sent at once; default 16",
    ),
    setting(
        "RUNGS_EMAIL_PER_SECOND",
        "limits.email.per_second",
        Kind::Number,
        "mails begun per second; default no limit",
    ),
    setting("RUNGS_ROESC_SAY", "roesc.say", Kind::Text, "what calls of roesc's requests say"),
    setting("RUNGS_ROESC_CALL_URL", "roesc.call_url", Kind::Text, "TwiML for them, in place of it"),
    setting("RUNGS_ROESC_MAIL_SUBJECT", "roesc.mail_subject", Kind::Text, "subject of their mails"),
    setting("RUNGS_ROESC_MAIL_BODY", "roesc.mail_body", Kind::Text, "text of their mails"),
];

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
        let text = match file {
            Some(path) => Some(read(path)?),
            None if Path::new("rungs.toml").exists() => Some(read(Path::new("rungs.toml"))?),
            None => None,
        };
        let environment = SETTINGS
            .iter()
            .filter_map(|setting| Some((setting.env, std::env::var(setting.env).ok()?)))
            .collect();
        Self::from_parts(text.as_deref(), &environment)
    }

    /// The same, from what was read.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn from_parts(
        file: Option<&str>,
        environment: &HashMap<&'static str, String>,
    ) -> Result<Self, Misconfigured> {
        let mut table: Table = match file {
            Some(text) => {
                text.parse().map_err(|error| Misconfigured(format!("rungs.toml: {error}")))?
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
                Misconfigured(format!("rungs.toml: `{}` is no table", setting.key))
            })?;
        }
        let mut config: Self = table.try_into().map_err(|error: toml::de::Error| {
            Misconfigured(format!("configuration: {}", error.message()))
        })?;
        if let Some(twilio) = &mut config.twilio {
            twilio.public_url = twilio.public_url.take().or_else(|| config.public_url.clone());
        }
        Ok(config)
    }

    /// What the channels are told.
    pub fn channels(&self) -> channels::Config {
        channels::Config {
            twilio: self.twilio.clone(),
            smtp: self.smtp.clone(),
            console: self.console,
            limits: self.limits.clone(),
        }
    }
}

impl Setting {
    fn read(&self, text: &str) -> Result<Value, Misconfigured> {
        let wrong = |expected: &str| Misconfigured(format!("{}: expected {expected}", self.env));
        match self.kind {
            Kind::Text => Ok(Value::String(text.to_owned())),
            Kind::List => Ok(Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|one| !one.is_empty())
                    .map(Value::from)
                    .collect(),
            )),
            Kind::Number => match (text.trim().parse::<i64>(), text.trim().parse::<f64>()) {
                (Ok(whole), _) => Ok(Value::Integer(whole)),
                (_, Ok(number)) => Ok(Value::Float(number)),
                _ => Err(wrong("a number")),
            },
            Kind::Json => serde_json::from_str(text).map_err(|_| wrong("a JSON object")),
        }
    }
}

fn read(path: &Path) -> Result<String, Misconfigured> {
    std::fs::read_to_string(path)
        .map_err(|error| Misconfigured(format!("{}: {error}", path.display())))
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
        Config::from_parts(Some(file), &environment.collect())
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
            ("listne = 'x'", vec![], "listne"),
            ("", vec![("RUNGS_RETENTION_DAYS", "soon")], "RUNGS_RETENTION_DAYS"),
            ("", vec![("RUNGS_TIMEZONE", "Zagreb")], "Zagreb"),
            ("", vec![("RUNGS_CALLER_IDS", "+385")], "RUNGS_CALLER_IDS"),
            ("database = 3", vec![("RUNGS_DATABASE_URL", "sqlite:b.db")], "database.url"),
            ("a = [", vec![], "rungs.toml"),
        ] {
            let error = load(file, &environment).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_readme_shows_every_setting() {
        let readme = include_str!("../README.md");
        for Setting { env, key, about, .. } in SETTINGS {
            let row = format!("| `{env}` | `{key}` | {about} |");
            assert!(readme.contains(&row), "the README's table lacks: {row}");
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
            ],
        )
        .unwrap();
        assert_eq!(config.api_keys.len(), 2);
        let shown = format!("{config:?}");
        assert!(shown.contains("AC1") && !shown.contains("hush"), "{shown}");
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
