//! A whole Rungs for one test: its own database, the real engine, the real API on a real
//! socket, a fake Twilio, a printed console for mail, and a clock that stands still until
//! the test moves it.
//!
//! When a test is over it calls [`TestApp::finish`], which looks for leaks: an attempt that
//! never reported, a process that nothing will ever wake, a history that does not end as
//! the process did. A test that forgets it fails.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rungs::{
    api::{self, ApiState},
    channels::{self, Channels, Limits, console::Print, remote, twilio::Callbacks},
    clock::Clock,
    config,
    engine::{Engine, Options, heartbeat::Heart},
};
use rungs_core::Entry;
use sea_orm::ConnectionTrait;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    databases::{Database, Kind},
    fakes::twilio::FakeTwilio,
};

/// What a test may want otherwise.
pub struct Setup {
    pub kind: Kind,
    pub now: &'static str,
    pub timezone: chrono_tz::Tz,
    /// Whether Twilio can call back.
    pub callbacks: bool,
    pub api_keys: Vec<SecretString>,
    pub limits: Vec<(&'static str, Limits)>,
    pub smtp: Option<channels::smtp::Config>,
    pub heart: Option<Heart>,
    /// Runners that live elsewhere.
    pub runners: Vec<(&'static str, remote::Config)>,
}

impl Setup {
    pub fn on(kind: Kind) -> Self {
        Self {
            kind,
            now: "2026-11-23T09:00:00Z",
            timezone: chrono_tz::UTC,
            callbacks: true,
            api_keys: vec![],
            limits: vec![],
            smtp: None,
            heart: None,
            runners: vec![],
        }
    }

    pub async fn start(self) -> TestApp {
        TestApp::start(self).await
    }
}

/// What the console printed.
pub type Printed = Arc<Mutex<Vec<String>>>;

pub struct TestApp {
    pub engine: Arc<Engine>,
    pub twilio: FakeTwilio,
    pub printed: Printed,
    pub url: String,
    pub http: reqwest::Client,
    runners: BTreeMap<String, remote::Config>,
    database: Database,
    shutdown: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl TestApp {
    pub async fn on(kind: Kind) -> Self {
        Setup::on(kind).start().await
    }

    async fn start(setup: Setup) -> Self {
        let database = Database::fresh(setup.kind).await;
        let store = database.store().await;
        let twilio = FakeTwilio::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());

        let config = channels::Config {
            twilio: Some(twilio.config(setup.callbacks.then_some(url.as_str()))),
            smtp: setup.smtp,
            runners: setup.runners.into_iter().map(|(name, it)| (name.to_owned(), it)).collect(),
            limits: setup
                .limits
                .into_iter()
                .map(|(name, limits)| (name.to_owned(), limits))
                .collect(),
            ..channels::Config::default()
        };
        let printed = Printed::default();
        let sink = Arc::clone(&printed);
        let print: Print = Arc::new(move |text: &str| sink.lock().unwrap().push(text.to_owned()));
        let channels = Channels::open_printing(&config, &print).unwrap();
        let clock = Clock::standing_at(setup.now.parse().unwrap());
        twilio.goes_by(&clock);
        let mut options =
            Options { timezone: setup.timezone, heart: setup.heart, ..Options::default() };
        for (name, runner) in &config.runners {
            options.kinds.push(remote::kind(name, runner).unwrap());
        }
        let engine = Engine::new(store, clock, channels, options);

        let state = ApiState {
            engine: Arc::clone(&engine),
            api_keys: setup.api_keys,
            roesc: config::Roesc::default(),
            callbacks: config.twilio.as_ref().and_then(Callbacks::new),
        };
        let shutdown = CancellationToken::new();
        let server = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { api::serve(listener, state, shutdown).await.unwrap() }
        });
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let (runners, server) = (config.runners, Some(server));
        Self { engine, twilio, printed, url, http, runners, database, shutdown, server }
    }

    /// Another engine over the same database and at the same time, as in another program.
    pub async fn another_engine(&self) -> Arc<Engine> {
        let config = channels::Config {
            twilio: Some(self.twilio.config(Some(&self.url))),
            runners: self.runners.clone(),
            ..channels::Config::default()
        };
        let channels = Channels::open(&config).unwrap();
        let store = self.database.store().await;
        Engine::new(store, self.engine.clock.clone(), channels, self.engine.options.clone())
    }

    /// Does to the database what only a defect would.
    pub async fn sabotage(&self, sql: &str) {
        let raw = sea_orm::Database::connect(&self.database.url).await.unwrap();
        assert!(raw.execute_unprepared(sql).await.unwrap().rows_affected() > 0, "{sql}");
        raw.close().await.unwrap();
    }

    /// Changes the schema, as nobody should.
    pub async fn alter(&self, sql: &str) {
        let raw = sea_orm::Database::connect(&self.database.url).await.unwrap();
        raw.execute_unprepared(sql).await.unwrap();
        raw.close().await.unwrap();
    }

