//! Cases that hold, and cases that do not.

use rungs_runners::builtin::KINDS;
use serde_json::json;

use super::*;
use crate::{check, check::cases::cases};

const LADDER: &str = r"
sequence: ladder
timezone: Europe/Zagreb
steps:
  - id: grace
    run: WaitForDuration
    config: { amount: 3, unit: minutes }
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: 'Hello {{name}}', await: answered }
    altNext: text
  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: minutes }
    next: confirmed
  - id: text
    run: SMS
    config: { to: '{{phone}}', message: Please call }
  - id: again
    run: GoTo
    config: { step: ring, times: 1 }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: status }
      compareTo: { type: raw, value: confirmed }
";

fn sequence() -> Sequence {
    check(LADDER, KINDS).sequence.unwrap()
}

fn stage() -> Stage<'static> {
    let now = "2026-11-23T09:00:00Z".parse().unwrap();
    Stage { key: "01900000-0000-7000-8000-000000000001", now, timezone: Tz::UTC }
}

fn read(source: &str) -> Vec<Case> {
    let read = cases(source, &sequence());
    assert_eq!(read.diagnostics, []);
    read.cases
}

fn run_all(source: &str) -> Vec<Verdict> {
    let data = json!({ "phone": "+385911234567", "name": "Ana" });
    let all = read(source).into_iter();
    all.map(|case| run(&sequence(), &case, data.clone(), stage()).unwrap().verdict).collect()
}

#[test]
fn a_case_holds_if_everybody_is_reached_when_it_says_and_nobody_else() {
    let verdicts = run_all(
        r#"
given: { at: 2026-11-28T21:30 }
cases:
  - case: nobody answers
    then:
      - +3m: ring to +385911234567
      - +3m 30s: text
      - "21:33:30": ring says "Ana"
      - 2026-11-28T21:34: text says "call"
      - +4m: waits at confirmed
  - case: somebody does, in the end
    when: { ring: busy, "ring#2": answered+20s, +10m: status=confirmed }
    then:
      - +3m: ring
      - +3m 5s: text
      - +3m 5s: ring
      - +10m: completed
  - case: how it ends is left open
    when: { ring: answered }
    then: [{ +3m: ring }]
"#,
    );
    for verdict in &verdicts {
        assert!(verdict.passed(), "{verdict:#?}");
    }
    assert_eq!(verdicts.len(), 3);
}

#[test]
fn what_is_missing_stands_beside_what_came_instead() {
    let verdicts = run_all(
        r"
cases:
  - case: wrong time, wrong person, and one call too many
    when: { ring: busy }
    then:
      - +3m: ring
      - +4m: text
      - +3m 5s: ring to +38598
      - +3m 10s: completed
",
    );
    let verdict = &verdicts[0];
    assert!(!verdict.passed());
    assert_eq!(verdict.line(), Some(7));
    let fits: Vec<bool> = verdict.rows.iter().map(|row| row.fits).collect();
    assert_eq!(fits, [true, false, false, false, false], "{:#?}", verdict.rows);
    let last = verdict.rows.last().unwrap();
    assert!(last.expected.is_none() || last.happened.is_some(), "{last:#?}");
}

#[test]
fn coverage_knows_what_no_case_took() {
    let sequence = sequence();
    let mut coverage = Coverage::default();
    let cases =
        read("cases: [{ case: answered, when: { ring: answered }, then: [{ +3m: ring }] }]");
    let data = json!({ "phone": "112" });
    coverage.add(&run(&sequence, &cases[0], data, stage()).unwrap());
    let missed = coverage.missed(&sequence);
    let words: Vec<String> = missed.iter().map(|(step, way)| format!("{step} {way}")).collect();
    assert_eq!(words, ["ring altNext", "text next", "again next", "confirmed goal"]);
}

#[test]
fn what_is_wrong_with_a_file_is_told_where_it_stands() {
    for (source, line, message) in [
        ("cases:\n  - case: a\n    then: [{ +3m: rign }]", 3, "did you mean `ring`"),
        ("cases:\n  - case: a\n    then: [{ +3m: grace }]", 3, "reaches nobody"),
        ("cases:\n  - case: a\n    then: [{ soon: ring }]", 3, "no date"),
        ("cases:\n  - case: a\n    when: { ring: maybe }\n    then: []", 3, "no answer"),
        ("given: {}\ncases: []", 2, "no cases in this list"),
        ("cases:\n  - case: a\n    when: { +x: y }\n    then: []", 3, "no time"),
        ("cases:\n  - case: a\n    given: { at: 2026-02-30 }\n    then: []", 3, "date"),
        ("cases:\n  - case: a\n    given: { timezone: Zagreb }\n    then: []", 3, "IANA"),
        ("cases:\n  - then: []", 2, "`case` is missing"),
        ("cases:\n  - case: a", 2, "`then` is missing"),
        ("cases: 3", 1, "a list of cases"),
        ("steps: []", 1, "no key `steps`"),
        ("", 1, "no cases in here"),
        ("cases:\n  - case: a\n    then: [{ +3m: ring, +4m: text }]", 3, "a time and what"),
    ] {
        let found = cases(source, &sequence()).diagnostics;
        assert!(
            found.iter().any(|one| one.line == line && one.message.contains(message)),
            "{source}\n{found:#?}"
        );
    }
}

