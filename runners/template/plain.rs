//! The short way for a template that only inserts values, such as `{{restaurant.name}}`:
//! they are looked up where they stand, instead of in a copy of everything.
//!
//! Promises: the same text as Handlebars'. What it cannot promise that of, it leaves to it.

use handlebars::{
    Path, PathSeg, Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};
use serde_json::Value;

use crate::Scope;

/// A part of such a template.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Value {
        /// Where it stands, from the top. At least two keys: one alone may name a helper.
        keys: Vec<String>,
        /// `{{a.b}}` rather than `{{{a.b}}}`.
        escaped: bool,
    },
}

/// The pieces of a template, if it is such a one.
pub(super) fn of(template: &Template) -> Option<Vec<Piece>> {
    template.elements.iter().map(of_element).collect()
}

fn of_element(element: &TemplateElement) -> Option<Piece> {
    match element {
        TemplateElement::RawString(text) => Some(Piece::Text(text.clone())),
        TemplateElement::Expression(value) => {
            Some(Piece::Value { keys: keys(value)?, escaped: true })
        }
        TemplateElement::HtmlExpression(value) => {
            Some(Piece::Value { keys: keys(value)?, escaped: false })
        }
        _ => None,
    }
}

fn keys(value: &HelperTemplate) -> Option<Vec<String>> {
    let Parameter::Path(Path::Relative((segments, _))) = &value.name else { return None };
    if !value.params.is_empty() || !value.hash.is_empty() || segments.len() < 2 {
        return None;
    }
    let key = |segment: &PathSeg| match segment {
        PathSeg::Named(name) => Some(name.clone()),
        _ => None,
    };
    segments.iter().map(key).collect()
}

/// The text; `None` if a value is one that Handlebars spells in a way of its own.
pub(super) fn render(
    pieces: &[Piece],
    scope: &Scope<'_>,
    escape: fn(&str) -> String,
    most: usize,
) -> Option<String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Value { keys, escaped } => {
                let value = spell(find(keys, scope)?)?;
                if *escaped { text.push_str(&escape(&value)) } else { text.push_str(&value) }
            }
        }
    }
    // The long way says why it is too long.
    (text.len() <= most).then_some(text)
}

/// `None` where a list lies on the way, whose items Handlebars also finds by number.
fn find<'a>(keys: &[String], scope: &'a Scope<'_>) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    let mut found = scope.root(first).unwrap_or(&Value::Null);
    for key in rest {
        found = match found {
            Value::Object(entries) => entries.get(key).unwrap_or(&Value::Null),
            Value::Array(_) => return None,
            _ => &Value::Null,
        };
    }
    Some(found)
}

fn spell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn both(
        text: &str,
        data: &Map<String, Value>,
        html: bool,
    ) -> (Option<String>, Result<String, super::super::TemplateError>) {
        let (steps, events) = (json!({ "ring": { "status": "busy" } }), json!({}));
        let scope = Scope::new(data, || json!({ "id": "a<b" }), &steps, &events);
        let mut template = super::super::Template::parse(text, html).unwrap();
        let escape = if html { handlebars::html_escape } else { handlebars::no_escape };
        let short = template.pieces.as_ref();
        let short = short.and_then(|pieces| render(pieces, &scope, escape, 1_000));
        template.pieces = None;
        (short, template.render(&scope))
    }

    #[test]
    fn it_is_taken_for_values_alone() {
        let data = json!({ "a": { "b": "x", "list": [1] }, "name": "n" });
        let data = data.as_object().unwrap();
        for text in ["{{a.b}}", "Hi {{a.b}}, {{{a.b}}}.", "{{steps.ring.status}}", "{{a.no.where}}"]
        {
            let (short, long) = both(text, data, false);
            assert_eq!(short, long.ok(), "{text}");
            assert!(short.is_some(), "{text}");
        }
        for text in
            ["{{name}}", "{{upper a.b}}", "{{a.list}}", "{{a.list.[0]}}", "{{#if a.b}}x{{/if}}"]
        {
            assert_eq!(both(text, data, false).0, None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_says_what_handlebars_says(
            value in prop_oneof![
                Just(json!(null)), any::<bool>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
                "[ -~]{0,8}".prop_map(Value::from), Just(json!({ "c": "&" })), Just(json!([1, 2])),
            ],
            before in "[a-z<&\n ]{0,5}",
            html in any::<bool>(),
        ) {
            let data = json!({ "a": { "b": value } });
            let data = data.as_object().unwrap();
            for text in ["{{a.b}}", "{{{a.b}}}", "{{a.b.c}}", "{{ process.id }}", "{{~a.b~}} "] {
                let (short, long) = both(&format!("{before}{text}{before}"), data, html);
                prop_assert!(short.is_none_or(|short| Ok(short) == long));
            }
        }
    }
}
