//! `test`: the cases beside sequences, each climbed under a virtual clock.
//!
//! Promises: no file keeps another from being tried. Nothing is sent. A case that does not
//! hold is told with what was expected and what happened side by side, at file and line.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use serde_json::json;

use crate::{clock::Stopwatch, config::Config};

use super::{
    Context, Failure, Output, Result,
    failure::count,
    output::{self, BAD, BOLD, DIM, GOOD, WARN, talk},
};

mod junit;
mod suite;
mod tell;

use suite::{Suite, Tried};

pub(super) use suite::{Broken, read};

/// Files that are looked for in folders.
const ENDINGS: [&str; 2] = [".test.yml", ".test.yaml"];
/// Folders below each other that are looked through.
const DEEPEST: usize = 16;
/// Between two looks for changes.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of cases, sequences with cases beside them, or folders; without any, this folder.
    #[arg(value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    /// Say which steps and branches no case took, and fail if there are some.
    #[arg(long)]
    coverage: bool,
    /// Also write a report in JUnit's XML, as CI reads it.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Try again whenever a file has changed.
    #[arg(long)]
    watch: bool,
}

impl Args {
    /// What is gone through.
    fn paths(&self) -> Vec<PathBuf> {
        if self.paths.is_empty() { vec![PathBuf::from(".")] } else { self.paths.clone() }
    }
}

pub(super) fn test(args: &Args, context: &Context) -> Result<()> {
    if !args.watch {
        return once(args, context);
    }
    loop {
        // Before anything is read, so that what is saved meanwhile is seen.
        let made_of = made_of(args);
        let before = state(args, &made_of);
        if let Err(failure) = once(args, context) {
            failure.report();
        }
        talk(&format!("{DIM}waiting for changes; Ctrl-C ends this{DIM:#}"));
        while state(args, &made_of) == before {
            thread::sleep(PAUSE);
        }
    }
}

/// Whether a file holds cases, by its name.
pub(super) fn is_cases(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn once(args: &Args, context: &Context) -> Result<()> {
    let (output, config) = (context.output, context.known_config()?);
    let files = files(args)?;
    let watch = Stopwatch::start();
    let mut suites = run_all(&files, &config);
    if let Some(path) = &args.junit {
        fs::write(path, junit::report(&suites))
            .map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?;
    }
    if output.is_json() {
        for suite in &suites {
            suite.document().iter().try_for_each(output::json)?;
        }
    } else {
        suites.iter().try_for_each(tell::suite)?;
    }
    let mut missed = 0;
    if args.coverage {
        suites
            .extend(sequences(args)?.iter().filter_map(|path| Suite::without(path, &config.kinds)));
        missed = coverage(&suites, output)?;
    }
    sum(&suites, watch.elapsed(), missed)
}

/// Several at a time: there may be thousands of cases.
fn run_all(files: &[PathBuf], config: &Config) -> Vec<Suite> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let suite = Suite::run(file, &config.kinds, config.timezone);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(suite);
                }
            });
        }
    });
    let mut suites = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    suites.sort_by(|a, b| a.file.cmp(&b.file));
    suites
}

/// What no case took; the cases of several files may be about one sequence.
fn coverage(suites: &[Suite], output: Output) -> Result<usize> {
    let mut missed = 0;
    for suite::Covered { sequence, missed: branches, all } in suite::coverage(suites) {
        missed += branches.len();
        if output.is_json() {
            let missed: Vec<_> =
                branches.iter().map(|(step, way)| json!({ "step": step, "way": way })).collect();
            output::json(&json!({ "sequence": sequence, "branches": all, "missed": missed }))?;
            continue;
        }
        let taken = all - branches.len();
        let share = (taken * 100).checked_div(all).unwrap_or(100);
        let style = if branches.is_empty() { GOOD } else { WARN };
        output::text(format!(
            "{style}{share:>3} %{style:#}  {sequence}  {taken} of {all} branches"
        ))?;
        for (step, way) in &branches {
            output::text(format!("       {WARN}never taken{WARN:#}: {step} {way}"))?;
        }
    }
    Ok(missed)
}

