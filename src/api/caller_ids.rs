//! The registry of caller ids: read, kept, given up.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, body::JsonBody, problem::Problem};
use crate::{channels::caller_ids::CallerIds, intake};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read, keep, give_up))
}

/// Who calls and texts whom.
#[derive(Debug, Serialize, ToSchema)]
struct Registry {
    /// Whether it is kept in the database. Else it is the configured one.
    kept: bool,
    /// The caller id by the longest prefix of the number that is rung; `default` for all others.
    #[schema(value_type = BTreeMap<String, String>)]
    caller_ids: CallerIds,
}

impl From<(CallerIds, bool)> for Registry {
    fn from((caller_ids, kept): (CallerIds, bool)) -> Self {
        Self { kept, caller_ids }
    }
}

/// Read the registry of caller ids
///
/// The one in force: the one that is kept, else the configured one.
#[utoipa::path(
    get,
    path = "/v1/caller-ids",
    operation_id = "read_caller_ids",
    tag = "caller ids",
    responses((status = 200, body = Registry, description = "The registry"))
)]
async fn read(State(api): State<Api>) -> Result<Json<Registry>, Problem> {
    Ok(Json(intake::caller_ids(&api.engine).await?.into()))
}

/// Keep a registry of caller ids
///
/// In the place of the configured one, as a whole. Within ten seconds every program goes by it.
#[utoipa::path(
    put,
    path = "/v1/caller-ids",
    operation_id = "keep_caller_ids",
    tag = "caller ids",
    request_body(content = BTreeMap<String, String>, description = "Caller ids by prefix, and `default`"),
    responses((status = 200, body = Registry, description = "The registry"))
)]
async fn keep(
    State(api): State<Api>,
    JsonBody(entries): JsonBody<BTreeMap<String, String>>,
) -> Result<Json<Registry>, Problem> {
    Ok(Json(intake::keep_caller_ids(&api.engine, entries).await?.into()))
}

/// Give up the kept registry of caller ids
///
/// The configured one is in force again.
#[utoipa::path(
    delete,
    path = "/v1/caller-ids",
    operation_id = "give_up_caller_ids",
    tag = "caller ids",
    responses((status = 200, body = Registry, description = "The configured registry"))
)]
async fn give_up(State(api): State<Api>) -> Result<Json<Registry>, Problem> {
    Ok(Json(intake::give_up_caller_ids(&api.engine).await?.into()))
}
