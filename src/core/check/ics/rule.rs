//! `RRULE`.

use chrono::{NaiveDate, Weekday};
use rungs_runners::hours::{Frequency, Recurrence};

use crate::check::node::quoted;

/// How many days are looked through for the last of a `COUNT`: a hundred years.
const MOST_DAYS: usize = 36_600;
/// Parts of a list at most.
const MOST_PARTS: usize = 64;

/// Reads a rule whose event begins on `start`. `last_day` says which is the last day of an event
/// that ends with a moment.
///
/// # Errors
/// What of it is not understood.
pub(super) fn read(
    text: &str,
    start: NaiveDate,
    last_day: impl Fn(&str) -> Option<NaiveDate>,
) -> Result<Recurrence, String> {
    let mut rule = Recurrence {
        start,
        until: None,
        frequency: Frequency::Yearly,
        interval: 1,
        months: Vec::new(),
        month_days: Vec::new(),
        weekdays: Vec::new(),
        except: Vec::new(),
    };
    let (mut frequency, mut count) = (None, None);
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(|| not_understood(part))?;
        match key.to_ascii_uppercase().as_str() {
            "FREQ" => frequency = Some(frequency_of(value).ok_or_else(|| not_understood(part))?),
            "INTERVAL" => {
                let interval = value.parse().ok().filter(|interval| (1..=1_000).contains(interval));
                rule.interval = interval.ok_or_else(|| not_understood(part))?;
            }
            "COUNT" => {
                let times = value.parse::<u32>().ok().filter(|times| *times > 0);
                count = Some(times.ok_or_else(|| not_understood(part))?);
            }
            "UNTIL" => {
                rule.until = Some(last_day(value).ok_or_else(|| not_understood(part))?);
            }
            "BYMONTH" => rule.months = list(part, value, |month: &u32| (1..=12).contains(month))?,
            "BYMONTHDAY" => {
                let is_day = |day: &i32| (1..=31).contains(&day.abs());
                rule.month_days = list(part, value, is_day)?;
            }
            "BYDAY" => {
                let each = value.split(',').take(MOST_PARTS + 1).map(weekday);
                rule.weekdays =
                    each.collect::<Option<Vec<_>>>().ok_or_else(|| not_understood(part))?;
                if rule.weekdays.len() > MOST_PARTS {
                    return Err(not_understood(part));
                }
            }
            "WKST" if value.eq_ignore_ascii_case("MO") => {}
            // It only matters to who skips weeks.
            "WKST" if !text.to_ascii_uppercase().contains("INTERVAL=") => {}
            _ => return Err(not_understood(part)),
        }
    }
    rule.frequency = frequency.ok_or("this rule has no FREQ")?;
    refuse_numbers(&rule)?;
    if let Some(count) = count {
        let last = rule.nth(count, MOST_DAYS);
        rule.until = Some(
            last.ok_or_else(|| format!("COUNT={count} goes on for more than a hundred years"))?,
        );
    }
    Ok(rule)
}

/// The second Monday is one of a month; those of a year are not understood.
fn refuse_numbers(rule: &Recurrence) -> Result<(), String> {
    let is_of_month = match rule.frequency {
        Frequency::Monthly => true,
        Frequency::Yearly => !rule.months.is_empty(),
        Frequency::Weekly | Frequency::Daily => false,
    };
    if !is_of_month && rule.weekdays.iter().any(|(nth, _)| nth.is_some()) {
        return Err("a BYDAY with a number is understood with BYMONTH, or FREQ=MONTHLY".to_owned());
    }
    Ok(())
}

fn not_understood(part: &str) -> String {
    format!("{} in this rule is not understood", quoted(part))
}

fn frequency_of(text: &str) -> Option<Frequency> {
    Some(match text.to_ascii_uppercase().as_str() {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        _ => return None,
    })
}

fn list<T: std::str::FromStr>(
    part: &str,
    value: &str,
    is_one: impl Fn(&T) -> bool,
) -> Result<Vec<T>, String> {
    let each = value.split(',').take(MOST_PARTS + 1);
    let all: Option<Vec<T>> = each.map(|one| one.parse().ok().filter(&is_one)).collect();
    all.filter(|all| all.len() <= MOST_PARTS).ok_or_else(|| not_understood(part))
}

/// `MO`, `2MO`, `-1SU`.
fn weekday(text: &str) -> Option<(Option<i32>, Weekday)> {
    let (number, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match day.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    };
    if number.is_empty() {
        return Some((None, weekday));
    }
    let number = number.parse::<i32>().ok().filter(|number| (1..=5).contains(&number.abs()))?;
    Some((Some(number), weekday))
}
