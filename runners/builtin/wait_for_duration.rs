//! `WaitForDuration`: wait for a while.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Explained, Failure, Outcome, Problem, Runner, Stay, Visit,
    calendar::{self, Unit},
    lenient,
};

/// Waits for a while, counted from when the process came to the step.
///
/// ```yaml
/// - id: grace
///   run: WaitForDuration
///   config:
///     amount: 3
///     unit: minutes     # years, quarters, months, weeks, days, hours, minutes, seconds,
///                       # milliseconds; the singular too
/// ```
///
/// Days and longer keep the wall clock in the process's time zone: a day that the clocks
/// make 23 hours long is a day. A month from the 31st ends on the last day of a shorter
/// month. Fractions count for hours and shorter. Days and months are whole: the check
/// refuses `0.5 days`, and one that comes out of a template is rounded, halves up.
#[derive(JsonSchema)]
pub struct WaitForDuration;

/// The config of `WaitForDuration`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// How many of the unit.
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(range(min = 0))]
    amount: f64,
    /// What is counted.
    unit: Unit,
}

impl Runner for WaitForDuration {
    const NAME: &'static str = "WaitForDuration";
    type Config = Config;

    fn rests(config: Option<&Config>) -> bool {
        config.is_none_or(|config| config.amount > 0.0)
    }

    fn stay(config: Option<&Config>, zone: Option<Tz>) -> Stay {
        let Some(config) = config else {
            return Stay::unbounded("waits for as long as its templates say");
        };
        match calendar::span(config.amount, config.unit, zone) {
            Some((least, most)) => Stay::within(least, most),
            None => Stay::unbounded("waits for longer than anybody can count"),
        }
    }

    fn check(config: &Config) -> Vec<Problem> {
        let Config { amount, unit } = *config;
        let problem = if amount < 0.0 {
            Problem::at("/amount", "a wait cannot be negative")
        } else if calendar::add(chrono::DateTime::UNIX_EPOCH, amount, unit, chrono_tz::UTC).is_err()
        {
            Problem::at("/amount", format!("{} go beyond the year 9999", unit.spell(amount)))
        } else if unit.would_round(amount) {
            Problem::at("/amount", format!("{amount} is no whole number of days or months"))
                .help(in_whole(amount, unit))
        } else {
            return Vec::new();
        };
        vec![problem]
    }

