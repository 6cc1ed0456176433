//! `schema`: the JSON Schema of sequences, for editors: with the runners of this program and of
//! its configuration.

use super::{Context, Result, output};

pub(super) fn schema(context: &Context) -> Result<()> {
    let schema = rungs_core::schema::schema(&context.known_kinds()?);
    Ok(output::text(format!("{schema:#}"))?)
}
