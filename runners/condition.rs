//! Conditions: a lodash predicate on two operands, or `all`, `any` and `not` of conditions.
//!
//! Promises: paths and JSONPaths are parsed once, when the config is read. [`Condition::holds`]
//! borrows what it compares and writes no message; [`Condition::evaluate`] gives the same
//! answer with a clause for the history.
//! Called by: the runners `Conditional` and `Goal`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Failure, Problem, Scope, lodash::LodashCommand};

pub use operand::Operand;

mod clause;
mod effort;
mod explain;
mod operand;
pub mod wish;

/// How deep conditions may nest.
const MOST_NESTED: usize = 16;

/// A condition on what a visit sees.
///
/// ```yaml
/// lodashCommand: gt
/// value: { type: get, value: "order.items[0].count" }
/// compareTo: { type: raw, value: 3 }
/// ```
///
/// or one of `all`, `any` and `not`, around more of them:
///
/// ```yaml
/// all:
///   - lodashCommand: isString
///     value: { type: get, value: [restaurant, phone] }
///   - not:
///       lodashCommand: includes
///       value: { type: jsonpath, value: "$.order.items[*].kind" }
///       compareTo: { type: raw, value: alcohol }
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Condition {
    /// lodash's name of the predicate: `_[lodashCommand](value, compareTo)`.
    pub lodash_command: Option<LodashCommand>,
    /// Its first operand.
    pub value: Option<Operand>,
    /// Its second operand; predicates that look at one value have none.
    pub compare_to: Option<Operand>,
    /// Instead of a predicate: each of these holds.
    pub all: Option<Vec<Condition>>,
    /// Instead of a predicate: at least one of these holds.
    pub any: Option<Vec<Condition>>,
    /// Instead of a predicate: this does not hold.
    pub not: Option<Box<Condition>>,
}

