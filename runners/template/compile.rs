//! Parsing a template within bounds.
//!
//! Promises: whatever the text, an answer in well under a second and no overflow of the
//! stack, and what is parsed can be rendered without one.

use handlebars::{
    Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};

use super::TemplateError;

/// Bounds of a text. Parsing takes the square of the number of its tags.
const MOST_BYTES: usize = 64 * 1024;
const MOST_TAGS: usize = 1_000;
const MOST_PARENTHESES: usize = 1_000;
/// How deep blocks and subexpressions may nest; each `else if` counts as one deeper.
const MOST_NESTED: usize = 32;

/// What one level of nesting may take of the stack while it is parsed and dropped, which is
/// several times what was measured.
const STACK_PER_LEVEL: usize = 16 * 1024;
/// Nesting up to here fits on any stack.
const SHALLOW: usize = 32;

pub(super) fn compile(text: &str) -> Result<Template, TemplateError> {
    let tags = text.matches("{{").count();
    let parentheses = text.matches('(').count();
    for (size, most, what) in [
        (text.len(), MOST_BYTES, "bytes"),
        (tags, MOST_TAGS, "tags"),
        (parentheses, MOST_PARENTHESES, "opening parentheses"),
    ] {
        if size > most {
            let message = format!("a template has at most {most} {what}, and this one has {size}");
            return Err(TemplateError::plain(message));
        }
    }
    // Nothing nests but by a tag or by a parenthesis. The parser minds the end of the stack,
    // but not what it builds afterwards.
    let levels = tags + parentheses;
    if levels > SHALLOW {
        stacker::grow(levels * STACK_PER_LEVEL, || compile_shallow(text))
    } else {
        compile_shallow(text)
    }
}

fn compile_shallow(text: &str) -> Result<Template, TemplateError> {
    let template = Template::compile(text).map_err(|error| TemplateError {
        message: error.reason().to_string(),
        line: error.pos().map(|(line, _)| line),
        column: error.pos().map(|(_, column)| column),
    })?;
    if nesting(&template) > MOST_NESTED {
        let message = format!("blocks and subexpressions nest at most {MOST_NESTED} deep");
        return Err(TemplateError::plain(message));
    }
    Ok(template)
}

fn nesting(template: &Template) -> usize {
    let of_element = |element: &TemplateElement| match element {
        TemplateElement::Expression(helper)
        | TemplateElement::HtmlExpression(helper)
        | TemplateElement::HelperBlock(helper) => nesting_of_helper(helper),
        // Decorators and partials are refused as soon as this is done.
        _ => 0,
    };
    template.elements.iter().map(of_element).max().unwrap_or(0)
}

fn nesting_of_helper(helper: &HelperTemplate) -> usize {
    let parameters = helper.params.iter().chain(helper.hash.values()).chain([&helper.name]);
    let in_parameters = parameters.map(|parameter| match parameter {
        Parameter::Subexpression(expression) => match expression.as_element() {
            TemplateElement::Expression(helper) => 1 + nesting_of_helper(helper),
            _ => 1,
        },
        _ => 0,
    });
    let bodies = [&helper.template, &helper.inverse].into_iter().flatten();
    in_parameters.chain(bodies.map(|body| 1 + nesting(body))).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        compile(text).unwrap_err().message
    }

    #[test]
    fn ten_thousand_nested_blocks_are_an_error_and_no_crash() {
        let nested = |count| "{{#if a}}".repeat(count) + &"{{/if}}".repeat(count);
        assert!(refused(&nested(10_000)).contains("at most 65536 bytes"));
        assert!(refused(&nested(4_000)).contains("at most 1000 tags"));
        for count in [33, 100, 500] {
            assert_eq!(refused(&nested(count)), "blocks and subexpressions nest at most 32 deep");
        }
        assert!(compile(&nested(32)).is_ok());
    }

    #[test]
    fn a_long_chain_of_else_if_is_an_error_and_no_crash() {
        let chain = |count| format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if b}}".repeat(count));
        assert!(compile(&chain(30)).is_ok());
        for count in [40, 400, 990] {
            assert_eq!(refused(&chain(count)), "blocks and subexpressions nest at most 32 deep");
        }
    }

    #[test]
    fn nested_subexpressions_are_an_error_and_no_crash() {
        let nested = |count| format!("{{{{a {}b{}}}}}", "(c ".repeat(count), ")".repeat(count));
        assert!(compile(&nested(32)).is_ok());
        for count in [33, 300, 450, 600, 999] {
            assert_eq!(refused(&nested(count)), "blocks and subexpressions nest at most 32 deep");
        }
        assert!(refused(&nested(1_001)).contains("at most 1000 opening parentheses"));
        assert!(compile(&format!("{{{{a {}", "(b ".repeat(999))).is_err());
    }

    #[test]
    fn literals_and_unclosed_tags_nest_no_deeper_than_the_parser_likes() {
        for text in [
            format!("{{{{a {}{}}}}}", "[".repeat(30_000), "]".repeat(30_000)),
            format!("{{{{a {}", "{\"a\":".repeat(10_000)),
            "{{#if a}}".repeat(900),
            "{{".repeat(900),
            "{{!-- ".repeat(900),
        ] {
            assert!(compile(&text).is_err());
        }
    }
}