#[test]
fn a_case_of_thousands_of_lines_is_compared_without_a_table_of_all_pairs() {
    let endless = r"
sequence: endless
steps:
  - { id: ring, run: Phone, config: { to: '112', say: Hello } }
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: minutes } }
  - { id: again, run: GoTo, config: { step: ring } }
";
    let sequence = check(endless, KINDS).sequence.unwrap();
    let wrong = "      - +1s: ring\n".repeat(3_000);
    let read = cases(&format!("cases:\n  - case: long\n    then:\n{wrong}"), &sequence);
    assert_eq!(read.diagnostics, []);
    let verdict = run(&sequence, &read.cases[0], json!({}), stage()).unwrap().verdict;
    assert!(!verdict.passed() && verdict.rows.len() >= 3_000);
    assert_eq!(verdict.line(), Some(4));
}

#[test]
fn what_a_server_answers_is_written_as_what_it_is() {
    const HOOK: &str = r#"
sequence: hook
steps:
  - { id: hook, run: Webhook, config: { url: "https://hooks.example.com/a", await: answered } }
  - { id: tell, run: SMS, config: { to: "+385911234567", message: "{{json steps.hook.answer}}" } }
  - { id: stop, run: Stop, config: { process_id: "{{process.id}}" } }
"#;
    const CASES: &str = r#"
cases:
  - case: Answered
    when: { hook: { by: [Ana, 2], ok: true } }
    then:
      - +0s: hook to hooks.example.com
      - '+0s': tell says {"by":["Ana",2],"ok":true}
      - +5s: stop to tested
      - +5s: stopped
"#;
    let sequence = check(HOOK, KINDS).sequence.unwrap();
    let read = cases(&CASES.replace("+5s", "+0s"), &sequence);
    assert_eq!(read.diagnostics, []);
    let verdict = run(&sequence, &read.cases[0], json!({}), stage()).unwrap().verdict;
    assert!(verdict.passed(), "{:#?}", verdict.rows);
}

/// What is said of the first case of a ladder, and which branches it leaves out.
fn tried(ladder: &str, source: &str) -> (bool, Vec<String>) {
    let sequence = check(ladder, KINDS).sequence.unwrap();
    let read = cases(source, &sequence);
    assert_eq!(read.diagnostics, []);
    let ran = run(&sequence, &read.cases[0], json!({}), stage()).unwrap();
    let mut coverage = Coverage::default();
    coverage.add(&ran);
    let missed = coverage.missed(&sequence);
    (ran.verdict.passed(), missed.iter().map(|(step, way)| format!("{step} {way}")).collect())
}

#[test]
fn a_time_of_day_is_that_of_the_wall_clock_on_every_day() {
    let ladder = |wait: &str| {
        format!(
            "sequence: a\ntimezone: Europe/Zagreb\nsteps:\n  - {{ id: d, run: WaitForDuration, config: {{ {wait} }} }}\n  \
             - {{ id: text, run: SMS, config: {{ to: '+385911234567', message: Hi }} }}\n"
        )
    };
    let case = |time: &str| {
        format!(
            "given: {{ at: 2026-03-28T09:00 }}\ncases: [{{ case: a, then: [{{ '{time}': text }}] }}]"
        )
    };
    let hours = ladder("amount: 24, unit: hours");
    assert!(!tried(&hours, &case("09:00")).0, "the clocks go forward in that night");
    assert!(tried(&hours, &case("10:00")).0);
    assert!(tried(&ladder("amount: 1, unit: day"), &case("09:00")).0);
}

#[test]
fn a_goal_that_is_achieved_where_a_process_stands_is_a_branch_that_was_taken() {
    let goal = "run: Goal, config: { lodashCommand: eq, value: { type: get, value: ok }, compareTo: { type: raw, value: true }";
    let ladder = |more: &str| {
        format!(
            "sequence: a\nsteps:\n  - {{ id: text, run: SMS, config: {{ to: '+385911234567', message: Hi }} }}\n  \
             - {{ id: done, {goal}{more} }} }}\n"
        )
    };
    let case =
        "cases: [{ case: a, when: { +5m: ok=true }, then: [{ +0s: text }, { +5m: completed }] }]";
    assert_eq!(tried(&ladder(""), case), (true, vec![]));
    let early = "cases: [{ case: a, then: [{ +0s: text }, { +0s: completed }] }]";
    let missed = vec!["done goal".to_owned()];
    assert_eq!(tried(&ladder(", otherwise: continue"), early), (true, missed));
}

