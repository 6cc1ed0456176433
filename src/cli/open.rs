//! Opening what commands work on: the configured database, and an engine over it.
//!
//! Promises: a password is never shown. Who only looks makes no database, and changes none.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::TimeDelta;
use secrecy::ExposeSecret;

use crate::{
    channels::{self, Channels},
    clock::Clock,
    config::Config,
    engine::{self, Engine, heartbeat::Heart},
    store::{self, Store, StoreError},
};

use super::{Failure, Result};

/// How long a command waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Kept longer than this is kept for ever, in days.
const LONGEST_RETENTION: u32 = 100 * 365;

/// How to reach the configured database.
pub(crate) fn options(config: &Config) -> store::Options {
    store::Options {
        url: config.database.url.expose_secret().to_owned(),
        max_connections: config.database.connections.max(1),
        acquire_timeout: PATIENCE,
    }
}

/// The database's address, without a password.
pub(super) fn shown(options: &store::Options) -> String {
    let Ok(mut url) = url::Url::parse(&options.url) else { return "the database".to_owned() };
    if url.password().is_some() {
        // Only addresses without a host refuse it, and those have no password.
        let _ = url.set_password(None);
    }
    // What follows may hold a password as well.
    url.set_query(None);
    url.to_string()
}

/// The configured database, for commands that may be the first to use it.
pub(super) async fn database(config: &Config) -> Result<Store> {
    let options = options(config);
    let store = connect(&options).await?;
    ready(&store).await?;
    Ok(store)
}

/// The configured database, for commands that change something in it.
pub(super) async fn existing(config: &Config) -> Result<Store> {
    if let Some(file) = options(config).file() {
        look_for(&file)?;
    }
    database(config).await
}

/// The configured database, for commands that only look and change nothing, not even what an
/// earlier program has left.
pub(super) async fn looked_at(config: &Config) -> Result<Store> {
    let options = options(config);
    if let Some(file) = options.file() {
        look_for(&file)?;
    }
    let store = connect(&options).await?;
    if store.pending_migrations().await? > 0 {
        return Err(Failure::refused(format!(
            "the database at {} is none of Rungs', or of an earlier version; `rungs migrate` makes it one of this",
            shown(&options)
        )));
    }
    Ok(store)
}

/// Whether the file of an embedded database is there.
pub(super) fn look_for(file: &Path) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "there is no database at {}; `rungs apply` or `rungs serve` makes one, and RUNGS_DATABASE_URL says where",
        file.display()
    )))
}

/// Connects, once.
pub(crate) async fn connect(options: &store::Options) -> Result<Store> {
    Store::connect(options).await.map_err(|error| unreachable(options, &error))
}

/// What to do about a database that cannot be reached.
pub(super) fn unreachable(options: &store::Options, error: &StoreError) -> Failure {
    if let StoreError::Address(_) = error {
        return Failure::refused(format!("{error}\n  RUNGS_DATABASE_URL says where it is"));
    }
    let database = shown(options);
    let hint = match options.file() {
        Some(_) => "may it be written there?",
        None => "is it running, and is RUNGS_DATABASE_URL right?",
    };
    Failure::refused(format!("the database at {database} cannot be reached: {error}\n  {hint}"))
}

/// An embedded database is brought up to date by whoever opens it; one that is shared,
/// only by `serve` and `migrate`.
async fn ready(store: &Store) -> Result<()> {
    if store.is_sqlite() {
        store.migrate().await?;
    } else if store.pending_migrations().await? > 0 {
        return Err(Failure::refused(
            "the database's schema is not up to date; run `rungs migrate`",
        ));
    }
    Ok(())
}

/// What the engine is told.
pub(super) fn engine_options(config: &Config) -> engine::Options {
    engine::Options {
        lease: TimeDelta::seconds(i64::from(config.lease_seconds.max(1))),
        retention: TimeDelta::days(i64::from(config.retention_days.min(LONGEST_RETENTION))),
        timezone: config.timezone,
        kinds: config.kinds.clone(),
        acts: Some(Arc::new(crate::intake::Acts)),
        ..engine::Options::default()
    }
}

/// An engine that evaluates and delivers.
pub(crate) fn engine(config: &Config, store: Store) -> Result<Arc<Engine>> {
    let options =
        engine::Options { heart: Heart::open(&config.heartbeat)?, ..engine_options(config) };
    let channels = Channels::open(&config.channels())?;
    Ok(Engine::new(store, Clock::System, channels, options))
}

/// An engine that takes in and sends nothing, for commands that tell the database
/// something. Whoever evaluates sees it within a second.
pub(super) fn intake(config: &Config, store: Store) -> Result<Arc<Engine>> {
    let channels = Channels::open(&channels::Config::default())?;
    Ok(Engine::new(store, Clock::System, channels, engine_options(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let shown = |url: &str| {
            let options = store::Options { url: url.to_owned(), ..options(&Config::default()) };
            super::shown(&options)
        };
        assert_eq!(
            shown("postgres://u:hush@db:5432/rungs?password=hush"),
            "postgres://u@db:5432/rungs"
        );
        assert_eq!(shown("postgres://u:hush@[db/rungs"), "the database");
        assert_eq!(shown("sqlite:rungs.db?mode=rwc"), "sqlite:rungs.db");
    }
}
