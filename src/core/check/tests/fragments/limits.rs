//! What would never end, lie too deep or be too much once fragments stand in their places.

use super::*;

#[test]
fn circles_and_floods_come_to_an_end() {
    let call = |path: &str| format!("{{ id: a, run: {path} }}");
    let own = format!("fragment: f\nsteps: [{}]", call("./g.yml"));
    let other = format!("fragment: g\nsteps: [{}]", call("../x/f.yml"));
    let source = sequence_of(&format!("\n  - {}\n", call("./x/f.yml")));
    finds(
        &source,
        &[("x/f.yml", &own), ("x/g.yml", &other)],
        &[("fragment-cycle", "x/g.yml", 2, 23, "x/f.yml → x/g.yml → x/f.yml")],
    );

    // Ten times ten times ten times ...: as many steps as a sequence may have, and no more.
    let many = |path: &str| {
        let each: Vec<String> = (0..10).map(|n| format!("{{ id: s{n}, run: {path} }}")).collect();
        format!("fragment: f\nsteps: [{}]", each.join(", "))
    };
    let names: Vec<String> = (0..7).map(|n| format!("f{n}.yml")).collect();
    let texts: Vec<String> =
        (1..=7).map(|n| if n == 7 { many("Nap") } else { many(&format!("./f{n}.yml")) }).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let checked = checked(&sequence_of("\n  - { id: a, run: ./f0.yml }\n"), &files);
    let found = &checked.diagnostics[0];
    assert_eq!(checked.diagnostics.len(), 1, "{:#?}", checked.diagnostics);
    assert!(found.message.contains("more than 1000 steps"), "{}", found.message);

    // Nine deep is too deep.
    let texts: Vec<String> = (1..=9)
        .map(|n| format!("fragment: f\nsteps: [{}]", call(&format!("./f{n}.yml"))))
        .collect();
    let names: Vec<String> = (0..9).map(|n| format!("f{n}.yml")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let checked = super::checked(&sequence_of("\n  - { id: a, run: ./f0.yml }\n"), &files);
    assert!(checked.diagnostics[0].message.contains("8 deep"), "{:#?}", checked.diagnostics);

    // A parameter that doubles in every fragment.
    let doubling = |path: &str| {
        format!(
            "fragment: f\nparameters: {{ properties: {{ t: {{}} }} }}\nsteps: [{{ id: a, run: {path}, config: {{ t: \"{}\" }} }}]",
            "{{param.t}}".repeat(20)
        )
    };
    let texts: Vec<String> = (1..=7).map(|n| doubling(&format!("./f{n}.yml"))).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let source = sequence_of("\n  - { id: a, run: ./f0.yml, config: { t: abcdefghij } }\n");
    let checked = super::checked(&source, &files);
    assert!(
        checked.diagnostics.iter().any(|d| d.code == "too-large"),
        "{:#?}",
        checked.diagnostics
    );
}

#[test]
fn parameters_in_parameters_lie_no_deeper_than_a_source_may() {
    let around = |path: &str| {
        let value = format!("{}\"{{{{param.t}}}}\"{}", "[".repeat(25), "]".repeat(25));
        format!(
            "fragment: f\nparameters: {{ properties: {{ t: {{}} }} }}\nsteps: [{{ id: a, run: {path}, config: {{ t: {value} }} }}]"
        )
    };
    let last = "fragment: f\nparameters: { properties: { t: {} } }\nsteps: [{ id: a, run: PubNub, config: { channel: c, message: \"{{param.t}}\" } }]";
    let texts = [around("./b.yml"), around("./c.yml"), around("./d.yml"), last.to_owned()];
    let names = ["a.yml", "b.yml", "c.yml", "d.yml"];
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (*name, text.as_str())).collect();
    let source = sequence_of("\n  - { id: a, run: ./a.yml, config: { t: x } }\n");
    let checked = checked(&source, &files);
    assert!(
        checked.diagnostics[0].message.contains("more than 64 deep"),
        "{:#?}",
        checked.diagnostics
    );
}

#[test]
fn a_long_parameter_that_stands_there_thousands_of_times_is_refused_unwritten() {
    let fragment = format!(
        "fragment: f\nparameters: {{ properties: {{ t: {{}} }} }}\nsteps: [{{ id: a, run: SMS, config: {{ to: \"+385\", message: \"{}\" }} }}]",
        "{{param.t}}".repeat(40_000)
    );
    // Written, it would be twenty gigabytes.
    let long = "x".repeat(500_000);
    let source =
        sequence_of(&format!("\n  - {{ id: a, run: ./f.yml, config: {{ t: {long} }} }}\n"));
    let checked = checked(&source, &[("f.yml", &fragment)]);
    let found = &checked.diagnostics[0];
    assert_eq!(found.code, "too-large", "{}", found.message);
    assert!(found.message.contains("with its parameters"), "{}", found.message);
}
