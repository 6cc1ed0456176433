//! What `Phone`, `SMS` and `Email` have in common: write one delivery per stay, then
//! follow it until what is awaited came.

use serde::Serialize;

use crate::{
    DeliveryStatus, DeliveryView, NewDelivery, Outcome, Problem, Visit, quote::quoted,
    template::is_template,
};

/// A delivery as a step composes it.
pub(super) struct Composed {
    delivery: NewDelivery,
    /// Entries of its lists that are no addresses.
    left_out: Vec<String>,
}

impl Composed {
    /// A request to a channel.
    ///
    /// # Errors
    /// It is no JSON.
    pub(super) fn new(channel: &'static str, request: &impl Serialize) -> Result<Self, String> {
        let request = serde_json::to_value(request).map_err(|error| error.to_string())?;
        Ok(Self { delivery: NewDelivery { channel, request }, left_out: Vec::new() })
    }

    /// The same, without these, which are no addresses.
    pub(super) fn without(self, left_out: Vec<String>) -> Self {
        Self { left_out, ..self }
    }

    fn written(self) -> Outcome {
        if self.left_out.is_empty() {
            return Outcome::deliver(self.delivery, "written, to be sent");
        }
        let names: Vec<String> = self.left_out.iter().map(|entry| quoted(entry)).collect();
        let message =
            format!("written, to be sent; left out {}: no mail address", names.join(", "));
        Outcome::deliver(self.delivery, message)
    }
}

/// Answers a visit of a notification step that awaits `awaited`.
///
/// `compose` makes the delivery at the first visit of a stay; its error is a reason why
/// nobody can be reached this way at all (an address that is none).
pub(super) fn follow(
    visit: &Visit<'_>,
    awaited: DeliveryStatus,
    compose: impl FnOnce() -> Result<Composed, String>,
) -> Outcome {
    let Some(delivery) = visit.delivery else {
        return match compose() {
            Ok(composed) => composed.written(),
            Err(reason) => Outcome::undelivered(reason),
        };
    };
    let status = delivery.status;
    if status.reaches(awaited) || (awaited == DeliveryStatus::Sent && was_taken(delivery)) {
        return Outcome::next(status.as_str());
    }
    if status == DeliveryStatus::InDoubt {
        // A process hears of a doubt only if it is left at that (`inDoubt: skip`).
        return Outcome::next("in-doubt, and not repeated");
    }
    let told = match &delivery.error {
        Some(error) => format!("{status}: {error}"),
        None => status.to_string(),
    };
    if status.is_failure() { Outcome::undelivered(told) } else { Outcome::wait(told) }
}

/// Whether a provider took a delivery whose end is heard: that it did may be heard together with
/// how it ended, and a step that awaits no more goes the same way then.
fn was_taken(delivery: &DeliveryView) -> bool {
    let failed_later = delivery.status == DeliveryStatus::Failed && delivery.provider_id.is_some();
    failed_later || TAKEN.contains(&delivery.status)
}

/// Ends of what a provider took.
const TAKEN: [DeliveryStatus; 5] = [
    DeliveryStatus::Busy,
    DeliveryStatus::NoAnswer,
    DeliveryStatus::Rejected,
    DeliveryStatus::Machine,
    DeliveryStatus::Undelivered,
];

/// Checks text that must be an address, unless it is a template, of which nobody knows
/// what it will render to.
pub(super) fn check_address(
    pointer: &str,
    text: &str,
    is_one: impl FnOnce(&str) -> bool,
    kind: &str,
    help: &str,
) -> Option<Problem> {
    let is_fine = is_template(text) || is_one(text);
    (!is_fine).then(|| Problem::at(pointer, format!("{} is no {kind}", quoted(text))).help(help))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Action, Runner,
        builtin::{email::Email, phone::Phone, sms::SMS, trial::Trial},
    };

    fn at(status: DeliveryStatus) -> Trial {
        Trial::at("2026-05-04T10:00").delivery(status, Some("31005"))
    }

    fn call(awaited: &str) -> Value {
        json!({ "to": "+385911234567", "say": "Hello", "await": awaited })
    }

    fn actions<R: Runner>(config: &Value) -> Vec<(DeliveryStatus, Action)> {
        DeliveryStatus::ALL
            .into_iter()
            .map(|status| (status, at(status).visit::<R>(config).unwrap().action))
            .collect()
    }

    /// Each status short of failure, and those that let the step go on.
    fn assert_goes_on_at<R: Runner>(config: &Value, reached: &[DeliveryStatus]) {
        for (status, action) in actions::<R>(config) {
            let expected = match status {
                status if reached.contains(&status) => Action::Next,
                status if status.is_failure() => Action::AltNext,
                DeliveryStatus::InDoubt | DeliveryStatus::Skipped => Action::Next,
                _ => Action::Noop,
            };
            assert_eq!(action, expected, "{status} of {config}");
        }
    }

    #[test]
    fn a_step_goes_on_once_what_it_awaits_came_and_the_other_way_once_it_failed() {
        use DeliveryStatus::{Answered, Completed, Delivered, Sent};
        let placed = [&[Sent, Answered, Completed, Delivered][..], &TAKEN].concat();
        assert_goes_on_at::<Phone>(&call("placed"), &placed);
        assert_goes_on_at::<Phone>(&call("answered"), &placed[1..4]);
        assert_goes_on_at::<Phone>(&call("completed"), &placed[2..4]);
        let sms = |awaited| json!({ "to": "+385911234567", "message": "Hi", "await": awaited });
        assert_goes_on_at::<SMS>(&sms("sent"), &placed);
        assert_goes_on_at::<SMS>(&sms("delivered"), &placed[3..4]);
        assert_goes_on_at::<Email>(&json!({ "to": "ana@example.com", "text": "Hi" }), &placed);
    }

    #[test]
    fn a_failure_says_what_the_provider_said() {
        let outcome = at(DeliveryStatus::Busy).visit::<Phone>(&call("answered"));
        assert_eq!(outcome, Ok(Outcome::undelivered("busy: 31005")));
    }

    #[test]
    fn while_it_is_tried_again_the_history_says_why() {
        let outcome = at(DeliveryStatus::Pending).visit::<Phone>(&call("answered"));
        assert_eq!(outcome, Ok(Outcome::wait("pending: 31005")));
    }
}
