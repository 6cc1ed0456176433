//! What people are told who ask why.

use chrono::TimeDelta;
use rungs_runners::{DeliveryStatus, builtin::KINDS};
use serde_json::{Value, json};

use super::*;
use crate::{News, Start, advance, check, start};

mod acts;
mod goals;

const LADDER: &str = r#"
sequence: ladder
timezone: Europe/Zagreb
steps:
  - { id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }
  - id: ring
    run: Phone
    config: { to: "{{phone}}", say: Hello, await: answered }
    altNext: text
  - { id: settle, run: WaitForDuration, config: { amount: 2, unit: days }, next: confirmed }
  - { id: text, run: SMS, config: { to: "{{manager}}", message: Hello } }
  - { id: again, run: GoTo, config: { step: grace, times: 1 } }
  - id: confirmed
    run: Goal
    config:
      all:
        - lodashCommand: eq
          value: { type: get, value: order.status }
          compareTo: { type: raw, value: confirmed }
        - lodashCommand: gte
          value: { type: get, value: order.total }
          compareTo: { type: raw, value: 100 }
"#;

/// A process and what it wrote, as a cycle after another makes them.
struct World {
    sequence: Sequence,
    process: Process,
    written: Vec<Written>,
    history: Vec<(DateTime<Utc>, Entry)>,
    now: DateTime<Utc>,
}

impl World {
    fn start(yaml: &str, data: Value, at: &str) -> Self {
        let checked = check(yaml, KINDS);
        let sequence = checked.sequence.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
        let now = calendar::parse(at, Tz::Europe__Zagreb).unwrap();
        let new = Start {
            key: "01900000-0000-7000-8000-000000000001".into(),
            process_id: "order-7".into(),
            version: 1,
            data,
            default_timezone: Tz::UTC,
            now,
        };
        let process = start(&sequence, new).unwrap();
        let mut world = Self { sequence, process, written: vec![], history: vec![], now };
        world.cycle(vec![]);
        world
    }

    fn order(at: &str) -> Self {
        let data = json!({
            "phone": "+385911234567", "manager": "+385917654321", "order": { "status": "new", "total": 20 },
        });
        Self::start(LADDER, data, at)
    }

    fn cycle(&mut self, news: Vec<News>) {
        let advanced = advance(&self.sequence, self.process.clone(), news, self.now);
        self.process = advanced.process;
        self.history.extend(advanced.history.into_iter().map(|entry| (self.now, entry)));
        for delivery in advanced.deliveries {
            self.written.push(Written::new(delivery, &self.process.key, self.now));
        }
    }

    /// So much later, a cycle.
    fn later(&mut self, length: TimeDelta) {
        self.now += length;
        self.cycle(vec![]);
    }

    /// The last delivery has come so far, and its process hears of it.
    fn heard(&mut self, status: DeliveryStatus, error: Option<&str>) {
        let record = &mut self.written.last_mut().unwrap().record;
        (record.status, record.error, record.attempts) = (status, error.map(str::to_owned), 1);
        record.due_at = None;
        let view = record.view();
        self.cycle(vec![News::Delivery(view)]);
    }

    fn explain(&self) -> Explanation {
        explain(self.subject())
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            process: &self.process,
            sequence: Ok(&self.sequence),
            last: &self.written,
            earlier_contacts: 0,
            under_way: &self.written,
            history: &self.history,
            printed: &[],
            now: self.now,
        }
    }
}

/// The lines of a section.
fn section(world: &World, title: &str) -> Vec<String> {
    let sections = world.explain().sections();
    let found = sections.into_iter().find(|section| section.title == title);
    found.map(|section| section.lines).unwrap_or_default()
}

