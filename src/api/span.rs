//! What traces and the log show of a request: its route, not its query, and of whom it
//! speaks, where its path says so.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use percent_encoding::percent_decode_str;
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::TraceLayer,
};
use tracing::{Span, field::Empty};

/// A span around every request.
#[expect(clippy::type_complexity, reason = "tower's layers have long names")]
pub(super) fn layer() -> TraceLayer<
    SharedClassifier<ServerErrorsAsFailures>,
    fn(&Request) -> Span,
    (),
    fn(&Response, Duration, &Span),
    (),
    (),
    (),
> {
    TraceLayer::new_for_http()
        .make_span_with(span as fn(&Request) -> Span)
        .on_request(())
        .on_response(answered as fn(&Response, Duration, &Span))
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let method = request.method().as_str();
    let span = tracing::debug_span!(
        "request",
        otel.name = format!("{method} {}", route.unwrap_or("-")),
        otel.kind = "server",
        method,
        route,
        process = Empty,
        delivery = Empty,
        sequence = Empty,
        status = Empty
    );
    if !span.is_disabled() {
        let pattern = route.unwrap_or_default().split('/');
        for (part, value) in pattern.zip(request.uri().path().split('/')) {
            let field = match part {
                "{process_id}" => "process",
                "{delivery}" => "delivery",
                "{name}" => "sequence",
                _ => continue,
            };
            span.record(field, &*percent_decode_str(value).decode_utf8_lossy());
        }
    }
    span
}

fn answered(response: &Response, took: Duration, span: &Span) {
    let status = response.status().as_u16();
    span.record("status", status);
    tracing::debug!(status, took_ms = took.as_secs_f64() * 1000.0, "a request was answered");
}
