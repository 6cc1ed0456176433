//! Templates that look for a name in a list: `{{order.id}}` where `order` is `[]`.
//!
//! Handlebars gives up there. To a sequence it is a value that is missing, as a name is that an
//! object does not have; data come from programs that write an empty object so. The length of a
//! list is what conditions take it for.
//!
//! Promises: the same text as Handlebars', wherever that has one.
//! Called by: [`Template::render`](super::Template::render), once Handlebars has given up.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, Path, RenderContext, RenderError, RenderErrorReason,
    ScopedJson, Template,
    template::{HelperTemplate, Parameter, Subexpression, TemplateElement},
};
use serde_json::{Value, json};

use super::{rounds, usage};

/// No variable or helper has such a name: the check of a template refuses it.
const NAME: &str = "rungs-look";

/// Whether that is why a template did not render.
pub(super) fn is_why(reason: &RenderErrorReason) -> bool {
    matches!(reason, RenderErrorReason::InvalidJsonIndex(_))
}

pub(super) fn register(engine: &mut Handlebars<'static>) {
    engine.register_helper(NAME, Box::new(Look));
}

/// The same template, whose variables are looked up here.
pub(super) fn careful(template: &Template) -> Template {
    let mut template = template.clone();
    rewrite(&mut template);
    template
}

fn rewrite(template: &mut Template) {
    template.elements.iter_mut().for_each(rewrite_element);
}

fn rewrite_element(element: &mut TemplateElement) {
    match element {
        TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
            let is_alone = helper.params.is_empty() && helper.hash.is_empty();
            if let Some(path) = path(&helper.name)
                && is_alone
                && !is_helper(path)
            {
                let path = Parameter::Literal(Value::from(path));
                helper.name = Parameter::Name(NAME.to_owned());
                helper.params.push(path);
            } else {
                rewrite_parameters(helper);
            }
        }
        TemplateElement::HelperBlock(block) => {
            rewrite_parameters(block);
            for body in [&mut block.template, &mut block.inverse].into_iter().flatten() {
                rewrite(body);
            }
        }
        _ => {}
    }
}

fn rewrite_parameters(helper: &mut HelperTemplate) {
    for parameter in helper.params.iter_mut().chain(helper.hash.values_mut()) {
        if let Parameter::Subexpression(inner) = parameter {
            rewrite_element(&mut inner.element);
        } else if let Some(path) = path(parameter) {
            let path = vec![Parameter::Literal(Value::from(path))];
            let name = Parameter::Name(NAME.to_owned());
            *parameter = Parameter::Subexpression(Subexpression::new(name, path, [].into()));
        }
    }
}

/// Whether a name alone is a helper's: then it is no variable's.
fn is_helper(name: &str) -> bool {
    name == rounds::NAME || usage::names().any(|helper| helper.name == name)
}

fn path(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((_, _, raw))) => Some(raw),
        _ => None,
    }
}

struct Look;

impl HelperDef for Look {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let path = helper.param(0).and_then(|path| path.value().as_str()).unwrap_or_default();
        match render.evaluate(context, path) {
            Err(error) if is_why(error.reason()) => {
                let list = match path.strip_suffix(".length") {
                    Some(list) => list,
                    None if path == "length" => "this",
                    None => return Ok(ScopedJson::Missing),
                };
                let found = render.evaluate(context, list).ok();
                let length = found.and_then(|found| found.as_json().as_array().map(Vec::len));
                Ok(length.map_or(ScopedJson::Missing, |length| ScopedJson::Derived(json!(length))))
            }
            found => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Scope, Template};

    fn render(text: &str, data: &Value) -> String {
        let (steps, events) = (json!({}), json!({}));
        let scope = Scope::new(data.as_object().unwrap(), || json!({}), &steps, &events);
        Template::parse(text, true).unwrap().render(&scope).unwrap()
    }

    #[test]
    fn a_list_in_the_place_of_an_object_has_nothing_of_what_is_asked_for() {
        let data =
            json!({ "customer": [], "tags": ["<a>", "b"], "rows": [[1], ["x", "y"]], "n": 7 });
        for (text, expected) in [
            ("Hi {{customer.name}}!", "Hi !"),
            ("{{default customer.name 'guest'}}", "guest"),
            ("{{customer.name}} {{n}} {{tags.0}} {{{tags.0}}}", " 7 &lt;a&gt; <a>"),
            ("{{#if tags.k}}yes{{else}}no{{/if}}", "no"),
            ("{{#with tags}}{{k}}-{{this.[1]}}{{/with}}", "-b"),
            ("{{#each tags}}{{@index}}{{this}}{{../tags.k}} {{/each}}", "0&lt;a&gt; 1b "),
            ("{{#each rows}}{{k}}{{length}}{{#each this}}{{this}}{{/each}} {{/each}}", "11 2xy "),
            ("{{#each rows as |row|}}{{row.k}}{{row.length}}{{/each}}", "12"),
            (
                "{{plural tags.length 'tag' 'tags'}} of {{@root.customer.name}}{{tags.k}}",
                "tags of ",
            ),
        ] {
            assert_eq!(render(text, &data), expected, "{text}");
        }
    }

    #[test]
    fn a_list_has_a_length() {
        let data = json!({ "items": [1, 2, 3], "order": { "items": [] }, "rows": [["a"]] });
        for (text, expected) in [
            ("You have {{items.length}} new orders", "You have 3 new orders"),
            ("{{#if order.items.length}}some{{else}}none{{/if}}", "none"),
            ("{{#if items.length}}some{{/if}}", "some"),
            ("{{rows.0.length}}{{rows.5.length}}{{items.0.length}}", "1"),
        ] {
            assert_eq!(render(text, &data), expected, "{text}");
        }
    }
}
