//! The one pass over a source. Lines and their indentation lead; what does not fit is a word in
//! the making.

use std::ops::Range;

use super::{Data, Entry, Node};

/// How deep values may lie in each other; what lies deeper is text.
const DEEPEST: usize = 64;

/// Where the reading stands.
pub(super) struct Scan<'a> {
    source: &'a str,
    /// Where lines end.
    ends: Vec<usize>,
    at: usize,
    /// Where the last value or key ended.
    last: usize,
}

/// What YAML takes for blank. The blanks of other scripts, such as come with text from web pages,
/// are text to it.
const BLANKS: [char; 5] = [' ', '\t', '\n', '\r', '\u{feff}'];

/// How long a tag of a template without quotes may be to be seen as one.
const LONGEST_TAG: usize = 1000;

/// A key that begins here, and where its colon ends.
struct Key {
    span: Range<usize>,
    after: usize,
}

impl<'a> Scan<'a> {
    pub fn new(source: &'a str) -> Self {
        let ends = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { source, ends: ends.map(|(at, _)| at).collect(), at: 0, last: 0 }
    }

    /// The whole of it. What follows a value that has ended is read as more of it, so that
    /// nothing below a broken line is lost.
    pub fn document(mut self) -> Node {
        let mut root = self.block(None, 0);
        while !self.at_end() {
            let before = self.at;
            let more = self.block(None, 0);
            match (&mut root.data, more.data) {
                (Data::Mapping(entries), Data::Mapping(more)) => entries.extend(more),
                (Data::Nothing | Data::Text(_), data @ (Data::Mapping(_) | Data::List(_))) => {
                    root.data = data;
                }
                _ => {}
            }
            root.span.end = self.last;
            if self.at == before {
                self.at = self.line_end();
            }
            self.skip_blank();
        }
        root
    }

    /// The value that begins at the next line that says something, if that lies deeper than
    /// `parent`, the column of what it belongs to.
    fn block(&mut self, parent: Option<usize>, depth: usize) -> Node {
        let from = self.at;
        self.skip_blank();
        if self.at_end() || !self.is_below(parent) {
            return Node::nothing(from.min(self.source.len()));
        }
        self.here(parent, depth)
    }

    /// The value that begins right here.
    fn here(&mut self, parent: Option<usize>, depth: usize) -> Node {
        self.skip_properties();
        if depth > DEEPEST {
            return self.plain();
        }
        if self.rest_is_blank() {
            return self.block(parent, depth + 1);
        }
        let column = self.column();
        if self.at_dash() {
            self.list(column, parent, depth)
        } else if self.key().is_some() {
            self.mapping(column, depth)
        } else {
            self.inline(parent, depth)
        }
    }

    fn list(&mut self, column: usize, parent: Option<usize>, depth: usize) -> Node {
        let (start, mut items) = (self.at, Vec::new());
        loop {
            let before = self.at;
            if self.at_dash() {
                self.at += 1;
                self.last = self.at;
                self.skip_spaces();
            }
            items.push(if self.rest_is_blank() {
                self.block(Some(column), depth + 1)
            } else {
                self.here(Some(column), depth + 1)
            });
            self.end_line();
            let is_more = !self.at_end()
                && self.at > before
                && self.column() >= column
                // A list may stand as far left as its key; what stands there without a dash is
                // the next key.
                && (self.at_dash() || parent.is_none_or(|parent| column > parent));
            if !is_more {
                return Node { data: Data::List(items), span: start..self.last };
            }
        }
    }

    fn mapping(&mut self, column: usize, depth: usize) -> Node {
        let (start, mut entries) = (self.at, Vec::new());
        loop {
            entries.push(self.entry(column, depth));
            self.end_line();
            let here = if self.at_end() { None } else { Some(self.column()) };
            let is_more =
                here.is_some_and(|here| here > column || (here == column && !self.at_dash()));
            if !is_more {
                return Node { data: Data::Mapping(entries), span: start..self.last };
            }
        }
    }

    fn entry(&mut self, column: usize, depth: usize) -> Entry {
        let Some(Key { span, after }) = self.key() else {
            let word = self.plain();
            let key = word.text().unwrap_or_default().to_owned();
            let value = Node::nothing(word.span.end);
            return Entry { key, key_span: word.span, colon: false, value };
        };
        let key = self.written(&span).to_owned();
        (self.at, self.last) = (after, after);
        self.skip_spaces();
        self.skip_properties();
        let value = if self.rest_is_blank() {
            self.under(column, depth)
        } else {
            self.inline(Some(column), depth)
        };
        Entry { key, key_span: span, colon: true, value }
    }

    /// What stands on the lines under a key.
    fn under(&mut self, column: usize, depth: usize) -> Node {
        let from = self.at;
        self.skip_blank();
        if !self.at_end() && self.column() == column && self.at_dash() {
            return self.list(column, Some(column), depth + 1);
        }
        if self.at_end() || !self.is_below(Some(column)) {
            return Node::nothing(from);
        }
        self.here(Some(column), depth + 1)
    }

