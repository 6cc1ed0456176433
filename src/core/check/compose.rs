//! From YAML's events to a tree.
//!
//! Promises: no input takes more than the budgets below, however its anchors multiply.
//! Duplicate keys, keys that are no text, and tags are each reported where they stand, and
//! the rest is read nevertheless; a syntax error ends the reading.
//! The parser is the one behind serde_yaml. Its events are used in place of its serde
//! side because that one gives up at the first duplicate and does not tell a tag from none.

use std::{collections::HashMap, ops::Range};

use serde_yaml::granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag,
};

use super::{
    node::{Data, Entry, Node, join, quoted},
    report::Report,
    scalar, syntax,
};
use crate::{Diagnostic, diagnostic::Place};

/// How deep lists and mappings may lie in each other.
pub(super) const DEPTH: usize = 64;
/// How many values a source may have, those that its aliases repeat included.
const NODES: usize = 100_000;
/// How many bytes of text, likewise.
const TEXT: usize = 4 * 1024 * 1024;

/// Reading cannot go on, and why has been reported.
struct Stop;

/// Reads the only document of `source`; `None` if there is none, or an error ended it.
pub(super) fn compose(report: &mut Report<'_>) -> Option<Node> {
    stream(report, false)?.into_iter().next()
}

/// Reads the first document of `source`, and after it those that carry files. `None` if an
/// error ended it.
pub(super) fn compose_all(report: &mut Report<'_>) -> Option<Vec<Node>> {
    stream(report, true)
}

fn stream(report: &mut Report<'_>, with_files: bool) -> Option<Vec<Node>> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let source = report.source;
    let mut composer = Composer {
        parser: Parser::new_from_str_with_options(source, options),
        report,
        anchors: HashMap::new(),
        nodes: 0,
        text: 0,
        template_on_line: None,
    };
    composer.documents(with_files).ok()
}

struct Composer<'r, 's> {
    parser: Parser<'s, StrInput<'s>>,
    report: &'r mut Report<'s>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    text: usize,
    /// The line of the last template without quotes.
    template_on_line: Option<usize>,
}

/// A mapping while it is read.
#[derive(Default)]
struct Draft {
    entries: Vec<Entry>,
    /// Where each key stands among the entries.
    index: HashMap<String, usize>,
    /// What `<<` brings in.
    merged: Vec<Entry>,
    /// Whether it is no mapping at all, but a template without quotes.
    is_template: bool,
}

