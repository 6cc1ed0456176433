//! Callbacks of providers. They need no API key: they prove themselves by signature.

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode, Uri},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{FormBody, Path},
    problem::Problem,
};
use crate::intake::{self, Callback};

/// Proof that a callback is Twilio's.
const SIGNATURE: &str = "x-twilio-signature";

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(call)).routes(routes!(message))
}

/// Hear of a call
///
/// Twilio's status callback, signed by it.
#[utoipa::path(
    post,
    path = "/callbacks/twilio/calls/{delivery}",
    operation_id = "twilio_call_status",
    tag = "callbacks",
    params(("delivery" = String, Path, description = "The delivery's id")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204, description = "It was taken, or said nothing new"))
)]
async fn call(
    State(api): State<Api>,
    Path(delivery): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    FormBody(form): FormBody,
) -> Result<StatusCode, Problem> {
    take(&api, "calls", &delivery, &uri, &headers, form).await
}

/// Hear of a message
///
/// Twilio's status callback, signed by it.
#[utoipa::path(
    post,
    path = "/callbacks/twilio/messages/{delivery}",
    operation_id = "twilio_message_status",
    tag = "callbacks",
    params(("delivery" = String, Path, description = "The delivery's id")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204, description = "It was taken, or said nothing new"))
)]
async fn message(
    State(api): State<Api>,
    Path(delivery): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    FormBody(form): FormBody,
) -> Result<StatusCode, Problem> {
    take(&api, "messages", &delivery, &uri, &headers, form).await
}

async fn take(
    api: &Api,
    resource: &str,
    delivery: &str,
    uri: &Uri,
    headers: &HeaderMap,
    form: Vec<(String, String)>,
) -> Result<StatusCode, Problem> {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let callback = Callback { resource, delivery, path, form, signature };
    intake::twilio(&api.engine, api.callbacks.as_ref(), callback).await?;
    Ok(StatusCode::NO_CONTENT)
}
