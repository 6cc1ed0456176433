//! Log lines, on stderr.

use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

use super::{Failure, Result};

/// For commands that answer and are gone: trouble only.
pub(super) fn quiet(most: Level) {
    let ansi = io::stderr().is_terminal();
    let log = fmt().with_max_level(most).with_writer(io::stderr).with_target(false);
    let _ = log.with_ansi(ansi).try_init();
}

/// Ends what `start` began, when it is dropped: traces that wait are sent.
#[derive(Debug)]
#[must_use]
pub(crate) struct Logging {
    #[cfg(feature = "otel")]
    _traces: Option<super::traces::Traces>,
}

/// For programs that stay.
pub(crate) fn start(config: &Log) -> Result<Logging> {
    let filter = EnvFilter::builder().parse(&config.level).map_err(|error| {
        Failure::refused(format!("RUNGS_LOG: `{}` is no filter: {error}", config.level))
    })?;
    // They say at every start that there was nothing to do, and at every try what is told once.
    let filter = [
        "sea_orm_migration=warn",
        "sqlx::postgres::notice=warn",
        "aws_config=error",
        "aws_smithy_runtime=error",
    ]
    .iter()
    .filter_map(|directive| directive.parse().ok())
    .fold(filter, EnvFilter::add_directive);
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match config.format {
        LogFormat::Text => lines
            .with_target(false)
            .with_ansi(io::stderr().is_terminal())
            .with_filter(filter)
            .boxed(),
        // Flat: each line bears the ids that it speaks of, so what is around it is left out.
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(filter)
            .boxed(),
    };
    #[cfg(feature = "otel")]
    {
        let (layer, traces) = super::traces::open(config.traces)?.unzip();
        let _ = tracing_subscriber::registry().with(lines).with(layer).try_init();
        Ok(Logging { _traces: traces })
    }
    #[cfg(not(feature = "otel"))]
    {
        let _ = tracing_subscriber::registry().with(lines).try_init();
        Ok(Logging {})
    }
}
