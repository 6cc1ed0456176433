//! What the parameters of a fragment stand for at one of its uses.
//!
//! A value is plain, or a template over the data of the process. A template is put where the
//! parameter stands, as if it had been written there.

use rungs_runners::template::is_template;
use serde_json::{Map, Number, Value};

use super::tags::{PARAM, Reference, Slot, only_path, only_tag};
use crate::{
    check::node::{Node, join},
    diagnostic::Place,
};

/// What a path may begin with that means the top, where an argument is written.
const TOP: [&str; 5] = ["@root.", "@root/", "this.", "this/", "./"];

/// What a parameter, or a part of it, stands for.
pub(super) enum Argument {
    /// A value without a template in it. Of nothing it is `null`.
    Plain(Value),
    /// A template.
    Template(String),
}

/// The values of one use.
pub(super) struct Arguments {
    /// By name, defaults included.
    pub values: Map<String, Value>,
    /// Those that are given there, as they are written.
    pub given: Node,
    /// The JSON pointer of that.
    pub pointer: String,
}

impl Arguments {
    /// Where the value is written that a path leads to, and its JSON pointer; nothing if it is
    /// a default.
    pub fn place(&self, path: &[String]) -> Option<Place> {
        let pointer = path.iter().fold(String::new(), |pointer, key| join(&pointer, key));
        let found = self.given.find(&pointer);
        let is_there = found.exact && !found.node.span.is_empty();
        is_there.then(|| Place::new(format!("{}{pointer}", self.pointer), found.node.span.clone()))
    }

    /// What a path into the parameters leads to.
    ///
    /// # Errors
    /// It leads into a template that is more than a variable.
    pub fn find(&self, path: &[String]) -> Result<Argument, String> {
        let (name, mut rest) = path.split_first().ok_or("a parameter needs a name")?;
        let mut value = self.values.get(name).unwrap_or(&Value::Null);
        while let Some((key, after)) = rest.split_first() {
            value = match value {
                Value::Object(entries) => entries.get(key),
                Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
                Value::String(text) if is_template(text) => return deeper(text, name, rest),
                _ => None,
            }
            .unwrap_or(&Value::Null);
            rest = after;
        }
        Ok(match value {
            Value::String(text) if is_template(text) => Argument::Template(text.clone()),
            value => Argument::Plain(value.clone()),
        })
    }

    /// What to write where a parameter stands in a template.
    ///
    /// # Errors
    /// Why nothing can stand there.
    pub fn put(&self, reference: &Reference) -> Result<String, String> {
        let name = format!("`{PARAM}.{}`", reference.path.join("."));
        match (reference.slot, self.find(&reference.path)?) {
            (Slot::Text { .. }, Argument::Plain(value)) => as_text(&value)
                .ok_or_else(|| format!("{name} is a list or a mapping, and stands in a text here")),
            (Slot::Argument, Argument::Plain(value)) => as_literal(&value)
                .ok_or_else(|| format!("{name} holds a template, and stands behind a helper here")),
            (Slot::Text { raw }, Argument::Template(text)) => match variable(&text) {
                Some(Variable { path, .. }) if reference.nested && raw => {
                    Ok(format!("{{{{{{@root.{path}}}}}}}"))
                }
                Some(Variable { path, .. }) if reference.nested => {
                    Ok(format!("{{{{@root.{path}}}}}"))
                }
                Some(Variable { path, .. }) if raw => Ok(format!("{{{{{{{path}}}}}}}")),
                None if reference.nested => Err(format!(
                    "{name} stands inside `each` or `with`, and is more than a plain value or one variable"
                )),
                _ => Ok(text),
            },
            (Slot::Argument, Argument::Template(text)) => {
                match (variable(&text), only_tag(&text)) {
                    (Some(Variable { path, .. }), _) if reference.nested => {
                        Ok(format!("@root.{path}"))
                    }
                    (Some(Variable { path, .. }), _) => Ok(path.to_owned()),
                    (None, Some(call)) if !reference.nested => Ok(format!("({call})")),
                    _ => Err(format!(
                        "{name} stands behind a helper here, and is more than a plain value or one variable"
                    )),
                }
            }
        }
    }
}

/// A template that is one variable and nothing else.
pub(super) struct Variable<'t> {
    /// Its path as Handlebars writes it, from the top.
    pub path: &'t str,
    pub keys: Vec<String>,
}

/// The variable that a template is.
pub(super) fn variable(text: &str) -> Option<Variable<'_>> {
    let mut path = only_tag(text)?;
    while let Some(rest) = TOP.iter().find_map(|top| path.strip_prefix(top)) {
        path = rest;
    }
    let keys = only_path(path)?;
    // These belong to where they stand, or are no paths.
    let is_plain = !path.starts_with(['@', '.', '/']) && path != "this";
    is_plain.then_some(Variable { path, keys })
}

