//! What whoever runs this server wants to know: is it alive, is it ready, what does it do.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    problem::{Kind, Place, Problem},
};
use crate::store::{
    self, StoreError,
    audit::{Audit, Found},
};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Prometheus's text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// How it is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

const WELL: Health = Health { status: "ok" };

/// Whether this server is alive
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, body = Health, description = "It is"))
)]
async fn healthz() -> Json<Health> {
    Json(WELL)
}

/// Whether this server can do its work
///
/// The database answers, no migration waits, and the audit finds nothing: no process that
/// nothing will ever wake, no attempt that outlived whoever began it, and nothing that is
/// overdue by more than a minute.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, body = Health, description = "It can"),
        (status = 503, body = Problem, content_type = "application/problem+json",
         description = "It cannot; `errors` says why"),
    )
)]
async fn readyz(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    let asked = tokio::time::timeout(PATIENCE, reasons(&api)).await;
    let reasons = match asked {
        Ok(Ok(reasons)) => reasons,
        Ok(Err(error)) => {
            api.engine.metrics.database_error();
            tracing::warn!(%error, "not ready: the database is in trouble");
            vec![reason("database", "the database is in trouble".to_owned())]
        }
        Err(_) => {
            let message = format!("no answer within {} seconds", PATIENCE.as_secs());
            vec![reason("database", message)]
        }
    };
    if reasons.is_empty() {
        return Ok(Json(WELL));
    }
    let detail: Vec<&str> = reasons.iter().map(|reason| reason.message.as_str()).collect();
    Err(Problem::new(Kind::NotReady, detail.join("; ")).with(reasons))
}

/// What this server does, in Prometheus's text format
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses(
        (status = 200, body = String, content_type = "text/plain",
         description = "Counters and histograms"),
    )
)]
async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let text = api.engine.scrape().await?;
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}

/// Why it cannot do its work.
async fn reasons(api: &Api) -> store::Result<Vec<Place>, StoreError> {
    let store = &api.engine.store;
    store.ping().await?;
    if !api.migrated.load(Ordering::Relaxed) {
        let pending = store.pending_migrations().await?;
        if pending > 0 {
            let message = format!("migrations that wait to be run: {pending}");
            return Ok(vec![reason("migrations", message)]);
        }
        api.migrated.store(true, Ordering::Relaxed);
    }
    let audit = store.audit(api.engine.clock.now(), 1).await?;
    Ok(found(&audit))
}

/// What the audit found, as reasons.
fn found(audit: &Audit) -> Vec<Place> {
    let reasons = audit.kinds().into_iter().filter(|(_, found)| found.count > 0);
    reasons
        .map(|(kind, Found { count, .. })| {
            let what = match kind {
                "forgotten" => "processes that nothing will ever wake",
                "orphaned" => "attempts that outlived whoever began them",
                _ => "processes overdue by more than a minute",
            };
            reason(kind, format!("{what}: {count}"))
        })
        .collect()
}

fn reason(code: &'static str, message: String) -> Place {
    Place { code: Some(code), message, ..Place::default() }
}
