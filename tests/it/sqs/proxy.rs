//! Stands between a program and SQS, so that a blow can fall at a certain moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
};
use tokio::{net::TcpListener, sync::Notify};

/// Passes everything on to SQS, but for one action.
pub struct Proxy {
    pub endpoint: String,
    state: Arc<Between>,
}

struct Between {
    sqs: String,
    http: reqwest::Client,
    /// What is not passed on, and not answered either.
    held: &'static str,
    is_held: AtomicBool,
    came: Notify,
}

impl Proxy {
    /// Holds back `action`, such as `DeleteMessageBatch`.
    pub async fn holding(action: &'static str, sqs: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Between {
            sqs: sqs.to_owned(),
            http: reqwest::Client::new(),
            held: action,
            is_held: AtomicBool::new(true),
            came: Notify::new(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, state }
    }

    /// Waits until a program asks for what is held back.
    pub async fn asked(&self) {
        let came = tokio::time::timeout(Duration::from_mins(1), self.state.came.notified());
        came.await.expect("a program asks for it");
    }

    /// Holds nothing back any more.
    pub fn let_pass(&self) {
        self.state.is_held.store(false, Ordering::SeqCst);
    }
}

async fn pass(
    State(between): State<Arc<Between>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = headers["x-amz-target"].to_str().unwrap();
    if target.ends_with(between.held) && between.is_held.load(Ordering::SeqCst) {
        between.came.notify_one();
        std::future::pending::<()>().await;
    }
    let mut request = between.http.post(&between.sqs).body(body);
    for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
