//! `schema`: the JSON Schema of sequences, for editors, or the runners as a page to read: those
//! of this program and of its configuration.

use rungs_core::{reference, schema};

use super::{Context, Format, Result, output};

pub(super) fn schema(context: &Context) -> Result<()> {
    let kinds = context.known_kinds()?;
    if context.output.format() == Format::Markdown {
        return Ok(output::text(reference::markdown(&kinds).trim_end())?);
    }
    Ok(output::text(format!("{:#}", schema::schema(&kinds)))?)
}
