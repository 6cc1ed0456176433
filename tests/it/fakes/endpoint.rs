//! A runner that lives elsewhere: an endpoint on a loopback socket that speaks Sequencer's
//! protocol, is as strict about signatures as `docs/own-runners.md` asks for, and can do
//! everything wrong that an endpoint can.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::{StreamExt, stream};
use rungs::{
    channels::remote::{self, signature},
    clock::Clock,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

/// What both sides know.
pub const SECRET: &str = "hush-hush-hush-hush";

/// What the next request meets in the place of a proper answer.
#[derive(Debug, Clone)]
pub enum Mood {
    /// A status, and nothing else.
    Status(u16),
    /// This status and `Retry-After` in seconds.
    Busy(u16, &'static str),
    /// A redirect to itself.
    Redirect,
    /// 200 with this in it.
    Text(&'static str),
    /// 200 with so many megabytes.
    Megabytes(usize),
    /// 200, and an answer that never ends.
    Endless,
    /// The line breaks in the middle of the answer.
    HangUp,
    /// No answer for an hour.
    Silent,
    /// A proper answer, once `let_go` is called.
    Held,
    /// What is made of the proper answer.
    Spoiled(fn(Vec<Value>) -> Value),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub key: String,
    pub body: Value,
}

impl Request {
    pub fn runners(&self) -> &Vec<Value> {
        self.body["runners"].as_array().unwrap()
    }

    /// One field of each visit.
    pub fn each(&self, field: &str) -> Vec<&str> {
        self.runners().iter().map(|runner| runner[field].as_str().unwrap()).collect()
    }
}

#[derive(Default)]
struct Book {
    requests: Vec<Request>,
    forged: usize,
    moods: VecDeque<Mood>,
    always: Option<Mood>,
    /// What it says of a process, again and again the last.
    says: HashMap<String, VecDeque<Value>>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    came: Notify,
    go: Notify,
}

/// The fake. It ends when this is dropped.
pub struct FakeEndpoint {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for FakeEndpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeEndpoint {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Shared::default());
        let routes = Router::new()
            .route("/credit", post(asked))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, shared, server }
    }

    /// How to reach it, as the program is configured. It is patient for a third of a second.
    pub fn json(&self) -> Value {
        json!({ "url": format!("{}/credit", self.address), "secret": SECRET, "timeout": 20 })
    }

    pub fn config(&self) -> remote::Config {
        self.config_with(&json!({}))
    }

    /// The same with other settings.
    pub fn config_with(&self, more: &Value) -> remote::Config {
        let mut config = self.json();
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(config).expect("a configuration")
    }

    /// What the next request meets.
    pub fn next(&self, mood: Mood) {
        self.book().moods.push_back(mood);
    }

    /// What every request meets that meets nothing else.
    pub fn always(&self, mood: Option<Mood>) {
        self.book().always = mood;
    }

    /// What it answers when it is asked about a process: one after the other, and the last
    /// one from then on. Without this it is `next`.
    pub fn says(&self, process: &str, answers: &[Value]) {
        self.book().says.insert(process.to_owned(), answers.iter().cloned().collect());
    }

    /// Every request whose signature was right, in order.
    pub fn requests(&self) -> Vec<Request> {
        assert_eq!(self.book().forged, 0, "requests that were not signed as they should");
        self.book().requests.clone()
    }

    /// Every visit that it was asked about, in order.
    pub fn asked(&self) -> Vec<Value> {
        self.requests().iter().flat_map(Request::runners).cloned().collect()
    }

    /// Waits until so many requests have come.
    pub async fn has_come(&self, count: usize) {
        loop {
            let mut came = std::pin::pin!(self.shared.came.notified());
            came.as_mut().enable();
            if self.book().requests.len() >= count {
                return;
            }
            came.await;
        }
    }

    /// Answers the request that is held.
    pub fn let_go(&self) {
        self.shared.go.notify_one();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.shared.book.lock().unwrap()
    }
}

async fn asked(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let (mood, answers) = {
        let mut book = shared.book.lock().unwrap();
        if !is_signed(&headers, &bytes) {
            book.forged += 1;
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let body: Value = serde_json::from_slice(&bytes).expect("JSON");
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        let mood = book.moods.pop_front().or_else(|| book.always.clone());
        let answers = match mood {
            // What it does not say is not used up.
            Some(Mood::Held | Mood::Spoiled(_)) | None => book.answers(&body),
            _ => vec![],
        };
        book.requests.push(Request { key, body });
        (mood, answers)
    };
    shared.came.notify_waiters();
    match mood {
        None => axum::Json(answers).into_response(),
        Some(Mood::Spoiled(spoil)) => axum::Json(spoil(answers)).into_response(),
        Some(Mood::Held) => {
            shared.go.notified().await;
            axum::Json(answers).into_response()
        }
        Some(mood) => misbehave(mood).await,
    }
}

pub(super) async fn misbehave(mood: Mood) -> Response {
    let status = |status| StatusCode::from_u16(status).unwrap();
    match mood {
        Mood::Busy(code, seconds) => (status(code), [("retry-after", seconds)]).into_response(),
        Mood::Redirect => (status(307), [("location", "/credit")]).into_response(),
        Mood::Text(text) => text.into_response(),
        Mood::Megabytes(count) => format!("[{}]", " ".repeat(count << 20)).into_response(),
        Mood::Endless => {
            let more = || async { Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])) };
            Body::from_stream(stream::repeat_with(more).then(|more| more)).into_response()
        }
        Mood::HangUp => {
            // The first part has to be on its way before the line breaks.
            let begins = stream::once(async { Ok(Bytes::from_static(b"[{\"id\":")) });
            let breaks = stream::once(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(std::io::Error::other("the line broke"))
            });
            Body::from_stream(begins.chain(breaks)).into_response()
        }
        Mood::Silent => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            StatusCode::OK.into_response()
        }
        Mood::Status(code) => status(code).into_response(),
        Mood::Held | Mood::Spoiled(_) => unreachable!("these answer properly"),
    }
}

impl Book {
    fn answers(&mut self, body: &Value) -> Vec<Value> {
        let runners = body["runners"].as_array().unwrap();
        let answer = |runner: &Value| {
            let says = self.says.get_mut(runner["process"].as_str().unwrap());
            let answer = says.and_then(|says| {
                if says.len() > 1 { says.pop_front() } else { says.front().cloned() }
            });
            let mut answer = answer.unwrap_or_else(|| json!({ "action": "next" }));
            answer["id"] = runner["id"].clone();
            answer
        };
        runners.iter().map(answer).collect()
    }
}

/// As any receiver should look at it.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header("rungs-timestamp").and_then(|text| text.parse::<i64>().ok());
    let Some((timestamp, signature)) = timestamp.zip(header("rungs-signature")) else {
        return false;
    };
    let age = (Clock::System.now().timestamp() - timestamp).abs();
    let is_json = header("content-type") == Some("application/json");
    age <= 300 && is_json && signature == signature::sign(SECRET, timestamp, body)
}
