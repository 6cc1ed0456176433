//! Whether a template uses the helpers there are, as they want to be used: so that what is
//! wrong with `{{uper name}}` is found when the sequence is checked, not when it runs.

use std::ops::RangeInclusive;

use handlebars::{
    Path, PathSeg, Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};

use super::{TemplateError, helpers};
use crate::quote::quoted;

/// How a helper is used.
struct Usage {
    name: &'static str,
    form: Form,
    /// How many parameters it takes.
    takes: RangeInclusive<usize>,
    /// The named ones beside them.
    named: &'static [&'static str],
    example: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `{{helper a}}`, or `(helper a)`.
    Inline,
    /// `{{#helper a}}...{{/helper}}`.
    Block,
    /// Both.
    Either,
}

const fn usage(
    name: &'static str,
    form: Form,
    takes: RangeInclusive<usize>,
    example: &'static str,
) -> Usage {
    Usage { name, form, takes, named: &[], example }
}

const HELPERS: &[Usage] = &[
    usage("and", Form::Either, 2..=2, "{{#if (and a b)}}"),
    Usage {
        named: &["timezone"],
        ..usage("date", Form::Inline, 2..=2, "{{date order.at \"YYYY-MM-DD HH:mm\"}}")
    },
    usage("default", Form::Inline, 2..=2, "{{default name \"you\"}}"),
    usage("each", Form::Block, 1..=1, "{{#each list}}{{this}}{{/each}}"),
    usage("eq", Form::Either, 2..=2, "{{#if (eq a b)}}"),
    usage("gt", Form::Either, 2..=2, "{{#if (gt a 1)}}"),
    usage("gte", Form::Either, 2..=2, "{{#if (gte a 1)}}"),
    Usage { named: &["includeZero"], ..usage("if", Form::Block, 1..=1, "{{#if a}}...{{/if}}") },
    usage("json", Form::Inline, 1..=1, "{{json order}}"),
    usage("len", Form::Inline, 1..=1, "{{len list}}"),
    usage("lookup", Form::Inline, 2..=2, "{{lookup list 0}}"),
    usage("lower", Form::Inline, 1..=1, "{{lower name}}"),
    usage("lt", Form::Either, 2..=2, "{{#if (lt a 1)}}"),
    usage("lte", Form::Either, 2..=2, "{{#if (lte a 1)}}"),
    usage("ne", Form::Either, 2..=2, "{{#if (ne a b)}}"),
    usage("not", Form::Either, 1..=1, "{{#if (not a)}}"),
    usage("or", Form::Either, 2..=2, "{{#if (or a b)}}"),
    usage("plural", Form::Inline, 3..=3, "{{plural count \"order\" \"orders\"}}"),
    usage("raw", Form::Block, 0..=0, "{{{{raw}}}}...{{{{/raw}}}}"),
    Usage {
        named: &["includeZero"],
        ..usage("unless", Form::Block, 1..=1, "{{#unless a}}...{{/unless}}")
    },
    usage("upper", Form::Inline, 1..=1, "{{upper name}}"),
    usage("url", Form::Inline, 1..=1, "{{url order.id}}"),
    usage("with", Form::Block, 1..=1, "{{#with order}}{{count}}{{/with}}"),
];

/// Where a helper is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Tag,
    Subexpression,
    Block,
}

/// A helper, for who completes templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelperName {
    /// Its name.
    pub name: &'static str,
    /// How it is used.
    pub example: &'static str,
    /// Whether it is a block, `{{#name}}...{{/name}}`.
    pub is_block: bool,
}

/// The helpers there are.
pub fn names() -> impl Iterator<Item = HelperName> {
    HELPERS.iter().map(|usage| HelperName {
        name: usage.name,
        example: usage.example,
        is_block: usage.form == Form::Block,
    })
}

