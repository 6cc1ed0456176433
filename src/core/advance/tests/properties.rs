//! What holds for every climb: it never panics, it always comes to rest, and what it says
//! of itself agrees.

use chrono::TimeDelta;
use proptest::prelude::*;
use rungs_runners::{DeliveryStatus, DeliveryView, builtin::KINDS};
use serde_json::{Value, json};

use crate::{Advanced, Entry, Event, News, Sequence, Status, advance, check};

use super::{at, begin};

/// A step that fits at any place: most ways lead on, some lead anywhere.
fn step(index: usize, count: usize) -> impl Strategy<Value = Value> {
    let to =
        (0..=count).prop_map(move |to| if to == count { "end".into() } else { format!("s{to}") });
    let config = (0..8_u8, 0..400_i64, 1..4_u32, to.clone());
    (config, to, any::<bool>()).prop_map(move |((kind, amount, times, goto), target, jumps)| {
        let (run, config) = runner(kind, amount, times, &goto);
        let mut step = json!({ "id": format!("s{index}"), "run": run, "config": config });
        if run == "Conditional" || (run == "Phone" && jumps) {
            step["altNext"] = json!(target);
        }
        step
    })
}

fn runner(kind: u8, amount: i64, times: u32, goto: &str) -> (&'static str, Value) {
    let condition = |command: &str| {
        let value = json!({ "type": "get", "value": "n" });
        let compare = json!({ "type": "raw", "value": amount });
        json!({ "lodashCommand": command, "value": value, "compareTo": compare })
    };
    match kind {
        0 | 1 => ("WaitForDuration", json!({ "amount": amount, "unit": "minutes" })),
        2 => ("Phone", json!({ "to": "+385911234567", "say": "{{n}}", "await": "answered" })),
        3 => ("GoTo", json!({ "step": goto, "times": times })),
        4 => {
            let mut goal = condition("gt");
            goal["otherwise"] = json!("continue");
            ("Goal", goal)
        }
        5 => ("Conditional", condition("lt")),
        6 => ("WaitForDateComparison", json!({ "attribute": "hour", "values": [amount % 24] })),
        _ => ("WaitForDate", json!({ "date": "{{when}}" })),
    }
}

fn source() -> impl Strategy<Value = String> {
    (1..8_usize).prop_flat_map(|count| {
        let steps: Vec<_> = (0..count).map(|index| step(index, count)).collect();
        steps.prop_map(|steps| json!({ "sequence": "any", "steps": steps }).to_string())
    })
}

/// What happens between two cycles.
#[derive(Debug, Clone)]
enum Between {
    Minutes(i64),
    Back(i64),
    Data(Value),
    Heard(DeliveryStatus),
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        (0..600_i64).prop_map(Between::Minutes),
        (0..60_i64).prop_map(Between::Back),
        (-10..500_i64).prop_map(|n| Between::Data(json!({ "n": n }))),
        Just(Between::Data(json!({ "n": null, "when": "never" }))),
        (1..DeliveryStatus::ALL.len()).prop_map(|n| Between::Heard(DeliveryStatus::ALL[n])),
    ]
}

/// The sequences of the generator that the check accepts.
fn accepted(source: &str) -> Option<Sequence> {
    check(source, KINDS).sequence
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_climb_always_rests(
        source in source(),
        happenings in prop::collection::vec(between(), 0..20),
    ) {
        let Some(sequence) = accepted(&source) else { return Ok(()) };
        let mut process = begin(&sequence, json!({ "n": 1, "when": "2026-11-24T10:00:00Z" }));
        let mut now = at("09:00:00");
        for happening in happenings {
            let mut news = Vec::new();
            match happening {
                Between::Minutes(minutes) => now += TimeDelta::minutes(minutes),
                Between::Back(minutes) => now -= TimeDelta::minutes(minutes),
                Between::Data(data) => {
                    news.push(News::Event(Event { r#type: "data".into(), data, at: now }));
                }
                Between::Heard(status) => {
                    let open = process.state.delivery.clone();
                    news.extend(open.map(|open| News::Delivery(DeliveryView { status, ..open })));
                }
            }
            let was_active = process.status == Status::Active;
            let after = advance(&sequence, process, news, now);
            agrees(&after, was_active)?;
            process = after.process;
        }
    }
}

fn agrees(after: &Advanced, was_active: bool) -> Result<(), TestCaseError> {
    let process = &after.process;
    if process.status == Status::Active {
        let open = process.state.delivery.as_ref().is_some_and(|open| !open.status.is_final());
        prop_assert!(process.due_at.is_some() || open, "nothing would ever wake it: {process:#?}");
        prop_assert!(process.ended_at.is_none());
    } else {
        prop_assert!(process.due_at.is_none() && process.ended_at.is_some());
    }
    let visited = after.history.iter().rev().find_map(|entry| match entry {
        Entry::Visited { step, .. } => Some(step.as_str()),
        _ => None,
    });
    if was_active && process.status != Status::Failed {
        prop_assert_eq!(visited, process.cursor.as_deref(), "the history ends at the cursor");
    }
    prop_assert!(was_active || after.visits == 0);
    for delivery in &after.deliveries {
        let is_it = |entry: &Entry| matches!(entry, Entry::Wrote { delivery: id, .. } if *id == delivery.id);
        prop_assert!(after.history.iter().any(is_it), "a delivery without a line in the history");
    }
    prop_assert!(after.visits <= crate::advance::MOST_VISITS);
    Ok(())
}

#[test]
fn the_generator_makes_sequences_that_pass_the_check() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let passed = (0..500)
        .filter(|_| accepted(&source().new_tree(&mut runner).unwrap().current()).is_some())
        .count();
    assert!(passed > 100, "only {passed} of 500: the property above would prove little");
}
