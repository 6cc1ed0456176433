//! Bounds and durations as people say them.

use chrono::TimeDelta;

use super::{Bounds, FirstContact, Since};

/// The units of a duration, largest first, in milliseconds.
const UNITS: [(i64, &str); 5] =
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];

/// The two largest units of a duration: `1 h 30 min`, `3 min`, `12 s`.
pub fn duration(duration: TimeDelta) -> String {
    let millis = duration.num_milliseconds().abs();
    let Some(first) = UNITS.iter().position(|(unit, _)| millis >= *unit) else {
        return "0 s".to_owned();
    };
    let mut rest = millis;
    let mut words = Vec::new();
    // Whoever waits for seconds does not care for milliseconds.
    for (unit, name) in UNITS.iter().skip(first).take(2) {
        let whole = rest / unit;
        rest %= unit;
        if whole > 0 && (words.is_empty() || *unit >= 1_000) {
            words.push(format!("{whole} {name}"));
        }
    }
    words.join(" ")
}

/// Milliseconds as people say them.
pub fn spell(millis: u64) -> String {
    const MILLENNIUM: u64 = 365_250 * 86_400_000;
    if millis > MILLENNIUM {
        return "thousands of years".to_owned();
    }
    duration(TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// The same of a bound, which is never said to be less than it is.
pub fn spell_most(millis: u64) -> String {
    let exact = i64::try_from(millis).unwrap_or(i64::MAX);
    let first = UNITS.iter().position(|(unit, _)| exact >= *unit).unwrap_or(UNITS.len());
    let least = match UNITS.get(first + 1) {
        Some((unit, _)) => u64::try_from((*unit).max(1_000)).unwrap_or(1),
        None => 1,
    };
    spell(millis.div_ceil(least).saturating_mul(least))
}

impl Bounds {
    /// Each bound with its name, in a sentence without a full stop.
    pub fn sentences(&self) -> Vec<(&'static str, String)> {
        let first = self.first_contact.as_ref();
        vec![
            ("first contact", first.map_or_else(|| "reaches nobody".to_owned(), first_contact)),
            ("messages", messages(self)),
            ("life", life(self)),
        ]
    }
}

fn first_contact(first: &FirstContact) -> String {
    let earliest = match first.earliest {
        0 => "at once".to_owned(),
        earliest => format!("after {}", spell(earliest)),
    };
    let said = match (first.latest.most, &first.latest.since) {
        (Some(latest), _) if latest == first.earliest => earliest,
        (Some(latest), _) => {
            format!("{earliest} at the earliest, after {} at the latest", spell_most(latest))
        }
        (None, since) => format!("{earliest} at the earliest, {}", no_bound(since.as_ref())),
    };
    match &first.nobody {
        Some(nobody) => format!("{said}; or nobody: {}", nobody.words()),
        None => said,
    }
}

fn messages(bounds: &Bounds) -> String {
    let Some(most) = bounds.messages.most else { return no_bound(bounds.messages.since.as_ref()) };
    if most == 0 {
        return "none".to_owned();
    }
    let each: Vec<String> = bounds
        .channels
        .iter()
        .map(|(name, most)| format!("{name} {}", most.most.unwrap_or(u64::MAX)))
        .collect();
    let attempts = bounds.attempts.most.filter(|attempts| *attempts > most);
    let attempts = attempts.map_or_else(String::new, |attempts| {
        format!("; {attempts} attempts, if all of them meet trouble")
    });
    format!("{most} at most ({}){attempts}", each.join(", "))
}

fn life(bounds: &Bounds) -> String {
    let Some(most) = bounds.life.most else { return no_bound(bounds.life.since.as_ref()) };
    match bounds.waits.most {
        Some(waits) if waits < most => format!(
            "{} of waits at most; {}, if every provider falls silent",
            spell_most(waits),
            spell_most(most)
        ),
        _ => format!("{} at most", spell_most(most)),
    }
}

fn no_bound(since: Option<&Since>) -> String {
    since.map_or_else(
        || "no bound".to_owned(),
        |Since { step, does }| format!("no bound: `{step}` {does}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (millis, words) in [
            (0, "0 s"),
            (250, "250 ms"),
            (1_250, "1 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (5_400_000, "1 h 30 min"),
            (86_400_000 + 59_000, "1 d"),
            (-180_000, "3 min"),
        ] {
            assert_eq!(duration(TimeDelta::milliseconds(millis)), words, "{millis} ms");
        }
        for (millis, words) in [
            (0, "0 s"),
            (250, "250 ms"),
            (1_250, "2 s"),
            (61_001, "1 min 2 s"),
            (42 * 3_600_000 + 300_000, "1 d 19 h"),
            (86_399_999, "1 d"),
            (u64::MAX, "thousands of years"),
        ] {
            assert_eq!(spell_most(millis), words, "{millis} ms");
        }
    }
}
