//! Where steps lead.

use super::*;

#[test]
fn targets_are_steps_or_the_end() {
    says_of_steps(
        "  - { id: ring, run: Shout, config: { to: '1' }, next: rign, altNext: rin }
  - { id: again, run: GoTo, config: { step: wring, times: 2 } }
  - { id: nap, run: Nap, next: 5 }
  - { id: last, run: Nap, next: End }",
        &[
            ("unknown-step", 3, 56, "there is no step `rign`"),
            ("unknown-step", 3, 71, "`rin`"),
            ("unknown-step", 4, 45, "`wring`"),
            ("wrong-type", 5, 32, "expected a string"),
            ("unknown-step", 6, 33, "`End`"),
        ],
    );
    says_of_steps(
        "  - { id: a, run: Shout, config: { to: '1' }, next: end, altNext: b }
  - { id: b, run: Choose, next: c, altNext: end }
  - { id: c, run: GoTo, config: { step: end } }",
        &[],
    );
    let help =
        helps(&with_steps("  - { id: ring, run: Nap, next: rign }\n  - { id: b, run: Nap }"));
    assert_eq!(help, ["did you mean `ring`? (known steps: ring, b, end)"]);
}

#[test]
fn alt_next_stands_where_it_can_be_taken() {
    says_of_steps(
        "  - { id: a, run: Nap, altNext: b }
  - { id: b, run: Choose }
  - { id: c, run: Shout, config: { to: '1' } }",
        &[
            ("never-taken", 3, 24, "`Nap` never takes `altNext`"),
            ("missing-key", 4, 5, "`Choose` needs an `altNext`"),
        ],
    );
}

#[test]
fn a_step_that_always_jumps_takes_no_next() {
    says_of_steps(
        "  - { id: a, run: Nap }\n  - { id: b, run: GoTo, config: { step: a }, next: end }",
        &[("never-taken", 4, 52, "never taken")],
    );
    says_of_steps(
        "  - { id: a, run: Nap }\n  - { id: b, run: GoTo, config: { step: a, times: 1 }, next: end }",
        &[],
    );
}

#[test]
fn steps_that_nothing_leads_to_are_told_once_for_each_run_of_them() {
    let steps = "  - { id: a, run: Nap, next: d }
  - { id: b, run: Nap }
  - { id: c, run: Nap }
  - { id: d, run: Nap }
  - { id: e, run: GoTo, config: { step: a } }
  - { id: f, run: Nap }
";
    says_of_steps(
        steps,
        &[
            ("unreachable", 4, 11, "step `b` is never reached, nor is the one below it"),
            ("unreachable", 8, 11, "step `f` is never reached"),
        ],
    );
    let help = helps(&with_steps(steps));
    assert!(help[0].starts_with("`a` above leads past it"), "{}", help[0]);
    assert!(help[1].starts_with("`e` above always jumps"), "{}", help[1]);
}

#[test]
fn a_loop_that_nothing_leads_into_is_unreachable_all_the_same() {
    says_of_steps(
        "  - { id: a, run: Nap, next: end }
  - { id: b, run: Nap }
  - { id: c, run: GoTo, config: { step: b } }",
        &[("unreachable", 4, 11, "`b`")],
    );
}

#[test]
fn a_goal_is_reached_from_wherever_it_lies_ahead() {
    says_of_steps(
        "  - { id: a, run: Nap }
  - { id: again, run: GoTo, config: { step: a } }
  - { id: goal, run: Reach }
  - { id: thanks, run: Nap }",
        &[],
    );
}

#[test]
fn a_step_that_cannot_be_read_may_lead_anywhere() {
    says_of_steps(
        "  - { id: a, run: GoTo, config: { stp: c } }
  - { id: b, run: Nap, next: end }
  - { id: c, run: Nap }",
        &[("missing-key", 3, 25, "`step`"), ("unknown-key", 3, 35, "`stp`")],
    );
    says_of_steps(
        "  - { id: a, run: Nap, next: cc }\n  - { id: b, run: Nap, next: end }\n  - { id: c, run: Nap }",
        &[("unknown-step", 3, 30, "`cc`")],
    );
}

