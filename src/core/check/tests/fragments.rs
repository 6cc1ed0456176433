//! Sequences that run fragments: what they come to, and what is said of which file.

use super::*;
use crate::{File, Files, Target, Wanted, check_fragment, check_with};

mod limits;
mod operands;

const RING: &str = r#"fragment: ring
parameters:
  required: [phone]
  properties:
    phone: { type: string }
    text: { type: string, default: Hello }
    minutes: { type: integer, default: 5 }
steps:
  - { id: call, run: Phone, config: { to: "{{param.phone}}", say: "{{param.text}}, {{name}}", await: answered }, altNext: retry }
  - { id: ok, run: WaitForDuration, config: { amount: "{{param.minutes}}", unit: minutes }, next: end }
  - { id: retry, run: GoTo, config: { step: call, times: 2 }, next: altNext }
"#;

/// The files by their paths, as a folder would hold them.
fn gathered(source: &str, files: &[(&str, &str)]) -> Files {
    Files::gather(source, |wanted| {
        let path = match wanted {
            Wanted::Fragment(path) => path.clone(),
            Wanted::Calendar(name) => format!("calendars/{name}.yml"),
        };
        let (_, text) = files.iter().find(|(known, _)| *known == path)?;
        Some(File { path, text: Ok((*text).to_owned()) })
    })
}

fn sequence_of(steps: &str) -> String {
    format!("sequence: s\nsteps:{steps}")
}

fn checked(source: &str, files: &[(&str, &str)]) -> Checked {
    check_with(source, &gathered(source, files), &kinds())
}

/// Each step with where it leads: `id next altNext`.
fn ways(checked: &Checked) -> Vec<String> {
    let sequence =
        checked.sequence.as_ref().unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let name = |target: Target| match target {
        Target::Step(at) => sequence.steps[at].id.clone(),
        Target::End => "end".into(),
    };
    let each = sequence.steps.iter().map(|step| {
        let jump = step.config.jump().map(|jump| format!(" jumps {}", jump.to)).unwrap_or_default();
        let alt = step.alt_next.map(|alt| format!(" alt {}", name(alt))).unwrap_or_default();
        format!("{} {}{alt}{jump}", step.id, name(step.next))
    });
    each.collect()
}

/// What is said: rule, file (empty for the source), line, column, a part of the message.
#[track_caller]
fn finds(source: &str, files: &[(&str, &str)], expected: &[(&str, &str, usize, usize, &str)]) {
    let checked = checked(source, files);
    let found: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|d| (d.code, d.file(""), d.line, d.column, d.message.clone()))
        .collect();
    let fits = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            (found.0, found.1.as_str(), found.2, found.3)
                == (expected.0, expected.1, expected.2, expected.3)
                && found.4.contains(expected.4)
        });
    assert!(fits, "expected {expected:#?}\nfound {found:#?}");
}

#[test]
fn the_steps_of_a_fragment_take_the_place_of_the_step_that_runs_it() {
    let source = sequence_of(
        r#"
  - { id: grace, run: Nap, next: kitchen }
  - { id: kitchen, run: ./shared/ring.yml, config: { phone: "{{restaurant.phone}}" }, altNext: text }
  - { id: settle, run: Nap, next: end }
  - { id: text, run: Nap }
  - { id: again, run: GoTo, config: { step: kitchen, times: 3 } }
"#,
    );
    let checked = checked(&source, &[("shared/ring.yml", RING)]);
    assert_eq!(
        ways(&checked),
        [
            "grace kitchen--call",
            "kitchen--call kitchen--ok alt kitchen--retry",
            "kitchen--ok settle",
            "kitchen--retry text jumps kitchen--call",
            "settle end",
            "text again",
            "again end jumps kitchen--call",
        ]
    );
}

