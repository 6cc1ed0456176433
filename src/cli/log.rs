//! Log lines, on stderr.

use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

use super::{Failure, Result};

/// For commands that answer and are gone: trouble only.
pub(super) fn quiet(most: Level) {
    let ansi = io::stderr().is_terminal();
    let log = fmt().with_max_level(most).with_writer(io::stderr).with_target(false);
    let _ = log.with_ansi(ansi).try_init();
}

/// For programs that stay.
pub(super) fn start(config: &Log) -> Result<()> {
    let filter = EnvFilter::builder().parse(&config.level).map_err(|error| {
        Failure::refused(format!("RUNGS_LOG: `{}` is no filter: {error}", config.level))
    })?;
    // They say at every start that there was nothing to do.
    let filter = ["sea_orm_migration=warn", "sqlx::postgres::notice=warn"]
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    let log = fmt().with_env_filter(filter).with_writer(io::stderr);
    let _ = match config.format {
        LogFormat::Text => log.with_target(false).with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(())
}
