//! Log lines, on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

use super::{Failure, Result};

/// For commands that answer and are gone: trouble only.
pub(super) fn quiet() {
    let _ = fmt().with_max_level(tracing::Level::WARN).with_writer(io::stderr).try_init();
}

/// For programs that stay.
pub(super) fn start(config: &Log) -> Result<()> {
    let filter = EnvFilter::builder().parse(&config.level).map_err(|error| {
        Failure::refused(format!("RUNGS_LOG: `{}` is no filter: {error}", config.level))
    })?;
    let log = fmt().with_env_filter(filter).with_writer(io::stderr);
    let _ = match config.format {
        LogFormat::Text => log.with_target(false).with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(())
}
