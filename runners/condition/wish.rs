//! What would make a condition so: values for the paths that it reads.
//!
//! Promises: where it says that a condition was brought about, the condition holds in the world
//! that is left. Does not: find everything. What it does not know how to bring about it says to be
//! unknown; `Never` is said where nothing that can change has a say, or where nothing that was
//! tried fits together.
//! Called by: the search for climbs that nobody wants (rungs-core's `fuzz`).

use serde_json::{Map, Value, json};

use super::{Condition, Form, Operand};
use crate::{Scope, lodash::LodashCommand, template::is_template};

/// How often it is tried to make all parts of a condition fit together.
const TRIES: usize = 12;
/// Of how many values one is chosen.
const LIKELY: usize = 4;
/// How long a list is made for the sake of one of its items.
const LONGEST: usize = 20;

/// What a condition looks at, and what of it may be changed: the data, the events that came, and
/// the one that comes. The results of steps, and what is known of the process, stay.
#[derive(Debug, Clone)]
pub struct World {
    /// The process's data.
    pub data: Map<String, Value>,
    /// The events that came: `at`, `data` and `count` by type.
    pub events: Value,
    /// The event that comes, where one is looked at: `type`, `data` and `at`.
    pub event: Option<Value>,
    /// The results of the steps.
    pub steps: Value,
    /// What is known of the process.
    pub process: Value,
}

/// Why a condition cannot be brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hopeless {
    /// Nothing that may change makes it so.
    Never,
    /// Nobody here knows how.
    Unknown,
}

/// Who chooses one of so many.
pub type Choose<'c> = dyn FnMut(usize) -> usize + 'c;

impl Condition {
    /// Changes the world so that the condition holds, or does not.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub fn bring_about(
        &self,
        wanted: bool,
        world: &mut World,
        choose: &mut Choose<'_>,
    ) -> Result<(), Hopeless> {
        let mut hopeless = Hopeless::Never;
        // Of other predicates several may be true of one value that nobody here has thought of.
        let is_plain = self.only_compares();
        for number in 1..=TRIES {
            let mut tried = world.clone();
            // The last time the likeliest of all.
            let mut likeliest = |_| 0;
            let choose = if number < TRIES { &mut *choose } else { &mut likeliest };
            match self.attempt(wanted, &mut tried, choose) {
                Ok(()) if tried.holds(self) == Some(wanted) => {
                    *world = tried;
                    return Ok(());
                }
                Ok(()) if is_plain => {}
                Err(Hopeless::Never) => {}
                Ok(()) | Err(Hopeless::Unknown) => hopeless = Hopeless::Unknown,
            }
        }
        Err(hopeless)
    }

    /// Whether all its predicates ask for one value that stands there.
    fn only_compares(&self) -> bool {
        use LodashCommand::{Eq, IsEqual};
        match self.form() {
            Ok(Form::Test(Eq | IsEqual, left, right)) => {
                left.label().is_empty() != right.is_some_and(|right| right.label().is_empty())
            }
            Ok(Form::All(conditions) | Form::Any(conditions)) => {
                conditions.iter().all(Self::only_compares)
            }
            Ok(Form::Not(condition)) => condition.only_compares(),
            _ => false,
        }
    }

    fn attempt(
        &self,
        wanted: bool,
        world: &mut World,
        choose: &mut Choose<'_>,
    ) -> Result<(), Hopeless> {
        match self.form().map_err(|_| Hopeless::Unknown)? {
            Form::Not(condition) => condition.attempt(!wanted, world, choose),
            Form::All(conditions) if wanted => {
                conditions.iter().try_for_each(|one| one.attempt(true, world, choose))
            }
            Form::Any(conditions) if !wanted => {
                conditions.iter().try_for_each(|one| one.attempt(false, world, choose))
            }
            Form::All(conditions) | Form::Any(conditions) => {
                let one = conditions.get(choose(conditions.len())).ok_or(Hopeless::Never)?;
                one.attempt(wanted, world, choose)
            }
            Form::Test(command, left, right) => {
                Test { command, left, right, wanted }.attempt(world, choose)
            }
        }
    }
}

