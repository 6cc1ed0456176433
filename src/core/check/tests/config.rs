//! Configs against the schemas of their runners.

use super::*;

#[test]
fn what_fits_passes() {
    says_of_config(
        "{ text: a, number: 1.5, count: 255, big: 4294967295, flag: true, unit: hours, \
         addresses: [a, b], operand: { type: raw, value: [1, { a: null }] }, values: [1], \
         tree: { all: [{ command: eq, value: { type: get, value: a } }] } }",
        &[],
    );
    says_of_config("{ text: null, unit: ~ }", &[]);
    says_of_steps("  - { id: a, run: Picky }\n  - { id: b, run: Picky, config: }", &[]);
}

#[test]
fn a_wrong_type_is_told_from_what_was_expected() {
    for (config, column, part) in [
        ("{ text: 5 }", 9, "expected a string, found the number 5"),
        ("{ text: [a] }", 9, "expected a string, found a list"),
        ("{ number: abc }", 11, "expected a number, found the text `abc`"),
        ("{ count: 1.5 }", 10, "expected a whole number, found the number 1.5"),
        ("{ flag: 'true' }", 9, "expected true or false, found the text `true`"),
        ("{ addresses: 5 }", 14, "expected a string or a list of strings, found the number 5"),
        ("{ addresses: [a, 5] }", 18, "expected a string, found the number 5"),
        ("{ operand: get }", 12, "expected a mapping, found the text `get`"),
        ("{ values: 5 }", 11, "expected a list of whole numbers, found the number 5"),
        ("{ values: [1, x] }", 15, "expected a whole number, found the text `x`"),
        ("[]", 1, "expected a mapping, found a list"),
    ] {
        says_of_config(config, &[("wrong-type", column, part)]);
    }
}

#[test]
fn a_number_for_text_and_text_for_a_number_get_their_quotes_told() {
    let help = |config: &str| {
        helps(&with_steps(&format!("  - {{ id: a, run: Picky, config: {config} }}")))
    };
    // YAML reads a phone number as a number and drops its plus.
    assert_eq!(help("{ text: +385911234567 }"), ["write it in quotes: \"+385911234567\""]);
    assert_eq!(help("{ text: 007 }"), ["write it in quotes: \"007\""]);
    assert_eq!(help("{ count: '5' }"), ["write it without quotes: 5"]);
    assert_eq!(help("{ flag: 'true' }"), ["write it without quotes: true"]);
}

#[test]
fn ranges_are_held() {
    for (config, column, part) in [
        ("{ count: 256 }", 10, "expected at most 255, found the number 256"),
        ("{ count: -1 }", 10, "expected at least 0"),
        ("{ big: 4294967296 }", 8, "expected at most 4294967295"),
        ("{ values: [] }", 11, "at least one entry"),
    ] {
        says_of_config(config, &[("out-of-range", column, part)]);
    }
}

#[test]
fn one_of_several_words_is_guessed() {
    let config = "{ unit: minute }";
    says_of_config(
        config,
        &[("not-one-of", 9, "expected `minutes` or `hours`, found the text `minute`")],
    );
    let source = with_steps(&format!("  - {{ id: a, run: Picky, config: {config} }}"));
    assert_eq!(helps(&source), ["did you mean `minutes`?"]);
    says_of_config(
        "{ operand: { type: gett, value: a } }",
        &[("not-one-of", 20, "expected `get` or `raw`, found the text `gett`")],
    );
}

#[test]
fn of_very_many_words_the_sentence_names_a_few_and_the_help_all() {
    let steps = "  - { id: a, run: WaitForDuration, config: { amount: 1, unit: minuts } }";
    let source = with_steps(steps);
    says(&source, &[("not-one-of", 3, 63, "`months` or another of 18, found the text `minuts`")]);
    let help = &helps(&source)[0];
    assert!(help.starts_with("did you mean `minutes`? (known words: years, "), "{help}");
}

#[test]
fn unknown_and_missing_keys_are_told_at_every_depth() {
    says_of_config("{ txt: a }", &[("unknown-key", 3, "`txt`")]);
    says_of_config("{ operand: { type: get } }", &[("missing-key", 3, "`value` is missing")]);
    says_of_config(
        "{ operand: { type: get, value: a, valu: b } }",
        &[("unknown-key", 35, "`valu`")],
    );
    // The branch that comes nearest to what is there speaks for itself.
    says_of_config(
        "{ tree: { all: [{ command: eq, value: { type: get, value: 5 } }] } }",
        &[("wrong-type", 59, "expected a string")],
    );
    says_of_config(
        "{ tree: { command: eq, valu: 1 } }",
        &[("missing-key", 3, "`value` is missing"), ("unknown-key", 24, "`valu`")],
    );
    says_of_steps(
        "  - id: a\n    run: Phone\n  - id: b\n    run: Phone\n    config:\n      say: hi",
        &[("missing-key", 3, 5, "`to` is missing"), ("missing-key", 7, 5, "`to` is missing")],
    );
    let help = helps(&with_steps("  - { id: a, run: GoTo, config: { times: 1 } }"));
    assert_eq!(help, ["`step` takes a string: Id of the step to go to."]);
}

#[test]
fn a_template_stands_for_a_value_that_nobody_knows_yet() {
    says_of_config(
        "{ number: '{{a}}', count: '{{a}}', flag: '{{a}}', unit: '{{a}}', \
         addresses: ['{{a}}', b], operand: '{{a}}', tree: { all: ['{{a}}'] }, values: ['{{a}}'] }",
        &[],
    );
    says_of_config("{ operand: { type: '{{a}}', value: 5 } }", &[]);
    says_of_config("{ addresses: ['{{a}}', 5] }", &[("wrong-type", 24, "expected a string")]);
    says_of_config("{ unit: '{a}' }", &[("not-one-of", 9, "`{a}`")]);
}

#[test]
fn a_template_has_no_place_under_a_literal_key() {
    says_of_config("{ fixed: '{{a}}' }", &[("literal", 10, "`fixed` cannot be a template")]);
    says_of_steps(
        "  - { id: a, run: GoTo, config: { step: '{{a}}', times: '{{b}}' } }",
        &[("literal", 3, 41, "`step`"), ("literal", 3, 57, "`times`")],
    );
}

#[test]
fn what_only_the_runner_knows_is_told_as_well() {
    says_of_config("{ forbidden: fruit }", &[("config", 14, "fruit is out of the question")]);
    says_of_config(
        "{ txt: a, text: '{{#if}' }",
        &[("unknown-key", 3, "`txt`"), ("config", 17, "this template does not parse")],
    );
}

#[test]
fn many_mistakes_in_one_config_are_all_told() {
    says_of_config(
        "{ count: x, unit: y, zz: 1, number: {} }",
        &[
            ("wrong-type", 10, "a whole number"),
            ("not-one-of", 19, "`y`"),
            ("unknown-key", 22, "`zz`"),
            ("wrong-type", 37, "expected a number, found a mapping"),
        ],
    );
}
