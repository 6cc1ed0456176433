//! How far a condition is from true: each clause of it, with what it sees and what it wants.
//!
//! Promises: the same answer as [`Condition::holds`]; unlike that it goes on after what
//! decides, since an author wants to see the rest as well.

use std::fmt::Write;

use serde_json::Value;

use super::{Condition, Form, Operand, clause::json};
use crate::{
    Failure, Scope,
    explain::{Clause, MOST_CLAUSES, Test},
    lodash::LodashCommand,
    quote::figure,
};

impl Condition {
    /// Every clause, with whether it holds.
    ///
    /// # Errors
    /// As for [`holds`](Self::holds).
    pub fn breakdown(&self, scope: &Scope<'_>) -> Result<Clause, Failure> {
        let mut room = MOST_CLAUSES;
        self.part(scope, true, &mut room)
    }

    /// `wanted` is whether it shall hold: inside a `not` it shall not.
    fn part(&self, scope: &Scope<'_>, wanted: bool, room: &mut usize) -> Result<Clause, Failure> {
        *room = room.saturating_sub(1);
        match self.form()? {
            Form::Test(command, value, compare_to) => {
                test(command, value, compare_to, scope, wanted)
            }
            Form::All(conditions) => group(conditions, scope, true, wanted, room),
            Form::Any(conditions) => group(conditions, scope, false, wanted, room),
            // Each clause below says what it wants with the `not` in it.
            Form::Not(condition) => condition.part(scope, !wanted, room),
        }
    }
}

/// `all` and `any`. Where it shall not hold, it is the other one of what shall not.
fn group(
    conditions: &[Condition],
    scope: &Scope<'_>,
    is_all: bool,
    wanted: bool,
    room: &mut usize,
) -> Result<Clause, Failure> {
    let mut of = Vec::new();
    let mut holding = 0;
    for condition in conditions {
        // What is not told counts all the same.
        let holds = if *room > 0 {
            let part = condition.part(scope, wanted, room)?;
            let holds = part.holds == wanted;
            of.push(part);
            holds
        } else {
            condition.holds(scope)?
        };
        holding += usize::from(holds);
    }
    let all = conditions.len();
    let holds = if is_all { holding == all } else { holding > 0 };
    let fulfilled = if wanted { holding } else { all - holding };
    let which = if is_all == wanted { "all" } else { "one at least" };
    let mut says = format!("{which} of these, {fulfilled} of {all} so far");
    let untold = all - of.len();
    if untold > 0 {
        let _ = write!(says, " ({untold} are not shown)");
    }
    Ok(Clause { holds: holds == wanted, says, test: None, of })
}

fn test(
    command: LodashCommand,
    left: &Operand,
    right: Option<&Operand>,
    scope: &Scope<'_>,
    wanted: bool,
) -> Result<Clause, Failure> {
    let value = left.resolve(scope)?;
    let compare_to = Operand::resolve_some(right, scope)?;
    let (value, compare_to) = (value.as_deref(), compare_to.as_deref());
    let holds = command.test(value, compare_to) == wanted;
    let path = Some(left.label()).filter(|label| !label.is_empty()).map(str::to_owned);
    let sees = value.map(|value| json(Some(value)));
    let beginning = match (&path, &sees) {
        (None, sees) => sees.clone().unwrap_or_else(|| json(None)),
        (Some(path), Some(sees)) => format!("{path} is {sees}"),
        (Some(path), None) => {
            let why =
                left.lacks(scope).map_or(String::new(), |key| format!(" (there is no {key})"));
            format!("{path} is missing{why}")
        }
    };
    let wants = right.map(|right| match (right.label(), json(compare_to)) {
        ("", what) => what,
        (label, what) => format!("{label} ({what})"),
    });
    let not = if wanted { "" } else { "not " };
    let verb = if holds { "" } else { "wants " };
    let mut says = format!("{beginning}, {verb}{not}{command}");
    if let Some(wants) = &wants {
        let _ = write!(says, " {wants}");
    }
    if let Some(distance) =
        (wanted && !holds).then(|| distance(command, value, compare_to)).flatten()
    {
        let _ = write!(says, ", {distance}");
    }
    let test = Test { command: command.as_str(), negated: !wanted, path, sees, wants };
    Ok(Clause { holds, says, test: Some(test), of: Vec::new() })
}

