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
    if !keeps_to(calendar, zone) {
        return None;
    }
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
        (Some(_), Some(calendar)) if !keeps_to(calendar, zone) => return None,
        (Some(_), Some(calendar)) => (Days::of(calendar, &[])?, zone),
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

/// Whether a calendar keeps to a zone.
fn keeps_to(calendar: &Calendar, zone: Option<Tz>) -> bool {
    calendar.timezone.is_none() || calendar.timezone == zone
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
        // What one window leaves out counts as left out by all: longer than it is, never shorter.
        let hours = calendar.hours.iter().flatten().flat_map(|window| &window.except);
        let left_out = hours.chain(except).map(Some);
        Self::without(&holidays.chain(left_out).collect::<Option<Vec<_>>>()?)
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
        if a.1 <= b.1 {
            one.next()
        } else {
            other.next()
        };
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
    // Before the first and after the last of them nobody has looked: what is open at the edges
    // alone may be so because of that.
    if longest.max(first).max(days.end() - over) > LONGEST.min(days.end() / 2) {
        return None;
    }
    let swing = if longest == 0 { TimeDelta::zero() } else { swing };
    Some(TimeDelta::minutes(longest) + swing)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use super::*;
    use crate::hours::{Hours, Quiet, WindowIn};

    fn window(days: &str, from: &str, to: &str, except: &[&str]) -> Window {
        Window {
            days: days.parse().unwrap(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            except: except.iter().map(|dates| dates.parse().unwrap()).collect(),
        }
    }

    fn calendar(hours: &[Window], holidays: &[&str], timezone: Option<Tz>) -> Calendar {
        let holidays = holidays.iter().map(|dates| super::super::Holiday {
            when: Occasion::Dates(dates.parse().unwrap()),
            name: None,
        });
        Calendar {
            timezone,
            hours: Some(hours.to_vec()),
            holidays: holidays.collect(),
            ..Calendar::default()
        }
    }

    fn hours(found: Option<TimeDelta>) -> Option<i64> {
        found.map(|found| found.num_hours())
    }

    #[test]
    fn a_window_is_waited_for_over_a_weekend_and_over_its_exceptions() {
        let utc = Some(Tz::UTC);
        let wait = |days, from, to, except: &[&str]| {
            hours(longest_wait(&window(days, from, to, except), None, utc))
        };
        assert_eq!(wait("mon-fri", "09:00", "17:00", &[]), Some(64));
        assert_eq!(wait("sun-sat", "22:00", "06:00", &[]), Some(16));
        assert_eq!(wait("mon-fri", "00:00", "24:00", &[]), Some(48));
        // May Day on a Friday or a Monday makes a weekend of three days.
        assert_eq!(wait("mon-fri", "09:00", "17:00", &["05-01"]), Some(64 + 24));
        // From Wednesday, the 23rd, to Monday, the 4th.
        assert_eq!(
            wait("mon-fri", "09:00", "17:00", &["2026-12-24..2027-01-02"]),
            Some(11 * 24 + 16)
        );
        // Only on leap days, or never: for years.
        assert_eq!(wait("sun-sat", "09:00", "17:00", &["03-01..02-28"]), None);
        assert_eq!(wait("mon-fri", "09:00", "17:00", &["2026-01-01..2099-01-01"]), None);
    }

    #[test]
    fn it_is_quiet_by_night_and_while_a_calendar_is_closed() {
        let (utc, zagreb) = (Some(Tz::UTC), Some(Tz::Europe__Zagreb));
        let night = window("sun-sat", "22:00", "07:00", &[]);
        let quiet = |window, calendar, zone| hours(longest_quiet(window, calendar, zone));
        assert_eq!(quiet(Some(&night), None, utc), Some(9));
        assert_eq!(quiet(Some(&night), None, zagreb), Some(10));
        assert_eq!(quiet(Some(&night), None, None), Some(11));
        let office = calendar(&[window("mon-fri", "06:00", "23:00", &[])], &["12-25"], None);
        assert_eq!(quiet(None, Some(&office), utc), Some(24 + 48 + 7));
        // From Friday at ten to Monday at seven.
        let office = calendar(&[window("mon-fri", "06:00", "23:00", &[])], &[], None);
        assert_eq!(quiet(Some(&night), Some(&office), utc), Some(48 + 9));
        // An hour that the clocks may skip is none that counts.
        let busy = window("sun-sat", "03:00", "02:00", &[]);
        assert_eq!(quiet(Some(&busy), None, zagreb), None);
        assert_eq!(quiet(Some(&busy), None, utc), Some(23));
        let abroad = Calendar { timezone: zagreb, ..office.clone() };
        assert_eq!(quiet(Some(&night), Some(&abroad), utc), None);
        assert_eq!(quiet(None, Some(&abroad), utc), Some(48 + 7 + 1));
    }

    fn any_window() -> impl Strategy<Value = Window> {
        let days = prop::sample::select(vec!["sun-sat", "mon-fri", "sat", "fri-mon", "wed"]);
        (days, 0..1_440_u16, 0..=1_440_u16, any_dates()).prop_map(|(days, from, to, except)| {
            let to = if from == to { (to + 60) % 1_440 } else { to };
            let time = |at: u16| format!("{:02}:{:02}", at / 60, at % 60);
            Window { except, ..window(days, &time(from), &time(to), &[]) }
        })
    }

    fn any_dates() -> impl Strategy<Value = Vec<Dates>> {
        let one = (0..4_000_i64, 0..20_i64, any::<bool>()).prop_map(|(from, count, yearly)| {
            let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + TimeDelta::days(from);
            let last = first + TimeDelta::days(count);
            let md = |day: NaiveDate| (day.month(), day.day());
            if yearly { Dates::Yearly(md(first), md(last)) } else { Dates::Once(first, last) }
        });
        prop::collection::vec(one, 0..4)
    }

    fn any_calendar() -> impl Strategy<Value = Option<Calendar>> {
        let hours = prop::option::of(prop::collection::vec(any_window(), 1..3));
        let found = (hours, any_dates()).prop_map(|(hours, holidays)| Calendar {
            timezone: None,
            hours,
            holidays: holidays
                .into_iter()
                .map(|dates| super::super::Holiday { when: Occasion::Dates(dates), name: None })
                .collect(),
            ..Calendar::default()
        });
        prop::option::of(found)
    }

    fn any_zone() -> impl Strategy<Value = Tz> {
        prop::sample::select(vec![
            Tz::UTC,
            Tz::Europe__Zagreb,
            Tz::Australia__Lord_Howe,
            Tz::Antarctica__Troll,
            Tz::Africa__Casablanca,
        ])
    }

    fn any_moment() -> impl Strategy<Value = DateTime<Utc>> {
        // Half of them near a change of clocks in Europe, or in Morocco.
        let near = prop::sample::select(vec![1_774_746_000, 1_793_494_800, 1_771_120_800_i64]);
        prop_oneof![
            1_577_836_800..1_900_000_000_i64,
            (near, -200_000..200_000_i64).prop_map(|(at, off)| at + off),
        ]
        .prop_map(|at| DateTime::from_timestamp(at, 0).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn nothing_is_closed_or_quiet_for_longer(
            window in any_window(),
            calendar in any_calendar(),
            zone in any_zone(),
            is_known in any::<bool>(),
            now in any_moment(),
        ) {
            let known = is_known.then_some(zone);
            if let Some(most) = longest_wait(&window, calendar.as_ref(), known) {
                let calendar = calendar.as_ref().map(|calendar| calendar.in_zone(zone));
                let next = WindowIn { window: &window, zone, calendar }.now_or_next(now).unwrap();
                prop_assert!(next.from - now <= most, "{} <= {most}", next.from - now);
            }
            if let Some(most) = longest_quiet(Some(&window), calendar.as_ref(), known) {
                let quiet = Quiet { timezone: zone, window: Some(window), calendar };
                let leaves_at = quiet.around(now).leaves_at(now).unwrap();
                prop_assert!(leaves_at - now <= most, "{} <= {most}", leaves_at - now);
            }
        }
    }
}
