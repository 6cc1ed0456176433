//! The keys of a sequence and of its steps.

use super::*;
use crate::{Lateness, Remedy, Retry, process::Priority, sequence::Target};

#[test]
fn a_sequence_of_every_key_passes_and_is_read_whole() {
    let source = "\
sequence: order-escalation
description: Ring the restaurant until somebody confirms the order.
timezone: Europe/Zagreb
input:
  type: object
  required: [restaurant, order]
  properties:
    restaurant: { type: object }
    order: { type: object }
steps:
  - id: ring
    run: Phone
    config:
      to: \"{{restaurant.phone}}\"
      say: \"Hello! {{restaurant.name}} has {{order.count}} new orders.\"
      await: answered
    altNext: manager
    onFailure: fail
    retry: { attempts: 3, first: 10 seconds, factor: 1.5, most: 2 minutes }
  - id: nap
    run: Nap
    next: again
  - id: manager
    run: Phone
    config: { to: \"{{restaurant.manager}}\", say: Orders are waiting. }
    onFailure: continue
  - id: again
    run: GoTo
    config: { step: ring, times: 3 }
  - id: confirmed
    run: Reach
    next: end
";
    says(source, &[]);
    let sequence = check(source, &kinds()).sequence.unwrap();
    assert_eq!(sequence.name, "order-escalation");
    assert!(sequence.description.as_deref().unwrap().starts_with("Ring the restaurant"));
    assert!(sequence.timezone.is_some());
    let input = sequence.input.as_ref().unwrap();
    assert!(!input.validator.is_valid(&serde_json::json!({ "restaurant": {} })));
    assert_eq!(sequence.goals, [4]);
    let next: Vec<Target> = sequence.steps.iter().map(|step| step.next).collect();
    let to = Target::Step;
    assert_eq!(next, [to(1), to(3), to(3), to(4), Target::End]);
    assert_eq!(sequence.steps[0].alt_next, Some(Target::Step(2)));
    let fails: Vec<bool> = sequence.steps.iter().map(|step| step.fail_on_failure).collect();
    assert_eq!(fails, [true, false, false, false, false]);
    let retry = Retry { attempts: 3, first: 10_000, factor: 1.5, most: 120_000 };
    assert_eq!(sequence.steps[0].retry, Some(retry));
    assert_eq!(sequence.steps[1].retry, None);
    assert_eq!(sequence.position("again"), Some(3));
}

#[test]
fn a_ladder_as_one_writes_it_passes() {
    let source = "\
sequence: order-escalation
description: Ring the restaurant until somebody confirms the order.
timezone: Europe/Zagreb            # IANA; may be a template; the server's default otherwise
input:                             # JSON Schema of the data a process starts with
  type: object
  required: [restaurant, order]

steps:
  - id: grace
    run: WaitForDuration
    config: { amount: 3, unit: minutes }

  - id: ring
    run: Phone
    config:
      to: \"{{restaurant.phone}}\"
      say: \"Hello! {{restaurant.name}} has {{order.count}} new orders.\"
      await: answered              # placed | answered | completed
    altNext: text-manager          # busy, no answer, failed

  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: minutes }

  - id: text-manager
    run: SMS
    config: { to: \"{{restaurant.manager}}\", message: \"Orders are waiting at {{restaurant.name}}.\" }

  - id: again
    run: GoTo
    config: { step: ring, times: 3 }     # then falls through to the next step

  - id: confirmed                  # checked in every cycle while it lies ahead of the cursor
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: order.status }
      compareTo: { type: raw, value: confirmed }
";
    says(source, &[]);
}

#[test]
fn a_variable_that_nothing_will_fill_is_a_warning_at_its_place() {
    let source = "\
sequence: x
timezone: \"{{zon}}\"
input: { properties: { zone: {}, person: { properties: { phone: {}, name: {} } } } }
steps:
  - id: ring
    run: Phone
    config:
      to: '{{person.phon}}'
      say: \"Hello {{person.name}}, {{upper persn.name}}: {{steps.rin.status}}, {{process.id}}\"
";
    says(
        source,
        &[
            ("unknown-variable", 2, 14, "`input` has no `zon`"),
            ("unknown-variable", 8, 14, "`input` has no `phon`"),
            ("unknown-variable", 9, 44, "`persn.name` may be empty"),
            ("unknown-variable", 9, 60, "there is no step `rin`"),
        ],
    );
    assert!(check(source, &kinds()).sequence.is_some(), "warnings keep nothing from running");
}

