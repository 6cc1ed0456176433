//! The life of a delivery: what each report of an attempt, and each word from the
//! provider, makes of it.
//!
//! Promises: pure, and right in whatever order reports come: a callback may overtake the
//! answer to the request that caused it, or come twice, or after everything was given up.
//! Called by: the store, which reads deliveries, tells them their reports here and writes
//! them back, in one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use rungs_runners::{Answer, DeliveryStatus, DeliveryView, calendar, hours::Quiet};
use serde::{Deserialize, Serialize};

use crate::{Remedy, Retry};

mod report;

pub use report::{Attempt, Found, Report};

/// How long a provider that can be asked is asked before a delivery counts as failed.
pub const LONGEST_SILENCE: TimeDelta = TimeDelta::hours(6);

/// How long a provider is asked about an attempt that is in doubt before the step's
/// `inDoubt` decides: an escalation is worth little when late.
pub const LONGEST_DOUBT: TimeDelta = TimeDelta::minutes(10);

/// Attempts beyond `retry.attempts` that crashes of our own may add.
const MOST_CRASHES: u32 = 20;

// What a log says of an attempt whose owner did not come back, of one of which nobody knows
// whether it arrived, and of a search that the provider did not answer.
const LEASE_EXPIRED: &str = "lease-expired";
const IN_DOUBT: &str = "in-doubt";
const UNANSWERED: &str = "unanswered";

/// What it says of one that was to be tried in quiet hours.
const HELD: &str = "held";

/// What it says of a provider that has not said for hours how it ended.
const SILENT: &str = "silent";

/// What is said of a provider that was silent for too long.
pub(crate) fn silence() -> String {
    format!("the provider gave no final status within {} hours", LONGEST_SILENCE.num_hours())
}

/// Lines kept in a delivery's log; the first ones stay, since they tell how it began.
const MOST_LOG_LINES: usize = 100;

/// A delivery as it stands in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRecord {
    /// A UUID, and the idempotency key towards the provider.
    pub id: String,
    /// The process that wrote it.
    pub process_key: String,
    /// The step that wrote it.
    pub step: String,
    /// The channel that carries it.
    pub channel: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts begun.
    pub attempts: u32,
    /// How often to try.
    pub retry: Retry,
    /// What to do if nobody can say whether an attempt arrived.
    pub in_doubt: Remedy,
    /// From when on it is late, and what becomes of it then.
    pub late: Option<(DateTime<Utc>, Remedy)>,
    /// Its quiet hours, in which no attempt begins.
    pub quiet: Option<Quiet>,
    /// While pending, from when on it may not begin without a look at them.
    pub quiet_at: Option<DateTime<Utc>>,
    /// When the last attempt began.
    pub begun_at: Option<DateTime<Utc>>,
    /// While pending, when to try (next); in doubt, when to ask whether it arrived; once
    /// sent, when to ask what became of it.
    pub due_at: Option<DateTime<Utc>>,
    /// Until when the attempt under way belongs to whoever began it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Nobody wants it any more: no further attempt.
    pub withdrawn: bool,
    /// The provider's own id.
    pub provider_id: Option<String>,
    /// What went wrong last.
    pub error: Option<String>,
    /// What was answered, where it is a question and a report has just said so.
    pub answer: Option<Answer>,
    /// Everything that was reported.
    pub log: Vec<LogLine>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it became final.
    pub settled_at: Option<DateTime<Utc>>,
}

/// One line of a delivery's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Unix milliseconds.
    pub at: i64,
    /// The attempt it speaks of, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<u32>,
    /// What was reported: a status, or `temporary`, `lease-expired`, `found`, `not-found`,
    /// `unanswered`, `not-asked`, `late`, `silent`, `held`.
    pub what: String,
    /// Details.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

impl DeliveryRecord {
    /// What its process is told of it.
    pub fn view(&self) -> DeliveryView {
        DeliveryView {
            id: self.id.clone(),
            step: self.step.clone(),
            status: self.status,
            attempts: self.attempts,
            provider_id: self.provider_id.clone(),
            error: self.error.clone(),
            answer: self.answer.clone(),
        }
    }

