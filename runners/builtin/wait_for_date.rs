//! `WaitForDate`: wait until a moment.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::{
    Explained, Failure, LetsBy, Outcome, Problem, Runner, Stay, Visit,
    calendar::{self, CalendarError, Written},
    quote::{figure, quoted},
    template::is_template,
};

/// Waits until a moment, and goes on at once if it is past.
///
/// ```yaml
/// - id: before-the-visit
///   run: WaitForDate
///   config:
///     date: "{{appointment.reminderAt}}"
///     # date: 2026-03-29T09:00             # in the process's time zone
///     # date: 2026-03-29T09:00:00+02:00
///     # date: 2026-03-29                   # its local midnight
///     # date: 1774767600                   # Unix seconds
/// ```
///
/// A local time that the clocks skip is read with the offset from before the gap, and of
/// one that comes twice the earlier is meant.
#[derive(JsonSchema)]
pub struct WaitForDate;

/// The config of `WaitForDate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// ISO 8601, with or without an offset, or Unix seconds.
    date: Date,
}

/// A date as it stands in a config.
#[derive(Debug, Deserialize)]
#[serde(from = "Raw")]
enum Date {
    Seconds(f64),
    /// Read once, when the config is.
    Text(String, Result<Written, CalendarError>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Seconds(f64),
    Text(String),
}

impl From<Raw> for Date {
    fn from(raw: Raw) -> Self {
        match raw {
            Raw::Seconds(seconds) => Self::Seconds(seconds),
            Raw::Text(text) => {
                let written = Written::read(&text);
                Self::Text(text, written)
            }
        }
    }
}

impl Date {
    fn moment(&self, zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
        match self {
            Self::Seconds(seconds) => calendar::from_seconds(*seconds),
            Self::Text(_, written) => written.as_ref().map_err(Clone::clone)?.moment(zone),
        }
    }

    fn is_template(&self) -> bool {
        matches!(self, Self::Text(text, _) if is_template(text))
    }
}

// By hand, because a derived one says `anyOf`, of which no message can be clear.
impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}

impl Runner for WaitForDate {
    const NAME: &'static str = "WaitForDate";
    type Config = Config;

    /// A literal date passes once: a loop around it would turn without rest ever after.
    fn rests(config: Option<&Config>) -> bool {
        config.is_none_or(|config| config.date.is_template())
    }

    fn lets_by(_: Option<&Config>) -> Option<LetsBy> {
        Some(LetsBy::ForGood("has come to its date"))
    }

    fn stay(_: Option<&Config>, _: Option<Tz>) -> Stay {
        Stay::unbounded("waits until a date")
    }

    fn check(config: &Config) -> Vec<Problem> {
        if config.date.is_template() {
            return Vec::new();
        }
        let problem = |error: CalendarError| {
            Problem::at("/date", error.to_string())
                .help("write it as 2026-03-29T09:00, or with an offset: 2026-03-29T09:00+02:00")
        };
        config.date.moment(Tz::UTC).err().map(problem).into_iter().collect()
    }

    fn explain(config: &Config, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let date = config.date.moment(visit.timezone);
        let date = date.map_err(|error| Failure::because(format!("date: {error}")))?;
        let written = match &config.date {
            Date::Seconds(seconds) => figure(*seconds),
            Date::Text(text, _) => quoted(text),
        };
        let spelled = calendar::spell(date, visit.timezone);
        let sentence = format!("the date {written} is {spelled} in {}", visit.timezone);
        Ok(Explained { arithmetic: vec![sentence], ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let date = config
            .date
            .moment(visit.timezone)
            .map_err(|error| Failure::because(format!("date: {error}")))?;
        let spelled = calendar::spell(date, visit.timezone);
        Ok(if date <= visit.now {
            Outcome::next(format!("{spelled} has come"))
        } else {
            Outcome::wait_until(date, format!("until {spelled}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    #[test]
    fn a_process_waits_until_exactly_the_date() {
        let trial = Trial::at("2026-03-28T12:00").zone(Tz::Europe__Zagreb);
        let outcome = trial.visit::<WaitForDate>(&json!({ "date": "2026-03-29T09:00" }));
        trial.assert_waits(&outcome, "2026-03-29T09:00", "until 2026-03-29 09:00 CEST");
    }

    #[test]
    fn a_date_that_is_now_or_past_is_no_wait() {
        for now in ["2026-03-29T09:00", "2031-01-01"] {
            let outcome =
                Trial::at(now).visit::<WaitForDate>(&json!({ "date": "2026-03-29T09:00" }));
            assert_eq!(outcome, Ok(Outcome::next("2026-03-29 09:00 UTC has come")), "{now}");
        }
    }

    #[test]
    fn half_past_two_of_the_spring_change_is_half_past_three() {
        let trial = Trial::at("2026-03-28T12:00").zone(Tz::Europe__Zagreb);
        let outcome = trial.visit::<WaitForDate>(&json!({ "date": "2026-03-29 02:30" }));
        trial.assert_waits(&outcome, "2026-03-29T03:30", "until 2026-03-29 03:30 CEST");
    }

    #[test]
    fn a_template_gives_iso_8601_or_unix_seconds() {
        for at in [json!("2026-03-29T09:00Z"), json!(1_774_774_800), json!("1774774800")] {
            let trial = Trial::at("2026-03-28").data(json!({ "at": at }));
            let outcome = trial.visit::<WaitForDate>(&json!({ "date": "{{at}}" }));
            trial.assert_waits(&outcome, "2026-03-29T09:00", "until 2026-03-29 09:00 UTC");
        }
    }

    #[test]
    fn a_template_that_gives_no_date_fails_the_process() {
        let trial = Trial::at("2026-03-28").data(json!({ "at": "soon" }));
        let Err(failure) = trial.visit::<WaitForDate>(&json!({ "date": "{{at}}" })) else {
            panic!("it went on")
        };
        assert!(failure.0.starts_with("date: \"soon\" is no date"), "{failure}");
    }

    #[test]
    fn a_literal_that_is_no_date_is_refused() {
        for date in [json!("soon"), json!("2026-02-30"), json!(""), json!(1e300), json!(true)] {
            let found = problems::<WaitForDate>(&json!({ "date": date }));
            assert_eq!(found.len(), 1, "{date}");
            assert_eq!(found[0].pointer, "/date", "{date}");
        }
        for date in [json!("2026-02-28"), json!(0), json!("{{at}}"), json!(1.5)] {
            assert_eq!(problems::<WaitForDate>(&json!({ "date": date })), [], "{date}");
        }
    }
}
