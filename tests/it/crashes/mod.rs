//! Real programs that are killed, and databases that go away.
//!
//! These are the only tests that wait in real time: what they try is what happens between
//! processes of the operating system.
//!
//! A full run kills a hundred times (`RUNGS_KILLS=100`); without the variable it is
//! twenty-four.

mod acts;
mod asked;
mod backups;
mod books;
mod kills;
mod load;
mod moves;
mod outages;
mod site;
mod upgrade;

/// Texts five times, a second apart, unless it is confirmed before. The body says which of
/// the five it is.
const FIVE_TEXTS: &str = r#"
sequence: five-texts
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: second } }
  - id: text
    run: SMS
    config: { to: "{{phone}}", message: "{{steps.text.visits}}" }
  - { id: again, run: GoTo, config: { step: wait, times: 4 } }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: order.status }
      compareTo: { type: raw, value: confirmed }
      otherwise: end
"#;

/// Texts of a process that runs to its end.
const TEXTS: usize = 5;

/// Whom a process texts. No two text the same.
fn phone(number: usize) -> String {
    format!("+3859100{number:05}")
}
