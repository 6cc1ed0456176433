//! `serve`: the API, the engine and whoever follows the queue in one program, until somebody
//! ends it.
//!
//! Promises: what keeps it from serving is said in one line before anything has happened.
//! Ended by a signal, it begins nothing more and waits for what is under way; a second
//! signal ends it at once, and what was under way then is repeated.

use std::{process, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, ApiState},
    channels::{Channels, twilio::Callbacks},
    clock::{Clock, Stopwatch},
    config::Config,
    engine::{self, Engine, heartbeat::Heart},
    store::{self, Store, StoreError},
};

use super::{
    Context, Failure, Result, lock::Lock, log, open, queue, queue::Source, signals::Signals,
};

/// How long a database may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks for it.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the API listens, in place of RUNGS_LISTEN. Any address but loopback needs
    /// RUNGS_API_KEYS.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub(super) async fn serve(args: Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let _logging = log::start(&config.log)?;
    let listen = args.listen.as_ref().unwrap_or(&config.listen);
    let address = api::check_listen(listen, &config.api_keys)
        .map_err(|error| Failure::refused(error.to_string()))?;
    let channels = Channels::open(&config.channels())?;
    let heart = Heart::open(&config.heartbeat)?;
    let source = queue::open(&config)?;
    let options = open::options(&config);
    let _lock = options.file().map(|file| Lock::take(&file)).transpose()?;
    tracing::info!("the database is {}", open::shown(&options));
    if !config.from_roesc.is_empty() {
        tracing::info!("taken from roesc's variables: {}", config.from_roesc.join(", "));
    }
    let ended = CancellationToken::new();
    tokio::spawn(on_signals(Signals::listen()?, ended.clone()));
    let Some(store) = ended.run_until_cancelled(connect(&options)).await else { return Ok(()) };
    let store = store?;
    store.migrate().await?;
    if store.is_expanded().await? {
        tracing::info!("a newer program has expanded the schema; this one works on beside it");
    }
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::refused(format!("{address}: {error}; --listen names another address"))
    })?;
    announce(&listener, &channels)?;
    let told = engine::Options { heart, ..open::engine_options(&config) };
    let engine = Engine::new(store, Clock::System, channels, told);
    let served = all(listener, &engine, source.as_ref(), &config, ended.child_token()).await;
    // Everything has been committed: what remains is to leave the file in one piece.
    if let Err(error) = engine.store.clone().close().await {
        tracing::warn!(%error, "the database was not closed in order");
    }
    served?;
    if ended.is_cancelled() {
        tracing::info!("ended");
        return Ok(());
    }
    Err(Failure::refused("the engine ended by a defect; the log says more"))
}

/// Until one of them ends or `shutdown`; then the others are ended as well.
async fn all(
    listener: TcpListener,
    engine: &Arc<Engine>,
    source: Option<&Source>,
    config: &Config,
    shutdown: CancellationToken,
) -> Result<()> {
    let state = ApiState {
        engine: Arc::clone(engine),
        api_keys: config.api_keys.clone(),
        roesc: config.roesc.clone(),
        callbacks: config.twilio.as_ref().and_then(Callbacks::new),
    };
    let api = async {
        let served = api::serve(listener, state, shutdown.clone()).await;
        shutdown.cancel();
        served
    };
    let queue = async {
        if let Some(source) = source {
            source.follow(engine, &shutdown).await;
        }
    };
    let (served, (), ()) = tokio::join!(api, engine.run(shutdown.clone()), queue);
    served.map_err(|error| Failure::refused(format!("the API ended: {error}")))
}

/// An embedded database is there or not; a server may be starting beside us.
async fn connect(options: &store::Options) -> Result<Store> {
    let watch = Stopwatch::start();
    let mut told = false;
    loop {
        let error = match Store::connect(options).await {
            Ok(store) => return Ok(store),
            Err(error) => error,
        };
        let is_hopeless = options.file().is_some() || !matches!(error, StoreError::Database(_));
        if is_hopeless || watch.elapsed() >= PATIENCE {
            return Err(open::unreachable(options, &error));
        }
        if !told {
            let database = open::shown(options);
            tracing::warn!(database, %error, "the database cannot be reached; trying for {} s", PATIENCE.as_secs());
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn announce(listener: &TcpListener, channels: &Channels) -> Result<()> {
    let address = listener.local_addr().map_err(|error| Failure::refused(error.to_string()))?;
    tracing::info!("listening on http://{address}");
    for notice in channels.notices() {
        tracing::warn!("{notice}");
    }
    Ok(())
}

/// Ends the program in order at the first signal, at once at the second.
async fn on_signals(mut signals: Signals, ended: CancellationToken) {
    signals.next().await;
    tracing::info!("ending; what is under way is waited for");
    ended.cancel();
    signals.next().await;
    process::exit(130);
}
