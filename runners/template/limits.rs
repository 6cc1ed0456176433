//! How large and how deep a template may be.
//!
//! Promises: what passes here is parsed and rendered within a moment and within a small
//! stack. The engine parses and renders recursively and takes time in proportion to
//! placeholders times length, and a stack that overflows ends the whole program.

use super::TemplateError;

/// Bytes in one template.
const BYTES: usize = 64 * 1024;
/// Placeholders of any kind.
const PLACEHOLDERS: usize = 500;
/// Blocks and branches, whether or not they lie in each other.
const BLOCKS: usize = 100;
/// Brackets of any kind that lie in each other.
const DEPTH: usize = 64;

/// Refuses a template that is beyond the limits.
pub(super) fn check(text: &str) -> Result<(), TemplateError> {
    let refused = if text.len() > BYTES {
        format!("it has {} bytes, and at most {BYTES} are allowed", text.len())
    } else if text.matches("{{").count() > PLACEHOLDERS {
        format!("it has more than {PLACEHOLDERS} placeholders")
    } else if text.split("{{").skip(1).filter(|tag| opens_block(tag)).count() > BLOCKS {
        format!("it has more than {BLOCKS} blocks and branches")
    } else if depth(text) > DEPTH {
        format!("brackets lie more than {DEPTH} deep in each other")
    } else {
        return Ok(());
    };
    Err(TemplateError::plain(refused))
}

/// Whether a tag begins a block or another branch of one.
fn opens_block(tag: &str) -> bool {
    let tag = tag.trim_start_matches(['~', '{', ' ']);
    tag.starts_with(['#', '^', '>', '*']) || tag.starts_with("else")
}

/// How deep brackets lie in each other, at the deepest place.
fn depth(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        check(text).err().map(|error| error.message)
    }

    #[test]
    fn what_people_write_passes() {
        let mail = format!(
            "<style>p {{ color: red }}</style>{}{}",
            "<tr><td>{{name}} ({{lookup (lookup a b) \"c\"}}) [x] :(</td></tr>".repeat(60),
            "{{#if a}}{{#each b}}x{{else}}y{{/each}}{{/if}}".repeat(20),
        );
        assert_eq!(refusal(&mail), None);
    }

    #[test]
    fn what_would_take_too_long_is_refused() {
        assert!(refusal(&"x".repeat(BYTES + 1)).unwrap().contains("bytes"));
        assert!(refusal(&"{{a}}".repeat(PLACEHOLDERS + 1)).unwrap().contains("placeholders"));
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused() {
        let parens = format!("{{{{x {}{}}}}}", "(x ".repeat(400), ")".repeat(400));
        assert!(refusal(&parens).unwrap().contains("deep"));
        for tag in ["{{#if a}}", "{{~#if a}}", "{{else if a}}", "{{^}}", "{{#> a}}"] {
            assert!(refusal(&tag.repeat(BLOCKS + 1)).unwrap().contains("blocks"), "{tag}");
        }
    }
}
