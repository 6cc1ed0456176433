//! What callers are told when something is wrong: problem+json (RFC 9457).
//!
//! Promises: every answer that is not a success is a [`Problem`], with a `type` that stays
//! the same. What the database says goes to the log, never to the caller.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rungs_core::{Diagnostic, InputProblem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    intake::{CallbackRefused, Refusal},
    store::StoreError,
};

/// The content type of every problem.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// What is wrong, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The kind of problem. It stays the same; match on it.
    #[serde(rename = "type")]
    kind: Kind,
    /// The kind, for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// Everything that is wrong, where there are places to name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Place>,
    /// What else there is to say of a sequence that is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Place>,
    /// What the operator is told.
    #[serde(skip)]
    trouble: Option<String>,
}

/// Something to say about one place of a request.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Place {
    /// The file it is about, of those that the sequence carries. Pointer, line and column are
    /// those in that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// JSON pointer into the request's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Name of a query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<&'static str>,
    /// Line in the request's body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// A stable name of what is wrong, such as `unknown-key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong there.
    pub message: String,
    /// What was expected, or what to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Every kind of problem there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) enum Kind {
    /// The body is not what it says it is: not JSON, not UTF-8, cut off.
    #[serde(rename = "/problems/malformed-body")]
    MalformedBody,
    /// The JSON is nested too deeply.
    #[serde(rename = "/problems/nested-too-deeply")]
    NestedTooDeeply,
    /// A parameter in the address is wrong.
    #[serde(rename = "/problems/invalid-parameter")]
    InvalidParameter,
    /// There is no API key, or a wrong one.
    #[serde(rename = "/problems/unauthorized")]
    Unauthorized,
    /// A page of another site sent it, and this server asks for no key.
    #[serde(rename = "/problems/foreign-origin")]
    ForeignOrigin,
    /// A callback that its provider did not sign.
    #[serde(rename = "/problems/unsigned-callback")]
    UnsignedCallback,
    /// There is nothing at this path.
    #[serde(rename = "/problems/not-found")]
    NotFound,
    /// There is no such sequence, or no such version of it.
    #[serde(rename = "/problems/unknown-sequence")]
    UnknownSequence,
    /// No process bears the id.
    #[serde(rename = "/problems/unknown-process")]
    UnknownProcess,
    /// The path takes other methods.
    #[serde(rename = "/problems/method-not-allowed")]
    MethodNotAllowed,
    /// The body took too long to come.
    #[serde(rename = "/problems/too-slow")]
    TooSlow,
    /// It cannot be done to the process as it stands.
    #[serde(rename = "/problems/conflict")]
    Conflict,
    /// The body is too large.
    #[serde(rename = "/problems/body-too-large")]
    BodyTooLarge,
    /// The body is of a content type that is not taken here.
    #[serde(rename = "/problems/unsupported-media-type")]
    UnsupportedMediaType,
    /// The sequence has errors.
    #[serde(rename = "/problems/invalid-sequence")]
    InvalidSequence,
    /// The data does not fit the sequence's `input`.
    #[serde(rename = "/problems/invalid-data")]
    InvalidData,
    /// Something else about the request is wrong.
    #[serde(rename = "/problems/invalid-request")]
    InvalidRequest,
    /// A defect of this program.
    #[serde(rename = "/problems/internal-error")]
    InternalError,
    /// The database is in trouble. The same request may be sent again: a start or an event
    /// that bears an id is taken once, however often it comes.
    #[serde(rename = "/problems/unavailable")]
    Unavailable,
    /// This server cannot do its work now.
    #[serde(rename = "/problems/not-ready")]
    NotReady,
}

