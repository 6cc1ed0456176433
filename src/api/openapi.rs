//! The API's own description, OpenAPI 3.1.

use axum::{
    Extension,
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi, ToSchema,
    openapi::{
        self, ContentBuilder, Ref, ResponseBuilder,
        path::{Operation, PathItem},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    problem::{self, Problem},
};

const KEY: &str = "api_key";
const CALLBACKS: &str = "callbacks";

/// What the description says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rungs",
        description = "Escalations as code. A sequence is a list of steps; a process is one \
                       running instance of it. Every answer that is no success is \
                       `application/problem+json` (RFC 9457); its `type` stays the same.",
    ),
    components(schemas(Problem)),
    tags(
        (name = "sequences", description = "Named, versioned lists of steps"),
        (name = "processes", description = "Running instances of sequences"),
        (name = "caller ids", description = "Who calls and texts whom"),
        (name = "requests", description = "roesc's requests"),
        (name = "callbacks", description = "What providers tell, signed by them"),
        (name = "operation", description = "For whoever runs this server"),
    )
)]
struct Document;

/// The description, written out.
#[derive(Clone)]
pub(super) struct Written(String);

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(document))
}

/// Everything but the routes.
pub(super) fn begin() -> openapi::OpenApi {
    let mut document = Document::openapi();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    if let Some(components) = &mut document.components {
        components.add_security_scheme(KEY, bearer);
    }
    let no_scopes: [String; 0] = [];
    document.security = Some(vec![SecurityRequirement::new(KEY, no_scopes)]);
    document
}

/// Adds what all routes have in common.
pub(super) fn finish(mut document: openapi::OpenApi) -> Written {
    let problem = ResponseBuilder::new()
        .description("What is wrong")
        .content(
            problem::CONTENT_TYPE,
            ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build(),
        )
        .build();
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        operation.responses.responses.insert("default".to_owned(), problem.clone().into());
        if operation.tags.iter().flatten().any(|tag| tag == CALLBACKS) {
            operation.security = Some(Vec::new());
        }
    }
    Written(document.to_json().unwrap_or_default())
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "operation",
    responses((status = 200, body = Object, description = "OpenAPI 3.1"))
)]
async fn document(Extension(Written(text)): Extension<Written>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
