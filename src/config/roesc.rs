//! roesc's environment variables, understood as they are.
//!
//! Promises: [`VARIABLES`] is every variable that roesc reads, and the setting that each
//! becomes. One that has no value from elsewhere, be it the environment or `rungs.toml`, takes
//! roesc's; where both are set, ours wins and roesc's is not even looked at. A value that
//! cannot be understood is refused under roesc's name for it.
//! Called by: [`super::Config`], after its own settings. `docs/from-roesc.md` shows the table.
//! Source: `src/roesc/config.clj` of roesc, whose defaults are meant by "roesc's default".

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use toml::{Table, Value};
use url::Url;

use super::{Misconfigured, get, put};

/// One variable of roesc.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub env: &'static str,
    /// The setting that it becomes, if it becomes one.
    pub key: Option<&'static str>,
    /// What else is to be known of it.
    pub about: &'static str,
    kind: Kind,
    /// Variables without which it is of no use: they, or the settings that they become.
    needs: &'static [&'static str],
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As it is.
    Text,
    /// A whole number within these.
    Whole(i64, i64),
    /// Milliseconds, which become seconds.
    Millis,
    /// The name of a host, which becomes its address over HTTPS.
    Host,
    /// An address on the web.
    Address,
    /// A part of the database's address, which is put together from all its parts.
    DatabasePart,
}

const ACCOUNT: &[&str] = &["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"];
const KEYSET: &[&str] = &["PUBNUB_PUB_KEY", "PUBNUB_SUB_KEY"];
const THREADS: Kind = Kind::Whole(1, 10_000);
const PORT: Kind = Kind::Whole(1, 65_535);

/// Every variable that roesc reads.
pub const VARIABLES: &[Variable] = &[
    variable("REQUEST_QUEUE", "sqs.queue_url", "the queue's address", Kind::Address, &[]),
    variable(
        "SQS_READ_WAIT_TIME_SECONDS",
        "sqs.wait_seconds",
        "how long a receive waits for messages",
        Kind::Whole(0, 20),
        &[],
    ),
    variable(
        "INITIATOR_MAX_RUN_TIME_MILLIS",
        "intake.max_seconds",
        "in whole seconds, rounded up; by a slip roesc itself never heeds it",
        Kind::Millis,
        &[],
    ),
    database("DB_HOST", "roesc's default `localhost`, if any of the five is set"),
    database("DB_PORT", "roesc's default 5432"),
    database("DB_NAME", "roesc's default `roesc`"),
    database("DB_USER", "roesc's default `roesc`"),
    database("DB_PASSWORD", "roesc's default `roesc` (secret)"),
    variable(
        "TWILIO_ACCOUNT_SID",
        "twilio.account_sid",
        "the account at Twilio",
        Kind::Text,
        ACCOUNT,
    ),
    variable("TWILIO_AUTH_TOKEN", "twilio.auth_token", "its token (secret)", Kind::Text, ACCOUNT),
    variable(
        "TWILIO_HOST",
        "twilio.base_url",
        "the name alone; it becomes `https://NAME`",
        Kind::Host,
        ACCOUNT,
    ),
    variable(
        "TWILIO_URL",
        "roesc.call_url",
        "where the TwiML of roesc's calls is, not where Twilio is",
        Kind::Address,
        &[],
    ),
    variable(
        "SMTP_HOST",
        "smtp.host",
        "roesc's default `localhost`, if any `SMTP_*` or `MAIL_FROM` is set",
        Kind::Text,
        &[],
    ),
    variable("SMTP_PORT", "smtp.port", "roesc's default 587", PORT, &[]),
    variable(
        "SMTP_USERNAME",
        "smtp.username",
        "who we are at the mail server",
        Kind::Text,
        &["SMTP_PASSWORD"],
    ),
    variable(
        "SMTP_PASSWORD",
        "smtp.password",
        "the password (secret)",
        Kind::Text,
        &["SMTP_USERNAME"],
    ),
    variable("MAIL_FROM", "smtp.from", "the sender", Kind::Text, &[]),
    variable("MAIL_SUBJECT", "roesc.mail_subject", "subject of the mails", Kind::Text, &[]),
    variable("MAIL_BODY", "roesc.mail_body", "text of the mails", Kind::Text, &[]),
    variable(
        "PUBNUB_PUB_KEY",
        "pubnub.publish_key",
        "the keyset at PubNub (secret)",
        Kind::Text,
        KEYSET,
    ),
    variable(
        "PUBNUB_SUB_KEY",
        "pubnub.subscribe_key",
        "its other half (secret)",
        Kind::Text,
        KEYSET,
    ),
    variable("PUBNUB_UUID", "pubnub.uuid", "who publishes", Kind::Text, KEYSET),
    variable(
        "PUBNUB_SERVICE_URL",
        "pubnub.service_url",
        "where PubNub's API is",
        Kind::Address,
        KEYSET,
    ),
    variable(
        "MAX_CALLING_THREADS",
        "limits.phone.max_in_flight",
        "calls being placed at once",
        THREADS,
        &[],
    ),
    variable(
        "MAX_SMTP_THREADS",
        "limits.email.max_in_flight",
        "mails being sent at once",
        THREADS,
        &[],
    ),
    variable(
        "MAX_PUBNUB_THREADS",
        "limits.pubnub.max_in_flight",
        "messages being published at once",
        THREADS,
        &[],
    ),
    Variable {
        env: "MAX_NOTIFIER_THREADS",
        key: None,
        about: "how many of the three channels work at once; here they always do",
        kind: THREADS,
        needs: &[],
    },
];

