//! What becomes of the deliveries of a simulation.

use std::str::FromStr;

use chrono::TimeDelta;
use rungs_runners::{Action, DeliveryStatus};
use serde_json::Value;

use super::Line;
use crate::{Process, Sequence, check::nearest, happening::duration};

/// Who decides what becomes of a delivery.
pub trait Answers {
    /// What becomes of this one.
    fn answer(&mut self, asked: &Asked<'_>) -> Fate;

    /// The same in full, for those who know more of it than a [`Fate`] says.
    fn told(&mut self, asked: &Asked<'_>) -> Vec<Told> {
        self.answer(asked).told(asked.channel)
    }

    /// Sees each cycle once it is over: the process, and what the cycle told.
    fn watch(&mut self, _process: &Process, _told: &[Line]) {}
}

/// Something that is heard of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// How long after it was written.
    pub after: TimeDelta,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// What went wrong.
    pub error: Option<String>,
    /// What is answered, if it is a question. Its moment is set when it is heard.
    pub answer: Option<rungs_runners::Answer>,
}

/// A delivery that leaves.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The step that wrote it.
    pub step: &'a str,
    /// Which stay at the step that is, from 1.
    pub stay: u32,
    /// Its channel.
    pub channel: &'a str,
    /// Whether it is a question to a runner that lives elsewhere.
    pub is_question: bool,
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
            _ => Self::of(DeliveryStatus::Sent),
        }
    }

    /// What can become of a delivery: the good end, and the usual bad one. Which of the bad
    /// ones it is makes no difference to a ladder that does not ask.
    pub fn possible(asked: &Asked<'_>) -> [Self; 2] {
        use DeliveryStatus::{Answered, Delivered, Failed, NoAnswer, Sent, Undelivered};
        match asked.channel {
            _ if asked.is_question => [Action::Next, Action::AltNext].map(Self::answered),
            "phone" => [Answered, NoAnswer].map(Self::of),
            "sms" => [Delivered, Undelivered].map(Self::of),
            _ => [Sent, Failed].map(Self::of),
        }
    }

    fn told(self, channel: &str) -> Vec<Told> {
        let answer = self.action.map(|action| rungs_runners::Answer {
            action,
            message: None,
            data: None,
            pause: None,
            at: 0,
        });
        let story = self.story(channel).into_iter();
        story
            .map(|(after, status)| Told { after, status, error: None, answer: answer.clone() })
            .collect()
    }

    /// What is heard of it, and how long after it was written.
    pub(crate) fn story(self, channel: &str) -> Vec<(TimeDelta, DeliveryStatus)> {
        use DeliveryStatus::{Answered, Completed, Failed, Machine, NoAnswer, Sent};
        let usual = match self.status {
            _ if self.action.is_some() => 0,
            Answered | Completed | Machine => 10,
            NoAnswer => RINGS,
            Sent | Failed => 0,
            _ => 5,
        };
        let after = self.after.unwrap_or_else(|| TimeDelta::seconds(usual));
        match self.status {
            // It is answered, or it never left.
            status if self.action.is_some() || status == Failed => vec![(after, status)],
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
        Ok(Self { step: step.to_owned(), stay, fate: what.parse()? })
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
        let known = || ENDS.iter().map(|status| status.as_str());
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

impl Answers for &[Answer] {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        let of_step = |answer: &&Answer| answer.step == asked.step;
        let exact = self.iter().rfind(|one| of_step(one) && one.stay == Some(asked.stay));
        let any = || self.iter().rfind(|one| of_step(one) && one.stay.is_none());
        exact.or_else(any).map_or_else(|| Fate::usual(asked), |answer| answer.fate)
    }
}

/// What is wrong with answers that are meant for `sequence`: a step that is not there, or one
/// that reaches nobody.
///
/// # Errors
/// The first of them, in words.
pub fn fit(answers: &[Answer], sequence: &Sequence) -> Result<(), String> {
    for Answer { step, fate, .. } in answers {
        let Some(position) = sequence.position(step) else {
            let known = sequence.steps.iter().map(|step| step.id.as_str());
            let meant = nearest(step, known)
                .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            return Err(format!("there is no step `{step}`{meant}"));
        };
        let kind = sequence.steps.get(position).map(|step| step.kind);
        if kind.is_some_and(|kind| !kind.delivers) {
            return Err(format!("step `{step}` reaches nobody, so nothing answers"));
        }
        let is_question = kind.is_some_and(|kind| kind.asks);
        if is_question != fate.action.is_some() && fate.status != DeliveryStatus::Failed {
            let expected = if is_question { "next or altNext" } else { "how far it comes" };
            return Err(format!("step `{step}` is answered by {expected}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_a_step_and_perhaps_a_stay_and_a_time() {
        let read = |text: &str| text.parse::<Answer>().unwrap();
        let answered = Fate::of(DeliveryStatus::Answered);
        assert_eq!(
            read("ring=answered"),
            Answer { step: "ring".into(), stay: None, fate: answered }
        );
        let one = read("ring#2=no-answer+1m30s");
        assert_eq!((one.stay, one.fate.after), (Some(2), Some(TimeDelta::seconds(90))));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, expected) in [
            ("ring", "no answer such as"),
            ("=answered", "names no step"),
            ("ring#0=answered", "counts from 1"),
            ("ring#x=answered", "counts from 1"),
            ("ring=answred", "did you mean `answered`"),
            ("ring=maybe", "expected one of sent, answered"),
            ("ring=pending", "is no answer"),
            ("ring=answered+soon", "no time"),
        ] {
            let error = text.parse::<Answer>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
