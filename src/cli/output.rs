//! stdout and stderr. Colours are for terminals only, and `NO_COLOR` is respected: that is
//! anstream's doing, so everything here is written with them.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::Format;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const STEP: Style = AnsiColor::Cyan.on_default();

/// What is written on stdout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    format: Format,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether machines read it.
    pub fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// What was asked for.
    pub fn format(self) -> Format {
        self.format
    }

    /// Writes an answer in whichever form was asked for.
    pub fn answer(self, json: &impl Serialize, text: impl Display) -> io::Result<()> {
        if self.is_json() { self::json(json) } else { self::text(text) }
    }
}

/// Writes lines for people.
pub(super) fn text(text: impl Display) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Writes one line of JSON.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, value)?;
    writeln!(stdout)?;
    stdout.flush()
}

/// Writes lines on stderr. If that is closed, nobody is there to be told.
pub(super) fn talk(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Columns that line up; the first row is the head.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let lines: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let cells: String =
                row.iter().zip(&widths).map(|(cell, width)| pad(cell, width + 2)).collect();
            let line = cells.trim_end();
            if index == 0 { format!("{BOLD}{line}{BOLD:#}") } else { line.to_owned() }
        })
        .collect();
    lines.join("\n")
}

/// `text` and spaces up to `width` characters.
pub(super) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(self::width(text));
    format!("{text}{}", " ".repeat(missing))
}

fn width(text: &str) -> usize {
    text.chars().count()
}
