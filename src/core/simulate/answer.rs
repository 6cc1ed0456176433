//! What becomes of the deliveries of a simulation.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use rungs_runners::{
    Action, AnsweredBy, DeliveryStatus, DeliveryView, Rest, Sends,
    builtin::process::{self, Act},
    hours::Calendars,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Line;
use crate::{
    News, Process, Sequence, Step,
    check::nearest,
    delivery::{LONGEST_DOUBT, LONGEST_SILENCE, silence},
    happening::duration,
};

/// Who decides what becomes of a delivery.
pub trait Answers {
    /// What becomes of this one.
    fn answer(&mut self, asked: &Asked<'_>) -> Fate;

    /// What is answered to it in JSON, if that is said.
    fn said(&mut self, _asked: &Asked<'_>) -> Option<Value> {
        None
    }

    /// All of it that is heard, for those who know more than a [`Fate`] says.
    fn told(&mut self, asked: &Asked<'_>) -> Vec<Told> {
        let (fate, said) = (self.answer(asked), self.said(asked));
        asked.told(fate, said)
    }

    /// Sees each cycle once it is over: the process, and what the cycle told.
    fn watch(&mut self, _process: &Process, _told: &[Line]) {}

    /// Whether enough has been seen: the climb is broken off there.
    fn enough(&self) -> bool {
        false
    }
}

/// Something that is heard of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// How long after it left.
    pub after: TimeDelta,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// What went wrong.
    pub error: Option<String>,
    /// What is answered, if it is a question. Its moment is set when it is heard.
    pub answer: Option<rungs_runners::Answer>,
}

impl Told {
    /// Whether a question is answered by the other way.
    pub(super) fn is_refusal(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.action == Action::AltNext)
    }

    /// The news of it, at that moment.
    pub(crate) fn news(self, delivery: &str, step: &str, at: DateTime<Utc>) -> News {
        let Self { status, error, answer, .. } = self;
        let at = at.timestamp_millis();
        News::Delivery(DeliveryView {
            id: delivery.to_owned(),
            step: step.to_owned(),
            status,
            attempts: 1,
            provider_id: None,
            error,
            answer: answer.map(|answer| rungs_runners::Answer { at, ..answer }),
        })
    }
}

/// A delivery that leaves.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its id.
    pub delivery: &'a str,
    /// The step that wrote it.
    pub step: &'a str,
    /// Which stay at the step that is, from 1.
    pub stay: u32,
    /// Its channel.
    pub channel: &'a str,
    /// Whether it is a question to a runner that lives elsewhere.
    pub is_question: bool,
    /// How far it has to come for the step to go on.
    pub awaits: DeliveryStatus,
    /// What is sent.
    pub request: &'a Value,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// How far it comes.
    pub status: DeliveryStatus,
    /// What is answered, if it is a question.
    pub action: Option<Action>,
    /// How long that takes. Without it, as long as such a thing usually takes.
    pub after: Option<TimeDelta>,
}

/// The channel of requests to servers.
const WEBHOOK: &str = "webhook";
/// How long people let it ring, in seconds, where a step does not say so.
const RINGS: i64 = 30;
/// How long somebody who picked up listens.
const LISTENS: i64 = 30;

impl Fate {
    /// It comes so far.
    pub fn of(status: DeliveryStatus) -> Self {
        Self { status, action: None, after: None }
    }

    /// A question is answered with this.
    pub fn answered(action: Action) -> Self {
        Self { status: DeliveryStatus::Completed, action: Some(action), after: None }
    }

    /// What becomes of a delivery if nothing is said: nobody picks up, everything else
    /// arrives, and a runner that lives elsewhere says `next`.
    pub fn usual(asked: &Asked<'_>) -> Self {
        match asked.channel {
            _ if asked.is_question => Self::answered(Action::Next),
            "phone" => Self::of(DeliveryStatus::NoAnswer),
            "sms" => Self::of(DeliveryStatus::Delivered),
            _ if asked.awaits_answer() => Self::of(DeliveryStatus::Completed),
            _ => Self::of(DeliveryStatus::Sent),
        }
    }

