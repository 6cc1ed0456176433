//! `WaitForDateComparison`: wait until the local date has one of some values.

use chrono::TimeDelta;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Explained, Failure, LetsBy, Outcome, Problem, Runner, Stay, Visit,
    calendar::{self, Attribute, CalendarError, NextMatch},
    lenient::{self, OneOrMany},
    template::is_template,
};

/// Goes on while an attribute of the local date has one of some values, and else waits
/// until it has.
///
/// ```yaml
/// - id: office-hours
///   run: WaitForDateComparison
///   config:
///     attribute: hour              # year, month, date, day, hour, minute
///     values: [9, 10, 11, 12]      # or one: `values: 9`
///     timezone: Europe/Zagreb      # else the process's
/// ```
///
/// The numbering is Moment's: `month` from 0 (January) to 11, `day` from 0 (Sunday) to 6,
/// `date` from 1 to 31. A year that is over can never match again and fails the process.
#[derive(JsonSchema)]
pub struct WaitForDateComparison;

/// The config of `WaitForDateComparison`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// What of the date is looked at.
    attribute: Attribute,
    /// The values it may have: one, or a list.
    #[serde(deserialize_with = "lenient::integers")]
    #[schemars(schema_with = "lenient::integers_schema")]
    values: OneOrMany<i64>,
    /// IANA name of the time zone; else the process's.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    timezone: Option<String>,
}

impl Runner for WaitForDateComparison {
    const NAME: &'static str = "WaitForDateComparison";
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn lets_by(_: Option<&Config>) -> Option<LetsBy> {
        Some(LetsBy::ByTheClock("has come to its time"))
    }

    fn stay(config: Option<&Config>, zone: Option<Tz>) -> Stay {
        let Some(config) = config else {
            return Stay::unbounded("waits for what its templates render to");
        };
        let own = config.timezone.as_ref().map(|name| calendar::zone(name).ok());
        let values = config.values.as_slice();
        match calendar::longest_wait(config.attribute, values, own.unwrap_or(zone)) {
            Some(most) => Stay::within(TimeDelta::zero(), most),
            None => Stay::unbounded(format!("waits for a {}", config.attribute.name())),
        }
    }

    fn check(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if config.values.as_slice().is_empty() {
            problems.push(
                Problem::at("/values", "there is no value to wait for")
                    .help(config.attribute.numbering()),
            );
        }
        for (pointer, value) in config.values.places("/values") {
            if !config.attribute.range().contains(value) {
                let message = format!("there is no {} {value}", config.attribute.name());
                problems.push(Problem::at(pointer, message).help(config.attribute.numbering()));
            }
        }
        if let Some(name) = config.timezone.as_ref().filter(|name| !is_template(name))
            && let Err(error) = calendar::zone(name)
        {
            problems.push(no_zone(&error));
        }
        problems
    }

