//! Fresh ids: UUIDv7, ordered by time of birth.
//!
//! Promises: every id is larger than those the same source made before, also within a
//! millisecond and after the clock went back.
//! Called by: intake, for processes and events that bring no id.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::{Builder, ContextV7, Timestamp, Uuid};

/// Where an engine takes its ids from.
#[derive(Debug)]
pub struct Keys(Source);

#[derive(Debug)]
enum Source {
    /// Nobody can guess them, and no two programs make the same.
    Random(Mutex<ContextV7>),
    /// The same every time, for simulations: counted.
    Counted(Mutex<Count>),
}

#[derive(Debug)]
struct Count {
    /// What differs between two sources.
    number: u64,
    last_millis: u64,
    made: u16,
}

impl Keys {
    /// Ids that are like no others.
    pub fn random() -> Self {
        Self(Source::Random(Mutex::new(ContextV7::new())))
    }

    /// Ids that are the same whenever a source of this number is asked at the same moments.
    /// Two sources of different numbers make different ones.
    pub fn counted(number: u64) -> Self {
        Self(Source::Counted(Mutex::new(Count { number, last_millis: 0, made: 0 })))
    }

    /// An id that is larger than every one made before.
    pub fn fresh(&self, now: DateTime<Utc>) -> String {
        match &self.0 {
            Source::Random(context) => {
                let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
                let nanos = now.timestamp_subsec_nanos();
                Uuid::new_v7(Timestamp::from_unix(context, seconds, nanos)).to_string()
            }
            Source::Counted(count) => {
                count.lock().unwrap_or_else(PoisonError::into_inner).next(now)
            }
        }
    }
}

impl Count {
    fn next(&mut self, now: DateTime<Utc>) -> String {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        self.last_millis = self.last_millis.max(millis);
        self.made = self.made.wrapping_add(1);
        let [high, low] = self.made.to_be_bytes();
        // The version takes the upper half of the first byte, the variant two bits of the third.
        let mut bytes = [0; 10];
        bytes[..3].copy_from_slice(&[high >> 4, (high << 4) | (low >> 4), low & 0xf]);
        bytes[3..].copy_from_slice(&self.number.to_be_bytes()[1..]);
        Builder::from_unix_timestamp_millis(self.last_millis, &bytes).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_within_a_millisecond_and_after_the_clock_went_back() {
        let at = |millis: i64| DateTime::from_timestamp_millis(1_790_000_000_000 + millis).unwrap();
        for keys in [Keys::random(), Keys::counted(7)] {
            let moments = [at(0), at(0), at(0), at(5), at(-60_000), at(6)];
            let ids: Vec<String> = moments.into_iter().map(|now| keys.fresh(now)).collect();
            assert!(ids.is_sorted(), "{ids:#?}");
        }
    }

    #[test]
    fn a_counted_source_makes_other_ids_than_its_neighbour_and_the_same_again() {
        let at = DateTime::from_timestamp_millis(1_790_000_000_000).unwrap();
        let ids = |number| {
            let keys = Keys::counted(number);
            (0..40).map(|_| keys.fresh(at)).collect::<Vec<_>>()
        };
        let (one, two) = (ids(1), ids(2));
        assert!(one.is_sorted() && two.is_sorted());
        assert_eq!(one, ids(1));
        assert!(one.iter().all(|id| !two.contains(id)));
    }
}
