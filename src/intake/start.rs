//! The only birth of a process.

use std::{collections::HashMap, sync::Arc};

use rungs_core::{Process, Sequence, Start};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    engine::Engine,
    store::{
        imports::{Brought, Origin},
        sequences::{NewSequence, Published},
    },
};

use super::{Refusal, check_new_id, check_size, sequences};

/// A process to start.
#[derive(Debug, Clone)]
pub struct NewProcess {
    /// The caller's id; without one it gets a UUIDv7.
    pub process_id: Option<String>,
    /// What it climbs.
    pub climb: Climb,
    /// What it is about.
    pub data: Value,
}

/// What a process climbs.
#[derive(Debug, Clone)]
pub enum Climb {
    /// A published sequence; without a version, the newest.
    Stored {
        /// Its name.
        name: String,
        /// Its version.
        version: Option<i32>,
    },
    /// Steps that come with the process, and whatever else a sequence may say.
    Inline(Value),
}

/// A start as callers write it: of a published sequence, or with steps of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The caller's id; without one it gets a UUIDv7.
    pub process_id: Option<String>,
    /// Name of a published sequence.
    pub sequence: Option<String>,
    /// Version of it; without one, the newest.
    pub version: Option<i32>,
    /// Steps, in place of a sequence.
    pub steps: Option<Value>,
    /// IANA time zone of these steps.
    pub timezone: Option<String>,
    /// JSON Schema that the data must fit, for these steps.
    pub input: Option<Value>,
    /// What the process is about.
    #[serde(default)]
    pub data: Value,
}

impl Asked {
    /// What is to be started.
    ///
    /// # Errors
    /// Fields that do not go together.
    pub fn understand(self) -> Result<NewProcess, Refusal> {
        let Self { process_id, sequence, version, steps, timezone, input, data } = self;
        let climb = match (sequence, steps) {
            (Some(name), None) => {
                let of_steps = [("timezone", timezone.is_some()), ("input", input.is_some())];
                if let Some((key, _)) = of_steps.iter().find(|(_, given)| *given) {
                    let message = "it goes with `steps`; a published sequence has its own";
                    return Err(Refusal::invalid(format!("/{key}"), message));
                }
                Climb::Stored { name, version }
            }
            (None, Some(steps)) => {
                if version.is_some() {
                    return Err(Refusal::invalid("/version", "it goes with `sequence`"));
                }
                let mut definition = Map::new();
                definition.extend(timezone.map(|zone| ("timezone".to_owned(), zone.into())));
                definition.extend(input.map(|input| ("input".to_owned(), input)));
                definition.insert("steps".to_owned(), steps);
                Climb::Inline(Value::Object(definition))
            }
            _ => return Err(Refusal::invalid("", "expected either `sequence` or `steps`")),
        };
        Ok(NewProcess { process_id, climb, data })
    }
}

/// What came of a start.
#[derive(Debug, Clone)]
pub struct Started {
    /// The process that bears the id now.
    pub process: Process,
    /// False if it was live already: nothing changed.
    pub new: bool,
}

/// Starts a process, unless one with its id is live.
///
/// # Errors
/// What is wrong with the request.
pub async fn start(engine: &Engine, new: NewProcess) -> Result<Started, Refusal> {
    let process = Arc::new(prepare(engine, new, &mut Newest::default()).await?);
    let new = engine.store.insert_one(Arc::clone(&process), engine.clock.now()).await?;
    engine.wake.evaluator();
    let process = Arc::unwrap_or_clone(process);
    if new { Ok(Started { process, new }) } else { already(engine, process).await }
}

/// Starts a process that is in another system, unless it was brought before or one with its
/// id is live.
pub(super) async fn start_once(
    engine: &Engine,
    new: NewProcess,
    origin: Origin<'_>,
) -> Result<Brought, Refusal> {
    let process = prepare(engine, new, &mut Newest::default()).await?;
    let brought = engine.store.insert_once(&process, origin, engine.clock.now()).await?;
    engine.wake.evaluator();
    Ok(brought)
}

/// The newest version of each sequence that a batch names.
pub(super) type Newest = HashMap<String, (Arc<Sequence>, i32)>;

