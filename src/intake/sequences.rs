//! Publishing a sequence: checked, then kept as the next version of its name.

use std::fmt::Write;

use rungs_core::{Checked, Diagnostic, Sequence, check};
use sha2::{Digest, Sha256};

use crate::{
    engine::Engine,
    store::sequences::{NewSequence, Published},
};

use super::Refusal;

/// A sequence that was published.
#[derive(Debug)]
pub struct Publication {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: i32,
    /// False if the newest version says the same already.
    pub changed: bool,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks and publishes a sequence. `name`, where given, must be the one it bears.
///
/// # Errors
/// [`Refusal::Sequence`] with everything that is wrong.
pub async fn publish(
    engine: &Engine,
    name: Option<&str>,
    source: &str,
) -> Result<Publication, Refusal> {
    let Checked { sequence, diagnostics } = check(source, &engine.kinds);
    let sequence = accepted(sequence, &diagnostics, source)?;
    if let Some(name) = name.filter(|name| *name != sequence.name) {
        let message = format!("the sequence is called `{}`, not `{name}`", sequence.name);
        return Err(Refusal::invalid("/sequence", message));
    }
    let new = NewSequence { name: &sequence.name, source, hash: &hash(source), inline: false };
    let Published { version, changed } = engine.store.publish(&new, engine.clock.now()).await?;
    Ok(Publication { name: sequence.name, version, changed, diagnostics })
}

pub(super) fn accepted(
    sequence: Option<Sequence>,
    diagnostics: &[Diagnostic],
    source: &str,
) -> Result<Sequence, Refusal> {
    match sequence {
        Some(sequence) if !diagnostics.iter().any(Diagnostic::is_error) => Ok(sequence),
        _ => Err(Refusal::Sequence { diagnostics: diagnostics.to_vec(), text: source.to_owned() }),
    }
}

/// SHA-256 in hex.
pub(super) fn hash(source: &str) -> String {
    let digest = Sha256::digest(source);
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