/// A condition by what it is, once it is clear that it is one thing.
enum Form<'a> {
    Test(LodashCommand, &'a Operand, Option<&'a Operand>),
    All(&'a [Condition]),
    Any(&'a [Condition]),
    Not(&'a Condition),
}

impl Condition {
    /// Whether it holds.
    ///
    /// # Errors
    /// A condition whose templates rendered to what is none, such as a JSONPath that does
    /// not parse.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Failure> {
        match self.form()? {
            Form::Test(command, value, compare_to) => {
                let value = value.resolve(scope)?;
                let compare_to = Operand::resolve_some(compare_to, scope)?;
                Ok(command.test(value.as_deref(), compare_to.as_deref()))
            }
            Form::All(conditions) => {
                for condition in conditions {
                    if !condition.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Form::Any(conditions) => {
                for condition in conditions {
                    if condition.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Form::Not(condition) => Ok(!condition.holds(scope)?),
        }
    }

    /// Whether it holds, and a short clause that says why.
    ///
    /// # Errors
    /// As for [`holds`](Self::holds).
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<(bool, String), Failure> {
        let (holds, clause) = self.explain(scope)?;
        Ok((holds, clause::clip(clause)))
    }

    fn explain(&self, scope: &Scope<'_>) -> Result<(bool, String), Failure> {
        match self.form()? {
            Form::Test(command, left, right) => {
                let value = left.resolve(scope)?;
                let compare_to = Operand::resolve_some(right, scope)?;
                let holds = command.test(value.as_deref(), compare_to.as_deref());
                let left = (left.label(), value.as_deref());
                let right = right.map(|right| (right.label(), compare_to.as_deref()));
                Ok((holds, clause::of(command, holds, left, right)))
            }
            Form::All(conditions) => explain_until(false, conditions, scope),
            Form::Any(conditions) => explain_until(true, conditions, scope),
            Form::Not(condition) => condition.explain(scope).map(|(holds, why)| (!holds, why)),
        }
    }

    fn form(&self) -> Result<Form<'_>, Failure> {
        let form = match self {
            Self {
                lodash_command: Some(command),
                value: Some(value),
                compare_to,
                all: None,
                any: None,
                not: None,
            } if compare_to.is_none() == command.is_unary() => {
                Some(Form::Test(*command, value, compare_to.as_ref()))
            }
            Self { lodash_command: None, value: None, compare_to: None, all, any, not } => {
                match (all.as_deref(), any.as_deref(), not.as_deref()) {
                    (Some(all), None, None) => Some(Form::All(all)),
                    (None, Some(any), None) => Some(Form::Any(any)),
                    (None, None, Some(not)) => Some(Form::Not(not)),
                    _ => None,
                }
            }
            _ => None,
        };
        form.ok_or_else(|| {
            let problem = self.check("").into_iter().next();
            let reason = problem.map_or_else(String::new, |problem| problem.message);
            Failure::because(format!("condition: {reason}"))
        })
    }

    /// What is wrong with it that its schema cannot say. `pointer` is its place inside the
    /// config. Operands that are templates are left for later.
    pub fn check(&self, pointer: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.check_nested(pointer, 0, &mut problems);
        problems
    }

    fn check_nested(&self, pointer: &str, depth: usize, problems: &mut Vec<Problem>) {
        if depth > MOST_NESTED {
            let message = format!("conditions nest at most {MOST_NESTED} deep");
            problems.push(Problem::at(pointer, message));
            return;
        }
        self.check_form(pointer, problems);
        match self.lodash_command {
            Some(command) => self.check_test(command, pointer, problems),
            None => self.check_stray(pointer, problems),
        }
        if let Some(operand) = &self.value {
            operand.check(&format!("{pointer}/value"), problems);
        }
        if let Some(operand) = &self.compare_to {
            operand.check(&format!("{pointer}/compareTo"), problems);
        }
        for (name, list) in [("all", &self.all), ("any", &self.any)] {
            let Some(list) = list else { continue };
            if list.is_empty() {
                let message = format!("`{name}` is an empty list of conditions");
                problems.push(Problem::at(format!("{pointer}/{name}"), message));
            }
            for (index, condition) in list.iter().enumerate() {
                condition.check_nested(&format!("{pointer}/{name}/{index}"), depth + 1, problems);
            }
        }
        if let Some(condition) = &self.not {
            condition.check_nested(&format!("{pointer}/not"), depth + 1, problems);
        }
    }

    fn check_form(&self, pointer: &str, problems: &mut Vec<Problem>) {
        let forms = [
            ("`lodashCommand`", self.lodash_command.is_some()),
            ("`all`", self.all.is_some()),
            ("`any`", self.any.is_some()),
            ("`not`", self.not.is_some()),
        ];
        let given: Vec<_> = forms.iter().filter(|form| form.1).map(|form| form.0).collect();
        match given.as_slice() {
            [_] => {}
            [] => problems.push(Problem::at(
                pointer,
                "a condition has a `lodashCommand`, or one of `all`, `any` and `not`",
            )),
            several => problems.push(
                Problem::at(
                    pointer,
                    format!("a condition is one thing, not {}", several.join(" and ")),
                )
                .help("put them into one list under `all` or `any`"),
            ),
        }
    }

    fn check_test(&self, command: LodashCommand, pointer: &str, problems: &mut Vec<Problem>) {
        if self.value.is_none() {
            problems.push(Problem::at(pointer, format!("`{command}` has no `value` to look at")));
        }
        match (&self.compare_to, command.is_unary()) {
            (None, false) => problems.push(
                Problem::at(pointer, format!("`{command}` has no `compareTo`"))
                    .help("compareTo: { type: raw, value: ... }"),
            ),
            (Some(_), true) => problems.push(Problem::at(
                format!("{pointer}/compareTo"),
                format!("`{command}` looks at `value` alone and takes no `compareTo`"),
            )),
            _ => {}
        }
    }

    /// Operands without a predicate.
    fn check_stray(&self, pointer: &str, problems: &mut Vec<Problem>) {
        for (name, operand) in [("value", &self.value), ("compareTo", &self.compare_to)] {
            if operand.is_some() {
                let message = format!("`{name}` belongs beside a `lodashCommand`");
                problems.push(Problem::at(format!("{pointer}/{name}"), message));
            }
        }
    }
}

/// Goes through conditions up to the first that answers `decisive`, which decides alone.
fn explain_until(
    decisive: bool,
    conditions: &[Condition],
    scope: &Scope<'_>,
) -> Result<(bool, String), Failure> {
    let mut clauses = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let (holds, clause) = condition.explain(scope)?;
        if holds == decisive {
            return Ok((decisive, clause));
        }
        clauses.push(clause);
    }
    Ok((!decisive, clauses.join("; ")))
}

#[cfg(test)]
mod tests;
