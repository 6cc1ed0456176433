//! Under way: what a process that lives has written, and will still hear of it.
//!
//! Promises: pure. What has not left yet leaves when it is due and no quiet hours hold it, and of
//! the rest of each story the usual is told, when it usually comes.
//! Called by: [`go_on`](super::go_on), for `explain` and `plan`.

use chrono::{DateTime, Utc};
use rungs_runners::DeliveryStatus;
use serde_json::Value;

use super::{Asked, Coming, Fate, What, awaited};
use crate::{DeliveryRecord, News, Process, Remedy, Sequence};

/// A delivery, and what it sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// How far it has come.
    pub record: DeliveryRecord,
    /// What is sent.
    pub request: Value,
}

impl Written {
    /// One that a cycle has just written.
    #[cfg(test)]
    pub(crate) fn new(delivery: crate::Delivery, process_key: &str, now: DateTime<Utc>) -> Self {
        let leaves_at = delivery.held.as_ref().map_or(now, |held| held.leaves_at);
        let record = DeliveryRecord {
            id: delivery.id,
            process_key: process_key.to_owned(),
            step: delivery.step,
            channel: delivery.what.channel.to_owned(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            retry: crate::Retry::default(),
            in_doubt: delivery.in_doubt,
            late: delivery.late,
            begun_at: None,
            due_at: Some(leaves_at),
            lease_until: None,
            withdrawn: false,
            provider_id: None,
            error: None,
            answer: None,
            quiet_at: delivery.held.as_ref().and_then(|held| held.falls_at),
            quiet: delivery.held.map(|held| held.quiet),
            log: vec![],
            created_at: now,
            settled_at: None,
        };
        Self { record, request: delivery.what.request }
    }

    /// Whether it is still to leave.
    fn is_to_leave(&self) -> bool {
        self.record.status == DeliveryStatus::Pending && !self.record.withdrawn
    }

    /// Whether nothing more will be heard of it.
    fn is_settled(&self) -> bool {
        let DeliveryRecord { status, due_at, .. } = &self.record;
        status.is_final() || *status == DeliveryStatus::InDoubt && due_at.is_none()
    }

    /// When it leaves, or when its last attempt left.
    fn leaves_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let DeliveryRecord { begun_at, due_at, created_at, quiet, .. } = &self.record;
        if !self.is_to_leave() {
            return begun_at.or(*due_at).unwrap_or(*created_at);
        }
        let due_at = due_at.unwrap_or(*created_at).max(now);
        quiet.as_ref().and_then(|quiet| quiet.leaves_at(due_at)).unwrap_or(due_at)
    }

    fn heard(&self, status: DeliveryStatus, news: News) -> (What, Option<News>) {
        let DeliveryRecord { id, step, .. } = &self.record;
        let channel = self.record.channel.clone().into();
        let what = What::Heard { step: step.clone(), delivery: id.clone(), channel, status };
        (what, Some(news))
    }
}

/// What comes of everything that a process has written, from `now` on.
pub(super) fn coming(
    sequence: &Sequence,
    process: &Process,
    written: &[Written],
    now: DateTime<Utc>,
) -> Vec<Coming> {
    let mut coming = Vec::new();
    for one in written {
        // Of an earlier one of its step nothing is remembered; it leaves all the same.
        let result = process.state.steps.get(&one.record.step);
        let text = |key: &str| result.and_then(|result| result.get(key)).and_then(Value::as_str);
        let is_remembered = text("delivery") == Some(one.record.id.as_str());
        let Written { record, .. } = one;
        if one.is_settled() {
            if is_remembered && text("status") != Some(record.status.as_str()) {
                let (what, news) = one.heard(record.status, News::Delivery(record.view()));
                coming.push(Coming { at: now, what, news });
            }
        } else if !record.withdrawn {
            let rest = rest(one, sequence, process, now);
            coming.extend(rest.into_iter().filter(|one| is_remembered || one.news.is_none()));
        }
    }
    coming
}

/// The usual rest of a delivery's story.
fn rest(one: &Written, sequence: &Sequence, process: &Process, now: DateTime<Utc>) -> Vec<Coming> {
    let Written { record, request } = one;
    let leaves_at = one.leaves_at(now);
    let step = sequence.position(&record.step).and_then(|at| sequence.steps.get(at));
    let asked = Asked {
        delivery: &record.id,
        step: &record.step,
        stay: process.state.stays(&record.step),
        channel: &record.channel,
        is_question: step.is_some_and(|step| step.kind.asks),
        awaits: awaited(step),
        request,
    };
    let late = record.late.filter(|(late_at, _)| one.is_to_leave() && *late_at <= leaves_at);
    let (begins, fate) = match late {
        Some((late_at, Remedy::Fail)) => (late_at, Fate::of(DeliveryStatus::Failed)),
        Some((late_at, _)) => (late_at, Fate::of(DeliveryStatus::Skipped)),
        None if record.status == DeliveryStatus::Answered => {
            (leaves_at, Fate::of(DeliveryStatus::Completed))
        }
        None => (leaves_at, Fate::usual(&asked)),
    };
    let mut rest = Vec::new();
    if one.is_to_leave() && late.is_none() {
        let what = What::Wrote {
            step: record.step.clone(),
            delivery: record.id.clone(),
            channel: record.channel.clone().into(),
            request: request.clone(),
        };
        rest.push(Coming { at: leaves_at, what, news: None });
    }
    for told in asked.told(fate, None).into_iter().filter(|told| told.status > record.status) {
        let Some(at) = begins.checked_add_signed(told.after) else { continue };
        let (at, status) = (at.max(now), told.status);
        let (what, news) = one.heard(status, told.news(&record.id, &record.step, at));
        rest.push(Coming { at, what, news });
    }
    rest
}
