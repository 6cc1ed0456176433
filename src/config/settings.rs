//! The one table of what can be set, and how the text of a setting is read.

use toml::Value;

use super::Misconfigured;

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

/// Every setting there is. `docs/settings.md` shows this table.
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
        "RUNGS_HEARTBEAT_URL",
        "heartbeat.url",
        Kind::Text,
        "requested while all is well, for a watcher that rings when it stays away (secret)",
    ),
    setting(
        "RUNGS_HEARTBEAT_EVERY",
        "heartbeat.every",
        Kind::Number,
        "seconds between two such requests; default 60",
    ),
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
        "RUNGS_PUBNUB_PUBLISH_KEY",
        "pubnub.publish_key",
        Kind::Text,
        "keyset at PubNub; without it what is published goes to the console (secret)",
    ),
    setting(
        "RUNGS_PUBNUB_SUBSCRIBE_KEY",
        "pubnub.subscribe_key",
        Kind::Text,
        "its other half (secret)",
    ),
    setting(
        "RUNGS_PUBNUB_SERVICE_URL",
        "pubnub.service_url",
        Kind::Text,
        "where its API is; default `https://ps.pndsn.com`",
    ),
    setting("RUNGS_PUBNUB_UUID", "pubnub.uuid", Kind::Text, "who publishes; default `rungs`"),
    setting(
        "RUNGS_WEBHOOK_ALLOW",
        "webhook.allow",
        Kind::List,
        "hosts that webhooks may reach: `hooks.example.com`, `*.example.com`, an address, or `*` for every public one; without it webhooks go to the console",
    ),
    setting(
        "RUNGS_WEBHOOK_HOSTS",
        "webhook.hosts",
        Kind::Json,
        "headers and secrets by host: `{\"api.example.com\": {\"headers\": {\"Authorization\": \"Bearer ...\"}}}` (secret)",
    ),
    setting(
        "RUNGS_WEBHOOK_SECRET",
        "webhook.secret",
        Kind::Text,
        "signs what webhooks send (secret)",
    ),
    setting(
        "RUNGS_WEBHOOK_TIMEOUT",
        "webhook.timeout",
        Kind::Number,
        "seconds until an answer is given up; default 10",
    ),
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
    setting(
        "RUNGS_PUBNUB_MAX_IN_FLIGHT",
        "limits.pubnub.max_in_flight",
        Kind::Number,
        "messages being published at once; default 16",
    ),
    setting(
        "RUNGS_PUBNUB_PER_SECOND",
        "limits.pubnub.per_second",
        Kind::Number,
        "messages published per second; default no limit",
    ),
    setting(
        "RUNGS_WEBHOOK_MAX_IN_FLIGHT",
        "limits.webhook.max_in_flight",
        Kind::Number,
        "requests of webhooks under way at once; default 16",
    ),
    setting(
        "RUNGS_WEBHOOK_PER_SECOND",
        "limits.webhook.per_second",
        Kind::Number,
        "requests of webhooks begun per second; default no limit",
    ),
    setting("RUNGS_ROESC_SAY", "roesc.say", Kind::Text, "what calls of roesc's requests say"),
    setting("RUNGS_ROESC_CALL_URL", "roesc.call_url", Kind::Text, "TwiML for them, in place of it"),
    setting("RUNGS_ROESC_MAIL_SUBJECT", "roesc.mail_subject", Kind::Text, "subject of their mails"),
    setting("RUNGS_ROESC_MAIL_BODY", "roesc.mail_body", Kind::Text, "text of their mails"),
    setting(
        "RUNGS_RUNNERS",
        "runners",
        Kind::Json,
        "runners of your own, by name: `{\"Credit\": {\"url\": \"https://...\", \"secret\": \"...\"}}` (secret); default none",
    ),
    setting(
        "RUNGS_ROESC_DATABASE_URL",
        "roesc.database_url",
        Kind::Text,
        "roesc's own database, for `rungs import roesc` (secret)",
    ),
    setting(
        "RUNGS_SQS_QUEUE_URL",
        "sqs.queue_url",
        Kind::Text,
        "queue at SQS whose messages are taken in, by builds with `--features aws`; default none",
    ),
    setting(
        "RUNGS_SQS_WAIT_SECONDS",
        "sqs.wait_seconds",
        Kind::Number,
        "how long a receive waits for messages, 20 at most; default 20 in `serve`, 1 elsewhere",
    ),
    setting(
        "RUNGS_INTAKE_INVALID",
        "intake.invalid",
        Kind::Text,
        "messages that are wrong: `ignore` logs and deletes them, `dead-letter` leaves them to the queue's redrive policy; default `ignore`",
    ),
    setting(
        "RUNGS_INTAKE_MAX_SECONDS",
        "intake.max_seconds",
        Kind::Number,
        "how long `rungs intake` and `rungs tick` take in messages at most; default 50",
    ),
    setting(
        "RUNGS_FUNCTION",
        "lambda.function",
        Kind::Text,
        "which function of AWS Lambda this is, in builds with `--features lambda`: `http`, `intake` or `evaluate`",
    ),
];

impl Setting {
    pub(super) fn read(&self, text: &str) -> Result<Value, Misconfigured> {
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
