//! The three functions, as Lambda runs them: the real `bootstrap`, on PostgreSQL.

use std::process::{Command, Stdio};

use rungs::store::Store;
use serde_json::{Value, json};

use crate::{
    databases::{Database, Kind},
    fakes::{
        lambda::{self, Function},
        twilio::{ACCOUNT, FakeTwilio, TOKEN},
    },
};

mod deploy;
mod evaluate;
mod http;
mod intake;

const KEY: &str = "hush-key";

/// Rings at once.
const RING: &str = "
sequence: ring
steps:
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: 'Hello.', await: placed }
";

/// A database and a provider, and the functions over them.
struct Account {
    url: String,
    twilio: FakeTwilio,
    _database: Option<Database>,
}

impl Account {
    async fn new() -> Self {
        let database = Database::fresh(Kind::Postgres).await;
        Self {
            url: database.url.clone(),
            _database: Some(database),
            ..Self::over(String::new()).await
        }
    }

    async fn over(url: String) -> Self {
        Self { url, twilio: FakeTwilio::start().await, _database: None }
    }

    fn settings(&self, function: &str) -> Vec<(&'static str, String)> {
        [
            ("RUNGS_FUNCTION", function),
            ("RUNGS_DATABASE_URL", &self.url),
            ("RUNGS_API_KEYS", KEY),
            ("RUNGS_TWILIO_ACCOUNT_SID", ACCOUNT),
            ("RUNGS_TWILIO_AUTH_TOKEN", TOKEN),
            ("RUNGS_TWILIO_BASE_URL", self.twilio.config(None).base_url.as_str()),
            ("RUNGS_CALLER_IDS", r#"{"default": "+14155550100"}"#),
            ("RUNGS_LEASE_SECONDS", "60"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    async fn function(&self, function: &str) -> Function {
        self.function_with(function, &[]).await
    }

    async fn function_with(&self, function: &str, more: &[(&'static str, &str)]) -> Function {
        let mut settings = self.settings(function);
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Function::start(&settings).await
    }

    async fn store(&self) -> Store {
        let options = rungs::store::Options {
            url: self.url.clone(),
            max_connections: 2,
            acquire_timeout: std::time::Duration::from_secs(20),
        };
        Store::connect(&options).await.unwrap()
    }
}

/// A request as API Gateway's HTTP API hands it over (payload format 2.0).
fn request(method: &str, path: &str, content_type: &str, body: &str) -> Value {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (raw_path, query) = path.split_once('?').unwrap_or((path, ""));
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "authorization": format!("Bearer {KEY}"),
            "content-type": content_type,
            "host": "abc123.execute-api.eu-central-1.amazonaws.com",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "abc123.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "abc123",
            "http": {
                "method": method, "path": raw_path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7", "userAgent": "curl/8.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:09:00:00 +0000",
            "timeEpoch": 1_795_424_400_000_i64,
        },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

/// Status and JSON of an answer.
fn answer(ended: lambda::Ended) -> (u64, Value) {
    let answer = ended.unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    assert_ne!(answer["isBase64Encoded"], json!(true), "{answer:#}");
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

/// What the schedule hands over.
fn schedule() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-23T09:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/rungs-dev-evaluate"],
        "detail": {},
    })
}

/// Publishes a sequence and starts so many processes of it.
async fn start_all(account: &Account, count: usize) {
    let clock = rungs::clock::Clock::System;
    let channels = rungs::channels::Channels::open(&rungs::channels::Config::default()).unwrap();
    let options = rungs::engine::Options::default();
    let engine = rungs::engine::Engine::new(account.store().await, clock, channels, options);
    rungs::intake::publish(&engine, None, RING).await.unwrap();
    for number in 0..count {
        let new = rungs::intake::NewProcess {
            process_id: Some(format!("p{number}")),
            climb: rungs::intake::Climb::Stored { name: "ring".to_owned(), version: None },
            data: json!({ "phone": format!("+3859100{number:05}") }),
        };
        rungs::intake::start(&engine, new).await.unwrap();
    }
}

/// What is wrong with the configuration is said in a line, and nothing is served.
#[tokio::test]
async fn what_keeps_a_function_from_starting_is_said() {
    let account = Account::new().await;
    for (name, value, words) in [
        ("RUNGS_FUNCTION", "", "RUNGS_FUNCTION says which function this is"),
        ("RUNGS_FUNCTION", "serve", "unknown variant `serve`"),
        ("RUNGS_API_KEYS", "", "needs an API key"),
        ("RUNGS_DATABASE_URL", "sqlite:/tmp/rungs.db", "name a PostgreSQL"),
        ("RUNGS_DATABASE_URL", "postgres://u:hush@127.0.0.1:1/d", "cannot be reached"),
    ] {
        let mut settings = account.settings("http");
        settings.push((name, value.to_owned()));
        let mut command: Command = lambda::command("127.0.0.1:1", &settings);
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && !said.contains("hush"), "{said}");
    }
}