#[test]
fn without_an_alt_next_a_fragment_is_left_below() {
    let source = sequence_of(
        r#"
  - { id: a, run: ./ring.yml, config: { phone: "{{a}}" }, next: c }
  - { id: b, run: Nap }
  - { id: c, run: ./ring.yml, config: { phone: "{{b}}" }, altNext: b }
"#,
    );
    assert_eq!(
        ways(&checked(&source, &[("ring.yml", RING)])),
        [
            "a--call a--ok alt a--retry",
            "a--ok c--call",
            "a--retry c--call jumps a--call",
            "b c--call",
            "c--call c--ok alt c--retry",
            "c--ok end",
            "c--retry b jumps c--call",
        ]
    );
}

#[test]
fn a_last_step_that_says_nothing_leads_to_the_next_of_the_step_that_runs_it() {
    let fragment = "fragment: f\nsteps: [{ id: a, run: Nap }, { id: b, run: Nap }]";
    let outer =
        "fragment: g\nsteps: [{ id: x, run: ./f.yml }, { id: y, run: ../in/f.yml, next: end }]";
    let source = sequence_of(
        "
  - { id: one, run: ./in/g.yml, next: three }
  - { id: two, run: Nap, next: end }
  - { id: three, run: Nap, next: two }
",
    );
    assert_eq!(
        ways(&checked(&source, &[("in/f.yml", fragment), ("in/g.yml", outer)])),
        [
            "one--x--a one--x--b",
            "one--x--b one--y--a",
            "one--y--a one--y--b",
            "one--y--b three",
            "two end",
            "three two",
        ]
    );
}

#[test]
fn parameters_and_own_results_are_put_into_templates_and_conditions() {
    let fragment = r#"fragment: f
parameters: { properties: { status: {}, limit: { default: 3 }, hours: {}, who: {} } }
steps:
  - id: which
    run: Conditional
    config:
      all:
        - { lodashCommand: eq, value: { type: get, value: param.status }, compareTo: { type: get, value: param.limit } }
        - { lodashCommand: eq, value: { type: get, value: steps.call.status }, compareTo: { type: raw, value: "{{steps.call.status}}" } }
        - { lodashCommand: eq, value: { type: jsonpath, value: $.steps.call.status }, compareTo: { type: get, value: steps.other } }
    altNext: end
  - { id: call, run: WaitForDateComparison, config: { attribute: hour, values: "{{param.hours}}" } }
"#;
    let source = sequence_of(
        r#"
  - { id: k, run: ./f.yml, config: { status: "{{order.status}}", hours: [9, 10] } }
"#,
    );
    let checked = checked(&source, &[("f.yml", fragment)]);
    let sequence = checked.sequence.unwrap();
    assert_eq!(sequence.steps.len(), 2);
    let read: Vec<String> =
        sequence.steps[0].config.uses().iter().map(|(_, path, _)| path.join(".")).collect();
    assert_eq!(read, ["steps.k--call.status"]);
    let data = serde_json::json!({ "order": { "status": 3 } });
    let steps = serde_json::json!({ "k--call": { "status": "" }, "k--other": "" });
    let outcome = visited(&sequence, &data, &steps);
    assert!(outcome.message.contains("order.status is 3"), "{}", outcome.message);
    assert!(outcome.message.contains("k--call"), "{}", outcome.message);
}

/// What the first step answers.
fn visited(
    sequence: &Sequence,
    data: &serde_json::Value,
    steps: &serde_json::Value,
) -> rungs_runners::Outcome {
    let events = serde_json::json!({});
    let data = data.as_object().unwrap();
    let scope = rungs_runners::Scope::new(data, || serde_json::json!({}), steps, &events);
    let visit = Visit {
        now: chrono::DateTime::UNIX_EPOCH,
        timezone: chrono_tz::UTC,
        entered_at: chrono::DateTime::UNIX_EPOCH,
        stay: 1,
        delivery: None,
        stirred: false,
        heard: rungs_runners::Heard::default(),
        calendars: &sequence.calendars,
        scope: &scope,
    };
    sequence.steps[0].config.visit(&visit).unwrap()
}

