//! The birth of a process: its data is held against `input`, defaults are filled in, and
//! its time zone is found.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_runners::scope::RESERVED;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Process, Sequence, Status, process::State, sequence::Input};

/// Characters of what is said of one place in the data.
const LONGEST_MESSAGE: usize = 400;

/// What a process is started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// A fresh UUIDv7.
    pub key: String,
    /// The caller's id for it.
    pub process_id: String,
    /// The version of the sequence.
    pub version: i32,
    /// The caller's data.
    pub data: Value,
    /// The server's zone, for sequences that name none.
    pub default_timezone: Tz,
    /// The moment of the start.
    pub now: DateTime<Utc>,
}

/// Why a process cannot start with such data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputProblem {
    /// JSON pointer of the place in the data.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// Makes a process that is due at once.
///
/// # Errors
/// Every place where the data does not fit.
pub fn start(sequence: &Sequence, start: Start) -> Result<Process, Vec<InputProblem>> {
    let data = data(sequence, start.data)?;
    let mut process = Process {
        key: start.key,
        process_id: start.process_id,
        sequence: sequence.name.clone(),
        version: start.version,
        priority: sequence.priority,
        status: Status::Active,
        cursor: sequence.steps.first().map(|step| step.id.clone()),
        timezone: start.default_timezone,
        data,
        state: State::default(),
        due_at: Some(start.now),
        reason: None,
        started_at: start.now,
        ended_at: None,
    };
    if let Some(timezone) = timezone(sequence, &process)? {
        process.timezone = timezone;
    }
    Ok(process)
}

fn data(sequence: &Sequence, data: Value) -> Result<Map<String, Value>, Vec<InputProblem>> {
    let mut data = match data {
        Value::Null => Value::Object(Map::new()),
        data => data,
    };
    let Value::Object(map) = &data else {
        return Err(problem("", "the data must be an object"));
    };
    let mut problems: Vec<InputProblem> = RESERVED
        .iter()
        .filter(|name| map.contains_key(**name))
        .flat_map(|name| problem(&format!("/{name}"), &format!("`{name}` is a reserved name")))
        .collect();
    if let Some(input) = &sequence.input {
        fill_defaults(&mut data, &input.schema);
        problems.extend(self::problems(input, &data));
    }
    match data {
        Value::Object(map) if problems.is_empty() => Ok(map),
        _ => Err(problems),
    }
}

/// Where data does not fit.
pub(crate) fn problems<'a>(
    input: &'a Input,
    data: &'a Value,
) -> impl Iterator<Item = InputProblem> + 'a {
    input.validator.iter_errors(data).map(|error| InputProblem {
        pointer: error.instance_path().to_string(),
        message: shortened(error.to_string()),
    })
}

/// A message that quotes a value of any length: its beginning and its end, which says what is
/// wrong with it.
fn shortened(message: String) -> String {
    let length = message.chars().count();
    if length <= LONGEST_MESSAGE {
        return message;
    }
    let half = LONGEST_MESSAGE / 2;
    let begins = message.chars().take(half);
    begins.chain(" ... ".chars()).chain(message.chars().skip(length - half)).collect()
}

/// Fills in `default`s of properties that are missing, also inside objects that are there.
pub(crate) fn fill_defaults(data: &mut Value, schema: &Value) {
    let (Value::Object(data), Some(Value::Object(properties))) = (data, schema.get("properties"))
    else {
        return;
    };
    for (name, schema) in properties {
        match (data.get_mut(name), schema.get("default")) {
            (Some(value), _) => fill_defaults(value, schema),
            (None, Some(default)) => {
                data.insert(name.clone(), default.clone());
            }
            (None, None) => {}
        }
    }
}

/// The zone that a sequence gives a process, if it gives one.
pub(crate) fn timezone(
    sequence: &Sequence,
    process: &Process,
) -> Result<Option<Tz>, Vec<InputProblem>> {
    let Some(template) = &sequence.timezone else { return Ok(None) };
    let name = template
        .render(&process.scope())
        .map_err(|error| problem("", &format!("the sequence's timezone: {error}")))?;
    match name.trim() {
        // A zone that the data leaves open is the server's.
        "" => Ok(None),
        name => name.parse().map(Some).map_err(|_| {
            problem(
                "",
                &format!("the sequence's timezone gives `{name}`, which is no IANA time zone"),
            )
        }),
    }
}

fn problem(pointer: &str, message: &str) -> Vec<InputProblem> {
    vec![InputProblem { pointer: pointer.to_owned(), message: message.to_owned() }]
}
