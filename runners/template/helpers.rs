//! The helpers that templates have beside Handlebars' own.
//!
//! Promises: no panic on any parameter; what is missing is empty, and what is wrong is an
//! error that says so. Escaping is the template's: in HTML a helper's text is escaped like
//! any other. A variable with the name of one of these helpers is still read by `{{date}}`,
//! for a helper has parameters.
//!
//! | helper | gives |
//! | --- | --- |
//! | `date value format` | a date (ISO 8601, or Unix seconds) in the process's time zone, or in `timezone="Europe/Zagreb"`. The format is Moment's (`YYYY-MM-DD HH:mm`), or strftime's where it has a `%` |
//! | `default value fallback` | the value, or the fallback if it is missing, null or empty |
//! | `eq a b`, `ne a b`, `lookup value key` | as Handlebars' own, within bounds |
//! | `json value` | the value as JSON |
//! | `upper value`, `lower value` | its text in capitals, or in small letters |
//! | `plural count one many` | `one` if the count is 1, else `many` |
//! | `url value` | its text as one part of an address: all but letters, digits and `-._~` percent-encoded |

use std::{collections::HashMap, fmt::Write};

use chrono_tz::Tz;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonRender, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson, template::Parameter,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{moment, rounds};
use crate::{calendar, quote::quoted};

/// One of ours: given its parameters, it answers with a value.
struct Ours {
    name: &'static str,
    run: Run,
}

type Run = fn(&Call<'_>) -> Result<Value, String>;

const OURS: [(&str, Run); 10] = [
    ("date", date),
    ("default", |call| {
        Ok(if is_blank(call.param(0)) { call.param(1) } else { call.param(0) }.clone())
    }),
    ("eq", |call| Ok((call.param(0) == call.param(1)).into())),
    ("json", |call| Ok(call.param(0).to_string().into())),
    ("lower", |call| Ok(call.param(0).render().to_lowercase().into())),
    ("lookup", |call| {
        let found = match (call.param(0), call.param(1)) {
            (Value::Array(items), index) => {
                index.as_u64().and_then(|at| items.get(usize::try_from(at).ok()?))
            }
            (Value::Object(entries), key) => key.as_str().and_then(|key| entries.get(key)),
            _ => None,
        };
        let found = found.unwrap_or(&Value::Null);
        rounds::go_through(found)?;
        Ok(found.clone())
    }),
    ("ne", |call| Ok((call.param(0) != call.param(1)).into())),
    ("plural", plural),
    ("upper", |call| Ok(call.param(0).render().to_uppercase().into())),
    ("url", |call| Ok(utf8_percent_encode(&call.param(0).render(), PART).to_string().into())),
];

/// What stands in one part of an address as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn register(engine: &mut Handlebars<'static>) {
    // A template has nothing to say to the program's log.
    engine.unregister_helper("log");
    for (name, run) in OURS {
        engine.register_helper(name, Box::new(Ours { name, run }));
    }
}

/// Whether `{{name}}` is the variable of that name, although there is such a helper.
pub(super) fn gives_way(name: &str) -> bool {
    let handlebars_own = ["eq", "ne", "lookup"];
    OURS.iter().any(|(ours, _)| *ours == name) && !handlebars_own.contains(&name)
}

/// A call of a helper with its parameters resolved.
struct Call<'a> {
    params: &'a [PathAndJson<'a>],
    timezone: Option<&'a Value>,
}

impl Call<'_> {
    /// The parameter at `index`; one that is missing is null.
    fn param(&self, index: usize) -> &Value {
        self.params.get(index).map_or(&Value::Null, PathAndJson::value)
    }
}

impl HelperDef for Ours {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        if helper.params().is_empty() && helper.hash().is_empty() {
            return render.evaluate(context, &format!("./{}", self.name));
        }
        let timezone = helper.hash_get("timezone").map(PathAndJson::value);
        let timezone = timezone
            .filter(|timezone| !is_blank(timezone))
            .or_else(|| context.data().pointer("/process/timezone"));
        // Of what it looks something up in it sees no more than that.
        if self.name != "lookup" {
            for param in helper.params() {
                rounds::go_through(param.value()).map_err(RenderErrorReason::Other)?;
            }
        }
        (self.run)(&Call { params: helper.params(), timezone })
            .map(ScopedJson::Derived)
            .map_err(|reason| RenderErrorReason::Other(format!("{}: {reason}", self.name)).into())
    }
}

/// Missing, null or an empty string.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn date(call: &Call<'_>) -> Result<Value, String> {
    let zone = match call.timezone {
        None => Tz::UTC,
        Some(Value::String(name)) => zone(name)?,
        Some(other) => return Err(format!("a time zone is a name, not {}", kind(other))),
    };
    let at = match call.param(0) {
        blank if is_blank(blank) => return Ok("".into()),
        Value::String(text) => calendar::parse(text, zone),
        Value::Number(seconds) => calendar::from_seconds(seconds.as_f64().unwrap_or(f64::NAN)),
        other => return Err(format!("{} is no date", kind(other))),
    };
    let at = at.map_err(|error| error.to_string())?.with_timezone(&zone);
    match call.param(1) {
        Value::String(format) if format.contains('%') => {
            let items = moment::strftime(format)?;
            let mut text = String::new();
            write!(text, "{}", at.format_with_items(items.iter()))
                .map_err(|_| format!("{} asks for what a date has not", quoted(format)))?;
            Ok(text.into())
        }
        Value::String(format) => Ok(moment::format(&at, format).into()),
        other => Err(format!("a format is a string, not {}", kind(other))),
    }
}

fn zone(name: &str) -> Result<Tz, String> {
    calendar::zone(name).map_err(|error| match &error {
        calendar::CalendarError::NoZone { suggestion: Some(suggestion), .. } => {
            format!("{error}, did you mean `{suggestion}`?")
        }
        _ => error.to_string(),
    })
}

fn plural(call: &Call<'_>) -> Result<Value, String> {
    let count = match call.param(0) {
        blank if is_blank(blank) => Some(0.0),
        Value::Number(count) => count.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let count = count.ok_or_else(|| format!("{} is no count", quoted(&call.param(0).render())))?;
    #[expect(clippy::float_cmp, reason = "one is one")]
    let one = count.abs() == 1.0;
    Ok(call.param(if one { 1 } else { 2 }).clone())
}

/// What a value is, for a message.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What is wrong with parameters that stand there literally, and so will be wrong in every
/// rendering.
pub(super) fn check_literals(
    helper: &str,
    params: &[Parameter],
    named: &HashMap<String, Parameter>,
) -> Option<String> {
    if helper != "date" {
        return None;
    }
    let format = match params.get(1) {
        Some(Parameter::Literal(Value::String(format))) if format.contains('%') => {
            moment::strftime(format).err()
        }
        Some(Parameter::Literal(Value::String(_))) => None,
        Some(Parameter::Literal(other)) => {
            Some(format!("a format is a string, not {}", kind(other)))
        }
        _ => None,
    };
    let zone = match named.get("timezone") {
        Some(Parameter::Literal(Value::String(name))) => zone(name).err(),
        _ => None,
    };
    format.or(zone).map(|reason| format!("{helper}: {reason}"))
}

#[cfg(test)]
mod tests;
