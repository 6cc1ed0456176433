//! The names in a Handlebars template that mean something else once a fragment stands in its
//! place: parameters, and results of its own steps.
//!
//! Promises: strings, comments, raw blocks and what a backslash escapes stay as they are; one
//! pass over the text, whatever it is. What does not parse is left as it is, for the check to
//! tell.

/// The name under which a fragment sees its parameters.
pub(super) const PARAM: &str = "param";

/// Where a parameter stands in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Alone between braces, of which there may be three.
    Text { raw: bool },
    /// Before or behind other words between braces.
    Argument,
}

/// A parameter in a template.
#[derive(Debug)]
pub(super) struct Reference {
    /// Its name, and the way into it.
    pub path: Vec<String>,
    pub slot: Slot,
    /// Whether it stands inside `each` or `with`, where names mean something else.
    pub nested: bool,
}

/// A tag: what stands between its braces.
struct Tag<'t> {
    inner: &'t str,
    raw: bool,
    is_comment: bool,
    /// `{{~` and `~}}`, which take the white space around it away.
    trims: (bool, bool),
    /// How long it is, braces included.
    length: usize,
}

/// Rewrites a template. The ids of steps get the prefix; what stands for a parameter, `put`
/// says: for the whole tag where it stands alone in one.
///
/// # Errors
/// What `put` says, or what cannot be done with a parameter.
pub(super) fn rewrite(
    text: &str,
    prefix: &str,
    put: &mut dyn FnMut(&Reference) -> Result<String, String>,
) -> Result<String, String> {
    let mut writer = Writer { out: String::with_capacity(text.len()), trim: false };
    let mut blocks: Vec<bool> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, tail) = rest.split_at(at);
        writer.plain(before);
        if let Some(length) = untouched(before, tail) {
            writer.plain(tail.get(..length).unwrap_or(tail));
            rest = tail.get(length..).unwrap_or_default();
            continue;
        }
        let Some(tag) = Tag::read(tail) else {
            rest = tail;
            break;
        };
        rest = tail.get(tag.length..).unwrap_or_default();
        let whole = tail.get(..tag.length).unwrap_or_default();
        if tag.is_comment {
            writer.plain(whole);
            continue;
        }
        let nested = blocks.contains(&true);
        follow(&mut blocks, tag.inner);
        match tag.alone() {
            Some(path) => {
                let slot = Slot::Text { raw: tag.raw || tag.inner.starts_with('&') };
                let text = put(&Reference { path, slot, nested })?;
                if text.ends_with('\\') && rest.starts_with("{{") {
                    return Err("a `\\` cannot stand right before a `{{`".to_owned());
                }
                writer.insert(&text, tag.trims);
            }
            None => writer.plain(&inside(whole, prefix, nested, put)?),
        }
    }
    writer.plain(rest);
    Ok(writer.out)
}

/// What stands between the braces of a text that is a single tag, and no block or comment.
pub(super) fn only_tag(text: &str) -> Option<&str> {
    let tag = Tag::read(text.strip_prefix("{{").map(|_| text)?)?;
    let is_plain = !tag.is_comment && !tag.inner.starts_with(['#', '^', '/', '>', '*', '&']);
    (tag.length == text.len() && is_plain && !text.starts_with("{{{{")).then_some(tag.inner)
}

/// The keys of a text that is one path and nothing else.
pub(super) fn only_path(text: &str) -> Option<Vec<String>> {
    let (token, after) = token(text)?;
    let keys = keys(token);
    (after.is_empty() && !keys.is_empty()).then(|| keys.into_iter().map(|key| key.text).collect())
}

/// How much of what begins with braces is no tag: an escape, or a raw block.
fn untouched(before: &str, tail: &str) -> Option<usize> {
    let is_raw = tail.starts_with("{{{{");
    let backslashes = before.len() - before.trim_end_matches('\\').len();
    if backslashes == 1 {
        return Some(if is_raw { 4 } else { 2 });
    }
    if !is_raw {
        return None;
    }
    let end = tail.find("{{{{/")?;
    let close = tail.get(end..)?.find("}}}}")?;
    Some(end + close + 4)
}