#[test]
fn the_top_has_its_keys() {
    says(
        "name: x",
        &[
            ("unknown-key", 1, 1, "`name`"),
            ("missing-key", 1, 1, "`sequence` is missing"),
            ("missing-key", 1, 1, "`steps` is missing"),
        ],
    );
    says(
        "sequence: [x]\ndescription: 5\nsteps: a\n",
        &[
            ("wrong-type", 1, 11, "expected a string, found a list"),
            ("wrong-type", 2, 14, "expected a string, found the number 5"),
            ("wrong-type", 3, 8, "expected a list of steps, found the text `a`"),
        ],
    );
    says("sequence: x\nsteps: []", &[("no-steps", 2, 1, "at least one step")]);
    says("sequence: x\nsteps:", &[("wrong-type", 2, 1, "found nothing")]);
}

#[test]
fn a_sequence_has_a_name_that_fits_in_an_address() {
    for name in ["\"\"", "a b", "..", "a/b", "ü", &"x".repeat(101)] {
        let source = format!("sequence: {name}\nsteps: [{{ id: a, run: Nap }}]");
        says(&source, &[("name", 1, 11, "cannot be the name of a sequence")]);
    }
    for name in ["a", "A.b-c_9", "9", &"x".repeat(100)] {
        says(&format!("sequence: \"{name}\"\nsteps: [{{ id: a, run: Nap }}]"), &[]);
    }
}

#[test]
fn a_time_zone_is_one() {
    for (zone, help) in [
        ("Europe/Zagrb", "did you mean `Europe/Zagreb`?"),
        ("europe/zagreb", "did you mean `Europe/Zagreb`?"),
        ("Zagreb", "did you mean `Europe/Zagreb`?"),
        ("Middle-earth/Bree", "an IANA name such as `Europe/Zagreb`"),
    ] {
        let source = format!("sequence: x\ntimezone: {zone}\nsteps: [{{ id: a, run: Nap }}]");
        says(&source, &[("timezone", 2, 11, "there is no time zone")]);
        assert_eq!(helps(&source), [help]);
    }
    says("sequence: x\ntimezone: '{{zone}}'\nsteps: [{ id: a, run: Nap }]", &[]);
    says(
        "sequence: x\ntimezone: '{{#zone}'\nsteps: [{ id: a, run: Nap }]",
        &[("template", 2, 11, "does not parse")],
    );
}

#[test]
fn input_is_a_json_schema_of_an_object() {
    let input =
        |input: &str| format!("sequence: x\ninput: {input}\nsteps: [{{ id: a, run: Nap }}]");
    for (schema, code, column, part) in [
        ("5", "wrong-type", 8, "expected a mapping"),
        ("{ type: strng }", "not-one-of", 16, "`strng`"),
        ("{ properties: { a: { minimum: x } } }", "wrong-type", 38, "expected a number"),
        ("{ properties: { a: { pattern: '(' } } }", "invalid-value", 38, "regex"),
        ("{ required: [a, 5] }", "wrong-type", 24, "expected a string"),
        ("{ $ref: 'https://example.com/s' }", "reference", 16, "leads out of this schema"),
        ("{ $ref: 'file:///etc/passwd' }", "reference", 16, "leads out of this schema"),
        ("{ $ref: other.json }", "reference", 16, "leads out of this schema"),
        ("{ $ref: '#/$defs/nowhere' }", "reference", 16, "there is nothing at"),
        ("{ type: array }", "input", 16, "is an object"),
        ("{ $schema: 'http://json-schema.org/draft-07/schema#' }", "input", 19, "another draft"),
    ] {
        says(&input(schema), &[(code, 2, column, part)]);
    }
    for schema in [
        "{}",
        "{ type: object, properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: string } } }",
        "{ properties: { a: { const: { $ref: 'https://example.com' } } } }",
        "{ $schema: 'https://json-schema.org/draft/2020-12/schema' }",
        "{ properties: { a: { $ref: '#' } } }",
    ] {
        says(&input(schema), &[]);
    }
    let help = helps(&input("{ type: objekt }"));
    assert_eq!(help, ["did you mean `object`?"]);
}

#[test]
fn a_step_has_its_keys() {
    says_of_steps(
        "  - 5\n  - { run: Nap }\n  - { id: a }\n  - { id: b, run: Nap, nxt: a, if: x }",
        &[
            ("wrong-type", 3, 5, "expected a mapping, found the number 5"),
            ("missing-key", 4, 5, "`id` is missing"),
            ("missing-key", 5, 5, "`run` is missing"),
            ("unknown-key", 6, 24, "`nxt`"),
            ("unknown-key", 6, 32, "`if`"),
        ],
    );
}