#[test]
fn wrong_parameters_are_told_where_they_are_given() {
    let source = sequence_of(
        r#"
  - { id: a, run: ./ring.yml }
  - { id: b, run: ./ring.yml, config: { phone: 1, txt: Hi } }
  - { id: c, run: ./ring.yml, config: { phone: "{{#if}}", minutes: "{{m}}" }, retry: {}, altNext: nowhere }
  - { id: d, run: ./ring.yml, config: { phone: 12a } }
"#,
    );
    finds(
        &source,
        &[("ring.yml", RING)],
        &[
            ("missing-key", "", 3, 14, "`phone` is missing"),
            ("wrong-type", "", 4, 48, "expected a string"),
            ("unknown-parameter", "", 4, 51, "no parameter `txt`"),
            ("config", "", 5, 48, "template does not parse"),
            ("unknown-key", "", 5, 79, "`retry`"),
            ("unknown-step", "", 5, 99, "no step `nowhere`"),
            ("config", "", 6, 48, "\"12a\" is no phone number"),
        ],
    );
    let pointer = checked(&source, &[("ring.yml", RING)]).diagnostics.pop().unwrap().pointer;
    assert_eq!(pointer, "/steps/3/config/phone");
}

#[test]
fn a_variable_that_nothing_fills_is_told_where_it_is_given() {
    let source = format!(
        "input: {{ properties: {{ name: {{}}, kitchen: {{ properties: {{ phone: {{}} }} }} }} }}\n{}",
        sequence_of(
            r#"
  - { id: a, run: ./ring.yml, config: { phone: "{{kitchen.fone}}", text: "Hi {{nam}}" } }
"#
        )
    );
    finds(
        &source,
        &[("ring.yml", RING)],
        &[
            ("unknown-variable", "", 4, 51, "`kitchen.fone` may be empty"),
            ("unknown-variable", "ring.yml", 9, 67, "`nam` may be empty"),
        ],
    );
}

