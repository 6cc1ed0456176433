//! Heartbeat: a dead-man switch. A URL is requested as long as all is well, so that whoever
//! watches it from outside rings when the requests stay away: because Rungs found something
//! wrong, or because it is gone, and its machine with it.
//!
//! Promises: requested at most once per `every`, and only if cycles are being committed, no
//! loop is in trouble with the database, and the audit finds nothing. Whatever becomes of
//! the request disturbs nothing. The URL may hold a secret: nobody is shown more of it than
//! its host.
//! Called by: a loop of its own in `serve`; `evaluate`, after its pass; tests.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Engine;
use crate::{
    channels::{Misconfigured, http},
    clock::Stopwatch,
};

/// How long the watcher may take to answer, and the database to be looked at.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which URL to request, and how often.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where; nowhere without it. Kept from `Debug`, since it may hold a secret.
    pub url: Option<SecretString>,
    /// Seconds between two requests.
    pub every: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: None, every: 60 }
    }
}

/// Requests a URL, now and then.
#[derive(Clone)]
pub struct Heart(Arc<Inner>);

struct Inner {
    http: Client,
    url: Url,
    every: Duration,
    requested: Mutex<Option<Stopwatch>>,
}

impl fmt::Debug for Heart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heart").field("every", &self.0.every).finish_non_exhaustive()
    }
}

/// What became of one beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beat {
    /// It is not time yet, or nobody wants to know.
    NotDue,
    /// The watcher took it.
    Heard,
    /// The watcher did not, and why.
    Unheard(String),
    /// All is not well.
    Withheld(Illness),
}

/// What is not well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illness {
    /// The database does not do what it is asked.
    #[error("the database is in trouble")]
    Database,
    /// Nothing has been committed for long.
    #[error("no cycle has been committed for long")]
    Stuck,
    /// The audit found so many of a kind.
    #[error("{1} {0}")]
    Found(&'static str, i64),
}

impl Beat {
    /// For the same, though the audit may have found more of it.
    fn is_withheld_for(&self, why: &Illness) -> bool {
        match (self, why) {
            (Self::Withheld(Illness::Found(kind, _)), Illness::Found(same, _)) => kind == same,
            (Self::Withheld(before), _) => before == why,
            _ => false,
        }
    }
}

impl Heart {
    /// A heart that beats as configured, if it is.
    ///
    /// # Errors
    /// A URL that is none.
    pub fn open(config: &Config) -> Result<Option<Self>, Misconfigured> {
        let Some(url) = &config.url else { return Ok(None) };
        let url = Url::parse(url.expose_secret()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
            let reason = "expected an address that begins with https:// or http://".to_owned();
            Misconfigured { place: "heartbeat.url".to_owned(), reason }
        })?;
        let every = Duration::from_secs(u64::from(config.every));
        let inner = Inner { http: http::client()?, url, every, requested: Mutex::default() };
        Ok(Some(Self(Arc::new(inner))))
    }

    /// How long until it may beat again.
    fn rests(&self) -> Duration {
        let requested = *self.0.requested.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = requested.map(Stopwatch::elapsed);
        passed.map_or(Duration::ZERO, |passed| self.0.every.saturating_sub(passed))
    }

    async fn request(&self) -> Result<(), String> {
        *self.0.requested.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stopwatch::start());
        let request = self.0.http.get(self.0.url.clone()).timeout(PATIENCE);
        let answer =
            request.send().await.map_err(|error| http::explain(&error.without_url()))?.status();
        if answer.is_success() { Ok(()) } else { Err(format!("it was answered with {answer}")) }
    }

    /// As much of the URL as may be shown.
    fn host(&self) -> &str {
        self.0.url.host_str().unwrap_or_default()
    }
}

impl Engine {
    /// Requests the configured URL, if that is due and all is well.
    pub async fn beat(&self) -> Beat {
        let Some(heart) = self.options.heart.as_ref().filter(|heart| heart.rests().is_zero())
        else {
            return Beat::NotDue;
        };
        if self.pulse.is_yet_to_begin() {
            return Beat::NotDue;
        }
        let beat = match self.illness().await {
            Some(illness) => Beat::Withheld(illness),
            None => heart.request().await.map_or_else(Beat::Unheard, |()| Beat::Heard),
        };
        self.metrics.beat(&beat);
        beat
    }

    /// How long until the next beat may be due.
    pub(super) fn rests_after(&self, beat: &Beat) -> Option<Duration> {
        let heart = self.options.heart.as_ref()?;
        Some(match beat {
            // It goes out again soon after all is well.
            Beat::Withheld(_) => heart.0.every.min(PATIENCE),
            _ => heart.rests(),
        })
    }

    async fn illness(&self) -> Option<Illness> {
        if self.pulse.is_troubled() {
            return Some(Illness::Database);
        }
        if self.pulse.is_stuck() {
            return Some(Illness::Stuck);
        }
        let audit = self.store.audit(self.clock.now(), 1);
        let Ok(Ok(audit)) = tokio::time::timeout(PATIENCE, audit).await else {
            self.metrics.database_error();
            return Some(Illness::Database);
        };
        let found = audit.kinds().into_iter().find(|(_, found)| found.count > 0);
        found.map(|(kind, found)| Illness::Found(kind, found.count))
    }

    /// Tells the operator of a beat that differs from the one before.
    pub fn tell(&self, beat: &Beat, before: &Beat) {
        let host = self.options.heart.as_ref().map_or("", Heart::host);
        match beat {
            Beat::Withheld(why) if !before.is_withheld_for(why) => {
                tracing::warn!(host, %why, "the heartbeat is left out");
            }
            Beat::Unheard(error) if beat != before => {
                tracing::warn!(host, error, "the heartbeat was not heard");
            }
            Beat::Heard if !matches!(before, Beat::Heard | Beat::NotDue) => {
                tracing::info!(host, "the heartbeat goes out again");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str) -> Result<Option<Heart>, Misconfigured> {
        Heart::open(&Config { url: Some(url.into()), ..Config::default() })
    }

    #[test]
    fn its_url_is_never_shown() {
        let heart = open("https://watch.example/ping/hush").unwrap().unwrap();
        let config = Config { url: Some("https://watch.example/hush".into()), every: 1 };
        let shown = format!("{heart:?} {config:?} {}", heart.host());
        assert!(shown.contains("watch.example") && !shown.contains("hush"), "{shown}");
        for wrong in ["hush", "ftp://watch.example/hush", "http://", ""] {
            let error = open(wrong).unwrap_err().to_string();
            assert!(error.starts_with("heartbeat.url: ") && !error.contains("hush"), "{error}");
        }
        assert!(Heart::open(&Config::default()).unwrap().is_none());
    }
}