#[test]
fn a_process_that_waits_says_where_why_until_when_and_what_then() {
    let mut world = World::order("2026-11-23T09:00");
    world.now += TimeDelta::minutes(1);
    assert_eq!(
        world.explain().sentences,
        [
            "order-7 is active at `grace` (WaitForDuration). It came there at 2026-11-23 09:00 CET, 1 minute ago.",
            "`grace` waits until 2026-11-23 09:03 CET.",
            "  3 minutes from 2026-11-23 09:00 CET: 2026-11-23 09:03 CET.",
            "It is looked at next 2026-11-23 09:03 CET, in 2 minutes, or as soon as something happens to it.",
            "The goal `confirmed` lies ahead and is not achieved: 0 of 2 clauses are as they should be.",
            "  ✗ all of these, 0 of 2 so far",
            r#"    ✗ order.status is "new", wants eq "confirmed""#,
            "    ✗ order.total is 20, wants gte 100, 80 too little",
            "If nothing happens (nobody picks up, all else arrives, no event comes), 2 calls and 2 texts follow, and then it waits at `confirmed` until an event comes.",
            "  2026-11-23 09:03 CET: `ring` sends a call to +385911234567",
            "  2026-11-23 09:03:30 CET: `ring` hears: no-answer",
            "  2026-11-23 09:03:30 CET: `ring` takes altNext: no-answer",
            "  2026-11-23 09:03:30 CET: `text` sends a text to +385917654321",
            "  2026-11-23 09:03:30 CET: `grace` waits until 2026-11-23 09:06:30 CET",
            "  2026-11-23 09:03:35 CET: `text` hears: delivered",
            "  2026-11-23 09:06:30 CET: `ring` sends a call to +385911234567",
            "  2026-11-23 09:07 CET: `ring` hears: no-answer",
            "  2026-11-23 09:07 CET: `ring` takes altNext: no-answer",
            "  2026-11-23 09:07 CET: `text` sends a text to +385917654321",
            "  2026-11-23 09:07:05 CET: `text` hears: delivered",
        ]
    );
}

#[test]
fn what_is_foretold_is_what_happens() {
    let mut world = World::order("2026-11-23T09:00");
    let ahead = world.explain().ahead.unwrap();
    world.later(TimeDelta::minutes(3));
    world.now += TimeDelta::seconds(30);
    world.heard(DeliveryStatus::NoAnswer, None);
    let told: Vec<&str> = ahead
        .next
        .iter()
        .filter_map(|next| next.says.starts_with("sends").then_some(next.at.at.as_str()))
        .collect();
    let wrote: Vec<String> = world.written.iter().map(|one| iso(one.record.created_at)).collect();
    assert_eq!(told[..2], wrote);
    assert_eq!(world.explain().ahead.unwrap().end_at, ahead.end_at);
}

#[test]
fn two_days_across_the_spring_change_are_told_with_their_47_hours() {
    let mut world = World::order("2026-03-28T08:57");
    world.later(TimeDelta::minutes(3));
    world.heard(DeliveryStatus::Answered, None);
    assert_eq!(
        section(&world, "held by"),
        [
            "`settle` waits until 2026-03-30 09:00 CEST.",
            "  2 days from 2026-03-28 09:00 CET keeps the wall clock: 2026-03-30 09:00 CEST, 47 hours later, since the clocks go forward by 1 hour on 2026-03-29.",
        ]
    );
    let ahead = world.explain().ahead.unwrap();
    assert_eq!(ahead.next[0].says, "hears: completed", "the call that was answered ends");
    assert_eq!((ahead.end, ahead.end_at.local.as_str()), ("waits", "2026-03-30 09:00 CEST"));
}

