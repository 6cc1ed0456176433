//! What is counted, for Prometheus.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use super::{Dispatched, Evaluated};

/// Counters and histograms of one engine.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    evaluated: IntCounterVec,
    visits: IntCounter,
    lag: Histogram,
    cycle: Histogram,
    attempts: IntCounterVec,
    database_errors: IntCounter,
    processes: IntGaugeVec,
    open_deliveries: IntGaugeVec,
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
            cycle: histogram("rungs_cycle_seconds", "How long one cycle took"),
            attempts: labelled(
                "rungs_attempts_total",
                "Attempts to deliver",
                &["channel", "outcome"],
            ),
            database_errors: counter("rungs_database_errors_total", "Errors of the database"),
            processes: gauges("rungs_processes", "Processes by status", "status"),
            open_deliveries: gauges("rungs_open_deliveries", "Open deliveries by status", "status"),
            registry,
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let collectors: [Box<dyn prometheus::core::Collector>; 8] = [
            Box::new(self.evaluated.clone()),
            Box::new(self.visits.clone()),
            Box::new(self.lag.clone()),
            Box::new(self.cycle.clone()),
            Box::new(self.attempts.clone()),
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
            self.lag.observe((now - *due_at).num_milliseconds() as f64 / 1000.0);
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
    }

    /// The database did not do what it was asked.
    pub fn database_error(&self) {
        self.database_errors.inc();
    }

    /// Everything in Prometheus's text format. The counts are read from the store.
    pub fn render(&self, processes: &[(String, i64)], deliveries: &[(String, i64)]) -> String {
        for (gauges, counts) in [(&self.processes, processes), (&self.open_deliveries, deliveries)]
        {
            gauges.reset();
            for (status, count) in counts {
                gauges.with_label_values(&[status]).set(*count);
            }
        }
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
fn gauges(name: &str, help: &str, label: &str) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), &[label]).expect("a constant")
}

#[expect(clippy::expect_used, reason = "constant names, checked by the first test that runs")]
fn histogram(name: &str, help: &str) -> Histogram {
    let buckets = vec![0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0, 600.0];
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets)).expect("a constant")
}