    /// Where its database is, for a program beside it.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.engine.clock.now()
    }

    /// Publishes a sequence; it must be in order.
    pub async fn publish(&self, yaml: &str) {
        let name = yaml.lines().find_map(|line| line.strip_prefix("sequence: ")).unwrap().trim();
        let response = self
            .http
            .put(format!("{}/v1/sequences/{name}", self.url))
            .header("content-type", "application/yaml")
            .body(yaml.to_owned())
            .send()
            .await
            .unwrap();
        let (status, body) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{status}: {body}");
    }

    /// Starts a process; it must not be live.
    pub async fn start_process(&self, sequence: &str, process_id: &str, data: Value) {
        let body = json!({ "sequence": sequence, "process_id": process_id, "data": data });
        let (status, answer) = self.post("/v1/processes", &body).await;
        assert_eq!(status, 201, "{answer:#}");
    }

    /// Publishes a sequence, starts a process of it, and does what is due.
    pub async fn climb(&self, yaml: &str, process_id: &str, data: Value) {
        self.publish(yaml).await;
        let name = yaml.lines().find_map(|line| line.strip_prefix("sequence: ")).unwrap().trim();
        self.start_process(name, process_id, data).await;
        self.settle().await;
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.post(format!("{}{path}", self.url)).json(body)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = answer(self.http.get(format!("{}{path}", self.url))).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    /// Something happens to a process.
    pub async fn event(&self, process_id: &str, r#type: &str, data: Value) {
        let body = json!({ "type": r#type, "data": data });
        let (status, answer) =
            self.post(&format!("/v1/processes/{process_id}/events"), &body).await;
        assert_eq!(status, 202, "{answer:#}");
    }

    pub async fn process(&self, process_id: &str) -> Value {
        self.get(&format!("/v1/processes/{process_id}")).await
    }

    /// Status and step of a process, such as `active at ring`.
    pub async fn stands(&self, process_id: &str) -> String {
        let process = self.process(process_id).await;
        let text = |key: &str| process[key].as_str().unwrap_or("-").to_owned();
        format!("{} at {}", text("status"), text("cursor"))
    }

    /// The history of a process, a line each, such as `09:03 grace next`.
    pub async fn history(&self, process_id: &str) -> Vec<String> {
        let page = self.get(&format!("/v1/processes/{process_id}/history?limit=200")).await;
        let entries = page["history"].as_array().unwrap().clone();
        entries.iter().map(line).collect()
    }

    /// Does everything that is due now, Twilio's callbacks by script included.
    pub async fn settle(&self) {
        loop {
            self.engine.drain().await.unwrap();
            if self.twilio.play().await == 0 {
                return;
            }
        }
    }

    /// Moves the clock to `until`, doing everything that becomes due on the way.
    pub async fn advance_to(&self, until: DateTime<Utc>) {
        for _ in 0..100_000 {
            self.settle().await;
            let now = self.now();
            let next = self.engine.store.next_due_at(now).await.unwrap();
            match next {
                Some(next) if next <= until => self.engine.clock.set(next.max(now)),
                _ if now >= until => return,
                _ => self.engine.clock.set(until),
            }
        }
        panic!("the clock does not come to {until}");
    }

    /// The same, to a time of day (UTC) from now on: `09:30` or `09:30:15`.
    pub async fn clock_shows(&self, time: &str) {
        let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
        let time: chrono::NaiveTime = time.parse().unwrap();
        let mut until = self.now().date_naive().and_time(time).and_utc();
        if until < self.now() {
            until += chrono::TimeDelta::days(1);
        }
        self.advance_to(until).await;
    }

    /// The numbers that were called, in order.
    pub fn called(&self) -> Vec<String> {
        self.twilio.calls().iter().map(|call| call.field("To").unwrap().to_owned()).collect()
    }

    /// The texts that were sent, in order: `number: text`.
    pub fn texted(&self) -> Vec<String> {
        let text = |field: Option<&str>| field.unwrap().to_owned();
        let messages = self.twilio.messages();
        messages
            .iter()
            .map(|message| {
                format!("{}: {}", text(message.field("To")), text(message.field("Body")))
            })
            .collect()
    }

    /// Ends the test: looks for leaks and shuts everything down.
    pub async fn finish(mut self) {
        self.look_for_leaks().await;
        self.shutdown.cancel();
        self.server.take().unwrap().await.unwrap();
    }

    async fn look_for_leaks(&self) {
        let store = &self.engine.store;
        let sending = store.count_open_deliveries().await.unwrap();
        let sending = sending.iter().find(|(status, _)| status == "sending");
        assert!(sending.is_none_or(|(_, count)| *count == 0), "never reported: {sending:?}");
        let audit = store.audit(self.now(), 10).await.unwrap();
        assert_eq!(audit.forgotten.first, [], "nothing will ever wake them");
        let all = rungs::store::processes::Filter::default();
        for process in store.processes(&all, 1_000).await.unwrap() {
            let moments = store.history(&process.key, 0, 10_000).await.unwrap();
            let entries: Vec<_> = moments.into_iter().flat_map(|one| one.entries).collect();
            let turn = |entry: &&Entry| is_end(entry) || matches!(entry, Entry::Resumed);
            let ended = entries.iter().rev().find(turn).is_some_and(is_end);
            assert_eq!(ended, !process.status.is_live(), "{}: {entries:#?}", process.process_id);
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(self.server.is_none() || std::thread::panicking(), "a test ends with `finish`");
    }
}

fn is_end(entry: &Entry) -> bool {
    matches!(entry, Entry::Completed | Entry::Failed { .. } | Entry::Stopped { .. })
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// An entry of a history as a line: time of day (UTC), what it speaks of, what happened.
fn line(entry: &Value) -> String {
    let at = entry["at"].as_str().unwrap();
    let time = at.get(11..19).unwrap();
    let time = time.strip_suffix(":00").unwrap_or(time);
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let words = match entry["kind"].as_str().unwrap() {
        "visited" => vec![text("step"), text("action")],
        "achieved" => vec![text("step"), "achieved from".to_owned(), text("from")],
        "wrote" => vec![text("step"), "wrote".to_owned(), text("channel")],
        "heard" => vec![text("step"), "heard".to_owned(), text("status")],
        "happened" => vec!["happened".to_owned(), text("event")],
        "failed" => vec!["failed:".to_owned(), text("reason")],
        other => vec![other.to_owned()],
    };
    format!("{time} {}", words.join(" "))
}
