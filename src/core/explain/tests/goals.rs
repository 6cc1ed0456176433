//! Goals, when there are several, and when somebody holds the process.

use super::*;

const GOALS: &str = r"
sequence: goals
timezone: Europe/Zagreb
steps:
  - { id: grace, run: WaitForDuration, config: { amount: 3, unit: hours } }
  - id: seen
    run: Goal
    config: { lodashCommand: eq, value: { type: get, value: seen }, compareTo: { type: raw, value: true } }
  - { id: more, run: WaitForDuration, config: { amount: 3, unit: hours } }
  - id: paid
    run: Goal
    config: { lodashCommand: gte, value: { type: get, value: paid }, compareTo: { type: raw, value: 10 } }
";

fn goals(data: Value, status: Status) -> Vec<String> {
    let mut world = World::start(GOALS, data, "2026-11-23T09:00");
    // As they are told while it waits, before the next cycle.
    world.process.cursor = Some("grace".into());
    world.process.status = status;
    section(&world, "goals")
}

#[test]
fn of_several_goals_the_furthest_that_is_achieved_comes_first() {
    assert_eq!(
        goals(json!({ "seen": true, "paid": 5 }), Status::Active),
        [
            "The goal `seen` is achieved: seen is true, eq true. The next cycle takes the process there.",
            "The goal `paid` lies ahead and is not achieved: paid is 5, wants gte 10, 5 too little.",
        ]
    );
    assert_eq!(
        goals(json!({ "seen": true, "paid": 12 }), Status::Active),
        [
            "The goal `seen` is achieved: seen is true, eq true. `paid`, further down, comes first.",
            "The goal `paid` is achieved: paid is 12, gte 10. The next cycle takes the process there.",
        ]
    );
}

#[test]
fn nothing_is_promised_of_a_process_that_somebody_holds() {
    let told = goals(json!({ "seen": true, "paid": 5 }), Status::Paused);
    assert!(
        told[0].ends_with("Once the process is resumed, the next cycle takes the process there."),
        "{told:?}"
    );
}
