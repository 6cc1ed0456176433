//! Values that keep their types: where a template could only give text, an operand as
//! conditions have it, `{ type: get, value: order }`, stands for the value it finds.
//!
//! Promises: what is an operand is decided by what the author wrote, before any template is
//! rendered, so that data which looks like an operand is data. Nothing there is `null`.
//! `{ type: raw, value: ... }` stands for what is in it, also if that looks like an operand.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Node, escape};
use crate::{Failure, Problem, Scope, condition::Operand, template::Use};

/// Values that one config may look up: each may be as long as all the data.
const MOST_FOUND: usize = 100;

/// Reads values in which operands may stand.
pub(super) struct Typed<'a> {
    problems: &'a mut Vec<Problem>,
    found: usize,
}

impl<'a> Typed<'a> {
    pub fn new(problems: &'a mut Vec<Problem>) -> Self {
        Self { problems, found: 0 }
    }

    pub fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    pub fn parse(&mut self, value: &Value, pointer: &str) -> Node {
        match value {
            Value::Object(entries) => match operand(entries) {
                Some(("raw", inner)) => {
                    let pointer = format!("{pointer}/value");
                    let node = Node::parse(inner, &pointer, false, &[], self.problems);
                    Node::Found(Found::Itself(Box::new(node)))
                }
                Some((r#type, inner)) => self.found(r#type, inner, pointer),
                None => {
                    let entries = entries.iter().map(|(key, item)| {
                        let pointer = format!("{pointer}/{}", escape(key));
                        (key.clone(), self.parse(item, &pointer))
                    });
                    Node::folded(Node::Object(entries.collect()), value)
                }
            },
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items =
                    items.map(|(index, item)| self.parse(item, &format!("{pointer}/{index}")));
                Node::folded(Node::List(items.collect()), value)
            }
            plain => Node::parse(plain, pointer, false, &[], self.problems),
        }
    }

    fn found(&mut self, r#type: &str, value: &Value, pointer: &str) -> Node {
        self.found += 1;
        if self.found == MOST_FOUND + 1 {
            let message = format!("a step looks up at most {MOST_FOUND} values");
            self.problems.push(Problem::at(pointer, message));
        }
        let inner = format!("{pointer}/value");
        let node = Node::parse(value, &inner, false, &[], self.problems);
        let r#type = r#type.to_owned();
        if !matches!(node, Node::Fixed(_)) {
            return Node::Found(Found::Rendered(r#type, Box::new(node)));
        }
        match read(&r#type, value) {
            Ok(operand) => {
                operand.check(pointer, self.problems);
                Node::Found(Found::Ready(Box::new(operand)))
            }
            Err(reason) => {
                self.problems.push(Problem::at(inner, reason));
                Node::Fixed(Value::Null)
            }
        }
    }
}

/// The type and the value of an operand, if it is one. `raw` may stand for anything.
fn operand(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (r#type, value) = (entries.get("type")?.as_str()?, entries.get("value")?);
    let is_one = entries.len() == 2
        && match r#type {
            "raw" => true,
            "get" | "jsonpath" => value.is_string() || value.is_array(),
            _ => false,
        };
    is_one.then_some((r#type, value))
}

fn read(r#type: &str, value: &Value) -> Result<Operand, String> {
    serde_json::from_value(json!({ "type": r#type, "value": value }))
        .map_err(|error| error.to_string())
}

/// A value that is looked up when the step is visited.
pub(crate) enum Found {
    /// Where is known.
    Ready(Box<Operand>),
    /// It stands there itself.
    Itself(Box<Node>),
    /// Where is itself a template: the type, and that.
    Rendered(String, Box<Node>),
}

impl Found {
    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Ready(operand) => resolve(operand, scope),
            Self::Itself(node) => node.render(scope),
            Self::Rendered(r#type, node) => {
                let operand = read(r#type, &node.render(scope)?).map_err(Failure::because)?;
                resolve(&operand, scope)
            }
        }
    }

    pub(super) fn uses(&self, pointer: &str, found: &mut Vec<(String, Vec<String>, Use)>) {
        if let Self::Rendered(_, node) | Self::Itself(node) = self {
            node.uses(&format!("{pointer}/value"), found);
        }
    }
}

fn resolve(operand: &Operand, scope: &Scope<'_>) -> Result<Value, Failure> {
    Ok(operand.resolve(scope)?.map(Cow::into_owned).unwrap_or_default())
}

/// Whether a value, as it is written, is looked up rather than standing there itself.
pub(crate) fn is_looked_up(value: &Value) -> bool {
    let looked_up =
        |entries| operand(entries).is_some_and(|(r#type, _)| matches!(r#type, "get" | "jsonpath"));
    value.as_object().is_some_and(looked_up)
}

/// What a value holds literally: of `{ type: raw, value: ... }`, the value.
pub(crate) fn literal(value: &Value) -> &Value {
    match value.as_object().and_then(operand) {
        Some(("raw", inner)) => inner,
        _ => value,
    }
}
