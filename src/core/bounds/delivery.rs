//! How long a step follows its delivery at most, and how often that is attempted.

use chrono::TimeDelta;
use rungs_runners::DeliveryStatus;

use crate::{
    Retry, Step,
    delivery::{LONGEST_DOUBT, LONGEST_SILENCE},
};

/// How long an attempt lasts at most: the lease of an attempt, where no setting says otherwise.
pub const LONGEST_ATTEMPT: TimeDelta = TimeDelta::minutes(2);

/// How late a question to a provider may come: questions lie five minutes apart at most, and
/// one that was lost is asked again after a minute.
const LATEST_QUESTION: TimeDelta = TimeDelta::minutes(6);

/// Pauses that are added up one by one.
const PAUSES: u32 = 1_000;

/// The longest time, in milliseconds, until a delivery of this step has come as far as
/// `awaited`, or has failed.
pub(super) fn longest(step: &Step, awaited: DeliveryStatus) -> u64 {
    let retry = step.retry.unwrap_or_default();
    // Each attempt may leave it in doubt.
    let attempt = millis(LONGEST_ATTEMPT + LONGEST_DOUBT + LATEST_QUESTION * 2);
    // Once it is sent, its provider may fall silent.
    let silence = if awaited > DeliveryStatus::Sent {
        millis(LONGEST_SILENCE + LONGEST_DOUBT + LATEST_QUESTION * 2)
    } else {
        0
    };
    attempt
        .saturating_mul(retry.attempts.into())
        .saturating_add(pauses(retry))
        .saturating_add(silence)
        // What cannot be written is paused, if a loop comes round to it at once.
        .saturating_add(retry.first)
}

/// How often a message of this step is attempted at most.
pub(super) fn attempts(step: Option<&Step>) -> u64 {
    step.and_then(|step| step.retry).unwrap_or_default().attempts.into()
}

/// All pauses together. The spread lengthens each by a quarter at most.
fn pauses(retry: Retry) -> u64 {
    let mut sum = 0_u64;
    let mut pause = retry.first as f64;
    for made in 1..retry.attempts {
        if pause >= retry.most as f64 || made > PAUSES {
            let left = u64::from(retry.attempts - made);
            return sum.saturating_add(spread(retry.most).saturating_mul(left));
        }
        #[expect(clippy::cast_sign_loss, reason = "no pause is negative")]
        let millis = pause.ceil() as u64;
        sum = sum.saturating_add(spread(millis));
        pause *= retry.factor;
    }
    sum
}

fn spread(millis: u64) -> u64 {
    millis.saturating_add(millis / 4).saturating_add(1)
}

fn millis(duration: TimeDelta) -> u64 {
    u64::try_from(duration.num_milliseconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_delivery_pauses_longer() {
        for (attempts, first, factor, most) in
            [(1, 10, 2.0, 10), (5, 10_000, 2.0, 300_000), (9, 7, 1.0, 20), (3_000, 3, 1.0001, 9)]
        {
            let retry = Retry { attempts, first, factor, most };
            for key in ["a", "b", "c"] {
                let paused: i64 = (1..=attempts)
                    .filter_map(|attempt| retry.pause(attempt, key))
                    .map(|pause| pause.num_milliseconds())
                    .sum();
                let bound = pauses(retry);
                assert!(u64::try_from(paused).unwrap() <= bound, "{paused} > {bound}: {retry:?}");
            }
        }
        let endless = Retry { factor: 1.0, first: 1, ..Retry::without_end() };
        assert!(pauses(endless) > u64::from(u32::MAX));
    }
}