#[test]
fn an_id_is_a_word_of_its_own() {
    for id in ["end", "9a", "a b", "-a", "ä", "a.b", &"x".repeat(101)] {
        says_of_steps(
            &format!("  - {{ id: {id}, run: Nap }}"),
            &[("id", 3, 11, "cannot be the id")],
        );
    }
    says_of_steps("  - { id: 5, run: Nap }", &[("wrong-type", 3, 11, "found the number 5")]);
    let twice = "  - { id: a, run: Nap }\n  - { id: a, run: Nap }\n  - { id: a, run: Nap }";
    says_of_steps(
        twice,
        &[("duplicate-id", 4, 11, "the id `a` already"), ("duplicate-id", 5, 11, "`a`")],
    );
    assert!(helps(&with_steps(twice))[0].contains("line 3"));
}

#[test]
fn a_runner_is_known_or_guessed() {
    for (name, meant) in
        [("phone", "Phone"), ("go-to", "GoTo"), ("Phne", "Phone"), ("choose", "Choose")]
    {
        let steps = format!("  - {{ id: a, run: {name} }}");
        says_of_steps(&steps, &[("unknown-runner", 3, 19, name)]);
        let help = &helps(&with_steps(&steps))[0];
        assert!(help.starts_with(&format!("did you mean `{meant}`?")), "{help}");
        assert!(help.contains("known runners: "), "{help}");
    }
}

#[test]
fn a_config_key_beside_the_config_is_sent_there() {
    let steps = "  - { id: a, run: Shout, to: '1', config: { to: '1' } }";
    says_of_steps(steps, &[("unknown-key", 3, 26, "`to`")]);
    assert_eq!(helps(&with_steps(steps)), ["move it under `config:`"]);
}

#[test]
fn retries_stay_within_reason() {
    let retry =
        |retry: &str| format!("  - {{ id: a, run: Shout, config: {{ to: '1' }}, retry: {retry} }}");
    for (given, code, column, part) in [
        ("5", "wrong-type", 54, "expected a mapping"),
        ("{ attempts: 0 }", "out-of-range", 66, "from 1 to 100"),
        ("{ attempts: 101 }", "out-of-range", 66, "from 1 to 100"),
        ("{ attempts: 1.5 }", "out-of-range", 66, "from 1 to 100"),
        ("{ attempts: many }", "wrong-type", 66, "found the text `many`"),
        ("{ factor: 0.5 }", "out-of-range", 64, "from 1 to 1000"),
        ("{ first: soon }", "duration", 63, "found the text `soon`"),
        ("{ first: -1 }", "duration", 63, "expected a duration"),
        ("{ first: [] }", "duration", 63, "found a list"),
        ("{ first: 1 hour, most: 1 minute }", "out-of-range", 77, "shorter than `first`"),
        ("{ frist: 1 }", "unknown-key", 56, "`frist`"),
    ] {
        says_of_steps(&retry(given), &[(code, 3, column, part)]);
    }
    let read = |given: &str| {
        check(&with_steps(&retry(given)), &kinds()).sequence.unwrap().steps[0].retry.unwrap()
    };
    assert_eq!(read("{}"), Retry::default());
    assert_eq!(read("{ first: 0.5 }").first, 500);
    assert_eq!(read("{ first: 500 ms }").first, 500);
    // A first pause beyond the usual longest one raises that.
    assert_eq!(read("{ first: 1 hour }").most, 3_600_000);
}

#[test]
fn what_is_about_deliveries_stands_on_steps_that_write_them() {
    let steps = "  - { id: a, run: Nap, retry: {}, onFailure: fail }";
    says_of_steps(
        steps,
        &[
            ("no-delivery", 3, 24, "takes no `retry`"),
            ("no-delivery", 3, 35, "takes no `onFailure`"),
        ],
    );
    assert!(helps(&with_steps(steps))[0].contains("PubNub, SMS, Start, Stop, Webhook, Shout"));
    says_of_steps(
        "  - { id: a, run: Shout, config: { to: '1' }, onFailure: Fail }",
        &[("not-one-of", 3, 58, "expected `fail` or `continue`")],
    );
    for (given, code, column, part) in [
        ("inDoubt: repaet", "not-one-of", 56, "expected `repeat`, `skip` or `fail`"),
        ("inDoubt: send", "not-one-of", 56, "found the text `send`"),
        ("lateness: 1 hour", "wrong-type", 57, "mapping"),
        ("lateness: { most: 1 hour }", "missing-key", 47, "`then`"),
        ("lateness: { then: skip }", "missing-key", 47, "`most`"),
        ("lateness: { most: late, then: skip }", "duration", 65, "`late`"),
        ("lateness: { most: 1 h, then: drop }", "not-one-of", 76, "`send`, `skip` or `fail`"),
        ("lateness: { most: 1 h, then: skip, or: 1 }", "unknown-key", 82, "`or`"),
    ] {
        let step = format!("  - {{ id: a, run: Shout, config: {{ to: '1' }}, {given} }}");
        says_of_steps(&step, &[(code, 3, column, part)]);
    }
}

