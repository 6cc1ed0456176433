//! PubNub's publish API on a loopback socket: as strict as its documentation, and it can
//! answer 200 with an error inside, as PubNub does.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use rungs::channels::pubnub;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The keyset that the fake knows.
pub const KEYS: (&str, &str) = ("pub-c-hush", "sub-c-hush");

/// A message that was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub channel: String,
    pub message: Value,
    pub store: String,
    pub uuid: String,
}

/// What the next request meets in the place of a proper answer: a status and a body.
pub type Mood = (u16, &'static str);

#[derive(Default)]
struct Book {
    published: Vec<Published>,
    moods: VecDeque<Mood>,
    retry_after: Option<&'static str>,
}

/// The fake. It ends when this is dropped.
pub struct FakePubNub {
    address: String,
    book: Arc<Mutex<Book>>,
    server: JoinHandle<()>,
}

impl Drop for FakePubNub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Deserialize)]
struct Asked {
    store: String,
    uuid: String,
}

impl FakePubNub {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let book = Arc::new(Mutex::new(Book::default()));
        let routes = Router::new()
            .route("/publish/{pub_key}/{sub_key}/0/{channel}/0", post(publish))
            .with_state(Arc::clone(&book));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, book, server }
    }

    /// How to reach it, as the program is configured.
    pub fn config(&self) -> pubnub::Config {
        serde_json::from_value(json!({
            "publish_key": KEYS.0,
            "subscribe_key": KEYS.1,
            "service_url": self.address,
            "uuid": "rungs-1",
        }))
        .expect("a configuration")
    }

    /// What the next request meets.
    pub fn next(&self, mood: Mood) {
        self.book().moods.push_back(mood);
    }

    /// The `Retry-After` of what is not taken.
    pub fn asks_to_wait(&self, seconds: &'static str) {
        self.book().retry_after = Some(seconds);
    }

    /// Everything that was published, in order.
    pub fn published(&self) -> Vec<Published> {
        self.book().published.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

async fn publish(
    State(book): State<Arc<Mutex<Book>>>,
    Path((pub_key, sub_key, channel)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = book.lock().unwrap();
    if let Some((status, body)) = book.moods.pop_front() {
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        if let Some(seconds) = book.retry_after {
            response.headers_mut().insert("retry-after", seconds.parse().unwrap());
        }
        return response;
    }
    let answer = |status, body: Value| (status, axum::Json(body)).into_response();
    if (pub_key.as_str(), sub_key.as_str()) != KEYS {
        return answer(StatusCode::BAD_REQUEST, json!([0, "Invalid Key", "1"]));
    }
    let is_json = headers.get("content-type").is_some_and(|it| it == "application/json");
    let Ok(message) = serde_json::from_slice(&body) else {
        return answer(StatusCode::BAD_REQUEST, json!([0, "Invalid JSON", "1"]));
    };
    if !is_json || channel.contains([',', '/', '*']) || !["0", "1"].contains(&asked.store.as_str())
    {
        return answer(StatusCode::BAD_REQUEST, json!({ "error": true, "message": "Bad request" }));
    }
    let Asked { store, uuid } = asked;
    book.published.push(Published { channel, message, store, uuid });
    let timetoken = format!("1437518962917{:04}", book.published.len());
    answer(StatusCode::OK, json!([1, "Sent", timetoken]))
}
