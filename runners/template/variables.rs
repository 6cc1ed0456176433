//! What a template reads, found without rendering it.

use handlebars::{
    Path, PathSeg, Template,
    template::{BlockParam, HelperTemplate, Parameter, TemplateElement},
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
    /// Something in a block: it is a part of what that looks at, or of what is around it.
    Within,
}

/// In a path, any entry of a list that `each` goes through.
pub const ENTRY: &str = "*";

/// The paths it reads, in order of appearance, and what it makes of each. Inside of `each` and
/// `with` that is [`Use::Within`], where it is known what stands there.
pub(super) fn of(template: &Template) -> Vec<(Vec<String>, Use)> {
    let mut found = Vec::new();
    of_template(template, &Context::default(), &mut found);
    found
}

/// What names mean at a place of a template.
#[derive(Clone, Default)]
struct Context {
    /// What the blocks around it look at, the innermost last; none if nobody knows.
    blocks: Vec<Option<Vec<String>>>,
    /// What they call it.
    named: Vec<(String, Option<Vec<String>>)>,
}

impl Context {
    /// The same inside of a block that looks at something.
    fn within(&self, helper: &HelperTemplate) -> Self {
        let mut looks_at = match helper.params.first() {
            Some(Parameter::Path(Path::Relative((segments, text)))) => {
                self.path(segments, text).map(|(path, _)| path)
            }
            _ => None,
        };
        let is_each = helper.name.as_name() == Some("each");
        if let Some(path) = looks_at.as_mut().filter(|_| is_each) {
            path.push(ENTRY.to_owned());
        }
        let mut inside = self.clone();
        let (value, other) = match &helper.block_param {
            Some(BlockParam::Single(value)) => (value.as_name(), None),
            Some(BlockParam::Pair((value, other))) => (value.as_name(), other.as_name()),
            _ => (None, None),
        };
        inside.named.extend(value.map(|name| (name.to_owned(), looks_at.clone())));
        inside.named.extend(other.map(|name| (name.to_owned(), None)));
        inside.blocks.push(looks_at);
        inside
    }

    /// The keys of a path from the top of the scope, and whether it has to do with a block;
    /// nothing if that cannot be told.
    fn path(&self, segments: &[PathSeg], text: &str) -> Option<(Vec<String>, bool)> {
        let from_root = text.contains("@root");
        let keys = segments.iter().filter_map(|segment| match segment {
            PathSeg::Named(name) => Some(name.clone()),
            _ => None,
        });
        let keys: Vec<String> = keys.collect();
        if from_root {
            return Some((keys, false)).filter(|(keys, _)| !keys.is_empty());
        }
        let up = text.matches("../").count();
        // One that leads out is known by its dots alone.
        let ruled = segments.iter().filter(|one| matches!(one, PathSeg::Ruled(_))).count();
        if ruled != up {
            return None;
        }
        let (first, rest) = keys.split_first()?;
        if let Some((_, known)) = self.named.iter().rev().find(|(name, _)| name == first) {
            let path = known.as_ref().filter(|_| up == 0)?;
            return Some(([path, rest].concat(), true));
        }
        let depth = self.blocks.len().checked_sub(up)?;
        match depth.checked_sub(1).and_then(|at| self.blocks.get(at)) {
            None => Some((keys, up > 0)),
            Some(looks_at) => Some(([looks_at.as_ref()?.as_slice(), &keys].concat(), true)),
        }
    }
}

fn of_template(template: &Template, context: &Context, found: &mut Vec<(Vec<String>, Use)>) {
    for element in &template.elements {
        of_element(element, context, found);
    }
}

fn of_element(element: &TemplateElement, context: &Context, found: &mut Vec<(Vec<String>, Use)>) {
    match element {
        TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
            of_parameter(&helper.name, Use::Text, context, found);
            of_parameters(helper, context, found);
        }
        TemplateElement::HelperBlock(helper) => {
            of_parameters(helper, context, found);
            let moves = matches!(helper.name.as_name(), Some("each" | "with"));
            if let Some(body) = &helper.template {
                let inside = moves.then(|| context.within(helper));
                of_template(body, inside.as_ref().unwrap_or(context), found);
            }
            if let Some(body) = &helper.inverse {
                of_template(body, context, found);
            }
        }
        _ => {}
    }
}

fn of_parameters(helper: &HelperTemplate, context: &Context, found: &mut Vec<(Vec<String>, Use)>) {
    let is_each = helper.block && helper.name.as_name() == Some("each");
    let used = if is_each { Use::Each } else { Use::Given };
    for parameter in &helper.params {
        of_parameter(parameter, used, context, found);
    }
    let mut named: Vec<_> = helper.hash.iter().collect();
    named.sort_by_key(|(name, _)| *name);
    for (_, parameter) in named {
        of_parameter(parameter, Use::Given, context, found);
    }
}

fn of_parameter(
    parameter: &Parameter,
    used: Use,
    context: &Context,
    found: &mut Vec<(Vec<String>, Use)>,
) {
    match parameter {
        Parameter::Path(Path::Relative((segments, text))) => {
            let path = context.path(segments, text);
            found
                .extend(path.map(|(path, inside)| (path, if inside { Use::Within } else { used })));
        }
        Parameter::Subexpression(expression) => {
            of_element(expression.as_element(), context, found);
        }
        // Literals, names of helpers, and what the engine counts (`@index`).
        _ => {}
    }
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
            ("c.*.d", Use::Within),
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
            "a.list a.list.*.x a.list.*.y z top b c"
        );
        assert_eq!(read("{{#with a}}{{#if b}}{{lower c}}{{/if}}{{/with}}"), "a a.b a.c");
        assert_eq!(
            read(
                "{{#each a as |it n|}}{{n}}{{it.b.c}}{{#with d}}{{e}}{{../f}}{{../../g}}{{it.h}}{{/with}}{{/each}}"
            ),
            "a a.*.b.c a.*.d a.*.d.e a.*.f g a.*.h"
        );
        assert_eq!(read("{{#each (lookup a b)}}{{c}}{{@index}}{{this}}{{/each}}"), "a b");
    }

    /// The paths above are those that rendering takes.
    #[test]
    fn what_is_read_in_a_block_is_what_is_rendered() {
        let data = serde_json::json!({
            "a": [{ "b": { "c": 1 }, "d": { "e": 2 }, "f": 3, "h": 5 }], "g": 4, "w": { "x": 6 },
        });
        let text = "{{#each a as |it n|}}{{it.b.c}}{{#with d}}{{e}}{{../f}}{{../../g}}{{it.h}}{{/with}}{{/each}}{{#with w}}{{x}}{{/with}}";
        let rendered = handlebars::Handlebars::new().render_template(text, &data).unwrap();
        assert_eq!(rendered, "123456");
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
