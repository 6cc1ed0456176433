//! How often the bodies of blocks are gone through.
//!
//! Loops in loops may render nothing and still never end, so every body counts itself: its
//! last element is a helper that no author can write.

use std::cell::Cell;

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, Template,
    template::TemplateElement,
};

/// Rounds that one rendering may make, over all its loops.
const MOST: u32 = 10_000;
/// No variable or helper has such a name: the check of a template refuses it.
pub(super) const NAME: &str = "rungs-round";

thread_local! {
    static ROUNDS: Cell<u32> = const { Cell::new(0) };
}

/// A rendering begins.
pub(super) fn begin() {
    ROUNDS.set(0);
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
    fn loops_that_people_write_are_not_held_up() {
        let text = "{{#each x}}{{#if this}}{{this}}{{else}}-{{/if}}{{/each}}";
        let list: Vec<u32> = (0..3_000).map(|n| n % 2).collect();
        let rendered = render(text, &json!({ "x": list })).unwrap();
        assert_eq!(rendered, "-1".repeat(1_500));
    }
}
