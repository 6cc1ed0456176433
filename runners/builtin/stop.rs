//! `Stop`: stop another process.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::process::{self, Act};
use crate::{AltNext, AnsweredBy, Failure, Outcome, Problem, Runner, Stay, Visit};

/// Stops a process.
///
/// ```yaml
/// - id: enough
///   run: Stop
///   config: { process_id: "owner-{{order.id}}" }
/// ```
///
/// Once the step goes on, no further delivery of that process begins. If none of that id is
/// live, nothing changes and the step goes on: `steps.enough.stopped` says which it was. A
/// process may stop itself. What can be no id, such as an empty text, leads to `altNext`, and
/// without one fails the process.
#[derive(JsonSchema)]
pub struct Stop;

/// The config of `Stop`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Id of the process.
    process_id: String,
}

impl Runner for Stop {
    const NAME: &'static str = "Stop";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    const DISTURBS: bool = false;
    const ASKS: bool = true;
    /// Who is not there need not be stopped.
    const MAY_BE_REFUSED: bool = false;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Rungs;
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn stay(config: Option<&Config>, _: Option<Tz>) -> Stay {
        let ends = config.is_some_and(|config| may_be_itself(&config.process_id));
        Stay { ends, ..Stay::act() }
    }

    fn check(config: &Config) -> Vec<Problem> {
        process::check_id(&config.process_id, process::wrong_id).into_iter().collect()
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        Ok(process::follow(visit, || match process::wrong_id(&config.process_id) {
            Some(wrong) => Err(format!("the process's id: {wrong}")),
            None => Ok(Act::Stop { process_id: config.process_id.clone() }),
        }))
    }
}

/// Whether an id may be that of the process itself. `{{process.id}}-child` is another.
fn may_be_itself(id: &str) -> bool {
    let mut beside =
        id.split("{{").map(|part| part.rsplit_once("}}").map_or(part, |(_, rest)| rest));
    // What a block leaves out does not stand there.
    let is_plain = !id.contains("{{#") && !id.contains("{{^");
    id.contains("process.id")
        && (!is_plain || beside.all(|text| text.trim_matches(['{', '}', ' ']).is_empty()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    #[test]
    fn it_asks_for_the_end_of_a_process() {
        let trial = Trial::at("2026-05-04T10:00").data(json!({ "id": 7 }));
        let visit = |id: &str| trial.visit::<Stop>(&json!({ "process_id": id })).unwrap();
        let delivery = visit("order-{{id}}").deliver.expect("a delivery");
        assert_eq!(delivery.channel, "process");
        assert_eq!(delivery.request, json!({ "do": "stop", "process_id": "order-7" }));
        assert!(visit("{{nobody}}").failed.is_some_and(|told| told.contains("it is empty")));
    }

    #[test]
    fn a_process_that_may_stop_itself_may_end_there() {
        for (id, ends) in [
            ("{{process.id}}", true),
            ("{{{ process.id }}}", true),
            ("{{#if last}}{{process.id}}{{/if}}", true),
            ("{{#if last}}{{process.id}}{{else}}order-7{{/if}}", true),
            ("{{process.id}}-child", false),
            ("child of {{process.id}}", false),
            ("{{order.id}}", false),
        ] {
            let config = serde_json::from_value(json!({ "process_id": id })).unwrap();
            assert_eq!(Stop::stay(Some(&config), None).ends, ends, "{id}");
        }
    }

    #[test]
    fn an_id_that_is_none_is_told_where_it_stands() {
        let found = problems::<Stop>(&json!({ "process_id": "" }));
        assert_eq!(found[0].pointer, "/process_id");
        assert_eq!(problems::<Stop>(&json!({ "process_id": "{{process.id}}" })), []);
    }
}