    /// What can become of a delivery: the good end, and the usual bad one. Which of the bad
    /// ones it is makes no difference to a ladder that does not ask.
    pub fn possible(asked: &Asked<'_>) -> [Self; 2] {
        use DeliveryStatus::{Answered, Completed, Delivered, Failed, NoAnswer, Sent, Undelivered};
        match asked.channel {
            _ if asked.is_question => [Action::Next, Action::AltNext].map(Self::answered),
            // What comes of it later, the step does not wait for.
            "phone" | "sms" if asked.awaits == Sent => [Self::usual(asked), Self::of(Failed)],
            "phone" => [Answered, NoAnswer].map(Self::of),
            "sms" => [Delivered, Undelivered].map(Self::of),
            _ if asked.awaits_answer() => [Completed, Failed].map(Self::of),
            _ => [Sent, Failed].map(Self::of),
        }
    }

    /// What is heard of it, and how long after it left.
    fn story(self, channel: &str) -> Vec<(TimeDelta, DeliveryStatus)> {
        use DeliveryStatus::{Answered, Completed, Failed, Machine, NoAnswer, Sent};
        let at_once = self.action.is_some() || matches!(channel, WEBHOOK | process::CHANNEL);
        let usual = match self.status {
            _ if at_once => 0,
            Answered | Completed | Machine => 10,
            NoAnswer => RINGS,
            Sent | Failed => 0,
            _ => 5,
        };
        let after = self.after.unwrap_or_else(|| TimeDelta::seconds(usual));
        match self.status {
            // It is answered, or it never left.
            status if at_once || status == Failed => vec![(after, status)],
            Sent => vec![(after, Sent)],
            Answered | Completed if channel == "phone" => vec![
                (TimeDelta::zero(), Sent),
                (after, Answered),
                (after + TimeDelta::seconds(LISTENS), Completed),
            ],
            status => vec![(TimeDelta::zero(), Sent), (after, status)],
        }
    }
}

/// One answer, as it is written: `ring=no-answer`, `ring#2=answered`, `ring=answered+20s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The step whose delivery it is.
    pub step: String,
    /// Which stay at the step, from 1; without it, all of which nothing else is said.
    pub stay: Option<u32>,
    /// What becomes of it.
    pub fate: Fate,
    /// What is answered to it in JSON, if that is said.
    pub said: Option<Value>,
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "such as ring=answered, ring#2=no-answer or ring=answered+20s";
        let (whose, what) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is no answer {example}"))?;
        let (step, stay) = match whose.split_once('#') {
            None => (whose, None),
            Some((step, stay)) => {
                let stay = stay.trim().parse().ok().filter(|stay| *stay > 0);
                let stay = stay.ok_or_else(|| format!("`{whose}` counts from 1, {example}"))?;
                (step, Some(stay))
            }
        };
        let step = step.trim();
        if step.is_empty() {
            return Err(format!("`{text}` names no step; write an answer {example}"));
        }
        let (fate, said) = fate_of(what)?;
        Ok(Self { step: step.to_owned(), stay, fate, said })
    }
}

/// How far it comes and perhaps how soon, or what is answered to it in JSON: `{"ok": true}`,
/// `{"ok": true}+20s`.
fn fate_of(text: &str) -> Result<(Fate, Option<Value>), String> {
    let Some((json, rest)) = leading_json(text) else { return Ok((text.parse()?, None)) };
    let said =
        serde_json::from_str(json).map_err(|error| format!("`{json}` is no JSON: {error}"))?;
    let fate = format!("{}{rest}", DeliveryStatus::Completed).parse()?;
    Ok((fate, Some(said)))
}

/// A list or an object at the beginning of a text, and what follows it.
fn leading_json(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => text.split_at_checked(values.byte_offset()),
        // What is wrong with it is told by whoever reads it.
        _ => Some((text, "")),
    }
}

/// Several answers, separated by commas; those in JSON are their own.
///
/// # Errors
/// The first that is none, in words.
pub fn several(text: &str) -> Result<Vec<Answer>, String> {
    let (mut answers, mut rest) = (Vec::new(), text);
    loop {
        let begins = rest.find('=').map_or(0, |at| at + 1);
        let json = rest.get(begins..).and_then(leading_json);
        let from = json.map_or(0, |(_, after)| rest.len() - after.len());
        let comma = rest.get(from..).and_then(|rest| rest.find(',')).map(|at| from + at);
        let (one, more) = comma.and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        answers.push(one.parse()?);
        match more.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(answers),
        }
    }
}

