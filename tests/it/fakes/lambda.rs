//! Lambda's Runtime API, as AWS documents it: `next` waits for an invocation, `response` and
//! `error` end it, `init/error` says that there will be none. Between two invocations the
//! function stands still, as Lambda freezes it, where a test wants that.

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Response, StatusCode},
    routing::{get, post},
};
use rungs::clock::{Clock, Stopwatch};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// The function's time, unless a test says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How an invocation ended: with an answer, or with an error.
pub type Ended = Result<Value, Value>;

struct Invocation {
    id: String,
    event: String,
    deadline_ms: i64,
    ended: oneshot::Sender<Ended>,
}

struct Runtime {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    under_way: Mutex<HashMap<String, oneshot::Sender<Ended>>>,
}

/// A function under Lambda. It is killed when this is dropped.
pub struct Function {
    child: Child,
    invoke: mpsc::UnboundedSender<Invocation>,
    invoked: usize,
}

impl Function {
    /// Starts `bootstrap` with these settings.
    pub async fn start(settings: &[(&str, String)]) -> Self {
        let (invoke, waiting) = mpsc::unbounded_channel();
        let runtime = Arc::new(Runtime {
            waiting: tokio::sync::Mutex::new(waiting),
            under_way: Mutex::default(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(runtime);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let child = command(&address, settings).spawn().unwrap();
        Self { child, invoke, invoked: 0 }
    }

    /// Hands an event over.
    pub fn begin(&mut self, event: &Value, timeout: Duration) -> oneshot::Receiver<Ended> {
        self.invoked += 1;
        let (ended, told) = oneshot::channel();
        let deadline_ms = (Clock::System.now() + timeout).timestamp_millis();
        let (id, event) = (format!("request-{}", self.invoked), event.to_string());
        self.invoke.send(Invocation { id, event, deadline_ms, ended }).unwrap();
        told
    }

    /// Hands an event over and waits for its end.
    pub async fn invoke(&mut self, event: &Value) -> Ended {
        let told = self.begin(event, TIMEOUT);
        let ended = tokio::time::timeout(TIMEOUT, told).await;
        ended.expect("it ends in time").expect("the runtime lives")
    }

    /// Lambda freezes it.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lambda lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Lambda kills it, as one that took too long.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it takes of memory, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program as Lambda starts it.
pub fn command(address: &str, settings: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "rungs-test")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/rungs-test")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/23/[$LATEST]0")
        .env("AWS_REGION", "eu-central-1")
        .env("RUNGS_LOG", "warn")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// How long something took.
pub async fn timed<T>(of: impl Future<Output = T>) -> (T, Duration) {
    let watch = Stopwatch::start();
    (of.await, watch.elapsed())
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response<Body> {
    let Some(Invocation { id, event, deadline_ms, ended }) =
        runtime.waiting.lock().await.recv().await
    else {
        return answered(StatusCode::INTERNAL_SERVER_ERROR);
    };
    runtime.under_way.lock().unwrap().insert(id.clone(), ended);
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", id)
        .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:rungs-test",
        )
        .header("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
        .body(Body::from(event))
        .unwrap()
}

async fn response(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    end(&runtime, &id, Ok(serde_json::from_slice(&body).unwrap()))
}

async fn error(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    end(&runtime, &id, Err(serde_json::from_slice(&body).unwrap()))
}

fn end(runtime: &Runtime, id: &str, ended: Ended) -> Response<Body> {
    match runtime.under_way.lock().unwrap().remove(id) {
        Some(tell) => {
            // A test that does not wait for it does not want to know.
            let _ = tell.send(ended);
            answered(StatusCode::ACCEPTED)
        }
        None => answered(StatusCode::BAD_REQUEST),
    }
}

fn answered(status: StatusCode) -> Response<Body> {
    let body = Body::from(r#"{"status":"OK"}"#);
    Response::builder().status(status).body(body).unwrap()
}
