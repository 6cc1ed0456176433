//! The providers: they belong to the world, and remember what they took.
//!
//! What a provider does with a delivery depends on the seed, on process and step, and on
//! which visit of the step wrote it; not on when or through which program the request comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rungs::channels::{
    AsksStatus, Channel, Enquiry, Heard, Outgoing, Search, Searches, SendError, SendsMany, Sent,
};
use rungs_runners::{Action, Answer, DeliveryStatus};
use serde_json::{Value, json};

use super::{
    dice::Dice,
    scenario::Scenario,
    stage::{Point, Stage},
};

/// A request that a provider took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub delivery: String,
    pub attempt: u32,
    pub program: usize,
    pub provider_id: String,
    pub channel: &'static str,
    /// Whom it was to reach, and with which words.
    to: Value,
    words: Value,
    pub tick: u64,
    pub at: DateTime<Utc>,
    /// What becomes of it, and when.
    pub story: Vec<(DateTime<Utc>, DeliveryStatus)>,
}

/// A callback on its way.
#[derive(Debug, Clone)]
pub struct Callback {
    pub at: DateTime<Utc>,
    pub delivery: String,
    pub heard: Heard,
}

/// Everything that providers know. The only truth about who was reached.
pub struct Providers {
    scenario: Scenario,
    /// The real time, whatever clocks show.
    pub now: DateTime<Utc>,
    /// The world's step.
    pub tick: u64,
    pub taken: Vec<Taken>,
    pub callbacks: Vec<Callback>,
    /// Attempts of which the provider gave no answer: delivery and attempt.
    pub unanswered: Vec<(String, u32)>,
    /// Attempts that have come to a channel: delivery, attempt, and when they say it is.
    pub made: Vec<(String, u32, DateTime<Utc>)>,
    /// What each question was answered, by its delivery. Whoever asks again gets the same.
    pub answers: BTreeMap<String, Value>,
    /// What was not found, since the clock of who searched was wrong by more than is allowed for.
    pub hidden: BTreeSet<String>,
    /// Deliveries of each process and step, in the order in which they were first tried.
    written: BTreeMap<(String, String), Vec<String>>,
    /// How many requests came for each delivery.
    requests: BTreeMap<String, u32>,
    questions: u64,
    /// What there is to tell of it.
    pub told: Vec<String>,
}

impl Providers {
    pub fn new(scenario: Scenario, now: DateTime<Utc>) -> Self {
        Self {
            scenario,
            now,
            tick: 0,
            taken: vec![],
            callbacks: vec![],
            unanswered: vec![],
            made: vec![],
            answers: BTreeMap::new(),
            hidden: BTreeSet::new(),
            written: BTreeMap::new(),
            requests: BTreeMap::new(),
            questions: 0,
            told: vec![],
        }
    }

    /// Which of the deliveries of its step this is, from 1.
    fn ordinal(&mut self, outgoing: &Outgoing) -> usize {
        let step = (outgoing.process_id.clone(), outgoing.step.clone());
        let written = self.written.entry(step).or_default();
        if let Some(at) = written.iter().position(|id| *id == outgoing.id) {
            return at + 1;
        }
        written.push(outgoing.id.clone());
        written.len()
    }

