//! Reading requests: paths, queries and bodies, with limits, and with a [`Problem`] for
//! everything that does not fit.
//!
//! Promises: never more of a body in memory than its limit. A body that is too large is
//! read to its end, within reason, and thrown away: a client that is still sending would
//! otherwise see a broken connection in place of the answer.

use std::time::Duration;

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection},
    http::{HeaderMap, header},
};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use super::{
    json,
    problem::{Kind, Problem},
};

/// The longest body, in bytes.
const MOST: usize = 1024 * 1024;
/// The longest body of a batch.
const MOST_OF_BATCH: usize = 8 * MOST;
/// The longest body that is read and thrown away.
const MOST_DRAINED: usize = 64 * MOST;
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

const TEXTS: &[&str] = &["application/yaml", "text/yaml", "application/json", "text/plain"];
const JSON: &[&str] = &["application/json"];
const FORM: &[&str] = &["application/x-www-form-urlencoded"];

/// What the path names, decoded.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(super) struct Path<T>(pub T);

/// The query's parameters.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(super) struct Query<T>(pub T);

/// YAML, JSON or plain text.
#[derive(Debug)]
pub(super) struct TextBody(pub String);

/// JSON.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub T);

/// JSON of a batch.
#[derive(Debug)]
pub(super) struct BatchBody<T>(pub T);

/// JSON, or nothing at all.
#[derive(Debug)]
pub(super) struct OptionalBody<T>(pub T);

/// A form's fields, in order.
#[derive(Debug)]
pub(super) struct FormBody(pub Vec<(String, String)>);

impl From<rejection::PathRejection> for Problem {
    fn from(rejection: rejection::PathRejection) -> Self {
        Self::new(Kind::InvalidParameter, rejection.body_text())
    }
}

impl From<rejection::QueryRejection> for Problem {
    fn from(rejection: rejection::QueryRejection) -> Self {
        Self::new(Kind::InvalidParameter, rejection.body_text())
    }
}

impl<S: Send + Sync> FromRequest<S> for TextBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        of_type(request.headers(), TEXTS)?;
        let text = String::from_utf8(read(request, MOST).await?).map_err(|error| {
            let at = error.utf8_error().valid_up_to() + 1;
            Problem::new(Kind::MalformedBody, format!("byte {at} is not UTF-8"))
        })?;
        Ok(Self(text))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        of_type(request.headers(), JSON)?;
        Ok(Self(json::parse(&read(request, MOST).await?)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for BatchBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        of_type(request.headers(), JSON)?;
        Ok(Self(json::parse(&read(request, MOST_OF_BATCH).await?)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let typed = of_type(request.headers(), JSON);
        let body = read(request, MOST).await?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        Ok(Self(json::parse(&body)?))
    }
}

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        of_type(request.headers(), FORM)?;
        let body = read(request, MOST).await?;
        Ok(Self(url::form_urlencoded::parse(&body).into_owned().collect()))
    }
}

fn of_type(headers: &HeaderMap, expected: &[&str]) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if expected.iter().any(|one| one.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    let detail = format!("expected `Content-Type: {}`", expected.join("` or `"));
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

async fn read(request: Request, most: usize) -> Result<Vec<u8>, Problem> {
    let declared = declared(request.headers());
    // Who asks first whether to send is told no, and sends nothing.
    let asks = request.headers().contains_key(header::EXPECT);
    if declared > MOST_DRAINED || (asks && declared > most) {
        return Err(too_large(most));
    }
    tokio::time::timeout(PATIENCE, collect(request, most)).await.unwrap_or_else(|_| {
        let detail = format!("it was not complete after {} seconds", PATIENCE.as_secs());
        Err(Problem::new(Kind::TooSlow, detail))
    })
}

async fn collect(request: Request, most: usize) -> Result<Vec<u8>, Problem> {
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut length) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Problem::new(Kind::MalformedBody, error.to_string()))?;
        length += chunk.len();
        if length > MOST_DRAINED {
            break;
        }
        if length <= most {
            body.extend_from_slice(&chunk);
        }
    }
    if length <= most { Ok(body) } else { Err(too_large(most)) }
}

fn declared(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("the body may have {most} bytes at most"))
}
