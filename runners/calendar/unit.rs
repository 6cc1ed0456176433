//! The units of a duration.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::quote::figure;

/// What an amount counts. Written in the plural or the singular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    #[serde(alias = "year")]
    Years,
    #[serde(alias = "quarter")]
    Quarters,
    #[serde(alias = "month")]
    Months,
    #[serde(alias = "week")]
    Weeks,
    #[serde(alias = "day")]
    Days,
    #[serde(alias = "hour")]
    Hours,
    #[serde(alias = "minute")]
    Minutes,
    #[serde(alias = "second")]
    Seconds,
    #[serde(alias = "millisecond")]
    Milliseconds,
}

/// A unit, in the one of three measures that it is a multiple of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// Months in the calendar.
    Months(f64),
    /// Days in the calendar.
    Days(f64),
    /// Milliseconds that pass.
    Milliseconds(f64),
}

impl Unit {
    /// Every unit, the longest first.
    pub const ALL: [Self; 9] = [
        Self::Years,
        Self::Quarters,
        Self::Months,
        Self::Weeks,
        Self::Days,
        Self::Hours,
        Self::Minutes,
        Self::Seconds,
        Self::Milliseconds,
    ];

    /// Its name, in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Years => "years",
            Self::Quarters => "quarters",
            Self::Months => "months",
            Self::Weeks => "weeks",
            Self::Days => "days",
            Self::Hours => "hours",
            Self::Minutes => "minutes",
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
        }
    }

    /// Its name, in the singular.
    pub fn singular(self) -> &'static str {
        let plural = self.plural();
        plural.strip_suffix('s').unwrap_or(plural)
    }

    /// An amount of it, as people say it: `1 day`, `2.5 hours`.
    pub fn spell(self, amount: f64) -> String {
        let one = (amount - 1.0).abs() < f64::EPSILON;
        format!("{} {}", figure(amount), if one { self.singular() } else { self.plural() })
    }

    pub(super) fn measure(self, amount: f64) -> Measure {
        match self {
            Self::Years => Measure::Months(amount * 12.0),
            Self::Quarters => Measure::Months(amount * 3.0),
            Self::Months => Measure::Months(amount),
            Self::Weeks => Measure::Days(amount * 7.0),
            Self::Days => Measure::Days(amount),
            Self::Hours => Measure::Milliseconds(amount * 3_600_000.0),
            Self::Minutes => Measure::Milliseconds(amount * 60_000.0),
            Self::Seconds => Measure::Milliseconds(amount * 1000.0),
            Self::Milliseconds => Measure::Milliseconds(amount),
        }
    }

    /// Whether so much of it is a fraction of a day or month, which the calendar does
    /// not know: [`add`](super::add()) would round it.
    pub fn would_round(self, amount: f64) -> bool {
        match self.measure(amount) {
            Measure::Months(count) | Measure::Days(count) => count.fract() != 0.0,
            Measure::Milliseconds(_) => false,
        }
    }
}

// Written by hand, because a derived schema leaves out the aliases.
impl JsonSchema for Unit {
    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::ALL
            .iter()
            .map(|unit| unit.plural())
            .chain(Self::ALL.iter().map(|unit| unit.singular()))
            .collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_schema_is_read_and_means_its_unit() {
        for unit in Unit::ALL {
            for name in [unit.plural(), unit.singular()] {
                assert_eq!(serde_json::from_value::<Unit>(name.into()).unwrap(), unit, "{name}");
            }
        }
        let schema = schemars::schema_for!(Unit).to_value();
        assert_eq!(schema["enum"].as_array().map(Vec::len), Some(18), "{schema}");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(Unit::Days.spell(1.0), "1 day");
        assert_eq!(Unit::Hours.spell(2.5), "2.5 hours");
    }
}
