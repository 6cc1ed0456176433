//! `WaitForWindow`: wait until a window of the wall clock is open.

use chrono::TimeDelta;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Explained, Failure, LetsBy, Outcome, Problem, Runner, Stay, Visit,
    calendar::{self, CalendarError},
    hours::{self, Calendars, Dates, Days, Hours, Time, Window, WindowIn},
    lenient::{self, OneOrMany},
    quote::quoted,
    template::is_template,
};

/// Goes on while a window is open, and else waits until it opens.
///
/// ```yaml
/// - id: office-hours
///   run: WaitForWindow
///   config:
///     days: mon-fri                 # mon, Monday, 1 (Sunday is 0); or a list; else every day
///     from: 09:00                   # else 00:00
///     to: 17:00                     # else 24:00
///     timezone: Europe/Zagreb       # else the process's
///     except: [2026-12-24..2027-01-02, 05-01]   # 05-01: every year
///     calendar: business-hours      # and open by this calendar as well
/// ```
///
/// A window whose `to` is no later than its `from` goes over midnight, and belongs to the day
/// on which it begins: `days: fri, from: 22:00, to: 06:00` ends on Saturday. A time that the
/// clocks skip is over once they have skipped it; of one that comes twice, the first is meant.
/// A window that does not open within ten years fails the process.
#[derive(JsonSchema)]
pub struct WaitForWindow;

/// The config of `WaitForWindow`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Days of the week on which it opens: `mon-fri`, `sat`, numbers from Sunday = 0, or a
    /// list of these; else every day.
    #[serde(default, deserialize_with = "lenient::texts")]
    #[schemars(schema_with = "lenient::days_schema")]
    days: OneOrMany<String>,
    /// When it opens, such as `09:00`; else at 00:00.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    from: Option<String>,
    /// When it closes, such as `17:00`; else at 24:00. No later than `from`: on the next day.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    to: Option<String>,
    /// IANA name of the time zone; else the process's.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    timezone: Option<String>,
    /// Dates on which it does not open: `2026-12-25`, `12-25` (every year), or
    /// `2026-12-24..2027-01-02`.
    #[serde(default, deserialize_with = "lenient::texts")]
    #[schemars(schema_with = "lenient::texts_schema")]
    except: OneOrMany<String>,
    /// Name of a calendar that must be open as well.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    calendar: Option<String>,
}

