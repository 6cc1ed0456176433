//! Fresh ids: UUIDv7, ordered by time of birth.

use std::sync::{LazyLock, Mutex};

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Keeps ids of the same millisecond in order, and those made after a clock went back.
static CONTEXT: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));

/// An id that is larger than every one this program made before.
pub(super) fn fresh(now: DateTime<Utc>) -> String {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let timestamp = Timestamp::from_unix(&*CONTEXT, seconds, now.timestamp_subsec_nanos());
    Uuid::new_v7(timestamp).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_within_a_millisecond_and_after_the_clock_went_back() {
        let at = |millis: i64| DateTime::from_timestamp_millis(1_790_000_000_000 + millis).unwrap();
        let ids: Vec<String> =
            [at(0), at(0), at(0), at(5), at(-60_000), at(6)].into_iter().map(fresh).collect();
        assert!(ids.is_sorted(), "{ids:#?}");
    }
}
