//! `simulate`: what an author sees before anybody is rung.

use serde_json::Value;

use super::{Desk, PHONE};

/// Where the ladder is simulated, and what ends it.
const LADDER: [&str; 8] = [
    "simulate",
    "ladder.yml",
    "--data",
    PHONE,
    "--at",
    "2026-03-29T00:30",
    "--event",
    "+11h:order.status=confirmed",
];

fn ladder(more: &[&'static str]) -> Vec<&'static str> {
    [&LADDER, more].concat()
}

#[test]
fn a_night_in_which_the_clocks_change_is_told_in_local_time() {
    let desk = Desk::new();
    let out = desk.ask(&LADDER);
    let lines: Vec<&str> = out.lines().map(str::trim).collect();
    assert_eq!(lines[0], "Sun 29 Mar 2026");
    assert!(lines[1].starts_with("00:30:00"), "{out}");
    for told in [
        "00:33:00  ring       » phone to +385911234567: \"Orders are waiting.\"",
        "00:33:30  ring       · no-answer",
        // Five hours later, beside the one that the clocks skip.
        "06:33:30  settle     → next: waited 5 hours",
    ] {
        assert!(lines.contains(&told), "no {told:?} in\n{out}");
    }
}

#[test]
fn answers_and_events_change_the_climb() {
    let desk = Desk::new();
    let simulated = desk.say(&[
        "simulate",
        "ladder.yml",
        "--data",
        PHONE,
        "--at",
        "2026-03-29T00:30",
        "--answer",
        "ring=answered+20s,ring#2=busy",
        "--event",
        "+6h:order.status=confirmed",
    ]);
    assert_eq!(simulated.code, Some(0), "{simulated:#?}");
    for told in
        ["00:33:20  ring       · answered", "ring       · busy", "◆ event order.status = confirmed"]
    {
        assert!(simulated.out.contains(told), "no {told:?} in\n{}", simulated.out);
    }
    assert!(simulated.err.contains("2 calls, in 6 h"), "{}", simulated.err);
}

#[test]
fn machines_get_the_lines_of_a_history() {
    let desk = Desk::new();
    let out = desk.ask(&ladder(&["--format", "json"]));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = &lines[0];
    assert_eq!(
        (first["kind"].as_str(), first["at"].as_str()),
        (Some("started"), Some("2026-03-28T23:30:00.000Z"))
    );
    let wrote = lines.iter().find(|line| line["kind"] == "wrote").unwrap();
    assert_eq!(wrote["request"]["to"], "+385911234567");
    assert_eq!(lines.last().unwrap()["kind"], "completed");
}

#[test]
fn a_picture_is_xml_whatever_its_texts_say() {
    let desk = Desk::new();
    let svg = desk.ask(&ladder(&["--format", "svg", "--event", "+1m:</text><&>\""]));
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
    for words in ["calls", "waits", "ring: no-answer", "</text><&>\"", "Sun 29 Mar 2026"] {
        assert!(texts.iter().any(|text| text.contains(words)), "no {words:?} in {svg}");
    }
    assert!(svg.contains("class=\"night\""), "it was night");
}

#[test]
fn a_picture_shows_what_quiet_hours_hold() {
    let desk = Desk::new();
    desk.put("quiet.yml", "sequence: quiet\ntimezone: Europe/Zagreb\nquietHours: { from: 22:00, to: 07:00 }\nsteps:\n  - { id: text, run: SMS, config: { to: '+385911234567', message: Hi } }\n  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hi }, quietHours: none }\n");
    let svg = desk.ask(&["simulate", "quiet.yml", "--at", "2026-03-28T23:00", "--format", "svg"]);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
    assert!(texts.contains(&"text: held") && texts.contains(&"quiet hours"), "{svg}");
    let hatched = document.descendants().filter(|node| node.attribute("class") == Some("quiet"));
    // In the lane of texts, and in the legend; calls keep none.
    assert_eq!(hatched.count(), 2, "{svg}");
}

#[test]
fn what_if_lists_every_climb_once() {
    let desk = Desk::new();
    // Nothing in this one leads on from whether somebody picked up, and both are before the event.
    let told = desk.say(&ladder(&["--what-if"]));
    assert_eq!(told.code, Some(0), "{told:#?}");
    assert!(told.err.contains("1 climb of 4 combinations"), "{}", told.err);

    desk.put("twice.yml", "sequence: twice\nsteps:\n  - { id: ring, run: Phone, config: { to: '+385911234567', say: Hi, await: answered }, next: end, altNext: again }\n  - { id: again, run: GoTo, config: { step: ring, times: 1 } }\n");
    let twice = |more: &[&str]| desk.say(&[&["simulate", "twice.yml", "--what-if"], more].concat());
    let told = twice(&[]);
    assert!(told.out.contains("ring no-answer, ring answered"), "{}", told.out);
    assert!(told.err.contains("3 different climbs of 3 combinations"), "{}", told.err);
    twice(&["--most", "2"]).refuses(0, &["There are more combinations"]);
    twice(&["--most", "0"]).refuses(2, &["--most"]);
    twice(&["--format", "svg"]).refuses(2, &["--what-if lists climbs"]);
}

#[test]
fn bad_input_is_told_in_a_line() {
    let desk = Desk::new();
    desk.put("waits.yml", "sequence: waits\nsteps:\n  - { id: first, run: Conditional, config: { lodashCommand: eq, value: { type: get, value: a }, compareTo: { type: raw, value: 1 } }, altNext: wait, next: end }\n  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: days } }\n  - { id: again, run: GoTo, config: { step: first } }\n");
    let simulate =
        |more: &[&str]| desk.say(&[&["simulate", "ladder.yml", "--data", PHONE], more].concat());
    simulate(&["--at", "half past two"]).refuses(2, &["--at", "2026-03-29T00:30"]);
    simulate(&["--answer", "rign=busy"]).refuses(2, &["no step `rign`", "did you mean `ring`"]);
    simulate(&["--answer", "grace=busy"]).refuses(2, &["`grace` reaches nobody"]);
    simulate(&["--answer", "ring=maybe"]).refuses(2, &["expected one of"]);
    simulate(&["--event", "soon"]).refuses(2, &["a colon"]);
    desk.say(&["simulate", "ladder.yml", "--data", "{}"]).refuses(1, &["phone"]);
    desk.say(&["simulate", "nothing.yml"]).refuses(1, &["nothing.yml"]);
    desk.say(&["--format", "svg", "check", "ladder.yml"])
        .refuses(2, &["only `simulate` and `diagram` draw"]);
    desk.say(&LADDER[..6]).refuses(3, &["waits at `confirmed` for an event"]);
    // Ten thousand days are enough to see that it never ends.
    desk.say(&["simulate", "waits.yml", "--data", "{}"])
        .refuses(3, &["still going after 10000 cycles"]);
}

#[test]
fn a_sequence_is_drawn_in_three_ways() {
    let desk = Desk::new();
    assert!(desk.ask(&["diagram", "ladder.yml"]).contains("jump → ring"));
    assert!(
        desk.ask(&["--format", "mermaid", "diagram", "ladder.yml"]).starts_with("flowchart TD")
    );
    let svg = desk.ask(&["--format", "svg", "diagram", "ladder.yml"]);
    let svg = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(svg.descendants().filter(|node| node.attribute("class") == Some("id")).count(), 5);
    desk.say(&["--format", "mermaid", "simulate", "ladder.yml"]).refuses(2, &["diagram"]);
    desk.say(&["--format", "json", "diagram", "ladder.yml"]).refuses(2, &["mermaid or svg"]);
}

#[test]
fn the_schema_for_editors_takes_the_shipped_sequences() {
    let schema: Value = serde_json::from_str(&Desk::new().ask(&["schema"])).unwrap();
    let validator = jsonschema::options().offline().build(&schema).unwrap();
    let sequences = concat!(env!("CARGO_MANIFEST_DIR"), "/sequences");
    let mut count = 0;
    for entry in std::fs::read_dir(sequences).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yml");
        if !is_yaml || name.contains(".test.") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let sequence: Value = serde_yaml::from_str(&source).unwrap();
        let found: Vec<String> = validator.iter_errors(&sequence).map(|e| e.to_string()).collect();
        assert_eq!(found, [""; 0], "{name}");
        count += 1;
    }
    assert!(count >= 5);
}