impl World {
    fn with_scope<T>(&self, look: impl FnOnce(&Scope<'_>) -> T) -> T {
        let scope = Scope::new(&self.data, || self.process.clone(), &self.steps, &self.events);
        match &self.event {
            Some(event) => look(&scope.with_event(event)),
            None => look(&scope),
        }
    }

    fn holds(&self, condition: &Condition) -> Option<bool> {
        self.with_scope(|scope| condition.holds(scope).ok())
    }

    fn value(&self, operand: &Operand) -> Result<Option<Value>, Hopeless> {
        self.with_scope(|scope| {
            let found = operand.resolve(scope).map_err(|_| Hopeless::Unknown)?;
            Ok(found.map(std::borrow::Cow::into_owned))
        })
    }

    /// Whether something may be put there.
    fn is_open(&self, keys: &[String]) -> Result<bool, Hopeless> {
        let key = |at: usize| keys.get(at).map(String::as_str);
        match key(0) {
            Some("steps" | "process") | None => Ok(false),
            Some("event") if self.event.is_some() => match key(1) {
                Some("data") => Ok(true),
                // When it comes, nobody knows here; nor what all of it shall be.
                Some("at") | None => Err(Hopeless::Unknown),
                Some(_) => Ok(false),
            },
            Some("events") => match key(2) {
                Some("data" | "count") | None => Ok(true),
                Some("at") => Err(Hopeless::Unknown),
                Some(_) => Ok(false),
            },
            Some(_) => Ok(true),
        }
    }

    /// Puts a value there; nothing takes away what is there.
    fn put(&mut self, keys: &[String], value: Option<&Value>) -> Result<(), Hopeless> {
        let (first, rest) = keys.split_first().ok_or(Hopeless::Unknown)?;
        match (first.as_str(), &mut self.event) {
            ("event", Some(event)) => put(event, rest, value),
            ("events", _) => put_event(&mut self.events, rest, value),
            (first, _) if rest.is_empty() && value.is_none() => {
                self.data.shift_remove(first);
                Ok(())
            }
            (first, _) => put(self.data.entry(first).or_insert(Value::Null), rest, value),
        }
    }
}

/// An event that came has a moment and a number; who speaks of one speaks of one that came.
fn put_event(events: &mut Value, keys: &[String], value: Option<&Value>) -> Result<(), Hopeless> {
    let Value::Object(all) = events else { return Err(Hopeless::Unknown) };
    let came = || json!({ "at": "2026-01-01T00:00:00.000Z", "data": null, "count": 1 });
    match (keys.split_first(), value) {
        (Some((name, rest)), Some(value)) => {
            let event = all.entry(name).or_insert_with(came);
            if rest.is_empty() { Ok(()) } else { put(event, rest, Some(value)) }
        }
        (None, Some(Value::Object(names))) => {
            for name in names.keys() {
                all.entry(name).or_insert_with(came);
            }
            Ok(())
        }
        // What has come cannot be made not to have.
        _ => Err(Hopeless::Never),
    }
}

/// Puts a value below another, as lodash's `_.set` does.
fn put(at: &mut Value, keys: &[String], value: Option<&Value>) -> Result<(), Hopeless> {
    let Some((key, rest)) = keys.split_first() else {
        *at = value.cloned().unwrap_or(Value::Null);
        return Ok(());
    };
    let index = key.parse::<usize>().ok().filter(|index| *index < LONGEST);
    if !at.is_object() && !at.is_array() {
        *at = if index.is_some() { json!([]) } else { json!({}) };
    }
    match (at, index) {
        (Value::Array(items), Some(index)) => {
            while items.len() <= index {
                items.push(Value::Null);
            }
            items.get_mut(index).map_or(Err(Hopeless::Unknown), |item| put(item, rest, value))
        }
        (Value::Object(entries), _) if rest.is_empty() && value.is_none() => {
            entries.shift_remove(key);
            Ok(())
        }
        (Value::Object(entries), _) => put(entries.entry(key).or_insert(Value::Null), rest, value),
        _ => Err(Hopeless::Unknown),
    }
}

/// A predicate, and what shall come of it.
struct Test<'a> {
    command: LodashCommand,
    left: &'a Operand,
    right: Option<&'a Operand>,
    wanted: bool,
}

