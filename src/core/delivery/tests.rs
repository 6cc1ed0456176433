//! Reports in whatever order they come.

use super::*;
use DeliveryStatus::{
    Answered, Busy, Cancelled, Completed, Failed, InDoubt, NoAnswer, Pending, Sending, Sent,
    Skipped,
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn sending() -> DeliveryRecord {
    DeliveryRecord {
        answer: None,
        id: "d".into(),
        process_key: "p".into(),
        step: "ring".into(),
        channel: "phone".into(),
        status: Sending,
        attempts: 1,
        retry: Retry::default(),
        in_doubt: Remedy::Send,
        late: None,
        quiet: None,
        quiet_at: None,
        begun_at: Some(at(0)),
        due_at: Some(at(0)),
        lease_until: Some(at(60)),
        withdrawn: false,
        provider_id: None,
        error: None,
        log: vec![],
        created_at: at(0),
        settled_at: None,
    }
}

fn sent(attempt: u32) -> Report {
    let result = Attempt::Sent { provider_id: Some("CA1".into()), status: Sent, ask_at: None };
    Report::Attempted { attempt, result }
}

/// Of a channel that cannot be asked.
const LEASE_RAN_OUT: Report = Report::LeaseExpired { ask_at: None };

/// The provider can be asked from then on.
fn timed_out(attempt: u32, ask_at: Option<DateTime<Utc>>) -> Report {
    let result = Attempt::InDoubt { reason: "no answer".into(), ask_at };
    Report::Attempted { attempt, result }
}

fn there() -> Report {
    Report::Searched(Found::There {
        provider_id: Some("CA9".into()),
        status: Sent,
        error: None,
        ask_at: Some(at(100)),
    })
}

fn temporary(attempt: u32) -> Report {
    let result = Attempt::Temporary { reason: "503".into(), retry_after: None };
    Report::Attempted { attempt, result }
}

fn heard(status: DeliveryStatus) -> Report {
    Report::Heard { status, provider_id: Some("CA1".into()), error: None, asked: false }
}

#[test]
fn a_callback_may_overtake_the_answer_to_its_request() {
    let mut call = sending();
    assert!(call.take(heard(Answered), at(1)));
    assert!(!call.take(sent(1), at(2)), "that it was placed is no news by then");
    assert_eq!((call.status, call.provider_id.as_deref()), (Answered, Some("CA1")));
}

#[test]
fn statuses_in_any_order_end_the_same_way() {
    let orders =
        [[Sent, Answered, Completed], [Completed, Answered, Sent], [Answered, Sent, Completed]];
    for order in orders {
        let mut call = sending();
        for status in order {
            call.take(heard(status), at(1));
        }
        assert_eq!(call.status, Completed, "after {order:?}");
    }
}

#[test]
fn a_final_status_stays() {
    let mut call = sending();
    call.take(heard(Busy), at(1));
    assert!(!call.take(heard(NoAnswer), at(2)));
    assert_eq!((call.status, call.settled_at), (Busy, Some(at(1))));
}

#[test]
fn trouble_is_retried_later_and_later_until_the_attempts_are_used_up() {
    let mut call = sending();
    let mut now = at(0);
    for attempt in 1..5 {
        assert!(!call.take(temporary(attempt), now), "nothing for the process to hear");
        assert_eq!(call.status, Pending);
        now = call.due_at.unwrap();
        (call.status, call.attempts) = (Sending, attempt + 1);
    }
    assert!(call.take(temporary(5), now));
    assert_eq!(call.status, Failed);
    assert_eq!(call.error.as_deref(), Some("gave up after attempt 5: 503"));
    assert_eq!(call.log.len(), 5, "every attempt stands in the log");
}

#[test]
fn the_provider_may_ask_for_a_longer_pause() {
    let mut call = sending();
    let result =
        Attempt::Temporary { reason: "429".into(), retry_after: Some(TimeDelta::minutes(20)) };
    call.take(Report::Attempted { attempt: 1, result }, at(0));
    assert_eq!(call.due_at, Some(at(20 * 60)));
}

#[test]
fn what_was_withdrawn_is_not_tried_again() {
    let mut call = DeliveryRecord { withdrawn: true, ..sending() };
    call.take(temporary(1), at(1));
    assert_eq!(call.status, Cancelled);
}

#[test]
fn an_attempt_that_never_reported_is_repeated_even_if_it_was_the_last() {
    let mut call = DeliveryRecord { attempts: 5, ..sending() };
    assert!(!call.take(LEASE_RAN_OUT, at(59)));
    assert_eq!(call.status, Sending, "its lease still runs");
    call.take(LEASE_RAN_OUT, at(60));
    assert_eq!((call.status, call.due_at), (Pending, Some(at(60))));
}

#[test]
fn a_late_report_of_an_expired_attempt_stops_the_repetition() {
    let mut call = sending();
    call.take(LEASE_RAN_OUT, at(61));
    assert!(call.take(sent(1), at(62)), "it had been placed after all");
    assert_eq!(call.status, Sent);
    let mut other = sending();
    other.take(LEASE_RAN_OUT, at(61));
    (other.status, other.attempts) = (Sending, 2);
    other.take(temporary(1), at(63));
    assert_eq!(other.status, Sending, "the second attempt is under way and decides");
}

#[test]
fn a_provider_that_never_says_how_it_ended_is_given_up() {
    let mut call = sending();
    call.take(sent(1), at(1));
    let ask = || Report::Heard { status: Sent, provider_id: None, error: None, asked: true };
    assert!(!call.take(ask(), at(100)));
    assert!(!call.take(ask(), at(7 * 3600)), "nobody may have asked for hours");
    assert!(!call.take(ask(), at(7 * 3600 + 300)));
    assert!(call.take(ask(), at(7 * 3600 + 600)));
    assert_eq!((call.status, call.due_at), (Failed, None));
}

#[test]
fn an_answer_after_a_long_downtime_counts_though_the_first_question_got_none() {
    let mut call = sending();
    call.take(sent(1), at(1));
    let morning = 9 * 3600;
    let asked = |status| Report::Heard { status, provider_id: None, error: None, asked: true };
    assert!(!call.take(asked(Sent), at(morning)));
    let again = call.due_at.unwrap();
    assert!(call.take(asked(Completed), again));
    assert_eq!(call.status, Completed);
}

#[test]
fn a_doubt_is_asked_about_for_minutes_also_after_a_long_downtime() {
    let mut call = sending();
    let result = Attempt::InDoubt { reason: "no answer".into(), ask_at: Some(at(15)) };
    call.take(Report::Attempted { attempt: 1, result }, at(0));
    let unanswered = || Report::Searched(Found::Unanswered { reason: "503".into() });
    let morning = 9 * 3600;
    call.take(unanswered(), at(morning));
    assert_eq!(call.status, DeliveryStatus::InDoubt, "that was the first question");
    call.take(unanswered(), at(morning + 601));
    assert_eq!(call.status, Pending, "and that the last: the step says `repeat`");
}

#[test]
fn the_silence_of_a_delivery_that_waited_for_hours_counts_from_its_attempt() {
    let mut call = sending();
    let night = 8 * 3600;
    call.take(sent(1), at(night));
    assert!(!call.take(heard(Sent), at(night + 1)));
    let asked = Report::Heard { status: Sent, provider_id: None, error: None, asked: true };
    call.take(asked, at(night + 8));
    assert_eq!((call.status, call.due_at), (Sent, Some(at(night + 13))), "asked soon at first");
}

#[test]
fn what_may_have_arrived_is_asked_about_before_it_is_repeated() {
    let mut call = sending();
    assert!(!call.take(timed_out(1, Some(at(15))), at(1)), "a doubt is no news yet");
    assert_eq!((call.status, call.due_at), (InDoubt, Some(at(15))));
    let mut other = call.clone();
    assert!(call.take(there(), at(15)));
    assert_eq!((call.status, call.provider_id.as_deref()), (Sent, Some("CA9")));
    assert_eq!((call.due_at, call.error), (Some(at(100)), None));
    assert!(!other.take(Report::Searched(Found::Nothing), at(15)));
    assert_eq!(other.status, Pending, "now it is known not to have arrived");
}

#[test]
fn an_attempt_whose_program_died_is_asked_about_too_and_repeated_at_once_if_it_never_left() {
    let mut call = DeliveryRecord { attempts: 5, ..sending() };
    call.take(Report::LeaseExpired { ask_at: Some(at(75)) }, at(60));
    assert_eq!((call.status, call.lease_until), (InDoubt, None));
    call.take(Report::Searched(Found::Nothing), at(75));
    assert_eq!((call.status, call.due_at), (Pending, Some(at(75))), "though it was the last");
}

/// The second of three attempts stood still beyond its lease, was looked for in vain, and
/// left after that.
#[test]
fn an_attempt_that_was_given_up_and_left_after_all_is_looked_for_before_the_next() {
    let third = || DeliveryRecord { attempts: 3, begun_at: Some(at(100)), ..sending() };
    let mut call = third();
    call.take(temporary(3), at(101));
    assert_eq!(call.status, Pending);
    call.take(timed_out(2, Some(at(135))), at(120));
    assert_eq!((call.status, call.due_at), (InDoubt, Some(at(135))), "heard between two");
    call.take(Report::Searched(Found::Nothing), at(135));
    assert_eq!(call.status, Pending);

    let mut call = third();
    call.take(timed_out(2, Some(at(135))), at(120));
    assert_eq!(call.status, Sending);
    call.take(temporary(3), at(121));
    assert_eq!((call.status, call.due_at), (InDoubt, Some(at(135))), "heard during one");
    assert!(call.take(there(), at(135)));
    assert_eq!(call.status, Sent);

    let mut call = third();
    call.take(timed_out(2, None), at(120));
    call.take(temporary(3), at(121));
    assert_eq!(call.status, Pending, "nobody can be asked");
}

#[test]
fn a_callback_settles_a_doubt_at_once() {
    let mut call = sending();
    call.take(timed_out(1, Some(at(15))), at(1));
    assert!(call.take(heard(Answered), at(2)));
    assert!(!call.take(Report::Searched(Found::Nothing), at(15)), "nobody needs that any more");
    assert_eq!((call.status, call.provider_id.as_deref()), (Answered, Some("CA1")));
}

#[test]
fn where_nobody_can_be_asked_the_step_decides() {
    for (in_doubt, status, told) in [
        (Remedy::Send, Pending, false),
        (Remedy::Skip, InDoubt, true),
        (Remedy::Fail, Failed, true),
    ] {
        let mut mail = DeliveryRecord { in_doubt, ..sending() };
        assert_eq!(mail.take(timed_out(1, None), at(1)), told, "{in_doubt:?}");
        assert_eq!(mail.status, status);
        assert_eq!(mail.settled_at.is_some(), told);
    }
}

#[test]
fn a_provider_that_does_not_answer_is_asked_for_ten_minutes() {
    let mut call = DeliveryRecord { in_doubt: Remedy::Fail, ..sending() };
    call.take(timed_out(1, Some(at(15))), at(0));
    let unanswered = || Report::Searched(Found::Unanswered { reason: "503".into() });
    assert!(!call.take(unanswered(), at(15)));
    assert_eq!((call.status, call.due_at), (InDoubt, Some(at(20))));
    assert!(call.take(unanswered(), at(616)));
    assert_eq!(call.status, Failed);
}

#[test]
fn a_doubt_about_what_nobody_wants_any_more_is_never_repeated() {
    let mut asked = DeliveryRecord { withdrawn: true, ..sending() };
    asked.take(timed_out(1, Some(at(15))), at(1));
    asked.take(Report::Searched(Found::Nothing), at(15));
    assert_eq!(asked.status, Cancelled);
    let mut not_asked = DeliveryRecord { withdrawn: true, ..sending() };
    not_asked.take(timed_out(1, None), at(1));
    assert_eq!((not_asked.status, not_asked.due_at), (InDoubt, None));
}

#[test]
fn the_attempt_itself_may_come_back_and_say_that_nothing_left() {
    let mut call = sending();
    call.take(Report::LeaseExpired { ask_at: Some(at(75)) }, at(60));
    call.take(temporary(1), at(62));
    assert_eq!(call.status, Pending);
}

#[test]
fn what_is_late_is_skipped_or_failed_but_only_while_it_waits() {
    let late = |then| DeliveryRecord { status: Pending, late: Some((at(60), then)), ..sending() };
    let mut call = late(Remedy::Skip);
    assert!(!call.take(Report::Late, at(59)));
    assert!(call.take(Report::Late, at(60)));
    assert_eq!((call.status, call.due_at), (Skipped, None));
    let mut call = late(Remedy::Fail);
    call.take(Report::Late, at(60));
    assert_eq!(call.status, Failed);
    let mut call = DeliveryRecord { status: Sending, ..late(Remedy::Fail) };
    assert!(!call.take(Report::Late, at(60)), "it has begun");
}

/// Quiet from half a minute to two minutes after the beginning.
fn in_quiet_hours() -> DeliveryRecord {
    // 14:13:20 UTC is the beginning; windows are whole minutes.
    let window = rungs_runners::hours::Window {
        days: rungs_runners::hours::Days::ALL,
        from: "14:14".parse().unwrap(),
        to: "14:20".parse().unwrap(),
        except: vec![],
    };
    let quiet = Quiet { timezone: chrono_tz::UTC, window: Some(window), calendar: None };
    DeliveryRecord { quiet: Some(quiet), quiet_at: Some(at(40)), ..sending() }
}

#[test]
fn a_repetition_that_falls_into_quiet_hours_waits_until_they_are_over() {
    let mut one = in_quiet_hours();
    one.take(temporary(1), at(35));
    assert_eq!((one.status, one.due_at), (Pending, Some(at(400))), "14:20:00");
    assert_eq!(one.quiet_at, Some(at(86_440)), "until the next evening");
    let told = one.log.last().unwrap();
    assert_eq!(told.what, "held");
    assert_eq!(told.error.as_deref(), Some("until Mon 2026-09-21 14:20 UTC: quiet hours"));
}

#[test]
fn one_that_was_to_begin_in_quiet_hours_is_put_off_and_costs_no_attempt() {
    let mut one = DeliveryRecord { status: Pending, attempts: 0, ..in_quiet_hours() };
    assert!(!one.take(Report::Quiet, at(50)), "its process hears nothing of it");
    assert_eq!((one.status, one.attempts, one.due_at), (Pending, 0, Some(at(400))));
    // Looked at again after they are over, it is free to leave.
    one.take(Report::Quiet, at(500));
    assert_eq!((one.due_at, one.quiet_at), (Some(at(400)), Some(at(86_440))));
    assert_eq!(one.log.len(), 1);
}

#[test]
fn one_that_was_withdrawn_meanwhile_is_not_put_off() {
    let mut one = DeliveryRecord { withdrawn: true, ..in_quiet_hours() };
    one.take(temporary(1), at(35));
    assert_eq!((one.status, one.due_at), (Cancelled, None));
}
