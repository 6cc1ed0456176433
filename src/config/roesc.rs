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
mod tests;
