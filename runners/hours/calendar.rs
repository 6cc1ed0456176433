//! A calendar: opening hours by the day of the week, holidays, and times when it is closed.

use std::{collections::HashMap, sync::Mutex};

use chrono::{DateTime, Days as DayCount, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Dates, Hours, Recurrence, Stretch, Window, joined, moment, without};

/// When somebody is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The zone in which it is meant; else that of who names it: of the window or the quiet hours, or the process's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Tz>,
    /// When it is open. None: around the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<Window>>,
    /// Days on which it does not open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Times at which it is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closure>,
    /// What it has told of days.
    #[serde(skip)]
    pub told: Told,
}

/// What a calendar has told of days, by zone. A thousand rules are asked for ten years, day by
/// day, by every step that names it: each day is looked up once. A copy has told nothing, since
/// it may be changed.
#[derive(Debug, Default)]
pub struct Told(Mutex<Days>);

#[derive(Debug, Default)]
struct Days {
    open: HashMap<(NaiveDate, Tz), Vec<Stretch>>,
    /// How much they hold together: days, and stretches.
    parts: usize,
}

/// Days and stretches that are remembered: enough for all the days that a search looks through,
/// with some stretches each.
const MOST_TOLD: usize = 8 * super::MOST_DAYS;

impl Told {
    fn or_look(
        &self,
        day: NaiveDate,
        zone: Tz,
        look: impl FnOnce() -> Vec<Stretch>,
    ) -> Vec<Stretch> {
        let Ok(mut told) = self.0.lock() else { return look() };
        if let Some(open) = told.open.get(&(day, zone)) {
            return open.clone();
        }
        let open = look();
        told.parts += 1 + open.len();
        if told.parts > MOST_TOLD {
            *told = Days::default();
            told.parts = 1 + open.len();
        }
        told.open.insert((day, zone), open.clone());
        open
    }
}

impl Clone for Told {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Told {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Told {}

/// Days on which nobody is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// Which.
    pub when: Occasion,
    /// What is celebrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Days that are named, or given by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Occasion {
    /// These.
    Dates(Dates),
    /// Those on which the rule begins, and as many after each as make `days`.
    Rule {
        /// The rule.
        rule: Recurrence,
        /// At least 1, and few: each of them is asked for.
        days: u32,
    },
}

impl Occasion {
    /// Whether a day is one of them.
    pub fn contains(&self, day: NaiveDate) -> bool {
        match self {
            Self::Dates(dates) => dates.contain(day),
            Self::Rule { rule, days } => (0..*days)
                .filter_map(|before| day.checked_sub_days(DayCount::new(u64::from(before))))
                .any(|first| rule.hits(first)),
        }
    }
}

/// A time at which nobody is there: a meeting, an afternoon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// On which days it begins.
    pub on: Occasion,
    /// At what time.
    pub from: NaiveTime,
    /// How long it lasts, on a clock that nobody changes.
    pub seconds: u32,
    /// In which zone; else the calendar's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Tz>,
}

impl Closure {
    /// What of it may touch the days from `first` to `last`.
    fn within(&self, first: NaiveDate, last: NaiveDate, zone: Tz) -> Vec<Stretch> {
        let zone = self.timezone.unwrap_or(zone);
        let stretch = |day: NaiveDate| {
            // By the clock: of a night in which it changes, the end is where it stands.
            let from = day.and_time(self.from);
            let to = from.checked_add_signed(TimeDelta::seconds(i64::from(self.seconds)))?;
            Stretch::new(moment(from, zone)?, moment(to, zone)?)
        };
        if let Occasion::Dates(Dates::Once(day, _)) = &self.on {
            return stretch(*day).into_iter().collect();
        }
        let before = DayCount::new(u64::from(self.seconds / 86_400) + 2);
        let first = first.checked_sub_days(before).unwrap_or(first);
        first
            .iter_days()
            .take_while(|day| *day <= last)
            .filter(|day| self.on.contains(*day))
            .filter_map(stretch)
            .collect()
    }
}

impl Calendar {
    /// The name of the holiday that a day is.
    pub fn holiday(&self, day: NaiveDate) -> Option<&str> {
        let mut today = self.holidays.iter().filter(|holiday| holiday.when.contains(day));
        today.find_map(|holiday| holiday.name.as_deref())
    }

