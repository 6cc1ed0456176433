//! Sequences and processes to measure with.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use rungs_core::{Process, Sequence, Start, advance, check, start};
use rungs_runners::builtin::KINDS;
use serde_json::{Value, json};

/// Two waits: one that a process stands at, and the one after it.
pub const WAITS: &str = "
sequence: waits
steps:
  - { id: first, run: WaitForDuration, config: { amount: 1, unit: hour } }
  - { id: second, run: WaitForDuration, config: { amount: 1, unit: hour } }
";

/// Five steps without a wait.
pub const CHAIN: &str = "
sequence: chain
steps:
  - id: one
    run: Conditional
    config: { lodashCommand: gte, value: { type: get, value: order.count }, compareTo: { type: raw, value: 1 } }
    altNext: end
  - { id: two, run: WaitForDate, config: { date: '2020-01-01' } }
  - id: three
    run: Conditional
    config: { lodashCommand: eq, value: { type: get, value: order.status }, compareTo: { type: raw, value: new } }
    altNext: end
  - { id: four, run: WaitForDuration, config: { amount: 0, unit: minutes } }
  - id: five
    run: Conditional
    config: { lodashCommand: isString, value: { type: get, value: restaurant.name } }
    altNext: end
";

/// A ladder of five steps with one message.
pub const LADDER: &str = r#"
sequence: ladder
steps:
  - id: open
    run: Conditional
    config: { lodashCommand: eq, value: { type: get, value: order.status }, compareTo: { type: raw, value: new } }
    altNext: end
  - { id: since, run: WaitForDate, config: { date: '2020-01-01' } }
  - id: text
    run: SMS
    config: { to: "{{restaurant.phone}}", message: "{{restaurant.name}} has {{order.count}} new orders." }
  - { id: pause, run: WaitForDuration, config: { amount: 0, unit: minutes } }
  - id: confirmed
    run: Conditional
    config: { lodashCommand: eq, value: { type: get, value: steps.text.status }, compareTo: { type: raw, value: sent } }
    altNext: end
"#;

/// One message of 200 bytes.
pub fn message() -> String {
    let text = "Orders are waiting. ".repeat(10);
    format!("
sequence: message
steps:
  - {{ id: text, run: SMS, config: {{ from: '+38511234567', to: '{{{{restaurant.phone}}}}', message: '{text}' }} }}
")
}

/// Twenty steps: waits that are over and conditions; then a rest, and a goal ahead of all.
pub fn control() -> String {
    let mut steps = String::new();
    for index in 0..6 {
        let _ = write!(
            steps,
            "
  - {{ id: date{index}, run: WaitForDate, config: {{ date: '2020-01-01' }} }}
  - id: if{index}
    run: Conditional
    config:
      lodashCommand: eq
      value: {{ type: get, value: order.status }}
      compareTo: {{ type: raw, value: new }}
    altNext: end
  - {{ id: hour{index}, run: WaitForDateComparison, config: {{ attribute: hour, values: [9] }} }}"
        );
    }
    format!(
        "sequence: control\nsteps:{steps}
  - {{ id: wait, run: WaitForDuration, config: {{ amount: 1, unit: hour }} }}
  - id: goal
    run: Goal
    config:
      lodashCommand: eq
      value: {{ type: get, value: order.status }}
      compareTo: {{ type: raw, value: confirmed }}
"
    )
}

pub fn nine() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().expect("a constant")
}

pub fn ten() -> DateTime<Utc> {
    nine() + TimeDelta::hours(1)
}

pub fn sequence(yaml: &str) -> Sequence {
    let checked = check(yaml, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

pub fn data() -> Value {
    json!({
        "restaurant": { "name": "Galija", "phone": "+385911234567" },
        "order": { "count": 2, "status": "new" },
    })
}

/// A process that was started at `now`.
pub fn process(sequence: &Sequence, number: usize, now: DateTime<Utc>) -> Process {
    let new = Start {
        key: format!("01900000-0000-7000-8000-{number:012}"),
        process_id: format!("order-{number}"),
        version: 1,
        data: data(),
        default_timezone: chrono_tz::UTC,
        now,
    };
    start(sequence, new).expect("data that fits")
}

/// Processes that stand at their first wait since nine.
pub fn waiting(sequence: &Sequence, count: usize) -> Vec<Process> {
    (0..count)
        .map(|number| advance(sequence, process(sequence, number, nine()), vec![], nine()).process)
        .collect()
}
