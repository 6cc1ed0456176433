//! What happens from outside: somebody starts, tells, stops; a provider calls back.

use std::sync::Arc;

use rungs::{
    engine::Engine,
    intake::{self, NewEvent, NewProcess, Refusal},
};
use rungs_core::{Report, Status};

use super::{
    provider::Callback,
    scenario::{Deed, What},
};

/// What somebody outside was answered.
pub enum Answer {
    Started {
        key: String,
        new: bool,
    },
    Stopped {
        key: String,
    },
    Told,
    Refused(String),
    /// The database was in trouble, which it never is.
    Trouble(String),
    Unimportant,
}

/// A callback, as intake writes it down once it is believed.
pub async fn call_back(engine: Arc<Engine>, callback: Callback) -> Answer {
    let Callback { delivery, heard, .. } = callback;
    let written = async {
        let Some(delivery) = engine.store.delivery(&delivery).await? else { return Ok(()) };
        let report = Report::Heard {
            status: heard.status,
            provider_id: heard.provider_id,
            error: heard.error,
            asked: false,
        };
        engine.store.report(vec![(delivery.id, report)], engine.clock.now()).await.map(drop)
    };
    match written.await {
        Ok(()) => {
            engine.wake.evaluator();
            Answer::Unimportant
        }
        Err(error) => Answer::Trouble(error.to_string()),
    }
}

/// Does something to a process from outside.
pub async fn act(engine: Arc<Engine>, deed: Deed, new: NewProcess) -> Answer {
    let id = &deed.process;
    let answer = match deed.what {
        What::Start => intake::start(&engine, new)
            .await
            .map(|started| Answer::Started { key: started.process.key, new: started.new }),
        What::Event { id: event, r#type, data } => {
            let event = NewEvent { id: Some(event), r#type: r#type.to_owned(), data };
            intake::event(&engine, id, event).await.map(|_| Answer::Told)
        }
        What::Stop => {
            intake::stop(&engine, id, None).await.map(|(process, _)| match process.status {
                // It had failed before, and stays failed: somebody may try it again.
                Status::Failed => Answer::Unimportant,
                _ => Answer::Stopped { key: process.key },
            })
        }
        What::Pause => intake::pause(&engine, id).await.map(|_| Answer::Unimportant),
        What::Resume => intake::resume(&engine, id).await.map(|_| Answer::Unimportant),
        What::Move { name, source } => move_all(&engine, &name, &source).await,
    };
    answer.unwrap_or_else(|refusal| match refusal {
        Refusal::Store(error) => Answer::Trouble(error.to_string()),
        other => Answer::Refused(other.to_string()),
    })
}

async fn move_all(engine: &Engine, name: &str, source: &str) -> Result<Answer, Refusal> {
    let published = intake::publish(engine, None, source).await?;
    intake::move_processes(engine, name, published.version, false, |_| {}).await?;
    Ok(Answer::Unimportant)
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Started { new: true, .. } => f.write_str("started"),
            Self::Started { new: false, .. } => f.write_str("it is live already"),
            Self::Stopped { .. } => f.write_str("it is stopped"),
            Self::Told | Self::Unimportant => f.write_str("done"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Trouble(why) => write!(f, "the database is in trouble: {why}"),
        }
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("is started"),
            Self::Event { id, r#type, data } => write!(f, "is told {type} {data} as {id}"),
            Self::Stop => f.write_str("is stopped"),
            Self::Pause => f.write_str("is paused"),
            Self::Resume => f.write_str("is resumed"),
            Self::Move { name, .. } => write!(f, "and all others of {name} are moved"),
        }
    }
}