impl Test<'_> {
    fn attempt(&self, world: &mut World, choose: &mut Choose<'_>) -> Result<(), Hopeless> {
        let right = self.right.map_or(Ok(None), |right| world.value(right))?;
        let left = world.value(self.left)?;
        let open = |operand: &Operand| match operand.keys() {
            Some(keys) => Ok(world.is_open(&keys)?.then_some(keys)),
            None if operand.label().is_empty() => Ok(None),
            None => Err(Hopeless::Unknown),
        };
        let (left_at, right_at) = (open(self.left)?, self.right.map_or(Ok(None), open)?);
        let told = |value: &Option<Value>| value.as_ref().is_some_and(speaks_in_templates);
        if (left_at.is_none() && told(&left)) || (right_at.is_none() && told(&right)) {
            return Err(Hopeless::Unknown);
        }
        if self.command.test(left.as_ref(), right.as_ref()) == self.wanted {
            return Ok(());
        }
        match (left_at, right_at) {
            (None, None) => Err(Hopeless::Never),
            (Some(at), None) => {
                let fits = |one: Option<&Value>| self.command.test(one, right.as_ref());
                world.put(&at, self.chosen(left.as_ref(), right.as_ref(), fits, choose)?.as_ref())
            }
            (None, Some(at)) => {
                let fits = |one: Option<&Value>| self.command.test(left.as_ref(), one);
                world.put(&at, self.chosen(right.as_ref(), left.as_ref(), fits, choose)?.as_ref())
            }
            // What stands on the right is taken as it is, if there is something.
            (Some(left_at), Some(right_at)) => {
                let right = right.unwrap_or_else(|| json!(5));
                world.put(&right_at, Some(&right))?;
                let fits = |one: Option<&Value>| self.command.test(one, Some(&right));
                let value = self.chosen(left.as_ref(), Some(&right), fits, choose)?;
                world.put(&left_at, value.as_ref())
            }
        }
    }

    /// A value for one side that fits to the other.
    fn chosen(
        &self,
        before: Option<&Value>,
        other: Option<&Value>,
        fits: impl Fn(Option<&Value>) -> bool,
        choose: &mut Choose<'_>,
    ) -> Result<Option<Value>, Hopeless> {
        let mut all = before.zip(other).map_or_else(Vec::new, |(it, other)| grown(it, other));
        all.extend(candidates(other));
        all.retain(|one| fits(one.as_ref()) == self.wanted);
        // The first of them are the likeliest.
        all.truncate(LIKELY);
        all.get(choose(all.len())).cloned().ok_or(Hopeless::Unknown)
    }
}

/// Whether a template stands in it, whose text nobody knows before there is a process.
fn speaks_in_templates(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text),
        Value::Array(items) => items.iter().any(speaks_in_templates),
        Value::Object(entries) => entries.values().any(speaks_in_templates),
        _ => false,
    }
}

/// What has something of both, so that what it was true of it may be true of still.
fn grown(before: &Value, other: &Value) -> Vec<Option<Value>> {
    match (before, other) {
        (Value::String(text), Value::String(other)) => {
            [format!("{text}{other}"), format!("{other}{text}")].map(|it| Some(json!(it))).into()
        }
        (Value::Array(items), other) if items.len() < LONGEST => {
            vec![Some(json!([&items[..], std::slice::from_ref(other)].concat()))]
        }
        (Value::Object(entries), Value::Object(others)) => {
            let mut both = entries.clone();
            crate::data::merge(&mut both, others);
            vec![Some(Value::Object(both))]
        }
        _ => Vec::new(),
    }
}

