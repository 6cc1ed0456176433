//! `WaitForEvent`: wait until something happens.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wait_for_duration;
use crate::{
    AltNext, Explained, Failure, LetsBy, Outcome, Problem, Runner, Scope, Stay, Visit,
    calendar::{self, Unit},
    condition::Condition,
    duration, lenient,
    quote::quoted,
    template::is_template,
};

/// Waits until an event of a type comes.
///
/// ```yaml
/// - id: acknowledged
///   run: WaitForEvent
///   config:
///     event: ticket.acknowledged
///     where:                        # else any event of that type will do
///       lodashCommand: eq
///       value: { type: get, value: event.data.level }
///       compareTo: { type: raw, value: 2 }
///     timeout: 15 minutes           # or { amount: 15, unit: minutes }; else without end
///     fresh: true                   # only one that comes from now on
///   altNext: ring-the-manager       # at the timeout
/// ```
///
/// Beside the process's data, `where` sees the event as `event`: its `type`, its `data`, and
/// `at`, when it came. It is asked of each event when that comes, wherever the cursor is, so
/// that an event is never hidden by a later one of its type. Without `fresh: true` an event
/// that came before the process got here counts as well; in a loop that is to wait in every
/// round, say `fresh: true`.
///
/// The timeout counts from when the process came to the step. An event that came in time is
/// heard, also if nobody looked until it was over. In the form with `amount` and `unit`, days
/// and longer keep the wall clock, as those of `WaitForDuration` do.
#[derive(JsonSchema)]
pub struct WaitForEvent;

/// The config of `WaitForEvent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The type of the event.
    event: String,
    /// What must hold of it; it is named `event` there.
    #[serde(default)]
    r#where: Option<Condition>,
    /// How long to wait, counted from when the process came to the step: such as
    /// `15 minutes`, or `{ amount: 15, unit: minutes }`. Without it: without end.
    #[serde(default)]
    timeout: Option<Timeout>,
    /// Whether it must come while the process waits here.
    #[serde(default, deserialize_with = "lenient::boolean")]
    fresh: bool,
}

/// How long.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Timeout {
    /// `{ amount: 15, unit: minutes }`.
    Amount(Amount),
    /// `15 minutes`.
    Text(String),
    /// A number of seconds.
    Seconds(f64),
}

/// An amount of a unit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Amount {
    /// How many of the unit.
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(range(min = 0))]
    amount: f64,
    /// What is counted.
    unit: Unit,
}

impl JsonSchema for Timeout {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timeout".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let amount = generator.subschema_for::<Amount>();
        json_schema!({ "anyOf": [{ "type": ["string", "number"] }, amount] })
    }
}

impl Timeout {
    fn end(&self, entered_at: DateTime<Utc>, zone: Tz) -> Result<DateTime<Utc>, String> {
        let milliseconds = match self {
            Self::Amount(Amount { amount, .. }) if *amount < 0.0 => {
                return Err("a wait cannot be negative".to_owned());
            }
            Self::Amount(Amount { amount, unit }) => {
                return calendar::add(entered_at, *amount, *unit, zone)
                    .map_err(|error| error.to_string());
            }
            Self::Text(text) => duration::parse(text),
            Self::Seconds(seconds) => duration::of_seconds(*seconds),
        };
        let wait = milliseconds.and_then(|wait| TimeDelta::try_milliseconds(wait.try_into().ok()?));
        wait.and_then(|wait| entered_at.checked_add_signed(wait))
            .ok_or_else(|| "expected a duration of at most a year, such as `15 minutes`".to_owned())
    }

    /// The longest it can last, whenever it begins.
    fn longest(&self, zone: Option<Tz>) -> Option<TimeDelta> {
        match self {
            Self::Amount(Amount { amount, unit }) => {
                calendar::span(*amount, *unit, zone).map(|(_, most)| most)
            }
            exact => {
                let start = DateTime::UNIX_EPOCH;
                Some(exact.end(start, Tz::UTC).ok()? - start)
            }
        }
    }

    /// How one comes to its end.
    fn sum(&self, entered_at: DateTime<Utc>, zone: chrono_tz::Tz) -> Result<String, String> {
        let (amount, unit) = if let Self::Amount(Amount { amount, unit }) = self {
            (*amount, *unit)
        } else {
            let wait = self.end(entered_at, zone)? - entered_at;
            let length = wait.num_milliseconds();
            let units = [
                (3_600_000, Unit::Hours),
                (60_000, Unit::Minutes),
                (1_000, Unit::Seconds),
                (1, Unit::Milliseconds),
            ];
            let whole = units.into_iter().find(|(unit, _)| length % unit == 0);
            let (long, unit) = whole.unwrap_or((1, Unit::Milliseconds));
            ((length / long) as f64, unit)
        };
        calendar::sum(entered_at, amount, unit, zone).map_err(|error| error.to_string())
    }

    fn is_nothing(&self) -> bool {
        let start = DateTime::UNIX_EPOCH;
        self.end(start, Tz::UTC) == Ok(start)
    }
}

