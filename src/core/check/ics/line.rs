//! Content lines: unfolded, and taken apart into name, parameters and value.

use std::ops::Range;

/// A line of the format, which may be several of the file.
pub(super) struct Line {
    /// Its name, in capitals.
    pub name: String,
    parameters: Vec<(String, String)>,
    /// What stands after the colon, unfolded.
    pub value: String,
    /// Its bytes, from the first to the end of its first line in the file.
    pub span: Range<usize>,
}

impl Line {
    /// Whether it says exactly this.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.name == name && self.value.eq_ignore_ascii_case(value)
    }

    /// A parameter of the name, such as `TZID`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Every line, or where it is none and why.
pub(super) fn lines(text: &str) -> Vec<Result<Line, (Range<usize>, String)>> {
    let mut unfolded: Vec<(Range<usize>, String)> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let span = start..start + line.len();
        start += raw.len();
        let line = if span.start == 0 { line.trim_start_matches('\u{feff}') } else { line };
        match (line.strip_prefix([' ', '\t']), unfolded.last_mut()) {
            (Some(more), Some((_, last))) => last.push_str(more),
            _ if line.is_empty() => {}
            _ => unfolded.push((span, line.to_owned())),
        }
    }
    unfolded.into_iter().map(|(span, line)| apart(&line, span)).collect()
}

fn apart(line: &str, span: Range<usize>) -> Result<Line, (Range<usize>, String)> {
    let (mut parts, mut quoted, mut from) = (Vec::new(), false, 0);
    let mut value = None;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ';' | ':' if !quoted => {
                parts.push(line.get(from..at).unwrap_or_default());
                from = at + 1;
                if character == ':' {
                    value = line.get(from..);
                    break;
                }
            }
            _ => {}
        }
    }
    let (Some(value), Some((name, parameters))) = (value, parts.split_first()) else {
        return Err((span, "this is no line of iCalendar, which is NAME:VALUE".to_owned()));
    };
    let parameter = |text: &&str| {
        let (key, value) = text.split_once('=')?;
        Some((key.to_ascii_uppercase(), value.trim_matches('"').to_owned()))
    };
    Ok(Line {
        name: name.to_ascii_uppercase(),
        parameters: parameters.iter().filter_map(parameter).collect(),
        value: value.trim_end().to_owned(),
        span,
    })
}

/// Text, as it was before it was written into a line.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push(' '),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

/// `P1D`, `PT2H30M`, `P1W`: in seconds.
pub(super) fn duration(text: &str) -> Option<u32> {
    let mut rest = text.trim().trim_start_matches('+').strip_prefix('P')?;
    let (mut total, mut in_time) = (0_u32, false);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            (rest, in_time) = (after, true);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let unit_of = unit.chars().next()?;
        let seconds = match (unit_of, in_time) {
            ('W', false) => 604_800,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        total = number.parse::<u32>().ok()?.checked_mul(seconds)?.checked_add(total)?;
        rest = unit.get(1..)?;
    }
    Some(total)
}
