//! The documents that lie open, and the files around them.
//!
//! Promises: what is open is read as it is in the editor, all else as it is on disk; of a file no
//! more than a sequence may have.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, TextDocumentContentChangeEvent, Uri,
};
use rungs_core::{
    Files,
    check::cases::subject,
    editor::{Form, Look, Page, Vocabulary, look},
};
use serde_json::Value;

use super::{
    answers::{Wrong, parsed},
    check::Board,
    position::{Encoding, Lines},
};
use crate::files::{self, plain};

/// How many bytes of a file, or of a document, are looked at: as many as a sequence may have.
pub(super) const MOST: usize = 1024 * 1024;

/// A document that is open in the editor.
pub(super) struct Document {
    /// As the client calls it.
    pub uri: Uri,
    /// Where it lies, if that is on disk.
    pub path: Option<PathBuf>,
    pub version: i32,
    pub text: String,
}

/// What is open, and how to talk about it.
pub(super) struct Desk {
    pub vocabulary: Vocabulary,
    pub encoding: Encoding,
    open: HashMap<String, Document>,
    pub board: Board,
    /// The files that documents drew in when they were checked, by the documents' URIs.
    pub drawn_in: HashMap<String, Vec<PathBuf>>,
}

/// A document with what is known around it.
pub(super) struct Around {
    pub look: Look,
    /// Of cases: where their sequence is.
    pub subject: Option<(PathBuf, String)>,
    pub example: Option<Value>,
    /// What the sequence is made of.
    pub files: Files,
    /// The files that were looked for, whether or not they are there.
    pub drawn_in: Vec<PathBuf>,
}

impl Desk {
    pub fn new(vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            encoding: Encoding::Utf16,
            open: HashMap::new(),
            board: Board::default(),
            drawn_in: HashMap::new(),
        }
    }

    /// The document of that URI, if it is open.
    pub fn document(&self, uri: &str) -> Option<&Document> {
        self.open.get(uri)
    }

    /// Takes news of documents. Those that are to be checked now.
    pub fn hear(&mut self, method: &str, params: Value) -> Result<Vec<String>, Wrong> {
        match method {
            "textDocument/didOpen" => {
                let DidOpenTextDocumentParams { text_document } = parsed(params)?;
                let uri = text_document.uri;
                let path = path(&uri);
                let key = uri.as_str().to_owned();
                let (version, text) = (text_document.version, text_document.text);
                self.open.insert(key.clone(), Document { uri, path, version, text });
                Ok(self.concerned(&key))
            }
            "textDocument/didChange" => self.change(parsed(params)?),
            "textDocument/didSave" => {
                let DidSaveTextDocumentParams { text_document, .. } = parsed(params)?;
                Ok(self.concerned(text_document.uri.as_str()))
            }
            "textDocument/didClose" => {
                let DidCloseTextDocumentParams { text_document } = parsed(params)?;
                let key = text_document.uri.as_str().to_owned();
                // Nothing is told of it any more, and others see it as it is on disk again.
                let mut changed = self.concerned(&key);
                self.open.remove(&key);
                changed.push(key);
                Ok(changed)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) -> Result<Vec<String>, Wrong> {
        let key = params.text_document.uri.as_str().to_owned();
        let encoding = self.encoding;
        let Some(document) = self.open.get_mut(&key) else {
            return Err(Wrong::params(format!("{key} is not open")));
        };
        for change in params.content_changes {
            apply(&mut document.text, change, encoding);
        }
        document.version = params.text_document.version;
        Ok(self.concerned(&key))
    }

    /// A document that is not what it was, and those that draw it in.
    fn concerned(&self, uri: &str) -> Vec<String> {
        let Some(document) = self.open.get(uri) else { return Vec::new() };
        let draws_it_in =
            |paths: &Vec<PathBuf>| document.path.as_ref().is_some_and(|path| paths.contains(path));
        let others = self.drawn_in.iter().filter(|(_, paths)| draws_it_in(paths));
        let others = others.map(|(uri, _)| uri.clone());
        others.chain([uri.to_owned()]).collect()
    }

    /// The text of a file, as it is in the editor, or else on disk.
    pub fn text(&self, path: &Path) -> Option<String> {
        self.open_text(path).or_else(|| files::text(path).ok())
    }

    /// The text of a file that is open.
    fn open_text(&self, path: &Path) -> Option<String> {
        let mut open = self.open.values();
        let document = open.find(|document| document.path.as_deref() == Some(path))?;
        Some(document.text.clone())
    }

    /// What the sequence at `path` is made of; one that has no place is made of itself. The files
    /// that were looked for are added to `drawn_in`.
    fn files(&self, source: &str, path: Option<&Path>, drawn_in: &mut Vec<PathBuf>) -> Files {
        let Some(path) = path else { return Files::default() };
        files::gather(source, path, |file| {
            drawn_in.push(file.to_owned());
            self.open_text(file)
        })
    }

    /// What a file is called: as the client does, if it is open.
    pub fn uri(&self, path: &Path) -> Option<Uri> {
        let open = self.open.values().find(|document| document.path.as_deref() == Some(path));
        match open {
            Some(document) => Some(document.uri.clone()),
            None => url::Url::from_file_path(path).ok()?.as_str().parse().ok(),
        }
    }

    /// What a document is, if it is one of ours; or might become one, as an empty file might.
    pub fn around(&self, document: &Document) -> Option<Around> {
        if document.text.len() > MOST {
            return None;
        }
        let (path, text) = (document.path.as_deref(), document.text.as_str());
        let look = match look(text) {
            Look::Cases if !path.is_some_and(named_as_cases) => Look::Other,
            look => look,
        };
        let mut drawn_in = Vec::new();
        match look {
            Look::Other => None,
            Look::Cases => {
                let subject = path.and_then(|path| self.subject(path, text));
                let files = match &subject {
                    Some((path, text)) => self.files(text, Some(path), &mut drawn_in),
                    None => Files::default(),
                };
                drawn_in.extend(path.into_iter().flat_map(|path| Self::subjects(path, text)));
                Some(Around { look, subject, example: None, files, drawn_in })
            }
            Look::Sequence | Look::Fragment | Look::Empty => {
                let files = self.files(text, path, &mut drawn_in);
                let example = path.and_then(example);
                Some(Around { look, subject: None, example, files, drawn_in })
            }
        }
    }

    /// The sequence that cases are about.
    pub fn subject(&self, cases: &Path, text: &str) -> Option<(PathBuf, String)> {
        let mut there = Self::subjects(cases, text).into_iter();
        there.find_map(|path| self.text(&path).map(|text| (path, text)))
    }

    /// Where that may be.
    fn subjects(cases: &Path, text: &str) -> Vec<PathBuf> {
        if let Some(file) = subject(text) {
            return vec![plain(&cases.with_file_name(file))];
        }
        let Some(stem) = stem(cases) else { return Vec::new() };
        ["yml", "yaml", "json"].map(|end| cases.with_file_name(format!("{stem}.{end}"))).into()
    }

    /// The files of cases about the sequence at `path`: those of its name, and those that are open.
    pub fn cases(&self, path: &Path) -> Vec<(PathBuf, String)> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let beside = ["yml", "yaml"].map(|end| path.with_file_name(format!("{stem}.test.{end}")));
        let open = self.open.values().filter_map(|document| document.path.clone());
        let mut all: Vec<PathBuf> =
            beside.into_iter().chain(open.filter(|path| named_as_cases(path))).collect();
        all.sort();
        all.dedup();
        let with_text = all.into_iter().filter_map(|cases| {
            let text = self.text(&cases)?;
            let (subject, _) = self.subject(&cases, &text)?;
            (subject == path).then_some((cases, text))
        });
        with_text.collect()
    }
}

