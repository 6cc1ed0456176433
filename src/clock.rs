//! The only place that asks the machine for the time.
//!
//! Promises: moments are whole milliseconds, as they are stored. A test or a
//! demonstration may hand out a clock of its own, and nothing else in the program can
//! tell.

#![expect(clippy::disallowed_methods, reason = "this is the room that may ask for the time")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::watch;

/// Where `now` comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that runs faster, for watching a ladder being climbed.
    Fast {
        /// What it showed at the start.
        from: DateTime<Utc>,
        /// When it was started.
        started: Instant,
        /// How many times faster than the machine's.
        speed: f64,
    },
    /// A clock that stands still until it is set, for tests.
    Virtual(Arc<watch::Sender<DateTime<Utc>>>),
}

impl Clock {
    /// A clock that starts at the machine's time and runs `speed` times as fast.
    pub fn fast(speed: f64) -> Self {
        Self::Fast { from: Utc::now().trunc_subsecs(3), started: Instant::now(), speed }
    }

    /// A clock that stands at `at`.
    pub fn standing_at(at: DateTime<Utc>) -> Self {
        Self::Virtual(Arc::new(watch::Sender::new(at)))
    }

    /// Sets a virtual clock and wakes who waited for that moment. Other clocks cannot be set.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Self::Virtual(clock) = self {
            clock.send_replace(at);
        }
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(3),
            Self::Fast { from, started, speed } => {
                let millis = started.elapsed().as_secs_f64() * 1000.0 * speed;
                // A century of milliseconds is far inside an i64.
                *from + TimeDelta::try_milliseconds(millis as i64).unwrap_or(TimeDelta::MAX)
            }
            Self::Virtual(clock) => *clock.borrow(),
        }
    }

    /// Waits until `at`. A machine's clock that is set back makes it wait longer by as much;
    /// callers bound their waits.
    pub async fn sleep_until(&self, at: DateTime<Utc>) {
        let ahead = (at - self.now()).to_std().unwrap_or_default();
        match self {
            Self::System => tokio::time::sleep(ahead).await,
            Self::Fast { speed, .. } => {
                tokio::time::sleep(Duration::from_secs_f64(ahead.as_secs_f64() / speed)).await;
            }
            Self::Virtual(clock) => {
                // The sender lives in `self`, so the wait cannot be cut off.
                let _ = clock.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }
}

/// A stopwatch, for how long something took. Never for when something is due.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// What it shows.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
