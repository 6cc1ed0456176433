//! The runners as a page to read, `docs/runners.md`: made from their own comments and types, so
//! that it is never behind them.
//!
//! Promises: every runner with what it says of itself, every key with what it takes.
//! Called by: the command line (`schema --format markdown`), and a test that holds the page.

use std::{collections::BTreeMap, fmt::Write};

use rungs_runners::{AltNext, Kind};
use serde_json::{Map, Value};

use crate::{check::expect, schema::schema};

/// How many constants are listed at their key; more have a chapter of their own.
const LISTED: usize = 6;

const HEAD: &str = "\
# Runners

<!-- Made by `rungs schema --format markdown` from the runners themselves: change their comments in
runners/builtin/, and write it anew. -->

What a step can run. Strings in a config are Handlebars templates over the process's data, unless
it says otherwise. Runners of your own are described in [own-runners.md](own-runners.md).
";

/// The page about these runners.
pub fn markdown(kinds: &[Kind]) -> String {
    let mut page = HEAD.to_owned();
    let mut shared = BTreeMap::new();
    contents(kinds, &mut page);
    every_step(kinds, &mut shared, &mut page);
    for kind in kinds {
        runner(kind, &mut shared, &mut page);
    }
    for (name, (schema, root)) in shared {
        chapter(&name, &schema, &root, &mut page);
    }
    page.truncate(page.trim_end().len());
    page + "\n"
}

fn contents(kinds: &[Kind], page: &mut String) {
    page.push_str("\n| runner | |\n| --- | --- |\n");
    for kind in kinds {
        let about = (kind.about)();
        let first = about.split("\n\n").next().unwrap_or_default();
        let _ =
            writeln!(page, "| [`{0}`](#{1}) | {2} |", kind.name, anchor(kind.name), cell(first));
    }
}

/// The keys that steps have beside their config.
fn every_step(kinds: &[Kind], shared: &mut Shared, page: &mut String) {
    let root = schema(kinds);
    let Some(step) = root.pointer("/$defs/step") else { return };
    page.push_str("\n## Every step\n\n");
    let mut keys = step.clone();
    // Its values are the chapters below.
    if let Some(Value::Object(run)) = keys.pointer_mut("/properties/run") {
        run.shift_remove("anyOf");
        run.insert("type".to_owned(), Value::from("string"));
    }
    table(&keys, &root, shared, page);
}

/// Schemas that have chapters of their own, by name, each with the one it is a part of.
type Shared = BTreeMap<String, (Value, Value)>;

fn runner(kind: &Kind, shared: &mut Shared, page: &mut String) {
    let about = (kind.about)();
    let _ = write!(page, "\n## {}\n\n{}\n\n", kind.name, about.trim_end());
    let root = (kind.schema)();
    table(&root, &root, shared, page);
    let ways = match kind.alt_next {
        AltNext::Never => "It takes no `altNext`.",
        AltNext::Optional => {
            "It may answer `altNext`; a step that says none goes on with `next` then."
        }
        AltNext::Required => "A step of it says `altNext`.",
    };
    let _ = write!(page, "\n{ways}");
    if kind.delivers {
        page.push_str(
            " It sends something, so a step of it may say `onFailure`, `retry`, `inDoubt` and \
             `lateness`.",
        );
    }
    if !kind.literal.is_empty() {
        let keys: Vec<String> = kind.literal.iter().map(|key| format!("`{key}`")).collect();
        let _ = write!(page, " No template can stand for {}.", keys.join(", "));
    }
    page.push('\n');
}

/// The keys of a mapping.
fn table(schema: &Value, root: &Value, shared: &mut Shared, page: &mut String) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    if properties.is_empty() {
        return;
    }
    let required: Vec<&str> = match schema.get("required") {
        Some(Value::Array(keys)) => keys.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    page.push_str("| key | takes | |\n| --- | --- | --- |\n");
    let mut meanings = String::new();
    for (key, value) in properties.iter().filter(|(_, value)| value.is_object()) {
        let mut about = described(value, root);
        if required.contains(&key.as_str()) {
            about.push_str(" Required.");
        } else if let Some(default) = value.get("default").filter(|default| says_something(default))
        {
            let _ = write!(about, " Default: `{}`.", plain(default));
        }
        let takes = takes(value, root, shared);
        let _ = writeln!(page, "| `{key}` | {} | {} |", cell(&takes), cell(about.trim()));
        explain(key, value, root, &mut meanings);
    }
    if !meanings.is_empty() {
        let _ = write!(page, "\n{meanings}");
    }
}

