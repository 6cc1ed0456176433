//! Climbs that nobody makes.

use chrono::TimeDelta;
use rungs_runners::{Kind, builtin::KINDS, remote::Remote};
use serde_json::json;

use super::*;
use crate::check;

mod acts;

const LADDER: &str = r"
sequence: ladder
steps:
  - id: grace
    run: WaitForDuration
    config: { amount: 3, unit: minutes }
  - id: ring
    run: Phone
    config: { to: '+385911234567', say: Hello, await: answered }
    altNext: text
  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: minutes }
    next: confirmed
  - id: text
    run: SMS
    config: { to: '+385911234567', message: Hello }
  - id: again
    run: GoTo
    config: { step: ring, times: 1 }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: status }
      compareTo: { type: raw, value: confirmed }
      otherwise: end
";

fn sequence() -> Sequence {
    let checked = check(LADDER, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn begin() -> Start {
    Start {
        key: "01900000-0000-7000-8000-000000000001".into(),
        process_id: "order-7".into(),
        version: 1,
        data: json!({}),
        default_timezone: chrono_tz::UTC,
        now: "2026-11-23T09:00:00Z".parse().unwrap(),
    }
}

/// Who was reached, when, and what became of it.
fn contacts(simulation: &Simulation) -> Vec<String> {
    let told = simulation.lines.iter().filter_map(|line| {
        let time = line.at.format("%H:%M:%S");
        match &line.what {
            What::Wrote { step, .. } => Some(format!("{time} {step}")),
            What::Heard { step, status, .. } => Some(format!("{time} {step} {status}")),
            What::Did(_) => None,
        }
    });
    told.collect()
}

fn run(answers: &[&str], happenings: &[&str]) -> Simulation {
    let answers: Vec<Answer> = answers.iter().map(|text| text.parse().unwrap()).collect();
    let happenings: Vec<Happening> = happenings.iter().map(|text| text.parse().unwrap()).collect();
    simulate(&sequence(), begin(), &happenings, &mut &answers[..]).unwrap()
}

#[test]
fn if_nothing_is_said_nobody_picks_up_and_texts_arrive() {
    let simulation = run(&[], &[]);
    assert_eq!(
        contacts(&simulation),
        [
            "09:03:00 ring",
            "09:03:00 ring sent",
            "09:03:30 ring no-answer",
            "09:03:30 text",
            "09:03:30 text sent",
            "09:03:30 ring",
            "09:03:30 ring sent",
            "09:03:35 text delivered",
            "09:04:00 ring no-answer",
            "09:04:00 text",
            "09:04:00 text sent",
        ]
    );
    assert_eq!((simulation.end, simulation.process.status), (End::Ended, Status::Completed));
}

#[test]
fn the_second_call_is_answered_as_it_is_said() {
    let simulation = run(&["ring=busy", "ring#2=answered+20s"], &[]);
    let calls: Vec<String> =
        contacts(&simulation).into_iter().filter(|line| line.contains(" ring")).collect();
    assert_eq!(
        calls,
        [
            "09:03:00 ring",
            "09:03:00 ring sent",
            "09:03:05 ring busy",
            "09:03:05 ring",
            "09:03:05 ring sent",
            "09:03:25 ring answered",
            "09:03:55 ring completed",
        ]
    );
    assert_eq!(simulation.ended_at - simulation.process.started_at, TimeDelta::seconds(505));
}

#[test]
fn an_event_pulls_it_to_its_goal_and_nobody_is_rung() {
    let simulation = run(&[], &["+2m:status=confirmed"]);
    assert_eq!(contacts(&simulation), [""; 0]);
    let did: Vec<&Entry> = simulation
        .lines
        .iter()
        .filter_map(|line| match &line.what {
            What::Did(entry) => Some(entry),
            _ => None,
        })
        .collect();
    assert!(
        matches!(
            did[..],
            [
                Entry::Started,
                Entry::Visited { .. },
                Entry::Happened { .. },
                Entry::Achieved { .. },
                Entry::Visited { .. },
                Entry::Completed,
            ]
        ),
        "{did:#?}"
    );
    assert_eq!(simulation.ended_at - simulation.process.started_at, TimeDelta::minutes(2));
}

#[test]
fn an_answer_for_a_step_that_is_not_there_is_refused() {
    for (answer, expected) in [
        ("rign=busy", "there is no step `rign`; did you mean `ring`?"),
        ("grace=busy", "step `grace` reaches nobody"),
        ("ring=delivered", "never comes to `delivered`; expected one of sent, answered"),
        ("ring#2=busy,ring=busy,ring#2=answered", "`ring#2` is answered twice"),
    ] {
        let error = answer::fit(&answer::several(answer).unwrap(), &sequence()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(answer::fit(&["ring#7=busy".parse().unwrap()], &sequence()), Ok(()));
}

#[test]
fn every_way_is_found_once() {
    let explored = explore(&sequence(), &Value::Null, &begin(), &[], &[], 1_000).unwrap();
    // Answered at once; or a text, which arrives or not, and then the same once more.
    let ends: Vec<(usize, i64)> =
        explored.ways.iter().map(|way| (way.answers.len(), way.length.num_seconds())).collect();
    assert_eq!(ends, [(1, 490), (3, 520), (4, 240)], "{:#?}", explored.ways);
    assert_eq!(explored.tried, explored.ways.iter().map(|way| way.combinations).sum::<usize>());
    assert_eq!(explored.cut, None);

    let cut = explore(&sequence(), &Value::Null, &begin(), &[], &[], 2).unwrap();
    assert_eq!((cut.cut, cut.tried), (Some(Cut::Combinations), 2));
    let given =
        explore(&sequence(), &Value::Null, &begin(), &[], &["ring=answered".parse().unwrap()], 9)
            .unwrap();
    assert_eq!(given.ways.len(), 1, "what is given is not varied");
}

#[test]
fn a_ladder_without_end_is_given_up() {
    let endless = r"
sequence: endless
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: minutes } }
  - { id: again, run: GoTo, config: { step: wait } }
";
    let sequence = check(endless, KINDS).sequence.unwrap();
    let simulation = simulate(&sequence, begin(), &[], &mut &[][..]).unwrap();
    assert_eq!(simulation.end, End::Endless);
}

#[test]
fn a_runner_that_lives_elsewhere_is_answered_for() {
    let every = TimeDelta::minutes(1);
    let remote = Remote { name: rungs_runners::remote::keep("Credit"), every };
    let kinds = [KINDS, &[Kind::remote(remote)]].concat();
    let source = r"
sequence: credit
steps:
  - { id: credit, run: Credit, config: { most: 500 }, altNext: tell }
  - { id: granted, run: GoTo, config: { step: end } }
  - { id: tell, run: SMS, config: { to: '112', message: No } }
";
    let sequence = check(source, &kinds).sequence.unwrap();
    let run = |answers: &[Answer]| simulate(&sequence, begin(), &[], &mut &answers[..]).unwrap();
    assert_eq!(contacts(&run(&[])), ["09:00:00 credit", "09:00:00 credit completed"]);
    let refused = run(&["credit=altNext+2s".parse().unwrap()]);
    assert_eq!(
        contacts(&refused)[..3],
        ["09:00:00 credit", "09:00:02 credit completed", "09:00:02 tell"]
    );

    let explored = explore(&sequence, &Value::Null, &begin(), &[], &[], 99).unwrap();
    assert_eq!(explored.ways.len(), 2);
    let fit = |answer: &str| answer::fit(&[answer.parse().unwrap()], &sequence);
    assert!(fit("credit=busy").unwrap_err().contains("answered by next or altNext"));
    assert!(fit("tell=altNext").unwrap_err().contains("how far it comes"));
}

#[test]
fn a_ladder_that_tells_much_in_each_cycle_is_given_up_before_it_has_told_millions_of_lines() {
    let look =
        |number| format!("  - {{ id: look-{number}, run: WaitForDate, config: {{ date: 0 }} }}\n");
    let looks = (0..60).map(look).collect::<Vec<_>>().concat();
    let source = format!(
        "sequence: wordy\nsteps:\n{looks}
  - {{ id: wait, run: WaitForDuration, config: {{ amount: 1, unit: minutes }} }}
  - {{ id: again, run: GoTo, config: {{ step: look-0 }} }}\n"
    );
    let sequence = check(&source, KINDS).sequence.unwrap();
    let simulation = simulate(&sequence, begin(), &[], &mut &[][..]).unwrap();
    assert_eq!(simulation.end, End::Endless);
    let lines = simulation.lines.len();
    assert!((MOST_LINES..MOST_LINES + 100).contains(&lines), "{lines}");
}

const NIGHTS: &str = r"
sequence: nights
quietHours: { from: 22:00, to: 07:00 }
steps:
  - id: wait
    run: WaitForDuration
    config: { amount: 14, unit: hours }
  - id: ring
    run: Phone
    config: { to: '+385911234567', say: Hello, await: answered }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: status }
      compareTo: { type: raw, value: confirmed }
      otherwise: end
";

fn by_night(happenings: &[&str]) -> Simulation {
    let sequence = check(NIGHTS, KINDS).sequence.unwrap();
    let happenings: Vec<Happening> = happenings.iter().map(|one| one.parse().unwrap()).collect();
    let answers: Vec<Answer> = vec!["ring=answered+20s".parse().unwrap()];
    simulate(&sequence, begin(), &happenings, &mut &answers[..]).unwrap()
}

#[test]
fn at_night_a_call_is_held_and_answered_in_the_morning() {
    let simulation = by_night(&[]);
    let held = simulation.lines.iter().find_map(|line| match &line.what {
        What::Did(Entry::Held { until, .. }) => Some((line.at.to_rfc3339(), *until)),
        _ => None,
    });
    let morning = "2026-11-24T07:00:00Z".parse::<DateTime<Utc>>().unwrap();
    assert_eq!(held, Some(("2026-11-23T23:00:00+00:00".to_owned(), morning.timestamp_millis())));
    assert_eq!(contacts(&simulation)[0], "07:00:00 ring");
    assert_eq!(simulation.end, End::Ended);
    assert_eq!(simulation.ended_at.to_rfc3339(), "2026-11-24T07:00:20+00:00");
}

#[test]
fn a_call_that_is_held_does_not_leave_once_the_goal_is_achieved() {
    let simulation = by_night(&["+16h:status=confirmed"]);
    assert_eq!(contacts(&simulation), Vec::<String>::new());
    assert_eq!(simulation.ended_at.to_rfc3339(), "2026-11-24T01:00:00+00:00");
}

/// What becomes of each delivery in every way through these steps.
fn ways(steps: &str) -> (Vec<String>, Vec<String>) {
    let source = format!("sequence: a\nsteps:\n{steps}");
    let sequence = check(&source, KINDS).sequence.unwrap();
    let written = check::written(&source, KINDS).unwrap();
    let explored = explore(&sequence, &written, &begin(), &[], &[], 100).unwrap();
    assert_eq!(explored.cut, None);
    let told = |way: &Way| {
        way.answers.iter().map(|(step, _, _, what)| format!("{step} {what}")).collect::<Vec<_>>()
    };
    (explored.ways.iter().map(|way| told(way).join(", ")).collect(), explored.unvaried)
}

#[test]
fn what_a_ladder_asks_for_is_varied_and_what_it_does_not_is_not() {
    let text = "  - { id: text, run: SMS, config: { to: '112', message: x }";
    let end = "  - { id: last, run: SMS, config: { to: '112', message: y } }\n";
    let failed = ways(&format!("{text}, next: end, altNext: last }}\n{end}")).0;
    assert_eq!(failed, ["text delivered", "text failed, last delivered"]);

    let plain = format!("{text} }}\n").replace("text", "plain");
    let many: String = (0..14).map(|n| plain.replace("plain", &format!("plain-{n}"))).collect();
    let ring = "  - { id: ring, run: Phone, config: { to: '112', say: x, await: answered }, altNext: end }\n";
    assert_eq!(ways(&format!("{ring}{many}")).0.len(), 2, "nobody follows those texts");

    let asks = "  - { id: was, run: Conditional, altNext: end, config: { lodashCommand: eq, value: { type: get, value: steps.ring.status }, compareTo: { type: raw, value: busy } } }\n";
    let busy = ways(&format!("{}{asks}{end}", ring.replace(", altNext: end", ""))).0;
    assert_eq!(busy, ["ring answered", "ring no-answer", "ring busy, last delivered"]);

    let hook =
        "  - { id: hook, run: Webhook, config: { url: 'https://a.example/', await: answered } }\n";
    let asks = asks.replace("steps.ring.status", "steps.hook.answer.ok");
    assert_eq!(ways(&format!("{hook}{asks}{end}")).1, ["hook"]);
}

#[test]
fn whoever_reads_how_a_call_ended_sees_every_end() {
    let nap = "  - { id: nap, run: WaitForDuration, config: { amount: 2, unit: minutes } }\n";
    let last = "  - { id: last, run: SMS, config: { to: '112', message: y } }\n";
    let ring = |more: &str| {
        format!("  - {{ id: ring, run: Phone, config: {{ to: '112', say: x{more} }} }}\n")
    };
    let asks = |operand: &str| {
        format!(
            "  - {{ id: was, run: Conditional, altNext: end, config: {{ lodashCommand: eq, value: {operand}, compareTo: {{ type: raw, value: no-answer }} }} }}\n"
        )
    };
    // The call need only be placed; how it ended is known two minutes later.
    let placed = ways(&format!(
        "{}{nap}{}{last}",
        ring(""),
        asks("{ type: get, value: steps.ring.status }")
    ))
    .0;
    assert!(placed.contains(&"ring answered".to_owned()), "{placed:?}");
    assert!(placed.contains(&"ring no-answer, last delivered".to_owned()), "{placed:?}");
    for operand in [
        "{ type: jsonpath, value: \"$['steps']['ring'].status\" }",
        "{ type: jsonpath, value: $..status }",
        "{ type: get, value: \"['steps'].ring.status\" }",
        "{ type: get, value: [steps, \"{{which}}\", status] }",
        "{ type: get, value: \"steps.{{which}}.status\" }",
        "{ type: raw, value: \"{{steps.last.status}} {{lookup steps which}}\" }",
        "{ type: raw, value: '{{#if (eq steps.ring.status \"busy\")}}no-answer{{/if}}' }",
    ] {
        let source = format!("{}{}{last}", ring(", await: answered"), asks(operand));
        let source = format!("sequence: a\nsteps:\n{source}");
        let sequence = check(&source, KINDS).sequence.unwrap();
        let written = check::written(&source, KINDS).unwrap();
        let tried = explore(&sequence, &written, &begin(), &[], &[], 100).unwrap().tried;
        assert!(tried > 1, "{operand}: {tried}");
    }
}

#[test]
fn whether_somebody_picks_up_matters_where_it_decides_what_is_too_late() {
    let window = "
  - { id: driver, run: Phone, config: { to: '112', say: Come, await: answered } }
  - { id: office, run: WaitForWindow, config: { from: '08:00', to: '17:00' } }
  - { id: boss, run: Phone, config: { to: '113', say: Late } }
";
    let number = |steps: &str, happenings: &[&str]| {
        let source = format!("sequence: a\nsteps:{steps}");
        let sequence = check(&source, KINDS).sequence.unwrap();
        let happenings: Vec<Happening> =
            happenings.iter().map(|text| text.parse().unwrap()).collect();
        explore(&sequence, &Value::Null, &begin(), &happenings, &[], 100).unwrap().tried
    };
    assert_eq!(number(window, &[]), 2);
    let goal = "
  - { id: ring, run: Phone, config: { to: '112', say: Come, await: answered } }
  - { id: boss, run: Phone, config: { to: '113', say: Late } }
  - { id: seen, run: WaitForEvent, config: { event: ack, timeout: 1 hour } }
";
    assert_eq!(number(goal, &[]), 1);
    assert_eq!(number(goal, &["+20s:ack"]), 2);
}

#[test]
fn a_provider_that_falls_silent_is_given_up_after_hours() {
    let steps = "
  - { id: ring, run: Phone, config: { to: '112', say: Come, await: answered }, altNext: text }
  - { id: ok, run: GoTo, config: { step: end } }
  - { id: text, run: SMS, config: { to: '112', message: Hello, await: delivered } }
";
    let sequence = check(&format!("sequence: a\nsteps:{steps}"), KINDS).sequence.unwrap();
    let answers: Vec<Answer> = answer::several("ring=sent,text=sent").unwrap();
    let simulation = simulate(&sequence, begin(), &[], &mut &answers[..]).unwrap();
    assert_eq!(simulation.end, End::Ended);
    let told = contacts(&simulation);
    assert_eq!(
        told,
        [
            "09:00:00 ring",
            "09:00:00 ring sent",
            "15:10:00 ring failed",
            "15:10:00 text",
            "15:10:00 text sent",
            "21:20:00 text failed",
        ]
    );
}
