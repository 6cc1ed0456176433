//! `Start`: start another process.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::process::{self, Act};
use crate::{
    AltNext, AnsweredBy, Failure, Outcome, Problem, Runner, Stay, Visit, data, lenient,
    prepare::{is_looked_up, literal},
    quote::quoted,
    template::is_template,
};

/// Starts a process of another sequence, of its newest version at that moment.
///
/// ```yaml
/// - id: call-the-owner
///   run: Start
///   config:
///     sequence: owner-escalation
///     process_id: "owner-{{order.id}}"       # without it, one is made
///     data:                                  # default {}
///       order: { type: get, value: order }   # any value, with its type
///       reason: "{{steps.ring.status}}"      # a template is text
///   altNext: text-manager                    # no such sequence, or data that do not fit
/// ```
///
/// It is started once, whatever crashes. If a process with that id is live, nothing changes
/// and the step goes on: `steps.call-the-owner.started` says which, and `.process_id` whom.
/// Without an `altNext`, one that cannot be started fails this process.
///
/// A process that was started so may start others. Ten generations may follow each other
/// within the hour; then a start is refused, so that sequences which start each other in a
/// circle come to an end.
#[derive(JsonSchema)]
pub struct Start;

/// The config of `Start`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the published sequence.
    sequence: String,
    /// Id of the process; without one, it gets one of its own.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    process_id: Option<String>,
    /// What it is about. `{ type: get, value: PATH }` stands for the value at a path.
    #[serde(default = "nothing")]
    #[schemars(with = "Map<String, Value>")]
    data: Value,
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

impl Runner for Start {
    const NAME: &'static str = "Start";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    const DISTURBS: bool = false;
    const ASKS: bool = true;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Rungs;
    const TYPED: &'static [&'static str] = &["data"];
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    /// What the other process sends, its own sequence says.
    fn stay(_: Option<&Config>, _: Option<Tz>) -> Stay {
        Stay::act()
    }

    fn check(config: &Config) -> Vec<Problem> {
        let Config { sequence, process_id, data } = config;
        let mut problems = Vec::new();
        if !is_template(sequence) && !is_name(sequence) {
            let message = format!("{} is no name of a sequence", quoted(sequence));
            problems.push(Problem::at("/sequence", message).help("such as `order-escalation`"));
        }
        problems.extend(
            process_id.as_deref().and_then(|id| process::check_id(id, process::wrong_new_id)),
        );
        if !is_looked_up(data) {
            problems.extend(check_data(literal(data)));
        }
        problems
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        Ok(process::follow(visit, || config.act()))
    }
}

/// As the name of a sequence may be.
fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_part)
}

fn check_data(data: &Value) -> Option<Problem> {
    let Value::Object(entries) = data else {
        return Some(Problem::at("/data", "expected names and their values"));
    };
    if let Some(name) = data::reserved(entries) {
        let message = format!("`{name}` is a reserved name, beside the data");
        return Some(Problem::at(format!("/data/{name}"), message));
    }
    data::check_size(data).err().map(|reason| Problem::at("/data", reason))
}

impl Config {
    fn act(&self) -> Result<Act, String> {
        let Self { sequence, process_id, data } = self;
        if !is_name(sequence) {
            return Err(format!("{} is no name of a sequence", quoted(sequence)));
        }
        if let Some(wrong) = process_id.as_deref().and_then(process::wrong_new_id) {
            return Err(format!("the process's id: {wrong}"));
        }
        data::check_size(data).map_err(|reason| format!("the data: {reason}"))?;
        match data {
            Value::Object(data) => Ok(Act::Start {
                sequence: sequence.clone(),
                process_id: process_id.clone(),
                data: data.clone(),
            }),
            other => Err(format!("the data: {} is no mapping", quoted(&other.to_string()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Action, Answer, DeliveryStatus,
        builtin::trial::{Trial, problems},
    };

    fn trial() -> Trial {
        Trial::at("2026-05-04T10:00").data(json!({
            "id": 7, "order": { "count": 2 }, "name": "owner", "long": "x".repeat(300),
        }))
    }

    fn request(config: &Value) -> Value {
        let delivery = trial().visit::<Start>(config).unwrap().deliver.expect("a delivery");
        assert_eq!(delivery.channel, "process");
        delivery.request
    }

    #[test]
    fn it_asks_for_a_process_with_data_that_keep_their_types() {
        let config = json!({
            "sequence": "{{name}}-escalation",
            "process_id": "order-{{id}}",
            "data": { "order": { "type": "get", "value": "order" }, "id": "{{id}}" },
        });
        let expected = json!({
            "do": "start", "sequence": "owner-escalation", "process_id": "order-7",
            "data": { "order": { "count": 2 }, "id": "7" },
        });
        assert_eq!(request(&config), expected);
        let least = request(&json!({ "sequence": "a" }));
        assert_eq!(least, json!({ "do": "start", "sequence": "a", "data": {} }));
        let all = request(&json!({ "sequence": "a", "data": { "type": "get", "value": "order" } }));
        assert_eq!(all["data"], json!({ "count": 2 }));
    }

    #[test]
    fn the_answer_says_how_it_goes_on() {
        let config = json!({ "sequence": "a" });
        let answered = |action| {
            let mut answer = Answer::keeping(Map::new(), Some("started order-7".into()));
            answer.action = action;
            trial().answered(answer).visit::<Start>(&config).unwrap()
        };
        assert_eq!(answered(Action::Next), Outcome::next("started order-7"));
        assert_eq!(answered(Action::AltNext), Outcome::undelivered("started order-7"));
        let refused = trial().delivery(DeliveryStatus::Failed, Some("there is no sequence `a`"));
        let outcome = refused.visit::<Start>(&config).unwrap();
        assert_eq!(outcome, Outcome::undelivered("failed: there is no sequence `a`"));
        let waits = trial().delivery(DeliveryStatus::Sending, None).visit::<Start>(&config);
        assert_eq!(waits.unwrap().action, Action::Noop);
    }

    #[test]
    fn what_cannot_be_started_is_no_delivery() {
        for (config, reason) in [
            (json!({ "sequence": "{{nobody}}" }), "\"\" is no name"),
            (json!({ "sequence": "a", "process_id": "{{long}}" }), "longer than 255"),
            (json!({ "sequence": "a", "data": { "type": "get", "value": "id" } }), "no mapping"),
        ] {
            let outcome = trial().visit::<Start>(&config).unwrap();
            assert!(outcome.deliver.is_none());
            assert!(outcome.failed.is_some_and(|told| told.contains(reason)), "{config}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (config, pointer) in [
            (json!({ "sequence": "a b" }), "/sequence"),
            (json!({ "sequence": "a", "process_id": ".." }), "/process_id"),
            (json!({ "sequence": "a", "process_id": "a\nb" }), "/process_id"),
            (json!({ "sequence": "a", "process_id": "a\u{202e}b" }), "/process_id"),
            (json!({ "sequence": "a", "data": { "events": 1 } }), "/data/events"),
            (
                json!({ "sequence": "a", "data": { "a": { "type": "jsonpath", "value": "$[" } } }),
                "/data/a/value",
            ),
            (json!({ "sequence": "a", "data": [] }), "/data"),
            (json!({ "process_id": "a" }), ""),
        ] {
            let found = problems::<Start>(&config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{config}");
        }
    }
}
