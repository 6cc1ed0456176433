//! Twilio on a loopback socket.
//!
//! Promises: it takes what the documentation says Twilio takes and refuses everything
//! else as Twilio would ([`rules`]); it remembers every request in order; it calls back,
//! signed as Twilio signs, when a test says what happened to a call or a message
//! ([`fate`]), and never of its own accord.
//! It can be in a [`Mood`] for the requests to come.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rungs::{channels::twilio, clock::Clock};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

mod fate;
mod rules;

pub use fate::{Callback, Fate};
use rules::Refusal;

/// The account that the fake knows.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// Its auth token.
pub const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// What the next request meets, in the place of a proper answer.
#[derive(Debug, Clone)]
pub enum Mood {
    /// 429, with this `Retry-After`.
    TooMany(&'static str),
    /// 503.
    Unavailable,
    /// A refusal: status, Twilio's code, its words.
    Refusal(u16, u32, &'static str),
    /// HTML with this status, as a proxy in between would send.
    Html(u16),
    /// Two megabytes.
    Huge,
    /// The connection ends before the request was taken.
    HangUpBefore,
    /// The connection ends after the request was taken.
    HangUpAfter,
    /// The request is taken, and half an answer sent.
    HalfAnAnswer,
    /// The request is taken, and never answered.
    Silence,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST` or `GET`.
    pub method: &'static str,
    /// The last part of its path: `Calls.json`, `Calls/CA....json`.
    pub path: String,
    /// Its form, in order.
    pub form: Vec<(String, String)>,
    /// The sid of what it made, if it was taken.
    pub sid: Option<String>,
}

/// A call or a message.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `CA...` or `SM...`.
    pub sid: String,
    /// The form that made it.
    pub form: Vec<(String, String)>,
    /// As Twilio calls it.
    pub status: &'static str,
    /// `human`, `machine_start`, ... once that is known.
    pub answered_by: Option<&'static str>,
    /// What went wrong.
    pub error_code: Option<u32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Callbacks made so far.
    sequence: u32,
}

/// The last value of `name` in a form.
pub fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

impl Resource {
    /// The last value of a field of its form.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.form, name)
    }

    /// The delivery that its callbacks name.
    pub fn delivery(&self) -> Option<&str> {
        self.field("StatusCallback")?.rsplit('/').next()
    }

    fn is_call(&self) -> bool {
        self.sid.starts_with("CA")
    }
}

struct Book {
    clock: Clock,
    requests: Vec<Request>,
    resources: Vec<Resource>,
    moods: VecDeque<Mood>,
    scripts: HashMap<String, Fate>,
}

/// The fake. It ends when this is dropped.
pub struct FakeTwilio {
    base_url: String,
    book: Arc<Mutex<Book>>,
    http: reqwest::Client,
    server: JoinHandle<()>,
}

impl Drop for FakeTwilio {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeTwilio {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let book = Arc::new(Mutex::new(Book::new()));
        let server = tokio::spawn(serve(listener, routes(Arc::clone(&book))));
        let http = reqwest::Client::new();
        Self { base_url: format!("http://{address}"), book, http, server }
    }

    /// How to reach it, as the program is configured.
    pub fn config(&self, public_url: Option<&str>) -> twilio::Config {
        serde_json::from_value(json!({
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "base_url": self.base_url,
            "public_url": public_url,
            "caller_ids": { "default": "+14155550100", "+385": "+38515550100" },
            "timeout": 10.0,
        }))
        .expect("a configuration")
    }

    /// The time that it goes by from now on.
    pub fn goes_by(&self, clock: &Clock) {
        self.book().clock = clock.clone();
    }

    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.book().requests.clone()
    }

    /// Every call that was taken, in order.
    pub fn calls(&self) -> Vec<Resource> {
        self.book().resources.iter().filter(|made| made.is_call()).cloned().collect()
    }

    /// Every message that was taken, in order.
    pub fn messages(&self) -> Vec<Resource> {
        self.book().resources.iter().filter(|made| !made.is_call()).cloned().collect()
    }

    /// What the next request meets; several are met one after the other.
    pub fn next(&self, mood: Mood) {
        self.book().moods.push_back(mood);
    }

    /// What becomes of calls (or messages: that lies in the fate) to `number` when [`play`](Self::play) is called.
    pub fn script(&self, number: &str, fate: Fate) {
        self.book().scripts.insert(number.to_owned(), fate);
    }

    /// Everything that was taken, has a script and has not been played yet meets its
    /// fate, in order, with all callbacks. Gives how many there were.
    pub async fn play(&self) -> usize {
        let due: Vec<(String, Fate)> = {
            let book = self.book();
            let fresh = book.resources.iter().filter(|made| made.status == "queued");
            fresh
                .filter_map(|made| Some((made, *book.scripts.get(made.field("To")?)?)))
                .filter(|(made, fate)| fate.befalls_calls() == made.is_call())
                .map(|(made, fate)| (made.sid.clone(), fate))
                .collect()
        };
        for (sid, fate) in &due {
            self.ring(sid, *fate).await;
        }
        due.len()
    }

    /// `fate` happens to the call or message `sid`, and Twilio calls back about each part
    /// of it in order. Gives the statuses with which the callbacks were answered.
    pub async fn ring(&self, sid: &str, fate: Fate) -> Vec<u16> {
        let mut answers = Vec::new();
        for callback in self.happens(sid, fate) {
            answers.push(self.call_back(&callback).await);
        }
        answers
    }

    /// `fate` happens to the call or message `sid`; the callbacks are the caller's to
    /// make: later, twice, in another order, or never.
    pub fn happens(&self, sid: &str, fate: Fate) -> Vec<Callback> {
        let mut book = self.book();
        let found = book.resources.iter_mut().find(|made| made.sid == sid);
        fate::befall(found.unwrap_or_else(|| panic!("no {sid} was made")), fate)
    }

    /// Makes a callback. Gives the status with which it was answered.
    pub async fn call_back(&self, callback: &Callback) -> u16 {
        let request = self
            .http
            .post(&callback.url)
            .header("X-Twilio-Signature", &callback.signature)
            .form(&callback.form);
        request.send().await.expect("the callback's address answers").status().as_u16()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no test panicked while it wrote")
    }
}

fn routes(book: Arc<Mutex<Book>>) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/{resource}", post(create).get(list))
        .route("/2010-04-01/Accounts/{account}/{resource}/{sid}", get(fetch))
        .with_state(book)
}

/// Serves each connection on its own, so that a handler can cut the one it answers on.
async fn serve(listener: TcpListener, routes: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let cut = CancellationToken::new();
        let service = TowerToHyperService::new(routes.clone().layer(Extension(cut.clone())));
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = connection => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

async fn create(
    State(book): State<Arc<Mutex<Book>>>,
    Path((account, path)): Path<(String, String)>,
    Extension(cut): Extension<CancellationToken>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let (mood, answer) = {
        let mut book = book.lock().expect("no test panicked while it wrote");
        let mood = book.moods.pop_front();
        let refusal = rules::authenticate(&account, &headers)
            .and_then(|()| rules::check(&path, &headers, &form))
            .err();
        let is_taken = refusal.is_none() && mood.as_ref().is_none_or(Mood::takes);
        let made = is_taken.then(|| book.make(&path, form.clone()));
        let sid = made.as_ref().map(|made| made.sid.clone());
        book.requests.push(Request { method: "POST", path, form, sid });
        let answer = match (made, refusal) {
            (Some(made), _) => (StatusCode::CREATED, axum::Json(made.json())).into_response(),
            (None, Some(refusal)) => refusal.into_response(),
            (None, None) => StatusCode::NO_CONTENT.into_response(),
        };
        (mood, answer)
    };
    match mood {
        Some(mood) => mood.answer(answer, &cut).await,
        None => answer,
    }
}

async fn fetch(
    State(book): State<Arc<Mutex<Book>>>,
    Path((account, resource, sid)): Path<(String, String, String)>,
    Extension(cut): Extension<CancellationToken>,
    headers: HeaderMap,
) -> Response {
    let (mood, answer) = {
        let mut book = book.lock().expect("no test panicked while it wrote");
        let path = format!("{resource}/{sid}");
        book.requests.push(Request { method: "GET", path, form: Vec::new(), sid: None });
        let sid = sid.strip_suffix(".json").unwrap_or(&sid);
        let kind = if resource == "Calls" { "CA" } else { "SM" };
        let found = book.resources.iter().find(|made| made.sid == sid && sid.starts_with(kind));
        let answer = match (rules::authenticate(&account, &headers), found) {
            (Err(refusal), _) => refusal.into_response(),
            (_, Some(made)) => axum::Json(made.json()).into_response(),
            (_, None) => {
                Refusal::new(404, 20404, "The requested resource was not found").into_response()
            }
        };
        (book.moods.pop_front(), answer)
    };
    match mood {
        Some(mood) => mood.answer(answer, &cut).await,
        None => answer,
    }
}

/// Calls or messages by `To` and `From`, the newest first. Twilio has more filters; whoever
/// uses another finds it here refused.
async fn list(
    State(book): State<Arc<Mutex<Book>>>,
    Path((account, path)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    Extension(cut): Extension<CancellationToken>,
    headers: HeaderMap,
) -> Response {
    let (mood, answer) = {
        let mut book = book.lock().expect("no test panicked while it wrote");
        let form = query.clone().into_iter().collect();
        book.requests.push(Request { method: "GET", path: path.clone(), form, sid: None });
        let answer = match rules::authenticate(&account, &headers)
            .and_then(|()| rules::check_list(&path, &query))
        {
            Err(refusal) => refusal.into_response(),
            Ok(most) => {
                let kind = if path == "Calls.json" { "calls" } else { "messages" };
                let fits = |made: &&Resource| {
                    made.is_call() == (kind == "calls")
                        && ["To", "From"].iter().all(|name| {
                            query.get(*name).is_none_or(|value| made.field(name) == Some(value))
                        })
                };
                let found: Vec<_> = book.resources.iter().rev().filter(fits).take(most).collect();
                let found: Vec<_> = found.into_iter().map(Resource::json).collect();
                axum::Json(json!({ kind: found, "page": 0, "page_size": most })).into_response()
            }
        };
        (book.moods.pop_front(), answer)
    };
    match mood {
        Some(mood) => mood.answer(answer, &cut).await,
        None => answer,
    }
}

impl Book {
    fn new() -> Self {
        Self {
            clock: Clock::System,
            requests: Vec::new(),
            resources: Vec::new(),
            moods: VecDeque::new(),
            scripts: HashMap::new(),
        }
    }

    fn make(&mut self, path: &str, form: Vec<(String, String)>) -> Resource {
        let kind = if path == "Calls.json" { "CA" } else { "SM" };
        let sid = format!("{kind}{:032x}", self.resources.len() + 1);
        let made = Resource {
            sid,
            form,
            status: "queued",
            answered_by: None,
            error_code: None,
            created_at: self.clock.now(),
            sequence: 0,
        };
        self.resources.push(made.clone());
        made
    }
}

impl Resource {
    fn json(&self) -> serde_json::Value {
        json!({
            "sid": self.sid,
            "account_sid": ACCOUNT,
            "to": self.field("To"),
            "from": self.field("From"),
            "status": self.status,
            "answered_by": self.answered_by,
            "error_code": self.error_code,
            "error_message": null,
            "direction": "outbound-api",
            "api_version": "2010-04-01",
            "date_created": self.created_at.to_rfc2822(),
            "body": self.field("Body"),
        })
    }
}

impl Mood {
    /// Whether the request is taken before the mood shows.
    fn takes(&self) -> bool {
        matches!(self, Self::HangUpAfter | Self::HalfAnAnswer | Self::Silence)
    }

    async fn answer(self, answer: Response, cut: &CancellationToken) -> Response {
        match self {
            Self::TooMany(retry_after) => {
                let refusal = Refusal::new(429, 20429, "Too Many Requests");
                ([("retry-after", retry_after)], refusal).into_response()
            }
            Self::Unavailable => Refusal::new(503, 20503, "Service unavailable").into_response(),
            Self::Refusal(status, code, words) => Refusal::new(status, code, words).into_response(),
            Self::Html(status) => {
                let status = StatusCode::from_u16(status).expect("a status");
                (status, axum::response::Html("<html><h1>Hello from the proxy</h1></html>"))
                    .into_response()
            }
            Self::Huge => (StatusCode::CREATED, "x".repeat(2 * 1024 * 1024)).into_response(),
            Self::HalfAnAnswer => {
                let length = [("content-length", "1000"), ("content-type", "application/json")];
                let half = futures::stream::iter([
                    Ok(Bytes::from_static(b"{\"sid\": ")),
                    Err(std::io::Error::other("half is enough")),
                ]);
                (StatusCode::CREATED, length, Body::from_stream(half)).into_response()
            }
            Self::HangUpBefore | Self::HangUpAfter => {
                cut.cancel();
                drop(answer);
                std::future::pending().await
            }
            Self::Silence => std::future::pending().await,
        }
    }
}
