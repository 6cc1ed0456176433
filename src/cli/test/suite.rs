//! One file of cases: read, and tried.

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use rungs_core::{
    Checked, InFile, Sequence,
    cases::{self, Case, Coverage, Stage, Unfit, Verdict},
    check::cases::{CheckedCases, cases as read_cases, subject},
};
use rungs_runners::{Kind, data::merge};
use serde_json::{Value, json};

use crate::{
    cli::{
        failure::rendered,
        input::{self, Source},
    },
    files::plain,
};

use super::tell;

/// Where cases start that do not say when: nine o'clock on a Monday, UTC, of every run alike.
const STAGE: &str = "2026-01-05T09:00:00Z";
const KEY: &str = "01900000-0000-7000-8000-000000000001";

/// A file of cases, and what came of them.
pub(super) struct Suite {
    pub file: String,
    /// Why nothing in it could be tried.
    pub broken: Option<Broken>,
    pub tried: Vec<Tried>,
    /// The file of the sequence, and the sequence.
    pub sequence: Option<(PathBuf, Sequence)>,
    pub coverage: Coverage,
    timezone: Tz,
}

/// Why nothing in a file could be tried.
pub(in crate::cli) struct Broken {
    /// As people read it.
    pub text: String,
    /// As machines do.
    pub documents: Vec<Value>,
    /// The file of the sequence, if it is that which has errors.
    pub sequence: Option<String>,
}

/// A file of cases that was read.
pub(in crate::cli) struct Read {
    sequence_path: PathBuf,
    sequence: Sequence,
    cases: Vec<Case>,
}

/// A case, and what came of it.
pub(super) struct Tried {
    pub case: Case,
    /// Or why it could not be tried.
    pub verdict: Result<Verdict, String>,
    /// The zone in which it is told.
    pub timezone: Tz,
}

impl Tried {
    pub fn passed(&self) -> bool {
        self.verdict.as_ref().is_ok_and(Verdict::passed)
    }

    /// Where it went wrong.
    pub fn line(&self) -> usize {
        self.verdict.as_ref().ok().and_then(Verdict::line).unwrap_or(self.case.line)
    }
}

impl Suite {
    /// `timezone` is that of sequences that name none.
    pub fn run(path: &Path, kinds: &[Kind], timezone: Tz) -> Self {
        let mut suite = Self {
            file: path.display().to_string(),
            broken: None,
            tried: Vec::new(),
            sequence: None,
            coverage: Coverage::default(),
            timezone,
        };
        if let Err(broken) = suite.try_all(path, kinds) {
            suite.broken = Some(broken);
        }
        suite
    }

    /// A sequence that nobody has tried; nothing, if it is none that can be read.
    pub fn without(sequence: &Path, kinds: &[Kind]) -> Option<Self> {
        let checked = Source::read(sequence).ok()?.check(kinds).sequence?;
        Some(Self {
            file: sequence.display().to_string(),
            broken: None,
            tried: Vec::new(),
            sequence: Some((sequence.to_owned(), checked)),
            coverage: Coverage::default(),
            timezone: Tz::UTC,
        })
    }

    fn try_all(&mut self, path: &Path, kinds: &[Kind]) -> Result<(), Broken> {
        let Read { sequence_path, sequence, cases } = read(path, kinds)?;
        for case in cases {
            let tried = self.try_one(&sequence, case, path, &sequence_path);
            self.tried.push(tried);
        }
        self.sequence = Some((sequence_path, sequence));
        Ok(())
    }

    fn try_one(
        &mut self,
        sequence: &Sequence,
        case: Case,
        path: &Path,
        sequence_path: &Path,
    ) -> Tried {
        let now = STAGE.parse().unwrap_or_default();
        let mut timezone = self.timezone;
        let stage = Stage { key: KEY, now, timezone };
        let verdict = data(&case, path, sequence_path).and_then(|data| {
            let ran = cases::run(sequence, &case, data, stage).map_err(|unfit| words(&unfit))?;
            timezone = ran.simulation.process.timezone;
            self.coverage.add(&ran);
            Ok(ran.verdict)
        });
        Tried { case, verdict, timezone }
    }

    /// As machines read it: a line for each case.
    pub fn document(&self) -> Vec<Value> {
        if let Some(broken) = &self.broken {
            return broken.documents.clone();
        }
        let each = self.tried.iter().map(|tried| {
            json!({
                "file": self.file, "case": tried.case.name, "passed": tried.passed(),
                "line": tried.line(),
                "detail": (!tried.passed()).then(|| tell::plain(tried)),
            })
        });
        each.collect()
    }
}

/// Reads a file of cases, and the sequence that it is about.
pub(in crate::cli) fn read(path: &Path, kinds: &[Kind]) -> Result<Read, Broken> {
    let source = Source::read(path).map_err(unreadable)?;
    let text = source.text().into_owned();
    let sequence_path = sequence_of(path, subject(&text)).map_err(unreadable)?;
    let of_sequence = Source::read(&sequence_path).map_err(unreadable)?;
    let Checked { sequence, diagnostics } = of_sequence.check(kinds);
    let Some(sequence) = sequence else {
        let broken = wrong(&diagnostics, &of_sequence.file, &of_sequence.text());
        return Err(Broken { sequence: Some(of_sequence.file), ..broken });
    };
    let CheckedCases { cases, diagnostics } = read_cases(&text, &sequence);
    if diagnostics.iter().any(rungs_core::Diagnostic::is_error) {
        return Err(wrong(&diagnostics, &source.file, &text));
    }
    Ok(Read { sequence_path, sequence, cases })
}