    fn explain(config: &Config, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let Config { amount, unit } = *config;
        let sum = calendar::sum(visit.entered_at, amount, unit, visit.timezone)
            .map_err(|error| Failure::because(format!("amount: {error}")))?;
        Ok(Explained { arithmetic: vec![sum], ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let Config { amount, unit } = *config;
        if amount < 0.0 {
            return Err(Failure::because(format!("amount: {amount} is negative")));
        }
        let end = calendar::add(visit.entered_at, amount, unit, visit.timezone)
            .map_err(|error| Failure::because(format!("amount: {error}")))?;
        Ok(if end <= visit.now {
            Outcome::next(format!("waited {}", unit.spell(amount)))
        } else {
            Outcome::wait_until(end, format!("until {}", calendar::spell(end, visit.timezone)))
        })
    }
}

/// How to write a fraction of a day or month instead.
pub(super) fn in_whole(amount: f64, unit: Unit) -> String {
    let hours = match unit {
        Unit::Weeks => amount * 168.0,
        Unit::Days => amount * 24.0,
        _ => return "write it in whole months, or in days".into(),
    };
    if hours.fract() == 0.0 {
        format!("write `amount: {hours}, unit: hours`")
    } else {
        format!("write `amount: {}, unit: minutes`", (hours * 60.0).round())
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use serde_json::{Value, json};

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn config(amount: impl Into<Value>, unit: &str) -> Value {
        json!({ "amount": amount.into(), "unit": unit })
    }

    #[test]
    fn the_grace_of_an_order_counts_from_the_first_visit() {
        let trial = Trial::at("2026-05-04T10:01").entered("2026-05-04T10:00");
        let outcome = trial.visit::<WaitForDuration>(&config(3, "minutes"));
        trial.assert_waits(&outcome, "2026-05-04T10:03", "until 2026-05-04 10:03 UTC");
        let trial = Trial::at("2026-05-04T10:03").entered("2026-05-04T10:00");
        let outcome = trial.visit::<WaitForDuration>(&config(3, "minutes"));
        assert_eq!(outcome, Ok(Outcome::next("waited 3 minutes")));
    }

    #[test]
    fn a_day_across_the_spring_change_ends_at_the_same_wall_clock() {
        let trial = Trial::at("2026-03-28T09:00").zone(Tz::Europe__Zagreb);
        let outcome = trial.visit::<WaitForDuration>(&config(1, "day"));
        trial.assert_waits(&outcome, "2026-03-29T09:00", "until 2026-03-29 09:00 CEST");
    }

    #[test]
    fn a_month_of_dunning_that_begins_on_the_31st_ends_on_the_28th() {
        let trial = Trial::at("2026-01-31T09:00").zone(Tz::Europe__Zagreb);
        let outcome = trial.visit::<WaitForDuration>(&config(1, "months"));
        trial.assert_waits(&outcome, "2026-02-28T09:00", "until 2026-02-28 09:00 CET");
    }

    #[test]
    fn the_amount_may_come_out_of_a_template() {
        let trial = Trial::at("2026-05-04T10:00").data(json!({ "minutes": 2.5 }));
        let outcome = trial.visit::<WaitForDuration>(&config("{{minutes}}", "minutes"));
        trial.assert_waits(&outcome, "2026-05-04T10:02:30", "until 2026-05-04 10:02:30 UTC");
    }

    #[test]
    fn an_amount_that_cannot_be_fails_the_process() {
        for (minutes, reason) in [
            (json!(-5), "amount: -5 is negative"),
            (
                json!("a few"),
                "config.amount: once its templates are rendered it does not fit: \"a few\" is no number",
            ),
            (json!(null), "\"\" is no number"),
            (json!(1e12), "lies outside the years 1 to 9999"),
        ] {
            let trial = Trial::at("2026-05-04T10:00").data(json!({ "minutes": minutes }));
            let outcome = trial.visit::<WaitForDuration>(&config("{{minutes}}", "minutes"));
            let Err(failure) = outcome else { panic!("{minutes} went on") };
            assert!(failure.0.contains(reason), "{minutes}: {failure}");
        }
    }

    #[test]
    fn amounts_that_cannot_be_are_refused() {
        for (amount, unit) in [
            (json!(-1), "days"),
            (json!("3"), "minutes"),
            (json!(10_000), "years"),
            (json!(1e300), "milliseconds"),
            (json!(0.5), "days"),
            (json!(1.25), "months"),
        ] {
            let found = problems::<WaitForDuration>(&config(amount.clone(), unit));
            assert_eq!(found.len(), 1, "{amount} {unit}: {found:?}");
            assert_eq!(found[0].pointer, "/amount", "{amount} {unit}");
        }
        for (amount, unit) in [
            (json!(0), "days"),
            (json!(0.5), "years"),
            (json!(1.5), "hour"),
            (json!("{{n}}"), "day"),
        ] {
            assert_eq!(problems::<WaitForDuration>(&config(amount, unit)), []);
        }
    }

    #[test]
    fn half_a_day_is_answered_with_what_to_write() {
        let help =
            |amount: f64, unit| problems::<WaitForDuration>(&config(amount, unit))[0].help.clone();
        assert_eq!(help(0.5, "days").as_deref(), Some("write `amount: 12, unit: hours`"));
        assert_eq!(help(1.5, "weeks").as_deref(), Some("write `amount: 252, unit: hours`"));
        assert_eq!(help(0.01, "day").as_deref(), Some("write `amount: 14, unit: minutes`"));
    }

    #[test]
    fn an_unknown_unit_is_refused_and_every_known_one_is_not() {
        let found = problems::<WaitForDuration>(&config(1, "fortnights"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].pointer, "/unit");
        for unit in Unit::ALL {
            for name in [unit.plural(), unit.singular()] {
                assert_eq!(problems::<WaitForDuration>(&config(1, name)), [], "{name}");
            }
        }
    }

    #[test]
    fn a_wait_of_nothing_is_no_rest() {
        let rests =
            |config: Value| crate::Kind::of::<WaitForDuration>().prepare(&config).unwrap().rests();
        assert!(!rests(config(0, "minutes")));
        assert!(rests(config(1, "minutes")));
        assert!(rests(config("{{n}}", "minutes")));
    }
}
