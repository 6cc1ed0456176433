//! What a template reads, found without rendering it.

use handlebars::{
    Path, PathSeg, Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};

/// What a template makes of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It is written as it is.
    Text,
    /// `{{#each}}` goes through it.
    Each,
    /// A helper is given it, which knows what to do with it.
    Given,
}

/// The paths it reads from the top of the scope, in order of appearance, and what it makes of
/// each.
pub(super) fn of(template: &Template) -> Vec<(Vec<String>, Use)> {
    let mut found = Vec::new();
    of_template(template, true, &mut found);
    found
}

/// `at_top`: names mean what they mean at the top of the scope. Inside `each` and `with`
/// they belong to something else, and only `@root` is known.
fn of_template(template: &Template, at_top: bool, found: &mut Vec<(Vec<String>, Use)>) {
    for element in &template.elements {
        of_element(element, at_top, found);
    }
}

fn of_element(element: &TemplateElement, at_top: bool, found: &mut Vec<(Vec<String>, Use)>) {
    match element {
        TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
            of_parameter(&helper.name, Use::Text, at_top, found);
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

fn of_parameters(helper: &HelperTemplate, at_top: bool, found: &mut Vec<(Vec<String>, Use)>) {
    let is_each = helper.block && helper.name.as_name() == Some("each");
    let used = if is_each { Use::Each } else { Use::Given };
    for parameter in &helper.params {
        of_parameter(parameter, used, at_top, found);
    }
    let mut named: Vec<_> = helper.hash.iter().collect();
    named.sort_by_key(|(name, _)| *name);
    for (_, parameter) in named {
        of_parameter(parameter, Use::Given, at_top, found);
    }
}

fn of_parameter(
    parameter: &Parameter,
    used: Use,
    at_top: bool,
    found: &mut Vec<(Vec<String>, Use)>,
) {
    match parameter {
        Parameter::Path(Path::Relative((segments, text))) => {
            found.extend(at_root(segments, text, at_top).map(|path| (path, used)));
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
        paths.iter().map(|(path, _)| path.join(".")).collect::<Vec<_>>().join(" ")
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
    fn what_becomes_of_a_variable_is_known() {
        let uses = of(&Template::compile(
            "{{a}} {{upper b}} {{#each c}}{{d}}{{/each}} {{#if e}}{{f}}{{/if}} {{{g}}}",
        )
        .unwrap());
        let uses: Vec<(String, Use)> =
            uses.into_iter().map(|(path, used)| (path.join("."), used)).collect();
        let expected = [
            ("a", Use::Text),
            ("b", Use::Given),
            ("c", Use::Each),
            ("e", Use::Given),
            ("f", Use::Text),
            ("g", Use::Text),
        ];
        assert_eq!(uses, expected.map(|(path, used)| (path.to_owned(), used)));
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