/// How far a number is from the one it shall pass.
fn distance(
    command: LodashCommand,
    value: Option<&Value>,
    compare_to: Option<&Value>,
) -> Option<String> {
    use LodashCommand::{Gt, Gte, Lt, Lte};
    let apart = compare_to?.as_f64()? - value?.as_f64()?;
    if !matches!(command, Gt | Gte | Lt | Lte) || apart == 0.0 {
        return None;
    }
    let side = if apart > 0.0 { "too little" } else { "too much" };
    Some(format!("{} {side}", figure(apart.abs())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(condition: Value, data: &Value) -> Vec<String> {
        let condition: Condition = serde_json::from_value(condition).unwrap();
        let (steps, events) = (json!({}), json!({}));
        let scope = Scope::new(data.as_object().unwrap(), || json!({}), &steps, &events);
        let clause = condition.breakdown(&scope).unwrap();
        assert_eq!(clause.holds, condition.holds(&scope).unwrap());
        clause.lines()
    }

    fn get(command: &str, path: &str, compare_to: &Value) -> Value {
        json!({
            "lodashCommand": command,
            "value": { "type": "get", "value": path },
            "compareTo": { "type": "raw", "value": compare_to },
        })
    }

    #[test]
    fn an_order_that_is_pending_is_not_confirmed() {
        let confirmed = get("eq", "order.status", &json!("confirmed"));
        assert_eq!(
            lines(confirmed.clone(), &json!({ "order": { "status": "pending" } })),
            [r#"✗ order.status is "pending", wants eq "confirmed""#]
        );
        assert_eq!(
            lines(confirmed, &json!({ "order": { "status": "confirmed" } })),
            [r#"✓ order.status is "confirmed", eq "confirmed""#]
        );
    }

    #[test]
    fn what_the_data_lack_is_said() {
        let confirmed = get("eq", "order.status", &json!("confirmed"));
        assert_eq!(
            lines(confirmed.clone(), &json!({})),
            [r#"✗ order.status is missing (there is no order), wants eq "confirmed""#]
        );
        assert_eq!(
            lines(confirmed, &json!({ "order": { "state": 1 } })),
            [r#"✗ order.status is missing (there is no order.status), wants eq "confirmed""#]
        );
    }

    #[test]
    fn each_clause_of_a_nest_says_what_it_lacks() {
        let condition = json!({ "all": [
            get("gte", "order.total", &json!(100)),
            { "not": get("eq", "order.status", &json!("cancelled")) },
            { "any": [get("eq", "vip", &json!(true)), get("includes", "tags", &json!("urgent"))] },
        ]});
        let data = json!({ "order": { "total": 20, "status": "cancelled" }, "vip": true });
        assert_eq!(
            lines(condition, &data),
            [
                "✗ all of these, 1 of 3 so far",
                "  ✗ order.total is 20, wants gte 100, 80 too little",
                r#"  ✗ order.status is "cancelled", wants not eq "cancelled""#,
                "  ✓ one at least of these, 1 of 2 so far",
                "    ✓ vip is true, eq true",
                r#"    ✗ tags is missing (there is no tags), wants includes "urgent""#,
            ]
        );
    }

    #[test]
    fn a_thousand_clauses_are_counted_and_a_hundred_told() {
        let many: Vec<Value> = (0..1_000).map(|n| get("eq", "n", &json!(n))).collect();
        let told = lines(json!({ "any": many }), &json!({ "n": 5 }));
        assert_eq!(told.len(), MOST_CLAUSES);
        assert_eq!(told[0], "✓ one at least of these, 1 of 1000 so far (901 are not shown)");
    }
}
