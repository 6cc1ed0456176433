//! Diagnostics as people and machines read them.

use super::*;
use crate::{InFile, render};

const SOURCE: &str = "\
sequence: x
input: { properties: { name: {} }, requird: [name] }
steps:
  - id: ring
    run: phone
\t# ü
  - { id: b, run: Nap, \"č\": 1, next: bb }
  - id: text
    run: Phone
    config:
      to: |
        +385
        1
      ringFor:
        - 1
        - 2
";

#[test]
fn an_error_looks_as_compilers_write_it() {
    let checked = check(SOURCE, &kinds());
    let rendered: Vec<String> =
        checked.diagnostics.iter().map(|d| render(d, "ladder.yml", SOURCE, false)).collect();
    let known = kinds().iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
    let expected = format!(
        "\
error[unknown-runner]: there is no runner `phone`
 --> ladder.yml:5:10
  |
5 |     run: phone
  |          ^^^^^
  |
  = help: did you mean `Phone`? (known runners: {known})
error[unknown-key]: there is no key `č` here
 --> ladder.yml:7:24
  |
7 |   - {{ id: b, run: Nap, \"č\": 1, next: bb }}
  |                        ^^^
  |
  = help: known keys: id, run, config, next, altNext, onFailure, retry, inDoubt, lateness, quietHours
error[unknown-step]: there is no step `bb`
 --> ladder.yml:7:38
  |
7 |   - {{ id: b, run: Nap, \"č\": 1, next: bb }}
  |                                      ^^
  |
  = help: did you mean `b`? (known steps: ring, b, text, end)
error[wrong-type]: expected a whole number, found a list
  --> ladder.yml:15:9
   |
15 |         - 1
   |         ^^^"
    );
    assert_eq!(rendered.join("\n"), expected);
}

#[test]
fn a_tab_before_the_place_moves_nothing() {
    let source =
        "{\n\t\"sequence\":\t\"x y\",\n\t\"steps\": [{\"id\": \"a\", \"run\": \"Nap\"}]\n}";
    let checked = check(source, &kinds());
    let rendered = render(&checked.diagnostics[0], "a.json", source, false);
    let expected = "\
error[name]: `x y` cannot be the name of a sequence
 --> a.json:2:14
  |
2 |     \"sequence\":    \"x y\",
  |                    ^^^^^
  |
  = help: up to 100 letters, digits, `-`, `_` and `.`, beginning with a letter or a digit";
    assert_eq!(rendered, expected);
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let checked = check("sequence: x y\nsteps: [{ id: a, run: Nap }]", &kinds());
    let found = &checked.diagnostics[0];
    assert!(render(found, "x.yml", "sequence: x y", true).contains("\u{1b}["));
    assert!(!render(found, "x.yml", "sequence: x y", false).contains('\u{1b}'));
}

#[test]
fn what_an_author_wrote_cannot_paint_the_terminal() {
    let source = "sequence: \"\\e[31mred\"\nsteps: [{ id: a, run: Nap }]";
    let checked = check(source, &kinds());
    assert!(!render(&checked.diagnostics[0], "x.yml", source, false).contains('\u{1b}'));
}

#[test]
fn an_endless_line_is_not_shown() {
    let source = format!("sequence: {}\nsteps: [{{ id: a, run: Nap }}]", "x".repeat(100_000));
    let checked = check(&source, &kinds());
    let rendered = render(&checked.diagnostics[0], "x.yml", &source, false);
    assert!(rendered.len() < 1000 && rendered.contains("x.yml:1:11"), "{rendered}");
}

#[test]
fn a_byte_order_mark_inside_is_a_place_like_any() {
    let source = "---\n\u{feff}{{é";
    let checked = check(source, &kinds());
    assert!(render(&checked.diagnostics[0], "x.yml", source, false).contains("x.yml:2:1"));
}

#[test]
fn machines_get_every_field() {
    let checked = check("sequence: x y\nsteps: [{ id: a, run: Nap }]", &kinds());
    let json = serde_json::to_value(InFile { file: "x.yml", diagnostic: &checked.diagnostics[0] })
        .unwrap();
    let expected = serde_json::json!({
        "file": "x.yml",
        "severity": "error",
        "code": "name",
        "message": "`x y` cannot be the name of a sequence",
        "pointer": "/sequence",
        "line": 1,
        "column": 11,
        "help":
            "up to 100 letters, digits, `-`, `_` and `.`, beginning with a letter or a digit",
    });
    assert_eq!(json, expected);
}
