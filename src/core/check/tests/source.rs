//! From text to a tree.

use super::*;

#[test]
fn a_source_that_is_no_sequence_gets_one_clear_answer() {
    for (source, code, line, column, part) in [
        ("", "empty", 1, 1, "no sequence"),
        ("   \n\t\n", "empty", 1, 1, "no sequence"),
        ("# only a comment\n", "empty", 1, 1, "no sequence"),
        ("---\n", "empty", 1, 1, "no sequence"),
        ("- a\n- b\n", "wrong-type", 1, 1, "found a list"),
        ("hello", "wrong-type", 1, 1, "found the text `hello`"),
        ("a: b\0c", "not-text", 1, 5, "U+0000"),
        ("a: 1\n---\nb: 2\n", "documents", 2, 1, "several documents"),
    ] {
        says(source, &[(code, line, column, part)]);
    }
}

#[test]
fn what_is_not_utf_8_is_refused_where_it_begins() {
    let checked = check_bytes(b"sequence: x\nsteps: \xff\xfe", &kinds());
    let [found] = &checked.diagnostics[..] else { panic!("{:?}", checked.diagnostics) };
    assert_eq!((found.code, found.line, found.column), ("not-text", 2, 8));
}

#[test]
fn a_syntax_error_is_said_in_words_at_its_place() {
    for (source, line, column, part) in [
        ("a: b: c", 1, 5, "a `:` cannot stand here"),
        ("a:\n\t- b\n", 2, 2, "a tab cannot indent"),
        ("a: @b", 1, 4, "a text cannot begin with `@`"),
        ("a: *b", 1, 4, "no `&` with this name"),
        ("a: \"\\q\"", 1, 4, "no such escape"),
        ("a: {b: 1", 1, 4, "this `{` is not closed"),
        ("a:\n  b: 1\n c: 2\n", 3, 2, "does not line up"),
        ("a: 'b' c", 1, 8, "behind the closing quote"),
    ] {
        says(source, &[("yaml", line, column, part)]);
    }
}

#[test]
fn a_template_without_quotes_is_told_from_a_mapping() {
    let source = "sequence: x\nsteps:\n  - { id: a, run: Shout, config: { to: {{phone}} } }";
    says(source, &[("unquoted-template", 3, 40, "needs quotes")]);
    assert_eq!(helps(source), ["\"{{phone}}\""]);
    says("a: { b: Hello {{name}} }", &[("yaml", 1, 15, "expected a `,` or `}`")]);
    assert!(helps("a: { b: Hello {{name}} }")[0].contains("needs quotes"));
    says("a: {{phone}} and more", &[("unquoted-template", 1, 4, "needs quotes")]);
}

#[test]
fn every_duplicate_key_is_found_wherever_it_stands() {
    let source = "\
sequence: x
sequence: y
input: { type: object, type: object }
steps:
  - id: a
    run: Shout
    id: b
    config: { to: x, to: y, to: z }
";
    says(
        source,
        &[
            ("duplicate-key", 2, 1, "`sequence` stands here a second time"),
            ("duplicate-key", 3, 24, "`type`"),
            ("duplicate-key", 7, 5, "`id`"),
            ("duplicate-key", 8, 22, "`to`"),
            ("duplicate-key", 8, 29, "`to`"),
        ],
    );
    assert!(helps(source)[0].contains("line 1"));
}

#[test]
fn keys_are_names() {
    says_of_steps(
        "  - { id: a, run: Nap, config: { 1: x, null: y, [z]: 1 } }",
        &[
            ("key-type", 3, 34, "found the number 1"),
            ("key-type", 3, 40, "found nothing"),
            ("key-type", 3, 49, "found a list"),
        ],
    );
    says_of_steps("  - { id: a, run: Nap, yes: x }", &[("unknown-key", 3, 24, "`yes`")]);
}

#[test]
fn numbers_without_a_value_are_refused_and_nothing_is_said_of_them_twice() {
    says_of_config("{ number: .inf }", &[("number", 11, "`.inf` is not a finite number")]);
    says_of_config("{ number: 1e999 }", &[("number", 11, "`1e999` is not a finite number")]);
}

#[test]
fn tags_mean_nothing_except_yamls_own() {
    says_of_config("{ text: !secret x }", &[("tag", 9, "`!secret`")]);
    says_of_config("{ addresses: !set [x] }", &[("tag", 14, "`!set`")]);
    says_of_config("{ text: !!str 385 }", &[]);
    says_of_config("{ count: !!int 7 }", &[]);
}