    /// Takes in a report. True if the process should hear of it.
    pub fn take(&mut self, report: Report, now: DateTime<Utc>) -> bool {
        let before = (self.status, self.is_left_in_doubt());
        match report {
            Report::Attempted { attempt, result } => self.attempted(attempt, result, now),
            Report::Heard { status, provider_id, error, asked } => {
                self.heard(status, provider_id, error, asked, now);
            }
            Report::LeaseExpired { ask_at } => self.lease_expired(ask_at, now),
            Report::Searched(found) => self.searched(found, now),
            Report::Late => self.late(now),
            Report::Quiet => {}
        }
        self.keep_quiet(now);
        if self.status.is_final() || self.is_left_in_doubt() {
            self.due_at = None;
            self.lease_until = None;
            self.settled_at.get_or_insert(now);
        }
        let is_worth_telling = match self.status {
            DeliveryStatus::Pending => false,
            DeliveryStatus::InDoubt => self.is_left_in_doubt(),
            _ => true,
        };
        (self.status, self.is_left_in_doubt()) != before && is_worth_telling
    }

    /// In doubt, and nobody will ask any more.
    fn is_left_in_doubt(&self) -> bool {
        self.status == DeliveryStatus::InDoubt && self.due_at.is_none()
    }

    fn heard(
        &mut self,
        status: DeliveryStatus,
        provider_id: Option<String>,
        error: Option<String>,
        asked: bool,
        now: DateTime<Utc>,
    ) {
        self.note(now, None, status.as_str(), error.clone());
        self.reach(status, provider_id, error);
        self.due_at = if asked {
            Some(ask_again_at(self.ended_at(), now))
        } else {
            self.due_at.filter(|_| self.status >= DeliveryStatus::InDoubt)
        };
        self.give_up_if_silent(now);
    }

    fn attempted(&mut self, attempt: u32, result: Attempt, now: DateTime<Utc>) {
        // An attempt whose lease ran out may still report; only the one under way decides
        // what happens next, but that the provider took it is true whoever says so.
        let under_way = self.attempts == attempt
            && (self.status == DeliveryStatus::Sending || self.is_asked_about());
        match result {
            Attempt::Sent { provider_id, status, ask_at } => {
                self.note(now, Some(attempt), status.as_str(), None);
                self.reach(status, provider_id, None);
                self.due_at = ask_at;
                self.lease_until = None;
            }
            Attempt::Answered(answer) => {
                self.note(now, Some(attempt), DeliveryStatus::Completed.as_str(), None);
                // The first answer counts, and none that comes after it was given up.
                if !self.status.is_final() {
                    self.reach(DeliveryStatus::Completed, None, None);
                    self.answer = Some(Answer { at: now.timestamp_millis(), ..answer });
                }
            }
            Attempt::Refused { status, reason } => {
                self.note(now, Some(attempt), status.as_str(), Some(reason.clone()));
                if under_way {
                    self.reach(status, None, Some(reason));
                }
            }
            Attempt::Temporary { reason, retry_after } => {
                self.note(now, Some(attempt), "temporary", Some(reason.clone()));
                match self.doubt_meanwhile() {
                    _ if !under_way => {}
                    Some(ask_at) => self.doubt(reason, Some(ask_at), now),
                    None => self.try_again(reason, retry_after, now),
                }
            }
            Attempt::InDoubt { reason, ask_at } => {
                self.note(now, Some(attempt), IN_DOUBT, Some(reason.clone()));
                match self.status {
                    _ if under_way => self.doubt(reason, ask_at, now),
                    // One that stood still beyond its lease: it may have arrived after all,
                    // and is looked for before there is another.
                    DeliveryStatus::Pending if ask_at.is_some() => self.doubt(reason, ask_at, now),
                    DeliveryStatus::Sending => self.due_at = ask_at,
                    _ => {}
                }
            }
        }
    }

    /// While the present attempt was under way, an earlier one was reported to be in doubt:
    /// when to look for it.
    fn doubt_meanwhile(&self) -> Option<DateTime<Utc>> {
        let begun_at = self.begun_at?.timestamp_millis();
        let is_meant = |line: &LogLine| {
            let earlier = line.attempt.is_some_and(|attempt| attempt < self.attempts);
            line.what == IN_DOUBT && earlier && line.at >= begun_at
        };
        self.due_at.filter(|_| self.log.iter().any(is_meant))
    }

