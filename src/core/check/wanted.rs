//! What a text names and does not hold: fragments and calendars. It may be wrong in any way;
//! that is for the check to say, once the files are there.

use super::{
    compose::compose_all,
    node::{Data, Node},
    report::Report,
};
use crate::files::{Wanted, is_path, resolve};

/// What the text of the file at `path` wants, each once. A source that carries its files wants
/// nothing.
pub(crate) fn wanted(text: &str, path: &str) -> Vec<Wanted> {
    // Most sequences name nothing, and are read but once.
    if !text.contains("./") && !text.contains("calendar") {
        return Vec::new();
    }
    let documents = compose_all(&mut Report::new(text)).unwrap_or_default();
    let [root] = documents.as_slice() else { return Vec::new() };
    let mut found = Vec::new();
    let runs = steps(root).iter().filter_map(|step| step.entry("run")?.value.text());
    let paths = runs.filter(|run| is_path(run)).filter_map(|run| resolve(path, run));
    found.extend(paths.map(Wanted::Fragment));
    let own = root.entry("calendars").map(|entry| &entry.value);
    calendars(root, &mut |name| {
        if own.is_none_or(|own| own.entry(name).is_none()) && is_name(name) {
            found.push(Wanted::Calendar(name.to_owned()));
        }
    });
    found.sort();
    found.dedup();
    found
}

fn steps(root: &Node) -> &[Node] {
    match root.entry("steps").map(|entry| &entry.value.data) {
        Some(Data::List(steps)) => steps,
        _ => &[],
    }
}

/// Every text under a key `calendar`, or that a parameter of that name has by default.
fn calendars(node: &Node, found: &mut impl FnMut(&str)) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| calendars(item, found)),
        Data::Mapping(entries) => {
            for entry in entries {
                if entry.key == "calendar" {
                    let default = entry.value.entry("default").map(|entry| &entry.value);
                    if let Some(name) = entry.value.text().or(default.and_then(Node::text)) {
                        found(name);
                    }
                }
                calendars(&entry.value, found);
            }
        }
        _ => {}
    }
}

/// Whether a calendar can be called so: its name is that of a file.
fn is_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_and_calendars_are_named_anywhere() {
        let text = r#"
calendars: { own: {} }
quietHours: { calendar: holidays }
steps:
  - { id: a, run: ../shared/ring.yml, config: { calendar: "{{x}}", say: "./no.yml" } }
  - { id: b, run: WaitForWindow, config: { calendar: business-hours } }
  - { id: c, run: WaitForWindow, config: { calendar: own, deep: [{ calendar: ../x }] } }
  - { id: d, run: ./ring.yml }
"#;
        let fragment = |path: &str| Wanted::Fragment(path.into());
        let calendar = |name: &str| Wanted::Calendar(name.into());
        assert_eq!(
            wanted(text, "sub/x.yml"),
            [
                fragment("shared/ring.yml"),
                fragment("sub/ring.yml"),
                calendar("business-hours"),
                calendar("holidays")
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_wants_nothing() {
        for text in ["", "[./]", "steps: [{ run: ./a.yml", "\u{1}./", "steps: ./a.yml"] {
            assert_eq!(wanted(text, ""), [], "{text}");
        }
    }
}