const fn variable(
    env: &'static str,
    key: &'static str,
    about: &'static str,
    kind: Kind,
    needs: &'static [&'static str],
) -> Variable {
    Variable { env, key: Some(key), about, kind, needs }
}

const fn database(env: &'static str, about: &'static str) -> Variable {
    variable(env, "database.url", about, Kind::DatabasePart, &[])
}

/// Gives settings that have no value yet the one that roesc's variables have for them, and
/// says which variables those were.
///
/// # Errors
/// The first value that cannot be understood.
pub(super) fn apply(
    table: &mut Table,
    environment: &HashMap<&'static str, String>,
) -> Result<Vec<&'static str>, Misconfigured> {
    let mut taken = Vec::new();
    // All are looked at before any is put, since several may be parts of one.
    for variable in VARIABLES {
        let Some(text) = set(environment, variable.env) else { continue };
        if variable.key.is_none_or(|key| get(table, key).is_none()) {
            taken.push((variable, variable.read(text)?));
        }
    }
    for (variable, value) in &taken {
        match variable.key {
            Some(key) if variable.kind != Kind::DatabasePart => place(table, key, value.clone())?,
            _ => {}
        }
    }
    if taken.iter().any(|(variable, _)| variable.kind == Kind::DatabasePart) {
        place(table, "database.url", Value::String(database_url(environment)?))?;
    }
    import_from(table, environment)?;
    let taken: Vec<&Variable> = taken.into_iter().map(|(variable, _)| variable).collect();
    mail_server(table, &taken)?;
    for variable in &taken {
        variable.check_needs(table)?;
    }
    Ok(taken.into_iter().map(|variable| variable.env).collect())
}

/// An empty variable is one that was not set.
fn set<'a>(environment: &'a HashMap<&'static str, String>, name: &str) -> Option<&'a str> {
    environment.get(name).map(String::as_str).filter(|text| !text.is_empty())
}

fn place(table: &mut Table, key: &str, value: Value) -> Result<(), Misconfigured> {
    put(table, key, value).ok_or_else(|| Misconfigured(format!("rungs.toml: `{key}` is no table")))
}

impl Variable {
    fn wrong(&self, expected: &str) -> Misconfigured {
        Misconfigured(format!("{}: expected {expected}", self.env))
    }

    fn read(&self, text: &str) -> Result<Value, Misconfigured> {
        let text_value = || Value::String(text.to_owned());
        match self.kind {
            Kind::Text | Kind::DatabasePart => Ok(text_value()),
            Kind::Whole(least, most) => match text.trim().parse() {
                Ok(number) if (least..=most).contains(&number) => Ok(Value::Integer(number)),
                _ => Err(self.wrong(&format!("a whole number from {least} to {most}"))),
            },
            Kind::Millis => match text.trim().parse::<u32>() {
                Ok(millis) if millis > 0 => Ok(Value::Integer(millis.div_ceil(1_000).into())),
                _ => Err(self.wrong("a whole number of milliseconds, more than 0")),
            },
            Kind::Host => match host_address(text.trim()) {
                Some(address) => Ok(Value::String(address)),
                None => Err(self.wrong("the name of a host, without https://")),
            },
            Kind::Address => match Url::parse(text.trim()) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text_value()),
                _ => Err(self.wrong("an address that begins with https:// or http://")),
            },
        }
    }

    /// Whether what it is of no use without is there as well.
    fn check_needs(&self, table: &Table) -> Result<(), Misconfigured> {
        let is_missing = |name: &&str| {
            let needed = VARIABLES.iter().find(|variable| variable.env == *name);
            needed.and_then(|needed| needed.key).is_some_and(|key| get(table, key).is_none())
        };
        match self.needs.iter().copied().find(is_missing) {
            Some(missing) => Err(Misconfigured(format!("{}: it needs {missing}", self.env))),
            None => Ok(()),
        }
    }
}

