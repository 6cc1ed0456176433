//! The runners that come with Rungs, one file each.

use crate::Kind;

mod conditional;
pub mod email;
mod go_to;
mod goal;
mod notify;
pub mod phone;
pub mod process;
pub mod pubnub;
mod set;
pub mod sms;
mod start;
mod stop;
#[cfg(test)]
mod trial;
mod wait_for_date;
mod wait_for_date_comparison;
mod wait_for_duration;
mod wait_for_event;
mod wait_for_window;
pub mod webhook;

/// Every runner that comes with Rungs. A new one is one line here.
pub const KINDS: &[Kind] = &[
    Kind::of::<conditional::Conditional>(),
    Kind::of::<email::Email>(),
    Kind::of::<go_to::GoTo>(),
    Kind::of::<goal::Goal>(),
    Kind::of::<phone::Phone>(),
    Kind::of::<pubnub::PubNub>(),
    Kind::of::<set::Set>(),
    Kind::of::<sms::SMS>(),
    Kind::of::<start::Start>(),
    Kind::of::<stop::Stop>(),
    Kind::of::<wait_for_date::WaitForDate>(),
    Kind::of::<wait_for_date_comparison::WaitForDateComparison>(),
    Kind::of::<wait_for_duration::WaitForDuration>(),
    Kind::of::<wait_for_event::WaitForEvent>(),
    Kind::of::<wait_for_window::WaitForWindow>(),
    Kind::of::<webhook::Webhook>(),
];

/// For tests: visits a step whose process has `data`, at the beginning of 2025.
#[cfg(test)]
fn visiting<T>(data: &serde_json::Value, visit: impl FnOnce(&crate::Visit<'_>) -> T) -> T {
    let now = chrono::DateTime::from_timestamp(1_735_689_600, 0).unwrap();
    let (steps, events) = (serde_json::json!({}), serde_json::json!([]));
    let process = || serde_json::json!({ "id": "p-1", "timezone": "UTC" });
    let scope = crate::Scope::new(data.as_object().unwrap(), process, &steps, &events);
    visit(&crate::Visit {
        now,
        timezone: chrono_tz::UTC,
        entered_at: now,
        stay: 1,
        delivery: None,
        stirred: false,
        heard: crate::Heard::default(),
        calendars: &crate::hours::Calendars::default(),
        scope: &scope,
    })
}
