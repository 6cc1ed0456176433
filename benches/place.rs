//! Where rows are kept while they are measured: a fresh database at its default durability.

use std::{
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rungs::{
    channels::{self, Channels},
    clock::Clock,
    engine::{Engine, Options},
    store::{self, Store, sequences::NewSequence},
};
use rungs_core::Process;
use tokio::sync::OnceCell;

use crate::{
    databases::{Cluster, Database, Kind},
    sample::nine,
};

/// A fresh, migrated database.
pub struct Place {
    pub kind: Kind,
    pub url: String,
    _file: Option<Database>,
}

/// The PostgreSQL of this program.
async fn cluster() -> &'static Cluster {
    static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
    CLUSTER.get_or_init(|| async { Cluster::start(&[]) }).await
}

impl Place {
    pub async fn fresh(kind: Kind) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let place = match kind {
            Kind::Sqlite => {
                let file = Database::fresh(kind).await;
                Self { kind, url: file.url.clone(), _file: Some(file) }
            }
            Kind::Postgres => {
                let name = format!("b{}", NUMBER.fetch_add(1, Ordering::Relaxed));
                cluster().await.psql("postgres", &format!("CREATE DATABASE {name}"));
                Self { kind, url: cluster().await.url(&name), _file: None }
            }
        };
        let store = place.store().await;
        store.migrate().await.expect("a schema");
        store.close().await.expect("an end");
        place
    }

    pub async fn store(&self) -> Store {
        let options = store::Options {
            url: self.url.clone(),
            max_connections: 10,
            acquire_timeout: Duration::from_mins(1),
        };
        Store::connect(&options).await.expect("a database")
    }

    /// An engine over it, whose clock stands at nine.
    pub async fn engine(&self) -> Arc<Engine> {
        let channels = Channels::open(&channels::Config::default()).expect("the console");
        self.engine_with(Clock::standing_at(nine()), channels).await
    }

    pub async fn engine_with(&self, clock: Clock, channels: Channels) -> Arc<Engine> {
        Engine::new(self.store().await, clock, channels, Options::default())
    }

    /// What other rows of the table wrote is on the disk, so that it slows down nothing that
    /// comes. Before what is measured is prepared: a checkpoint between that and the
    /// measurement would make each first touch of a page a copy of the page.
    pub async fn settle(&self) {
        if self.kind == Kind::Postgres {
            cluster().await.psql("postgres", "CHECKPOINT");
        }
    }
}

pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "SQLite",
        Kind::Postgres => "PostgreSQL",
    }
}

/// Publishes a sequence as version 1 of its name.
pub async fn publish(store: &Store, name: &str, source: &str) {
    let new = NewSequence { name, source, hash: source, inline: false };
    store.publish(&new, nine()).await.expect("a sequence");
}

/// Inserts processes, with the history of their start.
pub async fn insert(store: &Store, processes: &[Process]) {
    for chunk in processes.chunks(1_000) {
        store.insert(chunk, nine()).await.expect("processes");
    }
}