#[test]
fn an_event_has_a_type_and_data_and_nothing_else() {
    for (when, message) in [
        ("{ event: x, dta: { ok: true } }", "no key `dta`"),
        ("{ event: x, data: { steps: 1 } }", "`steps` is a reserved name"),
        ("{ event: x, data: [1] }", "are a mapping"),
        ("{ data: {} }", "expected `event`"),
    ] {
        let source = format!("cases: [{{ case: a, when: {{ +5m: {when} }}, then: [] }}]");
        let found = cases(&source, &sequence()).diagnostics;
        assert!(found.len() == 1 && found[0].message.contains(message), "{when}: {found:#?}");
    }
    for given in ["{ with: 5 }", "{ data: order.json }"] {
        let source = format!("given: {given}\ncases: [{{ case: a, then: [] }}]");
        let found = cases(&source, &sequence()).diagnostics;
        assert!(found.len() == 1 && found[0].line == 1, "{given}: {found:#?}");
    }
    let read = read("cases: [{ case: a, when: { +5m: { event: 'a=b' } }, then: [] }]");
    assert_eq!(read[0].happenings[0].r#type, "a=b");
}

#[test]
fn what_is_said_is_no_address_and_an_address_is_no_part_of_another() {
    let verdicts = run_all(
        r#"
cases:
  - case: the whole number
    when: { ring: answered }
    then: ['+3m': ring to 385911234567 says "Hello Ana"]
  - case: a part of it
    when: { ring: answered }
    then: ['+3m': ring to 91123]
  - case: what is dialled is not said
    when: { ring: answered }
    then: ['+3m': ring says "+385911234567"]
"#,
    );
    let passed: Vec<bool> = verdicts.iter().map(Verdict::passed).collect();
    assert_eq!(passed, [true, false, false]);
    for (address, text, is) in [
        ("Ana <ana@example.com>", "ana@example.com", true),
        ("Ana <ana@example.com>", "Ana", true),
        ("ana@example.com", "na@example.com", false),
        ("https://hooks.example.com/orders", "hooks.example.com", true),
        ("+385911234567", "+385911234567", true),
        ("+385911234567", "+38591", false),
    ] {
        assert_eq!(verdict::names(address, text), is, "{address} {text}");
    }
}

#[test]
fn of_a_climb_that_was_given_up_nothing_is_taken_for_true() {
    let source = "
sequence: poll
steps:
  - { id: w, run: WaitForDuration, config: { amount: 1, unit: minute } }
  - { id: again, run: GoTo, config: { step: w, times: 10080 } }
  - { id: text, run: SMS, config: { to: '112', message: Hi } }
";
    let sequence = check(source, KINDS).sequence.unwrap();
    let read = cases(
        "cases: [{ case: nobody, then: [] }, { case: waits, then: [{ +9999m: waits at w }] }]",
        &sequence,
    );
    assert_eq!(read.diagnostics, []);
    for case in &read.cases {
        let verdict = run(&sequence, case, json!({}), stage()).unwrap().verdict;
        assert!(!verdict.passed(), "{}", case.name);
        let last = verdict.rows.last().and_then(|row| row.happened.as_ref()).unwrap();
        assert_eq!(last.what, Wanted::GoesOn("w".to_owned()));
    }
}

#[test]
fn an_hour_that_comes_twice_may_be_either() {
    let source = "
sequence: amb
timezone: Europe/Zagreb
steps:
  - { id: w, run: WaitForDuration, config: { amount: 45, unit: minutes } }
  - { id: text, run: SMS, config: { to: '112', message: Hi } }
";
    let sequence = check(source, KINDS).sequence.unwrap();
    for (line, passes) in [
        (r#""02:00": text"#, true),
        ("2026-10-25T02:00: text", true),
        ("2026-10-25T02:00+01:00: text", true),
        ("2026-10-25T02:00+02:00: text", false),
        (r#""03:00": text"#, false),
        ("2026-10-26T02:00: text", false),
    ] {
        let cases = cases(
            &format!(
                "given: {{ at: 2026-10-25T02:15 }}\ncases: [{{ case: a, then: [{{ {line} }}] }}]"
            ),
            &sequence,
        );
        assert_eq!(cases.diagnostics, [], "{line}");
        let verdict = run(&sequence, &cases.cases[0], json!({}), stage()).unwrap().verdict;
        assert_eq!(verdict.passed(), passes, "{line}");
    }
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let source = "
sequence: a
steps:
  - { id: completed, run: SMS, config: { to: '112', message: Hi } }
";
    let sequence = check(source, KINDS).sequence.unwrap();
    for (text, expected) in [
        ("cases: [{ case: a, then: [{ +0s: completed }] }]", "is an end, and a step"),
        ("cases: [{ case: a, when: { 5m: x }, then: [] }]", "happens at a time such as `+5m`"),
        (
            "cases: [{ case: a, when: { completed#1: failed, completed#01: sent }, then: [] }]",
            "`completed#1` is answered twice",
        ),
    ] {
        let read = cases(text, &sequence);
        let [told] = read.diagnostics.as_slice() else { panic!("{text}: {:?}", read.diagnostics) };
        assert!(told.message.contains(expected), "{text}: {}", told.message);
    }
}
