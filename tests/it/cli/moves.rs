//! `plan`, `apply --move` and `backtest`, as people meet them.

use serde_json::json;

use super::desk::{Desk, PHONE, in_order};

#[test]
fn a_change_is_planned_applied_and_moved() {
    let desk = Desk::new();
    desk.say(&["plan", "ladder.yml"]).refuses(1, &["there is no database", "rungs apply"]);
    desk.ask(&["apply", "ladder.yml"]);
    in_order(&desk.ask(&["plan", "ladder.yml"]), &["ladder: no changes, version 1"]);
    in_order(&desk.ask(&["plan", "call.yml"]), &["call: new, would be published as version 1"]);
    for id in ["a", "b"] {
        desk.ask(&["start", "ladder", "--id", id, "--data", PHONE]);
    }
    desk.ask(&["evaluate", "--drain"]);

    let ladder = std::fs::read_to_string(desk.0.path().join("ladder.yml")).unwrap();
    let second = ladder
        .replace("amount: 3, unit: minutes", "amount: 2, unit: minutes")
        .replace("id: ring", "id: call")
        .replace("step: ring", "step: call")
        .replace("\nsteps:", "\nmoved: { ring: call }\nsteps:");
    desk.put("second.yml", &second);
    let plan = desk.ask(&["plan", "second.yml", "--list"]);
    in_order(
        &plan,
        &[
            "ladder: would be published as version 2, after 1",
            "~ grace",
            "config.amount: 3 → 2",
            "~ call",
            "was ring",
            "2 processes live; 2 on older versions, where they stay",
            "`rungs apply --move` would move them",
            "grace",
            "Of 2 processes looked at one by one, 2 can move",
            "call (phone): 2 processes would send at another time",
            "a  version 1, at grace → grace",
            "instead of",
        ],
    );
    let json = desk.ask_json(&["plan", "second.yml", "--process", "b"]);
    assert_eq!((&json["published"], &json["version"]), (&json!(1), &json!(2)));
    assert_eq!(
        json["standing"][0],
        json!({ "lands": "grace", "version": 1, "step": "grace", "live": 2 })
    );
    assert_eq!(json["processes"][0]["process_id"], "b");
    assert_eq!(json["processes"][0]["at_another_time"][0]["to"], "+385911234567");

    // Of several files, that of the process's sequence is meant.
    desk.put("other.yml", second.replace("sequence: ladder", "sequence: other"));
    let told = desk.ask(&["plan", "other.yml", "second.yml", "--process", "b"]);
    assert!(!told.contains("other: "), "{told}");
    desk.say(&["plan", "other.yml", "other.yml", "--process", "b"])
        .refuses(1, &["one of `ladder`"]);

    let said = desk.ask(&["apply", "--move", "second.yml"]);
    in_order(&said, &["ladder version 2, published", "2 processes moved to version 2"]);
    in_order(&desk.ask(&["apply", "--move", "second.yml"]), &["unchanged", "0 processes moved"]);
    in_order(&desk.ask(&["show", "a"]), &["ladder, version 2", "moved from version 1 to 2"]);

    desk.put("third.yml", second.replace("id: grace", "id: patience"));
    let said = desk.say(&["apply", "--move", "third.yml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.err.contains("left a: there is no step `grace` any more"), "{said:#?}");
    in_order(&said.out, &["version 3, published", "0 processes moved to version 3, 2 left"]);
    let plan = desk.ask(&["plan", "third.yml"]);
    in_order(&plan, &["would move none of them", "stays: there is no step `grace` any more"]);
}

#[test]
fn who_cannot_move_for_its_data_is_told_with_the_way_out() {
    let desk = Desk::new();
    desk.ask(&["apply", "ladder.yml"]);
    desk.ask(&["start", "ladder", "--id", "a", "--data", PHONE]);
    desk.ask(&["evaluate", "--drain"]);
    let ladder = std::fs::read_to_string(desk.0.path().join("ladder.yml")).unwrap();
    desk.put("strict.yml", ladder.replace("required: [", "required: [city, "));
    in_order(
        &desk.ask(&["plan", "strict.yml"]),
        &["0 can move", "1 process could not", "--force", "such as a", "\"city\""],
    );
    // A sequence without cases is no file of cases.
    desk.say(&["test", "strict.yml"]).refuses(1, &["has no cases", "strict.test.yml"]);
}

#[test]
fn what_was_recorded_is_replayed_and_summed_up() {
    let desk = Desk::new();
    desk.ask(&["apply", "ladder.yml"]);
    in_order(&desk.ask(&["backtest", "ladder.yml"]), &["No process of `ladder` was started since"]);
    desk.ask(&["start", "ladder", "--id", "a", "--data", PHONE]);
    desk.ask(&["evaluate", "--drain"]);
    let ladder = std::fs::read_to_string(desk.0.path().join("ladder.yml")).unwrap();
    let at_once = ladder.replace(
        "steps:\n",
        "steps:\n  - { id: text, run: SMS, config: { to: '{{phone}}', message: Hi } }\n",
    );
    desk.put("second.yml", at_once);
    let told = desk.ask(&["backtest", "second.yml", "--since", "1h"]);
    in_order(
        &told,
        &[
            "a  version 1, started",
            "+ ",
            "text  sms to +385911234567: \"Hi\"",
            "1 of 1 process started since",
            "1 would have contacted somebody differently",
            "0 texts then, 1 now",
            "1 of 1 answer was not recorded",
        ],
    );
    let lines = desk.ask(&["--format", "json", "backtest", "second.yml"]);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["only_now"][0]["step"], "text");
    assert_eq!((&lines[1]["kind"], &lines[1]["differ"]), (&json!("sum"), &json!(1)));
    desk.say(&["backtest", "ladder.yml", "--since", "lately"]).refuses(2, &["30d, 12h"]);
    desk.say(&["backtest", "ladder.yml", "--since", "30"]).refuses(2, &["30 of what?", "30d"]);
}
