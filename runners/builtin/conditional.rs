//! `Conditional`: one way if a condition holds, the other way if not.

use crate::{AltNext, Explained, Failure, Outcome, Problem, Runner, Visit, condition::Condition};

/// Takes `next` if its condition holds, else `altNext`.
///
/// ```yaml
/// - id: large
///   run: Conditional
///   config:
///     lodashCommand: gte           # or all: [...], any: [...], not: {...}
///     value: { type: get, value: order.total }
///     compareTo: { type: raw, value: 100 }
///   next: call-manager
///   altNext: text-manager
/// ```
pub struct Conditional;

impl Runner for Conditional {
    const NAME: &'static str = "Conditional";
    const ALT_NEXT: AltNext = AltNext::Required;
    type Config = Condition;

    fn rests(_: Option<&Condition>) -> bool {
        false
    }

    fn check(condition: &Condition) -> Vec<Problem> {
        condition.check("")
    }

    fn explain(condition: &Condition, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let condition = Some(condition.breakdown(visit.scope)?);
        Ok(Explained { condition, ..Explained::default() })
    }

    fn visit(condition: &Condition, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let (holds, why) = condition.evaluate(visit.scope)?;
        Ok(if holds { Outcome::next(why) } else { Outcome::alt_next(why) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Action, Kind, builtin::visiting};

    #[test]
    fn a_large_order_goes_one_way_and_a_small_one_the_other() {
        let step = Kind::of::<Conditional>()
            .prepare(&json!({
                "lodashCommand": "gte",
                "value": { "type": "get", "value": "order.total" },
                "compareTo": { "type": "raw", "value": 100 },
            }))
            .unwrap();
        let large = visiting(&json!({ "order": { "total": "120" } }), |visit| step.visit(visit));
        let small = visiting(&json!({ "order": { "total": 20 } }), |visit| step.visit(visit));
        assert_eq!(large, Ok(Outcome::next(r#"order.total is "120", gte 100"#)));
        assert_eq!(small, Ok(Outcome::alt_next("order.total is 20, not gte 100")));
        assert!(!step.rests());
    }

    #[test]
    fn a_template_is_rendered_before_the_condition_is_read() {
        let step = Kind::of::<Conditional>()
            .prepare(&json!({ "any": [{
                "lodashCommand": "eq",
                "value": { "type": "get", "value": "orders.{{which}}.status" },
                "compareTo": { "type": "raw", "value": "{{wanted}}" },
            }] }))
            .unwrap();
        let data = json!({ "which": "b", "wanted": "new", "orders": { "b": { "status": "new" } } });
        let outcome = visiting(&data, |visit| step.visit(visit)).unwrap();
        assert_eq!(outcome.action, Action::Next);
        assert_eq!(outcome.message, r#"orders.b.status is "new", eq "new""#);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let config = json!({ "not": { "lodashCommand": "isNil" } });
        let Err(problems) = Kind::of::<Conditional>().prepare(&config) else { panic!("no value") };
        assert_eq!(problems, [Problem::at("/not", "`isNil` has no `value` to look at")]);
    }
}
