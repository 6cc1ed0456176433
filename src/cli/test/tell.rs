//! What came of cases, as people read it.

use std::fmt::Write;

use rungs_core::{
    cases::{Expected, Happened, Row, Wanted, When},
    simulate::{MOST_CYCLES, MOST_LINES},
};

use crate::{
    channels::console::{clean, describe},
    cli::{
        Result,
        output::{self, BAD, BOLD, DIM, GOOD, pad},
        words,
    },
};

use super::suite::{Suite, Tried};

/// The widest that what was expected is laid out.
const WIDEST: usize = 60;

/// Tells what failed in a file, or that nothing did.
pub(super) fn suite(suite: &Suite) -> Result<()> {
    if let Some(broken) = &suite.broken {
        output::text(format!("{BAD}broken{BAD:#} {}\n{}\n", suite.file, broken.text))?;
        return Ok(());
    }
    for tried in &suite.tried {
        if tried.passed() {
            output::text(format!(
                "{GOOD}ok{GOOD:#}     {}: {}",
                suite.file,
                clean(&tried.case.name)
            ))?;
            continue;
        }
        let (file, line, name) = (&suite.file, tried.line(), clean(&tried.case.name));
        output::text(format!("{BAD}failed{BAD:#} {BOLD}{file}:{line}{BOLD:#}: {name}"))?;
        match &tried.verdict {
            Err(reason) => output::text(format!("       {}\n", clean(reason)))?,
            Ok(verdict) => output::text(side_by_side(&verdict.rows, tried))?,
        }
    }
    Ok(())
}

/// The same without colours, for reports.
pub(super) fn plain(tried: &Tried) -> String {
    match &tried.verdict {
        Err(reason) => clean(reason),
        Ok(verdict) => {
            anstream::adapter::strip_str(&side_by_side(&verdict.rows, tried)).to_string()
        }
    }
}

fn side_by_side(rows: &[Row], tried: &Tried) -> String {
    let cells: Vec<(String, String)> = rows
        .iter()
        .map(|row| {
            let expected = row.expected.as_ref();
            (
                expected.map_or_else(|| "-".to_owned(), |one| expectation(one, row, tried)),
                row.happened.as_ref().map_or_else(|| "-".to_owned(), |one| fact(one, tried)),
            )
        })
        .collect();
    let widths = cells.iter().map(|(expected, _)| expected.chars().count());
    let width = widths.chain([8]).max().unwrap_or(8).min(WIDEST) + 2;
    let mut told = format!("       {DIM}{}actual{DIM:#}\n", pad("expected", width));
    for (row, (expected, happened)) in rows.iter().zip(cells) {
        let (mark, style) = if row.fits { ("✓", GOOD) } else { ("✗", BAD) };
        let _ = writeln!(told, "     {style}{mark}{style:#} {}{happened}", pad(&expected, width));
    }
    told
}

fn expectation(expected: &Expected, row: &Row, tried: &Tried) -> String {
    let at = row.expected_at.map_or_else(String::new, |at| match &expected.when {
        When::At(text) if text.len() > 8 => words::moment(at, tried.timezone),
        _ => words::time(at, tried.timezone),
    });
    let what = match &expected.what {
        Wanted::Contact { step, to, says } => {
            let to = to.as_ref().map_or(String::new(), |to| format!(" to {to}"));
            let says = says.as_ref().map_or(String::new(), |says| format!(" says \"{says}\""));
            format!("{step}{to}{says}")
        }
        end => ending(end),
    };
    clean(&format!("{at} {what}"))
}

fn fact(happened: &Happened, tried: &Tried) -> String {
    let at = words::time(happened.at, tried.timezone);
    match &happened.what {
        Wanted::Contact { step, .. } => {
            let told = describe(&happened.channel, &happened.request);
            let first = told.lines().next().unwrap_or_default();
            format!("{at} {} {DIM}{} {first}{DIM:#}", clean(step), happened.channel)
        }
        end => {
            let why = happened.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(": {}", clean(why)));
            format!("{at} {}{why}", ending(end))
        }
    }
}

fn ending(end: &Wanted) -> String {
    match end {
        Wanted::Completed => "completed".to_owned(),
        Wanted::Failed => "failed".to_owned(),
        Wanted::Stopped => "stopped".to_owned(),
        Wanted::Waits(step) | Wanted::Contact { step, .. } => format!("waits at {step}"),
        Wanted::GoesOn(step) => {
            format!(
                "still going at {step} after {MOST_CYCLES} cycles or {MOST_LINES} lines, where it was given up"
            )
        }
    }
}