/// A host's address over HTTPS; `None` if the text is more, or less, than a host's name.
fn host_address(host: &str) -> Option<String> {
    let address = format!("https://{host}");
    let url = Url::parse(&address).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_host = bare && url.username().is_empty() && url.password().is_none();
    (is_host && !host.ends_with('/')).then_some(address)
}

/// The address that the five parts make, with roesc's defaults for those that are not set.
fn database_url(environment: &HashMap<&'static str, String>) -> Result<String, Misconfigured> {
    let given = |name, default| set(environment, name).unwrap_or(default).trim();
    let mut url = Url::parse("postgres://localhost").unwrap_or_else(|_| unreachable!("constant"));
    url.set_host(Some(given("DB_HOST", "localhost")))
        .map_err(|_| Misconfigured("DB_HOST: expected the name of a host".to_owned()))?;
    let port = given("DB_PORT", "5432").parse().ok().filter(|port: &u16| *port > 0);
    let port =
        port.ok_or_else(|| Misconfigured("DB_PORT: expected a port from 1 to 65535".to_owned()))?;
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    Ok(format!(
        "postgres://{}:{}@{}:{port}/{}",
        encoded(given("DB_USER", "roesc")),
        encoded(set(environment, "DB_PASSWORD").unwrap_or("roesc")),
        url.host_str().unwrap_or_default(),
        encoded(given("DB_NAME", "roesc")),
    ))
}

/// Where roesc's own processes are, also where ours live elsewhere.
fn import_from(
    table: &mut Table,
    environment: &HashMap<&'static str, String>,
) -> Result<(), Misconfigured> {
    let parts = VARIABLES.iter().filter(|variable| variable.kind == Kind::DatabasePart);
    let has_any = parts.into_iter().any(|part| set(environment, part.env).is_some());
    let key = "roesc.database_url";
    if !has_any || get(table, key).is_some() {
        return Ok(());
    }
    // Only an import needs it, and says so.
    match database_url(environment) {
        Ok(url) => place(table, key, Value::String(url)),
        Err(_) => Ok(()),
    }
}

