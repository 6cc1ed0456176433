//! The longest time for which hours are closed, whatever the moment.
//!
//! Promises: never too short for moments from 2020 on. In days and minutes of the clock, over
//! as many years as make a round of weekdays and leap days; what the clocks of the zone change
//! is added, and what they may skip does not count as open. `None` where that is not easy to
//! know: rules, closures with times, two zones, or hardly any time that is open.
//! Called by: the bounds of `WaitForWindow` and of quiet hours.

use chrono::{Datelike, NaiveDate, TimeDelta};
use chrono_tz::Tz;

use super::{Calendar, Dates, Occasion, Window};
use crate::calendar::swing;

/// Minutes of a day.
const DAY: i64 = 1_440;
/// Four weeks show all there is to see, if no date is left out.
const WEEKS: usize = 28;
/// From 2019 on, 28 years show every year with its neighbours, and a year before and after.
const FIRST_YEAR: i32 = 2019;
const YEARS: usize = 31 * 365 + 8;
/// What is closed for longer is closed for years.
const LONGEST: i64 = 366 * DAY;

/// From one minute to another, counted from the first day.
type Piece = (i64, i64);

/// How long it can be until `window` opens, while `calendar` is open as well.
pub(crate) fn longest_wait(
    window: &Window,
    calendar: Option<&Calendar>,
    zone: Option<Tz>,
) -> Option<TimeDelta> {
    let Some(calendar) = calendar else {
        let days = Days::without(&window.except.iter().collect::<Vec<_>>())?;
        return longest_gap(&days.pieces(&[window]), &days, zone);
    };
    if *window == Window::ALWAYS {
        let days = Days::of(calendar, &[])?;
        return longest_gap(&days.of_calendar(calendar), &days, calendar.timezone.or(zone));
    }
    let zone = common_zone(calendar, zone)?;
    // What one of them leaves out, both do: that is longer than it is, and never shorter.
    let days = Days::of(calendar, &window.except)?;
    let open = common(&days.pieces(&[window]), &days.of_calendar(calendar));
    longest_gap(&open, &days, zone)
}

/// How long it can be quiet: in `window`, and while `calendar` is not open. What the window
/// leaves out is not looked at.
pub fn longest_quiet(
    window: Option<&Window>,
    calendar: Option<&Calendar>,
    zone: Option<Tz>,
) -> Option<TimeDelta> {
    let (days, zone) = match (window, calendar) {
        (None, Some(calendar)) => (Days::of(calendar, &[])?, calendar.timezone.or(zone)),
        (Some(_), Some(calendar)) => (Days::of(calendar, &[])?, common_zone(calendar, zone)?),
        (_, None) => (Days::without(&[])?, zone),
    };
    let mut open = vec![(0, days.end())];
    if let Some(window) = window {
        // Its own days, whatever the calendar leaves out.
        let every = Days { out: vec![false; days.out.len()] };
        open = outside(&every.pieces(&[window]), days.end());
    }
    if let Some(calendar) = calendar {
        open = common(&open, &days.of_calendar(calendar));
    }
    longest_gap(&open, &days, zone)
}

/// The zone of both, if it is one.
fn common_zone(calendar: &Calendar, zone: Option<Tz>) -> Option<Option<Tz>> {
    let is_one = calendar.timezone.is_none() || calendar.timezone == zone;
    is_one.then_some(zone)
}

/// Days in a row, and which of them are left out.
struct Days {
    out: Vec<bool>,
}

impl Days {
    /// The days of a calendar. `None` if it goes by rules, or by times.
    fn of(calendar: &Calendar, except: &[Dates]) -> Option<Self> {
        if !calendar.closed.is_empty() {
            return None;
        }
        let holidays = calendar.holidays.iter().map(|holiday| match &holiday.when {
            Occasion::Dates(dates) => Some(dates),
            Occasion::Rule { .. } => None,
        });
        Self::without(&holidays.chain(except.iter().map(Some)).collect::<Option<Vec<_>>>()?)
    }