/// Checks every call of a helper.
///
/// # Errors
/// The first that cannot work, and why.
pub(super) fn check(template: &Template) -> Result<(), TemplateError> {
    for (index, element) in template.elements.iter().enumerate() {
        let result = match element {
            TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
                check_call(helper, Place::Tag)
            }
            TemplateElement::HelperBlock(helper) => check_call(helper, Place::Block),
            TemplateElement::DecoratorExpression(_)
            | TemplateElement::DecoratorBlock(_)
            | TemplateElement::PartialExpression(_)
            | TemplateElement::PartialBlock(_) => {
                let message = "a template has no partials and no decorators: there is nothing \
                               that it could include";
                Err(TemplateError::plain(message.to_owned()))
            }
            TemplateElement::RawString(_) | TemplateElement::Comment(_) | _ => Ok(()),
        };
        result.map_err(|error| match template.mapping.get(index) {
            Some(at) if error.line.is_none() => {
                TemplateError { line: Some(at.0), column: Some(at.1), ..error }
            }
            _ => error,
        })?;
    }
    Ok(())
}

fn check_call(helper: &HelperTemplate, place: Place) -> Result<(), TemplateError> {
    let bare = helper.params.is_empty() && helper.hash.is_empty();
    match &helper.name {
        Parameter::Subexpression(expression) => check_subexpression(expression.as_element())?,
        name if place == Place::Tag && bare => check_variable(name)?,
        name => check_helper(name.as_name().unwrap_or_default(), helper, place)?,
    }
    for parameter in helper.params.iter().chain(helper.hash.values()) {
        if let Parameter::Subexpression(expression) = parameter {
            check_subexpression(expression.as_element())?;
        }
    }
    for body in [&helper.template, &helper.inverse].into_iter().flatten() {
        check(body)?;
    }
    Ok(())
}

fn check_subexpression(element: &TemplateElement) -> Result<(), TemplateError> {
    match element {
        TemplateElement::Expression(helper) => check_call(helper, Place::Subexpression),
        _ => Ok(()),
    }
}

/// `{{name}}`: a variable, unless a helper has that name. Ours give way; the engine's do not.
fn check_variable(name: &Parameter) -> Result<(), TemplateError> {
    let Parameter::Path(Path::Relative((segments, text))) = name else { return Ok(()) };
    let [PathSeg::Named(_)] = segments.as_slice() else { return Ok(()) };
    match HELPERS.iter().find(|helper| helper.name == text) {
        Some(helper) if !helpers::gives_way(text) => Err(TemplateError::plain(format!(
            "`{text}` is a helper, as in {}; the variable of that name is {{{{this.{text}}}}}",
            helper.example
        ))),
        _ => Ok(()),
    }
}

fn check_helper(name: &str, helper: &HelperTemplate, place: Place) -> Result<(), TemplateError> {
    let Some(usage) = HELPERS.iter().find(|usage| usage.name == name) else {
        return Err(TemplateError::plain(unknown(name, place)));
    };
    let Usage { form, takes, named, example, .. } = usage;
    let wrong = |what: String| Err(TemplateError::plain(format!("{what}, as in {example}")));
    let given = helper.params.len();
    if place == Place::Block && *form == Form::Inline {
        return wrong(format!("`{name}` is no block"));
    }
    if place != Place::Block && *form == Form::Block {
        return wrong(format!("`{name}` is a block"));
    }
    if !takes.contains(&given) {
        let few = takes.start();
        let s = if *few == 1 { "" } else { "s" };
        return wrong(format!("`{name}` takes {few} parameter{s}, not {given}"));
    }
    if let Some(other) = helper.hash.keys().filter(|key| !named.contains(&key.as_str())).min() {
        let known = named.first().map_or_else(String::new, |known| format!(", but `{known}=`"));
        return wrong(format!("`{name}` takes no `{other}=`{known}"));
    }
    match helpers::check_literals(name, &helper.params, &helper.hash) {
        Some(problem) => Err(TemplateError::plain(problem)),
        None => Ok(()),
    }
}

fn unknown(name: &str, place: Place) -> String {
    let of_form = |usage: &&Usage| place != Place::Block || usage.form != Form::Inline;
    let names: Vec<_> = HELPERS.iter().filter(of_form).map(|usage| usage.name).collect();
    let kind = if place == Place::Block { "block" } else { "helper" };
    let hint = match did_you_mean(name, &names) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None if place == Place::Block => {
            format!(": expected `#if {name}`, `#each {name}` or `#with {name}`")
        }
        None => format!(": expected one of {}", names.join(", ")),
    };
    format!("there is no {kind} {}{hint}", quoted(name))
}

