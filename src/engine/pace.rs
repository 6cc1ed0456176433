//! How fast a channel may begin attempts: a token bucket that holds one second's worth.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::channels::{Channels, Limits};

/// The pace of every channel that has one.
#[derive(Debug)]
pub(super) struct Paces(HashMap<&'static str, Mutex<Pace>>);

#[derive(Debug)]
struct Pace {
    per_second: f64,
    tokens: f64,
    filled_at: Option<DateTime<Utc>>,
}

impl Paces {
    pub(super) fn new(channels: &Channels) -> Self {
        Self(channels.iter().filter_map(|(name, way)| Some((name, pace(way.limits)?))).collect())
    }

    /// How many of `wanted` attempts may begin at `now`. They count as begun.
    pub(super) fn take(&self, channel: &str, wanted: usize, now: DateTime<Utc>) -> usize {
        self.with(channel, |pace| pace.take(wanted, now)).unwrap_or(wanted)
    }

    /// Gives back what was taken and not used.
    pub(super) fn give_back(&self, channel: &str, unused: usize) {
        self.with(channel, |pace| pace.tokens += unused as f64);
    }

    /// When the next attempt may begin, for a channel that is paced.
    pub(super) fn next_at(&self, channel: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.with(channel, |pace| pace.next_at(now))
    }

    fn with<T>(&self, channel: &str, then: impl FnOnce(&mut Pace) -> T) -> Option<T> {
        let pace = self.0.get(channel)?;
        Some(then(&mut pace.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn pace(limits: Limits) -> Option<Mutex<Pace>> {
    let per_second = limits.per_second?;
    Some(Mutex::new(Pace { per_second, tokens: per_second.max(1.0), filled_at: None }))
}

impl Pace {
    fn fill(&mut self, now: DateTime<Utc>) {
        // A clock that went back fills nothing, and counts from there.
        let passed = self.filled_at.map_or(TimeDelta::zero(), |at| now - at).max(TimeDelta::zero());
        let most = self.per_second.max(1.0);
        let gained = passed.num_milliseconds() as f64 / 1000.0 * self.per_second;
        self.tokens = (self.tokens + gained).min(most);
        self.filled_at = Some(now);
    }

    fn take(&mut self, wanted: usize, now: DateTime<Utc>) -> usize {
        self.fill(now);
        let taken = wanted.min(whole(self.tokens));
        self.tokens -= taken as f64;
        taken
    }

    fn next_at(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.fill(now);
        let missing = (1.0 - self.tokens).max(0.0);
        let millis = (missing / self.per_second * 1000.0).ceil() as i64;
        now + TimeDelta::try_milliseconds(millis).unwrap_or(TimeDelta::hours(1))
    }
}

#[expect(clippy::cast_sign_loss, reason = "what is below zero was made zero")]
fn whole(tokens: f64) -> usize {
    tokens.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_790_000_000_000 + millis).unwrap()
    }

    #[test]
    fn two_a_second_means_two_then_one_every_half_second() {
        let limits = Limits { per_second: Some(2.0), ..Limits::default() };
        let paces = Paces(HashMap::from([("sms", pace(limits).unwrap())]));
        assert_eq!(paces.take("sms", 10, at(0)), 2);
        assert_eq!(paces.take("sms", 10, at(0)), 0);
        assert_eq!(paces.next_at("sms", at(0)), Some(at(500)));
        assert_eq!(paces.take("sms", 10, at(500)), 1);
        assert_eq!(paces.take("sms", 10, at(9_000)), 2, "idle time is not saved up");
    }

    #[test]
    fn one_in_ten_seconds_is_a_pace_too() {
        let limits = Limits { per_second: Some(0.1), ..Limits::default() };
        let paces = Paces(HashMap::from([("sms", pace(limits).unwrap())]));
        assert_eq!(paces.take("sms", 10, at(0)), 1);
        assert_eq!(paces.take("sms", 10, at(9_999)), 0);
        assert_eq!(paces.take("sms", 10, at(10_000)), 1);
    }

    #[test]
    fn a_channel_without_a_pace_takes_everything() {
        assert_eq!(Paces(HashMap::new()).take("email", 10, at(0)), 10);
    }
}
