//! What `Phone`, `SMS` and `Email` have in common: write one delivery per stay, then
//! follow it until what is awaited came.

use crate::{DeliveryStatus, NewDelivery, Outcome, Visit};

/// Answers a visit of a notification step that awaits `awaited`.
///
/// `compose` makes the delivery at the first visit of a stay; its error is a reason why
/// nobody can be reached this way at all (an address that is none).
pub(super) fn follow(
    visit: &Visit<'_>,
    awaited: DeliveryStatus,
    compose: impl FnOnce() -> Result<NewDelivery, String>,
) -> Outcome {
    let Some(delivery) = visit.delivery else {
        return match compose() {
            Ok(delivery) => Outcome::deliver(delivery, "written, to be sent"),
            Err(reason) => Outcome::undelivered(reason),
        };
    };
    let status = delivery.status;
    if status.is_failure() {
        let reason = match &delivery.error {
            Some(error) => format!("{status}: {error}"),
            None => status.to_string(),
        };
        Outcome::undelivered(reason)
    } else if status >= awaited {
        Outcome::next(status.as_str())
    } else {
        Outcome::wait(status.as_str())
    }
}
