//! roesc's requests.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, body::JsonBody, problem::Problem};
use crate::intake::{self, Answered, Refusal};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(request))
}

/// A request as roesc knows it.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "intake reads the request; this describes it")]
struct RoescRequest {
    /// The process's id.
    process_id: String,
    /// `start` or `stop`.
    #[schema(pattern = "^(start|stop)$")]
    action: String,
    /// Whom to reach and when; with `start`.
    notifications: Option<Vec<RoescNotification>>,
}

/// Somebody to reach at a moment.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "intake reads the request; this describes it")]
struct RoescNotification {
    /// `phone`, `email` or `pubnub`.
    #[schema(pattern = "^(phone|email|pubnub)$")]
    channel: String,
    /// Unix time.
    at: f64,
    /// Whom, with `phone`.
    phone_number: Option<String>,
    /// Whom, with `email`.
    email: Option<String>,
    /// Whom, with `pubnub`.
    pubnub_channel: Option<String>,
}

/// What came of a request.
#[derive(Debug, Serialize, ToSchema)]
struct RequestAnswer {
    /// `started`, `stopped`, or `ignored`: there was nothing to do.
    #[schema(pattern = "^(started|stopped|ignored)$")]
    result: &'static str,
}

/// Take a request of roesc
///
/// A start for a live id and a stop for an unknown one are taken and ignored.
#[utoipa::path(
    post,
    path = "/v1/requests",
    operation_id = "send_request",
    tag = "requests",
    request_body = RoescRequest,
    responses((status = 202, body = RequestAnswer, description = "It was taken"))
)]
async fn request(
    State(api): State<Api>,
    JsonBody(request): JsonBody<Value>,
) -> Result<(StatusCode, Json<RequestAnswer>), Problem> {
    let taken = intake::roesc(&api.engine, &api.roesc, &request).await;
    let answered = taken.map_err(|refusal| refused(&request, refusal))?;
    let result = match answered {
        Answered::Started => "started",
        Answered::Stopped => "stopped",
        Answered::Ignored => "ignored",
    };
    Ok((StatusCode::ACCEPTED, Json(RequestAnswer { result })))
}

/// Whoever sends roesc's requests may read no answers, so the operator is told as well.
fn refused(request: &Value, refusal: Refusal) -> Problem {
    if !matches!(refusal, Refusal::Store(_)) {
        let process = request.get("process-id").and_then(Value::as_str);
        tracing::warn!(process, %refusal, "a request was refused");
    }
    // The steps were made here: the caller never saw their lines.
    Problem::from(refusal).inside("")
}
