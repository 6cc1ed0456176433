//! The Lambda door: one program, and three functions by configuration.
//!
//! Promises: the database is opened, and brought up to date, in the cold start. Its
//! connections are few, since a fleet of functions shares it, and stay open between two
//! invocations; one that was lost meanwhile is replaced. What keeps a function from starting is
//! said in one line.
//! Nothing goes on between two invocations, when the machine stands still: a function answers
//! once what it began has ended.
//! Does not: decide. Each function calls one thing below.
//! Called by: `bootstrap`.

use std::{process::ExitCode, sync::Arc};

use lambda_runtime::Error;

use crate::{
    cli::{Failure, log, open},
    config::{Config, Function},
    engine::Engine,
};

mod evaluate;
mod http;
mod intake;

/// Connections of one instance. It does one thing at a time.
const MOST_CONNECTIONS: u32 = 2;

/// Runs the function until Lambda ends it.
pub fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime
        .map_err(|error| Failure::refused(format!("no threads can be started: {error}")))
        .and_then(|runtime| runtime.block_on(start()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn start() -> Result<(), Failure> {
    let mut config = Config::load(None)?;
    let _logging = log::start(&config.log)?;
    let function = config.lambda.function.ok_or_else(|| {
        Failure::refused(
            "RUNGS_FUNCTION says which function this is: `http`, `intake` or `evaluate`",
        )
    })?;
    config.database.connections = config.database.connections.min(MOST_CONNECTIONS);
    if function == Function::Http && config.api_keys.is_empty() {
        return Err(Failure::refused(
            "others can reach this function, so it needs an API key: set RUNGS_API_KEYS",
        ));
    }
    let engine = cold_start(&config).await?;
    let ended = match function {
        Function::Http => http::serve(engine, &config).await,
        Function::Intake => intake::serve(engine, &config).await,
        Function::Evaluate => evaluate::serve(engine).await,
    };
    ended.map_err(|error: Error| Failure::refused(format!("the runtime's API: {error}")))
}

async fn cold_start(config: &Config) -> Result<Arc<Engine>, Failure> {
    let options = open::options(config);
    let store = open::connect(&options).await?;
    if store.is_sqlite() {
        return Err(Failure::refused(
            "a function's files are gone when it is: let RUNGS_DATABASE_URL name a PostgreSQL",
        ));
    }
    store.migrate().await?;
    let engine = open::engine(config, store)?;
    for notice in engine.channels.notices() {
        tracing::warn!("{notice}");
    }
    Ok(engine)
}