#[test]
fn a_loop_without_a_rest_is_named_step_by_step() {
    says_of_steps(
        "  - { id: a, run: GoTo, config: { step: a } }",
        &[("restless-loop", 3, 41, "this loop never rests: a -> a")],
    );
    says_of_steps(
        "  - { id: nap, run: Nap }
  - { id: a, run: Choose, next: b, altNext: end }
  - { id: b, run: Choose, next: end, altNext: c }
  - { id: c, run: GoTo, config: { step: a } }",
        &[("restless-loop", 6, 41, "a -> b -> c -> a")],
    );
    says_of_steps(
        "  - { id: a, run: Choose, next: end, altNext: a }",
        &[("restless-loop", 3, 47, "a -> a")],
    );
    says_of_steps(
        "  - { id: a, run: Leap, config: { to: b } }\n  - { id: b, run: Leap, config: { to: a } }",
        &[("restless-loop", 4, 5, "a -> b -> a")],
    );
}

#[test]
fn every_restless_loop_is_told() {
    says_of_steps(
        "  - { id: a, run: Choose, next: c, altNext: a }
  - { id: c, run: Choose, next: end, altNext: d }
  - { id: d, run: GoTo, config: { step: c } }",
        &[("restless-loop", 3, 45, "a -> a"), ("restless-loop", 5, 41, "c -> d -> c")],
    );
}

#[test]
fn a_loop_that_rests_or_ends_passes() {
    for steps in [
        // A wait, a call, a step to itself; each with a way out.
        "  - { id: a, run: Nap }\n  - { id: c, run: Choose, altNext: end }\n  - { id: b, run: GoTo, config: { step: a } }",
        "  - { id: a, run: Shout, config: { to: '1' }, altNext: end }\n  - { id: b, run: GoTo, config: { step: a } }",
        "  - { id: a, run: Shout, config: { to: '1' }, next: a, altNext: end }",
        // A bound.
        "  - { id: a, run: Choose, altNext: end }\n  - { id: b, run: GoTo, config: { step: a, times: 3 } }",
        "  - { id: a, run: GoTo, config: { step: a, times: 3 } }",
    ] {
        says_of_steps(steps, &[]);
    }
}

#[test]
fn a_loop_that_is_never_left_is_told() {
    for (steps, line, ring) in [
        (
            "  - { id: in, run: Nap }
  - { id: a, run: Shout, config: { to: '1' } }
  - { id: b, run: GoTo, config: { step: a } }",
            5,
            ": a, b",
        ),
        ("  - { id: a, run: Shout, config: { to: '1' }, next: a }", 3, ": a"),
        (
            "  - { id: a, run: Nap }
  - { id: c, run: GoTo, config: { step: a, times: 3 } }
  - { id: b, run: GoTo, config: { step: a } }",
            5,
            ": a, c, b",
        ),
    ] {
        says_of_steps(steps, &[("endless-loop", line, 11, ring)]);
    }
}

#[test]
fn a_loop_that_may_be_left_passes() {
    const GOAL: &str = "lodashCommand: isString, value: { type: get, value: a }";
    for steps in [
        // A goal ahead, one that ends, a call that fails the process.
        format!("  - {{ id: a, run: Nap }}\n  - {{ id: b, run: GoTo, config: {{ step: a }} }}\n  - {{ id: g, run: Goal, config: {{ {GOAL} }} }}"),
        format!("  - {{ id: a, run: Nap }}\n  - {{ id: g, run: Goal, config: {{ {GOAL}, otherwise: end }}, next: end }}\n"),
        format!("  - {{ id: g, run: Goal, config: {{ {GOAL}, otherwise: end }} }}\n  - {{ id: a, run: Nap, next: g }}\n"),
        "  - { id: a, run: Shout, config: { to: '1' }, onFailure: fail }\n  - { id: b, run: GoTo, config: { step: a } }".to_owned(),
    ] {
        says_of_steps(&steps, &[]);
    }
    let fails = "sequence: x\ndefaults: { onFailure: fail }\nsteps:\n  - { id: a, run: Shout, config: { to: '1' }, next: a }";
    says(fails, &[]);
}