fn sum(suites: &[Suite], took: Duration, missed: usize) -> Result<()> {
    let tried: Vec<&Tried> = suites.iter().flat_map(|suite| &suite.tried).collect();
    let failed = tried.iter().filter(|one| !one.passed()).count();
    let broken = suites.iter().filter(|suite| suite.broken.is_some()).count();
    let cases = count(tried.len(), "case");
    let words = format!("{cases} in {} ms", took.as_millis());
    let never = match missed {
        1 => "1 branch is never taken".to_owned(),
        missed => format!("{missed} branches are never taken"),
    };
    talk(&match (failed, broken, missed) {
        (0, 0, 0) => format!("{GOOD}{BOLD}all well{BOLD:#}{GOOD:#}: {words}"),
        (0, 0, _) => format!("{words}; {BAD}{never}{BAD:#}"),
        (failed, 0, _) => format!("{words}; {BAD}{failed} failed{BAD:#}"),
        (failed, broken, _) => {
            let files = count(broken, "file");
            format!("{words}; {BAD}{failed} failed, {files} could not be read{BAD:#}")
        }
    });
    if failed + broken + missed > 0 { Err(Failure::said(1)) } else { Ok(()) }
}

fn files(args: &Args) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in &args.paths() {
        let wrong = |error: io::Error| Failure::refused(format!("{}: {error}", path.display()));
        if fs::metadata(path).map_err(wrong)?.is_dir() {
            look(path, DEEPEST, &is_cases, &mut files).map_err(wrong)?;
        } else {
            let file = cases_of(path)?;
            files.push(file.strip_prefix("./").map_or_else(|_| file.clone(), Path::to_owned));
        }
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Failure::refused("there are no cases: no file ends with .test.yml"));
    }
    Ok(files)
}

/// The file of cases that is meant by a path.
fn cases_of(path: &Path) -> Result<PathBuf> {
    if let Some(beside) = beside(path) {
        return Ok(beside);
    }
    let is_sequence = |text: String| text.lines().any(|line| line.starts_with("steps:"));
    if !is_cases(path) && fs::read_to_string(path).is_ok_and(is_sequence) {
        let (file, cases) = (path.display(), path.with_extension("test.yml"));
        let message = format!("{file} has no cases: {} would hold them", cases.display());
        return Err(Failure::refused(message));
    }
    Ok(path.to_owned())
}

/// The cases beside a sequence: who names the sequence means them.
fn beside(path: &Path) -> Option<PathBuf> {
    let names = ENDINGS.map(|ending| path.with_extension(&ending[1..]));
    names.into_iter().find(|cases| !is_cases(path) && cases.is_file())
}

/// The sequences in the folders that are gone through, with cases or without.
fn sequences(args: &Args) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in args.paths().iter().filter(|path| path.is_dir()) {
        look(folder, DEEPEST, &is_sequence, &mut files)
            .map_err(|error| Failure::refused(format!("{}: {error}", folder.display())))?;
    }
    Ok(files)
}

/// Whether a file is a sequence, by what stands in it. A fragment has no name.
fn is_sequence(path: &Path) -> bool {
    let is_source =
        path.extension().is_some_and(|it| ["yml", "yaml", "json"].iter().any(|known| it == *known));
    is_source
        && !is_cases(path)
        && fs::read_to_string(path).is_ok_and(|text| {
            let has = |key: &str| {
                text.lines()
                    .any(|line| line.trim_start_matches(['"', '\'', ' ', '{']).starts_with(key))
            };
            has("sequence") && has("steps")
        })
}

fn look(
    folder: &Path,
    deeper: usize,
    is_wanted: &dyn Fn(&Path) -> bool,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // What is hidden, and what programs make, holds no cases.
        if name.starts_with('.') || matches!(&*name, "target" | "node_modules") {
            continue;
        }
        let path = entry.path().strip_prefix("./").map_or_else(|_| entry.path(), Path::to_owned);
        if entry.file_type()?.is_dir() {
            if deeper > 0 {
                look(&path, deeper - 1, is_wanted, files)?;
            }
        } else if is_wanted(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// What all cases, and their sequences, are made of.
fn made_of(args: &Args) -> BTreeSet<PathBuf> {
    let files = files(args).unwrap_or_default();
    files.iter().flat_map(|file| suite::files_of(file)).collect()
}

/// When each file that matters was changed last: those of cases, also new ones, and what they and
/// their sequences are made of. What is written beside them is nobody's business.
fn state(args: &Args, made_of: &BTreeSet<PathBuf>) -> Vec<(PathBuf, Option<SystemTime>)> {
    let cases: BTreeSet<PathBuf> = files(args).unwrap_or_default().into_iter().collect();
    cases.union(made_of).map(|path| (path.clone(), changed(path))).collect()
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
