//! A collector of OpenTelemetry traces: it decodes what comes, and keeps it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

/// Names and values, as texts.
pub type Attributes = HashMap<String, String>;

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub attributes: Attributes,
    pub events: Vec<Attributes>,
}

/// A collector on a loopback socket. It ends when this is dropped.
pub struct FakeCollector {
    pub url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    server: JoinHandle<()>,
}

impl Drop for FakeCollector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeCollector {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let kept = Arc::clone(&spans);
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            assert_eq!(headers["x-key"], "hush");
            kept.lock().unwrap().extend(decoded(body));
        };
        let routes = Router::new().route("/v1/traces", post(take));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, spans, server }
    }

    /// The spans of a name, as far as they came.
    pub fn spans(&self, name: &str) -> Vec<Span> {
        self.spans.lock().unwrap().iter().filter(|span| span.name == name).cloned().collect()
    }
}

fn decoded(body: Bytes) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let who = attributes(resource.resource.map(|resource| resource.attributes));
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
            let events = span.events.into_iter();
            spans.push(Span {
                service: who.get("service.name").cloned().unwrap_or_default(),
                name: span.name,
                attributes: attributes(Some(span.attributes)),
                events: events.map(|event| attributes(Some(event.attributes))).collect(),
            });
        }
    }
    spans
}

fn attributes(list: Option<Vec<KeyValue>>) -> Attributes {
    let pairs =
        list.unwrap_or_default().into_iter().filter_map(|KeyValue { key, value, .. }| {
            let value = match value?.value? {
                Value::StringValue(text) => text,
                Value::IntValue(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            Some((key, value))
        });
    pairs.collect()
}
