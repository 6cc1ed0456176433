//! `import`: brings what lives in another system.
//!
//! Promises: it may be run again, and then changes nothing. What cannot be brought is named on
//! stderr, the rest goes on, and the exit code is 1.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{
    channels::{Channels, console::clean},
    clock::Clock,
    config::Config,
    engine::Engine,
    intake::{self, Imported, REGISTRY, Refusal, Registry, To},
    store::{self, Store, imports::Brought, roesc::Row},
};

use super::{
    Context, Failure, Result,
    failure::count,
    open,
    output::{self, talk},
    words,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Start the processes that live in roesc's database, once.
    Roesc {
        /// roesc's database; without it, the one that DB_HOST, DB_NAME, ... say.
        #[arg(long, value_name = "postgres://...")]
        database: Option<SecretString>,
        /// Only say what would be started.
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn import(args: Args, context: &Context) -> Result<()> {
    let What::Roesc { database, dry_run } = args.what;
    let config = context.config()?;
    let roesc = roesc_database(&config, database)?;
    let rows = read(&roesc).await?;
    let store = if dry_run { looked_at(&config).await? } else { open::database(&config).await? };
    let channels = Channels::open(&config.channels())?;
    let engine = Engine::new(store, Clock::System, channels, open::engine_options(&config));
    let import = Import { engine: &engine, config: &config, dry_run };
    let report = import.all(rows).await?;
    if context.output.is_json() {
        output::json(&report.json())?;
    } else {
        output::text(report.text(dry_run, engine.clock.now()))?;
    }
    for (what, why) in &report.refused {
        talk(&format!("{}: {why}", clean(what)));
    }
    if report.refused.is_empty() { Ok(()) } else { Err(Failure::said(1)) }
}

/// The configured database; where there is none yet, an empty one that leaves nothing behind.
async fn looked_at(config: &Config) -> Result<Store> {
    let options = open::options(config);
    if options.file().is_none_or(|file| file.exists()) {
        return open::database(config).await;
    }
    let nowhere = store::Options { url: "sqlite::memory:".to_owned(), ..options };
    let store = open::connect(&nowhere).await?;
    store.migrate().await?;
    Ok(store)
}

/// Everything of roesc's that is brought.
struct Rows {
    processes: Vec<Row>,
    registry: Option<String>,
}

fn roesc_database(config: &Config, given: Option<SecretString>) -> Result<store::Options> {
    let url = given.or_else(|| config.roesc.database_url.clone()).ok_or_else(|| {
        Failure::usage("where is roesc's database? --database postgres://USER:PASSWORD@HOST/NAME, or DB_HOST, DB_NAME, ... as roesc has them")
    })?;
    let options = store::Options { url: url.expose_secret().to_owned(), ..open::options(config) };
    if options.url.starts_with("sqlite:") {
        return Err(Failure::usage("--database: roesc's database is a PostgreSQL"));
    }
    Ok(options)
}

async fn read(options: &store::Options) -> Result<Rows> {
    let of_roesc =
        |error| Failure::refused(format!("roesc's database, {}: {error}", open::shown(options)));
    let store = Store::connect(options).await.map_err(|error| of_roesc(error.to_string()))?;
    let processes = store.roesc_processes().await.map_err(|error| of_roesc(error.to_string()))?;
    let processes = processes.ok_or_else(|| {
        of_roesc("there is no table `process`; is it roesc's database?".to_owned())
    })?;
    let registry =
        store.roesc_property(REGISTRY).await.map_err(|error| of_roesc(error.to_string()))?;
    store.close().await?;
    Ok(Rows { processes, registry })
}

/// An import on its way.
struct Import<'a> {
    engine: &'a Engine,
    config: &'a Config,
    dry_run: bool,
}

/// What came of everything.
#[derive(Default)]
struct Report {
    imported: Vec<(String, Imported)>,
    registry: Option<Registry>,
    /// What was not brought, and why.
    refused: Vec<(String, String)>,
}

impl Import<'_> {
    async fn all(&self, rows: Rows) -> Result<Report> {
        let mut report = Report::default();
        // First: the first process may call at once.
        if let Some(registry) = rows.registry {
            let brought = intake::import_roesc_registry(self.engine, &registry, self.dry_run).await;
            report.registry = report.take(format!("property {REGISTRY}"), brought)?;
        }
        for row in rows.processes {
            let settings = &self.config.roesc;
            let brought = intake::import_roesc(self.engine, settings, &row, self.dry_run).await;
            if let Some(imported) = report.take(format!("process {}", row.id), brought)? {
                report.imported.push((row.id, imported));
            }
        }
        Ok(report)
    }
}