#[test]
fn a_goal_that_pulls_down_what_goes_back_up_is_told() {
    for (steps, line, column, way) in [
        // Whatever rests above the goal is never visited.
        (
            "  - { id: nap, run: Nap }
  - { id: text, run: Shout, config: { to: '1' } }
  - { id: goal, run: Reach }
  - { id: again, run: GoTo, config: { step: nap } }",
            6,
            45,
            "never rests: goal -> again -> nap, from where the goal `goal` pulls the process down",
        ),
        (
            "  - { id: nap, run: Nap }\n  - { id: goal, run: Reach, next: nap }",
            4,
            35,
            "goal -> nap, from where",
        ),
        (
            "  - { id: goal, run: Reach, next: goal }",
            3,
            35,
            "goal -> goal, once `goal` is achieved",
        ),
        (
            "  - { id: nap, run: Nap }
  - { id: goal, run: Reach }
  - { id: b, run: Choose, next: end, altNext: c }
  - { id: c, run: Choose, next: end, altNext: nap }",
            6,
            47,
            "goal -> b -> c -> nap",
        ),
        // Two goals, one mistake.
        (
            "  - { id: nap, run: Nap }
  - { id: near, run: Goal, config: { lodashCommand: isNull, value: { type: get, value: near }, otherwise: continue } }
  - { id: far, run: Goal, config: { lodashCommand: isNull, value: { type: get, value: far }, otherwise: continue } }
  - { id: again, run: GoTo, config: { step: nap } }",
            6,
            45,
            "near -> far -> again -> nap",
        ),
    ] {
        says_of_steps(steps, &[("restless-loop", line, column, way)]);
        let help = helps(&with_steps(steps));
        assert_eq!(help, ["put a wait below the goal, or write `next: end` on it"]);
    }
}

#[test]
fn a_goal_below_which_a_process_rests_or_ends_passes() {
    for below in [
        "  - { id: rest, run: Nap }\n  - { id: again, run: GoTo, config: { step: nap } }",
        "  - { id: ring, run: Shout, config: { to: '1' }, next: nap }",
        "  - { id: more, run: Reach, next: end }",
        "  - { id: again, run: GoTo, config: { step: nap, times: 3 } }",
        "  - { id: on, run: Choose, altNext: end }\n  - { id: rest, run: Nap, next: on }",
    ] {
        says_of_steps(
            &format!("  - {{ id: nap, run: Nap }}\n  - {{ id: goal, run: Reach }}\n{below}"),
            &[],
        );
    }
}

#[test]
fn a_bounded_loop_without_a_rest_fits_into_one_cycle() {
    let itself =
        |times: u32| format!("  - {{ id: a, run: GoTo, config: {{ step: a, times: {times} }} }}");
    says_of_steps(&itself(998), &[]);
    says_of_steps(
        &itself(999),
        &[(
            "restless-loop",
            3,
            51,
            "visits up to 1000 steps in one cycle; the most is 1000: a -> a",
        )],
    );
    says_of_steps(&itself(u32::MAX), &[("restless-loop", 3, 51, "up to 4294967296 steps")]);

    let round = |times: u32| {
        format!(
            "  - {{ id: a, run: Choose, altNext: end }}
  - {{ id: b, run: Choose, altNext: end }}
  - {{ id: again, run: GoTo, config: {{ step: a, times: {times} }} }}"
        )
    };
    says_of_steps(&round(332), &[]);
    says_of_steps(&round(333), &[("restless-loop", 5, 55, "up to 1002 steps in one cycle")]);
    let help = helps(&with_steps(&round(333)));
    assert_eq!(help, ["put a wait or a notification into it, or lower `times`"]);
}