/// The name that was probably meant: at most every third letter is wrong.
fn did_you_mean(name: &str, names: &[&'static str]) -> Option<&'static str> {
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).max(1);
    names
        .iter()
        .map(|candidate| (strsim::osa_distance(&name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        check(&Template::compile(text).unwrap()).unwrap_err().message
    }

    #[test]
    fn a_misspelt_helper_is_answered_with_the_one_that_was_meant() {
        assert_eq!(wrong("{{uper name}}"), "there is no helper \"uper\", did you mean `upper`?");
        assert_eq!(
            wrong("{{upper (lowr name)}}"),
            "there is no helper \"lowr\", did you mean `lower`?"
        );
        assert_eq!(
            wrong("{{#if a}}{{else}}{{Date a \"LL\"}}{{/if}}"),
            "there is no helper \"Date\", did you mean `date`?"
        );
        assert_eq!(wrong("{{#iff a}}{{/iff}}"), "there is no block \"iff\", did you mean `if`?");
        assert_eq!(
            wrong("{{#orders}}{{/orders}}"),
            "there is no block \"orders\": expected `#if orders`, `#each orders` or `#with orders`"
        );
        assert!(
            wrong("{{#if (a)}}{{/if}}")
                .starts_with("there is no helper \"a\": expected one of and, date,")
        );
        assert!(wrong("{{log secret}}").starts_with("there is no helper \"log\""));
    }

    #[test]
    fn a_helper_is_used_as_it_wants_to_be() {
        assert_eq!(
            wrong("{{upper a b}}"),
            "`upper` takes 1 parameter, not 2, as in {{upper name}}"
        );
        assert_eq!(
            wrong("{{date a}}"),
            "`date` takes 2 parameters, not 1, as in {{date order.at \"YYYY-MM-DD HH:mm\"}}"
        );
        assert!(
            wrong("{{date a \"LL\" tz=b}}")
                .starts_with("`date` takes no `tz=`, but `timezone=`, as in")
        );
        assert!(wrong("{{#upper a}}{{/upper}}").starts_with("`upper` is no block"));
        assert!(wrong("{{if a}}").starts_with("`if` is a block"));
        assert!(wrong("{{a}} {{lower (each b)}}").starts_with("`each` is a block"));
    }

    #[test]
    fn every_helper_is_there_and_takes_what_it_is_said_to_take() {
        let data = serde_json::json!({});
        let nothing = serde_json::json!([]);
        let data = data.as_object().unwrap();
        let scope = crate::Scope::new(data, || data.clone().into(), &nothing, &nothing);
        for Usage { name, form, takes, .. } in HELPERS {
            let parameters = " none".repeat(*takes.start());
            let text = match form {
                Form::Block => format!("{{{{#{name}{parameters}}}}}{{{{/{name}}}}}"),
                _ => format!("{{{{{name}{parameters}}}}}").replace("none none", "none \"LL\""),
            };
            let rendered = crate::Template::parse(&text, false).unwrap().render(&scope);
            assert!(rendered.is_ok(), "{text}: {rendered:?}");
        }
    }

    #[test]
    fn a_variable_with_a_helpers_name_is_told_from_it() {
        assert!(
            check(&Template::compile("{{date}} {{default}} {{order.with}} {{this.len}}").unwrap())
                .is_ok()
        );
        assert_eq!(
            wrong("{{len}}"),
            "`len` is a helper, as in {{len list}}; the variable of that name is {{this.len}}"
        );
    }

    #[test]
    fn there_is_nothing_to_include() {
        for text in
            ["{{> footer}}", "{{#> layout}}{{/layout}}", "{{#*inline \"a\"}}{{/inline}}", "{{* a}}"]
        {
            assert!(wrong(text).contains("no partials"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let error = check(&Template::compile("Hello\n  {{#if a}}\n {{uper b}}{{/if}}").unwrap())
            .unwrap_err();
        assert_eq!((error.line, error.column), (Some(3), Some(2)));
    }
}