fn says_something(default: &Value) -> bool {
    match default {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => true,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a key is for: what is said there, or at what it refers to.
fn described(value: &Value, root: &Value) -> String {
    let said =
        |schema: &Value| schema.get("description").and_then(Value::as_str).map(str::to_owned);
    said(value).or_else(|| said(expect::resolved(root, value))).unwrap_or_default()
}

/// What a key takes, in words, with links to chapters.
fn takes(value: &Value, root: &Value, shared: &mut Shared) -> String {
    let (items, is_list) = match value.get("items") {
        Some(items) => (items, true),
        None => (value, false),
    };
    let Some((name, target)) = reference(items, root).filter(|(_, target)| is_chapter(target))
    else {
        return expect::of(root, value).replace("something else", "anything");
    };
    remember(&name, target, root, shared);
    let link = format!("[{name}](#{})", anchor(&name));
    if is_list { format!("a list of {link}") } else { link }
}

/// Takes a schema among those with chapters, and those that it refers to itself.
fn remember(name: &str, target: &Value, root: &Value, shared: &mut Shared) {
    if shared.contains_key(name) {
        return;
    }
    shared.insert(name.to_owned(), (target.clone(), root.clone()));
    for value in properties(target).values() {
        takes(value, root, shared);
    }
}

/// The definition that a schema refers to, where it allows that and at most nothing beside.
fn reference<'v>(value: &'v Value, root: &'v Value) -> Option<(String, &'v Value)> {
    let direct = value.get("$ref").and_then(Value::as_str);
    let of_branches = || {
        let mut branches = value.get("anyOf")?.as_array()?.iter();
        branches.find_map(|branch| branch.get("$ref")?.as_str())
    };
    let target = direct.or_else(of_branches)?;
    let name = target.strip_prefix("#/$defs/")?;
    Some((name.to_owned(), root.pointer(target.strip_prefix('#')?)?))
}

/// Whether a definition is more than a word or two.
fn is_chapter(schema: &Value) -> bool {
    schema.get("properties").is_some() || constants(schema).len() > LISTED
}

/// The constants that a schema lists, each with what it means.
fn constants(schema: &Value) -> Vec<(&str, &str)> {
    let branches = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    branches
        .filter_map(|branch| {
            Some((branch.get("const")?.as_str()?, branch.get("description")?.as_str()?))
        })
        .collect()
}

/// What the few constants of a key mean.
fn explain(key: &str, value: &Value, root: &Value, meanings: &mut String) {
    let target = reference(value, root).map_or(value, |(_, target)| target);
    let constants = constants(target);
    if constants.is_empty() || constants.len() > LISTED {
        return;
    }
    let _ = writeln!(meanings, "`{key}`:\n");
    list(&constants, meanings);
    meanings.push('\n');
}

fn list(constants: &[(&str, &str)], page: &mut String) {
    for (constant, about) in constants {
        let _ = writeln!(page, "- `{constant}`: {}", about.replace('\n', " "));
    }
}

fn chapter(name: &str, schema: &Value, root: &Value, page: &mut String) {
    let about = described(schema, root);
    let _ = write!(page, "\n## {name}\n\n");
    if !about.is_empty() {
        let _ = write!(page, "{}\n\n", about.trim_end());
    }
    list(&constants(schema), page);
    table(schema, root, &mut BTreeMap::new(), page);
}

fn properties(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Text in a table: on one line, with no line of the table in it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn anchor(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use rungs_runners::builtin::KINDS;

    use super::*;
    use crate::check;

    #[test]
    fn the_page_in_docs_is_what_the_runners_say() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runners.md");
        let written = std::fs::read_to_string(page).unwrap();
        assert!(
            written == markdown(KINDS),
            "docs/runners.md is behind the runners. Write it anew:\n  \
             cargo run -- schema --format markdown > docs/runners.md"
        );
    }

    /// The examples in YAML that a text holds.
    fn examples(text: &str) -> Vec<&str> {
        let blocks = text.split("```yaml\n").skip(1);
        blocks.filter_map(|block| block.split("```").next()).collect()
    }

    #[test]
    fn every_runner_says_what_it_does_and_its_example_passes_the_check() {
        for kind in KINDS {
            let about = (kind.about)();
            assert!(about.len() > 20, "{} has no comment on its type", kind.name);
            let examples = examples(&about);
            assert!(!examples.is_empty(), "{} has no example in YAML", kind.name);
            for example in examples {
                let steps = example.lines().collect::<Vec<_>>().join("\n  ");
                let source = format!("sequence: example\nsteps:\n  {steps}\n");
                let checked = check(&source, KINDS);
                // An example is a part: it may name steps and calendars that are elsewhere.
                let elsewhere = ["unknown-step", "unreachable", "calendar"];
                let is_whole = |code: &str| !elsewhere.contains(&code);
                let errors: Vec<_> = checked
                    .diagnostics
                    .iter()
                    .filter(|one| one.is_error() && is_whole(one.code))
                    .collect();
                assert!(errors.is_empty(), "{}: {errors:#?}\n{source}", kind.name);
            }
        }
    }
}