#[test]
fn a_call_that_is_under_way_is_waited_for() {
    let mut world = World::order("2026-11-23T09:00");
    world.later(TimeDelta::minutes(3));
    assert_eq!(
        section(&world, "held by"),
        ["`ring` waits for its call to be answered, which is pending so far."]
    );
    assert_eq!(
        section(&world, "looked at"),
        ["It is looked at as soon as there is news of that, or an event comes; no earlier."]
    );
    assert_eq!(
        section(&world, "contacts"),
        [
            "2026-11-23 09:03 CET: `ring`, a call to +385911234567, is sent as soon as its channel has a place."
        ]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_status_of_a_delivery_has_its_words() {
    use DeliveryStatus as S;
    let mut world = World::order("2026-11-23T09:00");
    world.later(TimeDelta::minutes(3));
    let told = |status, error: Option<&str>, due: Option<i64>, attempts| {
        let mut written = world.written.clone();
        let record = &mut written[0].record;
        (record.status, record.error) = (status, error.map(str::to_owned));
        record.attempts = attempts;
        record.begun_at = Some(world.now);
        record.due_at = due.map(|seconds| world.now + TimeDelta::seconds(seconds));
        let contacts = explain(Subject { last: &written, ..world.subject() }).contacts;
        let says = contacts[0]
            .says
            .strip_prefix("2026-11-23 09:03 CET: `ring`, a call to +385911234567, ");
        (says.unwrap().to_owned(), contacts[0].reached)
    };
    for (status, error, due, attempts, says, reached) in [
        (S::Pending, None, Some(0), 0, "is sent as soon as its channel has a place.", None),
        (
            S::Pending,
            Some("503"),
            Some(9),
            2,
            "is tried again at 2026-11-23 09:03:09 CET after attempt 2 of 5 failed: 503.",
            None,
        ),
        (
            S::Sending,
            None,
            None,
            1,
            "is being sent since 2026-11-23 09:03 CET, the 1st attempt.",
            None,
        ),
        (
            S::InDoubt,
            Some("timeout"),
            Some(15),
            1,
            "is in doubt, since nobody knows whether it arrived: timeout; the provider is asked at 2026-11-23 09:03:15 CET.",
            None,
        ),
        (
            S::InDoubt,
            Some("timeout"),
            None,
            1,
            "is left in doubt: nobody knows whether it arrived: timeout.",
            None,
        ),
        (
            S::Sent,
            None,
            Some(5),
            1,
            "was sent; what became of it is not known yet, and is asked for at 2026-11-23 09:03:05 CET.",
            None,
        ),
        (S::Sent, None, None, 1, "was sent.", None),
        (S::Answered, None, None, 1, "was answered.", Some(true)),
        (S::Completed, None, None, 1, "was answered and is over.", Some(true)),
        (S::Delivered, None, None, 1, "was delivered.", Some(true)),
        (
            S::Skipped,
            Some("late: it was to leave by 09:00"),
            None,
            0,
            "was skipped: late: it was to leave by 09:00.",
            Some(false),
        ),
        (S::Busy, None, None, 1, "reached nobody, the line was busy.", Some(false)),
        (S::NoAnswer, None, None, 1, "reached nobody, there was no answer.", Some(false)),
        (
            S::Rejected,
            Some("21210"),
            None,
            1,
            "reached nobody, it was declined: 21210.",
            Some(false),
        ),
        (S::Machine, None, None, 1, "reached nobody, a machine answered.", Some(false)),
        (S::Undelivered, Some("30003"), None, 1, "was not delivered: 30003.", Some(false)),
        (
            S::Failed,
            Some("gave up after attempt 5: 503"),
            None,
            5,
            "failed after 5 attempts: gave up after attempt 5: 503.",
            Some(false),
        ),
        (
            S::Cancelled,
            None,
            None,
            0,
            "was withdrawn before it left: nobody wanted it any more.",
            Some(false),
        ),
    ] {
        assert_eq!(told(status, error, due, attempts), (says.to_owned(), reached), "{status}");
    }
}

#[test]
fn who_cannot_be_reached_at_all_is_named_with_the_reason() {
    let data = json!({ "phone": "nobody", "manager": "+385917654321" });
    let mut world = World::start(LADDER, data, "2026-11-23T09:00");
    world.later(TimeDelta::minutes(3));
    let contacts = section(&world, "contacts");
    assert!(contacts.contains(&"2026-11-23 09:03 CET: `ring` sent nothing and was passed by: \"nobody\" is no phone number.".to_owned()), "{contacts:#?}");
}

#[test]
fn a_channel_that_is_not_configured_is_said() {
    let mut world = World::order("2026-11-23T09:00");
    world.later(TimeDelta::minutes(3));
    let explanation = explain(Subject { printed: &["phone"], ..world.subject() });
    assert!(explanation.contacts[0].says.contains("phone is not configured here"));
}

#[test]
fn a_goal_that_the_data_have_reached_is_the_next_thing_to_happen() {
    let mut world = World::order("2026-11-23T09:00");
    let patch = json!({ "order": { "status": "confirmed", "total": 120 } });
    world.process.take_event(crate::Event { r#type: "data".into(), data: patch, at: world.now });
    world.process.due_at = Some(world.now);
    let explanation = world.explain();
    assert!(explanation.goals[0].achieved);
    assert_eq!(explanation.looked_at.says, "It is due now: the next cycle takes it.");
    let ahead = explanation.ahead.unwrap();
    assert_eq!((ahead.end, ahead.next[0].step.as_deref()), ("completed", Some("confirmed")));
}

#[test]
fn a_process_that_nobody_looks_at_is_overdue() {
    let mut world = World::order("2026-11-23T09:00");
    world.now += TimeDelta::hours(2);
    let explanation = world.explain();
    assert!(explanation.looked_at.overdue);
    assert_eq!(
        explanation.looked_at.says,
        "It was to be looked at 2026-11-23 09:03 CET, 1 hour 57 minutes ago, and nobody has: no evaluator is at work, or more is due than it can do."
    );
}

#[test]
fn a_paused_process_says_what_a_resume_would_do() {
    let mut world = World::order("2026-11-23T09:00");
    world.later(TimeDelta::minutes(3));
    world.process.status = Status::Paused;
    let explanation = world.explain();
    assert_eq!(explanation.looked_at.says, "It is not looked at until somebody resumes it.");
    assert!(explanation.contacts[0].says.ends_with("is held back while the process is paused."));
    let ahead = explanation.ahead.unwrap();
    assert!(ahead.after_resume && ahead.says.starts_with("If somebody resumes it"), "{ahead:#?}");
}

#[test]
fn a_failed_process_says_why_and_whether_a_resume_would_help() {
    let yaml =
        "{ sequence: late, steps: [{ id: wait, run: WaitForDate, config: { date: '{{at}}' } }] }";
    let mut world = World::start(yaml, json!({ "at": "soon" }), "2026-11-23T09:00");
    world.now += TimeDelta::minutes(5);
    let explanation = world.explain();
    assert!(explanation.stands.says.starts_with("order-7 failed at `wait` (WaitForDate) on 2026-11-23 08:00 UTC, 5 minutes ago: step `wait`: date: \"soon\" is no date"), "{explanation:#?}");
    assert_eq!(explanation.ahead.unwrap().end, "failed", "it would fail again");
    // Somebody puts the data right.
    world.process.data.insert("at".into(), json!("2026-11-23T10:00"));
    assert_eq!(world.explain().ahead.unwrap().end, "completed");
}

#[test]
fn a_stopped_process_has_nothing_ahead() {
    let mut world = World::order("2026-11-23T09:00");
    (world.process.status, world.process.due_at) = (Status::Stopped, None);
    (world.process.ended_at, world.process.reason) = (Some(world.now), Some("by hand".into()));
    assert_eq!(
        world.explain().sentences,
        [
            "order-7 was stopped at `grace` (WaitForDuration) on 2026-11-23 09:00 CET, less than a second ago: by hand.",
            "It has ended, and is never looked at again.",
        ]
    );
}

#[test]
fn a_sequence_that_this_program_cannot_run_is_said() {
    let world = World::order("2026-11-23T09:00");
    let why = "this program cannot run version 1 of `ladder`: there is no runner `Fax`";
    let explanation = explain(Subject { sequence: Err(why), ..world.subject() });
    assert_eq!(explanation.cannot_run.as_deref(), Some(why));
    assert_eq!(
        explanation.sentences,
        [
            "order-7 is active at `grace`. It came there at 2026-11-23 09:00 CET, less than a second ago.",
            "This program cannot run version 1 of `ladder`: there is no runner `Fax`.",
            "When it is looked at next, it fails with that.",
        ]
    );
}

#[test]
fn a_cursor_that_the_sequence_does_not_have_is_no_trouble() {
    let mut world = World::order("2026-11-23T09:00");
    world.process.cursor = Some("gone".into());
    let explanation = world.explain();
    assert_eq!(explanation.ahead.unwrap().end, "failed");
    assert!(explanation.goals.is_empty());
}

#[test]
fn a_ladder_without_end_and_data_without_measure_are_told_in_short() {
    let yaml = r#"
sequence: nag
steps:
  - { id: text, run: SMS, config: { to: "{{phone}}", message: "{{note}}" } }
  - { id: pause, run: WaitForDuration, config: { amount: 1, unit: minute } }
  - { id: again, run: GoTo, config: { step: text } }
  - id: done
    run: Goal
    config: { lodashCommand: eq, value: { type: get, value: note }, compareTo: { type: raw, value: x } }
"#;
    let data = json!({ "phone": "+385911234567", "note": "n".repeat(200_000) });
    let world = World::start(yaml, data, "2026-11-23T09:00");
    let explanation = world.explain();
    assert_eq!(explanation.ahead.as_ref().unwrap().end, "goes-on");
    let length = serde_json::to_string(&explanation).unwrap().len();
    assert!(length < 20_000, "{length} bytes");
}

#[test]
fn of_a_hundred_contacts_the_last_are_told_and_the_others_counted() {
    let mut world = World::order("2026-11-23T09:00");
    world.later(TimeDelta::minutes(3));
    world.written = world.written.iter().cycle().take(100).cloned().collect();
    let explanation = world.explain();
    assert_eq!((explanation.contacts.len(), explanation.earlier_contacts), (30, 70));
    assert_eq!(section(&world, "contacts")[0], "Before these, 70 contacts more.");
}
