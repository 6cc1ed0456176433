//! An operand of a condition: looked up by a path or a JSONPath, or standing there itself.

use std::borrow::Cow;

use jsonpath_rust::{
    parser::{
        model::{JpQuery, Segment, Selector},
        parse_json_path,
    },
    query::js_path_process,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::effort::{self, Cost};
use crate::{Failure, Problem, Scope, path::Path, template::is_template};

/// Bounds of a JSONPath's text: each call that nests multiplies the work of parsing it by three.
/// What it costs to ask it is bounded by [`effort`].
const MOST_BYTES: usize = 1_000;
const MOST_CALLS: usize = 8;

/// Where an operand comes from, parsed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(from = "Written")]
#[schemars(with = "Written")]
pub struct Operand {
    source: Result<Source, Unreadable>,
    /// The path, as it was written.
    label: String,
}

#[derive(Debug, Clone)]
enum Source {
    Get(Path),
    Raw(Value),
    JsonPath(JpQuery, Cost),
}

#[derive(Debug, Clone)]
struct Unreadable {
    reason: String,
    /// A template, which may well be readable once it is rendered.
    template: bool,
}

/// An operand of a condition.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Operand")]
struct Written {
    /// `get` takes the value at a path, as lodash's `_.get` does; `raw` is the value itself;
    /// `jsonpath` is a query by RFC 9535: one result is that value, several are a list, and
    /// none is undefined.
    r#type: Kind,
    /// A path (a string, or a list of keys), any value, or a JSONPath.
    value: Value,
}

/// Of what type an operand is.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OperandType")]
enum Kind {
    Get,
    Raw,
    JsonPath,
}

impl From<Written> for Operand {
    fn from(Written { r#type, value }: Written) -> Self {
        let label = match (r#type, &value) {
            (Kind::Raw, _) => String::new(),
            (_, Value::String(text)) => text.clone(),
            (_, value) => value.to_string(),
        };
        let source = match r#type {
            Kind::Get => Path::from_config(&value).map(Source::Get),
            Kind::Raw => Ok(Source::Raw(value)),
            Kind::JsonPath => json_path(&value).map(|(query, cost)| Source::JsonPath(query, cost)),
        };
        let template = is_template(&label);
        Self { source: source.map_err(|reason| Unreadable { reason, template }), label }
    }
}

fn json_path(value: &Value) -> Result<(JpQuery, Cost), String> {
    let text = value.as_str().ok_or("a JSONPath is a string")?;
    if text.len() > MOST_BYTES {
        return Err(format!("a JSONPath has at most {MOST_BYTES} bytes"));
    }
    let calls = text
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [name, b'('] if name.is_ascii_alphabetic() || *name == b'_'));
    if calls.count() > MOST_CALLS {
        return Err(format!("a JSONPath calls at most {MOST_CALLS} functions"));
    }
    let query = parse_json_path(text).map_err(|error| brief(&error.to_string()))?;
    let cost = effort::check(&query)?;
    Ok((query, cost))
}

/// The parser's error, which is a drawing of several lines, in one.
fn brief(error: &str) -> String {
    let place = error.split_once("--> 1:").and_then(|(_, rest)| rest.lines().next());
    let expected = error.rsplit_once("  = ").map(|(_, expected)| expected.trim());
    match (place, expected) {
        (Some(place), Some(expected)) => {
            format!("this JSONPath does not parse at character {place}: {expected}")
        }
        _ => format!("this JSONPath does not parse: {}", error.replace('\n', " ")),
    }
}

impl Operand {
    /// The path as it was written; empty for a raw value.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The operand's value; `None` is undefined.
    pub(crate) fn resolve<'a>(
        &'a self,
        scope: &'a Scope<'_>,
    ) -> Result<Option<Cow<'a, Value>>, Failure> {
        match &self.source {
            Ok(Source::Get(path)) => Ok(path.get_in(scope)),
            Ok(Source::Raw(value)) => Ok(Some(Cow::Borrowed(value))),
            Ok(Source::JsonPath(query, cost)) => {
                cost.check(scope.value()).map_err(|reason| self.failure(&reason))?;
                query_in(query, scope)
            }
            Err(unreadable) => Err(self.failure(&unreadable.reason)),
        }
    }

    /// The value of an operand that need not be there.
    pub(super) fn resolve_some<'a>(
        operand: Option<&'a Self>,
        scope: &'a Scope<'_>,
    ) -> Result<Option<Cow<'a, Value>>, Failure> {
        operand.map_or(Ok(None), |operand| operand.resolve(scope))
    }

    /// The first part of a path that leads nowhere, where it is one.
    pub(super) fn lacks(&self, scope: &Scope<'_>) -> Option<String> {
        match &self.source {
            Ok(Source::Get(path)) => path.lacks(scope),
            _ => None,
        }
    }

    /// The keys of its path, where it is one that leads to one place; a list is entered at its
    /// beginning.
    pub(super) fn keys(&self) -> Option<Vec<String>> {
        match self.source.as_ref().ok()? {
            Source::Get(path) => Some(path.keys().map(str::to_owned).collect()),
            Source::Raw(_) => None,
            Source::JsonPath(query, _) => query.segments.iter().map(key).collect(),
        }
    }

    fn failure(&self, reason: &str) -> Failure {
        Failure::because(format!("condition: `{}`: {reason}", self.label))
    }

    pub(crate) fn check(&self, pointer: &str, problems: &mut Vec<Problem>) {
        if let Err(Unreadable { reason, template: false }) = &self.source {
            problems.push(Problem::at(format!("{pointer}/value"), reason));
        }
    }
}

fn key(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Selector(Selector::Name(name)) => {
            let is_quoted = |quote| name.starts_with(quote) && name.ends_with(quote);
            let bare = name.get(1..name.len().saturating_sub(1));
            let bare = bare.filter(|_| is_quoted('\'') || is_quoted('"'));
            Some(bare.unwrap_or(name).to_owned())
        }
        Segment::Selector(Selector::Wildcard) => Some("0".to_owned()),
        Segment::Selector(Selector::Index(index)) => {
            usize::try_from(*index).ok().map(|index| index.to_string())
        }
        _ => None,
    }
}

fn query_in<'a>(query: &JpQuery, scope: &'a Scope<'_>) -> Result<Option<Cow<'a, Value>>, Failure> {
    let mut found = js_path_process(query, scope.value())
        .map_err(|error| Failure::because(format!("condition: {error}")))?;
    Ok(match found.len() {
        0 | 1 => found.pop().map(|found| Cow::Borrowed(found.val)),
        _ => Some(Cow::Owned(found.into_iter().map(|found| found.val.clone()).collect())),
    })
}