#[test]
fn loops_that_fit_into_a_cycle_alone_are_added_up() {
    let two = |times: u32, between: &str| {
        format!(
            "  - {{ id: a, run: Choose, altNext: b }}
  - {{ id: back, run: GoTo, config: {{ step: a, times: {times} }} }}
{between}  - {{ id: b, run: Choose, altNext: end }}
  - {{ id: again, run: GoTo, config: {{ step: b, times: {times} }} }}"
        )
    };
    says_of_steps(&two(240, ""), &[]);
    says_of_steps(&two(300, ""), &[("restless-loop", 6, 55, "up to 1204 steps in one cycle")]);
    says_of_steps(
        &two(300, "  - { id: nap, run: Nap }\n").replace("altNext: b", "altNext: nap"),
        &[],
    );
}

#[test]
fn a_bounded_loop_that_rests_may_go_round_as_often_as_it_likes() {
    says_of_steps(
        "  - { id: a, run: Nap }\n  - { id: b, run: GoTo, config: { step: a, times: 100000 } }",
        &[],
    );
}

#[test]
fn jumps_that_end_each_others_loops_late_are_told() {
    says_of_steps(
        "  - { id: a, run: GoTo, config: { step: c, times: 5000 }, next: end }
  - { id: c, run: GoTo, config: { step: a, times: 6000 }, next: end }",
        &[(
            "restless-loop",
            3,
            51,
            "up to 10002 steps in one cycle; the most is 1000: c -> a -> c",
        )],
    );
}

#[test]
fn a_goal_pulls_down_a_bounded_loop_too() {
    let steps = |times: u32| {
        format!(
            "  - {{ id: nap, run: Nap }}
  - {{ id: goal, run: Reach }}
  - {{ id: again, run: GoTo, config: {{ step: nap, times: {times} }} }}"
        )
    };
    says_of_steps(&steps(498), &[]);
    let way = "up to 1000 steps in one cycle; the most is 1000: goal -> again -> nap, from where";
    says_of_steps(&steps(499), &[("restless-loop", 5, 57, way)]);
}

#[test]
fn a_ladder_of_a_thousand_jumps_is_followed() {
    let steps = times(1000, |n| {
        format!("  - {{ id: s{n}, run: GoTo, config: {{ step: s{} }} }}\n", (n + 1) % 1000)
    });
    let checked = check(&with_steps(&steps), &kinds());
    let [found] = &checked.diagnostics[..] else { panic!("{:?}", checked.diagnostics) };
    assert_eq!((found.code, found.line), ("restless-loop", 1002));
}

#[test]
fn a_thousand_goals_and_bounded_jumps_are_looked_at_within_a_moment() {
    let steps = times(500, |n| {
        format!(
            "  - {{ id: g{n}, run: Reach }}
  - {{ id: s{n}, run: GoTo, config: {{ step: s{n}, times: 3 }} }}\n"
        )
    });
    says_of_steps(&steps, &[]);
}