    fn explain(config: &Config, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let zone = config.zone(visit.timezone)?;
        let (attribute, values) = (config.attribute, config.values.as_slice());
        let local = visit.now.with_timezone(&zone).naive_local();
        let now = calendar::spell(visit.now, zone);
        let (name, is) = (attribute.name(), attribute.of(local));
        // More of them are no help.
        let told: Vec<String> = values.iter().take(24).map(i64::to_string).collect();
        let more = if values.len() > told.len() { ", ..." } else { "" };
        let wants = told.join(", ");
        let sentence = format!("{name} is {is} at {now}, and shall be one of {wants}{more}");
        Ok(Explained { arithmetic: vec![sentence], ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let zone = config.zone(visit.timezone)?;
        let (attribute, values) = (config.attribute, config.values.as_slice());
        let name = attribute.name();
        match calendar::next_match(attribute, values, visit.now, zone) {
            NextMatch::Now => {
                let local = visit.now.with_timezone(&zone).naive_local();
                Ok(Outcome::next(format!("{name} is {} in {zone}", attribute.of(local))))
            }
            NextMatch::At(at) => {
                Ok(Outcome::wait_until(at, format!("until {}", calendar::spell(at, zone))))
            }
            NextMatch::Never => Err(Failure::because(format!(
                "{name} {values:?} can never match again: it is {}, and {}",
                calendar::spell(visit.now, zone),
                attribute.numbering()
            ))),
        }
    }
}

impl Config {
    fn zone(&self, otherwise: Tz) -> Result<Tz, Failure> {
        let Some(name) = &self.timezone else { return Ok(otherwise) };
        calendar::zone(name).map_err(|error| Failure::because(format!("timezone: {error}")))
    }
}

fn no_zone(error: &CalendarError) -> Problem {
    let problem = Problem::at("/timezone", error.to_string());
    match error {
        CalendarError::NoZone { suggestion: Some(name), .. } => {
            problem.help(format!("did you mean `{name}`?"))
        }
        _ => problem.help("write the IANA name of a zone, such as Europe/Zagreb"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn visit(trial: &Trial, attribute: &str, values: impl Into<Value>) -> Result<Outcome, Failure> {
        trial.visit::<WaitForDateComparison>(&json!({
            "attribute": attribute, "values": values.into(),
        }))
    }

    #[test]
    fn nobody_is_rung_before_the_office_opens() {
        let trial = Trial::at("2026-05-04T06:59").zone(Tz::Europe__Zagreb);
        let outcome = visit(&trial, "hour", vec![9, 10, 11]);
        trial.assert_waits(&outcome, "2026-05-04T09:00", "until 2026-05-04 09:00 CEST");
        let trial = Trial::at("2026-05-04T09:30").zone(Tz::Europe__Zagreb);
        assert_eq!(
            visit(&trial, "hours", vec![9, 10, 11]),
            Ok(Outcome::next("hour is 9 in Europe/Zagreb"))
        );
    }

    #[test]
    fn the_step_may_have_a_time_zone_of_its_own() {
        let trial = Trial::at("2026-05-04T10:00Z").zone(Tz::Europe__Zagreb);
        let outcome = trial.visit::<WaitForDateComparison>(&json!({
            "attribute": "hour", "values": 9, "timezone": "America/New_York",
        }));
        trial.assert_waits(&outcome, "2026-05-04T13:00Z", "until 2026-05-04 09:00 EDT");
    }

    #[test]
    fn a_weekday_counts_from_sunday() {
        let trial = Trial::at("2026-05-04T10:00").zone(Tz::Europe__Zagreb);
        let outcome = visit(&trial, "day", 0);
        trial.assert_waits(&outcome, "2026-05-10T00:00", "until 2026-05-10 00:00 CEST");
    }

    #[test]
    fn values_may_come_out_of_templates() {
        for (data, values) in [
            (json!({ "days": [2, 3] }), json!("{{days}}")),
            (json!({ "days": "2,3" }), json!("{{days}}")),
            (json!({ "first": 2 }), json!(["{{first}}", 3])),
        ] {
            let trial = Trial::at("2026-05-04T10:00").data(data);
            let outcome = visit(&trial, "day", values);
            trial.assert_waits(&outcome, "2026-05-05T00:00", "until 2026-05-05 00:00 UTC");
        }
    }

    #[test]
    fn a_zone_that_renders_to_nothing_is_the_process_s() {
        let trial = Trial::at("2026-05-04T10:00").zone(Tz::Europe__Zagreb);
        let outcome = trial.visit::<WaitForDateComparison>(&json!({
            "attribute": "hour", "values": 10, "timezone": "{{tz}}",
        }));
        assert_eq!(outcome, Ok(Outcome::next("hour is 10 in Europe/Zagreb")));
    }

    #[test]
    fn what_can_never_match_again_fails_the_process() {
        let trial = Trial::at("2026-05-04T10:00").data(json!({ "months": [12] }));
        for (attribute, values) in [
            ("year", json!([2024, 2025])),
            ("month", json!("{{months}}")),
            ("day", json!("{{no}}")),
        ] {
            let Err(failure) = visit(&trial, attribute, values) else {
                panic!("{attribute} waits")
            };
            assert!(failure.0.contains("can never match again"), "{failure}");
        }
    }

    #[test]
    fn a_zone_that_is_none_fails_the_process() {
        let trial = Trial::at("2026-05-04T10:00").data(json!({ "tz": "Europe/Atlantis" }));
        let outcome = trial.visit::<WaitForDateComparison>(&json!({
            "attribute": "hour", "values": 10, "timezone": "{{tz}}",
        }));
        assert_eq!(
            outcome,
            Err(Failure::because("timezone: there is no time zone \"Europe/Atlantis\""))
        );
    }

    #[test]
    fn impossible_values_are_refused_each_at_its_place() {
        for (attribute, value, help) in [
            ("month", 12, "0 (January) to 11"),
            ("date", 32, "1 to 31"),
            ("date", 0, "1 to 31"),
            ("day", 7, "0 (Sunday) to 6"),
            ("hour", 24, "0 to 23"),
            ("minute", 60, "0 to 59"),
            ("year", 0, "1 to 9999"),
            ("minute", -1, "0 to 59"),
        ] {
            let alone = problems::<WaitForDateComparison>(
                &json!({ "attribute": attribute, "values": value }),
            );
            assert_eq!(alone.len(), 1, "{attribute} {value}");
            assert_eq!(alone[0].pointer, "/values");
            assert!(alone[0].help.as_ref().is_some_and(|text| text.contains(help)), "{alone:?}");
            let listed = problems::<WaitForDateComparison>(
                &json!({ "attribute": attribute, "values": [1, value] }),
            );
            assert_eq!(listed.len(), 1, "{attribute} {value}");
            assert_eq!(listed[0].pointer, "/values/1");
        }
    }

    #[test]
    fn no_values_at_all_are_refused() {
        let found =
            problems::<WaitForDateComparison>(&json!({ "attribute": "hour", "values": [] }));
        assert!(found.iter().any(|problem| problem.pointer == "/values"), "{found:?}");
    }

    #[test]
    fn an_unknown_zone_is_refused_with_the_one_that_was_meant() {
        let found = problems::<WaitForDateComparison>(
            &json!({ "attribute": "hour", "values": 9, "timezone": "Europe/Zagrb" }),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pointer, "/timezone");
        assert_eq!(found[0].help.as_deref(), Some("did you mean `Europe/Zagreb`?"));
    }

    #[test]
    fn what_stands_beside_a_template_is_checked_all_the_same() {
        for (values, zone, pointers) in [
            (json!("{{hours}}"), "Europe/Zagrb", &["/timezone"][..]),
            (json!(["{{opens}}", 24]), "{{zone}}", &["/values/1"]),
            (json!(["{{opens}}", 9]), "Europe/Zagreb", &[]),
        ] {
            let config = json!({ "attribute": "hour", "values": values, "timezone": zone });
            let found = problems::<WaitForDateComparison>(&config);
            let found: Vec<&str> = found.iter().map(|problem| problem.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{config}");
        }
    }
}
