//! Byte offsets to lines and columns.

/// Stands before a text to say how it is encoded; elsewhere it is a character like others.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where the lines of a source begin.
pub(crate) struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of `source`.
    pub fn of(source: &'a str) -> Self {
        let ends = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { source, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The line that the byte at `offset` stands on, from 1.
    pub fn number(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// Line, and column in characters, of the byte at `offset`; both from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.number(offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.source.get(start..offset).unwrap_or_default();
        let before = if line == 1 { without_mark(before) } else { before };
        (line, before.chars().count() + 1)
    }

    /// The text of a line, without its end and without a byte order mark.
    pub fn text(&self, line: usize) -> &'a str {
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index));
        let rest = start.and_then(|start| self.source.get(*start..)).unwrap_or_default();
        let text = rest.lines().next().unwrap_or_default();
        if line == 1 { without_mark(text) } else { text }
    }
}

/// The beginning of a source without its byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_a_tab_is_one() {
        let source = "a: ü\n\tč: x\r\nlast";
        let lines = Lines::of(source);
        let at = |what: &str| lines.position(source.find(what).unwrap());
        assert_eq!(at("ü"), (1, 4));
        assert_eq!(at("x"), (2, 5));
        assert_eq!(at("last"), (3, 1));
        assert_eq!(lines.position(source.len()), (3, 5));
        assert_eq!(lines.text(2), "\tč: x");
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(Lines::of("\u{feff}ab").position(4), (1, 2));
        assert_eq!(Lines::of("\n\u{feff}ab").position(4), (2, 2), "here it is none");
    }
}
