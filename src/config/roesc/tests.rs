//! roesc's variables, alone and beside ours.

use secrecy::ExposeSecret;

use super::*;
use crate::{
    channels::smtp::Security,
    config::{Config, SETTINGS},
};

fn load(file: &str, environment: &[(&'static str, &str)]) -> Result<Config, Misconfigured> {
    let environment = environment.iter().map(|(name, text)| (*name, (*text).to_owned()));
    Config::from_parts(Some(("rungs.toml", file)), &environment.collect())
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
    let page = include_str!("../../../docs/from-roesc.md");
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