    /// In doubt, and the provider will be asked.
    fn is_asked_about(&self) -> bool {
        self.status == DeliveryStatus::InDoubt && self.due_at.is_some()
    }

    /// Nobody knows whether the attempt arrived.
    fn doubt(&mut self, reason: String, ask_at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.status = DeliveryStatus::InDoubt;
        self.lease_until = None;
        self.due_at = ask_at;
        self.error = Some(reason);
        if ask_at.is_none() {
            self.decide_doubt(now);
        }
    }

    /// Nobody can be asked, so the step says what is to be done.
    fn decide_doubt(&mut self, now: DateTime<Utc>) {
        self.due_at = None;
        match self.in_doubt {
            // Nobody wants it any more: it is left at that.
            _ if self.withdrawn => {}
            Remedy::Send => self.repeat(now),
            Remedy::Skip => {}
            Remedy::Fail => {
                let reason = self.error.take().unwrap_or_default();
                self.status = DeliveryStatus::Failed;
                self.error = Some(format!("in doubt, and not repeated: {reason}"));
            }
        }
    }

    /// An attempt that did not arrive, or of which nobody can say, is made again.
    fn repeat(&mut self, now: DateTime<Utc>) {
        let reason = self.error.take().unwrap_or_default();
        let last = self.log.iter().rev().find(|line| line.attempt.is_some());
        if last.is_some_and(|line| line.what == LEASE_EXPIRED) {
            self.repeat_after_crash(now);
        } else {
            self.try_again(reason, None, now);
        }
    }

    fn searched(&mut self, found: Found, now: DateTime<Utc>) {
        if !self.is_asked_about() {
            return;
        }
        match found {
            Found::There { provider_id, status, error, ask_at } => {
                self.note(now, None, "found", provider_id.clone());
                self.error = None;
                self.reach(status.max(DeliveryStatus::Sent), provider_id, error);
                self.due_at = ask_at;
            }
            Found::Nothing => {
                self.note(now, None, "not-found", None);
                self.due_at = None;
                self.repeat(now);
            }
            Found::CannotAsk => {
                self.note(now, None, "not-asked", None);
                self.decide_doubt(now);
            }
            Found::Unanswered { reason } => {
                self.note(now, None, UNANSWERED, Some(reason));
                self.due_at = Some(ask_again_at(self.ended_at(), now));
                // Counted from the first question: before it, all programs may have been down.
                if now - self.first_noted_at(UNANSWERED, now) > LONGEST_DOUBT {
                    self.decide_doubt(now);
                }
            }
        }
    }

    /// What is to be tried, or tried again, in quiet hours is tried once they are over.
    fn keep_quiet(&mut self, now: DateTime<Utc>) {
        let (DeliveryStatus::Pending, Some(quiet)) = (self.status, &self.quiet) else { return };
        let due_at = self.due_at.unwrap_or(now).max(now);
        // Hours that never end are refused where it is written; it is not lost over them.
        let leaves_at = quiet.leaves_at(due_at).unwrap_or(due_at);
        self.quiet_at = quiet.falls_at(leaves_at);
        if leaves_at == due_at {
            return;
        }
        let until = calendar::spell_with_weekday(leaves_at, quiet.timezone);
        self.due_at = Some(leaves_at);
        self.note(now, None, HELD, Some(format!("until {until}: quiet hours")));
    }

    /// It could not leave in time.
    fn late(&mut self, now: DateTime<Utc>) {
        let Some((late_at, then)) = self.late.filter(|(late_at, _)| *late_at <= now) else {
            return;
        };
        if self.status != DeliveryStatus::Pending || then == Remedy::Send {
            return;
        }
        let error = format!("late: it was to leave by {}", crate::process::iso(late_at));
        self.note(now, None, "late", None);
        self.status =
            if then == Remedy::Skip { DeliveryStatus::Skipped } else { DeliveryStatus::Failed };
        self.error = Some(error);
    }

