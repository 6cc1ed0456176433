//! Template variables whose type does not fit what is made of them: an object as text, a list
//! of which there is none, a number that will be none, a time zone that is no zone.

use std::collections::HashMap;

use chrono_tz::Tz;
use rungs_runners::{
    Kind,
    template::{ENTRY, Use},
};
use serde_json::Value;

use super::{
    super::{at::At, expect, node::quoted, report::Report, timezone},
    known::Known,
    place,
};
use crate::Diagnostic;

/// The schemas of the runners' configs, each made once.
#[derive(Default)]
pub(super) struct Configs(HashMap<&'static str, Value>);

/// A variable where a template uses it.
pub(super) struct Used<'a> {
    pub path: &'a [String],
    pub becomes: Use,
    pub at: At<'a>,
}

impl Used<'_> {
    /// Warns if `input` says that this cannot be what is meant.
    pub fn check(&self, data: Known<'_>, report: &mut Report<'_>) {
        let written = quoted(&self.path.join("."));
        if let Some((parent, words)) = inside_of_nothing(self.path, data) {
            let message =
                format!("{written} is always empty: `input` says that {parent} is {words}");
            return self.warn(message, None, report);
        }
        let Some(known) = data.follow(self.path) else { return };
        match self.becomes {
            Use::Text if known.is_one_of(&["object"]) => {
                let message = format!("{written} is a mapping, and would be written `[object]`");
                let help = match known.keys().first() {
                    Some(key) => format!("name one of its keys, such as `{key}`, or use `json`"),
                    None => "name one of its keys, or use the helper `json`".to_owned(),
                };
                self.warn(message, Some(help), report);
            }
            Use::Text
                if known.is_one_of(&["array"])
                    && known.item().is_some_and(|item| item.is_one_of(&["object"])) =>
            {
                let message =
                    format!("{written} is a list of mappings, and each would be `[object]`");
                let help = "go through it with `{{#each ...}}`, or use the helper `json`";
                self.warn(message, Some(help.to_owned()), report);
            }
            Use::Each if known.is_one_of(&["string", "number", "boolean", "null"]) => {
                let message = format!(
                    "`each` goes through a list, and `input` says that {written} is {}",
                    known.words()
                );
                self.warn(message, None, report);
            }
            _ => {}
        }
    }

    /// Warns if a config wants a number or a boolean, and the variable alone stands for it.
    pub fn check_wanted(
        &self,
        data: Known<'_>,
        (kind, pointer): (&Kind, &str),
        configs: &mut Configs,
        report: &mut Report<'_>,
    ) {
        let is_alone = self.becomes == Use::Text && self.at.node.text().is_some_and(is_alone);
        let Some(known) = data.follow(self.path).filter(|_| is_alone) else { return };
        let Some(wanted) = configs.wanted(kind, pointer) else { return };
        let misfit = match wanted {
            Wanted::Number => known.is_one_of(&["string", "boolean", "null"]) && !is_number(known),
            Wanted::Boolean => match known.values() {
                Some(values) => !values.iter().any(is_boolean),
                None => known.is_one_of(&["number", "null"]),
            },
        };
        if misfit {
            let wanted = match wanted {
                Wanted::Number => "a number",
                Wanted::Boolean => "true or false",
            };
            let path = quoted(&self.path.join("."));
            let message = format!(
                "{wanted} is wanted here, and `input` says that {path} is {}",
                known.words()
            );
            let help = match known.types().as_deref() {
                Some(["string"]) if known.values().is_none() => Some(
                    "say `type: integer` in `input`, or give the string a `pattern`".to_owned(),
                ),
                _ => None,
            };
            self.warn(message, help, report);
        }
    }

    /// Warns if this, alone, stands for a time zone and is none.
    pub fn check_zone(&self, data: Known<'_>, report: &mut Report<'_>) {
        let is_alone = self.becomes == Use::Text && self.at.node.text().is_some_and(is_alone);
        let Some(known) = data.follow(self.path).filter(|_| is_alone) else { return };
        let path = quoted(&self.path.join("."));
        if known.is_one_of(&["null", "boolean", "number", "array", "object"]) {
            let message = format!(
                "a time zone is a string, and `input` says that {path} is {}",
                known.words()
            );
            return self.warn(message, None, report);
        }
        let given = known.values().unwrap_or_default().iter().chain(known.default());
        let wrong = given.filter_map(Value::as_str).find(|name| name.trim().parse::<Tz>().is_err());
        if let Some(name) = wrong {
            let message = format!("`input` lets {path} be {}, which is no time zone", quoted(name));
            let help = timezone::nearest(name).map(|meant| format!("did you mean `{meant}`?"));
            self.warn(message, help, report);
        }
    }

    fn warn(&self, message: String, help: Option<String>, report: &mut Report<'_>) {
        let place = place(self.path, &self.at, report);
        report.add(Diagnostic::warning("variable-type", place, message).help(help));
    }
}

/// What a config wants where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Number,
    Boolean,
}

impl Configs {
    fn wanted(&mut self, kind: &Kind, pointer: &str) -> Option<Wanted> {
        let root: &Value = self.0.entry(kind.name).or_insert_with(|| (kind.schema)());
        let mut schema = expect::resolved(root, root);
        for key in pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            let item = || schema.get("items").filter(|_| key.parse::<usize>().is_ok());
            let listed = schema.get("properties").and_then(|keys| keys.get(&key));
            schema = expect::resolved(root, listed.or_else(item)?);
        }
        let types: Vec<&str> = match schema.get("type")? {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let is_one_of = |names: &[&str]| types.iter().all(|name| names.contains(name));
        if is_one_of(&["number", "integer", "null"]) {
            Some(Wanted::Number)
        } else {
            is_one_of(&["boolean", "null"]).then_some(Wanted::Boolean)
        }
    }
}

/// A path that leads into what has no parts, or a name that is looked for in a list: what that is.
pub(super) fn inside_of_nothing(path: &[String], data: Known<'_>) -> Option<(String, String)> {
    let mut known = data;
    for (index, name) in path.iter().enumerate() {
        let is_part = name == "length" || name == ENTRY || name.parse::<usize>().is_ok();
        let has_none = known.is_one_of(&["number", "boolean", "null"])
            || (!is_part && known.is_one_of(&["string", "array", "number", "boolean", "null"]));
        if index > 0 && has_none {
            return Some((quoted(&path.get(..index)?.join(".")), known.words()));
        }
        known = known.at(name)?;
    }
    None
}

/// Whether a text is one variable and nothing beside it.
fn is_alone(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
}

/// Whether it may be a text that is a number.
fn is_number(known: Known<'_>) -> bool {
    let reads =
        |value: &Value| value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok());
    known.has_form() || known.values().is_some_and(|values| values.iter().any(reads))
}

fn is_boolean(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::String(text) => matches!(text.trim(), "true" | "1" | "false" | "0" | ""),
        Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
        _ => false,
    }
}