/// What roesc takes for granted of its mail server: it is this machine unless another is
/// named, and its port is 587. roesc speaks to any of them unprotected; here only to this
/// machine itself, where nobody listens in and no certificate has its name.
fn mail_server(table: &mut Table, taken: &[&Variable]) -> Result<(), Misconfigured> {
    let is_mail = |variable: &&Variable| variable.key.is_some_and(|key| key.starts_with("smtp."));
    if !taken.iter().any(is_mail) {
        return Ok(());
    }
    let is_ours = get(table, "smtp.host").is_some()
        && !taken.iter().any(|variable| variable.key == Some("smtp.host"));
    if is_ours {
        return Ok(());
    }
    let host = get(table, "smtp.host").and_then(Value::as_str).unwrap_or("localhost").to_owned();
    let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
    let granted = [
        ("smtp.host", Some(Value::String(host))),
        ("smtp.port", Some(Value::Integer(587))),
        ("smtp.security", is_here.then(|| Value::String("plain".to_owned()))),
    ];
    for (key, value) in granted {
        if let (None, Some(value)) = (get(table, key), value) {
            place(table, key, value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{
        channels::smtp::Security,
        config::{Config, SETTINGS},
    };

    fn load(file: &str, environment: &[(&'static str, &str)]) -> Result<Config, Misconfigured> {
        let environment = environment.iter().map(|(name, text)| (*name, (*text).to_owned()));
        Config::from_parts(Some(file), &environment.collect())
    }

    /// As a deployment of roesc has them.
    const ROESC: &[(&str, &str)] = &[
        ("REQUEST_QUEUE", "https://sqs.eu-central-1.amazonaws.com/1/requests.fifo"),
        ("SQS_READ_WAIT_TIME_SECONDS", "3"),
        ("INITIATOR_MAX_RUN_TIME_MILLIS", "119001"),
        ("DB_HOST", "db.internal"),
        ("DB_PORT", "5433"),
        ("DB_NAME", "escalation"),
        ("DB_USER", "ro/esc"),
        ("DB_PASSWORD", "p@ss:/w%rd"),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", "hush"),
        ("TWILIO_HOST", "api.dublin.ie1.twilio.com"),
        ("TWILIO_URL", "https://example.com/orders.xml"),
        ("SMTP_HOST", "mail.example.com"),
        ("SMTP_USERNAME", "roesc"),
        ("SMTP_PASSWORD", "hush"),
        ("MAIL_FROM", "orders@example.com"),
        ("MAIL_SUBJECT", "There are new orders"),
        ("MAIL_BODY", "Look."),
        ("PUBNUB_PUB_KEY", "pub-c-1"),
        ("PUBNUB_SUB_KEY", "sub-c-1"),
        ("PUBNUB_UUID", "roesc"),
        ("PUBNUB_SERVICE_URL", "https://ps.example.com"),
        ("MAX_CALLING_THREADS", "5"),
        ("MAX_SMTP_THREADS", "6"),
        ("MAX_PUBNUB_THREADS", "7"),
        ("MAX_NOTIFIER_THREADS", "3"),
    ];

    #[test]
    fn a_deployment_of_roesc_is_understood_as_it_is() {
        let config = load("", ROESC).unwrap();
        assert_eq!(
            config.database.url.expose_secret(),
            "postgres://ro%2Fesc:p%40ss%3A%2Fw%25rd@db.internal:5433/escalation"
        );
        let queue = config.sqs.queue_url.unwrap();
        assert_eq!(queue.as_str(), "https://sqs.eu-central-1.amazonaws.com/1/requests.fifo");
        assert_eq!((config.sqs.wait_seconds, config.intake.max_seconds), (Some(3), 120));
        let twilio = config.twilio.unwrap();
        assert_eq!(twilio.account_sid, "AC1");
        assert_eq!(twilio.base_url.as_str(), "https://api.dublin.ie1.twilio.com/");
        assert_eq!(config.roesc.call_url.as_deref(), Some("https://example.com/orders.xml"));
        assert_eq!(config.roesc.mail_subject, "There are new orders");
        assert_eq!(config.roesc.mail_body, "Look.");
        let smtp = config.smtp.unwrap();
        assert_eq!((smtp.host.as_str(), smtp.port), ("mail.example.com", Some(587)));
        assert_eq!(
            (smtp.security, smtp.from.as_deref()),
            (Security::Starttls, Some("orders@example.com"))
        );
        let pubnub = config.pubnub.unwrap();
        assert_eq!(pubnub.publish_key.expose_secret(), "pub-c-1");
        assert_eq!(
            (pubnub.uuid.as_str(), pubnub.service_url.host_str()),
            ("roesc", Some("ps.example.com"))
        );
        let in_flight = |channel: &str| config.limits[channel].max_in_flight;
        assert_eq!([in_flight("phone"), in_flight("email"), in_flight("pubnub")], [5, 6, 7]);
        let taken: Vec<&str> = ROESC.iter().map(|(name, _)| *name).collect();
        assert_eq!(config.from_roesc, taken, "it is said whose settings they are");
    }

    #[test]
    fn ours_win_where_both_are_set() {
        let ours = [
            ("RUNGS_DATABASE_URL", "sqlite:ours.db"),
            ("RUNGS_TWILIO_AUTH_TOKEN", "ours"),
            ("RUNGS_SMTP_PORT", "465"),
        ];
        let file = "[roesc]\nmail_subject = 'ours'";
        let config = load(file, &[ROESC, &ours].concat()).unwrap();
        assert_eq!(config.database.url.expose_secret(), "sqlite:ours.db");
        let from = config.roesc.database_url.as_ref().unwrap().expose_secret();
        assert!(from.ends_with("@db.internal:5433/escalation"), "to import from: {from}");
        assert_eq!(config.twilio.unwrap().auth_token.expose_secret(), "ours");
        assert_eq!(config.smtp.unwrap().port, Some(465));
        assert_eq!(config.roesc.mail_subject, "ours");
        for name in ["DB_HOST", "DB_PASSWORD", "TWILIO_AUTH_TOKEN", "MAIL_SUBJECT"] {
            assert!(!config.from_roesc.contains(&name), "{name}");
        }
        // Nor is a value looked at that is not needed.
        load("", &[("DB_PORT", "none"), ("RUNGS_DATABASE_URL", "sqlite:ours.db")]).unwrap();
    }

    #[test]
    fn what_is_not_set_is_as_roesc_takes_it_for_granted() {
        let config = load("", &[("DB_HOST", "db"), ("MAIL_FROM", "a@example.com")]).unwrap();
        let url = config.database.url.expose_secret();
        assert_eq!(url, "postgres://roesc:roesc@db:5432/roesc");
        let smtp = config.smtp.unwrap();
        assert_eq!((smtp.host.as_str(), smtp.port), ("localhost", Some(587)));
        assert_eq!(smtp.security, Security::Plain);
        // Without any of them nothing of roesc is assumed.
        let config = load("", &[("MAIL_BODY", "Look."), ("DB_HOST", "")]).unwrap();
        assert_eq!(config.database.url.expose_secret(), "sqlite:rungs.db");
        assert!(config.smtp.is_none() && config.twilio.is_none() && config.pubnub.is_none());
    }

    #[test]
    fn what_cannot_be_understood_is_refused_under_its_own_name() {
        for (environment, expected) in [
            (&[("DB_PORT", "65536")][..], "DB_PORT: expected a port"),
            (&[("REQUEST_QUEUE", "requests.fifo")], "REQUEST_QUEUE: expected an address"),
            (&[("SQS_READ_WAIT_TIME_SECONDS", "21")], "SQS_READ_WAIT_TIME_SECONDS: expected"),
            (&[("INITIATOR_MAX_RUN_TIME_MILLIS", "2m")], "INITIATOR_MAX_RUN_TIME_MILLIS: expected"),
            (&[("DB_HOST", "a b")], "DB_HOST: expected the name of a host"),
            (&[("DB_HOST", "")], ""),
            (&[("TWILIO_URL", "orders.xml")], "TWILIO_URL: expected an address"),
            (&[("TWILIO_ACCOUNT_SID", "AC1")], "TWILIO_ACCOUNT_SID: it needs TWILIO_AUTH_TOKEN"),
            (&[("TWILIO_HOST", "https://api.twilio.com")], "TWILIO_HOST: expected the name"),
            (&[("TWILIO_HOST", "api.twilio.com")], "TWILIO_HOST: it needs TWILIO_ACCOUNT_SID"),
            (&[("SMTP_PORT", "0")], "SMTP_PORT: expected a whole number from 1"),
            (&[("SMTP_USERNAME", "me")], "SMTP_USERNAME: it needs SMTP_PASSWORD"),
            (&[("PUBNUB_SERVICE_URL", "ps.pndsn.com")], "PUBNUB_SERVICE_URL: expected an address"),
            (&[("PUBNUB_UUID", "roesc")], "PUBNUB_UUID: it needs PUBNUB_PUB_KEY"),
            (&[("MAX_CALLING_THREADS", "0")], "MAX_CALLING_THREADS: expected a whole number"),
            (&[("MAX_NOTIFIER_THREADS", "many")], "MAX_NOTIFIER_THREADS: expected a whole number"),
        ] {
            let error = load("", environment).err().map(|error| error.to_string());
            let error = error.unwrap_or_default();
            assert!(error.starts_with(expected), "{environment:?}: {error:?}");
            assert_eq!(error.is_empty(), expected.is_empty(), "{environment:?}: {error:?}");
        }
    }

    #[test]
    fn the_page_for_those_who_come_from_roesc_shows_every_variable() {
        let page = include_str!("../../docs/from-roesc.md");
        let rows = page.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, VARIABLES.len(), "the page has a row for each variable and no other");
        for Variable { env, key, about, .. } in VARIABLES {
            let ours = key.map_or("nothing".to_owned(), |key| {
                let setting = SETTINGS.iter().find(|setting| setting.key == key);
                format!("`{}`", setting.unwrap_or_else(|| panic!("no setting {key}")).env)
            });
            let row = format!("| `{env}` | {ours} | {about} |");
            assert!(page.contains(&row), "the page lacks: {row}");
        }
    }
}
