//! Durations as one writes them: `10 seconds`, `500 ms`, `1 hour 30 minutes`, or a number
//! of seconds.

/// A duration in milliseconds; `None` if it is none, or longer than a year.
pub fn parse(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        total += number.parse::<f64>().ok()? * milliseconds(unit)?;
        rest = after.trim_start();
    }
    whole(total)
}

/// Seconds to milliseconds, within the same bounds.
pub fn of_seconds(seconds: f64) -> Option<u64> {
    whole(seconds * 1000.0)
}

fn whole(milliseconds: f64) -> Option<u64> {
    const YEAR: f64 = 366.0 * 86_400_000.0;
    #[expect(clippy::cast_sign_loss, reason = "the range has been looked at")]
    (0.0..=YEAR).contains(&milliseconds).then_some(milliseconds.round() as u64)
}

fn milliseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
        "h" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, milliseconds) in [
            ("10 seconds", 10_000),
            ("1 second", 1_000),
            ("500 ms", 500),
            ("500ms", 500),
            ("1.5 minutes", 90_000),
            ("1 hour 30 minutes", 5_400_000),
            ("2h30m", 9_000_000),
            ("1 day", 86_400_000),
            (" 0 s ", 0),
        ] {
            assert_eq!(parse(text), Some(milliseconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in [
            "",
            " ",
            "10",
            "ten seconds",
            "10 weeks",
            "-1 s",
            "1..2 s",
            ". s",
            "1 s x",
            "9999 days",
            "1e9 s",
            "10 Sekunden",
            "1 ü",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(of_seconds(f64::NAN), None);
        assert_eq!(of_seconds(-1.0), None);
    }
}
