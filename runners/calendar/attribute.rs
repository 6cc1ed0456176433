//! The attributes of a date, numbered as Moment numbers them.

use std::{borrow::Cow, ops::RangeInclusive};

use chrono::{Datelike, NaiveDateTime, Timelike};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// What a date is looked at for. Written in the singular or the plural.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attribute {
    /// The year.
    #[serde(alias = "years")]
    Year,
    /// The month: January is 0.
    #[serde(alias = "months")]
    Month,
    /// The day of the month, from 1.
    #[serde(alias = "dates")]
    Date,
    /// The day of the week: Sunday is 0.
    #[serde(alias = "days")]
    Day,
    /// The hour, 0 to 23.
    #[serde(alias = "hours")]
    Hour,
    /// The minute, 0 to 59.
    #[serde(alias = "minutes")]
    Minute,
}

impl Attribute {
    /// Every attribute, the longest first.
    pub const ALL: [Self; 6] =
        [Self::Year, Self::Month, Self::Date, Self::Day, Self::Hour, Self::Minute];

    /// Its name, in the singular.
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Date => "date",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
        }
    }

    /// The values it can have.
    pub fn range(self) -> RangeInclusive<i64> {
        match self {
            Self::Year => 1..=9999,
            Self::Month => 0..=11,
            Self::Date => 1..=31,
            Self::Day => 0..=6,
            Self::Hour => 0..=23,
            Self::Minute => 0..=59,
        }
    }

    /// How its values are numbered, in one clause.
    pub fn numbering(self) -> &'static str {
        match self {
            Self::Year => "years go from 1 to 9999",
            Self::Month => "months go from 0 (January) to 11 (December)",
            Self::Date => "days of the month go from 1 to 31",
            Self::Day => "days of the week go from 0 (Sunday) to 6 (Saturday)",
            Self::Hour => "hours go from 0 to 23",
            Self::Minute => "minutes go from 0 to 59",
        }
    }

    /// Its value at a local time.
    pub fn of(self, local: NaiveDateTime) -> i64 {
        match self {
            Self::Year => local.year().into(),
            Self::Month => local.month0().into(),
            Self::Date => local.day().into(),
            Self::Day => local.weekday().num_days_from_sunday().into(),
            Self::Hour => local.hour().into(),
            Self::Minute => local.minute().into(),
        }
    }
}

// Written by hand, because a derived schema leaves out the aliases.
impl JsonSchema for Attribute {
    fn schema_name() -> Cow<'static, str> {
        "Attribute".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let singular = Self::ALL.iter().map(|attribute| attribute.name().to_owned());
        let plural = Self::ALL.iter().map(|attribute| format!("{}s", attribute.name()));
        let names: Vec<String> = singular.chain(plural).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_schema_is_read_and_means_its_attribute() {
        for attribute in Attribute::ALL {
            for name in [attribute.name().to_owned(), format!("{}s", attribute.name())] {
                let read = serde_json::from_value::<Attribute>(name.as_str().into()).unwrap();
                assert_eq!(read, attribute, "{name}");
            }
        }
    }

    #[test]
    fn numbering_is_moments() {
        let sunday: NaiveDateTime = "2026-03-29T15:07:00".parse().unwrap();
        let values = Attribute::ALL.map(|attribute| attribute.of(sunday));
        assert_eq!(values, [2026, 2, 29, 0, 15, 7]);
    }
}