    fn reach(
        &mut self,
        status: DeliveryStatus,
        provider_id: Option<String>,
        error: Option<String>,
    ) {
        self.status = self.status.after(status);
        self.provider_id = self.provider_id.take().or(provider_id);
        self.error = error.or(self.error.take().filter(|_| self.status.is_failure()));
    }

    fn try_again(&mut self, reason: String, at_least: Option<TimeDelta>, now: DateTime<Utc>) {
        self.lease_until = None;
        let pause = self.retry.pause(self.attempts, &self.id);
        match pause {
            _ if self.withdrawn => self.status = DeliveryStatus::Cancelled,
            Some(pause) => {
                self.status = DeliveryStatus::Pending;
                self.due_at = now.checked_add_signed(pause.max(at_least.unwrap_or_default()));
                self.error = Some(reason);
            }
            None => {
                self.status = DeliveryStatus::Failed;
                self.error = Some(format!("gave up after attempt {}: {reason}", self.attempts));
            }
        }
    }

    fn lease_expired(&mut self, ask_at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let expired = self.lease_until.is_some_and(|until| until <= now);
        if self.status != DeliveryStatus::Sending || !expired {
            return;
        }
        self.note(now, Some(self.attempts), LEASE_EXPIRED, None);
        self.doubt("the attempt ended without a result".to_owned(), ask_at, now);
    }

    /// The attempt may never have left, so it is repeated even if it was the last one.
    fn repeat_after_crash(&mut self, now: DateTime<Utc>) {
        if self.withdrawn {
            self.status = DeliveryStatus::Cancelled;
        } else if self.attempts >= self.retry.attempts.saturating_add(MOST_CRASHES) {
            self.status = DeliveryStatus::Failed;
            self.error = Some(format!("{} attempts ended without a result", self.attempts));
        } else {
            self.status = DeliveryStatus::Pending;
            self.due_at = Some(now);
        }
    }

    /// When the last attempt of which anything is known ended: a delivery may have been
    /// written long before it could be sent.
    fn ended_at(&self) -> DateTime<Utc> {
        let attempt = self.log.iter().rev().find(|line| line.attempt.is_some());
        let line = attempt.or(self.log.first());
        line.and_then(|line| DateTime::from_timestamp_millis(line.at)).unwrap_or(self.created_at)
    }

    /// Hours in which nobody asked, since all programs were down, are no silence of the
    /// provider's: once they have passed, it is asked for some more minutes.
    fn give_up_if_silent(&mut self, now: DateTime<Utc>) {
        let silent = self.due_at.is_some() && now - self.ended_at() > LONGEST_SILENCE;
        if !silent || self.status.is_final() {
            return;
        }
        self.note(now, None, SILENT, None);
        if now - self.first_noted_at(SILENT, now) < LONGEST_DOUBT {
            return;
        }
        let error = silence();
        self.note(now, None, SILENT, Some(error.clone()));
        self.reach(DeliveryStatus::Failed, None, Some(error));
    }

    /// When something was noted first since the last attempt: now, if it was not.
    fn first_noted_at(&self, what: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.log.len() >= MOST_LOG_LINES {
            // Nothing more is noted; it has been long enough.
            return self.ended_at();
        }
        let since = self.log.iter().rposition(|line| line.attempt.is_some());
        let mut lines = self.log.iter().skip(since.map_or(0, |at| at + 1));
        let first = lines.find(|line| line.what == what);
        first.and_then(|line| DateTime::from_timestamp_millis(line.at)).unwrap_or(now)
    }

    fn note(
        &mut self,
        now: DateTime<Utc>,
        attempt: Option<u32>,
        what: &str,
        error: Option<String>,
    ) {
        let line = LogLine { at: now.timestamp_millis(), attempt, what: what.to_owned(), error };
        let repeated = self.log.last().is_some_and(|last| {
            attempt.is_none() && (&last.what, &last.error) == (&line.what, &line.error)
        });
        if !repeated && self.log.len() < MOST_LOG_LINES {
            self.log.push(line);
        }
    }
}

/// When to ask again what became of a delivery: soon at first, then ever less often.
fn ask_again_at(ended_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let pause = (now - ended_at) / 4;
    now + pause.clamp(TimeDelta::seconds(5), TimeDelta::minutes(5))
}

#[cfg(test)]
mod tests;
