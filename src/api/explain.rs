//! Why a process is where it is.

use axum::{Json, extract::State};
use rungs_core::explain::Explanation;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{Path, Query},
    problem::Problem,
    processes::{Which, find},
};
use crate::intake;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// A moment, for machines and for people.
#[derive(Debug, Serialize, ToSchema)]
struct Moment {
    /// In UTC.
    #[schema(format = DateTime)]
    at: String,
    /// As the clocks of the process show it: `2026-03-29 03:00 CEST`.
    local: String,
}

/// Why a process is where it is. Every part has `says`, which is the same in a sentence.
#[derive(Debug, Serialize, ToSchema)]
struct ProcessExplanation {
    /// The caller's id of it.
    process_id: String,
    /// Rungs' own id of it.
    key: String,
    /// The sequence's name.
    sequence: String,
    /// The version of the sequence it climbs.
    version: i32,
    /// `active`, `paused`, `completed`, `stopped` or `failed`.
    #[schema(pattern = "^(active|paused|completed|stopped|failed)$")]
    status: &'static str,
    /// The zone in which its times are told.
    timezone: &'static str,
    /// When this was true.
    explained_at: Moment,
    /// Why this program cannot run its sequence, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    cannot_run: Option<String>,
    /// Where it stands, and since when: `step`, `runner`, `stay`, `since`, `reason`, `says`.
    #[schema(value_type = Object)]
    stands: Value,
    /// What holds it there, while it is live: `message`, `visited_at`, `condition` (clause by
    /// clause), `arithmetic`, `says`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    held: Option<Value>,
    /// When it is looked at next: `at` (`null`: not before something happens), `overdue`, `says`.
    #[schema(value_type = Object)]
    looked_at: Value,
    /// Goals that lie ahead: `step`, `achieved`, `condition` or `error`, `says`. A condition is
    /// `holds` and `says`, with `command`, `path`, `sees` and `wants`, or with more of them under
    /// `of`.
    #[schema(value_type = Vec<Object>)]
    goals: Value,
    /// Whom it tried to reach, oldest first: `step`, `delivery`, `channel`, `status`, `reached`
    /// (`null`: not known), `at`, `says`.
    #[schema(value_type = Vec<Object>)]
    contacts: Value,
    /// What happens next if nothing happens: `after_resume`, `next` (`at`, `local`, `step`,
    /// `says`), `more` if that is not all, `contacts` by channel, `end` (`completed`, `failed`, `waits` or `goes-on`),
    /// `end_at`, `says`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    ahead: Option<Value>,
    /// All of it, in sentences; those that go with the one above are indented.
    sentences: Vec<String>,
}

impl From<Explanation> for ProcessExplanation {
    fn from(explanation: Explanation) -> Self {
        Self {
            stands: json!(explanation.stands),
            held: explanation.held.map(|held| json!(held)),
            looked_at: json!(explanation.looked_at),
            goals: json!(explanation.goals),
            contacts: json!(explanation.contacts),
            ahead: explanation.ahead.map(|ahead| json!(ahead)),
            process_id: explanation.process_id,
            key: explanation.key,
            sequence: explanation.sequence,
            version: explanation.version,
            status: explanation.status.as_str(),
            timezone: explanation.timezone,
            explained_at: Moment {
                at: explanation.explained_at.at,
                local: explanation.explained_at.local,
            },
            cannot_run: explanation.cannot_run,
            sentences: explanation.sentences,
        }
    }
}

/// Explain a process
///
/// Where it stands and since when, which clause holds it, when it is looked at next and why
/// then, how far its goals are from being achieved, why somebody was not reached, and what
/// happens next if nothing happens.
#[utoipa::path(
    get,
    path = "/v1/processes/{process_id}/explain",
    operation_id = "explain_process",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it"), Which),
    responses((status = 200, body = ProcessExplanation, description = "Why it is where it is"))
)]
async fn explain(
    State(api): State<Api>,
    Path(process_id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<ProcessExplanation>, Problem> {
    let process = find(&api, process_id, which).await?;
    Ok(Json(intake::explain(&api.engine, process).await?.into()))
}
