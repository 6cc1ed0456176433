//! The contract between a sequence and the code behind its steps.
//!
//! A new runner is one file in `builtin/` with one `impl Runner`, and one line in
//! [`crate::builtin::KINDS`].

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{DeliveryView, Explained, NewDelivery, Scope, Stay, hours::Calendars};

/// The code behind a step: given a visit, it answers with an action.
///
/// The comment on the type that implements it is what editors and `docs/runners.md` show of it:
/// one sentence, an example in YAML, and what else there is to know. It comes with
/// `#[derive(JsonSchema)]`.
pub trait Runner: JsonSchema + 'static {
    /// What `run:` says in YAML.
    const NAME: &'static str;

    /// The step's `config`, once every template in it has been rendered.
    ///
    /// The schema derived from it is what the check holds a sequence against, so
    /// derive `JsonSchema`, say `deny_unknown_fields`, and document every field.
    /// While a sequence is checked the templates are still unrendered strings; types
    /// for which such a string is no value make `check`, `rests` and `jump` go by
    /// their defaults.
    type Config: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// Whether the runner ever answers `altNext`.
    const ALT_NEXT: AltNext = AltNext::Never;

    /// Config keys whose templates escape HTML.
    const HTML: &'static [&'static str] = &[];

    /// Config keys that must stand there literally, because the check follows them.
    const LITERAL: &'static [&'static str] = &[];

    /// Config keys under which `{ type: get | jsonpath | raw, value: ... }` stands for the
    /// value itself, at any depth: a template can only give text.
    const TYPED: &'static [&'static str] = &[];

    /// The config key whose names and values it merges into the process's data.
    const WRITES: Option<&'static str> = None;

    /// Whether it writes deliveries, so that a step of it may say `retry` and `onFailure`.
    const DELIVERS: bool = false;

    /// Whether what it delivers may disturb somebody, so that the quiet hours of its sequence
    /// hold it back.
    const DISTURBS: bool = Self::DELIVERS;

    /// Whether it listens: it is told of every event through `hears`, wherever the cursor is.
    const LISTENS: bool = false;

    /// Whether its deliveries are questions, which do no harm if they are asked again: a step
    /// of it takes no `inDoubt`, asks until there is an answer, and fails the process if there
    /// will be none and the step has no `altNext`.
    const ASKS: bool = false;

    /// Whether what it asks may be refused for good.
    const MAY_BE_REFUSED: bool = Self::ASKS;

    /// Who answers in JSON, beside how the delivery ended.
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Nobody;

    /// Whether this is a goal: asked through `achieved` while it lies ahead of the cursor.
    const GOAL: bool = false;

    /// Whether a process may rest here: it waits, or it writes a delivery. A loop
    /// without such a step could never rest, and the check refuses it. `None` stands
    /// for a config that is known only once its templates are rendered.
    fn rests(config: Option<&Self::Config>) -> bool;

    /// What must be so for a process to go by at once, where one that has just gone by and comes
    /// again finds it so still. A loop with no other rest would turn without end within one
    /// cycle. `None`: it rests each time.
    fn lets_by(_config: Option<&Self::Config>) -> Option<LetsBy> {
        None
    }

    /// The step this one jumps to, beside `next` and `altNext`.
    fn jump(_config: &Self::Config) -> Option<Jump<'_>> {
        None
    }

    /// How long one stay at the step may take, and what it may send: the bounds that `rungs
    /// check` prints are computed from it. `None` stands for a config that is known only once
    /// its templates are rendered, or for a zone that is. A runner that says nothing here has
    /// no bounds, unless it never rests.
    fn stay(config: Option<&Self::Config>, _zone: Option<Tz>) -> Stay {
        Stay::unknown(Self::rests(config), Self::DELIVERS)
    }

    /// The same among the calendars of its sequence, where they have a say in it.
    fn stay_among(config: Option<&Self::Config>, zone: Option<Tz>, _calendars: &Calendars) -> Stay {
        Self::stay(config, zone)
    }

    /// What is wrong with a config that fits its schema. Strings may still be
    /// templates: see [`crate::template::is_template`].
    fn check(_config: &Self::Config) -> Vec<Problem> {
        Vec::new()
    }

    /// What is wrong with it among the calendars of its sequence, whose zone is this if that is
    /// known. Strings may still be templates.
    fn check_among(
        _config: &Self::Config,
        _zone: Option<Tz>,
        _calendars: &Calendars,
    ) -> Vec<Problem> {
        Vec::new()
    }

    /// One visit.
    ///
    /// # Errors
    /// A [`Failure`] fails the process, with that reason. Trouble with one
    /// notification is no failure: see [`Outcome::undelivered`].
    fn visit(config: &Self::Config, visit: &Visit<'_>) -> Result<Outcome, Failure>;

    /// For goals: whether it is achieved.
    ///
    /// # Errors
    /// As for `visit`.
    fn achieved(_config: &Self::Config, _scope: &Scope<'_>) -> Result<bool, Failure> {
        Ok(false)
    }

    /// For listeners: whether this event is one it waits for. `here` is true if the event
    /// came while the cursor stood at the step; the scope names it `event`.
    ///
    /// # Errors
    /// As for `visit`. Whoever asks takes it for a no; the visit will say it again.
    fn hears(
        _config: &Self::Config,
        _event: &str,
        _here: bool,
        _scope: &Scope<'_>,
    ) -> Result<bool, Failure> {
        Ok(false)
    }

    /// Whether it ever answers `altNext` with such a config, if the runner does at all.
    fn takes_alt_next(_config: &Self::Config) -> bool {
        true
    }

    /// For listeners: the keys of the config that say for what it listens.
    const LISTENS_FOR: &'static [&'static str] = &[];

    /// What a person wants to know beyond the clause of the visit: the condition clause by
    /// clause, or how a moment was found. Most runners have nothing to add.
    ///
    /// # Errors
    /// As for `visit`.
    fn explain(_config: &Self::Config, _visit: &Visit<'_>) -> Result<Explained, Failure> {
        Ok(Explained::default())
    }
}

