//! Starts, one by one and in batches.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{BatchBody, JsonBody},
    json,
    problem::Problem,
    show::ProcessDetail,
};
use crate::intake::{self, Asked, NewProcess, Refusal, Started};

/// Starts in one batch.
const MOST: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(batch))
}

/// A process to start: of a published sequence, or with steps of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStart {
    /// The caller's id; without one it gets a UUIDv7. While a process bears it, a start
    /// with the same id changes nothing.
    #[schema(max_length = 255)]
    process_id: Option<String>,
    /// Name of a published sequence.
    sequence: Option<String>,
    /// Version of it; without one, the newest.
    #[schema(minimum = 1)]
    version: Option<i32>,
    /// Steps, in place of a sequence.
    #[schema(value_type = Option<Vec<Object>>)]
    steps: Option<Value>,
    /// IANA time zone of these steps.
    timezone: Option<String>,
    /// JSON Schema that the data must fit, for these steps.
    #[schema(value_type = Option<Object>)]
    input: Option<Value>,
    /// What the process is about.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    data: Value,
}

/// Processes to start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// Up to 1,000.
    #[schema(value_type = Vec<NewStart>, max_items = 1000)]
    processes: Vec<Value>,
}

/// What came of a start.
#[derive(Debug, Serialize, ToSchema)]
struct StartAnswer {
    /// False if a process with this id was live already: nothing has changed.
    started: bool,
    #[serde(flatten)]
    process: ProcessDetail,
}

/// What came of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct BatchAnswer {
    /// One for each start, in the order of the request.
    results: Vec<BatchResult>,
}

/// What came of one start of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct BatchResult {
    /// The HTTP status that it would have had alone.
    status: u16,
    /// False if a process with this id was live already: nothing has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<bool>,
    /// The process's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    process_id: Option<String>,
    /// Why it was refused. Its pointers begin at the body of the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// Start a process
#[utoipa::path(
    post,
    path = "/v1/processes",
    operation_id = "start_process",
    tag = "processes",
    request_body = NewStart,
    responses(
        (status = 201, body = StartAnswer, description = "It was started"),
        (status = 200, body = StartAnswer, description = "A process with this id is live"),
    )
)]
pub(super) async fn start(
    State(api): State<Api>,
    JsonBody(new): JsonBody<NewStart>,
) -> Result<Response, Problem> {
    let inline = new.steps.is_some();
    let started = intake::start(&api.engine, new.understand()?)
        .await
        .map_err(|refusal| refused(refusal, inline))?;
    let process_id = utf8_percent_encode(&started.process.process_id, NON_ALPHANUMERIC);
    let location = format!("/v1/processes/{process_id}");
    let status = status(&started);
    let body = StartAnswer { started: started.new, process: started.process.into() };
    Ok((status, [(header::LOCATION, location)], Json(body)).into_response())
}

/// Start many processes
///
/// In one transaction; each is answered for itself.
#[utoipa::path(
    post,
    path = "/v1/processes/batch",
    operation_id = "start_processes",
    tag = "processes",
    request_body = Batch,
    responses((status = 200, body = BatchAnswer, description = "What came of each"))
)]
async fn batch(
    State(api): State<Api>,
    BatchBody(batch): BatchBody<Batch>,
) -> Result<Json<BatchAnswer>, Problem> {
    if batch.processes.len() > MOST {
        return Err(Problem::invalid("/processes", format!("expected at most {MOST} processes")));
    }
    let mut understood = Vec::with_capacity(batch.processes.len());
    let mut answers = Vec::with_capacity(batch.processes.len());
    for value in batch.processes {
        let new = json::part::<NewStart>(value);
        let inline = new.as_ref().is_ok_and(|new| new.steps.is_some());
        answers.push(match new.and_then(NewStart::understand) {
            Ok(new) => {
                understood.push(new);
                Ok(inline)
            }
            Err(problem) => Err(problem),
        });
    }
    let mut started = intake::start_batch(&api.engine, understood).await?.into_iter();
    let results = answers.into_iter().enumerate().filter_map(|(index, answer)| {
        let result = match answer {
            Ok(inline) => started.next()?.map_err(|refusal| refused(refusal, inline)),
            Err(problem) => Err(problem),
        };
        Some(BatchResult::new(index, result))
    });
    Ok(Json(BatchAnswer { results: results.collect() }))
}

impl NewStart {
    fn understand(self) -> Result<NewProcess, Problem> {
        let Self { process_id, sequence, version, steps, timezone, input, data } = self;
        let asked = Asked { process_id, sequence, version, steps, timezone, input, data };
        Ok(asked.understand()?)
    }
}

impl BatchResult {
    fn new(index: usize, result: Result<Started, Problem>) -> Self {
        match result {
            Ok(started) => Self {
                status: status(&started).as_u16(),
                started: Some(started.new),
                process_id: Some(started.process.process_id),
                problem: None,
            },
            Err(problem) => Self {
                status: problem.status(),
                started: None,
                process_id: None,
                problem: Some(problem.inside(&format!("/processes/{index}"))),
            },
        }
    }
}

fn status(started: &Started) -> StatusCode {
    if started.new { StatusCode::CREATED } else { StatusCode::OK }
}

/// Inline steps are checked as intake writes them down, so that lines and columns are not
/// those of the request. Pointers are.
fn refused(refusal: Refusal, inline: bool) -> Problem {
    let problem = Problem::from(refusal);
    if inline { problem.inside("") } else { problem }
}