    fn receive(
        &mut self,
        channel: &'static str,
        outgoing: &Outgoing,
        program: usize,
    ) -> Result<Sent, SendError> {
        let ordinal = self.ordinal(outgoing);
        let requests = self.requests.entry(outgoing.id.clone()).or_default();
        *requests += 1;
        let request = *requests;
        let place = (&outgoing.process_id, &outgoing.step, ordinal);
        let mut fate = Dice::of((self.scenario.seed, "fate", place));
        let mut mood = Dice::of((self.scenario.seed, "mood", place, request));
        let mood = if self.scenario.troubled { mood.index(100) } else { 0 };
        let in_doubt = || SendError::InDoubt { reason: "timed out".to_owned() };
        let (told, answer) = match mood {
            0..70 => ("takes it", None),
            70..80 => ("takes it and does not answer", Some(in_doubt())),
            80..86 => ("hears nothing, and does not answer", Some(in_doubt())),
            86..93 => {
                let retry_after = (mood > 90).then(|| Duration::from_secs(90));
                let reason = "out of order".to_owned();
                ("is out of order", Some(SendError::Temporary { reason, retry_after }))
            }
            _ => {
                let status = DeliveryStatus::Failed;
                let reason = "not that number".to_owned();
                ("refuses it", Some(SendError::Refused { status, reason }))
            }
        };
        let (process, step, attempt) = (&outgoing.process_id, &outgoing.step, outgoing.attempt);
        self.told.push(format!(
            "the {channel} provider {told}: {process} {step}#{ordinal}, attempt {attempt}"
        ));
        if matches!(answer, Some(SendError::InDoubt { .. })) {
            self.unanswered.push((outgoing.id.clone(), attempt));
        }
        if mood >= 80 {
            return Err(answer.expect("a refusal of some kind"));
        }
        let provider_id = format!("X{}", self.taken.len() + 1);
        let story = self.story(channel, outgoing, &mut fate);
        self.call_back(outgoing, &provider_id, &story, &mut fate);
        self.taken.push(Taken {
            delivery: outgoing.id.clone(),
            attempt,
            program,
            provider_id: provider_id.clone(),
            channel,
            to: outgoing.request["to"].clone(),
            words: outgoing.request["message"].clone(),
            tick: self.tick,
            at: self.now,
            story,
        });
        match answer {
            Some(error) => Err(error),
            None => Ok(Sent {
                provider_id: (channel != "email").then_some(provider_id),
                status: DeliveryStatus::Sent,
                then: vec![],
                answer: None,
            }),
        }
    }

    /// A runner that lives elsewhere answers, or something comes in the place of it.
    fn asked(&mut self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let ordinal = self.ordinal(outgoing);
        let requests = self.requests.entry(outgoing.id.clone()).or_default();
        *requests += 1;
        let place = (&outgoing.process_id, &outgoing.step, ordinal, *requests);
        let mut mood = Dice::of((self.scenario.seed, "mood", place));
        let mood = if self.scenario.troubled { mood.index(100) } else { 0 };
        let answer = self.answer_to(outgoing, ordinal);
        let shown = answer.shown();
        let (process, step, attempt) = (&outgoing.process_id, &outgoing.step, outgoing.attempt);
        let told = if mood < 80 { shown.to_string() } else { "nothing".to_owned() };
        self.told
            .push(format!("{told} is answered to {process} {step}#{ordinal}, attempt {attempt}"));
        if mood < 80 {
            self.answers.insert(outgoing.id.clone(), shown);
        }
        let temporary = |reason: &str| {
            Err(SendError::Temporary { reason: reason.to_owned(), retry_after: None })
        };
        match mood {
            0..70 => Ok(Sent {
                provider_id: None,
                status: DeliveryStatus::Completed,
                then: vec![],
                answer: Some(answer),
            }),
            70..90 => temporary("no answer in time"),
            _ => {
                self.unanswered.push((outgoing.id.clone(), attempt));
                Err(SendError::InDoubt { reason: "the line broke".to_owned() })
            }
        }
    }

    fn answer_to(&self, outgoing: &Outgoing, ordinal: usize) -> Answer {
        let timeless = self.scenario.timeless;
        // How many there are depends on when things happen.
        let number = if timeless { 0 } else { ordinal };
        let place = (&outgoing.process_id, &outgoing.step, number);
        let mut dice = Dice::of((self.scenario.seed, "answer", place));
        let actions: &[Action] = match number {
            0 => &[Action::Next, Action::Next, Action::AltNext],
            1..5 => &[Action::Next, Action::Noop, Action::Noop, Action::AltNext],
            _ => &[Action::Next],
        };
        let data = match dice.index(3) {
            0 => None,
            1 if !timeless => Some(json!({ "n": dice.between(0, 3) })),
            _ => Some(json!({ "asked": { outgoing.step.as_str(): number }, "gone": null })),
        };
        Answer {
            action: dice.one(actions),
            message: Some(format!("the {number}.")),
            data: data.and_then(|data| data.as_object().cloned()),
            result: None,
            pause: dice.one(&[None, Some(0), Some(5_000), Some(400_000)]),
            at: 0,
        }
    }