    /// From when on every year is like another: once its dated holidays are over, and its rules
    /// have begun. Who asks whether it ever opens has no other moment to ask from.
    pub fn settled_at(&self) -> DateTime<Utc> {
        let rules = self.closed.iter().map(|closure| &closure.on);
        let days = self.holidays.iter().map(|holiday| &holiday.when).chain(rules);
        let days = days.filter_map(|when| match when {
            Occasion::Dates(dates) => dates.last().and_then(|last| last.succ_opt()),
            Occasion::Rule { rule, .. } => Some(rule.start),
        });
        days.max().map_or(DateTime::UNIX_EPOCH, |day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// The calendar in a zone, for it to be searched.
    pub fn in_zone(&self, process: Tz) -> CalendarIn<'_> {
        CalendarIn { calendar: self, zone: self.timezone.unwrap_or(process) }
    }

    /// What of it counts from `from` to `to`: the same, without what is long over or far ahead.
    #[must_use]
    pub fn between(&self, from: NaiveDate, to: NaiveDate) -> Self {
        let counts = |when: &Occasion| match when {
            Occasion::Dates(Dates::Once(first, last)) => *first <= to && *last >= from,
            Occasion::Dates(Dates::Yearly(..)) => true,
            Occasion::Rule { rule, .. } => {
                rule.start <= to
                    && rule.until.is_none_or(|until| until >= from - TimeDelta::days(400))
            }
        };
        let closes = |closure: &&Closure| match &closure.on {
            // One that began before may last until then.
            Occasion::Dates(Dates::Once(first, _)) => {
                let days = TimeDelta::days(i64::from(closure.seconds / 86_400) + 2);
                *first <= to && first.checked_add_signed(days).is_none_or(|last| last >= from)
            }
            on => counts(on),
        };
        Self {
            timezone: self.timezone,
            hours: self.hours.clone(),
            holidays: self.holidays.iter().filter(|one| counts(&one.when)).cloned().collect(),
            closed: self.closed.iter().filter(closes).cloned().collect(),
            told: Told::default(),
        }
    }
}

/// A calendar where its zone is known.
pub struct CalendarIn<'a> {
    calendar: &'a Calendar,
    zone: Tz,
}

impl CalendarIn<'_> {
    /// What of a stretch lies in its hours.
    pub(super) fn open_within(&self, stretch: Stretch) -> Vec<Stretch> {
        let first = super::local_day(stretch.from, self.zone);
        // What began the day before may last until then.
        let first = first.pred_opt().unwrap_or(first);
        let last = super::local_day(stretch.to, self.zone);
        let days = first.iter_days().take_while(|day| *day <= last);
        let open = days.flat_map(|day| self.of_day(day));
        open.filter_map(|open| open.common(stretch)).collect()
    }

    /// What of a stretch lies outside its hours.
    pub(super) fn closed_within(&self, stretch: Stretch) -> Vec<Stretch> {
        without(stretch, &joined(self.open_within(stretch)))
    }
}

impl Hours for CalendarIn<'_> {
    fn zone(&self) -> Tz {
        self.zone
    }

    fn of_day(&self, day: NaiveDate) -> Vec<Stretch> {
        self.calendar.told.or_look(day, self.zone, || self.look_at(day))
    }
}

impl CalendarIn<'_> {
    fn look_at(&self, day: NaiveDate) -> Vec<Stretch> {
        let Self { calendar, zone } = self;
        let open: Vec<Stretch> = match &calendar.hours {
            Some(hours) => hours.iter().filter_map(|hours| hours.of_day(day, *zone)).collect(),
            None => Window::ALWAYS.of_day(day, *zone).into_iter().collect(),
        };
        if open.is_empty() || calendar.holidays.iter().any(|holiday| holiday.when.contains(day)) {
            return Vec::new();
        }
        let last = day.succ_opt().unwrap_or(day);
        let closed = calendar.closed.iter().flat_map(|one| one.within(day, last, *zone));
        let closed = joined(closed.collect());
        joined(open).into_iter().flat_map(|open| without(open, &closed)).collect()
    }
}