#[test]
fn yes_and_no_are_text() {
    says_of_config("{ text: yes }", &[]);
    says_of_config(
        "{ flag: yes }",
        &[("wrong-type", 9, "expected true or false, found the text `yes`")],
    );
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let source = "\
sequence: x
steps:
  - &call
    id: a
    run: Shout
    config: &config { to: '1', say: hello }
  - <<: *call
    id: b
    config: { <<: *config, to: '2' }
  - { id: c, run: Shout, config: { <<: [{ to: '3' }, *config], language: en } }
";
    let sequence = check(source, &kinds()).sequence.unwrap();
    let ids: Vec<&str> = sequence.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    says(source, &[]);
}

#[test]
fn a_mistake_under_an_anchor_is_told_once_where_it_stands() {
    let source = "\
sequence: x
steps:
  - { id: a, run: Shout, config: &config { to: '1', sag: hello } }
  - { id: b, run: Shout, config: *config }
";
    says(source, &[("unknown-key", 3, 53, "`sag`")]);
}

#[test]
fn what_cannot_be_merged_or_repeated_is_told() {
    says_of_steps(
        "  - { id: a, run: Nap, <<: 5 }\n  - &b { id: b, run: Nap, config: *b }",
        &[("merge", 3, 28, "the number 5"), ("alias", 4, 35, "inside the value that it repeats")],
    );
}

#[test]
fn a_billion_laughs_are_cut_short() {
    let nine = |n: usize| vec![format!("*a{n}"); 9].join(", ");
    let laughs = times(9, |n| format!("a{}: &a{} [{}]\n", n + 1, n + 1, nine(n)));
    let source = format!("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n{laughs}");
    let checked = check(&source, &kinds());
    assert_eq!(checked.diagnostics.len(), 1, "{}", shown(&source, &checked));
    assert_eq!(checked.diagnostics[0].code, "too-large");
}

#[test]
fn a_text_that_aliases_multiply_is_cut_short() {
    let source = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(20));
    says(&source, &[("too-large", 2, 29, "bytes of text")]);
}

#[test]
fn an_alias_cannot_dig_deeper_than_the_limit() {
    let source = times(200, |n| {
        format!(
            "a{n}: &a{n} [{}]\n",
            match n {
                0 => "x".to_owned(),
                _ => format!("*a{}", n - 1),
            }
        )
    });
    let checked = check(&source, &kinds());
    assert_eq!(checked.diagnostics.len(), 1);
    assert!(checked.diagnostics[0].message.contains("deep"), "{}", shown(&source, &checked));
}

#[test]
fn nesting_and_length_have_limits() {
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    says(&deep, &[("too-large", 1, 68, "more than 64 deep")]);
    let deepest = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    says(&deepest, &[("too-large", 1, 259, "too deep in each other")]);
    let wide = format!("a: [{}]", "1,".repeat(200_000));
    let checked = check(&wide, &kinds());
    assert_eq!(checked.diagnostics[0].code, "too-large");
    let long = format!("a: {}", "x".repeat(2 * 1024 * 1024));
    says(&long, &[("too-large", 1, 1, "2097155 bytes")]);
}

#[test]
fn columns_count_characters() {
    says_of_steps(
        "  - { id: a, run: Shout, config: { to: 'čšž 🎉', sag: x } }",
        &[("unknown-key", 3, 49, "`sag`")],
    );
    says(
        "\u{feff}sequenc: x\nsteps: [{ id: a, run: Nap }]",
        &[("unknown-key", 1, 1, "`sequenc`"), ("missing-key", 1, 1, "`sequence`")],
    );
}

#[test]
fn json_is_yaml_too() {
    let source = "{\n\t\"sequence\": \"x\",\n\t\"steps\": [{\"id\":\"a\",\"run\":\"Shout\",\"config\":{\"to\":\"\\ud83d\\ude00\\/\"}}]\n}";
    says(source, &[]);
    says(&source.replace("Shout", "Shot"), &[("unknown-runner", 3, 28, "`Shot`")]);
}

#[test]
fn a_json_value_is_checked_with_pointers_into_it() {
    let value = serde_json::json!({
        "sequence": "x",
        "steps": [
            { "id": "a", "run": "Shout", "config": { "to": "1", "say": "line\none \u{7f}\u{85}\u{feff}" } },
            { "id": "b", "run": "Shout", "config": { "to": 5 } },
        ],
    });
    let checked = check_value(&value, &kinds());
    let [found] = &checked.diagnostics[..] else { panic!("{:?}", checked.diagnostics) };
    assert_eq!((found.code, found.pointer.as_str()), ("wrong-type", "/steps/1/config/to"));
}