    fn story(
        &self,
        channel: &str,
        outgoing: &Outgoing,
        fate: &mut Dice,
    ) -> Vec<(DateTime<Utc>, DeliveryStatus)> {
        use DeliveryStatus::{
            Answered, Busy, Completed, Delivered, Machine, NoAnswer, Rejected, Sent, Undelivered,
        };
        let ways: &[&[DeliveryStatus]] = match channel {
            "email" => &[&[]],
            "sms" => &[&[Delivered], &[Delivered], &[Undelivered]],
            _ => &[
                &[Answered, Completed],
                &[Answered, Completed],
                &[Answered, Completed],
                &[Busy],
                &[NoAnswer],
                &[Rejected],
                &[Answered, Machine],
            ],
        };
        let must_be_good = self.scenario.timeless
            && !self.scenario.awaits_the_end(&outgoing.process_id, &outgoing.step);
        let mut way = if must_be_good { ways[0] } else { fate.one(ways) };
        if self.scenario.timeless && way.ends_with(&[Machine]) {
            // Else it matters whether the answer is heard before it is known whose it is.
            way = &[Machine];
        }
        let mut at = self.now;
        let mut story = vec![(at, Sent)];
        for status in way {
            at += TimeDelta::milliseconds(fate.between(0, 40_000));
            story.push((at, *status));
        }
        story
    }

    fn call_back(
        &mut self,
        outgoing: &Outgoing,
        provider_id: &str,
        story: &[(DateTime<Utc>, DeliveryStatus)],
        fate: &mut Dice,
    ) {
        if !self.scenario.called_back || story.len() < 2 {
            return;
        }
        for (at, status) in story {
            let delays: &[i64] = match fate.index(10) {
                0 => &[],
                1 => &[0, 3_000],
                2 => &[70_000],
                3 => &[900_000],
                _ => &[0],
            };
            self.callbacks.extend(delays.iter().map(|delay| Callback {
                at: *at + TimeDelta::milliseconds(*delay),
                delivery: outgoing.id.clone(),
                heard: Heard {
                    provider_id: Some(provider_id.to_owned()),
                    status: *status,
                    error: None,
                },
            }));
        }
    }

    fn answer(&mut self, provider_id: &str) -> Result<Heard, SendError> {
        self.questions += 1;
        let mut mood = Dice::of((self.scenario.seed, "question", self.questions));
        if self.scenario.troubled && mood.percent(10) {
            let reason = "out of order".to_owned();
            return Err(SendError::Temporary { reason, retry_after: None });
        }
        let taken = self.taken.iter().find(|taken| taken.provider_id == provider_id);
        let Some(taken) = taken else {
            let reason = format!("there is no {provider_id}");
            return Err(SendError::Refused { status: DeliveryStatus::Failed, reason });
        };
        let status = taken.status(self.now);
        Ok(Heard { provider_id: Some(provider_id.to_owned()), status, error: None })
    }
}