    /// `None` if dates lie beyond what is looked through.
    fn without(dates: &[&Dates]) -> Option<Self> {
        if dates.is_empty() {
            return Some(Self { out: vec![false; WEEKS] });
        }
        let first = first_day()?;
        let place = |day: NaiveDate| usize::try_from((day - first).num_days()).unwrap_or(0);
        // How many begin on a day, less how many have ended the day before.
        let mut once = vec![0_i64; YEARS + 1];
        let mut yearly = [false; 12 * 32];
        for dates in dates {
            match dates {
                Dates::Once(_, last) if *last < first => {}
                Dates::Once(from, last) => {
                    *once.get_mut(place(*from))? += 1;
                    *once.get_mut(place(*last) + 1)? -= 1;
                }
                Dates::Yearly(..) => {
                    // A leap year has all days there are.
                    let days = NaiveDate::from_ymd_opt(2000, 1, 1)?.iter_days().take(366);
                    for day in days.filter(|day| dates.contain(*day)) {
                        *yearly.get_mut(slot(day))? = true;
                    }
                }
            }
        }
        let mut depth = 0;
        let days = first.iter_days().zip(once).take(YEARS);
        let out = days.map(|(day, change)| {
            depth += change;
            depth > 0 || yearly.get(slot(day)) == Some(&true)
        });
        Some(Self { out: out.collect() })
    }

    fn end(&self) -> i64 {
        i64::try_from(self.out.len()).unwrap_or(0) * DAY
    }

    fn of_calendar(&self, calendar: &Calendar) -> Vec<Piece> {
        match &calendar.hours {
            Some(hours) => self.pieces(&hours.iter().collect::<Vec<_>>()),
            None => self.pieces(&[&Window::ALWAYS]),
        }
    }

    /// What windows have of these days: in order, and none touches another.
    fn pieces(&self, windows: &[&Window]) -> Vec<Piece> {
        let days = first_day().into_iter().flat_map(|first| first.iter_days()).zip(&self.out);
        let mut pieces = Vec::new();
        for ((day, out), number) in days.zip(0..) {
            for window in windows.iter().filter(|window| !out && window.days.contains(day)) {
                let (from, to) = (window.from.minutes(), window.to.minutes());
                let last = if to > from { number } else { number + 1 };
                pieces.push((number * DAY + from, last * DAY + to));
            }
        }
        pieces.sort_unstable();
        let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
        for (from, to) in pieces {
            match joined.last_mut().filter(|last| last.1 >= from) {
                Some(last) => last.1 = last.1.max(to),
                None => joined.push((from, to)),
            }
        }
        joined
    }
}

fn first_day() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1)
}

fn slot(day: NaiveDate) -> usize {
    (day.month0() * 32 + day.day()) as usize
}

fn outside(taken: &[Piece], end: i64) -> Vec<Piece> {
    let ends = std::iter::once(0).chain(taken.iter().map(|piece| piece.1));
    let begins = taken.iter().map(|piece| piece.0).chain([end]);
    ends.zip(begins).filter(|(from, to)| from < to).collect()
}

fn common(one: &[Piece], other: &[Piece]) -> Vec<Piece> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let piece = (a.0.max(b.0), a.1.min(b.1));
        if piece.0 < piece.1 {
            both.push(piece);
        }
        if a.1 <= b.1 { one.next() } else { other.next() };
    }
    both
}

/// The longest time between pieces.
fn longest_gap(open: &[Piece], days: &Days, zone: Option<Tz>) -> Option<TimeDelta> {
    let swing = swing(zone);
    let is_sure = |piece: &&Piece| TimeDelta::minutes(piece.1 - piece.0) > swing;
    let mut open = open.iter().filter(is_sure);
    let &(first, mut over) = open.next()?;
    let mut longest = 0;
    for (from, to) in open {
        longest = longest.max(from - over);
        over = *to;
    }
    // Before the first and after the last of them nobody has looked.
    if longest.max(first).max(days.end() - over) > LONGEST {
        return None;
    }
    let swing = if longest == 0 { TimeDelta::zero() } else { swing };
    Some(TimeDelta::minutes(longest) + swing)
}
