//! The most of a minute: what a histogram cannot say.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// The most that was seen in this minute and the one before: whoever looks once a minute
/// misses nothing.
#[derive(Debug, Default)]
pub(super) struct Most(Mutex<Windows>);

#[derive(Debug, Default)]
struct Windows {
    minute: i64,
    this: f64,
    before: f64,
}

impl Most {
    pub(super) fn observe(&self, value: f64, now: DateTime<Utc>) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.move_to(now);
        windows.this = windows.this.max(value);
    }

    pub(super) fn at(&self, now: DateTime<Utc>) -> f64 {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.move_to(now);
        windows.this.max(windows.before)
    }
}

impl Windows {
    fn move_to(&mut self, now: DateTime<Utc>) {
        let minute = now.timestamp().div_euclid(60);
        // A clock that was set back stays in its minute until it comes to the next.
        if minute > self.minute {
            self.before = if minute == self.minute + 1 { self.this } else { 0.0 };
            (self.minute, self.this) = (minute, 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_kept_for_a_minute_and_for_two_at_most() {
        let at = |time: &str| format!("2026-11-23T09:{time}Z").parse::<DateTime<Utc>>().unwrap();
        let most = Most::default();
        most.observe(3.0, at("00:59"));
        most.observe(1.0, at("01:10"));
        for (time, seconds) in [("01:59", 3.0), ("02:00", 1.0), ("02:59", 1.0), ("03:00", 0.0)] {
            assert!((most.at(at(time)) - seconds).abs() < f64::EPSILON, "{time}");
        }
        most.observe(2.0, at("03:10"));
        assert!(most.at(at("00:00")) > 1.9, "a clock that was set back forgets nothing");
    }
}
