//! Bytes to the lines and columns of the protocol, and back.
//!
//! Promises: every position has a byte, however far out it lies: the nearest one there is.

use std::ops::Range;

use lsp_types::{InitializeParams, Position, PositionEncodingKind};

/// What columns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    /// The one that is least work, of those that a client knows; all know UTF-16.
    pub fn agreed(params: &InitializeParams) -> Self {
        let general = params.capabilities.general.as_ref();
        let Some(offered) = general.and_then(|general| general.position_encodings.as_deref())
        else {
            return Self::Utf16;
        };
        let all = [Self::Utf8, Self::Utf16, Self::Utf32];
        all.into_iter().find(|one| offered.contains(&one.kind())).unwrap_or(Self::Utf16)
    }

    /// As the protocol calls it.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn width(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts, encoding }
    }

    /// Where a byte stands.
    pub fn position(&self, byte: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..byte.min(self.text.len())).unwrap_or_default();
        let column: usize = before.chars().map(|c| self.encoding.width(c)).sum();
        Position::new(narrow(line), narrow(column))
    }

    /// The byte at a position.
    pub fn byte(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let (mut at, mut column) = (start, 0);
        for character in line.chars() {
            column += self.encoding.width(character);
            if column > position.character as usize {
                break;
            }
            at += character.len_utf8();
        }
        at
    }

    /// The byte that a line begins with, from 0.
    pub fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line).copied()
    }

    /// Where bytes stand.
    pub fn range(&self, span: &Range<usize>) -> lsp_types::Range {
        lsp_types::Range::new(self.position(span.start), self.position(span.end))
    }

    /// The bytes of a range, whichever way round it is.
    pub fn span(&self, range: lsp_types::Range) -> Range<usize> {
        let (start, end) = (self.byte(range.start), self.byte(range.end));
        start.min(end)..end.max(start)
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\u{e9}\u{1f600}b\r\nx\rlast";

    #[test]
    fn columns_count_what_was_agreed() {
        for (encoding, column) in [(Encoding::Utf8, 7), (Encoding::Utf16, 4), (Encoding::Utf32, 3)]
        {
            let lines = Lines::of(TEXT, encoding);
            let place = TEXT.find('b').unwrap();
            assert_eq!(lines.position(place), Position::new(0, column), "{encoding:?}");
            assert_eq!(lines.byte(Position::new(0, column)), place, "{encoding:?}");
            for (place, _) in TEXT.char_indices() {
                if !TEXT[place..].starts_with('\n') {
                    assert_eq!(lines.byte(lines.position(place)), place, "{encoding:?} {place}");
                }
            }
        }
    }

    #[test]
    fn positions_that_are_none_are_brought_inside() {
        let lines = Lines::of(TEXT, Encoding::Utf16);
        assert_eq!(lines.byte(Position::new(0, 900)), TEXT.find('\r').unwrap());
        assert_eq!(lines.byte(Position::new(u32::MAX, u32::MAX)), TEXT.len());
        // In the middle of a surrogate pair.
        assert_eq!(lines.byte(Position::new(0, 3)), 3);
        assert_eq!(lines.position(usize::MAX).line, 2);
        let reversed = lsp_types::Range::new(Position::new(1, 0), Position::new(0, 1));
        assert_eq!(lines.span(reversed), 1..TEXT.find('x').unwrap());
    }
}