fn unreadable(reason: String) -> Broken {
    let document = json!({ "severity": "error", "code": "unreadable", "message": reason });
    Broken { text: reason, documents: vec![document], sequence: None }
}

fn wrong(diagnostics: &[rungs_core::Diagnostic], file: &str, text: &str) -> Broken {
    let documents = diagnostics.iter().map(|diagnostic| json!(InFile { file, diagnostic }));
    Broken {
        text: rendered(diagnostics, file, text).trim_end().to_owned(),
        documents: documents.collect(),
        sequence: None,
    }
}

/// The sequence that a file of cases is about.
fn sequence_of(path: &Path, subject: Option<String>) -> Result<PathBuf, String> {
    if let Some(subject) = subject {
        return Ok(path.with_file_name(subject));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = beside(path);
    if beside.is_empty() {
        let file = path.display();
        return Err(format!("{file}: it does not end with .test.yml, so say `sequence: FILE`"));
    }
    let stem = stem(&name).unwrap_or_default();
    let found = beside.iter().find(|path| path.is_file());
    found.cloned().ok_or_else(|| {
        format!(
            "{}: there is no {stem}.yml beside it; `sequence: FILE` names another",
            path.display()
        )
    })
}

/// `order` of `order.test.yml`.
fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(".test.yml").or_else(|| name.strip_suffix(".test.yaml"))
}

/// Where the sequence of a file of cases may lie, if that does not name it.
fn beside(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let each = |stem: &str| {
        ["yml", "yaml", "json"].map(|ending| path.with_file_name(format!("{stem}.{ending}")))
    };
    stem(&name).map(each).into_iter().flatten().collect()
}

/// What a case starts with.
fn data(case: &Case, path: &Path, sequence: &Path) -> Result<Value, String> {
    let file = match &case.given.data {
        Some(Value::String(text)) => match text.strip_prefix('@') {
            Some(file) => Some(path.with_file_name(file)),
            None => return Err(format!("`data` is a mapping or @FILE, and not {text:?}")),
        },
        Some(_) => None,
        None => Some(sequence.with_extension("data.json")).filter(|beside| beside.is_file()),
    };
    let mut data = match file {
        Some(file) => input::file(&file)?,
        None => case.given.data.clone().unwrap_or(Value::Null),
    };
    if let Some(Value::Object(with)) = &case.given.with {
        if data.is_null() {
            data = json!({});
        }
        if let Value::Object(data) = &mut data {
            merge(data, with);
        }
    }
    Ok(data)
}

fn words(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Moment(wrong) => wrong.clone(),
        Unfit::Data(problems) => {
            let told: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: {}", problem.pointer, problem.message))
                .collect();
            format!("the data does not fit: {}", told.join("; "))
        }
    }
}

/// What the cases of all files took of a sequence.
pub(super) struct Covered {
    /// Its file.
    pub sequence: String,
    /// Branches that no case took.
    pub missed: Vec<(String, &'static str)>,
    /// Of how many.
    pub all: usize,
}

/// What was taken of each sequence, however its path is written.
pub(super) fn coverage(suites: &[Suite]) -> Vec<Covered> {
    let mut covered: Vec<(PathBuf, Covered)> = Vec::new();
    for suite in suites {
        let Some((file, sequence)) = &suite.sequence else { continue };
        let missed = suite.coverage.missed(sequence);
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        let known = covered.iter_mut().find(|(known, _)| *known == real);
        if let Some((_, known)) = known {
            known.missed.retain(|branch| missed.contains(branch));
            continue;
        }
        let all = Coverage::branches(sequence).len();
        // Up from the start leads to where only its own name leads.
        let is_up = file.starts_with("..");
        let sequence = if is_up { file.clone() } else { plain(file) };
        let sequence = sequence.display().to_string();
        covered.push((real, Covered { sequence, missed, all }));
    }
    covered.into_iter().map(|(_, covered)| covered).collect()
}

/// What the cases in a file, and their sequence, are made of beside that file; also what may come
/// to lie there.
pub(super) fn files_of(path: &Path) -> Vec<PathBuf> {
    let text = Source::read(path).map(|source| source.text().into_owned()).unwrap_or_default();
    let subject = subject(&text);
    let mut files = vec![path.to_owned()];
    // Whatever looks like the name of a file of data.
    let words = text.split(|c: char| c.is_whitespace() || "\"',{}[]".contains(c));
    let named = words.filter_map(|word| word.strip_prefix('@'));
    files.extend(named.map(|file| path.with_file_name(file)));
    if subject.is_none() {
        files.extend(beside(path));
    }
    let Ok(sequence) = sequence_of(path, subject) else { return files };
    files.push(sequence.with_extension("data.json"));
    let folders = sequence.parent().into_iter().flat_map(Path::ancestors);
    files.extend(folders.map(|folder| folder.join("calendars")));
    if let Ok(source) = Source::read(&sequence) {
        files.extend(source.files.paths().map(|path| sequence.with_file_name(path)));
    }
    files.push(sequence);
    files
}