impl Runner for WaitForEvent {
    const NAME: &'static str = "WaitForEvent";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const LISTENS: bool = true;
    const LISTENS_FOR: &'static [&'static str] = &["event", "where"];
    type Config = Config;

    fn rests(config: Option<&Config>) -> bool {
        config
            .and_then(|config| config.timeout.as_ref())
            .is_none_or(|timeout| !timeout.is_nothing())
    }

    fn lets_by(config: Option<&Config>) -> Option<LetsBy> {
        config.filter(|config| !config.fresh).map(|_| LetsBy::ForGood("has heard its event"))
    }

    fn stay(config: Option<&Config>, zone: Option<Tz>) -> Stay {
        let Some(Config { event, timeout, .. }) = config else {
            return Stay::unbounded("waits for as long as its templates say");
        };
        match timeout {
            None => Stay::unbounded(format!("waits until {} comes", quoted(event))),
            Some(Timeout::Text(text)) if is_template(text) => {
                Stay::unbounded("waits for as long as its templates say")
            }
            Some(timeout) => match timeout.longest(zone) {
                Some(most) => Stay::within(TimeDelta::zero(), most),
                None => Stay::unbounded("waits for longer than anybody can count"),
            },
        }
    }

    fn check(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if config.event.trim().is_empty() {
            problems.push(
                Problem::at("/event", "there is no event to wait for")
                    .help("the type of an event, such as `order.confirmed`"),
            );
        }
        if let Some(condition) = &config.r#where {
            problems.extend(condition.check("/where"));
        }
        let is_known =
            |timeout: &&Timeout| !matches!(timeout, Timeout::Text(text) if is_template(text));
        if let Some(timeout) = config.timeout.as_ref().filter(is_known)
            && let Err(wrong) = timeout.end(DateTime::UNIX_EPOCH, Tz::UTC)
        {
            problems.push(Problem::at("/timeout", wrong));
        }
        if let Some(Timeout::Amount(Amount { amount, unit })) = config.timeout
            && problems.is_empty()
            && unit.would_round(amount)
        {
            let message = format!("{amount} is no whole number of days or months");
            problems.push(
                Problem::at("/timeout/amount", message)
                    .help(wait_for_duration::in_whole(amount, unit)),
            );
        }
        problems
    }

    fn hears(config: &Config, event: &str, here: bool, scope: &Scope<'_>) -> Result<bool, Failure> {
        if event != config.event.trim() || (config.fresh && !here) {
            return Ok(false);
        }
        config.r#where.as_ref().map_or(Ok(true), |condition| condition.holds(scope))
    }

    fn takes_alt_next(config: &Config) -> bool {
        config.timeout.is_some()
    }

    fn explain(config: &Config, visit: &Visit<'_>) -> Result<Explained, Failure> {
        let event = config.event.trim();
        let mut explained = Explained::default();
        explained.arithmetic.push(match Last::of(event, visit.scope) {
            None => format!("no {event} has come yet"),
            Some(last) => {
                let at = calendar::spell(last.at, visit.timezone);
                if let Some(condition) = &config.r#where {
                    let scope = visit.scope.with_event(&last.event);
                    explained.condition = Some(condition.breakdown(&scope)?);
                }
                if config.fresh && visit.heard.here.is_none() && last.at < visit.entered_at {
                    format!(
                        "the last {event} came at {at}, before the process did, which is not fresh"
                    )
                } else {
                    format!("the last {event} came at {at}")
                }
            }
        });
        if let Some(timeout) = &config.timeout {
            let sum = timeout.sum(visit.entered_at, visit.timezone);
            explained.arithmetic.push(sum.map_err(|wrong| Failure(format!("timeout: {wrong}")))?);
        }
        Ok(explained)
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let event = config.event.trim();
        let end = match &config.timeout {
            Some(timeout) => Some(
                timeout
                    .end(visit.entered_at, visit.timezone)
                    .map_err(|wrong| Failure::because(format!("timeout: {wrong}")))?,
            ),
            None => None,
        };
        let last = Last::of(event, visit.scope);
        let heard = match &last {
            _ if config.fresh => visit.heard.here,
            Some(last) if visit.heard.ever.is_none() => config.takes(last, visit)?,
            _ => visit.heard.ever,
        };
        let spelled = |at| calendar::spell(at, visit.timezone);
        if let Some(at) = heard.filter(|at| end.is_none_or(|end| *at <= end)) {
            return Ok(Outcome::next(format!("{event} came at {}", spelled(at))));
        }
        let passed_over = if last.is_some() { ", and none that came counts" } else { "" };
        Ok(match end {
            None => Outcome::wait(format!("for {event}{passed_over}")),
            Some(end) if end <= visit.now => {
                Outcome::alt_next(format!("no {event} by {}{passed_over}", spelled(end)))
            }
            Some(end) => Outcome::wait_until(
                end,
                format!("for {event}, until {}{passed_over}", spelled(end)),
            ),
        })
    }
}

impl Config {
    /// Whether the last event of the type is one it waits for, by the data as they are now.
    fn takes(&self, last: &Last, visit: &Visit<'_>) -> Result<Option<DateTime<Utc>>, Failure> {
        let Some(condition) = &self.r#where else { return Ok(Some(last.at)) };
        let holds = condition.holds(&visit.scope.with_event(&last.event))?;
        Ok(holds.then_some(last.at))
    }
}

/// The last event of a type that the process remembers.
struct Last {
    at: DateTime<Utc>,
    event: Value,
}

impl Last {
    fn of(event: &str, scope: &Scope<'_>) -> Option<Self> {
        let kept = scope.root("events")?.get(event)?;
        let at = DateTime::parse_from_rfc3339(kept.get("at")?.as_str()?).ok()?.to_utc();
        let event = json!({ "type": event, "at": kept.get("at"), "data": kept.get("data") });
        Some(Self { at, event })
    }
}

#[cfg(test)]
mod tests;