impl Runner for WaitForWindow {
    const NAME: &'static str = "WaitForWindow";
    const LITERAL: &'static [&'static str] = &["calendar"];
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn lets_by(_: Option<&Config>) -> Option<LetsBy> {
        Some(LetsBy::ByTheClock("is open"))
    }

    fn stay(config: Option<&Config>, zone: Option<Tz>) -> Stay {
        Self::stay_among(config, zone, &Calendars::new())
    }

    fn stay_among(config: Option<&Config>, zone: Option<Tz>, calendars: &Calendars) -> Stay {
        let Some(config) = config.filter(|config| !config.has_templates()) else {
            return Stay::unbounded("waits for a window that its templates say");
        };
        match config.longest_wait(zone, calendars) {
            Some(most) => Stay::within(TimeDelta::zero(), most),
            None => Stay::unbounded(match &config.calendar {
                Some(name) => format!("waits until its window is open, and {} is", quoted(name)),
                None if config.zone_if_known(zone).is_none() => {
                    "waits for a window in a zone that is not known".to_owned()
                }
                None => "waits for a window that is hardly ever open".to_owned(),
            }),
        }
    }

    fn check(config: &Config) -> Vec<Problem> {
        let mut problems = match config.window() {
            Ok(window) => config.check_opens(&window),
            Err(problems) => problems,
        };
        if let Some(name) = config.timezone.as_ref().filter(|name| !is_template(name))
            && let Err(error) = calendar::zone(name)
        {
            problems.push(no_zone(&error));
        }
        let nothing = [&config.from, &config.to, &config.calendar].iter().all(|key| key.is_none());
        if nothing && config.days.as_slice().is_empty() && config.except.as_slice().is_empty() {
            problems.push(
                Problem::at("", "this window is always open")
                    .help("say when it opens: `days`, `from` and `to`, `except`, or a `calendar`"),
            );
        }
        problems
    }

    fn check_among(config: &Config, zone: Option<Tz>, calendars: &Calendars) -> Vec<Problem> {
        let Some(name) = &config.calendar else { return Vec::new() };
        let Some(calendar) = calendars.get(name) else {
            return vec![crate::hours::no_calendar("/calendar", name, calendars)];
        };
        let Ok(window) = config.window() else { return Vec::new() };
        if config.has_templates() {
            return Vec::new();
        }
        // Two that are told in one zone meet in any other as well.
        let any = calendar.timezone.is_none().then_some(Tz::UTC);
        let Some(zone) = config.zone_if_known(zone).or(any) else { return Vec::new() };
        let window = WindowIn { window: &window, zone, calendar: Some(calendar.in_zone(zone)) };
        if window.now_or_next(calendar.settled_at()).is_some() {
            return Vec::new();
        }
        let message = format!("this window is never open while `{name}` is");
        vec![Problem::at("/calendar", message)]
    }

    fn explain(config: &Config, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let window = config.window().map_err(|problems| failure(&problems))?;
        let zone = config.zone(visit.timezone)?;
        let now = calendar::spell_with_weekday(visit.now, zone);
        let while_open = config.calendar.as_ref();
        let while_open = while_open.map_or(String::new(), |name| format!(", while `{name}` is"));
        let sentence = format!("it is open {window} in {zone}{while_open}, and it is {now} now");
        Ok(Explained { arithmetic: vec![sentence], ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let window = config.window().map_err(|problems| failure(&problems))?;
        let zone = config.zone(visit.timezone)?;
        let calendar = match &config.calendar {
            Some(name) => Some(visit.calendars.get(name).ok_or_else(|| {
                Failure::because(format!("calendar: the sequence has no calendar `{name}`"))
            })?),
            None => None,
        };
        let within = WindowIn {
            window: &window,
            zone,
            calendar: calendar.map(|calendar| calendar.in_zone(zone)),
        };
        let spelled = |at| calendar::spell_with_weekday(at, zone);
        match within.now_or_next(visit.now) {
            Some(stretch) if stretch.from <= visit.now => {
                Ok(Outcome::next(format!("open until {}", spelled(stretch.to))))
            }
            Some(stretch) => {
                let today = crate::hours::local_day(visit.now, within.zone);
                let holiday = calendar.and_then(|calendar| calendar.holiday(today));
                let why = holiday.map(|name| format!(": today is {name}")).unwrap_or_default();
                Ok(Outcome::wait_until(
                    stretch.from,
                    format!("until {}{why}", spelled(stretch.from)),
                ))
            }
            None => Err(Failure::because(format!(
                "the window does not open within ten years from {}",
                calendar::spell(visit.now, zone)
            ))),
        }
    }
}

impl Config {
    /// The window. Templates that are not rendered yet are taken for nothing.
    ///
    /// # Errors
    /// Everything that cannot be read.
    fn window(&self) -> Result<Window, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut days = Days::NONE;
        for (pointer, text) in self.days.places("/days").filter(|(_, text)| !is_template(text)) {
            match text.parse() {
                Ok(more) => days = days.and(more),
                Err(wrong) => problems.push(Problem::at(pointer, wrong)),
            }
        }
        let mut except = Vec::new();
        for (pointer, text) in self.except.places("/except").filter(|(_, text)| !is_template(text))
        {
            match text.parse::<Dates>() {
                Ok(dates) => except.push(dates),
                Err(wrong) => problems.push(Problem::at(pointer, wrong)),
            }
        }
        let mut time = |pointer: &str, text: &Option<String>, otherwise: Time| {
            let text = text.as_ref().filter(|text| !is_template(text));
            text.map_or(Ok(otherwise), |text| text.parse()).unwrap_or_else(|wrong| {
                problems.push(Problem::at(pointer, wrong));
                otherwise
            })
        };
        let (from, to) =
            (time("/from", &self.from, Time::FIRST), time("/to", &self.to, Time::LAST));
        problems.extend(
            Window::check_times(from, to, self.times_are_known())
                .map(|(key, wrong)| Problem::at(format!("/{key}"), wrong).help(WHOLE_DAY)),
        );
        let days = if days.is_empty() { Days::ALL } else { days };
        if problems.is_empty() { Ok(Window { days, from, to, except }) } else { Err(problems) }
    }

    /// How long it can be until it opens, where that is easy to know.
    /// The zone, where that does not depend on data; `otherwise` is the process's.
    fn zone_if_known(&self, otherwise: Option<Tz>) -> Option<Tz> {
        self.timezone.as_ref().map_or(otherwise, |name| calendar::zone(name).ok())
    }

    fn longest_wait(&self, zone: Option<Tz>, calendars: &Calendars) -> Option<TimeDelta> {
        let window = self.window().ok()?;
        let zone = self.zone_if_known(zone);
        let calendar = match &self.calendar {
            Some(name) => Some(calendars.get(name)?),
            None => None,
        };
        hours::longest_wait(&window, calendar, zone)
    }

    fn times_are_known(&self) -> bool {
        [&self.from, &self.to].into_iter().flatten().all(|text| !is_template(text))
    }

    fn has_templates(&self) -> bool {
        let times = [&self.from, &self.to].into_iter().flatten();
        times
            .chain(self.days.as_slice())
            .chain(self.except.as_slice())
            .any(|text| is_template(text))
    }

    /// A window that its exceptions close for good.
    fn check_opens(&self, window: &Window) -> Vec<Problem> {
        if self.has_templates() || window.ever_opens() {
            return Vec::new();
        }
        vec![Problem::at("/except", "this window never opens: every day of it is left out")]
    }

    fn zone(&self, otherwise: Tz) -> Result<Tz, Failure> {
        let Some(name) = &self.timezone else { return Ok(otherwise) };
        calendar::zone(name).map_err(|error| Failure::because(format!("timezone: {error}")))
    }
}

/// What came out of the templates is no window.
fn failure(problems: &[Problem]) -> Failure {
    let each = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.pointer.trim_start_matches('/'), problem.message));
    Failure::because(each.collect::<Vec<_>>().join("; "))
}

const WHOLE_DAY: &str = "a whole day is `from: 00:00, to: 24:00`, which need not be said";

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
mod tests;
