use proptest::prelude::*;

use super::*;

/// The tree in few characters: `{key: value}`, `[item]`, texts as they are, `_` for nothing.
fn told(node: &Node) -> String {
    match &node.data {
        Data::Nothing => "_".to_owned(),
        Data::Text(text) => text.clone(),
        Data::List(items) => {
            format!("[{}]", items.iter().map(told).collect::<Vec<_>>().join(", "))
        }
        Data::Mapping(entries) => {
            let each = entries.iter().map(|entry| {
                let colon = if entry.colon { ": " } else { "? " };
                format!("{}{colon}{}", entry.key, told(&entry.value))
            });
            format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
        }
    }
}

fn tree(source: &str) -> String {
    told(&read(source))
}

#[test]
fn what_is_yaml_is_read_as_such() {
    for (source, expected) in [
        (
            "sequence: a # b\nsteps:\n  - id: x\n    config: { to: \"{{a}}\", n: [1, 2] }\n  - id: y\n",
            "{sequence: a, steps: [{id: x, config: {to: {{a}}, n: [1, 2]}}, {id: y}]}",
        ),
        (
            "steps:\n- id: x\n  next: y\n- id: y\ninput: {}",
            "{steps: [{id: x, next: y}, {id: y}], input: {}}",
        ),
        ("a: |\n  one\n  two: three\nb: 'it''s'", "{a:   one\n  two: three, b: it''s}"),
        ("a:\n  b: \"one\n    two\"\n  c: d", "{a: {b: one\n    two, c: d}}"),
        ("---\n# c\na: &x 1\nb: *x\n\"c d\": ~", "{a: 1, b: *x, c d: ~}"),
        ("a:\r\n  - b: c\r\n    d: e\r\n", "{a: [{b: c, d: e}]}"),
        (
            "then:\n  - +3m: ring to +385\n  - \"21:35\": ring",
            "{then: [{+3m: ring to +385}, {21:35: ring}]}",
        ),
        ("- - a\n  - b\n-\n  c: d\n", "[[a, b], {c: d}]"),
        ("{\"a\":1,\"b\":[{\"c\":null}]}", "{a: 1, b: [{c: null}]}"),
    ] {
        assert_eq!(tree(source), expected, "{source}");
    }
}

#[test]
fn a_line_in_the_making_costs_that_line() {
    for (source, expected) in [
        (
            "steps:\n  - id: x\n    ru\n    next: y\n  - id: y",
            "{steps: [{id: x, ru? _, next: y}, {id: y}]}",
        ),
        (
            "steps:\n  - id: x\n    run:\n    next: y\n  - ",
            "{steps: [{id: x, run: _, next: y}, _]}",
        ),
        (
            "steps:\n  - id: x\n    config: { to: \"{{a, n\n    next: y\n  - id: y",
            "{steps: [{id: x, config: {to: {{a, n}, next: y}, {id: y}]}",
        ),
        (
            "steps:\n  - id: x\n    config: { a: 1, b\n  - id: y",
            "{steps: [{id: x, config: {a: 1, b? _}}, {id: y}]}",
        ),
        ("a: {{b}}\nc: { d: {{e}} }", "{a: {{b}}, c: {d: {{e}}}}"),
        ("steps:\n  - id: x\n      what\n    next: y", "{steps: [{id: x, what? _, next: y}]}"),
        ("  a: 1\nb: 2\n", "{a: 1, b: 2}"),
        ("word\na: 1", "{a: 1}"),
        ("a: \"never\nb: 1", "{a: never, b: 1}"),
        ("c:\n  a: \"never\n  b: \"x\"", "{c: {a: never, b: x}}"),
        ("steps:\n  - id: x\n  ru", "{steps: [{id: x}, ru]}"),
    ] {
        assert_eq!(tree(source), expected, "{source}");
    }
}

#[test]
fn hostile_sources_are_read_in_a_moment() {
    for source in [
        "[".repeat(1 << 20),
        "{".repeat(1 << 20),
        "- ".repeat(1 << 19),
        "&a\n".repeat(300_000),
        format!("{{{}", "a,".repeat(500_000)),
        "a: \"\n  'b\n".repeat(100_000),
        "a:\n".repeat(300_000),
        (0..1000).fold(String::new(), |text, n| format!("{text}{}a:\n", " ".repeat(n))),
        "\u{feff}".repeat(100_000),
        "? a\n: b\n".repeat(100_000),
    ] {
        read(&source);
    }
}

fn spans_fit(node: &Node, source: &str) {
    assert!(source.get(node.span.clone()).is_some(), "{:?} of {source:?}", node.span);
    for item in node.items() {
        spans_fit(item, source);
    }
    for entry in node.entries() {
        assert_eq!(source.get(entry.key_span.clone()), Some(entry.key.as_str()), "{source:?}");
        spans_fit(&entry.value, source);
    }
}

proptest! {
    #[test]
    fn every_source_has_an_outline(source in "[ \n:#\"'{}\\[\\]|>&!,a-c\u{e9}\u{1f600}-]{0,80}") {
        spans_fit(&read(&source), &source);
    }
}
