//! What is wrong with documents, as editors show it.
//!
//! Promises: what the check says of a file that a document draws in stands in that file, once,
//! whichever documents draw it in; and is gone when the last of them has nothing to say any more.

use std::collections::{BTreeMap, BTreeSet};

use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
    PublishDiagnosticsParams, Uri,
};
use rungs_core::{
    Sequence, Severity, check, check::cases::cases, check_fragment, check_with, editor::Look,
};

use super::{
    desk::{Around, Desk, Document, MOST},
    position::Lines,
};

/// What is told of files, by their URIs.
type Told = BTreeMap<String, (Uri, Vec<Diagnostic>)>;

/// What has been told because of each document, by its URI.
#[derive(Default)]
pub(super) struct Board {
    because_of: BTreeMap<String, Told>,
}

impl Board {
    /// Takes what is told because of a document now. The files that this concerns.
    fn take(&mut self, document: &str, told: Told) -> Vec<Uri> {
        let before = if told.is_empty() {
            self.because_of.remove(document)
        } else {
            self.because_of.insert(document.to_owned(), told)
        };
        let before = before.unwrap_or_default();
        let now = self.because_of.get(document);
        let all = before.values().chain(now.into_iter().flat_map(BTreeMap::values));
        all.map(|(uri, _)| uri.clone()).collect()
    }

    /// Everything that is told of a file.
    fn of(&self, uri: &str) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> = Vec::new();
        for (_, diagnostics) in self.because_of.values().filter_map(|told| told.get(uri)) {
            for diagnostic in diagnostics {
                let is_same = |other: &Diagnostic| {
                    other.range == diagnostic.range && other.message == diagnostic.message
                };
                if !all.iter().any(is_same) {
                    all.push(diagnostic.clone());
                }
            }
        }
        all
    }
}

impl Desk {
    /// Checks documents, those that are not open any more as well, of which nothing is told then.
    /// What is to be shown of them, and of files that they draw in or drew in.
    pub fn publish(&mut self, uris: &BTreeSet<String>) -> Vec<PublishDiagnosticsParams> {
        let mut concerned = BTreeMap::new();
        for key in uris {
            let told = if let Some(document) = self.document(key) {
                let around = self.around(document);
                let told = self.told(document, around.as_ref());
                let drawn_in = around.map(|around| around.drawn_in).unwrap_or_default();
                self.drawn_in.insert(key.clone(), drawn_in);
                told
            } else {
                self.drawn_in.remove(key);
                Told::new()
            };
            for uri in self.board.take(key, told) {
                concerned.insert(uri.as_str().to_owned(), uri);
            }
        }
        let shown = concerned.into_iter().map(|(key, uri)| {
            let version = self.document(&key).map(|document| document.version);
            PublishDiagnosticsParams::new(uri, self.board.of(&key), version)
        });
        shown.collect()
    }

    fn told(&self, document: &Document, around: Option<&Around>) -> Told {
        let mut told = Told::new();
        // Also where there is nothing to tell, so that what was told is taken back.
        told.insert(document.uri.as_str().to_owned(), (document.uri.clone(), Vec::new()));
        let own = Lines::of(&document.text, self.encoding);
        let all = match around {
            Some(around) => self.found_in(&document.text, around),
            None => refused(&document.text),
        };
        for found in all {
            let Some(included) = &found.included else {
                let shown = shown(&found, &own);
                if let Some((_, all)) = told.get_mut(document.uri.as_str()) {
                    all.push(shown);
                }
                continue;
            };
            let path = document.beside(&included.file);
            let Some((uri, text)) =
                path.and_then(|path| Some((self.uri(&path)?, self.text(&path)?)))
            else {
                continue;
            };
            let mut shown = shown(&found, &Lines::of(&text, self.encoding));
            shown.related_information = Some(self.users(document, &found));
            told.entry(uri.as_str().to_owned()).or_insert((uri, Vec::new())).1.push(shown);
        }
        told
    }

