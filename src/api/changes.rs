//! What is done to a process: events, stop, pause, resume. All of it may be repeated.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{JsonBody, OptionalBody, Path},
    problem::Problem,
    show::ProcessDetail,
};
use crate::intake::{self, NewEvent};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(event))
        .routes(routes!(stop))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// Something that happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EventBody {
    /// The caller's id of it; the same id again changes nothing.
    #[schema(max_length = 255)]
    id: Option<String>,
    /// What kind of thing, such as `order.confirmed`.
    #[schema(min_length = 1, max_length = 100)]
    r#type: String,
    /// Merged into the process's data (RFC 7396).
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    data: Value,
}

/// What came of an event.
#[derive(Debug, Serialize, ToSchema)]
struct EventAnswer {
    /// False if an event with this id came before: nothing has changed.
    taken: bool,
}

/// Why a process is stopped.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StopBody {
    /// For people who read its history.
    reason: Option<String>,
}

/// A process after a change.
#[derive(Debug, Serialize, ToSchema)]
struct ChangeAnswer {
    /// False if there was nothing to change.
    changed: bool,
    #[serde(flatten)]
    process: ProcessDetail,
}

/// Tell a process that something happened
///
/// It is due at once.
#[utoipa::path(
    post,
    path = "/v1/processes/{process_id}/events",
    operation_id = "send_event",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it")),
    request_body = EventBody,
    responses(
        (status = 202, body = EventAnswer, description = "The process will hear of it"),
        (status = 200, body = EventAnswer, description = "An event with this id came before"),
    )
)]
async fn event(
    State(api): State<Api>,
    Path(process_id): Path<String>,
    JsonBody(EventBody { id, r#type, data }): JsonBody<EventBody>,
) -> Result<(StatusCode, Json<EventAnswer>), Problem> {
    let taken = intake::event(&api.engine, &process_id, NewEvent { id, r#type, data }).await?;
    let status = if taken { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(EventAnswer { taken })))
}

/// Stop a process
///
/// Once this is answered, no delivery of it begins.
#[utoipa::path(
    post,
    path = "/v1/processes/{process_id}/stop",
    operation_id = "stop_process",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it")),
    request_body = Option<StopBody>,
    responses((status = 200, body = ChangeAnswer, description = "The process"))
)]
async fn stop(
    State(api): State<Api>,
    Path(process_id): Path<String>,
    OptionalBody(body): OptionalBody<StopBody>,
) -> Result<Json<ChangeAnswer>, Problem> {
    Ok(answer(intake::stop(&api.engine, &process_id, body.reason.as_deref()).await?))
}

/// Hold a process where it is
#[utoipa::path(
    post,
    path = "/v1/processes/{process_id}/pause",
    operation_id = "pause_process",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it")),
    responses((status = 200, body = ChangeAnswer, description = "The process"))
)]
async fn pause(
    State(api): State<Api>,
    Path(process_id): Path<String>,
) -> Result<Json<ChangeAnswer>, Problem> {
    Ok(answer(intake::pause(&api.engine, &process_id).await?))
}

/// Let a process go on
///
/// One that was paused, or that failed: that is tried again.
#[utoipa::path(
    post,
    path = "/v1/processes/{process_id}/resume",
    operation_id = "resume_process",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it")),
    responses((status = 200, body = ChangeAnswer, description = "The process"))
)]
async fn resume(
    State(api): State<Api>,
    Path(process_id): Path<String>,
) -> Result<Json<ChangeAnswer>, Problem> {
    Ok(answer(intake::resume(&api.engine, &process_id).await?))
}

fn answer((process, changed): (rungs_core::Process, bool)) -> Json<ChangeAnswer> {
    Json(ChangeAnswer { changed, process: process.into() })
}