#[test]
fn a_loop_whose_only_rest_is_a_wait_that_is_over_is_told() {
    let found = |wait: &str, more: &str| -> Vec<(&'static str, usize, String)> {
        let source = with_steps(&format!(
            "  - {{ id: wait, {wait} }}
  - {{ id: more, run: Conditional, config: {{ lodashCommand: isNil, value: {{ type: get, value: x }} }}, altNext: end }}
{more}  - {{ id: again, run: GoTo, config: {{ step: wait }} }}"
        ));
        let checked = check(&source, rungs_runners::builtin::KINDS);
        assert!(!checked.has_errors(), "{:#?}", checked.diagnostics);
        checked.diagnostics.into_iter().map(|it| (it.code, it.line, it.message)).collect()
    };
    let window = "run: WaitForWindow, config: { from: '9:00', to: '17:00' }";
    let event = "run: WaitForEvent, config: { event: confirmed }";
    let loops = "this loop never rests: wait -> more -> again -> wait";
    for (wait, over) in [
        (window, "is open"),
        (
            "run: WaitForDateComparison, config: { attribute: hour, values: [9] }",
            "has come to its time",
        ),
        ("run: WaitForDate, config: { date: '{{due}}' }", "has come to its date"),
        (event, "has heard its event"),
    ] {
        let told = format!("once `wait` {over}, {loops}");
        assert_eq!(found(wait, ""), [("restless-loop", 5, told)], "{wait}");
    }
    let taken = "  - { id: taken, run: WaitForEvent, config: { event: taken } }\n";
    let told = "once `wait` has heard its event and `taken` has heard its event, this loop never \
                rests: wait -> more -> taken -> again -> wait";
    assert_eq!(found(event, taken), [("restless-loop", 6, told.to_owned())]);
    let told = "once `wait` is open and `taken` has heard its event, this loop never rests: \
                wait -> more -> taken -> again -> wait";
    assert_eq!(found(window, taken), [("restless-loop", 6, told.to_owned())]);
    let days = "  - { id: days, run: WaitForDateComparison, config: { attribute: day, values: [1, 2, 3, 4, 5] } }\n";
    let told = "once `wait` is open and `days` has come to its time, this loop never rests: \
                wait -> more -> days -> again -> wait";
    assert_eq!(found(window, days), [("restless-loop", 6, told.to_owned())]);
    let asked = "run: WaitForWindow, config: { from: '{{opens}}', to: '{{closes}}' }";
    let abroad = "run: WaitForWindow, config: { from: '9:00', to: '17:00', timezone: Asia/Tokyo }";
    for (wait, more) in [
        ("run: WaitForEvent, config: { event: confirmed, fresh: true }", ""),
        (asked, "  - { id: night, run: WaitForWindow, config: { from: '{{closes}}' } }\n"),
        (abroad, "  - { id: here, run: WaitForWindow, config: { from: '9:00', to: '17:00' } }\n"),
        (
            window,
            "  - { id: days, run: WaitForDateComparison, config: { attribute: hour, values: [7, 20] } }\n",
        ),
        (
            event,
            "  - { id: b, run: WaitForEvent, config: { event: x, timeout: 1 minute, fresh: true }, altNext: wait }\n",
        ),
        (window, "  - { id: night, run: WaitForWindow, config: { from: '17:00', to: '9:00' } }\n"),
        (window, "  - { id: nap, run: WaitForDuration, config: { amount: 1, unit: hours } }\n"),
    ] {
        assert_eq!(found(wait, more), [], "{wait}");
    }
}

#[test]
fn a_loop_by_the_timeout_of_a_wait_rests_in_every_round() {
    says_of_steps(
        "  - { id: ack, run: WaitForEvent, config: { event: x, timeout: 1 minute }, altNext: ack, next: end }",
        &[],
    );
}

#[test]
fn a_wait_without_end_never_takes_its_alt_next() {
    let wait = |more: &str| {
        format!(
            "  - {{ id: ack, run: WaitForEvent, config: {{ event: x{more} }}, altNext: b }}\n  - {{ id: b, run: Nap }}"
        )
    };
    says_of_steps(&wait(""), &[("never-taken", 3, 57, "waits without end")]);
    says_of_steps(&wait(", timeout: 1 hour"), &[]);
}

#[test]
fn a_loop_that_starts_processes_for_ever_is_told() {
    says_of_steps(
        "  - { id: a, run: Start, config: { sequence: child }, next: a }",
        &[("endless-loop", 3, 11, "this loop is never left: a")],
    );
}