/// Counts the blocks that are open, and whether names mean something else in them.
fn follow(blocks: &mut Vec<bool>, inner: &str) {
    if let Some(opened) = inner.strip_prefix('#') {
        let name = opened.split(|c: char| c.is_whitespace() || c == '~').find(|w| !w.is_empty());
        blocks.push(matches!(name, Some("each" | "with")));
    } else if inner.starts_with('/') {
        blocks.pop();
    } else if inner.strip_prefix('^').is_some_and(|name| !name.trim().is_empty()) {
        blocks.push(false);
    }
}

struct Writer {
    out: String,
    /// Whether white space goes away until something else comes.
    trim: bool,
}

impl Writer {
    fn plain(&mut self, text: &str) {
        let text = if self.trim { text.trim_start() } else { text };
        self.trim &= text.is_empty();
        self.out.push_str(text);
    }

    fn insert(&mut self, text: &str, (before, after): (bool, bool)) {
        if before {
            self.out.truncate(self.out.trim_end().len());
        }
        self.plain(text);
        self.trim = after;
    }
}

impl<'t> Tag<'t> {
    /// The tag that `text` begins with.
    fn read(text: &'t str) -> Option<Self> {
        let raw = text.starts_with("{{{");
        let braces = if raw { 3 } else { 2 };
        let body = text.get(braces..)?;
        let begun = body.strip_prefix('~').unwrap_or(body);
        let is_comment = begun.starts_with('!');
        let close = if raw { "}}}" } else { "}}" };
        let end = if begun.starts_with("!--") {
            let dashes = body.find("--}}").or_else(|| body.find("--~}}"))?;
            dashes + body.get(dashes..)?.find("}}")?
        } else if is_comment {
            body.find(close)?
        } else {
            end_of(body, close)?
        };
        let inner = body.get(..end)?;
        let trims = (inner.starts_with('~'), inner.ends_with('~'));
        let inner = inner.strip_prefix('~').unwrap_or(inner);
        let inner = inner.strip_suffix('~').unwrap_or(inner).trim();
        Some(Self { inner, raw, is_comment, trims, length: braces + end + braces })
    }

    /// The parameter that stands alone in it.
    fn alone(&self) -> Option<Vec<String>> {
        let inner = self.inner.strip_prefix('&').unwrap_or(self.inner).trim_start();
        let mut path = only_path(inner)?;
        (path.first()? == PARAM && path.len() > 1).then(|| path.split_off(1))
    }
}

