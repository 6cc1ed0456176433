//! The bounds of tiny ladders, and of those that ship.

use rungs_runners::builtin::KINDS;

use super::*;
use crate::check;

mod properties;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn checked(source: &str) -> Sequence {
    let checked = check(source, KINDS);
    checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn of(steps: &str) -> Bounds {
    bounds(&checked(&format!("sequence: x\ntimezone: UTC\nsteps:\n{steps}")))
}

fn shipped(name: &str) -> Sequence {
    let path = format!("{}/../../sequences/{name}.yml", env!("CARGO_MANIFEST_DIR"));
    checked(&std::fs::read_to_string(path).unwrap())
}

fn since(most: &Most) -> String {
    let since = most.since.as_ref().unwrap();
    format!("`{}` {}", since.step, since.does)
}

fn wait(id: &str, minutes: u32) -> String {
    format!(
        "  - {{ id: {id}, run: WaitForDuration, config: {{ amount: {minutes}, unit: minutes }} }}\n"
    )
}

fn call(id: &str, more: &str) -> String {
    format!(
        "  - {{ id: {id}, run: Phone, config: {{ to: '112', say: Hi, await: answered }}{more} }}\n"
    )
}

fn text(id: &str) -> String {
    format!("  - {{ id: {id}, run: SMS, config: {{ to: '112', message: Hi }} }}\n")
}

fn back(id: &str, to: &str, times: &str) -> String {
    format!("  - {{ id: {id}, run: GoTo, config: {{ step: {to}{times} }} }}\n")
}

fn goal(id: &str, otherwise: &str) -> String {
    format!(
        "  - {{ id: {id}, run: Goal, config: {{ lodashCommand: isString, value: {{ type: get, value: \
         done }}, otherwise: {otherwise} }} }}\n"
    )
}

#[test]
fn the_kitchen_is_rung_after_three_minutes_and_four_times_at_most() {
    let bounds = bounds(&shipped("order-escalation"));
    let first = bounds.first_contact.unwrap();
    assert_eq!((first.earliest, first.latest.most), (3 * MINUTE, Some(3 * MINUTE)));
    assert_eq!(first.nobody, None);
    assert_eq!(bounds.messages.most, Some(8));
    assert_eq!(bounds.attempts.most, Some(40));
    let channels: Vec<_> = bounds.channels.iter().map(|(name, most)| (*name, most.most)).collect();
    assert_eq!(channels, [("phone", Some(4)), ("sms", Some(4))]);
    assert_eq!(
        bounds.messages.way.words(),
        "grace -> ring -> text-manager -> breathe -> again (3 times back to ring) -> confirmed -> end"
    );
    // Three minutes, and five after each call that was answered.
    assert_eq!(bounds.waits.most, Some(23 * MINUTE));
    assert!(bounds.life.most.unwrap() > 24 * HOUR, "four providers that fall silent");
}

#[test]
fn what_has_no_bound_says_why() {
    let bounds = of(&[wait("nap", 1), call("ring", ""), goal("done", "wait")].concat());
    assert_eq!(since(&bounds.life), "`done` waits until its condition holds");
    assert_eq!(
        (bounds.messages.most, bounds.first_contact.unwrap().latest.most),
        (Some(1), Some(MINUTE))
    );

    let bounds = of(&[call("ring", ", next: end"), wait("nap", 1), back("again", "ring", "")]
        .concat()
        .replace("next: end", "altNext: nap, next: end"));
    for most in [&bounds.messages, &bounds.life, &bounds.channels[0].1] {
        assert_eq!(since(most), "`again` leads back to `ring` without a bound");
    }

    let dated = "  - { id: due, run: WaitForDate, config: { date: '{{at}}' } }\n";
    let bounds = of(&[dated, &text("text")].concat());
    let first = bounds.first_contact.unwrap();
    assert_eq!((first.earliest, since(&first.latest).as_str()), (0, "`due` waits until a date"));
    assert_eq!(bounds.messages.most, Some(1));
}

#[test]
fn a_loop_that_sends_nothing_bounds_the_messages_and_not_the_life() {
    let steps = [text("text"), wait("nap", 1), back("again", "nap", ""), goal("done", "end")];
    let bounds = of(&steps.concat());
    assert_eq!(bounds.messages.most, Some(1));
    assert_eq!(since(&bounds.life), "`again` leads back to `nap` without a bound");
}

#[test]
fn jumps_are_counted_for_the_whole_life_and_not_for_each_round() {
    // The inner loop is gone through twice in all, not twice in each of the outer's rounds.
    let steps = [
        wait("outer", 10),
        text("text"),
        wait("inner", 1),
        back("in", "text", ", times: 2"),
        back("out", "outer", ", times: 3"),
    ];
    let bounds = of(&steps.concat());
    assert_eq!(bounds.messages.most, Some(1 + 2 + 3));
    assert_eq!(bounds.waits.most, Some((4 * 10 + 6) * MINUTE));
    assert_eq!(
        bounds.waits.way.words(),
        "outer -> text -> inner -> in (2 times back to text) -> out (3 times back to outer) -> end"
    );
}

#[test]
fn the_first_contact_may_be_late_or_never_be() {
    let steps = [
        "  - { id: by-night, run: Conditional, config: { lodashCommand: isString, value: { type: get, value: night } }, altNext: ring }\n",
        &wait("until-morning", 90),
        &back("morning", "ring", ""),
        &call("ring", ""),
    ];
    let first = of(&steps.concat()).first_contact.unwrap();
    assert_eq!((first.earliest, first.latest.most, first.nobody), (0, Some(90 * MINUTE), None));
    let steps = steps.concat().replace("step: ring", "step: rest") + &wait("rest", 1);
    let first = of(&steps).first_contact.unwrap();
    assert_eq!((first.earliest, first.latest.most), (0, Some(0)));
    assert_eq!(
        first.nobody.unwrap().words(),
        "by-night -> until-morning -> morning -> rest -> end"
    );
    assert_eq!(of(&wait("nap", 1)).first_contact, None);
}

#[test]
fn a_goal_that_pulls_a_process_past_a_call_is_no_late_contact() {
    let steps = [
        wait("grace", 3),
        call("ring", ""),
        goal("done", "end"),
        "  - { id: later, run: WaitForDuration, config: { amount: 10, unit: days } }\n".to_owned(),
        text("thanks"),
    ];
    let bounds = of(&steps.concat());
    assert_eq!(bounds.first_contact.unwrap().latest.most, Some(3 * MINUTE));
    assert_eq!(bounds.messages.most, Some(2));
    assert_eq!(bounds.waits.most, Some(3 * MINUTE + 10 * DAY));
}

#[test]
fn what_only_an_achieved_goal_leads_to_counts() {
    let nap = wait("nap", 1).replace(" }\n", ", next: end }\n");
    let steps = [nap, goal("done", "end"), text("thanks"), wait("rest", 5)];
    let bounds = of(&steps.concat());
    assert_eq!((bounds.messages.most, bounds.waits.most), (Some(1), Some(6 * MINUTE)));
    // As long as none is achieved, nobody is contacted.
    assert_eq!(bounds.first_contact, None);
}

#[test]
fn a_goal_above_which_its_own_way_leads_has_no_bound() {
    let steps =
        [wait("nap", 1), text("text"), goal("done", "end").replace(" } }\n", " }, next: nap }\n")];
    assert_eq!(since(&of(&steps.concat()).messages), "`done` leads back to `nap` without a bound");
}

#[test]
fn a_screen_is_no_person_and_a_question_no_message() {
    let credit =
        rungs_runners::remote::Remote { name: "Credit", every: chrono::TimeDelta::seconds(60) };
    let kinds = [KINDS, &[rungs_runners::Kind::remote(credit)]].concat();
    let source = "sequence: x\nsteps:\n  - { id: screen, run: PubNub, config: { channel: a, message: b } }\n  \
                  - { id: ask, run: Credit }\n";
    let bounds = bounds(&check(source, &kinds).sequence.unwrap());
    assert_eq!(bounds.first_contact, None);
    assert_eq!((bounds.messages.most, bounds.channels.len()), (Some(1), 1));
    assert_eq!(since(&bounds.life), "`ask` waits until `Credit` answers");
}

fn quiet(steps: &str) -> Bounds {
    bounds(&checked(&format!(
        "sequence: x\ntimezone: UTC\nquietHours: {{ from: 22:00, to: 07:00 }}\ncalendars:\n  \
         office: {{ hours: {{ mon-fri: 08:00-16:00 }} }}\n  \
         abroad: {{ timezone: Europe/Zagreb, hours: {{ mon-fri: 08:00-16:00 }} }}\nsteps:\n{steps}"
    )))
}

#[test]
fn what_quiet_hours_hold_comes_nine_hours_later() {
    let once = ", retry: { attempts: 1 }";
    let loud = of(&[wait("nap", 1), call("ring", once)].concat());
    let held = quiet(&[wait("nap", 1), call("ring", once)].concat());
    let first = held.first_contact.unwrap();
    assert_eq!((first.earliest, first.latest.most), (MINUTE, Some(MINUTE + 9 * HOUR)));
    assert_eq!(held.waits.most, Some(MINUTE + 9 * HOUR));
    assert_eq!(held.life.most, loud.life.most.map(|most| most + 9 * HOUR));
    // Each attempt may be.
    let thrice = quiet(&call("ring", ", retry: { attempts: 3 }"));
    let loud = of(&call("ring", ", retry: { attempts: 3 }"));
    assert_eq!(thrice.life.most, loud.life.most.map(|most| most + 3 * 9 * HOUR));
    // One that rings at any time, and what disturbs nobody, is not held.
    let alarm = call("ring", ", quietHours: none");
    let hook = "  - { id: hook, run: Webhook, config: { url: 'https://example.com' } }\n";
    let bounds = quiet(&[hook, &alarm].concat());
    assert_eq!((bounds.waits.most, bounds.messages.most), (Some(0), Some(2)));
}

#[test]
fn quiet_hours_of_a_calendar_are_as_long_as_it_is_closed() {
    let held = |calendar: &str| {
        quiet(&call(
            "ring",
            &format!(", quietHours: {{ calendar: {calendar}, from: 15:00, to: 16:00 }}"),
        ))
    };
    assert_eq!(held("office").first_contact.unwrap().latest.most, Some((48 + 17) * HOUR));
    let abroad = held("abroad");
    let why = "`ring` is held by quiet hours, while `abroad` is not open";
    assert_eq!(since(&abroad.first_contact.unwrap().latest), why);
    assert_eq!((since(&abroad.life).as_str(), abroad.messages.most), (why, Some(1)));
}

#[test]
fn windows_events_and_acts_take_as_long_as_they_say() {
    let step = |run: &str, config: &str| {
        quiet(&format!("  - {{ id: it, run: {run}, config: {{ {config} }} }}\n"))
    };
    let waits = |run: &str, config: &str| step(run, config).waits.most;
    assert_eq!(waits("WaitForWindow", "days: mon-fri, from: 09:00, to: 17:00"), Some(64 * HOUR));
    assert_eq!(waits("WaitForWindow", "calendar: office, from: 12:00"), Some(68 * HOUR));
    // The zone of the process does not matter to the calendar's own.
    assert_eq!(waits("WaitForWindow", "calendar: abroad"), Some(65 * HOUR));
    assert_eq!(waits("WaitForEvent", "event: a, timeout: 15 minutes"), Some(15 * MINUTE));
    let days = "event: a, timeout: { amount: 2, unit: days }";
    assert_eq!(waits("WaitForEvent", days), Some(2 * DAY));
    for (run, config, why) in [
        ("WaitForEvent", "event: a", "`it` waits until \"a\" comes"),
        (
            "WaitForEvent",
            "event: a, timeout: '{{a}}'",
            "`it` waits for as long as its templates say",
        ),
        (
            "WaitForWindow",
            "calendar: abroad, to: 12:00",
            "`it` waits until its window is open, and \"abroad\" is",
        ),
        ("WaitForWindow", "from: '{{a}}'", "`it` waits for a window that its templates say"),
    ] {
        assert_eq!(since(&step(run, config).life), why, "{run} {config}");
    }
    for (run, config) in
        [("Set", "values: { a: 1 }"), ("Start", "sequence: other"), ("Stop", "process_id: other")]
    {
        let bounds = step(run, config);
        assert_eq!((bounds.waits.most, bounds.messages.most), (Some(0), Some(0)), "{run}");
        assert_eq!((bounds.attempts.most, bounds.first_contact), (Some(0), None), "{run}");
        assert!(bounds.life.most.unwrap() <= 2 * MINUTE, "{run}");
    }
    let hook = step("Webhook", "url: 'https://example.com', await: answered");
    assert_eq!((hook.messages.most, &hook.first_contact), (Some(1), &None));
    assert!(hook.life.most.unwrap() < 6 * HOUR, "no provider falls silent");
}

#[test]
fn who_stops_itself_may_reach_nobody() {
    let stop =
        |id: &str| format!("  - {{ id: stop, run: Stop, config: {{ process_id: {id} }} }}\n");
    let first = |id: &str| of(&[stop(id), call("ring", "")].concat()).first_contact.unwrap();
    assert_eq!(first("other").nobody, None);
    assert_eq!(first("'{{process.id}}'").nobody.unwrap().words(), "stop -> end");
    // And one that starts others for ever has no bound.
    let start = "  - { id: start, run: Start, config: { sequence: x } }\n";
    let round = of(&[start, &back("again", "start", "")].concat());
    assert_eq!(since(&round.life), "`again` leads back to `start` without a bound");
}

#[test]
fn a_thousand_loops_take_a_moment() {
    for nested in [false, true] {
        let jump = |at: usize| {
            let to = if nested { 0 } else { at.saturating_sub(1) };
            format!(
                "  - {{ id: j{at}, run: GoTo, config: {{ step: w{to}, times: 4294967295 }} }}\n"
            )
        };
        let steps: String = (0..500).map(|at| text(&format!("w{at}")) + &jump(at)).collect();
        let sequence = checked(&format!("sequence: x\nsteps:\n{steps}"));
        // Whoever went through them round by round would not come to an end.
        let bounds = bounds(&sequence);
        assert!(bounds.messages.most.unwrap() > 500 * u64::from(u32::MAX), "{bounds:?}");
    }
}

#[test]
fn who_fails_before_anybody_is_reached_reaches_nobody() {
    let nobody = |step: &str| {
        let found = of(&format!(
            "{step}\n  - {{ id: text, run: SMS, config: {{ to: '+385911234567', message: x }} }}\n"
        ));
        found.first_contact.unwrap().nobody.map(|way| way.steps)
    };
    let failing = Some(vec!["first".to_owned()]);
    let start = "  - { id: first, run: Start, config: { sequence: other } }";
    let hook = "  - { id: first, run: Webhook, config: { url: 'https://a.example/' }";
    assert_eq!(nobody(start), failing);
    assert_eq!(nobody(&format!("{hook}, onFailure: fail }}")), failing);
    assert_eq!(nobody(&format!("{hook} }}")), None);
}