impl Providers {
    /// Everything that may have come of a request, as Twilio lists it: by recipient, words
    /// where there are some, and date.
    fn search(&mut self, channel: &str, search: &Search<'_>) -> Result<Vec<Heard>, SendError> {
        self.questions += 1;
        let mut mood = Dice::of((self.scenario.seed, "question", self.questions));
        if self.scenario.troubled && mood.percent(15) {
            let reason = "out of order".to_owned();
            return Err(SendError::Temporary { reason, retry_after: None });
        }
        let mut found = Vec::new();
        for taken in &self.taken {
            let like_it = taken.channel == channel
                && taken.to == search.request["to"]
                && taken.words == search.request["message"];
            if !like_it {
                continue;
            }
            // Twilio's dates are whole seconds, and its channel allows for a skew.
            if taken.at >= search.since - TimeDelta::seconds(30) {
                let (id, status) = (taken.provider_id.clone(), taken.status(self.now));
                found.push(Heard { provider_id: Some(id), status, error: None });
            } else {
                self.hidden.insert(taken.provider_id.clone());
            }
        }
        let ids: Vec<&str> =
            found.iter().filter_map(|heard| heard.provider_id.as_deref()).collect();
        let to = &search.request["to"];
        self.told.push(format!(
            "the {channel} provider is searched for what went to {to}: it has {ids:?}"
        ));
        Ok(found)
    }
}

impl Taken {
    /// How far it has come by then.
    pub fn status(&self, now: DateTime<Utc>) -> DeliveryStatus {
        let so_far = self.story.iter().take_while(|(at, _)| *at <= now);
        so_far.last().map_or(DeliveryStatus::Sent, |(_, status)| *status)
    }

    /// How it ended.
    pub fn end(&self) -> DeliveryStatus {
        self.story.last().map_or(DeliveryStatus::Sent, |(_, status)| *status)
    }
}

/// One program's way to a provider.
pub struct Way {
    pub channel: &'static str,
    pub program: usize,
    pub stage: Arc<Stage>,
    pub providers: Arc<Mutex<Providers>>,
    pub called_back: bool,
}

#[async_trait]
impl Channel for Way {
    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let made = (outgoing.id.clone(), outgoing.attempt, outgoing.now);
        self.providers.lock().unwrap().made.push(made);
        self.stage.stand(self.program, Point::Send).await;
        let answer = self.providers.lock().unwrap().receive(self.channel, outgoing, self.program);
        self.stage.stand(self.program, Point::Sent).await;
        answer
    }

    fn asks(&self) -> Option<&dyn AsksStatus> {
        (self.channel != "email").then_some(self as &dyn AsksStatus)
    }

    fn searches(&self) -> Option<&dyn Searches> {
        // A mail is repeated under the same `Message-ID`.
        (self.channel != "email").then_some(self as &dyn Searches)
    }
}

/// One program's way to a runner that lives elsewhere.
pub struct Asking(pub Way);

#[async_trait]
impl Channel for Asking {
    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        self.send_many(std::slice::from_ref(outgoing)).await.remove(0)
    }

    fn sends_many(&self) -> Option<&dyn SendsMany> {
        Some(self)
    }
}

#[async_trait]
impl SendsMany for Asking {
    fn most(&self) -> usize {
        3
    }

    async fn send_many(&self, outgoing: &[Outgoing]) -> Vec<Result<Sent, SendError>> {
        let Way { program, stage, providers, .. } = &self.0;
        let made = outgoing.iter().map(|one| (one.id.clone(), one.attempt, one.now));
        providers.lock().unwrap().made.extend(made);
        stage.stand(*program, Point::Send).await;
        let answers = {
            let mut providers = providers.lock().unwrap();
            outgoing.iter().map(|one| providers.asked(one)).collect()
        };
        stage.stand(*program, Point::Sent).await;
        answers
    }
}

#[async_trait]
impl AsksStatus for Way {
    async fn status(&self, enquiry: &Enquiry<'_>) -> Result<Heard, SendError> {
        self.stage.stand(self.program, Point::Ask).await;
        self.providers.lock().unwrap().answer(enquiry.provider_id)
    }

    fn is_called_back(&self) -> bool {
        self.called_back
    }
}

#[async_trait]
impl Searches for Way {
    async fn search(&self, search: &Search<'_>) -> Result<Vec<Heard>, SendError> {
        self.stage.stand(self.program, Point::Ask).await;
        self.providers.lock().unwrap().search(self.channel, search)
    }
}
