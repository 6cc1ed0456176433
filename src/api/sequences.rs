//! Sequences: published, listed, read.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{Path, Query, TextBody},
    paging,
    problem::{Place, Problem},
    show::moment,
};
use crate::{
    intake::{self, Refusal},
    store::entity::sequence,
};

const LIST: &str = "sequences";

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(publish, newest))
        .routes(routes!(version))
}

/// A sequence that was published.
#[derive(Debug, Serialize, ToSchema)]
struct Published {
    /// Its name.
    name: String,
    /// Its version.
    version: i32,
    /// False if the newest version says the same already.
    changed: bool,
    /// What it probably does not mean as it says.
    warnings: Vec<Place>,
}

/// A version of a sequence, in short.
#[derive(Debug, Serialize, ToSchema)]
struct SequenceSummary {
    /// Its name.
    name: String,
    /// Its version, from 1.
    version: i32,
    /// When it was published.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A version of a sequence.
#[derive(Debug, Serialize, ToSchema)]
struct SequenceDetail {
    #[serde(flatten)]
    summary: SequenceSummary,
    /// YAML or JSON, as it was given.
    source: String,
}

/// A page of sequences.
#[derive(Debug, Serialize, ToSchema)]
struct SequencePage {
    /// By name, the newest version of each first.
    sequences: Vec<SequenceSummary>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Versions on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which version.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Without it, the newest.
    #[param(minimum = 1)]
    version: Option<i32>,
}

/// Publish a sequence
///
/// It is checked, and kept as the next version of its name, unless the newest says the same.
/// The files that it is made of, such as fragments, come along as further YAML documents
/// behind it, each with `file`, its path, and `text`, what it says.
#[utoipa::path(
    put,
    path = "/v1/sequences/{name}",
    operation_id = "publish_sequence",
    tag = "sequences",
    params(("name" = String, Path, description = "The name it bears")),
    request_body(content(
        (String = "application/yaml"),
        (String = "text/yaml"),
        (String = "text/plain"),
        (Object = "application/json"),
    ), description = "The sequence"),
    responses(
        (status = 201, body = Published, description = "A new version"),
        (status = 200, body = Published, description = "The newest version says the same already"),
    )
)]
async fn publish(
    State(api): State<Api>,
    Path(name): Path<String>,
    TextBody(source): TextBody,
) -> Result<Response, Problem> {
    let published = intake::publish(&api.engine, Some(&name), &source).await?;
    let body = Published {
        name: published.name,
        version: published.version,
        changed: published.changed,
        warnings: published.diagnostics.iter().map(Place::from).collect(),
    };
    if !body.changed {
        return Ok(Json(body).into_response());
    }
    let name = utf8_percent_encode(&body.name, NON_ALPHANUMERIC);
    let location = format!("/v1/sequences/{name}/versions/{}", body.version);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response())
}

/// List sequences
///
/// Every version of every published one.
#[utoipa::path(
    get,
    path = "/v1/sequences",
    operation_id = "list_sequences",
    tag = "sequences",
    params(Page),
    responses((status = 200, body = SequencePage, description = "A page"))
)]
async fn list(
    State(api): State<Api>,
    Query(page): Query<Page>,
) -> Result<Json<SequencePage>, Problem> {
    let limit = paging::limit(page.limit)?;
    let after: Option<(String, i32)> = paging::after(LIST, page.cursor.as_deref())?;
    let after = after.as_ref().map(|(name, version)| (name.as_str(), *version));
    let rows = api.engine.store.sequences(after, limit + 1).await?;
    let (rows, next_cursor) =
        paging::page(LIST, rows, limit, |row| (row.name.clone(), row.version));
    Ok(Json(SequencePage {
        sequences: rows.iter().map(SequenceSummary::from).collect(),
        next_cursor,
    }))
}

/// Read a sequence
///
/// Its newest version, or another.
#[utoipa::path(
    get,
    path = "/v1/sequences/{name}",
    operation_id = "read_sequence",
    tag = "sequences",
    params(("name" = String, Path, description = "Its name"), Which),
    responses((status = 200, body = SequenceDetail, description = "The version"))
)]
async fn newest(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<SequenceDetail>, Problem> {
    read(&api, name, which.version).await
}

/// Read a version of a sequence
#[utoipa::path(
    get,
    path = "/v1/sequences/{name}/versions/{version}",
    operation_id = "read_sequence_version",
    tag = "sequences",
    params(
        ("name" = String, Path, description = "Its name"),
        ("version" = i32, Path, description = "Its version", minimum = 1),
    ),
    responses((status = 200, body = SequenceDetail, description = "The version"))
)]
async fn version(
    State(api): State<Api>,
    Path((name, version)): Path<(String, i32)>,
) -> Result<Json<SequenceDetail>, Problem> {
    read(&api, name, Some(version)).await
}

async fn read(
    api: &Api,
    name: String,
    version: Option<i32>,
) -> Result<Json<SequenceDetail>, Problem> {
    match api.engine.store.sequence(&name, version).await? {
        Some(row) => {
            Ok(Json(SequenceDetail { summary: SequenceSummary::from(&row), source: row.source }))
        }
        None => Err(Refusal::unknown(&api.engine, &name, version).await?.into()),
    }
}

impl From<&sequence::Model> for SequenceSummary {
    fn from(row: &sequence::Model) -> Self {
        Self {
            name: row.name.clone(),
            version: row.version,
            created_at: moment(row.created_at).unwrap_or_default(),
        }
    }
}