/// Values that may fit to another, whatever the predicate: it, what lies near it, and one of each
/// sort. `None` is a value that is missing.
fn candidates(other: Option<&Value>) -> Vec<Option<Value>> {
    let mut all = Vec::new();
    if let Some(other) = other {
        all.push(other.clone());
        match other {
            Value::Number(number) => {
                if let Some(whole) = number.as_i64() {
                    all.extend([-1, 1].map(|beside| json!(whole.saturating_add(beside))));
                } else if let Some(number) = number.as_f64() {
                    all.extend([number + 1.0, number - 1.0].map(|beside| json!(beside)));
                }
            }
            Value::Array(items) => {
                all.extend(items.iter().take(LONGEST).cloned());
                let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
                if let [from, to, ..] = numbers[..] {
                    all.extend([json!(f64::midpoint(from, to)), json!(from - 1.0)]);
                }
            }
            Value::String(text) => {
                all.extend([json!(format!("{text}x")), json!(format!("x{text}"))]);
                let mut nested = json!({});
                let keys: Vec<String> =
                    crate::path::Path::parse(text).keys().map(str::to_owned).collect();
                if put(&mut nested, &keys, Some(&json!(true))).is_ok() {
                    all.push(nested);
                }
                all.extend(text.chars().next().map(|first| json!(first.to_string())));
            }
            Value::Object(entries) => all.extend(entries.values().take(LONGEST).cloned()),
            Value::Bool(_) | Value::Null => {}
        }
        all.push(json!([other]));
        all.push(json!({ "x": other }));
    }
    let sorts = [
        json!("x"),
        json!(""),
        json!(1),
        json!(0),
        json!(-1),
        json!(0.5),
        json!(1e9),
        json!(true),
        json!(false),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "x": 1 }),
    ];
    all.extend(sorts);
    all.into_iter().map(Some).chain([None, Some(Value::Null)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let data = json!({
            "order": { "status": "new", "items": [{ "status": "a" }, { "status": "b" }] },
            "limit": 7, "count": 3, "tags": ["a"],
        });
        World {
            data: data.as_object().unwrap().clone(),
            events: json!({}),
            event: None,
            steps: json!({ "ring": { "status": "busy" } }),
            process: json!({ "id": "p" }),
        }
    }

    fn test(command: &str, left: &Value, right: &Value) -> Value {
        json!({ "lodashCommand": command, "value": left, "compareTo": right })
    }

    fn get(path: &str) -> Value {
        json!({ "type": "get", "value": path })
    }

    fn raw(value: &Value) -> Value {
        json!({ "type": "raw", "value": value })
    }

    fn try_all(condition: &Value, world: &World) -> Vec<Result<World, Hopeless>> {
        let condition: Condition = serde_json::from_value(condition.clone()).unwrap();
        let each = (0..20).map(|seed: usize| {
            let (mut left, mut world) = (seed, world.clone());
            let mut choose = |most: usize| {
                left = left.wrapping_mul(31).wrapping_add(7);
                left % most.max(1)
            };
            condition.bring_about(true, &mut world, &mut choose)?;
            assert_eq!(world.holds(&condition), Some(true), "{condition:?}");
            Ok(world)
        });
        each.collect()
    }

    #[test]
    fn what_may_come_is_brought_about() {
        for condition in [
            test("includes", &raw(&json!(["delivered", "cancelled"])), &get("order.status")),
            test("eq", &raw(&json!("delivered")), &get("order.status")),
            test("lt", &get("freezer.temperature"), &raw(&json!(-17.5))),
            test("gt", &get("count"), &get("limit")),
            test("lt", &get("limit"), &get("count")),
            test("eq", &get("order.items[0].status"), &raw(&json!("done"))),
            test(
                "eq",
                &json!({ "type": "jsonpath", "value": "$['order']['status']" }),
                &raw(&json!("done")),
            ),
            test(
                "eq",
                &json!({ "type": "jsonpath", "value": "$.order.lines[*].status" }),
                &raw(&json!("done")),
            ),
            json!({ "lodashCommand": "isNil", "value": get("order.status") }),
            json!({ "lodashCommand": "isPlainObject", "value": get("receipt") }),
            test("has", &get("order"), &raw(&json!("receipt.id"))),
            json!({ "all": [
                test("startsWith", &get("code"), &raw(&json!("AB"))),
                test("endsWith", &get("code"), &raw(&json!("YZ"))),
                test("includes", &get("marks"), &raw(&json!("paid"))),
                test("includes", &get("marks"), &raw(&json!("packed"))),
            ]}),
            test("inRange", &get("hour"), &raw(&json!([9, 17]))),
            test("gte", &get("events.ack.count"), &raw(&json!(4))),
            test("eq", &get("events.ack.data.level"), &raw(&json!(2))),
            test("has", &get("events"), &raw(&json!("ack"))),
            json!({ "not": { "lodashCommand": "isNil", "value": get("events['ticket.ack']") } }),
            json!({ "all": [
                test("eq", &get("a"), &raw(&json!(1))),
                test("gt", &get("b"), &raw(&json!(2))),
                { "not": test("includes", &get("tags"), &raw(&json!("a"))) },
                { "any": [test("eq", &get("c"), &raw(&json!("x"))), test("eq", &get("d"), &raw(&json!("y")))] },
            ]}),
        ] {
            let tried = try_all(&condition, &world());
            assert!(tried.iter().all(Result::is_ok), "{condition}: {tried:?}");
        }
    }

    #[test]
    fn what_a_coming_event_says_is_brought_about() {
        let mut world = world();
        world.event =
            Some(json!({ "type": "ack", "data": null, "at": "2026-01-01T00:00:00.000Z" }));
        let level = test("gte", &get("event.data.level"), &get("limit"));
        let tried = try_all(&level, &world).remove(0).unwrap();
        assert!(tried.event.unwrap()["data"]["level"].as_f64().unwrap() >= 7.0);
        let kind = test("eq", &get("event.level"), &raw(&json!(2)));
        assert_eq!(try_all(&kind, &world)[0].as_ref().unwrap_err(), &Hopeless::Never);
    }

    #[test]
    fn what_cannot_come_is_told_from_what_nobody_knows() {
        let busy = test("eq", &get("steps.ring.status"), &raw(&json!("answered")));
        let both = json!({ "all": [
            test("eq", &get("a"), &raw(&json!(1))), test("eq", &get("a"), &raw(&json!(2))),
        ]});
        let templated = test("eq", &get("a"), &raw(&json!("{{b}}x")));
        let elsewhere = json!({ "type": "jsonpath", "value": "$..status" });
        for (condition, why) in [
            (busy, Hopeless::Never),
            (both, Hopeless::Never),
            (templated, Hopeless::Unknown),
            (test("eq", &elsewhere, &raw(&json!("done"))), Hopeless::Unknown),
        ] {
            for tried in try_all(&condition, &world()) {
                assert_eq!(tried.unwrap_err(), why, "{condition}");
            }
        }
    }
}
