//! Traces to an OpenTelemetry collector: cycles, attempts and requests, each with the ids it
//! speaks of, and inside a cycle everything that happened.
//!
//! Promises: where they go is told by the variables that OpenTelemetry has for it
//! (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin); without them nothing is traced. A collector
//! that is slow or gone costs traces and nothing else.
//! Called by: `log`, in builds with the feature `otel`.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::{Key, trace::TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer,
    filter::{Filtered, Targets},
    registry::LookupSpan,
};

use super::{Failure, Result};
use crate::channels::http;

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends what waits when it is dropped.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // Whoever ends is not held up for long, and has nobody to tell.
        let _ = self.0.shutdown_with_timeout(PATIENCE);
    }
}

/// Turns spans into traces.
pub(super) type Spans<S> = Filtered<OpenTelemetryLayer<S, SdkTracer>, Targets, S>;

/// The layer that traces, if it is wanted.
pub(super) fn open<S>(wanted: bool) -> Result<Option<(Spans<S>, Traces)>>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if !wanted {
        return Ok(None);
    }
    let refused = |error: &dyn std::fmt::Display| Failure::refused(format!("OTEL_...: {error}"));
    let http = http::client()?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(Posts { http, runtime: Handle::current() })
        .build()
        .map_err(|error| refused(&error))?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("rungs"))
        .with_location(false)
        .with_threads(false);
    // What the libraries say among themselves, sending traces included, is left out.
    let ours = Targets::new().with_target("rungs", tracing::Level::DEBUG);
    Ok(Some((layer.with_filter(ours), Traces(provider))))
}

/// Who we are, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` say it.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let name = told.get(&Key::from_static_str("service.name"));
    if name.is_some_and(|name| !name.as_str().starts_with("unknown_service")) {
        return told;
    }
    Resource::builder().with_service_name("rungs").build()
}

/// Sends with the client that everything here sends with, on the program's runtime: the
/// exporter has a thread of its own, without one.
#[derive(Debug)]
struct Posts {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Posts {
    async fn send_bytes(
        &self,
        request: ::http::Request<Bytes>,
    ) -> std::result::Result<::http::Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        self.runtime
            .spawn(async move { tokio::time::timeout(PATIENCE, send(http, request)).await? })
            .await?
    }
}

async fn send(
    http: reqwest::Client,
    request: reqwest::Request,
) -> std::result::Result<::http::Response<Bytes>, HttpError> {
    let answer = http.execute(request).await?;
    let mut response = ::http::Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = http::body(answer).await?.into();
    Ok(response)
}
