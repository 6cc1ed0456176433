//! Processes, read: lists, one of them, its deliveries.

use axum::{Json, extract::State, routing::get};
use rungs_core::{Process, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{Path, Query},
    paging,
    problem::Problem,
    show::{Delivery, ProcessDetail, ProcessSummary},
};
use crate::{
    intake::{self, Refusal, View},
    store::processes::Filter,
};

const LIST: &str = "processes";

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .route("/v1/processes/batch", get(read_batch))
        .routes(routes!(deliveries))
}

/// Which processes, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this status: `active`, `paused`, `completed`, `stopped` or `failed`.
    #[param(pattern = "^(active|paused|completed|stopped|failed)$")]
    status: Option<String>,
    /// Of this sequence.
    sequence: Option<String>,
    /// Under this id: the live one and those before it.
    process_id: Option<String>,
    /// Processes on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which of the processes that bore an id.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Its key; without one, the process that bears the id, or was the last to do so.
    pub key: Option<String>,
}

/// A page of processes.
#[derive(Debug, Serialize, ToSchema)]
struct ProcessPage {
    /// Youngest first.
    processes: Vec<ProcessSummary>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A process, with everything it wrote.
#[derive(Debug, Serialize, ToSchema)]
struct ProcessWithDeliveries {
    #[serde(flatten)]
    process: ProcessDetail,
    /// Oldest first.
    deliveries: Vec<Delivery>,
}

/// What a process wrote.
#[derive(Debug, Serialize, ToSchema)]
struct Deliveries {
    /// Oldest first.
    deliveries: Vec<Delivery>,
}

/// List processes
#[utoipa::path(
    get,
    path = "/v1/processes",
    operation_id = "list_processes",
    tag = "processes",
    params(Wanted),
    responses((status = 200, body = ProcessPage, description = "A page"))
)]
async fn list(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<ProcessPage>, Problem> {
    let limit = paging::limit(wanted.limit)?;
    let filter = Filter {
        status: wanted.status.as_deref().map(status).transpose()?,
        sequence: wanted.sequence,
        process_id: wanted.process_id,
        before: paging::after(LIST, wanted.cursor.as_deref())?,
    };
    let rows = api.engine.store.processes(&filter, limit + 1).await?;
    let (rows, next_cursor) = paging::page(LIST, rows, limit, |process| process.key.clone());
    let processes = rows.into_iter().map(ProcessSummary::from).collect();
    Ok(Json(ProcessPage { processes, next_cursor }))
}

/// Read a process
///
/// The live one that bears the id, else the last that did.
#[utoipa::path(
    get,
    path = "/v1/processes/{process_id}",
    operation_id = "read_process",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it"), Which),
    responses((status = 200, body = ProcessWithDeliveries, description = "The process"))
)]
async fn read(
    State(api): State<Api>,
    Path(process_id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<ProcessWithDeliveries>, Problem> {
    let process = find(&api, process_id, which).await?;
    let deliveries = written(&api, &process.key).await?;
    Ok(Json(ProcessWithDeliveries { process: process.into(), deliveries }))
}

/// A process may be called `batch`, though starts are posted there.
async fn read_batch(
    api: State<Api>,
    which: Query<Which>,
) -> Result<Json<ProcessWithDeliveries>, Problem> {
    read(api, Path("batch".to_owned()), which).await
}

/// List a process's deliveries
///
/// With every attempt, and what the provider said.
#[utoipa::path(
    get,
    path = "/v1/processes/{process_id}/deliveries",
    operation_id = "list_deliveries",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it"), Which),
    responses((status = 200, body = Deliveries, description = "All of them"))
)]
async fn deliveries(
    State(api): State<Api>,
    Path(process_id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Deliveries>, Problem> {
    let process = find(&api, process_id, which).await?;
    Ok(Json(Deliveries { deliveries: written(&api, &process.key).await? }))
}

async fn written(api: &Api, key: &str) -> Result<Vec<Delivery>, Problem> {
    let rows = api.engine.store.deliveries_of(key).await?;
    Ok(rows.into_iter().map(Delivery::from).collect())
}

/// The process that is meant.
pub(super) async fn find(api: &Api, process_id: String, which: Which) -> Result<Process, Problem> {
    if let Some(key) = which.key {
        let found = api.engine.store.process_by_key(&key).await?;
        match found.filter(|process| process.process_id == process_id) {
            None => return Err(Refusal::UnknownProcess(process_id).into()),
            Some(process) if !process.status.is_live() => return Ok(process),
            // The live one is shown with what it was told meanwhile.
            Some(_) => {}
        }
    }
    match intake::view(&api.engine, &process_id).await? {
        Some(View { process, .. }) => Ok(process),
        None => Err(Refusal::UnknownProcess(process_id).into()),
    }
}

fn status(text: &str) -> Result<Status, Problem> {
    Status::parse(text).ok_or_else(|| {
        let known = Status::ALL.map(Status::as_str).join(", ");
        Problem::parameter("status", format!("expected one of {known}"))
    })
}