/// Where a tag ends: strings, and the braces of objects, do not end it.
fn end_of(body: &str, close: &str) -> Option<usize> {
    let (mut open, mut at) = (0_usize, 0);
    while let Some(c) = body.get(at..)?.chars().next() {
        match c {
            '"' | '\'' => {
                at += string(body.get(at..)?);
                continue;
            }
            '{' => open += 1,
            '}' if open > 0 => open -= 1,
            '}' if body.get(at..)?.starts_with(close) => return Some(at),
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

/// How long the string is that `text` begins with, quotes included.
pub(super) fn string(text: &str) -> usize {
    let mut characters = text.char_indices();
    let Some((_, quote)) = characters.next() else { return text.len() };
    let mut escaped = false;
    for (at, c) in characters {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Rewrites the paths in a tag.
fn inside(
    tag: &str,
    prefix: &str,
    nested: bool,
    put: &mut dyn FnMut(&Reference) -> Result<String, String>,
) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(tag.len()), tag);
    let mut before = "";
    while let Some(c) = rest.chars().next() {
        if matches!(c, '"' | '\'') {
            let (string, after) = rest.split_at(string(rest));
            out.push_str(string);
            rest = after;
        } else if let Some((token, after)) = token(rest) {
            // A name before `=` is one of the helper's.
            let is_key = after.starts_with('=');
            out.push_str(&if is_key {
                token.to_owned()
            } else {
                named(before, token, nested)?;
                path(token, prefix, nested, put)?
            });
            (before, rest) = (token, after);
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(out)
}

/// Refuses what looks into `steps` by names that are found only when it is rendered.
fn named(helper: &str, token: &str, nested: bool) -> Result<(), String> {
    let from_root = token.starts_with('@') || token.starts_with("../");
    let is_steps = matches!(keys(token).as_slice(), [root] if root.text == "steps");
    if is_steps && (from_root || !nested) && ["lookup", "with"].contains(&helper) {
        return Err(format!("`{helper} steps` does not follow a fragment; write `steps.ID`"));
    }
    Ok(())
}

fn path(
    token: &str,
    prefix: &str,
    nested: bool,
    put: &mut dyn FnMut(&Reference) -> Result<String, String>,
) -> Result<String, String> {
    let keys = keys(token);
    let from_root = token.starts_with('@') || token.starts_with("../");
    match keys.as_slice() {
        [root, id, ..] if root.text == "steps" && (from_root || !nested) => {
            let (before, after) = token.split_at(id.start);
            Ok(format!("{before}{prefix}{after}"))
        }
        [root] if root.text == PARAM => {
            Err(format!("`{PARAM}` alone is nothing; name one, such as `{PARAM}.phone`"))
        }
        [root, path @ ..] if root.text == PARAM => {
            let path = path.iter().map(|key| key.text.clone()).collect();
            put(&Reference { path, slot: Slot::Argument, nested })
        }
        _ => Ok(token.to_owned()),
    }
}

/// The path that `text` begins with, and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_symbol = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '_' | '$' | ':' | '.' | '/' | '@')
            || !c.is_ascii()
    };
    let begins = |c: char| is_symbol(c) && c != '/' || c == '[';
    text.chars().next().filter(|c| begins(*c))?;
    let mut end = 0;
    while let Some(c) = text.get(end..)?.chars().next() {
        if c == '[' {
            end += text.get(end..)?.find(']')? + 1;
        } else if is_symbol(c) {
            end += c.len_utf8();
        } else {
            break;
        }
    }
    (end > 0).then(|| text.split_at(end))
}

/// A key of a path, and where it begins.
struct Key {
    text: String,
    start: usize,
}

/// The keys of a path, without what leads to the top.
fn keys(token: &str) -> Vec<Key> {
    let (mut keys, mut at) = (Vec::new(), 0);
    while at < token.len() {
        let rest = token.get(at..).unwrap_or_default();
        let bracket = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'));
        if let Some((inner, _)) = bracket {
            keys.push(Key { text: inner.to_owned(), start: at + 1 });
            at += inner.len() + 2;
        } else {
            let word = rest.split(['.', '/', '[']).next().unwrap_or_default();
            if !word.is_empty() {
                keys.push(Key { text: word.to_owned(), start: at });
            }
            at += word.len().max(1);
            // Past the separator, unless a bracket comes.
            if !word.is_empty() && !token.get(at..).unwrap_or_default().starts_with('[') {
                at += 1;
            }
        }
    }
    let leads = keys.iter().take_while(|key| matches!(key.text.as_str(), "@root" | "this")).count();
    keys.split_off(leads)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a template where each parameter is shown as what it was found to be.
    fn shown(text: &str) -> String {
        let mut put = |found: &Reference| {
            let slot = match found.slot {
                Slot::Text { raw: false } => "",
                Slot::Text { raw: true } => "raw ",
                Slot::Argument => "arg ",
            };
            let nested = if found.nested { "nested " } else { "" };
            Ok(format!("<{nested}{slot}{}>", found.path.join(".")))
        };
        rewrite(text, "kitchen--", &mut put).unwrap_or_else(|wrong| format!("! {wrong}"))
    }

    #[test]
    fn parameters_are_found_wherever_they_stand() {
        for (text, result) in [
            ("to {{param.a}} and {{ param.b.c }}", "to <a> and <b.c>"),
            ("{{{param.a}}}{{&param.b}}", "<raw a><raw b>"),
            ("x {{~param.a~}} y", "x<a>y"),
            (
                "{{upper param.a}} {{date param.a \"LL\" timezone=param.z}}",
                "{{upper <arg a>}} {{date <arg a> \"LL\" timezone=<arg z>}}",
            ),
            (
                "{{#if (eq param.a \"param.b\")}}{{param.c}}{{else if param.d}}.{{/if}}",
                "{{#if (eq <arg a> \"param.b\")}}<c>{{else if <arg d>}}.{{/if}}",
            ),
            (
                "{{#each param.list}}{{param.a}}{{@root.param.b}}{{/each}}{{param.c}}",
                "{{#each <arg list>}}<nested a><nested b>{{/each}}<c>",
            ),
            ("{{param.[a b].0}}", "<a b.0>"),
            ("{{json {\"a\": {\"b\": 1}} param.c}}", "{{json {\"a\": {\"b\": 1}} <arg c>}}"),
        ] {
            assert_eq!(shown(text), result, "{text}");
        }
    }

    #[test]
    fn results_of_its_own_steps_get_the_prefix() {
        for (text, result) in [
            ("{{steps.call.status}}", "{{steps.kitchen--call.status}}"),
            ("{{#if @root.steps.[call].x}}{{/if}}", "{{#if @root.steps.[kitchen--call].x}}{{/if}}"),
            (
                "{{#each a}}{{steps.call}}{{@root.steps.call}}{{/each}}",
                "{{#each a}}{{steps.call}}{{@root.steps.kitchen--call}}{{/each}}",
            ),
            (
                "{{this.steps.call}} {{steps}} {{a.steps.call}}",
                "{{this.steps.kitchen--call}} {{steps}} {{a.steps.call}}",
            ),
        ] {
            assert_eq!(shown(text), result, "{text}");
        }
    }

    #[test]
    fn what_is_no_reference_stays() {
        for text in [
            "param.a {{a.param.b}} {{parameter.x}} {{upper \"param.a\"}} {{x param=1}}",
            "\\{{param.a}} {{!-- param.a }} {{param.b}} --}} {{! param.a }}",
            "{{{{raw}}}} {{param.a}} {{{{/raw}}}}",
            "{{param.a",
            "{{",
            "{{{{",
            "{{{{/",
            "{{\"",
            "{{[",
            "}} {{}}",
            "{{a.[param.b]}}",
        ] {
            assert_eq!(shown(text), text);
        }
        assert!(shown("{{json param}}").starts_with("! `param` alone"));
        assert_eq!(
            shown("{{#each steps}}{{this.status}}{{/each}}{{json steps}}"),
            "{{#each steps}}{{this.status}}{{/each}}{{json steps}}"
        );
        for text in ["{{lookup steps \"call\"}}", "{{#with @root.steps}}{{call.x}}{{/with}}"] {
            assert!(shown(text).contains("write `steps.ID`"), "{text}");
        }
    }

    #[test]
    fn a_single_tag_is_known() {
        assert_eq!(only_tag("{{a.b}}"), Some("a.b"));
        assert_eq!(only_tag("{{{ upper a }}}"), Some("upper a"));
        for text in ["{{a}}{{b}}", " {{a}}", "{{#if a}}", "{{!a}}", "{{{{a}}}}", "{{a", ""] {
            assert_eq!(only_tag(text), None, "{text}");
        }
        assert_eq!(only_path("a.[b c].0"), Some(vec!["a".into(), "b c".into(), "0".into()]));
        assert_eq!(only_path("upper a"), None);
    }
}