impl Report {
    /// What was brought, if it was; what is wrong with it is kept for the end.
    fn take<T>(&mut self, what: String, brought: Result<T, Refusal>) -> Result<Option<T>> {
        let why = match brought {
            Ok(brought) => return Ok(Some(brought)),
            Err(Refusal::Store(error)) if !error.is_about_data() => return Err(error.into()),
            Err(Refusal::Invalid { pointer, message }) if !pointer.is_empty() => {
                format!("{}: {message}", pointer.trim_start_matches('/'))
            }
            Err(refusal) => refusal.to_string(),
        };
        self.refused.push((what, why));
        Ok(None)
    }

    fn count(&self, brought: Brought) -> usize {
        self.imported.iter().filter(|(_, imported)| imported.brought == brought).count()
    }

    fn json(&self) -> Value {
        let processes = self.imported.iter().map(|(id, imported)| {
            let list = &imported.notifications;
            json!({
                "process_id": id,
                "outcome": outcome(imported.brought),
                "notifications": list.len(),
                "next_at": list.first().and_then(|first| moment(first.at)),
            })
        });
        json!({
            "processes": processes.collect::<Vec<_>>(),
            "started": self.count(Brought::Born),
            "live": self.count(Brought::Live),
            "before": self.count(Brought::Before),
            "refused": self.refused.iter()
                .map(|(what, why)| json!({ "what": what, "why": why }))
                .collect::<Vec<_>>(),
            "caller_ids": self.registry.map(|registry| match registry {
                Registry::Kept => "kept",
                Registry::Another => "another",
                Registry::Before => "before",
            }),
        })
    }

    fn text(&self, dry_run: bool, now: DateTime<Utc>) -> String {
        let mut lines = Vec::new();
        if !self.imported.is_empty() {
            let head = ["process", "notifications", "next", "to", ""];
            let rows = self.imported.iter().map(|(id, imported)| row(id, imported, now));
            let rows: Vec<Vec<String>> =
                std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect();
            lines.push(output::table(&rows));
        }
        let would = if dry_run { "would be " } else { "" };
        lines.push(format!(
            "{} {would}started, {} live here already, {} brought before, {} refused",
            count(self.count(Brought::Born), "process"),
            self.count(Brought::Live),
            self.count(Brought::Before),
            self.refused.len(),
        ));
        if let Some(registry) = self.registry {
            lines.push(match registry {
                Registry::Kept => format!("the registry of caller ids {would}kept"),
                Registry::Another => "another registry of caller ids is kept, and stays".to_owned(),
                Registry::Before => "the registry of caller ids was brought before".to_owned(),
            });
        }
        lines.join("\n")
    }
}

fn outcome(brought: Brought) -> &'static str {
    match brought {
        Brought::Born => "started",
        Brought::Live => "live",
        Brought::Before => "before",
    }
}

fn row(id: &str, imported: &Imported, now: DateTime<Utc>) -> Vec<String> {
    let first = imported.notifications.first();
    let (next, to) = first.map_or_else(
        || ("-".to_owned(), "-".to_owned()),
        |first| {
            let next = match moment(first.at) {
                Some(at) if at <= now => "overdue".to_owned(),
                Some(at) => words::moment(at, chrono_tz::Tz::UTC),
                None => "-".to_owned(),
            };
            let (To::Phone(to) | To::Email(to) | To::PubNub(to)) = &first.to;
            (next, clean(to))
        },
    );
    let count = imported.notifications.len().to_string();
    vec![clean(id), count, next, to, outcome(imported.brought).to_owned()]
}

fn moment(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}
