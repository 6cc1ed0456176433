//! How often the bodies of blocks are gone through.
//!
//! Loops in loops may render nothing and still never end, so every body counts itself: its
//! last element is a helper that no author can write.

use std::cell::Cell;

use serde_json::Value;

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, Template,
    template::TemplateElement,
};

/// Rounds that one rendering may make, over all its loops.
const MOST: u32 = 10_000;
/// No variable or helper has such a name: the check of a template refuses it.
pub(super) const NAME: &str = "rungs-round";

/// Values that the helpers of one rendering may go through, in all its rounds.
const MOST_VALUES: usize = 3_000_000;
/// So many bytes of a text count as much as a value.
const BYTES: usize = 32;

thread_local! {
    static ROUNDS: Cell<u32> = const { Cell::new(0) };
    static VALUES: Cell<usize> = const { Cell::new(0) };
}

/// A rendering begins.
pub(super) fn begin() {
    ROUNDS.set(0);
    VALUES.set(0);
}

/// A helper goes through a value: it copies it, compares it, or writes it down.
///
/// # Errors
/// They have gone through too many.
pub(super) fn go_through(value: &Value) -> Result<(), String> {
    let sum = VALUES.get() + weight(value);
    VALUES.set(sum);
    if sum > MOST_VALUES {
        return Err(format!("its helpers go through more than {MOST_VALUES} values"));
    }
    Ok(())
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(entries) => 1 + entries.values().map(weight).sum::<usize>(),
        Value::String(text) => 1 + text.len() / BYTES,
        _ => 1,
    }
}

pub(super) fn register(engine: &mut Handlebars<'static>) {
    engine.register_helper(NAME, Box::new(count));
}

fn count(
    _: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    _: &mut dyn Output,
) -> HelperResult {
    let rounds = ROUNDS.get() + 1;
    ROUNDS.set(rounds);
    if rounds > MOST {
        let reason = format!("its loops make more than {MOST} rounds");
        return Err(RenderErrorReason::Other(reason).into());
    }
    Ok(())
}

/// Makes the bodies of all blocks count themselves.
pub(super) fn counted(template: &mut Template) {
    let counter = Template::compile(&format!("{{{{{NAME}}}}}")).ok();
    if let Some(counter) = counter.and_then(|counter| counter.elements.into_iter().next()) {
        count_bodies(template, &counter);
    }
}

fn count_bodies(template: &mut Template, counter: &TemplateElement) {
    for element in &mut template.elements {
        let TemplateElement::HelperBlock(block) = element else { continue };
        for body in [&mut block.template, &mut block.inverse].into_iter().flatten() {
            count_bodies(body, counter);
            // At the end, where it moves no place of another element.
            body.elements.push(counter.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Scope, Template};

    fn render(text: &str, data: &Value) -> Result<String, String> {
        let (steps, events) = (json!({}), json!({}));
        let scope = Scope::new(data.as_object().unwrap(), || json!({}), &steps, &events);
        Template::parse(text, false).unwrap().render(&scope).map_err(|error| error.message)
    }

    #[test]
    fn loops_that_render_nothing_come_to_an_end() {
        let list: Vec<u32> = (0..300).collect();
        let each = "{{#each @root.x}}".repeat(5) + &"{{/each}}".repeat(5);
        let error = render(&each, &json!({ "x": list })).unwrap_err();
        assert!(error.contains("more than 10000 rounds"), "{error}");
    }

    #[test]
    fn helpers_that_compare_much_in_every_round_come_to_an_end() {
        let big: Vec<Value> = (0..6_000).map(|n| json!({ "n": n })).collect();
        let data = json!({ "big": big, "in": { "big": big }, "few": vec![0; 3_000] });
        for tag in [
            "{{eq @root.big @root.big}}",
            "{{#if (lookup @root.in 'big')}}{{/if}}",
            "{{#if (default @root.big 1)}}{{/if}}",
            "{{#if (json @root.big)}}{{/if}}",
        ] {
            let text = format!("{{{{#each few}}}}{tag}{{{{/each}}}}");
            let rendered = render(&text, &data);
            let Err(error) = rendered else { panic!("{tag}: {rendered:?}") };
            assert!(error.contains("go through more than"), "{tag}: {error}");
        }
        let few = "{{#each few}}{{eq this 0}}{{lookup @root.big.[3] 'n'}}{{/each}}";
        assert_eq!(render(few, &data).unwrap(), "true3".repeat(3_000));
    }

    #[test]
    fn loops_that_people_write_are_not_held_up() {
        let text = "{{#each x}}{{#if this}}{{this}}{{else}}-{{/if}}{{/each}}";
        let list: Vec<u32> = (0..3_000).map(|n| n % 2).collect();
        let rendered = render(text, &json!({ "x": list })).unwrap();
        assert_eq!(rendered, "-1".repeat(1_500));
    }
}
