//! `Goal`: what the ladder is climbed for.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Explained, Failure, Outcome, Problem, Runner, Scope, Visit,
    condition::{Condition, Operand},
    lodash::LodashCommand,
};

/// Is looked at in every cycle while it lies ahead of the cursor; once its condition holds,
/// it pulls the cursor to itself, and the process goes on after it.
///
/// ```yaml
/// - id: confirmed
///   run: Goal
///   config:
///     lodashCommand: eq            # or all: [...], any: [...], not: {...}
///     value: { type: get, value: order.status }
///     compareTo: { type: raw, value: confirmed }
///     otherwise: wait              # when the process gets here before that:
///                                  # wait (default) | continue | end
/// ```
pub struct Goal;

/// The config of `Goal`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(from = "Written")]
#[schemars(with = "Written")]
pub struct Config {
    condition: Condition,
    otherwise: Otherwise,
}

/// The config of `Goal`: a condition, and what to do without it.
// Written out, since serde does not refuse unknown keys beside a flattened struct.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Goal")]
struct Written {
    /// lodash's name of the predicate: `_[lodashCommand](value, compareTo)`.
    lodash_command: Option<LodashCommand>,
    /// Its first operand.
    value: Option<Operand>,
    /// Its second operand; predicates that look at one value have none.
    compare_to: Option<Operand>,
    /// Instead of a predicate: each of these holds.
    all: Option<Vec<Condition>>,
    /// Instead of a predicate: at least one of these holds.
    any: Option<Vec<Condition>>,
    /// Instead of a predicate: this does not hold.
    not: Option<Box<Condition>>,
    /// What a process does that gets here before the condition holds.
    #[serde(default)]
    otherwise: Otherwise,
}

/// What a process does at a goal that is not achieved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Otherwise {
    /// It stays until an event changes that.
    #[default]
    Wait,
    /// It goes on as if there were no goal.
    Continue,
    /// It ends.
    End,
}

impl From<Written> for Config {
    fn from(written: Written) -> Self {
        let Written { lodash_command, value, compare_to, all, any, not, otherwise } = written;
        Self {
            condition: Condition { lodash_command, value, compare_to, all, any, not },
            otherwise,
        }
    }
}

impl Runner for Goal {
    const NAME: &'static str = "Goal";
    const GOAL: bool = true;
    const LITERAL: &'static [&'static str] = &["otherwise"];
    type Config = Config;

    fn rests(config: Option<&Config>) -> bool {
        config.is_none_or(|config| config.otherwise == Otherwise::Wait)
    }

    fn check(config: &Config) -> Vec<Problem> {
        config.condition.check("")
    }

    fn explain(config: &Config, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let condition = Some(config.condition.breakdown(visit.scope)?);
        Ok(Explained { condition, ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let (achieved, why) = config.condition.evaluate(visit.scope)?;
        Ok(match config.otherwise {
            _ if achieved => Outcome::next(why),
            Otherwise::Wait => Outcome::wait(why),
            Otherwise::Continue => Outcome::next(why),
            Otherwise::End => Outcome::go_to("end", why),
        })
    }

    fn achieved(config: &Config, scope: &Scope<'_>) -> Result<bool, Failure> {
        config.condition.holds(scope)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Kind, Prepared, builtin::visiting};

    fn goal(otherwise: Option<&str>) -> Box<dyn Prepared> {
        let mut config = json!({
            "lodashCommand": "eq",
            "value": { "type": "get", "value": "order.status" },
            "compareTo": { "type": "raw", "value": "confirmed" },
        });
        if let Some(otherwise) = otherwise {
            config["otherwise"] = otherwise.into();
        }
        Kind::of::<Goal>().prepare(&config).unwrap()
    }

    fn order(status: &str) -> Value {
        json!({ "order": { "status": status } })
    }

    #[test]
    fn an_achieved_goal_lets_the_process_go_on() {
        for otherwise in [None, Some("wait"), Some("continue"), Some("end")] {
            let goal = goal(otherwise);
            let outcome = visiting(&order("confirmed"), |visit| goal.visit(visit));
            let why = r#"order.status is "confirmed", eq "confirmed""#;
            assert_eq!(outcome, Ok(Outcome::next(why)));
            assert_eq!(visiting(&order("confirmed"), |visit| goal.achieved(visit.scope)), Ok(true));
        }
    }

    #[test]
    fn a_process_that_comes_too_early_does_what_otherwise_says() {
        let why = r#"order.status is "new", not eq "confirmed""#;
        let early = |otherwise| {
            let goal = goal(otherwise);
            assert_eq!(visiting(&order("new"), |visit| goal.achieved(visit.scope)), Ok(false));
            (goal.rests(), visiting(&order("new"), |visit| goal.visit(visit)))
        };
        assert_eq!(early(None), (true, Ok(Outcome::wait(why))));
        assert_eq!(early(Some("wait")), (true, Ok(Outcome::wait(why))));
        assert_eq!(early(Some("continue")), (false, Ok(Outcome::next(why))));
        assert_eq!(early(Some("end")), (false, Ok(Outcome::go_to("end", why))));
    }

    #[test]
    fn unknown_keys_are_refused_beside_those_of_a_condition() {
        let refused = |config| Kind::of::<Goal>().prepare(&config).is_err();
        assert!(refused(json!({ "all": [], "otherwize": "end" })));
        assert!(refused(json!({ "otherwise": "end" })));
        let schema = (Kind::of::<Goal>().schema)();
        assert_eq!(schema.pointer("/additionalProperties"), Some(&json!(false)));
        assert!(schema.pointer("/properties/otherwise").is_some());
    }
}