/// Whether a runner takes the step's `altNext`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AltNext {
    /// It never does: an `altNext` beside it is a mistake.
    Never,
    /// It does; a step without one goes on with `next` instead.
    Optional,
    /// It does, and a step without one would make no sense.
    Required,
}

/// Who answers a delivery with JSON that its step keeps as `steps.<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredBy {
    /// Nobody: it ends in one way or another.
    Nobody,
    /// This house.
    Rungs,
    /// A server of somebody else's, with whatever it likes.
    Server,
}

/// What must be so for a process to go by a wait at once, after the step's name: `is open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetsBy {
    /// Once it is so, it stays so.
    ForGood(&'static str),
    /// The clock says when it is so.
    ByTheClock(&'static str),
}

impl LetsBy {
    /// In words.
    pub fn says(self) -> &'static str {
        match self {
            Self::ForGood(says) | Self::ByTheClock(says) => says,
        }
    }
}

/// Where a runner jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump<'a> {
    /// Id of the step it jumps to.
    pub to: &'a str,
    /// True if it always jumps, so that `next` is never taken.
    pub always: bool,
}

/// Something wrong with a config, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer inside the config (`""` is the config itself).
    pub pointer: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead, where that is known.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at `pointer` inside the config.
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), help: None }
    }

    /// The same problem with a suggestion.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// One evaluation of one step for one process.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The moment of this cycle.
    pub now: DateTime<Utc>,
    /// The process's time zone.
    pub timezone: Tz,
    /// When this stay at the step began: its first visit.
    pub entered_at: DateTime<Utc>,
    /// How many times the cursor has come to this step, this stay included (from 1).
    pub stay: u32,
    /// The last delivery that this stay wrote, as it is known now.
    pub delivery: Option<&'a DeliveryView>,
    /// Whether an event has come since that was written.
    pub stirred: bool,
    /// For listeners: which events this step heard.
    pub heard: Heard,
    /// The calendars of its sequence.
    pub calendars: &'a Calendars,
    /// Data, events and the results of earlier steps.
    pub scope: &'a Scope<'a>,
}

/// When the first event came that a listener said it hears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// Since the process started.
    pub ever: Option<DateTime<Utc>>,
    /// During this stay.
    pub here: Option<DateTime<Utc>>,
}

/// What a runner answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Go on to the step's `next`.
    Next,
    /// Stay; look again later.
    Noop,
    /// Go on to the step's `altNext`.
    AltNext,
}

impl Action {
    /// As it is written in histories and seen by templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Noop => "noop",
            Self::AltNext => "altNext",
        }
    }
}

/// The answer to a visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Where the cursor goes.
    pub action: Action,
    /// Why, for the history. One short clause.
    pub message: Cow<'static, str>,
    /// With `Noop`: when to look again. `None` waits for an event or for the delivery.
    pub until: Option<DateTime<Utc>>,
    /// With `Next`: the step to go to in place of the step's own `next`.
    pub to: Option<String>,
    /// Somebody to reach.
    pub deliver: Option<NewDelivery>,
    /// A notification that finally failed, and why. The step's `onFailure` decides.
    pub failed: Option<String>,
    /// To be merged into the process's data (RFC 7396) before the cursor moves.
    pub set: Option<Map<String, Value>>,
}

impl Outcome {
    fn of(action: Action, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            action,
            message: message.into(),
            until: None,
            to: None,
            deliver: None,
            failed: None,
            set: None,
        }
    }

    /// Go on.
    pub fn next(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Action::Next, message)
    }

    /// Go on the other way.
    pub fn alt_next(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Action::AltNext, message)
    }

    /// Stay until `until`, or until an event comes.
    pub fn wait_until(until: DateTime<Utc>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { until: Some(until), ..Self::of(Action::Noop, message) }
    }

    /// Stay until an event comes, or news of the delivery.
    pub fn wait(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Action::Noop, message)
    }

    /// Go to a named step.
    pub fn go_to(step: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { to: Some(step.into()), ..Self::of(Action::Next, message) }
    }

    /// Write a delivery and wait for news of it. One that this stay wrote before gives way: it
    /// is withdrawn if it is still open.
    pub fn deliver(delivery: NewDelivery, message: impl Into<Cow<'static, str>>) -> Self {
        Self { deliver: Some(delivery), ..Self::of(Action::Noop, message) }
    }

    /// Merge this into the process's data, and go on.
    pub fn set(patch: Map<String, Value>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { set: Some(patch), ..Self::next(message) }
    }

    /// A notification finally failed: `altNext` where there is one, else `next`,
    /// unless the step says `onFailure: fail`.
    pub fn undelivered(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { failed: Some(reason.clone()), ..Self::of(Action::AltNext, reason) }
    }
}

/// A process cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    /// A failure with its reason, in one sentence without a full stop.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