impl FromStr for Fate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (status, after) = match text.split_once('+') {
            None => (text.trim(), None),
            Some((status, after)) => {
                let length = duration(after)
                    .ok_or_else(|| format!("`{after}` is no time such as 20s or 1h30m"))?;
                (status.trim(), Some(length))
            }
        };
        if let Some(action) =
            [Action::Next, Action::AltNext].into_iter().find(|it| it.as_str() == status)
        {
            return Ok(Self { after, ..Self::answered(action) });
        }
        let actions = [Action::Next, Action::AltNext].map(Action::as_str);
        let known = || ENDS.iter().map(|status| status.as_str()).chain(actions);
        let found = ENDS.iter().find(|known| known.as_str() == status);
        let found = found.ok_or_else(|| {
            if let Some(meant) = nearest(status, known()) {
                return format!("`{status}` is no answer; did you mean `{meant}`?");
            }
            let known: Vec<&str> = known().collect();
            format!("`{status}` is no answer; expected one of {}", known.join(", "))
        })?;
        Ok(Self { after, ..Self::of(*found) })
    }
}

/// What a delivery can come to.
const ENDS: [DeliveryStatus; 10] = [
    DeliveryStatus::Sent,
    DeliveryStatus::Answered,
    DeliveryStatus::Completed,
    DeliveryStatus::Delivered,
    DeliveryStatus::Busy,
    DeliveryStatus::NoAnswer,
    DeliveryStatus::Rejected,
    DeliveryStatus::Machine,
    DeliveryStatus::Undelivered,
    DeliveryStatus::Failed,
];

/// What the deliveries of a step can come to.
fn ends(step: &Step) -> &'static [DeliveryStatus] {
    match step.config.stay(None, &Calendars::new()).sends {
        Sends::One { channel, .. } => of_channel(channel),
        Sends::Nothing | Sends::Unknown => &ENDS,
    }
}

fn of_channel(channel: &str) -> &'static [DeliveryStatus] {
    use DeliveryStatus::{
        Answered, Busy, Completed, Delivered, Failed, Machine, NoAnswer, Rejected, Sent,
        Undelivered,
    };
    match channel {
        "phone" => &[Sent, Answered, Completed, Busy, NoAnswer, Rejected, Machine, Failed],
        "sms" => &[Sent, Delivered, Undelivered, Failed],
        WEBHOOK => &[Sent, Completed, Failed],
        _ => &[Sent, Failed],
    }
}

/// What a delivery can come to, if it is no question.
pub(crate) fn ends_on(asked: &Asked<'_>) -> &'static [DeliveryStatus] {
    match asked.channel {
        // Nothing is read of what it answers.
        WEBHOOK if !asked.awaits_answer() => of_channel(""),
        WEBHOOK => &[DeliveryStatus::Completed, DeliveryStatus::Failed],
        channel => of_channel(channel),
    }
}

/// How far the deliveries of a step have to come for it to go on.
pub(super) fn awaited(step: Option<&Step>) -> DeliveryStatus {
    match step.map(|step| step.config.stay(None, &Calendars::new()).rest) {
        Some(Rest::Delivery(status)) => status,
        _ => DeliveryStatus::Sent,
    }
}

impl Answers for &[Answer] {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        given(self, asked).map_or_else(|| Fate::usual(asked), |answer| answer.fate)
    }

    fn said(&mut self, asked: &Asked<'_>) -> Option<Value> {
        given(self, asked)?.said.clone()
    }
}

/// The answer that is given to a delivery.
fn given<'a>(answers: &'a [Answer], asked: &Asked<'_>) -> Option<&'a Answer> {
    let of_step = |answer: &&Answer| answer.step == asked.step;
    let exact = answers.iter().rfind(|one| of_step(one) && one.stay == Some(asked.stay));
    exact.or_else(|| answers.iter().rfind(|one| of_step(one) && one.stay.is_none()))
}

