//! The HTTP door, through a real socket: a server on a port of its own, over a SQLite
//! file, with a clock that stands still.

mod bodies;
mod bundles;
mod callbacks;
mod climb;
mod document;
mod health;
mod keys;
mod pages;
mod starts;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use rungs::{
    api::{self, ApiState},
    channels::{self, Channels},
    clock::Clock,
    config::Roesc,
    engine::{self, Engine},
    store::{self, Store},
};
use rungs_core::{Process, Status, process::Priority};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What the clock shows at first.
const START: &str = "2026-03-02T08:00:00Z";

/// A running API.
struct Server {
    engine: Arc<Engine>,
    url: String,
    http: Client,
    shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    _dir: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Server {
    /// With its schema in place, and without keys.
    async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// The same, with other settings.
    async fn start_with(change: impl FnOnce(&mut ApiState)) -> Self {
        let server = Self::start_empty(change).await;
        server.engine.store.migrate().await.unwrap();
        server
    }

    /// On a file that has no schema yet.
    async fn start_empty(change: impl FnOnce(&mut ApiState)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = store::Options {
            url: format!("sqlite:{}", dir.path().join("rungs.db").display()),
            max_connections: 4,
            acquire_timeout: std::time::Duration::from_secs(10),
        };
        let store = Store::connect(&options).await.unwrap();
        let nowhere: channels::console::Print = Arc::new(|_| ());
        let quiet = Channels::open_printing(&channels::Config::default(), &nowhere);
        let clock = Clock::standing_at(START.parse().unwrap());
        let engine = Engine::new(store, clock, quiet.unwrap(), engine::Options::default());
        let mut state = ApiState {
            engine: Arc::clone(&engine),
            api_keys: Vec::new(),
            roesc: Roesc::default(),
            callbacks: None,
        };
        change(&mut state);
        let address = api::check_listen("127.0.0.1:0", &state.api_keys).unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(api::serve(listener, state, shutdown.clone()));
        Self { engine, url, http: client(), shutdown, serving, _dir: dir }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// A body of some content type.
    async fn send(
        &self,
        method: Method,
        path: &str,
        r#type: &str,
        body: impl Into<String>,
    ) -> Answer {
        let request = self.request(method, path).header("content-type", r#type);
        Answer::of(request.body(body.into())).await
    }

    async fn publish(&self, name: &str, yaml: &str) -> Answer {
        self.send(Method::PUT, &format!("/v1/sequences/{name}"), "application/yaml", yaml).await
    }

    /// Ends the server as an operator would.
    async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success.
    fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.text).unwrap()
    }

    /// The body of a problem of a kind.
    fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}

fn client() -> Client {
    // The first one wins, and every later call is told so: that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A process that sleeps at its first step.
fn process(key: &str, process_id: &str) -> Process {
    let started_at: DateTime<Utc> = START.parse().unwrap();
    Process {
        key: key.to_owned(),
        process_id: process_id.to_owned(),
        sequence: "orders".to_owned(),
        version: 1,
        priority: Priority::Normal,
        status: Status::Active,
        cursor: Some("grace".to_owned()),
        timezone: Tz::Europe__Zagreb,
        data: Map::from_iter([("order".to_owned(), json!({ "count": 3 }))]),
        state: rungs_core::process::State::default(),
        due_at: Some(started_at + chrono::TimeDelta::minutes(3)),
        reason: None,
        started_at,
        ended_at: None,
    }
}

/// Puts processes there, as if they had been started before.
async fn insert(server: &Server, processes: &[Process]) {
    let born = server.engine.store.insert(processes, server.engine.clock.now()).await.unwrap();
    assert!(born.iter().all(|born| *born));
}
