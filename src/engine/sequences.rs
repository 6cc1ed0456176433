//! Sequences, parsed once per version.

use std::sync::Arc;

use quick_cache::{Equivalent, sync::Cache};
use rungs_core::Sequence;
use rungs_runners::Kind;

/// Versions kept parsed.
const MOST_VERSIONS: usize = 10_000;

/// A version, or why it cannot run.
pub type Parsed = Result<Arc<Sequence>, Arc<str>>;

/// Parsed versions by name and version. Versions are immutable, so nothing goes stale.
#[derive(Debug)]
pub struct Sequences(Cache<(String, i32), Parsed>);

/// A key that is only looked up.
#[derive(Hash)]
struct Named<'a>(&'a str, i32);

impl Equivalent<(String, i32)> for Named<'_> {
    fn equivalent(&self, (name, version): &(String, i32)) -> bool {
        self.0 == name && self.1 == *version
    }
}

impl Default for Sequences {
    fn default() -> Self {
        Self(Cache::new(MOST_VERSIONS))
    }
}

impl Sequences {
    /// A version that has been parsed before.
    pub fn get(&self, name: &str, version: i32) -> Option<Parsed> {
        self.0.get(&Named(name, version))
    }

    /// Parses a version and keeps it.
    ///
    /// # Errors
    /// Why this program cannot run it.
    pub fn parse(&self, name: &str, version: i32, source: &str, kinds: &[Kind]) -> Parsed {
        let checked = rungs_core::check(source, kinds);
        let parsed = match checked.sequence {
            Some(sequence) if !checked.diagnostics.iter().any(rungs_core::Diagnostic::is_error) => {
                Ok(Arc::new(sequence))
            }
            _ => Err(Arc::from(refusal(name, version, &checked.diagnostics))),
        };
        self.0.insert((name.to_owned(), version), parsed.clone());
        parsed
    }
}

/// It was checked when it was published: a newer or older program wrote it.
fn refusal(name: &str, version: i32, diagnostics: &[rungs_core::Diagnostic]) -> String {
    let why = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
    let why = why.map_or("it does not parse", |diagnostic| diagnostic.message.as_str());
    format!("this program cannot run version {version} of `{name}`: {why}")
}
