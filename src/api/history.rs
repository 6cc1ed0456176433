//! What a process did, and why.

use axum::{Json, extract::State};
use rungs_core::{Entry, process::iso};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    body::{Path, Query},
    paging,
    problem::Problem,
    processes::{Which, find},
    show::moment,
};
use crate::store::history::Moment;

const LIST: &str = "history";

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Key of a process that bore the id before.
    key: Option<String>,
    /// Entries on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of a process's history.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryPage {
    /// Oldest first. Each has `at` and `kind`: `started`, `visited`, `achieved`, `wrote`,
    /// `held`, `heard`, `happened`, `moved`, `paused`, `resumed`, `stopped`, `completed` or `failed`; what
    /// else it has depends on the kind.
    #[schema(value_type = Vec<Object>)]
    history: Vec<Value>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Read a process's history
///
/// When it visited which step, what its runner answered and why; what it wrote and what
/// was heard of that; what happened to it.
#[utoipa::path(
    get,
    path = "/v1/processes/{process_id}/history",
    operation_id = "read_history",
    tag = "processes",
    params(("process_id" = String, Path, description = "The caller's id of it"), Page),
    responses((status = 200, body = HistoryPage, description = "A page"))
)]
async fn list(
    State(api): State<Api>,
    Path(process_id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<HistoryPage>, Problem> {
    let limit = paging::limit(page.limit)?;
    // A moment has many entries, so a page may end in the middle of one.
    let (seq, seen): Line = paging::after(LIST, page.cursor.as_deref())?.unwrap_or_default();
    let process = find(&api, process_id, Which { key: page.key }).await?;
    // Each moment has an entry at least: these are enough for the page and one more.
    let moments = api.engine.store.history(&process.key, seq.saturating_sub(1), limit + 2).await?;
    let lines =
        moments.into_iter().flat_map(lines).filter(|(line, _)| *line > (seq, seen)).collect();
    let (lines, next_cursor) = paging::page(LIST, lines, limit, |(line, _)| *line);
    Ok(Json(HistoryPage {
        history: lines.into_iter().map(|(_, value)| value).collect(),
        next_cursor,
    }))
}

/// A moment's number, and how many of its entries have been seen.
type Line = (i64, usize);

fn lines(moment: Moment) -> impl Iterator<Item = (Line, Value)> {
    let (seq, at) = (moment.seq, iso(moment.at));
    let entries = moment.entries.into_iter().enumerate();
    entries.map(move |(index, entry)| ((seq, index + 1), show(&at, &entry)))
}

fn show(at: &str, entry: &Entry) -> Value {
    let mut shown = json!({ "at": at });
    let until = match entry {
        Entry::Visited { until, .. } => until.and_then(moment),
        Entry::Held { until, .. } => moment(*until),
        _ => None,
    };
    if let (Value::Object(shown), Value::Object(entry)) = (&mut shown, entry.shown()) {
        shown.extend(entry);
        if let Some(until) = until {
            shown.insert("until".to_owned(), until.into());
        }
    }
    shown
}
