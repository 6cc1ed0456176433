//! Stories: a whole Rungs, a fake provider, a clock that the test moves.

use serde_json::{Value, json};

mod acts;
mod answers;
mod caller_ids;
mod doors;
mod doubt;
mod explain;
mod failures;
mod import;
mod ladder;
mod late;
mod many;
mod moves;
mod queue;
mod quiet;
mod remote;
mod stops;
mod trouble;
mod waits;
mod watch;
mod webhook;

const ORDER_ESCALATION: &str = include_str!("../../../sequences/order-escalation.yml");

/// Rings once and waits until somebody answers; the ladder ends either way.
const RING: &str = r#"
sequence: ring
steps:
  - id: ring
    run: Phone
    config: { to: "{{phone}}", say: "Hello!", await: answered }
    altNext: text
  - id: answered
    run: GoTo
    config: { step: end }
  - id: text
    run: SMS
    config: { to: "{{phone}}", message: "We tried to call you." }
"#;

const RESTAURANT: &str = "+385911234567";
const MANAGER: &str = "+385917654321";

fn two_orders() -> Value {
    json!({
        "restaurant": { "name": "Galija", "phone": RESTAURANT, "manager": MANAGER, "timezone": "UTC" },
        "order": { "count": 2 },
    })
}

fn phone() -> Value {
    json!({ "phone": RESTAURANT })
}

/// What a step wrote. There is one.
fn delivery_of<'a>(process: &'a Value, step: &str) -> &'a Value {
    let mut deliveries = process["deliveries"].as_array().unwrap().iter();
    deliveries.find(|delivery| delivery["step"] == step).expect("a delivery")
}
