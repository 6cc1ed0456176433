//! `retry: { attempts, first, factor, most }`.

use rungs_runners::duration;

use super::{at::At, node::Data, report::Report};
use crate::{Diagnostic, Retry};

/// Reads a step's `retry`. What it leaves out is as in [`Retry::default`].
pub(super) fn read(at: &At<'_>, report: &mut Report<'_>) -> Option<Retry> {
    if !at.is_mapping(report) {
        return None;
    }
    let before = report.len();
    at.refuse_unknown_keys(&["attempts", "first", "factor", "most"], |_| None, report);
    let default = Retry::default();
    let attempts = at.field("attempts").and_then(|at| attempts(&at, report));
    let factor = at.field("factor").and_then(|at| factor(&at, report));
    let first = at.field("first").and_then(|at| pause(&at, report)).unwrap_or(default.first);
    let most = match at.field("most") {
        Some(field) => {
            let most = pause(&field, report).unwrap_or(u64::MAX);
            if most < first {
                report.add(
                    Diagnostic::error(
                        "out-of-range",
                        field.place(),
                        "`most`, the longest pause, is shorter than `first`",
                    )
                    .help(format!("the first pause has {} seconds", first as f64 / 1000.0)),
                );
            }
            most
        }
        None => default.most.max(first),
    };
    (report.len() == before).then_some(Retry {
        attempts: attempts.unwrap_or(default.attempts),
        first,
        factor: factor.unwrap_or(default.factor),
        most,
    })
}

fn attempts(at: &At<'_>, report: &mut Report<'_>) -> Option<u32> {
    let attempts = match &at.node.data {
        Data::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
        _ => None,
    };
    let attempts = attempts.filter(|attempts| (1..=100).contains(attempts));
    if attempts.is_none() {
        out_of_range(at, "a whole number from 1 to 100", report);
    }
    attempts
}

fn factor(at: &At<'_>, report: &mut Report<'_>) -> Option<f64> {
    let factor = match &at.node.data {
        Data::Number(number) => number.as_f64().filter(|factor| (1.0..=1000.0).contains(factor)),
        _ => None,
    };
    if factor.is_none() {
        out_of_range(at, "a number from 1 to 1000", report);
    }
    factor
}

/// A number that is none, or is too small or too large.
fn out_of_range(at: &At<'_>, expected: &str, report: &mut Report<'_>) {
    if matches!(at.node.data, Data::Number(_)) {
        let message = format!("expected {expected}, found {}", at.node.describe());
        report.add(Diagnostic::error("out-of-range", at.place(), message));
    } else {
        at.expected(expected, report);
    }
}

/// A duration, in milliseconds.
pub(super) fn pause(at: &At<'_>, report: &mut Report<'_>) -> Option<u64> {
    let pause = match &at.node.data {
        Data::Number(number) => number.as_f64().and_then(duration::of_seconds),
        Data::Text(text) => duration::parse(text),
        Data::Broken => return None,
        _ => None,
    };
    if pause.is_none() {
        let message =
            format!("expected a duration of at most a year, found {}", at.node.describe());
        report.add(
            Diagnostic::error("duration", at.place(), message).help(
                "such as `10 seconds`, `5 minutes`, `1 hour`, `500 ms`, or a number of seconds"
                    .to_owned(),
            ),
        );
    }
    pause
}
