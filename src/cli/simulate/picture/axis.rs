//! Time from left to right. A ladder of three minutes and two weeks fits on one page because
//! the room between two moments grows with the logarithm of the time between them; within it,
//! time is even.

use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use rungs_core::{Process, Sequence, simulate::Simulation};

use super::bars::Bar;

/// Nights that are drawn at most: more of them are a grey wall.
const MOST_NIGHTS: usize = 400;

/// Where each moment is.
pub(super) struct Axis {
    /// Moments at which something happens, and their places.
    marks: Vec<(DateTime<Utc>, f64)>,
    moments: Vec<DateTime<Utc>>,
}

impl Axis {
    /// From the first moment at `left` to the last at `right`.
    pub fn new(simulation: &Simulation, bars: &[Bar], left: f64, right: f64) -> Self {
        let ends = [simulation.process.started_at, simulation.ended_at];
        let mut moments: Vec<DateTime<Utc>> =
            bars.iter().flat_map(|bar| [bar.from, bar.to]).chain(ends).collect();
        moments.sort_unstable();
        moments.dedup();
        let rooms: Vec<f64> = moments.windows(2).map(room).collect();
        let total: f64 = rooms.iter().sum();
        let unit = if total > 0.0 { (right - left) / total } else { 0.0 };
        let mut x = left;
        let mut marks = Vec::with_capacity(moments.len());
        for (number, at) in moments.iter().enumerate() {
            marks.push((*at, x));
            x += rooms.get(number).copied().unwrap_or(0.0) * unit;
        }
        Self { marks, moments }
    }

    /// Every moment at which something happens.
    pub fn moments(&self) -> &[DateTime<Utc>] {
        &self.moments
    }

    /// The place of a moment.
    pub fn x(&self, at: DateTime<Utc>) -> f64 {
        let after = self.marks.partition_point(|(mark, _)| *mark <= at);
        let before = after.checked_sub(1).and_then(|before| self.marks.get(before));
        match (before, self.marks.get(after)) {
            (Some((from, left)), Some((to, right))) => {
                let share = (at - *from).as_seconds_f64() / (*to - *from).as_seconds_f64();
                left + (right - left) * share
            }
            (Some((_, x)), None) | (None, Some((_, x))) => *x,
            (None, None) => 0.0,
        }
    }

    /// The quiet hours of the first of these steps that has any, as far as they are on the page.
    pub fn quiet<'s>(
        &self,
        steps: impl Iterator<Item = &'s str>,
        sequence: &Sequence,
        process: &Process,
    ) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut steps = steps.filter_map(|step| sequence.steps.get(sequence.position(step)?));
        let hours = steps.find_map(|step| step.quiet.as_ref());
        let quiet = hours.and_then(|hours| hours.of(process, &sequence.calendars).ok());
        let (Some(quiet), Some(first), Some(last)) =
            (quiet, self.moments.first(), self.moments.last())
        else {
            return Vec::new();
        };
        let (mut at, mut found) = (*first, Vec::new());
        while at < *last && found.len() < MOST_NIGHTS {
            let Some(to) = quiet.leaves_at(at) else { break };
            if to > at {
                found.push((at, to.min(*last)));
            }
            match quiet.falls_at(to) {
                Some(next) => at = next,
                None => break,
            }
        }
        found
    }

    /// From ten in the evening to seven in the morning, as far as they are on the page.
    pub fn nights(&self, timezone: Tz) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let (Some(first), Some(last)) = (self.moments.first(), self.moments.last()) else {
            return Vec::new();
        };
        let mut day = first.with_timezone(&timezone).date_naive();
        day = day.checked_sub_days(Days::new(1)).unwrap_or(day);
        let mut nights = Vec::new();
        while nights.len() < MOST_NIGHTS {
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            let at = |date: chrono::NaiveDate, hour| {
                let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
                let local = timezone.from_local_datetime(&date.and_time(time));
                local.earliest().map(|at| at.with_timezone(&Utc))
            };
            if let (Some(from), Some(to)) = (at(day, 22), at(next, 7)) {
                if from > *last {
                    break;
                }
                if to > *first {
                    nights.push((from.max(*first), to.min(*last)));
                }
            }
            day = next;
        }
        nights
    }
}

/// What a gap is worth: a second little, a minute more, a week not a thousand times that.
fn room(gap: &[DateTime<Utc>]) -> f64 {
    match gap {
        [from, to] => (1.0 + (*to - *from).as_seconds_f64() / 10.0).ln().max(0.15),
        _ => 0.0,
    }
}
