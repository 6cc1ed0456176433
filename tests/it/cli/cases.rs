//! `test`: cases beside sequences.

use super::Desk;

const CASES: &str = r#"
given: { data: { phone: "+385911234567" }, at: 2026-03-29T00:30 }
cases:
  - case: it is confirmed in the night
    when: { ring: answered+20s, +1h: order.status=confirmed }
    then:
      - +3m: ring to +385911234567
      - +1h: completed
"#;

const WRONG: &str = r#"
sequence: ladder.yml
cases:
  - case: somebody else is rung
    given: { data: { phone: "112" } }
    then:
      - +3m: ring to +38598
      - +4m: completed
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("ladder.test.yml", CASES);
    desk
}

#[test]
fn cases_are_found_in_folders_and_hold() {
    let desk = desk();
    let said = desk.say(&["test"]);
    said.refuses(0, &["all well", "1 case in"]);
    assert!(said.out.contains("ladder.test.yml: it is confirmed in the night"), "{said:#?}");
}

#[test]
fn a_sequence_without_cases_is_covered_by_none() {
    let desk = desk();
    desk.put(
        "other.yml",
        "sequence: other\nsteps:\n  - { id: text, run: SMS, config: { to: '112', message: Hi } }\n",
    );
    let said = desk.say(&["test", "--coverage", "."]);
    said.refuses(1, &["branches are never taken"]);
    assert!(said.out.contains("0 %  other.yml  0 of 1 branches"), "{said:#?}");
}

#[test]
fn who_names_a_sequence_means_the_cases_beside_it() {
    let desk = desk();
    desk.say(&["test", "ladder.yml", "ladder.test.yml"]).refuses(0, &["all well", "1 case in"]);
}

#[test]
fn a_case_that_does_not_hold_is_told_at_its_line_with_both_sides() {
    let desk = desk();
    desk.put("wrong.test.yml", WRONG);
    let said = desk.say(&["test", "--junit", "report.xml"]);
    said.refuses(1, &["2 cases in", "1 failed"]);
    for told in [
        "failed wrong.test.yml:7: somebody else is rung",
        "✗ 10:03:00 ring to +38598",
        "10:03:00 ring phone to 112",
    ] {
        assert!(said.out.contains(told), "no {told:?} in\n{}", said.out);
    }
    let report = std::fs::read_to_string(desk.0.path().join("report.xml")).unwrap();
    let report = roxmltree::Document::parse(&report).unwrap();
    let failure = report.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("wrong.test.yml:7"));
    assert_eq!(report.descendants().filter(|node| node.has_tag_name("testcase")).count(), 2);

    let lines = desk.say(&["--format", "json", "test"]);
    let lines: Vec<serde_json::Value> =
        lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let passed: Vec<_> = lines.iter().map(|line| line["passed"].as_bool().unwrap()).collect();
    assert_eq!(passed, [true, false]);
    assert_eq!(lines[1]["line"], 7);
}

#[test]
fn what_no_case_took_is_named() {
    let said = desk().say(&["test", "--coverage"]);
    said.refuses(1, &["never taken"]);
    assert!(said.out.contains("never taken: settle next"), "{said:#?}");
    assert!(said.out.contains(" of 5 branches"), "{said:#?}");
}

#[test]
fn the_shipped_sequences_are_tested_on_every_branch() {
    let sequences = concat!(env!("CARGO_MANIFEST_DIR"), "/sequences");
    Desk::new().say(&["test", "--coverage", sequences]).refuses(0, &["all well"]);
}

#[test]
fn no_file_keeps_another_from_being_tried() {
    let desk = desk();
    desk.put(
        "typo.test.yml",
        "sequence: ladder.yml\ncases:\n  - case: a\n    then: [{ +3m: rign }]",
    );
    desk.put("lost.test.yml", "cases: []");
    desk.put("sick.yml", "sequence: sick\nsteps: [{ id: a, run: Nothing }]");
    desk.put("sick.test.yml", "cases: []");
    desk.put("junk.test.yml", [0xff, 0xfe, 0x00]);
    desk.put("unfit.test.yml", "sequence: ladder.yml\ncases: [{ case: a, then: [] }]");
    desk.put(
        "nofile.test.yml",
        "sequence: ladder.yml\ncases: [{ case: a, given: { data: \"@gone.json\" }, then: [] }]",
    );
    let said = desk.say(&["test"]);
    said.refuses(1, &["3 cases in", "2 failed, 4 files could not be read"]);
    for told in [
        "typo.test.yml:4",
        "did you mean `ring`",
        "there is no lost.yml beside it",
        "there is no runner `Nothing`",
        "the data does not fit",
        "gone.json",
        "ok     ladder.test.yml",
    ] {
        assert!(said.out.contains(told), "no {told:?} in\n{}", said.out);
    }
    desk.say(&["test", "nowhere"]).refuses(1, &["nowhere"]);
    Desk::new().say(&["test"]).refuses(1, &["no file ends with .test.yml"]);
}

#[test]
fn cases_are_checked_like_sequences_and_never_published() {
    let desk = desk();
    desk.put(
        "typo.test.yml",
        "sequence: ladder.yml\ncases:\n  - case: a\n    then: [{ +3m: rign }]",
    );
    desk.say(&["check", "ladder.yml", "ladder.test.yml"]).refuses(0, &["2 files checked"]);
    let checked = desk.say(&["check", "ladder.yml", "typo.test.yml"]);
    checked.refuses(1, &["1 error"]);
    assert!(checked.out.contains("did you mean `ring`"), "{checked:#?}");
    desk.put("sick.yml", "sequence: sick\nsteps: [{ id: a, run: Nothing }]");
    desk.put("sick.test.yml", "cases: []");
    let checked = desk.say(&["check", "sick.test.yml"]);
    assert!(checked.out.contains("sick.test.yml: sick.yml has errors"), "{checked:#?}");
    let applied = desk.say(&["apply", "ladder.yml", "ladder.test.yml"]);
    applied.refuses(0, &[]);
    assert_eq!(applied.out.lines().count(), 1, "{applied:#?}");
}

#[test]
fn a_new_sequence_begins_with_cases_that_hold() {
    let desk = Desk::new();
    for from in
        ["order-escalation", "on-call", "appointment-reminder", "invoice-dunning", "lead-follow-up"]
    {
        let name = format!("mine-{from}");
        desk.say(&["new", &name, "--from", from]).refuses(0, &["rungs simulate"]);
        let file = format!("{name}.test.yml");
        desk.say(&["test", "--coverage", &file]).refuses(0, &["all well"]);
        let simulated = desk.ask(&["simulate", &format!("{name}.yml"), "--at", "2026-11-02T09:00"]);
        assert!(simulated.contains("completed"), "{simulated}");
    }
    desk.say(&["new", "mine-on-call"]).refuses(1, &["is there already"]);
    desk.say(&["new", "../outside"]).refuses(2, &["a name has"]);
    desk.say(&["new", "x", "--from", "y"]).refuses(2, &["order-escalation"]);
    desk.say(&["new", "x", "--folder", "nowhere"]).refuses(1, &["nowhere"]);
}
