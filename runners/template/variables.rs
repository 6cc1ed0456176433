//! What a template reads, found without rendering it.

use handlebars::{
    Path, PathSeg, Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};

/// The paths it reads from the top of the scope, in order of appearance.
pub(super) fn of(template: &Template) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    of_template(template, true, &mut found);
    found
}

/// `at_top`: names mean what they mean at the top of the scope. Inside `each` and `with`
/// they belong to something else, and only `@root` is known.
fn of_template(template: &Template, at_top: bool, found: &mut Vec<Vec<String>>) {
    for element in &template.elements {
        of_element(element, at_top, found);
    }
}

fn of_element(element: &TemplateElement, at_top: bool, found: &mut Vec<Vec<String>>) {
    match element {
        TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
            of_parameter(&helper.name, at_top, found);
            of_parameters(helper, at_top, found);
        }
        TemplateElement::HelperBlock(helper) => {
            of_parameters(helper, at_top, found);
            let moves = matches!(helper.name.as_name(), Some("each" | "with"));
            if let Some(body) = &helper.template {
                of_template(body, at_top && !moves, found);
            }
            if let Some(body) = &helper.inverse {
                of_template(body, at_top, found);
            }
        }
        _ => {}
    }
}

fn of_parameters(helper: &HelperTemplate, at_top: bool, found: &mut Vec<Vec<String>>) {
    for parameter in &helper.params {
        of_parameter(parameter, at_top, found);
    }
    let mut named: Vec<_> = helper.hash.iter().collect();
    named.sort_by_key(|(name, _)| *name);
    for (_, parameter) in named {
        of_parameter(parameter, at_top, found);
    }
}

fn of_parameter(parameter: &Parameter, at_top: bool, found: &mut Vec<Vec<String>>) {
    match parameter {
        Parameter::Path(Path::Relative((segments, text))) => {
            found.extend(at_root(segments, text, at_top));
        }
        Parameter::Subexpression(expression) => {
            of_element(expression.as_element(), at_top, found);
        }
        // Literals, names of helpers, and what the engine counts (`@index`).
        _ => {}
    }
}

/// The keys of a path from the top of the scope, if it is one.
fn at_root(segments: &[PathSeg], text: &str, at_top: bool) -> Option<Vec<String>> {
    let from_root = text.contains("@root");
    let keys = match segments {
        [PathSeg::Ruled(_), keys @ ..] if from_root => keys,
        keys if at_top => keys,
        _ => return None,
    };
    let keys = keys.iter().map(|key| match key {
        PathSeg::Named(name) => Some(name.clone()),
        // `..`, which leads out of a block.
        _ => None,
    });
    keys.collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let paths = of(&Template::compile(text).unwrap());
        paths.iter().map(|path| path.join(".")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn variables_are_read_by_name_by_helpers_and_in_subexpressions() {
        assert_eq!(
            read("{{a}} {{b.c}} {{{d}}} {{&e}} {{this.f}} {{./g}} {{~h~}}"),
            "a b.c d e f g h"
        );
        assert_eq!(read("{{a.[b c].0.d}} {{a/b}}"), "a.b c.0.d a.b");
        assert_eq!(read("{{plural a.b \"one\" (lower c.d)}}"), "a.b c.d");
        assert_eq!(read("{{date a \"LL\" timezone=b.zone}}"), "a b.zone");
        assert_eq!(
            read("{{#if (and a b)}}{{c}}{{else if d}}{{e}}{{else}}{{f}}{{/if}}"),
            "a b c d e f"
        );
    }

    #[test]
    fn what_a_block_looks_at_is_not_at_the_top() {
        assert_eq!(
            read(
                "{{#each a.list as |item|}}{{item.x}} {{y}} {{../z}} {{@root.top}}{{else}}{{b}}{{/each}} {{c}}"
            ),
            "a.list top b c"
        );
        assert_eq!(read("{{#with a}}{{#if b}}{{lower c}}{{/if}}{{/with}}"), "a");
    }

    #[test]
    fn literals_and_what_belongs_to_the_engine_are_no_variables() {
        assert_eq!(
            read(
                "{{this}} {{@index}} {{@root}} {{../a}} {{lower \"b\"}} {{json 1}} {{eq true null}}"
            ),
            ""
        );
        assert_eq!(read("text {{! comment }} \\{{escaped}} {{{{raw}}}} {{a}} {{{{/raw}}}}"), "");
    }
}