/// Starts many processes in one transaction; each is answered for itself.
///
/// # Errors
/// The database's: then none was started.
pub async fn start_batch(
    engine: &Engine,
    batch: Vec<NewProcess>,
) -> Result<Vec<Result<Started, Refusal>>, Refusal> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut newest = Newest::default();
    for new in batch {
        answers.push(match prepare(engine, new, &mut newest).await {
            Err(Refusal::Store(error)) => return Err(error.into()),
            prepared => prepared,
        });
    }
    let ready: Vec<&Process> = answers.iter().flatten().collect();
    let mut born = engine.store.insert(&ready, engine.clock.now()).await?.into_iter();
    engine.wake.evaluator();
    let mut started = Vec::with_capacity(answers.len());
    for answer in answers {
        started.push(match answer {
            Ok(process) if born.next() == Some(true) => {
                let Process { process_id, sequence, version, .. } = &process;
                tracing::debug!(process = process_id, sequence, version, "a process was started");
                Ok(Started { process, new: true })
            }
            Ok(process) => Ok(already(engine, process).await?),
            Err(refusal) => Err(refusal),
        });
    }
    Ok(started)
}

async fn already(engine: &Engine, wanted: Process) -> Result<Started, Refusal> {
    let live = engine.store.process(&wanted.process_id).await?;
    // It may be this very one, committed by somebody who did not live to say so.
    let new = live.as_ref().is_some_and(|live| live.key == wanted.key);
    Ok(Started { process: live.unwrap_or(wanted), new })
}

/// A process that can be born.
pub(super) async fn prepare(
    engine: &Engine,
    new: NewProcess,
    newest: &mut Newest,
) -> Result<Process, Refusal> {
    let key = engine.keys.fresh(engine.clock.now());
    if let Some(id) = &new.process_id {
        check_new_id("/process_id", id)?;
    }
    check_size("/data", &new.data)?;
    let (sequence, version) = match new.climb {
        Climb::Stored { name, version: None } => match newest.get(&name) {
            Some(known) => known.clone(),
            None => {
                newest.entry(name.clone()).or_insert(stored(engine, &name, None).await?).clone()
            }
        },
        Climb::Stored { name, version } => stored(engine, &name, version).await?,
        Climb::Inline(definition) => inline(engine, definition).await?,
    };
    let start = Start {
        process_id: new.process_id.unwrap_or_else(|| key.clone()),
        key,
        version,
        data: new.data,
        default_timezone: engine.options.timezone,
        now: engine.clock.now(),
    };
    rungs_core::start(&sequence, start).map_err(Refusal::Data)
}

async fn stored(
    engine: &Engine,
    name: &str,
    version: Option<i32>,
) -> Result<(Arc<Sequence>, i32), Refusal> {
    let asked = version;
    let newest = match version {
        Some(version) => Some(version),
        None => engine.store.newest_version(name).await?,
    };
    let version = newest.ok_or_else(|| Refusal::UnknownSequence(name.to_owned()))?;
    if let Some(Ok(sequence)) = engine.sequences.get(name, version) {
        return Ok((sequence, version));
    }
    let Some(row) = engine.store.sequence(name, Some(version)).await? else {
        return Err(Refusal::unknown(engine, name, asked).await?);
    };
    parsed(engine, name, version, &row.source).map(|sequence| (sequence, version))
}

fn parsed(
    engine: &Engine,
    name: &str,
    version: i32,
    source: &str,
) -> Result<Arc<Sequence>, Refusal> {
    engine
        .sequences
        .get(name, version)
        .unwrap_or_else(|| engine.sequences.parse(name, version, source, &engine.kinds))
        .map_err(|reason| Refusal::Conflict(reason.to_string()))
}

/// Inline steps are kept as a sequence under the name of what they say, so that a
/// thousand processes with the same steps share one.
async fn inline(engine: &Engine, definition: Value) -> Result<(Arc<Sequence>, i32), Refusal> {
    let Value::Object(mut definition) = definition else {
        return Err(Refusal::invalid("/steps", "expected a list of steps"));
    };
    let hash = sequences::hash(&Value::Object(definition.clone()).to_string());
    let name = format!("inline-{}", &hash[..16]);
    definition.insert("sequence".to_owned(), json!(name));
    let source = serde_json::to_string_pretty(&definition).unwrap_or_default();
    if engine.sequences.get(&name, 1).is_none() {
        let checked = rungs_core::check(&source, &engine.kinds);
        sequences::accepted(checked.sequence, &checked.diagnostics, &source)?;
    }
    let new = NewSequence { name: &name, source: &source, hash: &hash, inline: true };
    let Published { version, .. } = engine.store.publish(&new, engine.clock.now()).await?;
    Ok((parsed(engine, &name, version, &source)?, version))
}
