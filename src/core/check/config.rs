//! A step's config against its runner: the schema first, then what only the runner knows.

use std::collections::HashMap;

use jsonschema::{Draft, Validator};
use rungs_runners::{Kind, Prepared, template::is_template};
use serde_json::{Value, json};

use super::{
    at::At,
    node::{Data, Node},
    report::Report,
    schema::Validated,
};
use crate::Diagnostic;

/// The schemas of the runners in use, each compiled once per check.
#[derive(Default)]
pub(super) struct Schemas {
    compiled: HashMap<&'static str, Schema>,
}

struct Schema {
    schema: Value,
    /// None for a schema that is none, which is the runner's fault and not the author's:
    /// reading the config still finds what is wrong with it.
    validator: Option<Validator>,
}

impl Schemas {
    fn of(&mut self, kind: &Kind) -> &Schema {
        self.compiled.entry(kind.name).or_insert_with(|| {
            let mut schema = (kind.schema)();
            bound(&mut schema);
            let options = jsonschema::options().with_draft(Draft::Draft202012).offline();
            let validator = options.build(&schema).ok();
            Schema { schema, validator }
        })
    }

    /// The keys that a runner's config knows.
    pub fn keys(&mut self, kind: &Kind) -> Vec<String> {
        let keys = self.of(kind).schema.get("properties").and_then(Value::as_object);
        keys.into_iter().flat_map(|keys| keys.keys().cloned()).collect()
    }

    /// Checks a config and makes it ready; `None` if there is an error in it.
    pub fn prepare(
        &mut self,
        kind: &Kind,
        at: &At<'_>,
        report: &mut Report<'_>,
    ) -> Option<Box<dyn Prepared>> {
        let before = report.len();
        for key in kind.literal {
            if let Some(field) = at.field(key) {
                refuse_templates(key, &field, report);
            }
        }
        let config = at.node.to_json();
        let Schema { schema, validator } = self.of(kind);
        if let Some(validator) = validator {
            Validated { schema, at, templates: true }
                .report(validator.iter_errors(&config), report);
        }
        let found_before = report.len() > before;
        match kind.prepare(&config) {
            Ok(prepared) => (!found_before && !at.node.is_broken()).then_some(prepared),
            Err(problems) => {
                for problem in problems {
                    let place = at.find(&problem.pointer).place();
                    // Reading stops at the first thing that does not fit; the schema has
                    // named them all, and better.
                    let known = found_before && problem.pointer.is_empty();
                    if known || at.node.is_broken() || report.mentions(before, &place.pointer) {
                        continue;
                    }
                    let place = if problem.pointer.is_empty() { at.key_place() } else { place };
                    report.add(
                        Diagnostic::error("config", place, problem.message).help(problem.help),
                    );
                }
                None
            }
        }
    }
}

/// `schemars` leaves the bounds of the wide integers to their format, which a validator
/// takes for a comment.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            let bounds = match keys.get("format").and_then(Value::as_str) {
                Some("uint32") => Some((json!(0), json!(u32::MAX))),
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                Some("uint64" | "uint") => Some((json!(0), json!(u64::MAX))),
                Some("int64" | "int") => Some((json!(i64::MIN), json!(i64::MAX))),
                _ => None,
            };
            if let Some((minimum, maximum)) = bounds {
                keys.entry("minimum").or_insert(minimum);
                keys.entry("maximum").or_insert(maximum);
            }
            keys.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}

/// Reports each template under a key that must stand there literally.
fn refuse_templates(key: &str, at: &At<'_>, report: &mut Report<'_>) {
    each_text(at.node, &mut |node, text| {
        if is_template(text) {
            let mut place = at.place();
            place.span = node.span.clone();
            let message = format!("`{key}` cannot be a template");
            report.add(
                Diagnostic::error("literal", place, message)
                    .help("the check follows it, so it must stand here as it is meant".to_owned()),
            );
        }
    });
}

fn each_text(node: &Node, then: &mut impl FnMut(&Node, &str)) {
    match &node.data {
        Data::Text(text) => then(node, text),
        Data::List(items) => items.iter().for_each(|item| each_text(item, then)),
        Data::Mapping(entries) => {
            for entry in entries {
                each_text(&entry.value, then);
            }
        }
        _ => {}
    }
}