#[test]
fn defaults_hold_where_a_step_says_nothing_else() {
    let source = "\
sequence: x
priority: high
defaults:
  inDoubt: skip
  onFailure: fail
  retry: { attempts: 2 }
  lateness: { most: 1 hour, then: skip }
steps:
  - { id: nap, run: Nap }
  - { id: a, run: Shout, config: { to: '1' } }
  - { id: b, run: Shout, config: { to: '1' }, inDoubt: repeat, onFailure: continue, lateness: { most: 5, then: fail } }
";
    let sequence = check(source, &kinds()).sequence.unwrap();
    assert_eq!(sequence.priority, Priority::High);
    let [_, a, b] = &sequence.steps[..] else { panic!("three steps") };
    let hour = Lateness { most: 3_600_000, then: Remedy::Skip };
    assert_eq!((a.in_doubt, a.fail_on_failure, a.lateness), (Remedy::Skip, true, Some(hour)));
    assert_eq!(a.retry.unwrap().attempts, 2);
    let seconds = Lateness { most: 5_000, then: Remedy::Fail };
    assert_eq!((b.in_doubt, b.fail_on_failure, b.lateness), (Remedy::Send, false, Some(seconds)));
    assert_eq!(b.retry.unwrap().attempts, 2);
    let bad =
        "sequence: x\npriority: urgent\ndefaults: { next: end }\nsteps: [{ id: a, run: Nap }]\n";
    says(
        bad,
        &[("not-one-of", 2, 11, "`high`, `normal` or `low`"), ("unknown-key", 3, 13, "`next`")],
    );
}

#[test]
fn a_thousand_steps_pass_and_one_more_does_not() {
    let steps =
        |count: usize| with_steps(&times(count, |n| format!("  - {{ id: s{n}, run: Nap }}\n")));
    says(&steps(1000), &[]);
    says(&steps(1001), &[("too-large", 1003, 5, "at most 1000 steps")]);
}

#[test]
fn a_flood_of_problems_is_cut_with_a_note() {
    let steps = times(150, |n| format!("  - {{ id: s{n}, run: Nope }}\n"));
    let checked = check(&with_steps(&steps), &kinds());
    assert_eq!(checked.diagnostics.len(), 101);
    let last = checked.diagnostics.last().unwrap();
    assert_eq!((last.code, last.line), ("more", 103));
    assert!(last.message.contains("50 more"));
}

#[test]
fn steps_that_bear_another_id_now_are_named_by_the_old_one() {
    let source = |moved: &str| {
        format!(
            "sequence: s\nmoved: {moved}\nsteps:\n  - {{ id: call, run: Nap }}\n  - {{ id: rest, run: Nap }}\n"
        )
    };
    let sequence = check(&source("{ ring: call, bell: call }"), &kinds()).sequence.unwrap();
    let moved: Vec<(&str, &str)> =
        sequence.moved.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    assert_eq!(moved, [("bell", "call"), ("ring", "call")]);
    for (moved, code, expected) in [
        ("{ call: rest }", "moved", "`call` is a step of this sequence"),
        ("{ ring: cal }", "unknown-step", "there is no step `cal`"),
        ("{ ring: end }", "unknown-step", "there is no step `end`"),
        ("{ 'no id': call }", "id", "was never the id"),
        ("{ ring: 3 }", "wrong-type", "expected a string"),
        ("[ring]", "wrong-type", "expected a mapping"),
    ] {
        let diagnostics = check(&source(moved), &kinds()).diagnostics;
        let [found] = &diagnostics[..] else { panic!("{moved}: {diagnostics:#?}") };
        assert_eq!(found.code, code, "{moved}");
        assert!(found.message.contains(expected), "{moved}: {}", found.message);
    }
}
