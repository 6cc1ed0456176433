//! What steps do to processes: `Start` and `Stop` come in here, as starts and stops from
//! outside do, and are checked as those are.
//!
//! Promises: done once. What cannot be done is told to the step, with what is wrong.
//! Called by: the engine, as its [`engine::Acts`].

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rungs_core::Process;
use rungs_runners::builtin::process::{self, Act};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    engine::{self, Engine},
    store::{
        Result, acts,
        deliveries::{Begun, Told},
    },
};

use super::{
    Climb, NewProcess, Refusal,
    start::{Newest, prepare},
};

/// Generations of processes that start each other within [`GENERATION`] of each other. A
/// chain that is longer is taken for sequences that start each other in a circle.
const MOST_DEPTH: u32 = 10;
/// A process that has lived so long is not one link of a chain that runs away.
const GENERATION: TimeDelta = TimeDelta::hours(1);
/// What is wrong with data is told in so many words.
const MOST_TOLD: usize = 3;

/// Starts and stops processes for steps.
#[derive(Debug)]
pub struct Acts;

#[async_trait]
impl engine::Acts for Acts {
    async fn act(&self, engine: &Engine, begun: &Begun) -> Result<Vec<Told>> {
        let request: Value = serde_json::from_str(&begun.request).unwrap_or_default();
        let told = match Act::deserialize(&request) {
            Ok(Act::Start { sequence, process_id, data }) => {
                let new = NewProcess {
                    process_id: Some(process_id.unwrap_or_else(|| begun.id.clone())),
                    climb: Climb::Stored { name: sequence, version: None },
                    data: Value::Object(data),
                };
                start(engine, begun, new).await?
            }
            Ok(Act::Stop { process_id }) => {
                let act = acts::Act::Stop(&process_id, process::by(&begun.process_id));
                let answer = |done| process::stopped(&process_id, done);
                engine.store.act(begun, &act, answer, engine.clock.now()).await?
            }
            Err(error) => {
                refuse(engine, begun, format!("the request is malformed: {error}")).await?
            }
        };
        engine.wake.evaluator();
        Ok(told)
    }
}

async fn start(engine: &Engine, begun: &Begun, new: NewProcess) -> Result<Vec<Told>> {
    let now = engine.clock.now();
    let parent = engine.store.process_by_key(&begun.process_key).await?;
    let depth = parent.as_ref().map_or(0, |parent| depth_below(parent, now));
    if depth > MOST_DEPTH {
        let reason = format!(
            "{MOST_DEPTH} generations of processes have started each other within the hour"
        );
        return refuse(engine, begun, reason).await;
    }
    let process = match prepare(engine, new, &mut Newest::default()).await {
        Ok(mut process) => {
            process.state.depth = depth;
            process
        }
        Err(Refusal::Store(error)) => return Err(error),
        Err(refusal) => return refuse(engine, begun, told(&refusal)).await,
    };
    let answer = |new| process::started(&process.process_id, new);
    engine.store.act(begun, &acts::Act::Start(&process), answer, now).await
}

fn depth_below(parent: &Process, now: DateTime<Utc>) -> u32 {
    let before = if now - parent.started_at < GENERATION { parent.state.depth } else { 0 };
    before.saturating_add(1)
}

async fn refuse(engine: &Engine, begun: &Begun, reason: String) -> Result<Vec<Told>> {
    let act = acts::Act::Refuse(reason);
    // Nothing is answered to what is refused.
    let answer = |_| process::started("", false);
    engine.store.act(begun, &act, answer, engine.clock.now()).await
}

/// A refusal in one line.
fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Data(problems) => {
            let each = problems.iter().take(MOST_TOLD).map(|problem| {
                let place = if problem.pointer.is_empty() { "" } else { " " };
                let message: String = problem.message.chars().take(200).collect();
                format!("{}{place}{message}", problem.pointer)
            });
            format!("the data do not fit: {}", each.collect::<Vec<_>>().join("; "))
        }
        Refusal::Invalid { pointer, message } => format!("{pointer}: {message}"),
        other => other.to_string(),
    }
}
