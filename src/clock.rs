//! The only place that asks the machine for the time.
//!
//! Promises: moments are whole milliseconds, as they are stored. A test or a
//! demonstration may hand out a clock of its own, and nothing else in the program can
//! tell.

#![expect(clippy::disallowed_methods, reason = "this is the room that may ask for the time")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::Notify;

/// Where `now` comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// The machine's clock, put forward by so many milliseconds: for watching a ladder
    /// being climbed without waiting as long as it does.
    Ahead(Arc<AtomicI64>),
    /// A clock that stands still until it is set, for tests.
    Virtual(Arc<Dial>),
}

/// What a clock shows that only moves when it is set.
#[derive(Debug)]
pub struct Dial {
    /// In Unix milliseconds.
    shows: AtomicI64,
    /// Wakes those who wait in the order in which they came, so that the same happenings
    /// give the same run. (A `watch` channel wakes them in a random one.)
    moved: Notify,
}

impl Dial {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.shows.load(Ordering::SeqCst)).unwrap_or_default()
    }

    async fn shows(&self, at: DateTime<Utc>) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}

impl Clock {
    /// A clock that shows the machine's time until it is put forward.
    pub fn ahead() -> Self {
        Self::Ahead(Arc::default())
    }

    /// Puts such a clock forward, so that it shows `at`. It is never put back, and other
    /// clocks are not moved.
    pub fn put_forward(&self, at: DateTime<Utc>) {
        if let Self::Ahead(by) = self {
            by.fetch_add((at - self.now()).num_milliseconds().max(0), Ordering::Relaxed);
        }
    }

    /// A clock that stands at `at`.
    pub fn standing_at(at: DateTime<Utc>) -> Self {
        let shows = AtomicI64::new(at.timestamp_millis());
        Self::Virtual(Arc::new(Dial { shows, moved: Notify::new() }))
    }

    /// Sets a virtual clock and wakes who waited for that moment. Other clocks cannot be set.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Self::Virtual(dial) = self {
            dial.shows.store(at.timestamp_millis(), Ordering::SeqCst);
            dial.moved.notify_waiters();
        }
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(3),
            Self::Ahead(by) => {
                let by = TimeDelta::try_milliseconds(by.load(Ordering::Relaxed));
                let now = Utc::now().trunc_subsecs(3);
                by.and_then(|by| now.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
            }
            Self::Virtual(dial) => dial.now(),
        }
    }

    /// Waits until `at`. A machine's clock that is set back makes it wait longer by as much;
    /// callers bound their waits.
    pub async fn sleep_until(&self, at: DateTime<Utc>) {
        let ahead = (at - self.now()).to_std().unwrap_or_default();
        match self {
            Self::System | Self::Ahead(_) => tokio::time::sleep(ahead).await,
            Self::Virtual(dial) => dial.shows(at).await,
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
