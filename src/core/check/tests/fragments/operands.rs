//! Operands of conditions in fragments, in all the ways in which a path can be written.

use super::*;

#[test]
fn operands_follow_however_their_paths_are_written() {
    let given =
        r#"{ at: "{{this.order.[the status]}}", which: call, its: "steps.ask.status", list: [a] }"#;
    for operand in [
        "{ type: get, value: [steps, call, status] }",
        "{ type: get, value: \"steps['call'].status\" }",
        "{ type: get, value: \"steps[call].status\" }",
        "{ type: get, value: \"steps.{{param.which}}.status\" }",
        "{ type: get, value: [steps, \"{{param.which}}\", status] }",
        "{ type: jsonpath, value: '$[\"steps\"][\"call\"].status' }",
        "{ type: get, value: [param, at] }",
        "{ type: get, value: \"param['at']\" }",
        "{ type: get, value: [param, list, 0] }",
        "{ type: get, value: \"{{param.its}}\" }",
    ] {
        let fragment = format!(
            "fragment: f\nparameters: {{ properties: {{ at: {{}}, which: {{}}, its: {{}}, list: {{}} }} }}\nsteps:\n  \
             - id: which\n    run: Conditional\n    config: {{ lodashCommand: eq, value: {operand}, \
             compareTo: {{ type: raw, value: a }} }}\n    altNext: end\n  - {{ id: call, run: Nap }}\n"
        );
        let source = sequence_of(&format!(
            "\n  - {{ id: k, run: ./f.yml, config: {given} }}\n  - {{ id: ask, run: Nap }}\n"
        ));
        let checked = checked(&source, &[("f.yml", &fragment)]);
        assert!(checked.diagnostics.is_empty(), "{operand}: {:#?}", checked.diagnostics);
        let data = serde_json::json!({ "order": { "the status": "a" } });
        let status = serde_json::json!({ "status": "a" });
        let steps = serde_json::json!({ "k--call": status, "ask": status });
        let outcome = visited(&checked.sequence.unwrap(), &data, &steps);
        assert_eq!(outcome.action, rungs_runners::Action::Next, "{operand}: {}", outcome.message);
    }
}

#[test]
fn operands_that_cannot_follow_are_told() {
    for (operand, part) in [
        ("{ type: get, value: param }", "`param` alone"),
        ("{ type: get, value: [param] }", "`param` alone"),
        ("{ type: get, value: [param, b] }", "no parameter `b`"),
        ("{ type: get, value: \"param.{{x}}\" }", "a name is wanted"),
        ("{ type: jsonpath, value: \"$['param'].a\" }", "does not see `param`"),
        ("{ type: get, value: [param, a, b] }", "has no `b`"),
    ] {
        let fragment = format!(
            "fragment: f\nparameters: {{ properties: {{ a: {{}} }} }}\nsteps:\n  - id: which\n    \
             run: Conditional\n    config: {{ lodashCommand: isNil, value: {operand} }}\n    altNext: end\n"
        );
        let source = sequence_of("\n  - { id: k, run: ./f.yml, config: { a: \"x {{y}}\" } }\n");
        finds_one(&source, &[("f.yml", &fragment)], part);
    }
}

/// One thing is said, of the fragment.
#[track_caller]
fn finds_one(source: &str, files: &[(&str, &str)], part: &str) {
    let found = checked(source, files).diagnostics;
    let is_it =
        |d: &crate::Diagnostic| d.message.contains(part) && d.file("") == "f.yml" && d.line == 6;
    assert!(found.len() == 1 && is_it(&found[0]), "expected {part}, found {found:#?}");
}