impl Kind {
    fn describe(self) -> (StatusCode, &'static str) {
        match self {
            Self::MalformedBody => (StatusCode::BAD_REQUEST, "The body cannot be read"),
            Self::NestedTooDeeply => (StatusCode::BAD_REQUEST, "The body is nested too deeply"),
            Self::InvalidParameter => (StatusCode::BAD_REQUEST, "A parameter is wrong"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "An API key is needed"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "The request is another site's"),
            Self::UnsignedCallback => (StatusCode::FORBIDDEN, "The callback is not believed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "There is nothing here"),
            Self::UnknownSequence => (StatusCode::NOT_FOUND, "There is no such sequence"),
            Self::UnknownProcess => (StatusCode::NOT_FOUND, "There is no such process"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "The path takes other methods")
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The body took too long to come"),
            Self::Conflict => (StatusCode::CONFLICT, "It cannot be done now"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content type is not taken here")
            }
            Self::InvalidSequence => (StatusCode::UNPROCESSABLE_ENTITY, "The sequence has errors"),
            Self::InvalidData => (StatusCode::UNPROCESSABLE_ENTITY, "The data does not fit"),
            Self::InvalidRequest => (StatusCode::UNPROCESSABLE_ENTITY, "The request is wrong"),
            Self::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Try again later"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "This server is not ready"),
        }
    }

    /// What a client needs to know beside the body.
    fn header(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthorized => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rungs\"")))
            }
            Self::Unavailable | Self::NotReady => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("5")))
            }
            Self::TooSlow | Self::BodyTooLarge => {
                Some((header::CONNECTION, HeaderValue::from_static("close")))
            }
            _ => None,
        }
    }
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, title) = kind.describe();
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            warnings: Vec::new(),
            trouble: None,
        }
    }

    /// A query parameter is wrong.
    pub fn parameter(parameter: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(Kind::InvalidParameter, format!("`{parameter}`: {message}")).with(vec![Place {
            parameter: Some(parameter),
            message,
            ..Place::default()
        }])
    }

    /// Something in the body is wrong.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let (pointer, message) = (pointer.into(), message.into());
        let detail =
            if pointer.is_empty() { message.clone() } else { format!("{pointer}: {message}") };
        Self::new(Kind::InvalidRequest, detail).with(vec![Place {
            pointer: Some(pointer),
            message,
            ..Place::default()
        }])
    }

    /// The same with everything that is wrong.
    pub fn with(self, errors: Vec<Place>) -> Self {
        Self { errors, ..self }
    }

    /// The same as part of a larger body, at `pointer`: lines and columns are of no use there.
    pub fn inside(mut self, pointer: &str) -> Self {
        for place in self.errors.iter_mut().chain(&mut self.warnings) {
            (place.line, place.column) = (None, None);
            place.pointer = place.pointer.take().map(|inner| format!("{pointer}{inner}"));
        }
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }
}

/// What the operator is told about an answer. The log's middleware reads it.
#[derive(Debug, Clone)]
pub(super) struct Trouble(pub String);

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let (status, _) = self.kind.describe();
        let (header, trouble) = (self.kind.header(), self.trouble.take());
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.extend(header);
        if let Some(trouble) = trouble {
            response.extensions_mut().insert(Trouble(trouble));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Sequence { diagnostics, .. } => {
                let (errors, warnings) = diagnostics.iter().partition(|one| one.is_error());
                let places = |list: Vec<&Diagnostic>| list.into_iter().map(Place::from).collect();
                Self { warnings: places(warnings), ..Self::new(Kind::InvalidSequence, detail) }
                    .with(places(errors))
            }
            Refusal::Data(problems) => Self::new(Kind::InvalidData, detail)
                .with(problems.into_iter().map(Place::from).collect()),
            Refusal::Invalid { pointer, message } => Self::invalid(pointer, message),
            Refusal::UnknownSequence(_) | Refusal::UnknownVersion { .. } => {
                Self::new(Kind::UnknownSequence, detail)
            }
            Refusal::UnknownProcess(_) => Self::new(Kind::UnknownProcess, detail),
            Refusal::Conflict(_) => Self::new(Kind::Conflict, detail),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_about_data() {
            return Self::new(Kind::InvalidRequest, "a value is one that no database keeps");
        }
        let detail = "the database is in trouble; try again";
        Self { trouble: Some(error.to_string()), ..Self::new(Kind::Unavailable, detail) }
    }
}

impl From<CallbackRefused> for Problem {
    fn from(refused: CallbackRefused) -> Self {
        match refused {
            CallbackRefused::Store(error) => error.into(),
            CallbackRefused::Unsigned => Self::new(Kind::UnsignedCallback, refused.to_string()),
            CallbackRefused::NotExpected => Self::new(Kind::NotFound, refused.to_string()),
        }
    }
}

impl From<&Diagnostic> for Place {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            file: diagnostic.included.as_ref().map(|included| included.file.clone()),
            pointer: Some(diagnostic.pointer.clone()),
            line: Some(diagnostic.line),
            column: Some(diagnostic.column),
            code: Some(diagnostic.code),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            ..Self::default()
        }
    }
}

impl From<InputProblem> for Place {
    fn from(problem: InputProblem) -> Self {
        Self {
            pointer: Some(format!("/data{}", problem.pointer)),
            message: problem.message,
            ..Self::default()
        }
    }
}