    /// The steps by which a document draws in what a diagnostic is about.
    fn users(
        &self,
        document: &Document,
        found: &rungs_core::Diagnostic,
    ) -> Vec<DiagnosticRelatedInformation> {
        let users = found.included.iter().flat_map(|included| &included.used_by);
        let each = users.filter_map(|user| {
            let path = user.file.as_deref().and_then(|file| document.beside(file));
            let (uri, text) = match path {
                Some(path) => (self.uri(&path)?, self.text(&path)?),
                None => (document.uri.clone(), document.text.clone()),
            };
            let lines = Lines::of(&text, self.encoding);
            let line = text.lines().nth(user.line.checked_sub(1)?)?;
            let before: usize = line.chars().take(user.column - 1).map(char::len_utf8).sum();
            let start = lines.start(user.line - 1)? + before;
            let range = lines.range(&(start..start));
            let message = format!("step `{}` runs it", user.step);
            Some(DiagnosticRelatedInformation { location: Location::new(uri, range), message })
        });
        each.collect()
    }

    /// Everything that the check says of a document, if that is one of ours.
    pub fn found(&self, document: &Document) -> Vec<rungs_core::Diagnostic> {
        match self.around(document) {
            Some(around) => self.found_in(&document.text, &around),
            None => refused(&document.text),
        }
    }

    fn found_in(&self, text: &str, around: &Around) -> Vec<rungs_core::Diagnostic> {
        let kinds = self.vocabulary.kinds();
        match around.look {
            Look::Sequence => check_with(text, &around.files, kinds).diagnostics,
            Look::Fragment => check_fragment(text, &around.files, kinds),
            Look::Cases => self.cases_found(text, around),
            Look::Empty | Look::Other => Vec::new(),
        }
    }

    /// The sequence of a document, where there is nothing wrong with it.
    pub fn sequence(&self, text: &str, around: &Around) -> Option<Sequence> {
        let ours = around.look == Look::Sequence;
        ours.then(|| check_with(text, &around.files, self.vocabulary.kinds()).sequence)?
    }

    fn cases_found(&self, text: &str, around: &Around) -> Vec<rungs_core::Diagnostic> {
        let Some((path, source)) = &around.subject else {
            return vec![about_subject("the sequence of these cases is not there")];
        };
        match check_with(source, &around.files, self.vocabulary.kinds()).sequence {
            Some(sequence) => cases(text, &sequence).diagnostics,
            None => vec![about_subject(&format!("{} has errors", path.display()))],
        }
    }
}

/// What the check says of a document that is too large to look into, if it is one of ours: that
/// it is too large.
fn refused(text: &str) -> Vec<rungs_core::Diagnostic> {
    const TOPS: [&str; 3] = ["sequence:", "fragment:", "cases:"];
    let is_top = |line: &str| {
        TOPS.iter().any(|top| line.starts_with(top))
            || line.trim_start_matches(['{', ' ', '\t']).starts_with("\"sequence\":")
    };
    let ours = text.len() > MOST && text.lines().any(is_top);
    if ours { check(text, &[]).diagnostics } else { Vec::new() }
}

/// Cases that cannot be read for want of their sequence.
fn about_subject(message: &str) -> rungs_core::Diagnostic {
    rungs_core::Diagnostic {
        severity: Severity::Warning,
        code: "sequence",
        message: message.to_owned(),
        pointer: String::new(),
        line: 1,
        column: 1,
        span: 0..0,
        help: None,
        included: None,
    }
}

/// A diagnostic as the protocol has it.
pub(super) fn shown(found: &rungs_core::Diagnostic, lines: &Lines<'_>) -> Diagnostic {
    let message = match &found.help {
        Some(help) => format!("{}\n{help}", found.message),
        None => found.message.clone(),
    };
    Diagnostic {
        range: lines.range(&found.span),
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(found.code.to_owned())),
        source: Some("rungs".to_owned()),
        message,
        ..Diagnostic::default()
    }
}
