//! A server for webhooks: on a loopback socket, takes every method and path, remembers what
//! came, and can do everything wrong that the endpoint of a runner can.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
};
use rungs::channels::webhook;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use super::endpoint::{Mood, misbehave};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Debug, Clone)]
enum Next {
    Mood(Mood),
    /// A status with this in it.
    Says(u16, Value),
    /// The headers that came.
    Echo,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    next: Mutex<VecDeque<Next>>,
    came: Notify,
}

/// How the program is configured: it may reach such a server, and is patient for a second.
pub fn config(more: &Value) -> webhook::Config {
    let mut config = json!({ "allow": ["127.0.0.1"], "timeout": 1 });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(config).expect("a configuration")
}

/// The fake. It ends when this is dropped.
pub struct FakeWeb {
    pub port: u16,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for FakeWeb {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeWeb {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        let routes = Router::new().fallback(came).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { port, shared, server }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What the next request meets. Without it, 204.
    pub fn next(&self, mood: Mood) {
        self.push(Next::Mood(mood));
    }

    /// What the next request is answered.
    pub fn says(&self, status: u16, body: Value) {
        self.push(Next::Says(status, body));
    }

    /// The next request is answered with its own headers.
    pub fn echoes(&self) {
        self.push(Next::Echo);
    }

    fn push(&self, next: Next) {
        self.shared.next.lock().unwrap().push_back(next);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

async fn came(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let echo: Value = headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or("?"))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let path = uri.path_and_query().map_or(String::new(), ToString::to_string);
    let request = Request { method: method.to_string(), path, headers, body };
    shared.requests.lock().unwrap().push(request);
    let next = shared.next.lock().unwrap().pop_front();
    shared.came.notify_waiters();
    let status = |code| axum::http::StatusCode::from_u16(code).unwrap();
    match next {
        None => status(204).into_response(),
        Some(Next::Says(code, body)) => (status(code), axum::Json(body)).into_response(),
        Some(Next::Echo) => axum::Json(echo).into_response(),
        Some(Next::Mood(mood)) => misbehave(mood).await,
    }
}
