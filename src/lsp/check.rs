//! What is wrong with documents, as editors show it.

use std::path::Path;

use lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString, PublishDiagnosticsParams};
use rungs_core::{
    Severity, check,
    check::cases::cases,
    editor::{Form, is_sequence},
};

use super::{
    desk::{Desk, Document, MOST},
    position::Lines,
};

impl Desk {
    /// What is wrong with a document, for its own file and for others that it draws in.
    pub fn publish(&mut self, uri: &str) -> Vec<PublishDiagnosticsParams> {
        let Some(document) = self.document(uri) else { return Vec::new() };
        let (document_uri, version) = (document.uri.clone(), document.version);
        let lines = Lines::of(&document.text, self.encoding);
        let found = self.found(document);
        let own = found.iter().map(|found| shown(found, &lines)).collect();
        vec![PublishDiagnosticsParams::new(document_uri, own, Some(version))]
    }

    /// Everything that the check says of a document, if that is one of ours.
    pub fn found(&self, document: &Document) -> Vec<rungs_core::Diagnostic> {
        let text = document.text.as_str();
        if text.len() > MOST {
            // The check says so in one sentence. It is not asked about what is not ours.
            let ours = text.lines().any(|line| line.starts_with("sequence:"));
            return if ours { self.check(text).diagnostics } else { Vec::new() };
        }
        match self.around(document) {
            Some(around) if around.form == Form::Cases => {
                let subject = around.subject.as_ref().map(|(path, text)| (path.as_path(), &**text));
                self.cases_found(text, subject)
            }
            _ if is_sequence(text) => self.check(text).diagnostics,
            _ => Vec::new(),
        }
    }

    /// Checks a sequence.
    pub fn check(&self, source: &str) -> rungs_core::Checked {
        check(source, self.vocabulary.kinds())
    }

    fn cases_found(
        &self,
        text: &str,
        subject: Option<(&Path, &str)>,
    ) -> Vec<rungs_core::Diagnostic> {
        let Some((path, source)) = subject else {
            return vec![about_subject("the sequence of these cases is not there")];
        };
        match self.check(source).sequence {
            Some(sequence) => cases(text, &sequence).diagnostics,
            None => vec![about_subject(&format!("{} has errors", path.display()))],
        }
    }
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
