//! Where deliveries go: a provider that takes everything, at once or after a while.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, http::StatusCode, response::IntoResponse, routing::post};
use rungs::channels::{Channel, Heard, Outgoing, SendError, Sent};
use rungs_runners::DeliveryStatus;
use tokio::{net::TcpListener, sync::Notify};

/// A provider on a socket of this machine, on a thread of its own.
pub struct Sink {
    pub url: String,
    /// Ends its thread when it is dropped.
    _end: tokio::sync::oneshot::Sender<Infallible>,
}

impl Sink {
    /// A sink that answers after `pause`.
    pub fn start(pause: Duration) -> Self {
        let (end, ended) = tokio::sync::oneshot::channel();
        let (address, given) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
                address
                    .send(listener.local_addr().expect("an address"))
                    .expect("somebody who waits");
                let routes = Router::new().fallback_service(post(move || take(pause)));
                tokio::select! {
                    served = axum::serve(listener, routes) => served.expect("a server"),
                    _ = ended => {}
                }
            });
        });
        Self { url: format!("http://{}", given.recv().expect("an address")), _end: end }
    }
}

async fn take(pause: Duration) -> impl IntoResponse {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let json = [("content-type", "application/json")];
    (StatusCode::CREATED, json, r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#)
}

/// A channel inside the program that delivers at once, and counts.
#[derive(Default)]
pub struct Local {
    taken: AtomicUsize,
    more: Notify,
}

impl Local {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Channel for Local {
    fn name(&self) -> &'static str {
        "sink"
    }

    async fn send(&self, _: &Outgoing) -> Result<Sent, SendError> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.more.notify_one();
        let delivered = Heard { provider_id: None, status: DeliveryStatus::Delivered, error: None };
        Ok(Sent {
            provider_id: None,
            status: DeliveryStatus::Sent,
            then: vec![delivered],
            answer: None,
        })
    }
}
