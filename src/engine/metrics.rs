//! What is counted, for Prometheus. `docs/watching.md` says what to ask it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use super::{Dispatched, Evaluated, TakenIn, heartbeat::Beat, most::Most, scrape::Counts};

/// In seconds; fine where one lag of a few milliseconds is to be told from another.
const BUCKETS: [f64; 21] = [
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0, 300.0, 600.0, 3600.0,
];

/// Counters and histograms of one engine.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    evaluated: IntCounterVec,
    visits: IntCounter,
    lag: Histogram,
    most_lag: Most,
    most_lag_seconds: Gauge,
    cycle: Histogram,
    attempts: IntCounterVec,
    retries: IntCounterVec,
    in_doubt: IntCounter,
    late: IntCounter,
    settled: IntCounterVec,
    database_errors: IntCounter,
    heartbeats: IntCounterVec,
    messages: IntCounterVec,
    processes: IntGaugeVec,
    open_deliveries: IntGaugeVec,
    found: IntGaugeVec,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            evaluated: counters(
                "rungs_processes_evaluated_total",
                "Processes evaluated",
                "outcome",
            ),
            visits: counter("rungs_visits_total", "Steps visited"),
            lag: histogram("rungs_due_lag_seconds", "How late a due process was evaluated"),
            most_lag: Most::default(),
            most_lag_seconds: gauge(
                "rungs_due_lag_most_seconds",
                "The latest of this minute and the one before",
            ),
            cycle: histogram("rungs_cycle_seconds", "How long one cycle took"),
            attempts: labelled(
                "rungs_attempts_total",
                "Attempts to deliver",
                &["channel", "outcome"],
            ),
            retries: counters(
                "rungs_retries_total",
                "Attempts that were not the first of their delivery",
                "channel",
            ),
            in_doubt: counter(
                "rungs_in_doubt_total",
                "Attempts of which nobody knew whether they arrived",
            ),
            late: counter("rungs_late_total", "Deliveries that could not leave in time"),
            settled: labelled(
                "rungs_deliveries_settled_total",
                "Deliveries that came to their end, by how they did",
                &["channel", "outcome"],
            ),
            messages: counters(
                "rungs_messages_total",
                "Messages of a queue, by what came of them",
                "outcome",
            ),
            heartbeats: counters("rungs_heartbeats_total", "Heartbeats that were due", "outcome"),
            database_errors: counter("rungs_database_errors_total", "Errors of the database"),
            processes: gauges("rungs_processes", "Processes by status", "status"),
            open_deliveries: gauges("rungs_open_deliveries", "Open deliveries by status", "status"),
            found: gauges("rungs_audit_found", "What `rungs audit` finds, by kind", "kind"),
            registry,
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let collectors: [Box<dyn prometheus::core::Collector>; 16] = [
            Box::new(self.evaluated.clone()),
            Box::new(self.visits.clone()),
            Box::new(self.lag.clone()),
            Box::new(self.cycle.clone()),
            Box::new(self.attempts.clone()),
            Box::new(self.most_lag_seconds.clone()),
            Box::new(self.retries.clone()),
            Box::new(self.in_doubt.clone()),
            Box::new(self.late.clone()),
            Box::new(self.settled.clone()),
            Box::new(self.heartbeats.clone()),
            Box::new(self.messages.clone()),
            Box::new(self.found.clone()),
            Box::new(self.database_errors.clone()),
            Box::new(self.processes.clone()),
            Box::new(self.open_deliveries.clone()),
        ];
        for collector in collectors {
            if let Err(error) = self.registry.register(collector) {
                tracing::error!(%error, "a metric could not be registered");
            }
        }
    }

    pub(super) fn evaluated(
        &self,
        tally: &Evaluated,
        due: &[DateTime<Utc>],
        now: DateTime<Utc>,
        took: Duration,
    ) {
        let went_on = tally.processes.saturating_sub(tally.completed + tally.failed);
        for (outcome, count) in
            [("live", went_on), ("completed", tally.completed), ("failed", tally.failed)]
        {
            self.evaluated.with_label_values(&[outcome]).inc_by(count as u64);
        }
        self.visits.inc_by(tally.visits as u64);
        self.cycle.observe(took.as_secs_f64());
        for due_at in due {
            let lag = (now - *due_at).num_milliseconds() as f64 / 1000.0;
            self.lag.observe(lag);
            self.most_lag.observe(lag, now);
        }
    }

    pub(super) fn dispatched(&self, channel: &str, tally: &Dispatched) {
        for (outcome, count) in [
            ("sent", tally.sent),
            ("trouble", tally.trouble),
            ("refused", tally.refused),
            ("in_doubt", tally.in_doubt),
        ] {
            self.attempts.with_label_values(&[channel, outcome]).inc_by(count as u64);
        }
        self.retries.with_label_values(&[channel]).inc_by(tally.retries as u64);
        self.in_doubt.inc_by(tally.in_doubt as u64);
    }

    /// So many attempts never came to a result.
    pub(super) fn leases_expired(&self, count: usize) {
        self.in_doubt.inc_by(count as u64);
    }

    /// So many deliveries were late, and skipped or failed for it.
    pub(super) fn late(&self, count: usize) {
        self.late.inc_by(count as u64);
    }

    /// A delivery came to its end.
    pub(super) fn settled(&self, channel: &str, outcome: &str) {
        self.settled.with_label_values(&[channel, outcome]).inc();
    }

    /// Messages came from a queue.
    pub fn taken_in(&self, tally: &TakenIn) {
        for (outcome, count) in [
            ("started", tally.started),
            ("stopped", tally.stopped),
            ("told", tally.told),
            ("ignored", tally.ignored),
            ("repeated", tally.repeated),
            ("invalid", tally.invalid),
        ] {
            self.messages.with_label_values(&[outcome]).inc_by(count as u64);
        }
    }

    pub(super) fn beat(&self, beat: &Beat) {
        let outcome = match beat {
            Beat::NotDue => return,
            Beat::Heard => "heard",
            Beat::Unheard(_) => "unheard",
            Beat::Withheld(_) => "withheld",
        };
        self.heartbeats.with_label_values(&[outcome]).inc();
    }

    /// The database did not do what it was asked.
    pub fn database_error(&self) {
        self.database_errors.inc();
    }

    /// Everything in Prometheus's text format.
    pub(super) fn render(&self, counts: &Counts, now: DateTime<Utc>) -> String {
        let Counts { processes, deliveries, audit } = counts;
        for (gauges, counts) in [(&self.processes, processes), (&self.open_deliveries, deliveries)]
        {
            gauges.reset();
            for (status, count) in counts {
                gauges.with_label_values(&[status]).set(*count);
            }
        }
        for (kind, found) in audit.kinds() {
            self.found.with_label_values(&[kind]).set(found.count);
        }
        self.most_lag_seconds.set(self.most_lag.at(now));
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be written");
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

// The names and labels below are constants of this file: a bad one shows in the first test.
#[expect(clippy::expect_used, reason = "constant names, checked by the first test that runs")]
fn labelled(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("a constant")
}

fn counters(name: &str, help: &str, label: &str) -> IntCounterVec {
    labelled(name, help, &[label])
}

#[expect(clippy::expect_used, reason = "constant names, checked by the first test that runs")]
fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect("a constant")
}

#[expect(clippy::expect_used, reason = "constant names, checked by the first test that runs")]
fn gauge(name: &str, help: &str) -> Gauge {
    Gauge::new(name, help).expect("a constant")
}

#[expect(clippy::expect_used, reason = "constant names, checked by the first test that runs")]
fn gauges(name: &str, help: &str, label: &str) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), &[label]).expect("a constant")
}

#[expect(clippy::expect_used, reason = "constant names, checked by the first test that runs")]
fn histogram(name: &str, help: &str) -> Histogram {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()))
        .expect("a constant")
}
