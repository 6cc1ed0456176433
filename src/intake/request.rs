//! Requests as messages of a queue write them: Rungs' own, beside roesc's.
//!
//! They are told apart by their shape: roesc's say what to do in `action`, ours in `type`.
//! `docs/queue.schema.json` describes both.

use rungs_runners::data;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{NewEvent, NewProcess, Refusal, check_id, fields, roesc::RoescRequest, start::Asked};

/// What a message asks for.
#[derive(Debug, Clone)]
pub(super) enum Request {
    /// In roesc's words.
    Roesc(RoescRequest),
    /// Start a process.
    Start(NewProcess),
    /// Stop it.
    Stop { process_id: String, reason: Option<String> },
    /// Tell it that something happened.
    Event { process_id: String, event: NewEvent },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    process_id: String,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    process_id: String,
    id: Option<String>,
    event: String,
    #[serde(default)]
    data: Value,
}

impl Request {
    /// Understands the body of a message.
    ///
    /// # Errors
    /// The first thing that is wrong, with its JSON pointer.
    pub fn read(body: &str) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_str(body)
            .map_err(|error| Refusal::invalid("", format!("it is no JSON: {error}")))?;
        data::check_depth(&value).map_err(|wrong| Refusal::invalid("", wrong))?;
        let Value::Object(mut map) = value else {
            return Err(Refusal::invalid("", "expected an object"));
        };
        if map.contains_key("action") || map.contains_key("process-id") {
            return RoescRequest::read(&Value::Object(map)).map(Self::Roesc);
        }
        match map.remove("type").as_ref().and_then(Value::as_str) {
            Some("start") => Ok(Self::Start(fields::<Asked>(map)?.understand()?)),
            Some("stop") => {
                let Stop { process_id, reason } = fields(map)?;
                check_id("/process_id", &process_id)?;
                Ok(Self::Stop { process_id, reason })
            }
            Some("event") => {
                let Told { process_id, id, event, data } = fields(map)?;
                check_id("/process_id", &process_id)?;
                let event = NewEvent { id, r#type: event, data };
                event.check("/event")?;
                Ok(Self::Event { process_id, event })
            }
            _ => Err(Refusal::invalid(
                "/type",
                "expected `start`, `stop` or `event`, or else `action` and `process-id`",
            )),
        }
    }
}

fn fields<T: DeserializeOwned>(map: Map<String, Value>) -> Result<T, Refusal> {
    fields::read(Value::Object(map))
        .map_err(|(pointer, error)| Refusal::invalid(pointer, error.to_string()))
}
