use std::fmt::Write;

use rungs_runners::builtin::KINDS;

use super::*;
use crate::check;

/// A ladder of these steps, under this head.
fn ladder(head: &str, steps: &[&str]) -> Value {
    let source = format!("sequence: ladder\n{head}\nsteps:\n  - {}\n", steps.join("\n  - "));
    let checked = check(&source, KINDS);
    assert!(checked.sequence.is_some(), "{:#?}", checked.diagnostics);
    check::written(&source, KINDS).unwrap()
}

const GRACE: &str = "{ id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }";
const RING: &str = "{ id: ring, run: SMS, config: { to: '+385911234567', message: Hello } }";
const NAP: &str = "{ id: nap, run: WaitForDuration, config: { amount: 9, unit: minutes } }";
const AGAIN: &str = "{ id: again, run: GoTo, config: { step: ring, times: 3 } }";

/// Each change in a line.
fn told(old: &Value, new: &Value) -> Vec<String> {
    let Changes { sequence, steps } = changes(old, new);
    let edit = |edit: &Edit| match (&edit.from, &edit.to) {
        (Some(from), Some(to)) => format!("{}: {from} -> {to}", edit.path),
        (None, Some(to)) => format!("{}: + {to}", edit.path),
        (from, _) => format!("{}: - {}", edit.path, from.clone().unwrap_or_default()),
    };
    let mut told: Vec<String> = sequence.iter().map(edit).collect();
    for step in &steps {
        let mut line = format!("{:?} {}", step.change, step.id);
        if let Some(was) = &step.was {
            let _ = write!(line, " was {was}");
        }
        if let Some((from, to)) = step.place {
            let _ = write!(line, " from {from} to {to}");
        }
        told.push(line);
        told.extend(step.edits.iter().map(|it| format!("  {}", edit(it))));
    }
    told
}

#[test]
fn what_is_only_written_otherwise_is_no_change() {
    let old = ladder("", &[GRACE, RING]);
    let new = check::written(
        "# With a comment, and its keys in another order.
steps:
  - run: WaitForDuration
    id: grace
    config:
      unit: minutes
      amount: 3
  - { id: ring, config: { message: \"Hello\", to: '+385911234567' }, run: SMS }
sequence: ladder",
        KINDS,
    );
    assert!(changes(&old, &new.unwrap()).is_empty());
}

#[test]
fn steps_come_go_and_say_something_else() {
    let old = ladder("", &[GRACE, RING]);
    let louder = RING.replace("Hello }", "HELLO }, onFailure: fail");
    let new = ladder("", &[&louder, NAP]);
    assert_eq!(
        told(&old, &new),
        [
            "Changed ring",
            "  config.message: \"Hello\" -> \"HELLO\"",
            "  onFailure: + \"fail\"",
            "Added nap",
            "Removed grace",
        ]
    );
}

#[test]
fn as_few_steps_as_possible_are_said_to_have_moved() {
    let old = ladder("", &[GRACE, RING, NAP, AGAIN]);
    let new = ladder("", &[RING, NAP, AGAIN, GRACE]);
    assert_eq!(told(&old, &new), ["Changed grace from 1 to 4"]);
}

#[test]
fn a_step_of_another_name_is_the_same_step_also_to_those_that_name_it() {
    let old = ladder("", &[GRACE, RING, NAP, AGAIN]);
    let [ring, again] = [RING, AGAIN].map(|step| step.replace("ring", "text"));
    let new = ladder("moved: { ring: text }", &[GRACE, &ring, NAP, &again]);
    assert_eq!(told(&old, &new), ["Changed text was ring"]);
    let unsaid = ladder("", &[GRACE, &ring, NAP, &again]);
    assert_eq!(
        told(&old, &unsaid),
        ["Added text", "Changed again", "  config.step: \"ring\" -> \"text\"", "Removed ring"]
    );
}

#[test]
fn what_the_sequence_says_itself_is_compared_key_by_key() {
    let old = ladder("timezone: Europe/Zagreb\ninput: { required: [a], type: object }", &[RING]);
    let new = ladder("priority: high\ninput: { required: [a, b], type: object }", &[RING]);
    assert_eq!(
        told(&old, &new),
        [
            "priority: + \"high\"",
            "input.required: [\"a\"] -> [\"a\",\"b\"]",
            "timezone: - \"Europe/Zagreb\"",
        ]
    );
}

#[test]
fn a_thousand_steps_in_reverse_are_compared_in_a_moment() {
    let nap = |at: usize| NAP.replace("nap", &format!("nap-{at}"));
    let steps: Vec<String> = (0..1000).map(nap).collect();
    let mut steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let old = ladder("", &steps);
    steps.reverse();
    let changes = changes(&old, &ladder("", &steps));
    assert_eq!(changes.steps.len(), 999, "one of them stays where it is");
}