/// The way on, from what a variable of the process holds.
fn deeper(text: &str, name: &str, rest: &[String]) -> Result<Argument, String> {
    let Variable { path, .. } = variable(text).ok_or_else(|| {
        format!("`{PARAM}.{name}` is a text with a template in it, and has no `{}`", rest.join("."))
    })?;
    let keys: Vec<String> = rest
        .iter()
        .map(|key| {
            let is_symbol = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            if key.chars().all(is_symbol) { key.clone() } else { format!("[{key}]") }
        })
        .collect();
    Ok(Argument::Template(format!("{{{{{path}.{}}}}}", keys.join("."))))
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// As Handlebars writes a value; `None` if there is a template in it.
fn as_literal(value: &Value) -> Option<String> {
    let written = value.to_string();
    let is_exponential = |number: &Number| number.to_string().contains('e');
    match value {
        // Handlebars wants a capital letter, and no plus.
        Value::Number(number) if is_exponential(number) => {
            Some(written.replace('+', "").to_uppercase())
        }
        _ => (!is_template(&written)).then_some(written),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::fragment::tags::rewrite;

    fn put(text: &str) -> String {
        let Value::Object(values) = json!({
            "name": "Ana \"A\"", "count": 3, "list": [1, 2], "deep": { "a": [true] },
            "phone": "{{restaurant.phone}}", "loud": "{{upper restaurant.name}}",
            "mixed": "Dear {{name}}", "place": "{{restaurant}}", "held": ["{{x}}"],
            "none": null, "slash": "a\\", "top": "{{this.order.id}}", "root": "{{@root.order}}",
        }) else {
            panic!("an object")
        };
        let given = Node::of_json(&Value::Null, &(0..0));
        let arguments = Arguments { values, given, pointer: String::new() };
        rewrite(text, "k--", &mut |found| arguments.put(found))
            .unwrap_or_else(|wrong| format!("! {wrong}"))
    }

    #[test]
    fn a_parameter_gives_way_to_its_value() {
        for (text, result) in [
            ("{{param.name}}: {{param.count}}{{param.none}}{{param.deep.a.0}}", "Ana \"A\": 3true"),
            (
                "{{param.phone}} {{{param.phone}}} {{param.mixed}}",
                "{{restaurant.phone}} {{{restaurant.phone}}} Dear {{name}}",
            ),
            (
                "{{param.place.phone}} {{param.place.[a b]}}",
                "{{restaurant.phone}} {{restaurant.[a b]}}",
            ),
            (
                "{{lower param.name}} {{upper param.loud}}",
                "{{lower \"Ana \\\"A\\\"\"}} {{upper (upper restaurant.name)}}",
            ),
            (
                "{{#each param.list}}{{param.phone}}{{this}}{{/each}}",
                "{{#each [1,2]}}{{@root.restaurant.phone}}{{this}}{{/each}}",
            ),
            (
                "{{#if param.none}}{{/if}}{{#if param.nothing}}{{/if}}",
                "{{#if null}}{{/if}}{{#if null}}{{/if}}",
            ),
            ("{{#if param.phone}}{{/if}}", "{{#if restaurant.phone}}{{/if}}"),
            (
                "{{upper param.top}}{{#each a}}{{param.top}}{{param.root.id}}{{/each}}",
                "{{upper order.id}}{{#each a}}{{@root.order.id}}{{@root.order.id}}{{/each}}",
            ),
        ] {
            assert_eq!(put(text), result, "{text}");
        }
    }

    #[test]
    fn where_it_cannot_stand_it_is_told() {
        for (text, part) in [
            ("{{param.list}}", "list or a mapping"),
            ("{{upper param.mixed}}", "behind a helper"),
            ("{{json param.held}}", "holds a template"),
            ("{{#each a}}{{param.mixed}}{{/each}}", "inside `each`"),
            ("{{param.mixed.x}}", "has no `x`"),
            ("{{param.slash}}{{a}}", "right before"),
        ] {
            let said = put(text);
            assert!(said.starts_with("! ") && said.contains(part), "{text}: {said}");
        }
    }

    #[test]
    fn what_is_put_parses() {
        for text in
            ["{{json param.deep}}", "{{plural param.count \"a\" \"b\"}}", "{{json param.name}}"]
        {
            let put = put(text);
            assert!(rungs_runners::Template::parse(&put, false).is_ok(), "{put}");
        }
        assert_eq!(as_literal(&json!(1e300)).unwrap(), "1E300");
    }
}