impl Asked<'_> {
    /// Whether its step goes on once a server has answered.
    fn awaits_answer(&self) -> bool {
        self.channel == WEBHOOK && self.request.get("answer") == Some(&Value::Bool(true))
    }

    /// What is heard of it with this fate, one after the other.
    pub(crate) fn told(&self, fate: Fate, said: Option<Value>) -> Vec<Told> {
        let answer = self.answered(fate, said);
        let tell = |(after, status)| Told { after, status, error: None, answer: answer.clone() };
        let mut all: Vec<Told> = fate.story(self.channel).into_iter().map(tell).collect();
        all.extend(self.given_up(fate));
        all
    }

    /// That is the end of it, if the step waits for more and nobody says more.
    fn given_up(&self, fate: Fate) -> Option<Told> {
        let failed = |after, error: String| {
            let (status, error) = (DeliveryStatus::Failed, Some(error));
            Some(Told { after, status, error, answer: None })
        };
        let after = fate.after.unwrap_or_default();
        if fate.status != DeliveryStatus::Sent || fate.action.is_some() {
            return None;
        }
        if self.awaits_answer() {
            return failed(after, "the server did not answer".to_owned());
        }
        // Asked for some more minutes, it is silent still.
        let silent = after + LONGEST_SILENCE + LONGEST_DOUBT;
        (self.awaits > DeliveryStatus::Sent).then(|| failed(silent, silence())).flatten()
    }

    /// What the step hears of a delivery with this fate, beside how far it came.
    fn answered(&self, fate: Fate, said: Option<Value>) -> Option<rungs_runners::Answer> {
        let is_act = self.channel == process::CHANNEL;
        let (result, message) = match said {
            Some(Value::Object(said)) if is_act => (Some(Box::new(said)), None),
            _ if is_act => acted(self.request, self.delivery, fate.action),
            said if self.awaits_answer() && fate.status == DeliveryStatus::Completed => {
                let result = json!({ "httpStatus": 200, "answer": said });
                (result.as_object().cloned().map(Box::new), Some("HTTP 200 OK".to_owned()))
            }
            _ => (None, None),
        };
        let action = fate.action.or(result.is_some().then_some(Action::Next))?;
        Some(rungs_runners::Answer { action, message, data: None, result, pause: None, at: 0 })
    }
}

/// What is answered to a step that starts or stops a process.
fn acted(
    request: &Value,
    delivery: &str,
    action: Option<Action>,
) -> (Option<Box<Map<String, Value>>>, Option<String>) {
    let Ok(act) = Act::deserialize(request) else { return (None, None) };
    if action != Some(Action::Next) {
        let what = if matches!(act, Act::Start { .. }) { "started" } else { "stopped" };
        return (None, Some(format!("not {what}")));
    }
    let answer = match act {
        Act::Start { process_id, .. } => {
            process::started(process_id.as_deref().unwrap_or(delivery), true)
        }
        Act::Stop { process_id } => process::stopped(&process_id, true),
    };
    (answer.result, answer.message)
}

/// Whether nothing else is said of the same.
///
/// # Errors
/// There is, in words.
pub fn alone(answer: &Answer, besides: &[Answer]) -> Result<(), String> {
    let Answer { step, stay, .. } = answer;
    if besides.iter().any(|other| other.step == *step && other.stay == *stay) {
        let stay = stay.map(|stay| format!("#{stay}")).unwrap_or_default();
        return Err(format!("`{step}{stay}` is answered twice"));
    }
    Ok(())
}

/// What is wrong with answers that are meant for `sequence`: a step that is not there, or one
/// that reaches nobody; what its deliveries cannot come to; two for the same.
///
/// # Errors
/// The first of them, in words.
pub fn fit(answers: &[Answer], sequence: &Sequence) -> Result<(), String> {
    for (place, answer) in answers.iter().enumerate() {
        let Answer { step, fate, said, .. } = answer;
        alone(answer, answers.get(..place).unwrap_or_default())?;
        let Some(position) = sequence.position(step) else {
            let known = sequence.steps.iter().map(|step| step.id.as_str());
            let meant = nearest(step, known)
                .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            return Err(format!("there is no step `{step}`{meant}"));
        };
        let known = sequence.steps.get(position);
        let kind = known.map(|step| step.kind);
        if kind.is_some_and(|kind| !kind.delivers) {
            return Err(format!("step `{step}` reaches nobody, so nothing answers"));
        }
        if said.is_some() {
            if kind.is_none_or(|kind| kind.answered_by == AnsweredBy::Nobody) {
                return Err(format!("step `{step}` gets no answer in JSON"));
            }
            continue;
        }
        let is_question = kind.is_some_and(|kind| kind.asks);
        if is_question != fate.action.is_some() && fate.status != DeliveryStatus::Failed {
            let expected = if is_question { "next or altNext" } else { "how far it comes" };
            return Err(format!("step `{step}` is answered by {expected}"));
        }
        let ends = known.map_or(&ENDS[..], ends);
        if !is_question && !ends.contains(&fate.status) {
            let ends: Vec<&str> = ends.iter().map(|status| status.as_str()).collect();
            let (status, ends) = (fate.status, ends.join(", "));
            return Err(format!("step `{step}` never comes to `{status}`; expected one of {ends}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
