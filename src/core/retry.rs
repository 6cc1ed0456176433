//! How often, and after how long, an attempt that met temporary trouble is repeated.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// `retry: { attempts, first, factor, most }`. Durations are milliseconds here and in
/// the database; in YAML they are written `10 seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts in all, the first included. At least 1.
    pub attempts: u32,
    /// Pause after the first attempt, in milliseconds.
    pub first: u64,
    /// What each further pause is multiplied by. At least 1.
    pub factor: f64,
    /// The longest pause, in milliseconds.
    pub most: u64,
}

impl Default for Retry {
    /// Five attempts within about five minutes: an escalation is worth little when late.
    fn default() -> Self {
        Self { attempts: 5, first: 10_000, factor: 2.0, most: 300_000 }
    }
}

impl Retry {
    /// Again and again, five minutes apart at most: for questions, without whose answer a
    /// process cannot go on.
    pub fn without_end() -> Self {
        Self { attempts: u32::MAX, ..Self::default() }
    }

    /// The pause after attempt number `attempt` (from 1), or `None` when that was the last.
    ///
    /// `key` spreads pauses over 75 to 125 % of their length, so that a thousand
    /// deliveries that failed together do not come back together. It is the delivery's
    /// id: the same delivery always pauses alike, which keeps a rerun equal to its run.
    pub fn pause(&self, attempt: u32, key: &str) -> Option<TimeDelta> {
        if attempt >= self.attempts {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let plain = (self.first as f64 * self.factor.powi(exponent)).min(self.most as f64);
        let spread = 0.75 + f64::from(hash(key, attempt) % 1000) / 2000.0;
        TimeDelta::try_milliseconds((plain * spread) as i64)
    }
}

/// FNV-1a: small, stable across versions and machines, and good enough to spread.
fn hash(key: &str, attempt: u32) -> u32 {
    key.bytes()
        .chain(attempt.to_le_bytes())
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_most_and_end_with_the_last_attempt() {
        let retry = Retry { attempts: 4, first: 1_000, factor: 10.0, most: 20_000 };
        let pauses: Vec<i64> =
            (1..=4).filter_map(|n| retry.pause(n, "k")).map(|p| p.num_milliseconds()).collect();
        assert_eq!(pauses.len(), 3, "after the fourth attempt there is none");
        for (pause, plain) in pauses.iter().zip([1_000_f64, 10_000.0, 20_000.0]) {
            let share = *pause as f64 / plain;
            assert!((0.75..1.25).contains(&share), "{pause} ms is {share} of {plain} ms");
        }
    }

    #[test]
    fn deliveries_that_failed_together_spread_out() {
        let pauses: std::collections::HashSet<i64> = (0..100)
            .filter_map(|n| Retry::default().pause(1, &format!("delivery-{n}")))
            .map(|pause| pause.num_milliseconds())
            .collect();
        assert!(pauses.len() > 80, "only {} different pauses", pauses.len());
    }
}
