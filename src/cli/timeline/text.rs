//! A timeline as people read it: the time, the step, and what happened.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_core::{Entry, Process, delivery::LogLine};
use rungs_runners::{Action, DeliveryStatus};

use crate::{
    channels::console::{clean, describe},
    cli::{
        output::{BAD, BOLD, DIM, GOOD, STEP, WARN, pad},
        view, words,
    },
};

use super::{Line, What};

/// The step column is not made wider than this.
const WIDEST: usize = 24;

/// Tells lines, and remembers what has been said.
pub(in crate::cli) struct Teller {
    timezone: Tz,
    /// Of the step column, in characters.
    width: usize,
    started_at: DateTime<Utc>,
    /// The day that was named last.
    day: Option<String>,
    /// The wait that was told last.
    wait: Option<(String, Option<i64>, String)>,
    /// What was told last of each step's delivery.
    reported: HashMap<String, String>,
    /// What the events to come say, in their order, where that is known.
    events: VecDeque<String>,
}

impl Teller {
    /// Tells what happens to a process, in its zone, at steps with these ids.
    pub fn new<'a>(process: &Process, steps: impl Iterator<Item = &'a str>) -> Self {
        let width = steps.map(|step| step.chars().count()).max().unwrap_or(0).min(WIDEST);
        Self {
            timezone: process.timezone,
            width,
            started_at: process.started_at,
            day: None,
            wait: None,
            reported: HashMap::new(),
            events: VecDeque::new(),
        }
    }

    /// The next event that happens says this.
    pub fn expect_event(&mut self, says: String) {
        self.events.push_back(says);
    }

    /// A line, with the day above it if that is another one. `None` if there is nothing to
    /// tell that has not been told.
    pub fn tell(&mut self, line: &Line) -> Option<String> {
        if line.implied {
            return None;
        }
        let (step, told) = match &line.what {
            What::Entry(entry) => self.entry(entry, line.at)?,
            What::Wrote { step, channel, request, .. } => {
                self.wait = None;
                self.reported.remove(step);
                (step.as_str(), format!("{BOLD}» {channel}{BOLD:#} {}", describe(channel, request)))
            }
            What::Reported { step, line, .. } => (step.as_str(), self.report(step, line)),
        };
        Some(self.lay_out(line.at, step, &told))
    }

    fn lay_out(&mut self, at: DateTime<Utc>, step: &str, told: &str) -> String {
        let day = words::day(at, self.timezone);
        let mut text = String::new();
        if self.day.as_ref() != Some(&day) {
            let gap = if self.day.is_some() { "\n" } else { "" };
            text = format!("{gap}{BOLD}{day}{BOLD:#}\n");
            self.day = Some(day);
        }
        let indent = " ".repeat(16 + self.width);
        let told = told.replace('\n', &format!("\n{indent}"));
        let (time, step) = (words::time(at, self.timezone), pad(&clean(step), self.width));
        text + &format!("  {DIM}{time}{DIM:#}  {STEP}{step}{STEP:#}  {told}")
    }

    fn entry<'a>(&mut self, entry: &'a Entry, at: DateTime<Utc>) -> Option<(&'a str, String)> {
        let told = match entry {
            Entry::Visited { step, action: Action::Noop, message, until, .. } => {
                return Some((step, self.waits(step, message, *until, at)?));
            }
            Entry::Visited { step, action, message, .. } => {
                return Some((step, self.goes_on(step, *action, message)));
            }
            Entry::Achieved { step, from } => {
                let told = format!("{GOOD}★ goal achieved{GOOD:#}, coming from {}", clean(from));
                return Some((step, told));
            }
            Entry::Held { step, until, .. } => {
                self.wait = None;
                let until = view::millis(Some(*until)).unwrap_or_default();
                let when = words::seen_from(until, at, self.timezone);
                let long = words::duration(until - at);
                let told =
                    format!("{WARN}‖ held until{WARN:#} {when} {DIM}({long}): quiet hours{DIM:#}");
                return Some((step, told));
            }
            // The reports tell it, and when it came.
            Entry::Heard { .. } | Entry::Wrote { .. } => return None,
            Entry::Happened { event } => {
                let says = self.events.pop_front().unwrap_or_else(|| clean(event));
                format!("{BOLD}◆ event{BOLD:#} {says}")
            }
            Entry::Moved { from, to, step_from, step } => {
                let was = if step_from == step {
                    String::new()
                } else {
                    format!(", {} is {} now", clean(step_from), clean(step))
                };
                format!("{BOLD}⇢ moved{BOLD:#} from version {from} to {to}{was}")
            }
            Entry::Started => format!("{DIM}▸ started{DIM:#}"),
            Entry::Paused => format!("{WARN}‖ paused{WARN:#}"),
            Entry::Resumed => format!("{BOLD}▸ resumed{BOLD:#}"),
            Entry::Stopped { reason } => {
                let why =
                    reason.as_deref().map_or(String::new(), |why| format!(": {}", clean(why)));
                format!("{WARN}■ stopped{WARN:#}{why}")
            }
            Entry::Completed => {
                let took = words::duration(at - self.started_at);
                format!("{GOOD}✓ completed{GOOD:#}{DIM}, {took} after its start{DIM:#}")
            }
            Entry::Failed { reason } => format!("{BAD}✗ failed{BAD:#}: {}", clean(reason)),
        };
        // An event alone does not end a wait, nor what was told of it.
        if !matches!(entry, Entry::Happened { .. }) {
            self.wait = None;
        }
        Some(("", told))
    }

    fn waits(
        &mut self,
        step: &str,
        message: &str,
        until: Option<i64>,
        at: DateTime<Utc>,
    ) -> Option<String> {
        let wait = Some((step.to_owned(), until, message.to_owned()));
        // Every event makes a process look again, and mostly it waits on as before.
        let known = self.wait == wait || self.has_said(step, message);
        self.wait = wait;
        if known {
            return None;
        }
        let message = clean(message);
        Some(match view::millis(until) {
            Some(until) => {
                let when = words::seen_from(until, at, self.timezone);
                let long = words::duration(until - at);
                // What it says of the moment stands there already.
                let why = match message.strip_prefix("until ") {
                    Some(rest) => rest.split_once(": ").map_or("", |(_, why)| why),
                    None => message.as_str(),
                };
                let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                format!("{DIM}… waits until{DIM:#} {when} {DIM}({long}){why}{DIM:#}")
            }
            None => format!("{DIM}… waits: {message}{DIM:#}"),
        })
    }

    fn goes_on(&mut self, step: &str, action: Action, message: &str) -> String {
        let why = if message.is_empty() || self.has_said(step, message) {
            String::new()
        } else {
            format!("{DIM}: {}{DIM:#}", clean(message))
        };
        self.wait = None;
        match action {
            Action::AltNext => format!("{WARN}↘ altNext{WARN:#}{why}"),
            _ => format!("→ next{why}"),
        }
    }

    fn has_said(&self, step: &str, message: &str) -> bool {
        self.reported.get(step).is_some_and(|said| said == message)
    }

    fn report(&mut self, step: &str, line: &LogLine) -> String {
        let LogLine { attempt, what, error, .. } = line;
        // As a runner puts it in the history.
        let said = match error {
            Some(error) => format!("{what}: {error}"),
            None => what.clone(),
        };
        let style = match DeliveryStatus::parse(what) {
            Some(status) if status.is_failure() => WARN,
            None | Some(DeliveryStatus::InDoubt | DeliveryStatus::Skipped) => WARN,
            Some(status) if status > DeliveryStatus::Sent => GOOD,
            Some(_) => DIM,
        };
        let attempt = match attempt {
            Some(attempt) if *attempt > 1 || error.is_some() => {
                format!(" {DIM}(attempt {attempt}){DIM:#}")
            }
            _ => String::new(),
        };
        let told = format!("{style}· {}{style:#}{attempt}", clean(&said));
        self.reported.insert(step.to_owned(), said);
        told
    }
}