#[test]
fn one_mistake_in_a_fragment_is_told_once_in_its_file_and_with_a_step_that_led_there() {
    let fragment = "fragment: f
steps:
  - { id: a, run: WaitForDuration, config: { amount: 3, unit: minuts } }
  - { id: b, run: Nap, next: nowhere }
  - { id: c, run: Shout, config: { to: \"{{param.x}} {{steps.d.status}}\" } }
";
    let source = sequence_of(
        "
  - { id: one, run: ./shared/g.yml }
  - { id: two, run: ./shared/f.yml }
  - { id: three, run: ./shared/f.yml }
",
    );
    let around = "fragment: g\nsteps: [{ id: x, run: ./f.yml }]";
    let files = [("shared/f.yml", fragment), ("shared/g.yml", around)];
    finds(
        &source,
        &files,
        &[
            ("not-one-of", "shared/f.yml", 3, 63, "`minuts`"),
            ("unknown-step", "shared/f.yml", 4, 30, "no step `nowhere` in this fragment"),
            ("unknown-parameter", "shared/f.yml", 5, 43, "no parameter `x`"),
        ],
    );
    let checked = checked(&source, &files);
    let included = checked.diagnostics[0].included.as_ref().unwrap();
    let used_by: Vec<_> = included
        .used_by
        .iter()
        .map(|used| (used.step.as_str(), used.file("dir/s.yml"), used.line, used.column))
        .collect();
    assert_eq!(
        used_by,
        [("x", "dir/shared/g.yml".to_owned(), 2, 9), ("one", "dir/s.yml".to_owned(), 3, 5)]
    );
    let rendered = crate::render(&checked.diagnostics[0], "dir/s.yml", &source, false);
    for part in ["dir/shared/f.yml:3:63", "unit: minuts", "used by step `one`, dir/s.yml:3:5"] {
        assert!(rendered.contains(part), "{part} in\n{rendered}");
    }
    let json =
        serde_json::json!(crate::InFile { file: "dir/s.yml", diagnostic: &checked.diagnostics[0] });
    assert_eq!(json["file"], "dir/shared/f.yml");
    assert_eq!(json["pointer"], "/steps/0/config/unit");
    assert_eq!(json["used_by"][1]["step"], "one");
}

#[test]
fn an_unknown_result_is_told_in_the_words_of_the_fragment() {
    let fragment = "fragment: f
steps:
  - { id: a, run: Shout, config: { to: \"{{steps.d.status}}\" } }
";
    let source = sequence_of("\n  - { id: one, run: ./f.yml }\n");
    finds(
        &source,
        &[("f.yml", fragment)],
        &[("unknown-variable", "f.yml", 3, 43, "`steps.d.status` is always empty")],
    );
}

#[test]
fn a_target_that_is_no_name_is_told_where_it_stands() {
    let source = sequence_of(
        "\n  - { id: a, run: ./f.yml }\n  - { id: b, run: ./f.yml }\n  - { id: c, run: Nap, next: }\n",
    );
    for (keys, column, found) in [
        ("next: ", 24, "nothing"),
        ("altNext: ", 24, "nothing"),
        ("next: 5", 30, "the number"),
        ("next: [x]", 30, "a list"),
    ] {
        let text = format!("fragment: f\nsteps:\n  - {{ id: x, run: Nap, {keys} }}\n");
        finds(
            &source,
            &[("f.yml", &text)],
            &[
                ("wrong-type", "", 5, 24, "found nothing"),
                ("wrong-type", "f.yml", 3, column, &format!("found {found}")),
            ],
        );
        let alone = check_fragment(&text, &Files::default(), &kinds());
        assert_eq!(alone.len(), 1, "{keys}: {alone:#?}");
    }
}

#[test]
fn a_fragment_that_is_none_is_told_once() {
    let call = "\n  - { id: one, run: ./f.yml }\n  - { id: two, run: ./f.yml, altNext: x }\n  - { id: x, run: Nap }\n";
    for (text, expected) in [
        ("", ("empty", "f.yml", 1, 1, "there is no fragment")),
        ("- a", ("wrong-type", "f.yml", 1, 1, "expected a mapping with `fragment`")),
        ("fragment: [", ("yaml", "f.yml", 1, 11, "")),
        ("sequence: s\nsteps: [{ id: a, run: Nap }]", ("fragment", "f.yml", 1, 1, "a sequence")),
        ("fragment: f\nsteps: []", ("no-steps", "f.yml", 2, 1, "at least one step")),
        ("fragment: f", ("missing-key", "f.yml", 1, 1, "`steps` is missing")),
        (
            "fragment: f\ntimezone: UTC\nsteps: [{ id: a, run: Nap, altNext: altNext }]",
            ("unknown-key", "f.yml", 2, 1, "`timezone`"),
        ),
    ] {
        let source = sequence_of(call);
        let checked = checked(&source, &[("f.yml", text)]);
        let found = &checked.diagnostics[0];
        let is_known = |d: &Diagnostic| d.code == "never-taken";
        assert_eq!(
            (found.code, found.file("").as_str(), found.line, found.column),
            (expected.0, expected.1, expected.2, expected.3),
            "{text}: {:#?}",
            checked.diagnostics
        );
        assert!(found.message.contains(expected.4), "{text}: {}", found.message);
        assert!(
            checked.diagnostics.iter().skip(1).all(is_known),
            "{text}: {:#?}",
            checked.diagnostics
        );
    }
}

#[test]
fn what_does_not_belong_into_a_fragment_is_refused() {
    let fragment = "fragment: f
steps:
  - { id: goal, run: Goal, config: { lodashCommand: isNil, value: { type: get, value: x } } }
  - { id: altNext, run: Nap }
  - { id: end, run: Nap }
  - { id: a b, run: Nap }
";
    finds(
        &sequence_of("\n  - { id: one, run: ./f.yml, altNext: one }\n"),
        &[("f.yml", fragment)],
        &[
            ("never-taken", "", 3, 30, "never leaves by `altNext`"),
            ("goal", "f.yml", 3, 22, "cannot stand in a fragment"),
            ("id", "f.yml", 4, 11, "leads out of a fragment"),
            ("id", "f.yml", 5, 11, "where a sequence ends"),
            ("id", "f.yml", 6, 11, "`a b` cannot be the id"),
        ],
    );
}

#[test]
fn what_has_not_come_along_is_told_with_what_to_do() {
    let source = sequence_of(
        "\n  - { id: a, run: ./f.yml, altNext: b }\n  - { id: b, run: shared/f.yml }\n",
    );
    let checked = check(&source, &kinds());
    let said: Vec<&str> = checked.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        said,
        ["the fragment `./f.yml` has not come along", "there is no runner `shared/f.yml`"]
    );
    assert!(checked.diagnostics[0].help.as_ref().unwrap().contains("rungs apply"));
    assert!(checked.diagnostics[1].help.as_ref().unwrap().contains("`./shared/f.yml`"));
}

#[test]
fn a_fragment_is_checked_by_itself() {
    let said = |text: &str, files: &[(&str, &str)]| -> Vec<(&'static str, usize)> {
        let found = check_fragment(text, &gathered(text, files), &kinds());
        found.iter().map(|d| (d.code, d.line)).collect()
    };
    assert_eq!(said(RING, &[]), []);
    let wrong = RING.replace("param.minutes", "param.minuts").replace("step: call", "step: cal");
    assert_eq!(said(&wrong, &[]), [("unknown-parameter", 10), ("unknown-step", 11)]);
    let around = "fragment: g\nsteps: [{ id: x, run: ./ring.yml, config: {} }]";
    assert_eq!(said(around, &[("ring.yml", RING)]), [("missing-key", 2)]);
    assert_eq!(check(RING, &kinds()).diagnostics[0].code, "fragment");
    assert!(is_fragment(RING) && !is_fragment("sequence: fragment"));
}

proptest::proptest! {
    /// Letters lost, doubled and put elsewhere: an answer, whatever comes of it.
    #[test]
    fn a_damaged_fragment_is_told_and_no_more(
        cuts in proptest::collection::vec((0_usize..900, 0_usize..12, "[\\[\\]{}\"':#\\-a. \n|&*!]{0,3}"), 1..4),
        which in 0_usize..2,
    ) {
        let source = sequence_of("\n  - { id: a, run: ./x/r.yml, config: { phone: \"{{p}}\" }, altNext: b }\n  - { id: b, run: Nap }\n");
        let mut texts = [source, RING.to_owned()];
        for (at, length, put) in cuts {
            let text = &mut texts[which];
            let at = at % text.len();
            let end = (at + length).min(text.len());
            text.replace_range(at..end, &put);
        }
        let checked = checked(&texts[0], &[("x/r.yml", &texts[1])]);
        proptest::prop_assert_eq!(checked.sequence.is_none(), checked.has_errors());
        for found in &checked.diagnostics {
            crate::render(found, "s.yml", &texts[0], false);
        }
        check_fragment(&texts[1], &Files::default(), &kinds());
    }
}

#[test]
fn a_default_that_its_own_schema_refuses_is_told_in_its_file() {
    let fragment = "fragment: f\nparameters: { properties: { n: { type: integer, default: x } } }\nsteps:\n  - { id: q, run: Nap }\n";
    let source = sequence_of("\n  - { id: k, run: ./f.yml }\n");
    finds(&source, &[("f.yml", fragment)], &[("default", "f.yml", 2, 58, "does not fit")]);
    // Who gives all the data is not concerned.
    let source = "sequence: s\ninput: { properties: { n: { type: integer, default: three } } }\nsteps: [{ id: q, run: Nap }]\n";
    finds(source, &[], &[("default", "", 2, 53, "does not fit")]);
    assert!(checked(source, &[]).sequence.is_some());
}