impl<'s> Composer<'_, 's> {
    fn documents(&mut self, with_files: bool) -> Result<Vec<Node>, Stop> {
        let mut roots = Vec::new();
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(..)
                    if !(roots.is_empty() || with_files && self.carries(&span)) =>
                {
                    self.report.add(Diagnostic::error(
                        "documents",
                        Place::new("", bytes(&span)),
                        "there are several documents in here; a file holds one sequence",
                    ));
                    return Err(Stop);
                }
                Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(..)
                | Event::DocumentEnd => {}
                event => roots.push(self.node(event, &span, "", 0)?),
            }
        }
        Ok(roots)
    }

    /// Whether the document that begins here carries a file.
    fn carries(&self, start: &Span) -> bool {
        let rest = self.report.source.get(bytes(start).end..).unwrap_or_default().trim_start();
        rest.starts_with("file:")
    }

    fn next(&mut self) -> Result<Option<(Event<'s>, Span)>, Stop> {
        self.parser.next_event().transpose().map_err(|error| self.scan_error(&error))
    }

    fn scan_error(&mut self, error: &ScanError) -> Stop {
        let diagnostic = syntax::diagnostic(error, self.report.source);
        // `to: {{phone}} or so` has been reported for its missing quotes.
        let line = self.report.line(diagnostic.span.start);
        if self.template_on_line != Some(line) {
            self.report.add(diagnostic);
        }
        Stop
    }

    fn node(
        &mut self,
        event: Event<'s>,
        span: &Span,
        pointer: &str,
        depth: usize,
    ) -> Result<Node, Stop> {
        let bytes = bytes(span);
        if let Event::Alias(id) = event {
            return self.alias(id, bytes, pointer, depth);
        }
        self.spend(&bytes, pointer, depth, 1, 0)?;
        let (data, end, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(&bytes, pointer, depth, 0, text.len())?;
                let data = self.scalar(&text, style, tag.as_deref(), span, pointer);
                (data, bytes.end, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), "seq", span, pointer);
                let (items, end) = self.list(pointer, depth)?;
                (Data::List(items), end, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), "map", span, pointer);
                let (data, end) = self.mapping(pointer, depth)?;
                (data, end, anchor)
            }
            _ => (Data::Broken, bytes.end, 0),
        };
        let span = self.trimmed(bytes.start..end.max(bytes.start));
        let node = Node { data, span };
        if anchor != 0 {
            let kept = self.copy(&node, &node.span.clone(), pointer, depth)?;
            self.anchors.insert(anchor, kept);
        }
        Ok(node)
    }

    fn list(&mut self, pointer: &str, depth: usize) -> Result<(Vec<Node>, usize), Stop> {
        let mut items = Vec::new();
        let mut end = 0;
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                end = bytes(&span).end;
                break;
            }
            let pointer = format!("{pointer}/{}", items.len());
            items.push(self.node(event, &span, &pointer, depth + 1)?);
        }
        Ok((items, end))
    }

    fn mapping(&mut self, pointer: &str, depth: usize) -> Result<(Data, usize), Stop> {
        let mut draft = Draft::default();
        let mut end = 0;
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                end = bytes(&span).end;
                break;
            }
            let key = self.node(event, &span, pointer, depth + 1)?;
            let inner = key.text().map_or_else(|| pointer.to_owned(), |key| join(pointer, key));
            let Some((event, span)) = self.next()? else { break };
            let value = self.node(event, &span, &inner, depth + 1)?;
            self.entry(&mut draft, key, value, pointer);
        }
        let Draft { mut entries, mut index, merged, is_template } = draft;
        if is_template {
            return Ok((Data::Broken, end));
        }
        for entry in merged {
            if !index.contains_key(&entry.key) {
                index.insert(entry.key.clone(), entries.len());
                entries.push(entry);
            }
        }
        Ok((Data::Mapping(entries), end))
    }

    /// Takes an entry into a mapping, unless its key is none.
    fn entry(&mut self, draft: &mut Draft, key: Node, value: Node, pointer: &str) {
        let Node { data, span } = key;
        let Data::Text(text) = data else {
            draft.is_template |= self.template_without_quotes(&data, &span, pointer);
            if !draft.is_template {
                self.key_that_is_no_text(&Node { data, span }, pointer);
            }
            return;
        };
        if text == "<<" && self.report.written(&span) == "<<" {
            self.merge(draft, value, pointer);
            return;
        }
        if let Some(first) = draft.index.get(&text).and_then(|at| draft.entries.get(*at)) {
            let line = self.report.line(first.key_span.start);
            self.report.add(
                Diagnostic::error(
                    "duplicate-key",
                    Place::new(join(pointer, &text), span),
                    format!("the key {} stands here a second time", quoted(&text)),
                )
                .help(format!("it is on line {line} already; keep one of the two")),
            );
            return;
        }
        draft.index.insert(text.clone(), draft.entries.len());
        draft.entries.push(Entry { key: text, key_span: span, value });
    }

    /// `to: {{phone}}`: to YAML a mapping within a mapping's key, and never meant so.
    fn template_without_quotes(&mut self, key: &Data, span: &Range<usize>, pointer: &str) -> bool {
        let before = self.report.source.get(..span.start).unwrap_or_default();
        if !matches!(key, Data::Mapping(_)) || !before.ends_with('{') {
            return false;
        }
        let place = Place::new(pointer, span.start - 1..span.end + 1);
        self.template_on_line = Some(self.report.line(span.end));
        self.report.add(
            Diagnostic::error("unquoted-template", place, "a template needs quotes around it")
                .help(format!("\"{{{}}}\"", self.report.written(span))),
        );
        true
    }

    fn key_that_is_no_text(&mut self, key: &Node, pointer: &str) {
        let written = self.report.written(&key.span);
        let help = match key.data {
            Data::Broken => return,
            Data::List(_) | Data::Mapping(_) => "write a name, a colon, and then the value".into(),
            Data::Null => "put a name before the colon".into(),
            _ => format!("if it is meant as a name, write it in quotes: \"{written}\""),
        };
        self.report.add(
            Diagnostic::error(
                "key-type",
                Place::new(pointer, key.span.clone()),
                format!("expected a name as the key, found {}", key.describe()),
            )
            .help(help),
        );
    }

    /// `<<: *defaults`, or a list of such. What stands in the mapping itself wins, then
    /// what was merged first.
    fn merge(&mut self, draft: &mut Draft, value: Node, pointer: &str) {
        let sources = match value {
            Node { data: Data::List(items), .. } => items,
            one => vec![one],
        };
        for source in sources {
            match source.data {
                Data::Mapping(entries) => draft.merged.extend(entries),
                Data::Broken => {}
                _ => self.report.add(Diagnostic::error(
                    "merge",
                    Place::new(pointer, source.span.clone()),
                    format!("`<<` merges mappings, and this is {}", source.describe()),
                )),
            }
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &Span,
        pointer: &str,
    ) -> Data {
        let is_plain = style == ScalarStyle::Plain;
        let read = match tag.map(|tag| (tag, tag.core_suffix())) {
            Some((_, Some("str"))) => return Data::Text(text.to_owned()),
            Some((_, Some("null" | "bool" | "int" | "float"))) => scalar::plain(text),
            Some((tag, _)) if tag.original() == "!" => return Data::Text(text.to_owned()),
            Some((tag, _)) => return self.unknown_tag(tag, span, pointer),
            None if is_plain => scalar::plain(text),
            None => return Data::Text(text.to_owned()),
        };
        read.unwrap_or_else(|scalar::NotFinite| {
            self.report.add(
                Diagnostic::error(
                    "number",
                    Place::new(pointer, bytes(span)),
                    format!("{} is not a finite number", quoted(text)),
                )
                .help(format!("if it is meant as text, write it in quotes: \"{text}\"")),
            );
            Data::Broken
        })
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, own: &str, span: &Span, pointer: &str) {
        if let Some(tag) = tag
            && tag.core_suffix() != Some(own)
        {
            self.unknown_tag(tag, span, pointer);
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, span: &Span, pointer: &str) -> Data {
        let place = span.tag_span().unwrap_or(*span);
        self.report.add(
            Diagnostic::error(
                "tag",
                Place::new(pointer, bytes(&place)),
                format!("the tag {} means nothing in a sequence", quoted(&tag.original())),
            )
            .help("leave it out, or put the text in quotes if it begins with `!`".to_owned()),
        );
        Data::Broken
    }

    fn alias(
        &mut self,
        id: usize,
        span: Range<usize>,
        pointer: &str,
        depth: usize,
    ) -> Result<Node, Stop> {
        // An anchor is known once its value has been read whole.
        let Some(node) = self.anchors.remove(&id) else {
            self.report.add(Diagnostic::error(
                "alias",
                Place::new(pointer, span.clone()),
                "this alias stands inside the value that it repeats",
            ));
            return Ok(Node { data: Data::Broken, span });
        };
        let copy = self.copy(&node, &span, pointer, depth);
        self.anchors.insert(id, node);
        copy
    }

    /// A copy of what an anchor names, paid for like anything else.
    fn copy(
        &mut self,
        node: &Node,
        place: &Range<usize>,
        pointer: &str,
        depth: usize,
    ) -> Result<Node, Stop> {
        let text = node.text().map_or(0, str::len);
        self.spend(place, pointer, depth, 1, text)?;
        let data = match &node.data {
            Data::List(items) => Data::List(
                items
                    .iter()
                    .map(|item| self.copy(item, place, pointer, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Data::Mapping(entries) => Data::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        self.spend(place, pointer, depth, 1, entry.key.len())?;
                        let value = self.copy(&entry.value, place, pointer, depth + 1)?;
                        Ok(Entry {
                            value,
                            key: entry.key.clone(),
                            key_span: entry.key_span.clone(),
                        })
                    })
                    .collect::<Result<_, _>>()?,
            ),
            data => data.clone(),
        };
        Ok(Node { data, span: node.span.clone() })
    }

    /// Counts what is read against the budgets.
    fn spend(
        &mut self,
        place: &Range<usize>,
        pointer: &str,
        depth: usize,
        nodes: usize,
        text: usize,
    ) -> Result<(), Stop> {
        self.nodes += nodes;
        self.text += text;
        let message = if depth > DEPTH {
            format!("lists and mappings lie more than {DEPTH} deep in each other here")
        } else if self.nodes > NODES {
            format!("from here on there are more than {NODES} values, aliases included")
        } else if self.text > TEXT {
            format!("from here on there are more than {TEXT} bytes of text, aliases included")
        } else {
            return Ok(());
        };
        self.report.add(Diagnostic::error(
            "too-large",
            Place::new(pointer, place.clone()),
            message,
        ));
        Err(Stop)
    }

    /// A span without the white space at its end: block collections end where the next
    /// token begins.
    fn trimmed(&self, span: Range<usize>) -> Range<usize> {
        let written = self.report.written(&span);
        span.start..span.start + written.trim_end().len()
    }
}

fn bytes(span: &Span) -> Range<usize> {
    let range = span.byte_range().unwrap_or_default();
    range.start..range.end.max(range.start)
}
