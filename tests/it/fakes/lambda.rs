//! AWS Lambda's "Invoke" on a loopback socket, as its documentation has it: the function by its
//! ARN in the path, a signed request, what the function returns as the body, and its failure
//! in a header. Behind it a function that answers visits.
//!
//! (moto's Lambda needs Docker to run anything, and without it answers what it was told before;
//! the ids of visits are not known before.)

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The function that is there.
pub const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:credit";

/// What the next invocation meets.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// The function throws.
    Throws,
    /// Too many are running.
    Throttled,
    /// Nothing of ours: an error without a body.
    Broken,
}

#[derive(Default)]
struct Book {
    invoked: Vec<Value>,
    moods: VecDeque<Mood>,
    wrong: Vec<String>,
}

/// The fake. It ends when this is dropped.
pub struct FakeLambda {
    pub url: String,
    book: Arc<Mutex<Book>>,
    server: JoinHandle<()>,
}

impl Drop for FakeLambda {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeLambda {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let book = Arc::new(Mutex::new(Book::default()));
        let routes = Router::new()
            .route("/2015-03-31/functions/{function}/invocations", post(invoke))
            .with_state(Arc::clone(&book));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, book, server }
    }

    /// What the next invocation meets.
    pub fn next(&self, mood: Mood) {
        self.book().moods.push_back(mood);
    }

    /// Everything the function was invoked with.
    pub fn invoked(&self) -> Vec<Value> {
        assert_eq!(self.book().wrong, [""; 0], "requests that AWS would refuse");
        self.book().invoked.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

async fn invoke(
    State(book): State<Arc<Mutex<Book>>>,
    Path(function): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    let mut book = book.lock().unwrap();
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let signed = text("authorization");
    if !signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        || !signed.contains("/eu-west-1/lambda/aws4_request")
    {
        book.wrong.push(format!("signed with {signed:?}"));
    }
    let kind = text("x-amz-invocation-type");
    if !["", "RequestResponse"].contains(&kind) {
        book.wrong.push(format!("of the type {kind}"));
    }
    let refused = |status: u16, kind: &str, message: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        let body = json!({ "Type": "User", "Message": message });
        (status, [("x-amzn-errortype", kind)], axum::Json(body)).into_response()
    };
    if function != ARN {
        return refused(
            404,
            "ResourceNotFoundException",
            &format!("Function not found: {function}"),
        );
    }
    match book.moods.pop_front() {
        Some(Mood::Throws) => {
            let body = json!({ "errorType": "TypeError", "errorMessage": "order is undefined" });
            return ([("x-amz-function-error", "Unhandled")], axum::Json(body)).into_response();
        }
        Some(Mood::Throttled) => {
            return refused(429, "TooManyRequestsException", "Rate Exceeded.");
        }
        Some(Mood::Broken) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        None => {}
    }
    let event: Value = serde_json::from_slice(&payload).expect("JSON");
    let answer = |visit: &Value| json!({ "id": visit["id"], "action": "next", "message": "fine" });
    let answers: Vec<Value> = event["runners"].as_array().unwrap().iter().map(answer).collect();
    book.invoked.push(event);
    axum::Json(answers).into_response()
}