impl Document {
    /// The file that is called so in this document.
    pub fn beside(&self, file: &str) -> Option<PathBuf> {
        Some(plain(&self.path.as_deref()?.parent()?.join(file)))
    }
}

impl Around {
    /// How its document is read.
    pub fn form(&self) -> Form {
        if self.look == Look::Cases { Form::Cases } else { Form::Sequence }
    }

    /// The page of a document.
    pub fn page<'a>(&'a self, text: &'a str, vocabulary: &'a Vocabulary) -> Page<'a> {
        let subject = self.subject.as_ref().map(|(_, text)| text.as_str());
        Page::new(self.form(), text, vocabulary)
            .with(subject, self.example.as_ref())
            .with_files(self.files.clone())
    }
}

/// Whether a file holds cases, by its name.
pub(super) fn named_as_cases(path: &Path) -> bool {
    stem(path).is_some()
}

fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".test.yml").or_else(|| name.strip_suffix(".test.yaml"))?;
    Some(stem.to_owned())
}

fn apply(text: &mut String, change: TextDocumentContentChangeEvent, encoding: Encoding) {
    match change.range {
        None => *text = change.text,
        Some(range) => {
            let span = Lines::of(text, encoding).span(range);
            text.replace_range(span, &change.text);
        }
    }
}

fn path(uri: &Uri) -> Option<PathBuf> {
    let url = url::Url::parse(uri.as_str()).ok()?;
    if url.scheme() == "file" { url.to_file_path().ok() } else { None }
}

/// The data that lies beside a sequence.
fn example(sequence: &Path) -> Option<Value> {
    serde_json::from_str(&files::text(&sequence.with_extension("data.json")).ok()?).ok()
}
