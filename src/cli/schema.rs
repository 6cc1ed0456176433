//! `schema`: the JSON Schema of sequences, for editors.

use rungs_runners::builtin::KINDS;

use super::{Result, output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn schema(_: &Args) -> Result<()> {
    let schema = rungs_core::schema::schema(KINDS);
    Ok(output::text(format!("{schema:#}"))?)
}