    /// A scalar, or a collection in brackets.
    fn inline(&mut self, parent: Option<usize>, depth: usize) -> Node {
        match self.byte() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote, parent),
            Some(b'{' | b'[') if !self.rest().starts_with("{{") && depth <= DEEPEST => {
                self.flow(parent, depth)
            }
            Some(b'|' | b'>') => self.literal(parent),
            _ => self.plain(),
        }
    }

    /// `{ ... }` or `[ ... ]`, which ends with its bracket, or where a line stands too far left to
    /// belong to it.
    fn flow(&mut self, parent: Option<usize>, depth: usize) -> Node {
        let (start, is_list) = (self.at, self.byte() == Some(b'['));
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        self.at += 1;
        self.last = self.at;
        while self.skip_in_flow(parent) {
            let before = self.at;
            match self.byte() {
                Some(b'}' | b']') => {
                    self.at += 1;
                    self.last = self.at;
                    break;
                }
                Some(b',') => self.at += 1,
                _ if is_list => items.push(self.in_flow(parent, depth)),
                _ => entries.push(self.flow_entry(parent, depth)),
            }
            if self.at == before {
                self.at += self.rest().chars().next().map_or(1, char::len_utf8);
            }
        }
        let data = if is_list { Data::List(items) } else { Data::Mapping(entries) };
        Node { data, span: start..self.last }
    }

    fn flow_entry(&mut self, parent: Option<usize>, depth: usize) -> Entry {
        let key = match self.byte() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote, parent),
            _ => self.plain_in_flow(),
        };
        let (text, span) = (key.text().unwrap_or_default().to_owned(), key.span);
        self.skip_spaces();
        let colon = self.byte() == Some(b':');
        let mut value = Node::nothing(self.at);
        if colon {
            self.at += 1;
            self.last = self.at;
            value = Node::nothing(self.at);
            if self.skip_in_flow(parent) && !matches!(self.byte(), Some(b',' | b'}' | b']')) {
                value = self.in_flow(parent, depth);
            }
        }
        Entry { key: text, key_span: span, colon, value }
    }

    fn in_flow(&mut self, parent: Option<usize>, depth: usize) -> Node {
        self.skip_properties();
        match self.byte() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote, parent),
            Some(b'{' | b'[') if !self.rest().starts_with("{{") && depth < DEEPEST => {
                self.flow(parent, depth + 1)
            }
            _ => self.plain_in_flow(),
        }
    }

    fn plain_in_flow(&mut self) -> Node {
        let (start, line) = (self.at, self.line_end());
        let mut end = start;
        while end < line {
            let rest = self.source.get(end..line).unwrap_or_default();
            if let Some(length) = tag(rest) {
                end += length;
                continue;
            }
            let ends = match rest.as_bytes() {
                [b',' | b'}' | b']' | b'{' | b'[', ..] | [b' ', b'#', ..] | [b':'] => true,
                [b':', next, ..] => matches!(next, b' ' | b',' | b'}' | b']' | b'\t'),
                _ => false,
            };
            if ends {
                break;
            }
            end += rest.chars().next().map_or(1, char::len_utf8);
        }
        self.text(start..end, end)
    }

    /// A text in quotes. One that is never closed ends with its line.
    fn quoted(&mut self, quote: u8, parent: Option<usize>) -> Node {
        let start = self.at + 1;
        match self.closing(quote, start, parent) {
            Some(end) => {
                (self.at, self.last) = (end + 1, end + 1);
                let text = self.written(&(start..end)).to_owned();
                Node { data: Data::Text(text), span: start..end }
            }
            None => self.text(start..self.line_end(), self.line_end()),
        }
    }

    /// Where a quotation that began before `from` is closed.
    fn closing(&self, quote: u8, from: usize, parent: Option<usize>) -> Option<usize> {
        let bytes = self.source.as_bytes();
        let mut at = from;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' if quote == b'"' => at += 1,
                b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 1,
                byte if *byte == quote => return Some(at),
                b'\n' => {
                    let next = self.source.get(at + 1..)?;
                    let indent = next.bytes().take_while(|byte| *byte == b' ').count();
                    let is_blank = matches!(next.as_bytes().get(indent), Some(b'\n' | b'\r'));
                    if !is_blank && parent.is_some_and(|parent| indent <= parent) {
                        return None;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// A text after `|` or `>`: all lines that lie deeper.
    fn literal(&mut self, parent: Option<usize>) -> Node {
        let start = self.line_end();
        let mut end = start;
        while end < self.source.len() {
            let rest = self.source.get(end + 1..).unwrap_or_default();
            let line = rest.split('\n').next().unwrap_or_default();
            let indent = line.bytes().take_while(|byte| *byte == b' ').count();
            if !line.trim().is_empty() && parent.is_none_or(|parent| indent <= parent) {
                break;
            }
            end += 1 + line.len();
        }
        let end = end.min(self.source.len());
        let start = (start + 1).min(end);
        self.text(start..end, end)
    }

    /// A text to the end of its line, or to the comment on it.
    fn plain(&mut self) -> Node {
        let line = self.line_end();
        let written = self.source.get(self.at..line).unwrap_or_default();
        let end = written.find(" #").map_or(line, |comment| self.at + comment);
        self.text(self.at..end, line)
    }

    /// The text at `span` without the blanks at its end, after which the reading stands at `at`.
    fn text(&mut self, span: Range<usize>, at: usize) -> Node {
        let text = self.written(&span).trim_end().to_owned();
        let span = span.start..span.start + text.len();
        (self.at, self.last) = (at.max(self.at), span.end.max(self.last));
        Node { data: Data::Text(text), span }
    }

    /// The key that begins here: a word and a colon on the same line.
    fn key(&self) -> Option<Key> {
        if self.at_dash() {
            return None;
        }
        let line = self.source.get(self.at..self.line_end())?;
        let is_colon = |rest: &str| {
            rest.strip_prefix(':')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        };
        if let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let length = line.get(1..)?.find(quote)?;
            let after = line.get(length + 2..)?;
            let rest = after.trim_start();
            let after = self.at + length + 2 + (after.len() - rest.len()) + 1;
            let span = self.at + 1..self.at + 1 + length;
            return is_colon(rest.trim_end()).then_some(Key { span, after });
        }
        if line.starts_with(['{', '[', '#', '|', '>']) && !line.starts_with("{{") {
            return None;
        }
        let line = line.get(..line.find(" #").unwrap_or(line.len()))?.trim_end();
        let colon = line.match_indices(':').find(|(at, _)| is_colon(line.get(*at..).unwrap_or("")));
        let (colon, _) = colon?;
        let length = line.get(..colon)?.trim_end().len();
        Some(Key { span: self.at..self.at + length, after: self.at + colon + 1 })
    }

    /// Whether what stands here lies deeper than `parent`.
    fn is_below(&self, parent: Option<usize>) -> bool {
        parent.is_none_or(|parent| self.column() > parent)
    }

    fn column(&self) -> usize {
        let before = self.ends.partition_point(|end| *end < self.at);
        let line = before.checked_sub(1).and_then(|line| self.ends.get(line));
        self.at - line.map_or(0, |end| end + 1)
    }

    fn at_dash(&self) -> bool {
        let rest = self.rest().as_bytes();
        matches!(rest, [b'-'] | [b'-', b' ' | b'\n' | b'\r' | b'\t', ..])
    }

    /// Anchors and tags say nothing here.
    fn skip_properties(&mut self) {
        while let Some(b'&' | b'!') = self.byte() {
            let rest = self.rest();
            let length = rest.find([' ', '\n']).unwrap_or(rest.len());
            self.at += length;
            self.skip_spaces();
        }
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    }

    /// Whether nothing but a comment follows on this line.
    fn rest_is_blank(&self) -> bool {
        let line = self.source.get(self.at..self.line_end()).unwrap_or_default();
        let line = line.trim_start_matches(BLANKS);
        line.is_empty() || line.starts_with('#')
    }

    /// Goes to the next line that says something, unless the value that was just read ended with
    /// its line or before one that is not part of it.
    fn end_line(&mut self) {
        if self.column_is_inside_line() {
            self.at = self.line_end();
        }
        self.skip_blank();
    }

    /// Whether something was read of the line on which the reading stands.
    fn column_is_inside_line(&self) -> bool {
        let start = self.at - self.column();
        self.last > start && !self.at_end()
    }

    /// Skips white space, comments and the marks of documents.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(BLANKS);
            self.at += rest.len() - trimmed.len();
            let is_mark = trimmed.starts_with("---") && self.column() == 0;
            if !trimmed.starts_with('#') && !is_mark {
                return;
            }
            self.at = self.line_end();
        }
    }

    /// As `skip_blank`, inside brackets: false where they end without having been closed.
    fn skip_in_flow(&mut self, parent: Option<usize>) -> bool {
        let from = self.at;
        self.skip_blank();
        let crossed = self.written(&(from..self.at)).contains('\n');
        let closes = matches!(self.byte(), Some(b'}' | b']'));
        if self.at_end() || (crossed && !closes && !self.is_below(parent.or(Some(0)))) {
            self.at = from;
            return false;
        }
        true
    }

    fn line_end(&self) -> usize {
        let line = self.ends.partition_point(|end| *end < self.at);
        self.ends.get(line).copied().unwrap_or(self.source.len())
    }

    fn byte(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn at_end(&self) -> bool {
        self.at >= self.source.len()
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn written(&self, span: &Range<usize>) -> &'a str {
        self.source.get(span.clone()).unwrap_or_default()
    }
}

/// How long the tag is that `text` begins with, if it does and that ends.
fn tag(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let window = bytes.get(..LONGEST_TAG.min(bytes.len()))?.strip_prefix(b"{{")?;
    window.windows(2).position(|two| two == b"}}").map(|length| length + 4)
}
